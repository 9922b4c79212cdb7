"""Hedges: Hull's worked examples, statsmodels for regressions and filters, and payoffs checked at expiry."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.black_scholes import price
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.hedging import (
    HedgeNoise,
    HedgeState,
    beta_hedge,
    ewma_hedge_ratios,
    fit_hedge_noise,
    kalman_hedge,
    kalman_update,
    min_variance_hedge,
)
from parley.quant.option_hedges import collar, protective_put, zero_cost_call_strike

# Hull, Options, Futures, and Other Derivatives, 10th ed., table 3.2: monthly changes of heating oil futures
# and of jet fuel per gallon; the book finds deviations 0.0313 and 0.0263, correlation 0.928 and a ratio of 0.78.
_FUTURES = [
    0.021, 0.035, -0.046, 0.001, 0.044, -0.029, -0.026, -0.029,
    0.048, -0.006, -0.036, -0.011, 0.019, -0.027, 0.029,
]  # fmt: skip
_JET_FUEL = [
    0.029, 0.020, -0.044, 0.008, 0.026, -0.019, -0.010, -0.007,
    0.043, 0.011, -0.036, -0.018, 0.009, -0.032, 0.023,
]  # fmt: skip


def _pair(seed: int, n: int = 300, step: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    hedge = rng.normal(0.0, 0.01, n)
    betas = 1.0 + np.cumsum(rng.normal(0.0, step, n)) if step else np.full(n, 1.2)
    return 0.0001 + betas * hedge + rng.normal(0.0, 0.005, n), hedge, betas


def test_beta_hedge_shorts_the_thirty_contracts_of_hulls_example() -> None:
    # Hull, 10th ed., section 3.5: 5.05 million at beta 1.5 against contracts of 250 * 1010; to 0.75, 15 contracts.
    full = beta_hedge(5.05e6, 1.5, 252_500)
    half = beta_hedge(5.05e6, 1.5, 252_500, target_beta=0.75)

    assert (full.contracts, half.contracts) == (-30, -15)
    assert full.residual_beta == pytest.approx(0.0, abs=1e-12)
    assert half.residual_beta == pytest.approx(0.75)


def test_what_a_beta_hedge_leaves_and_costs() -> None:
    hedge = beta_hedge(
        1e6, 1.1, 200_000, contract_beta=1.0, market_vol=0.2, specific_vol=0.1, cost_frac=0.0002
    )  # 5.5 contracts rounds to 6 (half to even)

    assert hedge.contracts == -6
    assert hedge.residual_beta == pytest.approx(-0.1)
    assert hedge.residual_vol == pytest.approx(math.hypot(0.1 * 0.2, 0.1))
    assert hedge.cost == pytest.approx(240.0)


@settings(deadline=None, max_examples=50)
@given(st.floats(-1e7, 1e7).filter(lambda v: abs(v) > 1e3), st.floats(-3.0, 3.0), st.floats(10.0, 1e5))
def test_a_beta_hedge_misses_by_half_a_contract_at_most(value: float, beta: float, contract: float) -> None:
    hedge = beta_hedge(value, beta, contract)

    assert abs(hedge.residual_beta * value) <= contract / 2.0 * (1.0 + 1e-9) + 1e-6


def test_minimum_variance_ratio_of_hulls_jet_fuel() -> None:
    found = min_variance_hedge(np.array(_JET_FUEL), np.array(_FUTURES))

    assert np.std(_FUTURES, ddof=1) == pytest.approx(0.0313, abs=5e-5)
    assert np.std(_JET_FUEL, ddof=1) == pytest.approx(0.0263, abs=5e-5)
    assert found.ratio == pytest.approx(0.78, abs=0.005)
    assert found.effectiveness == pytest.approx(0.928**2, abs=0.001)


def test_minimum_variance_ratio_agrees_with_scipy() -> None:
    from scipy.stats import linregress

    asset, hedge, _ = _pair(1)

    found = min_variance_hedge(asset, hedge)

    slope, _, correlation, _, slope_se = np.array(linregress(hedge, asset))
    assert found.ratio == pytest.approx(slope, rel=1e-12)
    assert found.ratio_se == pytest.approx(slope_se, rel=1e-10)
    assert found.effectiveness == pytest.approx(correlation**2, rel=1e-10)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.floats(-2.0, 2.0))
def test_no_other_ratio_leaves_less_variance(seed: int, off: float) -> None:
    asset, hedge, _ = _pair(seed, 50)
    ratio = min_variance_hedge(asset, hedge).ratio

    assert np.var(asset - ratio * hedge) <= np.var(asset - (ratio + off) * hedge) + 1e-18


def test_ewma_ratios_are_weighted_sums() -> None:
    asset, hedge, _ = _pair(2, 100)
    weights = 0.5 ** (np.arange(99, -1, -1) / 15.0)

    ratios = ewma_hedge_ratios(asset, hedge, 15.0)

    assert ratios[-1] == pytest.approx((weights * asset) @ hedge / (weights @ hedge**2), rel=1e-12)
    assert len(ratios) == 81


@pytest.mark.parametrize("t", [19, 50, 98])
def test_dynamic_ratios_do_not_know_the_future(t: int) -> None:
    asset, hedge, _ = _pair(3, 100)
    noise = HedgeNoise(2.5e-5, 0.0, 1e-3)

    ewma = ewma_hedge_ratios(asset, hedge, 15.0)
    filtered = kalman_hedge(asset, hedge, noise)

    assert ewma_hedge_ratios(asset[: t + 1], hedge[: t + 1], 15.0)[-1] == ewma[t - 19]
    assert kalman_hedge(asset[: t + 1], hedge[: t + 1], noise).betas[-1] == filtered.betas[t]


def test_a_beta_that_stays_is_filtered_to_least_squares() -> None:
    asset, hedge, _ = _pair(4)

    run = kalman_hedge(asset, hedge, HedgeNoise(2.5e-5))

    for t in (20, 150, 299):
        alone = min_variance_hedge(asset[: t + 1], hedge[: t + 1])
        assert run.betas[t] == pytest.approx(alone.ratio, rel=1e-6)
    # The filter's variance of beta is the textbook one with the noise known.
    assert run.state.beta_var == pytest.approx(2.5e-5 / np.sum((hedge - hedge.mean()) ** 2), rel=1e-6)


def test_the_filter_agrees_with_statsmodels_on_a_walking_beta() -> None:
    kalman = pytest.importorskip("statsmodels.tsa.statespace.kalman_filter")
    asset, hedge, _ = _pair(5, 200, 0.05)
    noise = HedgeNoise(2.5e-5, 1e-8, 2.5e-3)

    run = kalman_hedge(asset, hedge, noise, HedgeState(0.0, 1.0, 1e-4, 0.0, 4.0))

    design = np.vstack([np.ones(200), hedge])[None]
    oracle = kalman.KalmanFilter(asset[:, None].copy(), 2, design=design, transition=np.eye(2), selection=np.eye(2))
    oracle["obs_cov"], oracle["state_cov"] = np.array([[2.5e-5]]), np.diag([1e-8, 2.5e-3])
    oracle.initialize_known(np.array([0.0, 1.0]), np.diag([1e-4 + 1e-8, 4.0 + 2.5e-3]))
    result = oracle.filter()
    np.testing.assert_allclose(run.alphas, result.filtered_state[0], rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(run.betas, result.filtered_state[1], rtol=1e-9)
    np.testing.assert_allclose(run.innovations, result.forecasts_error[0], rtol=1e-8, atol=1e-14)
    np.testing.assert_allclose(run.innovation_vars, result.forecasts_error_cov[0, 0], rtol=1e-9)


def test_the_filter_can_stop_and_go_on() -> None:
    asset, hedge, _ = _pair(6, 100)
    noise = HedgeNoise(2.5e-5, 0.0, 1e-4)

    first = kalman_hedge(asset[:60], hedge[:60], noise)
    second = kalman_hedge(asset[60:], hedge[60:], noise, first.state)

    assert second.state == kalman_hedge(asset, hedge, noise).state


def test_fitted_noise_follows_a_walking_beta_better_than_a_fixed_ratio() -> None:
    asset, hedge, betas = _pair(7, 800, 0.05)

    noise = fit_hedge_noise(asset, hedge)
    run = kalman_hedge(asset, hedge, noise)

    assert math.sqrt(noise.observation_var) == pytest.approx(0.005, rel=0.1)
    assert math.sqrt(noise.beta_step_var) == pytest.approx(0.05, rel=0.35)
    fixed = min_variance_hedge(asset, hedge).ratio
    assert np.abs(run.betas - betas)[50:].mean() < 0.5 * np.abs(fixed - betas)[50:].mean()


def test_fitted_noise_says_that_a_constant_beta_hardly_walks() -> None:
    asset, hedge, _ = _pair(8, 600)

    noise = fit_hedge_noise(asset, hedge)

    assert math.sqrt(noise.beta_step_var) < 0.02
    assert kalman_hedge(asset, hedge, noise).betas[-1] == pytest.approx(1.2, abs=0.15)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.floats(-0.2, 0.2), st.floats(-0.2, 0.2)), min_size=1, max_size=40))
def test_what_the_filter_knows_stays_a_covariance(days: list[tuple[float, float]]) -> None:
    state, noise = HedgeState(), HedgeNoise(1e-5, 1e-9, 1e-4)

    for asset_return, hedge_return in days:
        state, _, variance = kalman_update(state, asset_return, hedge_return, noise)

        assert variance > 0.0
        assert state.alpha_var > 0.0
        assert state.beta_var > 0.0
        assert state.covariance**2 <= state.alpha_var * state.beta_var * (1.0 + 1e-6)


def test_a_protective_put_costs_hulls_put() -> None:
    # Hull, 10th ed., example 15.6: spot 42, strike 40, rate 10 %, volatility 20 %, half a year: put 0.81.
    hedge = protective_put(100, 42.0, 40.0, 0.5, 0.10, 0.20)

    assert hedge.premium == pytest.approx(81.0, abs=0.5)
    assert hedge.worst_return_frac == pytest.approx((40.0 - hedge.premium / 100.0) / 42.0 - 1.0)
    assert hedge.best_return_frac == math.inf
    # The put's delta is N(d1) - 1 with d1 = 0.7693, so 77.91 shares are left.
    assert hedge.delta_quantity == pytest.approx(77.91, abs=0.01)
    assert hedge.daily_vol_frac == pytest.approx(0.7791 * 0.20 / math.sqrt(252), rel=1e-3)


@settings(deadline=None, max_examples=50)
@given(st.floats(60.0, 99.0), st.floats(101.0, 160.0), st.floats(0.05, 2.0), st.floats(0.1, 0.6))
def test_a_collar_pays_between_its_floor_and_its_ceiling(low: float, high: float, years: float, vol: float) -> None:
    hedge = collar(10, 100.0, low, high, years, 0.03, vol, vol)
    ends = np.array([1e-9, low, 100.0, high, 1e4])

    payoff = ends + np.maximum(low - ends, 0.0) - np.maximum(ends - high, 0.0) - hedge.premium / 10.0

    returns = payoff / 100.0 - 1.0
    assert returns.min() == pytest.approx(hedge.worst_return_frac, abs=1e-9)
    assert returns.max() == pytest.approx(hedge.best_return_frac, abs=1e-9)
    put_only = protective_put(10, 100.0, low, years, 0.03, vol)
    assert hedge.premium <= put_only.premium
    assert 0.0 <= hedge.delta_quantity <= put_only.delta_quantity + 1e-9


def test_collar_delta_is_the_slope_of_its_value() -> None:
    def value(spot: float) -> float:
        put = float(price("put", spot, 95.0, 0.5, 0.02, 0.25))
        call = float(price("call", spot, 110.0, 0.5, 0.02, 0.20))
        return spot + put - call

    hedge = collar(1, 100.0, 95.0, 110.0, 0.5, 0.02, 0.25, 0.20)

    assert hedge.delta_quantity == pytest.approx((value(100.01) - value(99.99)) / 0.02, rel=1e-5)
    assert hedge.premium == pytest.approx(value(100.0) - 100.0)


@settings(deadline=None, max_examples=40)
@given(st.floats(0.1, 4.0), st.floats(0.05, 2.0), st.floats(0.15, 0.6))
def test_a_zero_cost_collar_costs_nothing(deviations_below: float, years: float, vol: float) -> None:
    put_strike = 100.0 * math.exp(-deviations_below * vol * math.sqrt(years))

    strike = zero_cost_call_strike(100.0, put_strike, years, 0.03, vol, vol)

    hedge = collar(1, 100.0, put_strike, strike, years, 0.03, vol, vol)
    assert hedge.premium == pytest.approx(0.0, abs=1e-8)


def test_unusable_hedges_are_refused() -> None:
    asset, hedge, _ = _pair(9, 50)
    with pytest.raises(SampleError, match="hedge: never moves"):
        min_variance_hedge(asset, np.full(50, 0.01))
    with pytest.raises(SampleError, match="asset: never moves"):
        min_variance_hedge(np.zeros(50), hedge)
    with pytest.raises(ShapeError):
        min_variance_hedge(asset, hedge[:-1])
    with pytest.raises(SampleError, match="NaN"):
        kalman_hedge(asset * np.nan, hedge, HedgeNoise(1e-4))
    with pytest.raises(ParameterError):
        kalman_update(HedgeState(), math.nan, 0.0, HedgeNoise(1e-4))
    with pytest.raises(ParameterError):
        HedgeNoise(0.0)
    with pytest.raises(SampleError, match="without noise"):
        fit_hedge_noise(2.0 * hedge, hedge)
    with pytest.raises(SampleError, match="first days"):
        ewma_hedge_ratios(asset, np.r_[np.zeros(30), hedge[30:]], 10.0)
    with pytest.raises(ParameterError, match="min_days"):
        ewma_hedge_ratios(asset, hedge, 10.0, min_days=51)
    with pytest.raises(ParameterError, match="position_value"):
        beta_hedge(0.0, 1.0, 100.0)
    with pytest.raises(ParameterError):
        beta_hedge(1e6, math.nan, 100.0)
    with pytest.raises(ParameterError):
        beta_hedge(1e6, 1.0, 100.0, cost_frac=-0.1)


def test_unusable_option_hedges_are_refused() -> None:
    with pytest.raises(ParameterError, match="years"):
        protective_put(1, 100.0, 90.0, 0.0, 0.03, 0.2)
    with pytest.raises(ParameterError, match="quantity"):
        protective_put(-1, 100.0, 90.0, 1.0, 0.03, 0.2)
    with pytest.raises(ParameterError, match="below call_strike"):
        collar(1, 100.0, 110.0, 105.0, 1.0, 0.03, 0.2, 0.2)
    with pytest.raises(ParameterError, match="no call strike"):
        zero_cost_call_strike(100.0, 40.0, 0.05, 0.0, 0.2, 0.2)
    with pytest.raises(ParameterError, match="no call strike"):
        zero_cost_call_strike(100.0, 150.0, 0.5, 0.0, 0.2, 0.2)
