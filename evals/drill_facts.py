"""What procedure drills do and look up: requests to a book at rest, the facts of a log, and what is held by them."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import JsonValue

from ..desk.operator import Command, OperatorIntent
from ..domain.events import OrderFilled, Payload
from .book_at_rest import BookAtRest
from .drill_ground import WHO, WHY, Ground

Problems = list[str]
Kind = TypeVar("Kind", bound=Payload)


@dataclass(frozen=True, slots=True)
class ProcedureDrill:
    """One procedure: `carry_out` does it, and says what is missing of what must follow."""

    name: str
    what: str
    carry_out: Callable[[Ground], Problems]


def at_place(place: int, act: Callable[[], None]) -> Callable[[int], None]:
    """Acts as the session of this place begins."""
    return lambda begun: act() if begun == place else None


def need(holds: bool, otherwise: str) -> Problems:
    """What is wrong where something does not hold."""
    return [] if holds else [otherwise]


def at_rest(ground: Ground, command: Command, reason: str = WHY, detail: Mapping[str, JsonValue] | None = None) -> str:
    """A person's request to a book that nobody runs; why it was refused, or an empty text."""
    with BookAtRest(ground.folder, ground.post) as resting:
        return resting.obey(OperatorIntent(command=command, user=WHO, reason=reason, detail=dict(detail or {})))


def of(ground: Ground, kind: type[Kind], after: str = "") -> list[Kind]:
    """The facts of a kind; those after the first event of the type `after`, if one is named."""
    events = ground.events()
    seq = next((event.seq for event in events if event.type == after), 0)
    found = (event.decoded() for event in events[seq:] if event.type == kind.__name__)
    return [payload for payload in found if isinstance(payload, kind)]


def held(ground: Ground) -> dict[str, int]:
    """Shares of each name by the fills of the log."""
    found = Counter[str]()
    for item in of(ground, OrderFilled):
        found[item.fill.symbol] += item.fill.side.sign * item.fill.quantity
    return {symbol: count for symbol, count in found.items() if count}
