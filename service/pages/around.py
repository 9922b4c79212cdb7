"""What surrounds a decision: people and the watch on its days, what came after it, and what else it could have been."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from pydantic import JsonValue

from ...domain.events import Event
from .prices import PriceHistory
from .twin import Fact, Twin, payload_of

HORIZONS = (1, 5, 21)
"""Sessions after a decision at which a report that is made later says what became of it: a day, a week, a month."""
MOST_PEOPLE = 5


@dataclass(frozen=True, slots=True)
class Around:
    """What a page is given beside the events of its decision and order."""

    events: tuple[Event, ...] = ()
    """Of people and of the watch, on the days of the decision and its order."""
    what_ifs: Mapping[str, JsonValue] | None = None
    """The document of `evals.counterfactual`; None where nobody has decided it again."""


def on_days(events: Iterable[Event], first: date, last: date, *, is_restricted: bool) -> tuple[Event, ...]:
    """Those of the days from first to last; of a desk that was restricted, also what had last changed before."""
    told = tuple(events)
    before = [event for event in told if event.type == "TradingStateChanged" and event.event_time.date() < first]
    within = tuple(event for event in told if first <= event.event_time.date() <= last)
    return (*before[-1:], *within) if is_restricted else within


def people_rows(twin: Twin, events: Iterable[Event]) -> list[dict[str, object]]:
    """What people asked for, what was restricted and who was told what, the newest of the kinds that matter."""
    rows: list[dict[str, object]] = []
    for event in events:
        fact = twin.event(event)
        payload = payload_of(fact)
        rows.append({"kind": event.type, "at": fact["event_time"], "payload": payload})
    return rows[-MOST_PEOPLE:]


def outcome_rows(
    twin: Twin, prices: PriceHistory | None, session: str, held: Mapping[str, float], wanted: Mapping[str, float] | None
) -> list[dict[str, object]]:
    """At each horizon that is over, what the book as kept would have returned, as wanted, and the mean of the names.

    Weights are those of the decision, left alone. `wanted` may be a single name's, with its side as its weight.
    """
    rows: list[dict[str, object]] = []
    for count in HORIZONS:
        returns = prices.returns_after(session, count) if prices else None
        if not returns or prices is None:
            rows.append({"sessions": _count(twin, count), "found": None})
            continue
        output: dict[str, JsonValue] = {
            "until": prices.session_after(session, count).isoformat(),
            "held": _weighted(held, returns),
            "wanted": None if wanted is None else _weighted(wanted, returns),
            "mean_name": sum(returns.values()) / len(returns),
        }
        inputs: JsonValue = {"session": session, "sessions": count, "held": dict(held), "wanted": dict(wanted or {})}
        rows.append({"sessions": _count(twin, count), "found": twin.derive("outcome", inputs, output)})
    return rows


def _count(twin: Twin, count: int) -> Fact:
    return twin.derive("horizon", count, count)


def _weighted(weights: Mapping[str, float], returns: Mapping[str, float]) -> float:
    return sum(weight * returns[symbol] for symbol, weight in weights.items() if symbol in returns)


def what_if_fact(twin: Twin, case_decision: Fact, around: Around) -> Fact | None:
    """The document in the page's twin, under the tool that made it."""
    if around.what_ifs is None:
        return None
    inputs: JsonValue = {"tool": around.what_ifs["tool"], "version": around.what_ifs["version"]}
    return twin.derive("what_ifs", {"decision": case_decision.ref, **inputs}, dict(around.what_ifs))
