"""A protective order at rest stands in no plan's way, and never lets anything through that would be refused without."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.orders import OrderType, Side, TimeInForce
from parley.domain.trading import ACCOUNT, UNRESTRICTED, TradingState
from parley.gate.errors import GateError
from parley.gate.gate import approve_nothing, review_child
from parley.gate.state import WorkingOrder

from .conftest import Bench

BENCH = Bench()
D = Decimal


def stop(quantity: int, price: str | None = "94", symbol: str = "AAA", side: Side = Side.SELL) -> WorkingOrder:
    return WorkingOrder(f"w-{symbol}-{quantity}", symbol, side, quantity, D(100), None if price is None else D(price))


def failed(quantity: int, held: int, *working: WorkingOrder, side: str = "SELL", **changes: Any) -> set[str]:
    state = BENCH.state(held={"AAA": held} if held else None, working=working, **changes)
    return BENCH.failed(BENCH.plan(BENCH.leg("AAA", side, quantity)), state)


def test_what_a_stop_protects_may_be_sold(bench: Any) -> None:
    assert failed(100, 100, stop(100)) == set()
    # The same shares behind a limit order are sold already.
    assert "short" in failed(100, 100, stop(100, price=None))


def test_a_stop_beyond_what_is_held_counts_by_what_it_is_beyond(bench: Any) -> None:
    assert failed(60, 100, stop(140)) == set()
    assert "short" in failed(61, 100, stop(140))
    assert "short" in failed(1, 0, stop(10))


def test_two_stops_protect_no_more_than_is_held(bench: Any) -> None:
    assert "short" in failed(100, 100, stop(100), stop(40))


@pytest.mark.parametrize("price", ["100", "101"])
def test_a_stop_that_the_mark_has_reached_is_an_order_like_any(bench: Any, price: str) -> None:
    assert "short" in failed(100, 100, stop(100, price=price))


def test_a_stop_of_a_name_without_a_mark_is_an_order_like_any(bench: Any) -> None:
    prices = {name: D(100) for name in BENCH.symbols if name != "AAA"}
    assert "short" in failed(100, 100, stop(100), prices=prices, equity=D(100_000))


def test_a_stop_that_would_open_a_position_is_an_order_like_any(bench: Any) -> None:
    # 90 held at 100 of 109,000 in equity; ten more would be 9.2 %, and the open buy makes it 18 %.
    entry = stop(100, price="106", side=Side.BUY)
    assert "instrument_weight" in failed(10, 90, entry, side="BUY")
    assert "instrument_weight" not in failed(10, 90, side="BUY")


def test_a_child_is_refused_while_its_name_s_protective_order_is_open(bench: Any) -> None:
    state = BENCH.state(held={"AAA": 100}, working=(stop(100),))
    _, plan = BENCH.review(BENCH.plan(BENCH.leg("AAA", "SELL", 40)), state)
    child = BENCH.child(40, order_id="leg-AAA-SELL", side=Side.SELL, limit_price=D("99.90"))

    while_open = review_child(child, plan, BENCH.context(held=100, open_sells=100), BENCH.limits, BENCH.open)
    taken_back = review_child(child, plan, BENCH.context(held=100), BENCH.limits, BENCH.open)

    assert {row.check for row in while_open.verdict.reasons} >= {"short"}
    assert while_open.order is None
    assert taken_back.order is not None


@given(
    held=st.integers(0, 200),
    resting=st.lists(st.integers(1, 200), max_size=3),
    sold=st.integers(1, 200),
    more=st.integers(1, 100),
)
@settings(max_examples=60, deadline=None)
def test_more_open_shares_or_a_larger_leg_never_make_a_veto_an_approval(
    held: int, resting: list[int], sold: int, more: int
) -> None:
    working = tuple(stop(quantity) for quantity in resting)
    before = failed(sold, held, *working)

    if "short" in before:
        assert "short" in failed(sold + more, held, *working)
        assert "short" in failed(sold, held, *working, stop(more))
    # And with stops or without, no more is ever sold than is held.
    assert ("short" not in before) <= (sold <= held)


def test_an_approval_of_nothing_lets_no_child_through(bench: Any) -> None:
    state = BENCH.state(held={"AAA": 100})
    nothing = approve_nothing("d1", state, BENCH.limits, BENCH.now)
    child = BENCH.child(10, order_id="leg-AAA-SELL", side=Side.SELL, limit_price=D("99.90"))

    assert nothing.plan.legs == ()
    assert nothing.terms.portfolio == state.portfolio
    assert review_child(child, nothing, BENCH.context(held=100), BENCH.limits, BENCH.open).order is None
    with pytest.raises(GateError, match="zone"):
        approve_nothing("d1", state, BENCH.limits, BENCH.now.replace(tzinfo=None))


HALTED = UNRESTRICTED.with_state(ACCOUNT, TradingState.HALTED)
READY = {
    "held": 100,
    "trading_state": TradingState.HALTED,
    "venue_connected": True,
    "venue_reconciled": True,
    "log_writable": True,
}
STOP = {
    "order_id": "leg-AAA-SELL",
    "side": Side.SELL,
    "limit_price": None,
    "order_type": OrderType.STOP,
    "time_in_force": TimeInForce.GTC,
    "stop_price": D("94"),
}


def halted_stop(quantity: int = 100, child: dict[str, Any] | None = None, **around: Any) -> set[str]:
    """What the gate objects to in a stop that is sent in HALTED, of a leg that was approved as one."""
    leg = BENCH.leg("AAA", "SELL", 100, protects=True)
    verdict, plan = BENCH.review(BENCH.plan(leg), BENCH.state(held={"AAA": 100}, trading_states=HALTED))
    assert plan is not None, verdict.reasons
    sent = BENCH.child(quantity, **{**STOP, **(child or {})})
    review = review_child(sent, plan, BENCH.context(**{**READY, **around}), BENCH.limits, BENCH.open)
    assert (review.order is None) is bool(review.verdict.reasons)
    return {row.check for row in review.verdict.reasons}


def test_a_halt_lets_nothing_but_the_stop_of_a_position_be_planned(bench: Any) -> None:
    assert "trading_state" in failed(100, 100, trading_states=HALTED)
    state = BENCH.state(held={"AAA": 100}, trading_states=HALTED)
    assert BENCH.failed(BENCH.plan(BENCH.leg("AAA", "SELL", 100, protects=True)), state) == set()
    assert "trading_state" in BENCH.failed(BENCH.plan(BENCH.leg("AAA", "SELL", 101, protects=True)), state)
    assert "trading_state" in BENCH.failed(BENCH.plan(BENCH.leg("AAA", "BUY", 10, protects=True)), state)
    short = BENCH.state(held={"AAA": -100}, trading_states=HALTED)
    assert "trading_state" in BENCH.failed(BENCH.plan(BENCH.leg("AAA", "BUY", 100, protects=True)), short)


def test_a_halt_lets_the_stop_of_a_position_be_sent_and_nothing_else_of_its_leg(bench: Any) -> None:
    assert halted_stop() == set()
    market = {"order_type": OrderType.MARKET, "time_in_force": TimeInForce.DAY, "stop_price": None}
    limit = {**market, "order_type": OrderType.LIMIT, "limit_price": D("99.90")}
    for other in (market, limit, {"time_in_force": TimeInForce.DAY}):
        assert halted_stop(child=other) >= {"plan_match", "trading_state"}


@pytest.mark.parametrize(
    "around",
    [
        {"held": 99},
        {"held": 0},
        {"held": -100},
        {"open_sells": 1},
        {"venue_connected": None},
        {"venue_reconciled": None},
        {"venue_reconciled": False},
        {"log_writable": None},
    ],
)
def test_in_a_halt_a_stop_is_refused_where_it_is_not_proved_to_close_only(around: dict[str, Any]) -> None:
    assert "trading_state" in halted_stop(**around)


def test_a_stop_of_a_leg_that_was_not_approved_as_one_is_refused_in_a_halt(bench: Any) -> None:
    _, plan = BENCH.review(BENCH.plan(BENCH.leg("AAA", "SELL", 100)), BENCH.state(held={"AAA": 100}))
    review = review_child(BENCH.child(100, **STOP), plan, BENCH.context(**READY), BENCH.limits, BENCH.open)

    assert {row.check for row in review.verdict.reasons} == {"trading_state"}


def test_a_leg_that_protects_is_worked_by_no_other_order_in_any_state(bench: Any) -> None:
    limit = {"order_type": OrderType.LIMIT, "time_in_force": TimeInForce.DAY, "stop_price": None}
    for state in TradingState:
        sold = halted_stop(child={**limit, "limit_price": D("99.90")}, trading_state=state)
        assert "plan_match" in sold


@given(
    held=st.integers(-50, 150), opened=st.integers(0, 150), quantity=st.integers(1, 100), known=st.sampled_from([0, 1])
)
@settings(max_examples=50, deadline=None)
def test_no_stop_that_passes_in_a_halt_can_sell_past_zero(held: int, opened: int, quantity: int, known: int) -> None:
    passed = not halted_stop(quantity, held=held, open_sells=opened, venue_reconciled=bool(known))

    assert passed == (held > 0 and quantity + opened <= held and bool(known))
