"""Liquidity: Hull's worked spreads, Bangia's formula by hand, and costs that only grow when markets thin."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.impact import impact_frac
from parley.quant.liquidity import (
    LiquidityShock,
    days_to_liquidate,
    liquidated_frac,
    liquidation,
    liquidity_var,
    spread_cost,
    stressed_spread_cost,
)

_QUANTITIES = np.array([1000.0, -50_000.0, 0.0])
_PRICES = np.array([50.0, 20.0, 10.0])
_SPREADS = np.array([0.0004, 0.0010, 0.0020])
_VOLS = np.array([0.02, 0.03, 0.05])
_VOLUMES = np.array([1e6, 1e5, 1e4])


def test_crossing_the_spread_costs_what_hulls_example_says() -> None:
    # Hull, Risk Management and Financial Institutions, liquidity chapter: 10 million shares quoted 89.50 / 90.50
    # and 50 million ounces quoted 15.00 / 15.10 cost 900 * 0.01111 / 2 + 752.5 * 0.006645 / 2 = 7.5 million.
    values = np.array([900e6, 752.5e6])

    cost = spread_cost(values, np.array([1.0 / 90.0, 0.1 / 15.05]))

    assert cost == pytest.approx(7.5e6)


def test_crossing_a_stressed_spread_costs_what_hulls_example_says() -> None:
    # Same book with spread deviations of 2.0 and 0.1 in price: 0.5 * 10 * (1 + 2.326 * 2) + 0.5 * 50 * (0.1 +
    # 2.326 * 0.1) = 28.26 + 8.315 million; recalled from the book and recomputed here from its inputs.
    values, mids = np.array([900e6, 752.5e6]), np.array([90.0, 15.05])

    cost = stressed_spread_cost(values, np.array([1.0, 0.1]) / mids, np.array([2.0, 0.1]) / mids, 2.326)

    assert cost == pytest.approx(28.26e6 + 8.315e6)


def test_a_position_of_two_days_volume_takes_twenty_days_at_a_tenth() -> None:
    days = days_to_liquidate(np.array([2000.0, -500.0, 0.0]), np.array([1000.0, 1000.0, 0.0]), 0.1)

    np.testing.assert_allclose(days, [20.0, 5.0, 0.0])


def test_liquidated_share_grows_evenly_to_all() -> None:
    values, days = np.array([300.0, -100.0]), np.array([10.0, 2.0])

    assert liquidated_frac(values, days, 0.0) == 0.0
    # Day 5: half of 300 and all of 100.
    assert liquidated_frac(values, days, 5.0) == pytest.approx(250.0 / 400.0)
    assert liquidated_frac(values, days, 10.0) == 1.0


def test_liquidation_by_hand() -> None:
    book = liquidation(_QUANTITIES, _PRICES, _SPREADS, _VOLS, _VOLUMES, participation_frac=0.1)

    # First: gone in 0.01 days, taking 0.1 % of volume. Second: 5 days at 10 %.
    np.testing.assert_allclose(book.days, [0.01, 5.0, 0.0])
    np.testing.assert_allclose(book.spread_cost, [50_000 * 0.0002, 1e6 * 0.0005, 0.0])
    np.testing.assert_allclose(book.impact_cost, [50_000 * impact_frac(0.001, 0.02), 1e6 * 0.03 * math.sqrt(0.1), 0.0])
    np.testing.assert_allclose(book.timing_risk[1], 1e6 * 0.03 * math.sqrt(5.0 / 3.0))
    assert book.last_day == pytest.approx(5.0)
    assert book.total_cost == pytest.approx(10.0 + 500.0 + 50_000 * 0.02 * math.sqrt(0.001) + 30_000 * math.sqrt(0.1))


def test_timing_risk_is_the_deviation_of_a_simulated_even_sale() -> None:
    rng = np.random.default_rng(1)
    steps, days = 400, 5.0
    moves = rng.normal(0.0, 0.03 * math.sqrt(days / steps), (4000, steps))
    left = 1.0 - np.arange(steps) / steps

    book = liquidation(_QUANTITIES, _PRICES, _SPREADS, _VOLS, _VOLUMES)

    assert book.timing_risk[1] / 1e6 == pytest.approx((moves @ left).std(), rel=0.03)


def test_tripled_spreads_and_a_third_of_the_volume_triple_time_and_spread_cost() -> None:
    calm = liquidation(_QUANTITIES, _PRICES, _SPREADS, _VOLS, _VOLUMES)

    crisis = liquidation(_QUANTITIES, _PRICES, _SPREADS, _VOLS, _VOLUMES, shock=LiquidityShock())

    np.testing.assert_allclose(crisis.days, 3.0 * calm.days)
    np.testing.assert_allclose(crisis.spread_cost, 3.0 * calm.spread_cost)
    # What is gone within a day takes three times the share of volume.
    assert crisis.impact_cost[0] == pytest.approx(math.sqrt(3.0) * calm.impact_cost[0])


@settings(deadline=None, max_examples=50)
@given(
    st.floats(1.0, 1e6),
    st.floats(0.01, 1.0),
    st.floats(1.0, 10.0),
    st.floats(1.0, 10.0),
    st.floats(1.0, 5.0),
)
def test_a_worse_market_or_a_bigger_book_never_costs_less(
    quantity: float, participation: float, spread: float, volume: float, more: float
) -> None:
    market = (np.array([20.0]), np.array([0.001]), np.array([0.02]), np.array([1e5]))

    calm = liquidation(np.array([quantity]), *market, participation_frac=participation)
    shock = LiquidityShock(spread, volume, 1.5)
    worse = liquidation(np.array([quantity]), *market, participation_frac=participation, shock=shock)
    bigger = liquidation(np.array([-quantity * more]), *market, participation_frac=participation)

    for other in (worse, bigger):
        assert other.total_cost >= calm.total_cost * (1.0 - 1e-12)
        assert other.last_day >= calm.last_day * (1.0 - 1e-12)
        assert other.timing_risk[0] >= calm.timing_risk[0] * (1.0 - 1e-12)


def test_liquidity_var_is_bangias_sum() -> None:
    # 1 million, 1 % a day, z = 2.326348: price term 1e6 (1 - e^-0.02326348) = 22,994.9; spread 0.2 % with
    # deviation 0.1 % and a = 3: 1e6 * 0.005 / 2 = 2,500. The paper's formula, computed here by hand.
    found = liquidity_var(1e6, 0.0, 0.01, 0.002, 0.001, level=0.99, spread_deviations=3.0)

    assert found.price_var == pytest.approx(22_994.95, abs=0.1)
    assert found.spread_cost == pytest.approx(2500.0)
    assert found.total == found.price_var + found.spread_cost


def test_fat_tails_scale_the_price_term_by_theta() -> None:
    # kurtosis 3 e: theta = 1.4, so the quantile is that of a volatility of 1.4 %.
    fat = liquidity_var(1e6, 0.0, 0.01, 0.0, 0.0, kurtosis=3.0 * math.e)

    assert fat.price_var == pytest.approx(liquidity_var(1e6, 0.0, 0.014, 0.0, 0.0).price_var)


@settings(deadline=None, max_examples=50)
@given(st.floats(0.0, 0.1), st.floats(0.0, 0.1), st.floats(0.0, 0.05), st.floats(0.0, 5.0))
def test_liquidity_var_is_never_below_the_price_var(vol: float, mean: float, std: float, a: float) -> None:
    found = liquidity_var(1e6, 0.0, vol, mean, std, spread_deviations=a)

    assert found.total >= found.price_var >= 0.0


def test_unusable_liquidity_inputs_are_refused() -> None:
    with pytest.raises(SampleError, match="do not trade"):
        days_to_liquidate(np.array([10.0]), np.array([0.0]))
    with pytest.raises(ParameterError, match="participation"):
        days_to_liquidate(np.array([10.0]), np.array([1.0]), 1.5)
    with pytest.raises(SampleError, match="below 0"):
        spread_cost(np.array([10.0]), np.array([-0.1]))
    with pytest.raises(ShapeError):
        spread_cost(np.array([10.0]), np.array([0.1, 0.1]))
    with pytest.raises(ParameterError):
        stressed_spread_cost(np.array([1.0]), np.array([0.1]), np.array([0.1]), -1.0)
    with pytest.raises(SampleError, match="prices"):
        liquidation(_QUANTITIES, 0.0 * _PRICES, _SPREADS, _VOLS, _VOLUMES)
    with pytest.raises(SampleError, match="NaN"):
        liquidation(_QUANTITIES, _PRICES, _SPREADS * np.nan, _VOLS, _VOLUMES)
    with pytest.raises(SampleError, match="empty book"):
        liquidated_frac(np.zeros(2), np.zeros(2), 1.0)
    with pytest.raises(ParameterError):
        LiquidityShock(0.5)
    with pytest.raises(ParameterError, match="kurtosis"):
        liquidity_var(1.0, 0.0, 0.01, 0.0, 0.0, kurtosis=2.0)
    with pytest.raises(ParameterError, match="daily_mean"):
        liquidity_var(1.0, math.nan, 0.01, 0.0, 0.0)
    with pytest.raises(ParameterError):
        liquidity_var(1.0, 0.0, 0.01, -0.1, 0.0)
