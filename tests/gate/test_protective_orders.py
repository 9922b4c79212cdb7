"""A protective order at rest stands in no plan's way, and never lets anything through that would be refused without."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.orders import Side
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
