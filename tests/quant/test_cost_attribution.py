"""Cost attribution: six causes that add up to the last digit, and agree with the shortfall."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.cost_attribution import CostAttribution, ExecutedFill, Number, attribute_cost
from parley.quant.errors import ParameterError
from parley.quant.impact import implementation_shortfall


def _impulse_robotics(
    side: int = 1,
    *,
    quantity: Number = 1000,
    arrival_price: Number = 10.05,
    fills: tuple[ExecutedFill, ...] = (ExecutedFill(700, 10.07, 10.06),),
    closing_price: Number = 10.08,
    expected_impact_frac: Number = 0.0005,
    fees: Number = 14,
) -> CostAttribution:
    return attribute_cost(
        side=side,
        quantity=quantity,
        decision_price=10.00,
        arrival_price=arrival_price,
        fills=fills,
        closing_price=closing_price,
        expected_impact_frac=expected_impact_frac,
        fees=fees,
    )


def _sum(found: CostAttribution) -> Decimal:
    return found.delay + found.spread + found.impact + found.timing + found.opportunity + found.fees


def test_the_textbook_order_of_impulse_robotics_is_split_to_the_cent() -> None:
    # Maginn, Tuttle, Pinto and McLeavey (2007), ch. 10, example 3: delay $35, trading $14, missed $24, fees $14.
    # The trading part is split by hand: a mid of 10.06 at the fill and a model of 5 bps of 10.05.
    found = _impulse_robotics()

    assert found.delay == Decimal("35")
    assert found.spread == Decimal("7")
    assert found.impact == Decimal("3.5175")
    assert found.timing == Decimal("3.4825")
    assert found.opportunity == Decimal("24")
    assert found.fees == Decimal("14")
    assert found.total == Decimal("87")
    assert found.bps(found.total) == pytest.approx(87.0)


@settings(deadline=None, max_examples=50)
@given(
    st.sampled_from([1, -1]),
    st.lists(st.tuples(st.integers(1, 100), st.floats(5.0, 20.0), st.floats(5.0, 20.0)), max_size=8),
    st.floats(5.0, 20.0),
    st.floats(5.0, 20.0),
    st.floats(0.0, 0.05),
    st.floats(-5.0, 50.0),
)
def test_the_parts_sum_exactly_and_their_total_is_the_shortfall(
    side: int, fills: list[tuple[int, float, float]], arrival: float, closing: float, impact: float, fees: float
) -> None:
    executed = tuple(ExecutedFill(size, price, mid) for size, price, mid in fills)

    found = _impulse_robotics(
        side, arrival_price=arrival, fills=executed, closing_price=closing, expected_impact_frac=impact, fees=fees
    )

    assert _sum(found) == found.total
    peer = implementation_shortfall(
        side=side,
        quantity=1000.0,
        decision_price=10.0,
        arrival_price=arrival,
        fill_prices=np.array([price for _, price, _ in fills]),
        fill_quantities=np.array([float(size) for size, _, _ in fills]),
        closing_price=closing,
        fees=fees,
    )
    assert found.bps(found.total) == pytest.approx(peer.total_bps, abs=1e-6)
    assert found.bps(found.spread + found.impact + found.timing) == pytest.approx(peer.trading_bps, abs=1e-6)
    assert found.bps(found.delay) == pytest.approx(peer.delay_bps, abs=1e-6)


def test_many_awkward_decimals_still_add_up_exactly() -> None:
    fills = tuple(ExecutedFill(Decimal("0.1"), 10.0 + 0.1 * n / 3.0, 10.0 + 0.2 * n / 7.0) for n in range(300))

    found = _impulse_robotics(fills=fills, expected_impact_frac=1.0 / 3.0, fees=0.1)

    assert _sum(found) == found.total


def test_a_passive_fill_earns_the_spread() -> None:
    found = _impulse_robotics(fills=(ExecutedFill(1000, 10.05, 10.06),))

    assert found.spread == Decimal("-10")
    assert found.opportunity == 0


def test_an_order_never_filled_costs_its_missed_move_only() -> None:
    found = _impulse_robotics(fills=(), fees=0)

    assert found.total == found.opportunity == Decimal("80")


@pytest.mark.parametrize(
    ("order", "name"),
    [
        (lambda: _impulse_robotics(0), "side"),
        (lambda: _impulse_robotics(quantity=0), "quantity"),
        (lambda: _impulse_robotics(arrival_price=-1.0), "arrival_price"),
        (lambda: _impulse_robotics(closing_price=float("nan")), "closing_price"),
        (lambda: _impulse_robotics(fills=(ExecutedFill(1001, 10.0, 10.0),)), "1001 shares filled"),
        (lambda: _impulse_robotics(fills=(ExecutedFill(-5, 10.0, 10.0),)), "fill quantity"),
        (lambda: _impulse_robotics(fills=(ExecutedFill(5, 10.0, 0),)), "fill mid"),
        (lambda: _impulse_robotics(expected_impact_frac=-0.1), "expected_impact_frac"),
        (lambda: _impulse_robotics(fees=float("inf")), "fees"),
    ],
)
def test_impossible_executions_are_refused(order: Callable[[], CostAttribution], name: str) -> None:
    with pytest.raises(ParameterError, match=name):
        order()


def test_with_the_touch_known_what_lies_past_it_is_impact_and_the_sum_stays() -> None:
    blind = _impulse_robotics(expected_impact_frac=0)
    seeing = _impulse_robotics(expected_impact_frac=0, fills=(ExecutedFill(700, 10.07, 10.06, 10.064),))

    assert (blind.spread, blind.impact) == (Decimal("7"), Decimal("0"))
    assert (seeing.spread, seeing.impact) == (Decimal("2.8"), Decimal("4.2"))
    assert seeing.total == blind.total == _sum(seeing)
