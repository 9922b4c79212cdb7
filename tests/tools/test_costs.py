"""Costs of executed orders: sums exact to the last digit, forecasts judged, and a coefficient recovered."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.orders import ExecutionAdvice, Fill, ParentOrder, Side
from parley.tools.attributed import PARTS
from parley.tools.costs import cost_attribution, impact_calibration
from parley.tools.errors import NotEnoughData
from parley.tools.executed import ExecutedOrder
from parley.tools.ledger import Ledger

AT = datetime(2020, 3, 2, 14, 30, tzinfo=UTC)
RUN = {"run": "run-1", "head": "00"}
cents = st.integers(900, 1100).map(lambda number: Decimal(number) / 100)


def executed(
    number: int = 1,
    side: Side = Side.BUY,
    *,
    quantity: int = 1000,
    decision: str = "10.00",
    arrival: str = "10.05",
    closing: str = "10.08",
    fills: tuple[tuple[int, str, str, str], ...] = ((700, "10.07", "10.06", "10.064"),),
    fee: str = "14",
    predicted_bps: float = 20.0,
    symbol: str = "AAA",
    vol: float = 0.02,
    volume: float = 1e6,
    std_bps: float = 0.0,
) -> ExecutedOrder:
    order = ParentOrder(
        order_id=f"par-{number}",
        decision_id=f"dec-{number}",
        symbol=symbol,
        side=side,
        quantity=quantity,
        reference_price=Decimal(decision),
        reason="toward target",
        advice=ExecutionAdvice(expected_cost_bps=predicted_bps, cost_std_bps=std_bps),
    )
    booked = tuple(
        Fill(
            execution_id=f"exe-{number}-{place}",
            client_order_id=f"ord-{number}",
            order_id=order.order_id,
            symbol=symbol,
            side=side,
            quantity=size,
            price=Decimal(price),
            fee=Decimal(fee) if place == 0 else Decimal(0),
            mid_price=Decimal(mid),
            touch_price=Decimal(touch),
            venue="paper",
            ts_event=AT,
            synthetic=True,
        )
        for place, (size, price, mid, touch) in enumerate(fills)
    )
    session = date(2020, 3, 2) + timedelta(days=number)
    return ExecutedOrder(
        order=order,
        session=session,
        arrival_price=Decimal(arrival),
        closing_price=Decimal(closing),
        fills=booked,
        children=(),
        decided_at=None,
        opened_at=AT,
        closed_at=AT,
        daily_vol_frac=vol,
        quarter_vol_frac=vol,
        daily_volume=volume,
        volume_is_assumed=False,
    )


def attributed(orders: list[ExecutedOrder]) -> Any:
    return cost_attribution(Ledger(AT, "data"), RUN, orders)[1]


def calibrated(orders: list[ExecutedOrder], assumed: float = 1.0) -> Any:
    return impact_calibration(Ledger(AT, "data"), RUN, orders, assumed)[1]


def test_the_textbook_order_is_split_to_the_cent() -> None:
    # Maginn, Tuttle, Pinto and McLeavey (2007), ch. 10, example 3: $87 of $10,000; the touch is ours.
    found = attributed([executed()])

    cash = {name: Decimal(value) for name, value in found["total"]["cash"].items()}
    assert cash["delay"] == 35 and cash["opportunity"] == 24 and cash["fees"] == 14
    assert cash["spread"] == Decimal("2.8") and cash["impact"] == Decimal("4.2") and cash["timing"] == 7
    assert cash["total"] == 87
    assert found["total"]["bps"]["total"] == pytest.approx(87.0)
    assert found["filled_frac"] == pytest.approx(0.7)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from(list(Side)), st.lists(cents, min_size=6, max_size=6)), min_size=1, max_size=6)
)
def test_parts_of_every_group_add_up_exactly_and_groups_to_the_whole(drawn: list[Any]) -> None:
    orders = [
        executed(
            number,
            side,
            decision=str(a),
            arrival=str(b),
            closing=str(c),
            fills=((333, str(d), str(e), str(f)), (219, str(f), str(d), str(e))),
            fee="0.37",
            symbol="AB"[number % 2] * 3,
        )
        for number, (side, (a, b, c, d, e, f)) in enumerate(drawn)
    ]

    found = attributed(orders)

    whole = {part: Decimal(value) for part, value in found["total"]["cash"].items()}
    paper = sum(
        item.order.side.sign
        * (
            sum((fill.price - item.order.reference_price) * fill.quantity for fill in item.fills)
            + (item.closing_price - item.order.reference_price) * (item.order.quantity - item.filled)
        )
        + Decimal("0.37")
        for item in orders
    )
    assert whole["total"] == paper
    for name in ("by_side", "by_symbol", "by_month", "by_year", "by_algorithm", "by_venue"):
        groups = [{part: Decimal(v) for part, v in group["cash"].items()} for group in found[name].values()]
        for group in groups:
            assert sum(group[part] for part in PARTS) == group["total"]
        assert {part: sum(group[part] for group in groups) for part in (*PARTS, "total")} == whole


def priced(impacts: list[float], predicted: list[float], rng: np.random.Generator | None = None) -> list[ExecutedOrder]:
    """Orders on a touch of 10.002 that paid `impacts` of it past it, in fractions of the price."""
    orders = []
    for number, (impact, forecast) in enumerate(zip(impacts, predicted, strict=True)):
        price = str(Decimal("10.002") + Decimal(repr(round(10 * impact, 9))))
        orders.append(
            executed(
                number,
                quantity=1000 * (number + 1),
                arrival="10",
                fills=((1000 * (number + 1), price, "10", "10.002"),),
                fee="0",
                predicted_bps=forecast,
            )
        )
    return orders


def test_the_bias_is_what_came_less_what_was_forecast_and_needs_ten_decisions_for_an_interval() -> None:
    # Each pays 2 bp to the touch and 5 bp past it, and was forecast at 4 bp.
    few, enough = (attributed(priced([5e-4] * count, [4.0] * count))["forecast"]["charged"] for count in (9, 12))

    assert few["bias_bps"] == enough["bias_bps"] == pytest.approx(3.0)
    assert few["bias_interval"] == {"refused": "9 decisions, 10 are needed"}
    assert (enough["bias_interval"]["low"], enough["bias_interval"]["high"]) == (pytest.approx(3.0), pytest.approx(3.0))


def test_the_band_covers_what_came_within_two_deviations_of_the_forecast() -> None:
    # 7 bp came of 4 bp: 3 bp are within 1.96 deviations of 2 bp and outside of those of 1 bp.
    held = [executed(n, arrival="10", fills=((1000, "10.007", "10", "10.002"),), fee="0", predicted_bps=4.0,
                     std_bps=2.0 if n % 4 else 1.0) for n in range(20)]  # fmt: skip
    unsaid = executed(99, predicted_bps=4.0)

    found = attributed([*held, unsaid])["forecast"]["coverage"]

    assert (found["orders"], found["covered_frac"]) == (20, 0.75)
    assert found["interval"]["low"] < 0.75 < found["interval"]["high"]
    assert "no forecast said" in attributed([unsaid])["forecast"]["coverage"]["refused"]


def test_a_forecast_that_came_true_has_a_slope_of_one_and_one_twice_too_low_a_slope_of_two() -> None:
    sizes = [1000 * (number + 1) / 1e6 for number in range(30)]
    impacts = [0.02 * size**0.5 for size in sizes]
    true = [2.0 + 1e4 * impact for impact in impacts]

    good = attributed(priced(impacts, true))["forecast"]["charged"]
    low = attributed(priced(impacts, [forecast / 2 for forecast in true]))["forecast"]["charged"]

    assert (good["slope"], good["intercept_bps"]) == (pytest.approx(1.0), pytest.approx(0.0, abs=1e-6))
    assert low["slope"] == pytest.approx(2.0)
    assert low["slope_low"] <= low["slope"] <= low["slope_high"]


def test_the_coefficient_of_fills_made_by_the_law_is_recovered() -> None:
    impacts = [1.7 * 0.02 * (1000 * (number + 1) / 1e6) ** 0.5 for number in range(30)]

    found = calibrated(priced(impacts, [20.0] * 30))

    assert found["past_touch"]["coefficient"] == pytest.approx(1.7, rel=1e-4)
    assert found["past_touch"]["holds_assumed"] is False
    assert found["against_arrival"]["fixed_cost_vols"] == pytest.approx(2e-4 / 0.02, rel=1e-3)
    assert (found["synthetic_orders"], found["assumed"]) == (30, 1.0)


def test_sales_below_the_touch_count_as_purchases_above_it() -> None:
    sales = [
        executed(
            number,
            Side.SELL,
            quantity=1000 * number,
            arrival="10",
            fills=((1000 * number, f"{9.998 - 0.2 * (number / 1e3) ** 0.5:.9f}", "10", "9.998"),),
        )
        for number in range(1, 31)
    ]

    assert calibrated(sales)["past_touch"]["coefficient"] == pytest.approx(1.0, rel=1e-4)


def test_too_few_or_equal_orders_say_why_nothing_is_fitted() -> None:
    few = calibrated([executed(number) for number in range(3)])
    alike = attributed([executed(number) for number in range(30)])["forecast"]["charged"]

    assert "10" in few["past_touch"]["refused"]
    assert alike["refused"]


def test_an_order_never_filled_costs_the_missed_move_and_judges_no_forecast() -> None:
    found = attributed([executed(fills=())])

    assert found["total"]["cash"]["opportunity"] == found["total"]["cash"]["total"]
    assert Decimal(found["total"]["cash"]["total"]) == 80
    assert found["forecast"]["charged"]["refused"]


def test_a_run_without_orders_is_refused() -> None:
    with pytest.raises(NotEnoughData, match="closed no order"):
        attributed([])
