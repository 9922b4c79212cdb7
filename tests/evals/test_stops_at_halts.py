"""What halts, kill flags, flattens and people do to stops at the venue, in whole runs: what protects stays."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from parley.desk.book import Book
from parley.desk.operator import OperatorIntent
from parley.domain.control_events import NotificationRaised, OperatorAsked
from parley.domain.events import CancelRequested, ChildClosed, ChildSubmitted, Event, OrderFilled
from parley.domain.orders import Side
from parley.domain.trading import Scope
from parley.evals.drill_ground import Ground, Trouble, play
from parley.evals.replay import replay_run
from parley.execution.flatten_requests import FLATTEN_ENDED
from parley.execution.standing import UNPROTECTED
from parley.gate.limits import load_limits
from parley.market.datasets import load_data
from parley.memory.gate_record import GateRecord
from parley.memory.sent_orders import SentOrders, rests
from parley.memory.verify import verify_log
from parley.service.limit_rules import reachable_limits

from .protection_kit import naked_spans
from .test_protecting import crash
from .test_standing_stops import live

__all__ = ["crash"]


@dataclass
class Acting:
    """A session's time in which somebody acts once, at a moment."""

    at: datetime
    act: Callable[[], None]
    is_done: bool = field(default=False)

    def until(self, moment: datetime, is_called: Callable[[], bool] = lambda: False) -> None:
        if moment >= self.at and not self.is_done:
            self.is_done = True
            self.act()


@pytest.fixture
def ground(tmp_path: Path, crash: Path) -> Ground:
    """The four days before the fall: bought on the second one, held from then on."""
    data = load_data(str(crash))
    days = data.history().sessions_between()[-8:-4]
    return Ground(Book(tmp_path / "book"), data, str(crash), live(), load_limits(), tuple(days))


def acts(ground: Ground, place: int, hours: float, act: Callable[[], None]) -> Any:
    """Play the days, and act so far into a session."""
    at = ground.data.history().opening_time(ground.sessions[place]) + timedelta(hours=hours)
    return play(ground, Trouble(venue_of=None, pace=Acting(at, act)))


def stops_at(events: tuple[Event, ...]) -> dict[str, Any]:
    """The protective orders that stand at the end, by name."""
    sent = SentOrders()
    for event in events:
        sent.fold(event.decoded())
    return {item.child.symbol: item for item in sent.open if rests(item.child)}


def of(events: tuple[Event, ...], kind: type, after: int = 0) -> list[Any]:
    return [event.decoded() for event in events if event.type == kind.__name__ and event.seq > after]


def halted_at(events: tuple[Event, ...]) -> int:
    return next(event.seq for event in events if event.type == "TradingStateChanged")


def check(ground: Ground) -> tuple[Event, ...]:
    """The log is whole and replays, and no position is without a stop, an order at work or word of it for long."""
    report = verify_log(ground.folder.log_path, auditors=(GateRecord(reachable_limits),))
    assert report.ok, report
    replayed = replay_run(ground.folder)
    assert (replayed.identical, replayed.first_difference) == (True, None)
    events = ground.events()
    assert [span for span in naked_spans(events) if span.is_long] == []
    return events


@pytest.mark.parametrize("halt", ["flag", "person", "instrument", "reduce"])
def test_a_halt_takes_no_stop_back(ground: Ground, halt: str) -> None:
    symbol = ground.data.universe.instruments[1].symbol
    ways: dict[str, Callable[[], None]] = {
        "flag": ground.raise_flag,
        "person": lambda: ground.ask("halt"),
        "instrument": lambda: ground.ask("halt", Scope(kind="instrument", name=symbol)),
        "reduce": lambda: ground.ask("reduce"),
    }

    acts(ground, 2, 2.0, ways[halt])

    events = check(ground)
    at = halted_at(events)
    stops = {item.child.client_order_id for item in of(events, ChildSubmitted) if rests(item.child)}
    back = {item.client_order_id for item in of(events, CancelRequested, after=at)}
    assert stops, "some stood when it came"
    assert stops & back == set() or halt == "instrument", "the others of an instrument's halt go on as they would"
    assert len(stops_at(events)) >= 4


def test_under_the_kill_flag_nothing_is_sent_and_a_person_is_told_what_has_no_stop(ground: Ground) -> None:
    # Half an hour into the session that buys: orders are at work, and no name has its stop yet.
    stop = acts(ground, 1, 1.0, ground.raise_flag)

    events = check(ground)
    assert stop is not None
    assert stop.kind == "halted"
    assert of(events, ChildSubmitted, after=halted_at(events)) == []
    told = [item for item in of(events, NotificationRaised) if item.code == UNPROTECTED]
    held = {item.fill.symbol for item in of(events, OrderFilled)}
    assert {item.text.split(" ")[1] for item in told} == held - set(stops_at(events)) != set()
    assert {item.severity for item in told} == {"critical"}


def test_a_person_s_halt_still_gives_what_was_bought_its_stop(ground: Ground) -> None:
    acts(ground, 1, 1.0, lambda: ground.ask("halt"))

    events = check(ground)
    later = [item.child for item in of(events, ChildSubmitted, after=halted_at(events))]
    assert later
    assert all(rests(child) for child in later)
    assert {child.symbol for child in later} == set(stops_at(events))


@pytest.mark.parametrize("every", [True, False])
def test_a_flatten_takes_stops_back_only_in_step_with_what_it_sells(ground: Ground, every: bool) -> None:
    symbol = ground.data.universe.instruments[1].symbol
    acts(ground, 2, 2.0, lambda: ground.ask("flatten", symbols=[] if every else [symbol]))

    # `check` holds that open sells never come to more than is held, and what is held is never without either.
    events = check(ground)
    ended = next(
        event for event in events if event.type == "NotificationRaised" and FLATTEN_ENDED in str(event.payload)
    )
    since = next(event.seq for event in events if event.type == OperatorAsked.__name__)
    during = tuple(event for event in events if since < event.seq < ended.seq)
    sold = {item.fill.symbol for item in of(during, OrderFilled) if item.fill.side is Side.SELL}
    assert sold == ({symbol} if not every else {item.symbol for item in ground.data.universe.instruments})
    assert any(rests(item.child) for item in of(during, ChildSubmitted)), "between attempts what is left has a stop"
    taken_back = {item.client_order_id for item in of(during, CancelRequested)}
    names = {item.child.symbol for item in of(events, ChildSubmitted) if item.child.client_order_id in taken_back}
    assert names <= sold


def test_a_person_takes_a_stop_back_by_its_id_and_is_told_what_that_leaves(ground: Ground) -> None:
    chosen: list[Any] = []

    def take_back() -> None:
        item = min(stops_at(ground.events()).values(), key=lambda found: found.child.symbol)
        chosen.append(item.child)
        detail: dict[str, Any] = {"orders": [item.child.order_id]}
        asked = OperatorIntent(command="cancel", user="ann", reason="news at noon", detail=detail)
        ground.post.inbox.put(asked.model_dump(mode="json"))

    acts(ground, 2, 2.0, take_back)

    events = check(ground)
    (child,) = chosen
    told = [item for item in of(events, NotificationRaised) if item.code == UNPROTECTED]
    expected = f"{child.quantity} {child.symbol} are held without a stop until the session is over"
    assert [expected in item.text for item in told] == [True]
    closed = [item for item in of(events, ChildClosed) if item.client_order_id == child.client_order_id]
    assert len(closed) == 1
    same_day = [
        event for event in events if event.type == "ChildSubmitted" and event.event_time.date() == ground.sessions[2]
    ]
    assert child.symbol not in {_symbol(event) for event in same_day}, "it gets no other one in this session"
    assert stops_at(events)[child.symbol].child.client_order_id != child.client_order_id, "in the next one it does"


def _symbol(event: Event) -> str:
    sent = event.decoded()
    assert isinstance(sent, ChildSubmitted), "asked for by type"
    return sent.child.symbol
