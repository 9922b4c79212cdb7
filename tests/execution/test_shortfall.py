"""What an execution cost, and what the cost was made of."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.orders import Fill, Side
from parley.execution.shortfall import execution_quality
from parley.execution.working import affordable, marketable_limit


def executed(floor: Any, side: str, quantity: int, mid: str, touch: str, price: str, fee: str = "0") -> Fill:
    return Fill(
        execution_id=f"{quantity}{price}", client_order_id="c", order_id="leg-AAA", symbol="AAA", side=Side(side),
        quantity=quantity, price=Decimal(price), fee=Decimal(fee), mid_price=Decimal(mid),
        touch_price=Decimal(touch), venue="paper", ts_event=floor.opens,
    )  # fmt: skip


def test_a_worked_example_splits_as_it_does_by_hand(floor: Any) -> None:
    # Decided at 100, arrived at 101; 60 bought at 101.30 (mid 101.10, ask 101.20), 40 given up at 103.
    order = floor.leg("AAA", "BUY", 100)
    fills = [executed(floor, "BUY", 60, "101.10", "101.20", "101.30", fee="0.606")]

    quality = execution_quality(order, Decimal(101), fills, Decimal(103))

    assert quality.shortfall_bps == pytest.approx(0.30 / 101 * 1e4)
    assert quality.timing_bps == pytest.approx(0.10 / 101 * 1e4)
    assert quality.spread_bps == pytest.approx(0.10 / 101 * 1e4)
    assert quality.impact_bps == pytest.approx(0.10 / 101 * 1e4)
    assert quality.fee_bps == pytest.approx(1.0)
    assert quality.fill_frac == 0.6
    # Perold: 60 x 1 delay, 60 x 0.30 trading, 40 x 3 missed, 0.606 fees, over 100 x 100.
    assert quality.against_decision.delay_bps == pytest.approx(60.0)
    assert quality.against_decision.trading_bps == pytest.approx(18.0)
    assert quality.against_decision.opportunity_bps == pytest.approx(120.0)
    assert quality.against_decision.total_bps == pytest.approx(198.606)


def test_a_sell_below_arrival_is_a_cost(floor: Any) -> None:
    fills = [executed(floor, "SELL", 10, "99.50", "99.40", "99.30")]

    quality = execution_quality(floor.leg("AAA", "SELL", 10), Decimal(100), fills, Decimal(99))

    assert (quality.shortfall_bps, quality.timing_bps) == (pytest.approx(70.0), pytest.approx(50.0))


def test_nothing_filled_costs_only_what_was_missed(floor: Any) -> None:
    quality = execution_quality(floor.leg("AAA", "BUY", 10), Decimal(100), [], Decimal(102))

    assert (quality.average_price, quality.filled, quality.shortfall_bps) == (None, 0, 0.0)
    assert quality.against_decision.opportunity_bps == pytest.approx(200.0)


prices = st.decimals(50, 150, places=2)


@given(
    st.sampled_from(["BUY", "SELL"]),
    prices,
    st.lists(st.tuples(st.integers(1, 99), prices, prices, prices), max_size=5),
)
@settings(max_examples=50, deadline=None)
def test_the_parts_add_up_to_the_whole(floor: Any, side: str, arrival: Decimal, rows: Any) -> None:
    fills = [executed(floor, side, size, str(mid), str(touch), str(price)) for size, mid, touch, price in rows]

    quality = execution_quality(floor.leg("AAA", side, 500), arrival, fills, arrival)

    parts = quality.spread_bps + quality.impact_bps + quality.timing_bps
    assert parts == pytest.approx(quality.shortfall_bps, abs=1e-6)


def test_a_marketable_limit_is_on_the_tick_and_never_short_of_the_touch(floor: Any) -> None:
    quote = floor.quote(bid="99.993", ask="100.017")

    assert marketable_limit(Side.BUY, quote, Decimal("0.05")) == Decimal("101.00")
    assert marketable_limit(Side.SELL, quote, Decimal("0.05")) == Decimal("99.00")
    assert marketable_limit(Side.BUY, quote, Decimal(60)) == Decimal("100.017")
    assert marketable_limit(Side.SELL, quote, Decimal(60)) == Decimal("99.993")


@pytest.mark.parametrize(
    ("free", "lot", "expected"),
    [("1000", 1, 10), ("999", 1, 9), ("999", 5, 5), ("99", 1, 0), ("0", 1, 0), ("-5", 1, 0)],
)
def test_a_buy_is_cut_to_what_cash_pays_for(free: str, lot: int, expected: int) -> None:
    assert affordable(10, Decimal(100), Decimal(free), lot) == expected
