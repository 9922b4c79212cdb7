"""Cost before and after the trade: the textbook shortfall, signs, and the square-root law."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.impact import Shortfall, expected_cost_frac, impact_frac, implementation_shortfall


def _impulse_robotics(
    side: int = 1,
    *,
    decision_price: float = 10.00,
    arrival_price: float = 10.05,
    fill_prices: Sequence[float] = (10.07,),
    fill_quantities: Sequence[float] = (700.0,),
    closing_price: float = 10.08,
    fees: float = 14.0,
) -> Shortfall:
    return implementation_shortfall(
        side=side,
        quantity=1000.0,
        decision_price=decision_price,
        arrival_price=arrival_price,
        fill_prices=np.array(fill_prices, dtype=float),
        fill_quantities=np.array(fill_quantities, dtype=float),
        closing_price=closing_price,
        fees=fees,
    )


def test_shortfall_splits_the_textbook_order_of_impulse_robotics() -> None:
    # Maginn, Tuttle, Pinto and McLeavey (2007), Managing Investment Portfolios, ch. 10, example 3:
    # delay 0.35 %, trading 0.14 %, missed opportunity 0.24 %, commission 0.14 %, in all 0.87 %.
    cost = _impulse_robotics()

    assert cost.delay_bps == pytest.approx(35.0)
    assert cost.trading_bps == pytest.approx(14.0)
    assert cost.opportunity_bps == pytest.approx(24.0)
    assert cost.fee_bps == pytest.approx(14.0)
    assert cost.total_bps == pytest.approx(87.0)
    assert cost.filled_frac == pytest.approx(0.7)


def test_a_sale_in_the_same_rising_market_gains_before_fees() -> None:
    buy, sell = _impulse_robotics(1, fees=0.0), _impulse_robotics(-1, fees=0.0)

    assert sell.total_bps == pytest.approx(-buy.total_bps)
    assert sell.total_bps < 0.0


def test_an_order_that_never_filled_costs_its_missed_move() -> None:
    cost = _impulse_robotics(fill_prices=(), fill_quantities=(), fees=0.0)

    assert cost.total_bps == cost.opportunity_bps == pytest.approx(80.0)


@settings(deadline=None, max_examples=50)
@given(
    st.sampled_from([1, -1]),
    st.lists(st.tuples(st.floats(5.0, 20.0), st.integers(1, 100)), max_size=8),
    st.floats(5.0, 20.0),
    st.floats(5.0, 20.0),
)
def test_the_parts_sum_to_the_paper_portfolio_minus_the_real_one(
    side: int, fills: list[tuple[float, int]], arrival: float, closing: float
) -> None:
    prices, sizes = [price for price, _ in fills], [float(size) for _, size in fills]

    cost = _impulse_robotics(
        side, arrival_price=arrival, closing_price=closing, fill_prices=prices, fill_quantities=sizes
    )

    paper = side * 1000.0 * (closing - 10.0)
    real = side * sum((closing - price) * size for price, size in fills) - 14.0
    assert cost.total_bps == pytest.approx((paper - real) / 10_000.0 * 1e4, abs=1e-6)


@settings(deadline=None, max_examples=50)
@given(st.floats(0.0, 2.0), st.floats(0.0, 0.1))
def test_impact_doubles_when_the_order_quadruples(participation: float, vol: float) -> None:
    assert impact_frac(4.0 * participation, vol) == pytest.approx(2.0 * impact_frac(participation, vol))


def test_one_percent_of_volume_at_two_percent_volatility_costs_twenty_bps() -> None:
    # y = 1: 0.02 * sqrt(0.01) = 0.002; plus 5 bps of half spread and 2 of fee.
    assert impact_frac(0.01, 0.02) == pytest.approx(0.002)
    assert expected_cost_frac(0.0005, 0.0002, 0.02, 0.01) == pytest.approx(0.0027)


@pytest.mark.parametrize("bad", [-0.01, float("nan"), float("inf")])
def test_impact_refuses_impossible_arguments(bad: float) -> None:
    for arguments in ((bad, 0.02, 1.0), (0.01, bad, 1.0), (0.01, 0.02, bad)):
        with pytest.raises(ParameterError):
            impact_frac(*arguments)


@pytest.mark.parametrize(
    ("execution", "error"),
    [
        (lambda: _impulse_robotics(0), ParameterError),
        (lambda: _impulse_robotics(decision_price=0.0), ParameterError),
        (lambda: _impulse_robotics(fill_quantities=(1001.0,)), ParameterError),
        (lambda: _impulse_robotics(fill_quantities=(-5.0,)), ParameterError),
        (lambda: _impulse_robotics(fill_prices=(float("nan"),)), SampleError),
        (lambda: _impulse_robotics(fill_prices=(10.0, 10.1)), ShapeError),
    ],
)
def test_shortfall_refuses_impossible_executions(execution: Callable[[], Shortfall], error: type[Exception]) -> None:
    with pytest.raises(error):
        execution()
