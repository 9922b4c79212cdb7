"""Tail risk: known quantiles, the ordering of VaR and ES, Euler's split, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.var import (
    annual_volatility,
    beta,
    component_var,
    expected_shortfall,
    historical_var,
    normal_es,
    normal_var,
    portfolio_var,
)
from scipy import stats

SAMPLES = arrays(np.float64, st.integers(40, 120), elements=st.floats(-0.2, 0.2))
LEVELS = st.sampled_from([0.8, 0.9, 0.95, 0.975])


def test_historical_var_is_the_order_statistic_of_its_convention() -> None:
    losses = np.arange(1.0, 101.0) / 1000.0

    assert historical_var(-losses, 0.95) == 0.095
    assert historical_var(-losses, 0.951) == 0.096


def test_expected_shortfall_of_one_to_a_hundred_is_the_mean_of_the_last_five() -> None:
    losses = np.arange(1.0, 101.0) / 1000.0

    assert expected_shortfall(-losses, 0.95) == pytest.approx(0.098, rel=1e-12)


def test_a_fractional_tail_takes_a_fraction_of_the_day_at_the_var() -> None:
    # 10 days at 0.85: 1.5 tail days = the worst whole, the second worst half.
    losses = np.arange(1.0, 11.0) / 100.0

    assert historical_var(-losses, 0.85) == pytest.approx(0.09)
    assert expected_shortfall(-losses, 0.85) == pytest.approx((0.10 + 0.5 * 0.09) / 1.5, rel=1e-12)


@settings(deadline=None, max_examples=50)
@given(SAMPLES, LEVELS)
def test_historical_var_is_numpys_inverted_cdf(returns: np.ndarray, level: float) -> None:
    assert historical_var(returns, level) == np.quantile(-returns, level, method="inverted_cdf")


@settings(deadline=None, max_examples=50)
@given(SAMPLES, LEVELS)
def test_expected_shortfall_solves_the_program_of_rockafellar_and_uryasev(returns: np.ndarray, level: float) -> None:
    losses = -returns
    excess = np.maximum(losses[None, :] - losses[:, None], 0.0).mean(axis=1)

    assert expected_shortfall(returns, level) == pytest.approx((losses + excess / (1.0 - level)).min(), abs=1e-12)


@settings(deadline=None, max_examples=50)
@given(SAMPLES, LEVELS)
def test_expected_shortfall_is_never_below_var(returns: np.ndarray, level: float) -> None:
    assert expected_shortfall(returns, level) >= historical_var(returns, level)


@settings(deadline=None, max_examples=50)
@given(SAMPLES, LEVELS, st.floats(0.1, 3.0), st.floats(-0.05, 0.05))
def test_tail_measures_scale_with_size_and_fall_with_cash(
    returns: np.ndarray, level: float, size: float, cash: float
) -> None:
    for measure in (historical_var, expected_shortfall):
        moved = measure(size * returns + cash, level)

        assert moved == pytest.approx(size * measure(returns, level) - cash, abs=1e-12)


@settings(deadline=None, max_examples=50)
@given(SAMPLES, SAMPLES, LEVELS)
def test_expected_shortfall_is_subadditive(a: np.ndarray, b: np.ndarray, level: float) -> None:
    n_days = min(len(a), len(b))
    a, b = a[:n_days], b[:n_days]

    joint = expected_shortfall(a + b, level)

    assert joint <= expected_shortfall(a, level) + expected_shortfall(b, level) + 1e-12


def test_normal_figures_are_those_of_the_tables() -> None:
    # 99 %: quantile 2.326, tail mean 2.665 (McNeil, Frey and Embrechts 2015, example 2.14).
    assert normal_var(0.0, 1.0, 0.99) == pytest.approx(2.326, abs=5e-4)
    assert normal_es(0.0, 1.0, 0.99) == pytest.approx(2.665, abs=5e-4)


def test_normal_es_is_the_integral_of_scipys_quantiles() -> None:
    mean, vol, level = 0.001, 0.02, 0.975
    tail = np.linspace(level, 1.0, 200_001)[:-1] + (1.0 - level) / 400_000

    assert normal_var(mean, vol, level) == pytest.approx(-stats.norm.ppf(1 - level, mean, vol), rel=1e-9)
    assert normal_es(mean, vol, level) == pytest.approx((vol * stats.norm.ppf(tail)).mean() - mean, rel=1e-4)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), LEVELS)
def test_component_var_sums_to_the_normal_var_of_the_portfolio(seed: int, level: float) -> None:
    rng = np.random.default_rng(seed)
    weights, returns = rng.normal(0.0, 0.3, 6), rng.normal(0.0, 0.01, (80, 6))

    report = portfolio_var(weights, returns, level)

    assert report.component_var.sum() == pytest.approx(report.normal_var, abs=1e-12)
    assert report.historical_es >= report.historical_var
    assert report.normal_es >= report.normal_var


def test_component_var_follows_its_names_when_they_are_reordered(
    market_and_returns: tuple[np.ndarray, np.ndarray],
) -> None:
    _, returns = market_and_returns
    weights = np.linspace(-0.1, 0.3, 12)
    order = np.random.default_rng(1).permutation(12)

    moved = component_var(weights[order], returns[:, order])

    np.testing.assert_allclose(moved, component_var(weights, returns)[order], rtol=1e-10)


def test_a_hedge_contributes_negative_risk(market_and_returns: tuple[np.ndarray, np.ndarray]) -> None:
    market, returns = market_and_returns
    basket = np.column_stack([returns.mean(axis=1), market])

    parts = component_var(np.array([1.0, -0.5]), basket)

    assert parts[0] > 0.0 > parts[1]


def test_beta_is_the_slope_of_numpys_straight_line(market_and_returns: tuple[np.ndarray, np.ndarray]) -> None:
    market, returns = market_and_returns

    slopes = beta(returns, market)

    assert slopes[3] == pytest.approx(np.polyfit(market, returns[:, 3], 1)[0], rel=1e-10)
    assert beta(market[:, None], market)[0] == pytest.approx(1.0)


def test_annual_volatility_multiplies_by_the_root_of_252() -> None:
    assert annual_volatility(np.array([0.01, -0.01])) == pytest.approx(0.0141421356 * 252**0.5, rel=1e-8)


def test_a_single_nan_refuses_every_risk_figure(market_and_returns: tuple[np.ndarray, np.ndarray]) -> None:
    market, returns = market_and_returns
    broken = returns.copy()
    broken[5, 5] = np.nan
    weights = np.full(12, 1 / 12)

    for refused in (
        lambda: portfolio_var(weights, broken),
        lambda: component_var(weights, broken),
        lambda: beta(broken, market),
        lambda: historical_var(broken[:, 5]),
        lambda: expected_shortfall(broken[:, 5]),
        lambda: annual_volatility(broken[:, 5]),
    ):
        with pytest.raises(SampleError, match="NaN"):
            refused()


def test_a_tail_thinner_than_one_day_is_refused() -> None:
    with pytest.raises(SampleError, match="found 99 rows, expected at least 100"):
        historical_var(np.zeros(99), 0.99)


def test_bad_levels_widths_and_markets_are_refused() -> None:
    with pytest.raises(ParameterError):
        expected_shortfall(np.zeros(100), 1.0)
    with pytest.raises(ShapeError):
        portfolio_var(np.zeros(3), np.zeros((100, 2)))
    with pytest.raises(SampleError, match="never moves"):
        beta(np.zeros((10, 1)), np.full(10, 0.01))
