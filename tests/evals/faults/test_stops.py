"""Stops at the simulated venue, and a desk that has them there: lost, traded while nobody is there, and known again."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from parley.domain.events import ChildClosed, ChildSubmitted, OrderFilled
from parley.domain.market import Quote
from parley.domain.orders import ChildOrder, OrderState, OrderType, Side, TimeInForce
from parley.evals.faults.evidence import Evidence, evidence_of
from parley.evals.faults.faults import Fault
from parley.evals.faults.invariants import check_all
from parley.evals.faults.runner import play
from parley.evals.faults.standing import StandingStops
from parley.evals.faults.world import build_world
from parley.execution.venues.venue import Accepted, Canceled, CancelRefused, Filled
from parley.memory.sent_orders import rests

NOW = datetime(2012, 5, 3, 14, 0, tzinfo=UTC)
STOP = ChildOrder(
    client_order_id="c-1",
    order_id="p-1",
    decision_id="d-1",
    symbol="AAA",
    side=Side.SELL,
    quantity=100,
    sequence=0,
    created_at=NOW,
    order_type=OrderType.STOP,
    time_in_force=TimeInForce.GTC,
    stop_price=Decimal("10.00"),
)


def quote(bid: str, size: int, symbol: str = "AAA") -> Quote:
    price = Decimal(bid)
    ask = price + Decimal("0.02")
    return Quote(symbol=symbol, bid=price, ask=ask, bid_size=size, ask_size=size, ts_event=NOW, synthetic=True)


@pytest.fixture
def stops() -> StandingStops:
    found = StandingStops("simulated")
    found.take(STOP)
    return found


def test_a_stop_waits_for_its_price_and_then_takes_what_is_shown(stops: StandingStops) -> None:
    assert stops.match(quote("10.01", 60)) == stops.match(quote("9.00", 60, "BBB")) == ()

    (first,) = stops.match(quote("9.98", 60))
    (last,) = stops.match(quote("10.40", 60))

    assert isinstance(first, Filled) and isinstance(last, Filled)
    assert [(item.fill.quantity, item.fill.price) for item in (first, last)] == [
        (60, Decimal("9.98")),
        (40, Decimal("10.40")),
    ]
    assert stops.shares("AAA") == 0 and stops.open_orders() == ()
    assert isinstance(stops.cancel("c-1", NOW)[0], CancelRefused)


def test_a_resend_is_the_same_stop_and_a_cancel_ends_it_once(stops: StandingStops) -> None:
    stops.match(quote("9.98", 30))

    assert isinstance(stops.take(STOP)[0], Accepted)
    assert stops.shares("AAA") == 70
    (report,) = stops.cancel("c-1", NOW)
    assert isinstance(report, Canceled) and report.executed == 30
    assert [order.state for order in (stops.order("c-1"),) if order] == [OrderState.CANCELED]


def test_over_night_a_part_of_it_trades_at_its_price_and_what_is_lost_nobody_knows(stops: StandingStops) -> None:
    (report,) = stops.overnight(NOW, 2)

    assert isinstance(report, Filled) and (report.fill.quantity, report.fill.price) == (50, Decimal("10.00"))
    assert stops.lose() == ("c-1",)
    assert stops.order("c-1") is None


def played(folder: Path, *faults: Fault) -> Evidence:
    seen = evidence_of(play(build_world(1, 3, rests=True), faults, folder))
    assert check_all(seen) == ()
    return seen


def test_a_calm_desk_places_a_stop_for_all_that_it_holds(tmp_path: Path) -> None:
    seen = played(tmp_path)

    exchange = seen.outcome.stage.exchange
    held = {symbol: count for symbol, count in exchange.held.items() if count}
    assert held and {symbol: exchange.stops.shares(symbol) for symbol in held} == held
    assert any("-stop-" in p.fill.execution_id for _, p in seen.events if isinstance(p, OrderFilled))


def test_stops_that_the_venue_lost_are_given_up_and_placed_again(tmp_path: Path) -> None:
    seen = played(tmp_path, Fault("stops_lost", 1))

    facts = [p for _, p in seen.events]
    named = {p.child.client_order_id: p.child.symbol for p in facts if isinstance(p, ChildSubmitted) and rests(p.child)}
    lost = [n for n, p in enumerate(facts) if isinstance(p, ChildClosed) and "does not know it any more" in p.reason]
    symbols = {named[p.client_order_id] for p in (facts[n] for n in lost) if isinstance(p, ChildClosed)}
    again = {p.child.symbol for p in facts[lost[-1] :] if isinstance(p, ChildSubmitted) and rests(p.child)}
    assert len(symbols) > 1 and symbols <= again


@pytest.mark.parametrize("size", [1, 2])
def test_what_stops_sold_while_nobody_was_there_is_booked_once(size: int, tmp_path: Path) -> None:
    seen = played(tmp_path, Fault("stops_traded", 1, size), Fault("crash_at_moment", 20, 4))

    executions = seen.outcome.stage.exchange.fills
    early = [fill for fill in executions if fill.ts_event.minute == 30 and fill.ts_event.hour == 12]
    assert early, "they traded an hour before the open"
    assert {fill.execution_id for fill in executions} == set(seen.booked)
    assert seen.outcome.lives == 2


def test_a_start_in_mid_session_knows_every_stop_again_and_halts(tmp_path: Path) -> None:
    (tmp_path / "calm").mkdir()
    calm = played(tmp_path / "calm")

    seen = played(tmp_path, Fault("crash_at_moment", 20, 6))

    day = sorted({event.event_time.date() for event, _ in calm.events})[1]
    sent = [
        [p for e, p in run.events if e.type == "ChildSubmitted" and e.event_time.date() == day] for run in (calm, seen)
    ]
    assert sent[0] == sent[1], "nothing is placed twice"
    assert seen.reason.startswith("resume: a person")
