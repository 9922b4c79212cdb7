"""Against a benchmark: tracking error, information ratio, and alpha and beta as statsmodels has them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.benchmark_metrics import (
    alpha_beta,
    capture_ratio,
    information_ratio,
    sharpe_difference_interval,
    tracking_error,
)
from parley.quant.errors import ParameterError, SampleError, ShapeError


def _pair(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    market = rng.standard_t(4, n) * 0.008 + 0.0003
    noise = rng.normal(0.0, 0.005, n + 1)
    return 0.0002 + 1.2 * market + noise[1:] + 0.5 * noise[:-1], market


def test_tracking_error_and_information_ratio_by_hand() -> None:
    returns, benchmark = np.array([0.02, 0.00, 0.01]), np.array([0.01, 0.01, 0.00])
    # Active 0.01, -0.01, 0.01: mean 1/300, so two are 1/150 away and one 4/300; ddof 1.
    deviation = float(np.sqrt(((1 / 150) ** 2 * 2 + (4 / 300) ** 2) / 2))

    assert tracking_error(returns, benchmark) == pytest.approx(deviation * 252**0.5)
    assert information_ratio(returns, benchmark) == pytest.approx(1 / 300 / deviation * 252**0.5)


@pytest.mark.parametrize("n_lags", [0, 1, 5, 20])
def test_alpha_and_beta_have_statsmodels_newey_west_errors(n_lags: int) -> None:
    from statsmodels.regression.linear_model import OLS

    excess, market = _pair(500, 1)
    peer = OLS(excess, np.column_stack([np.ones(500), market])).fit(cov_type="HAC", cov_kwds={"maxlags": n_lags})

    found = alpha_beta(excess, market, n_lags)

    assert (found.alpha_per_year / 252, found.beta) == pytest.approx(tuple(peer.params))
    assert (found.alpha_std_error / 252, found.beta_std_error) == pytest.approx(tuple(peer.bse))
    assert found.alpha_t == pytest.approx(peer.tvalues[0])
    assert found.r_squared == pytest.approx(peer.rsquared)


def test_positive_serial_correlation_makes_alpha_less_certain() -> None:
    excess, market = _pair(2000, 2)

    assert alpha_beta(excess, market, 10).alpha_std_error > 1.15 * alpha_beta(excess, market, 0).alpha_std_error


def test_the_default_lag_follows_newey_and_west() -> None:
    assert alpha_beta(*_pair(100, 3)).n_lags == 4
    assert alpha_beta(*_pair(1000, 3)).n_lags == 6


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 4.0), st.floats(-0.001, 0.001))
def test_leverage_scales_and_a_daily_fee_shifts(seed: int, leverage: float, shift: float) -> None:
    excess, market = _pair(120, seed)

    base, moved = alpha_beta(excess, market), alpha_beta(leverage * excess + shift, market)

    assert moved.beta == pytest.approx(leverage * base.beta)
    assert moved.alpha_per_year == pytest.approx(leverage * base.alpha_per_year + 252 * shift, abs=1e-10)
    assert moved.alpha_std_error == pytest.approx(leverage * base.alpha_std_error)
    assert tracking_error(excess + shift, market) == pytest.approx(tracking_error(excess, market))


def test_unusable_comparisons_are_refused() -> None:
    excess, market = _pair(60, 4)
    with pytest.raises(ShapeError):
        tracking_error(excess, market[:-1])
    with pytest.raises(SampleError, match="never differ"):
        information_ratio(market + 0.0001, market)
    with pytest.raises(SampleError, match="no beta"):
        alpha_beta(excess, np.full(60, 0.001))
    with pytest.raises(SampleError, match="rows"):
        alpha_beta(excess[:19], market[:19])
    with pytest.raises(SampleError, match="NaN"):
        alpha_beta(np.where(excess == excess[0], np.nan, excess), market)
    for n_lags in (-1, 60):
        with pytest.raises(ParameterError, match="n_lags"):
            alpha_beta(excess, market, n_lags)


def test_capture_is_the_ratio_of_mean_returns_in_rising_and_in_falling_months() -> None:
    own, market = np.array([0.02, -0.01, 0.03, 0.01]), np.array([0.04, -0.02, 0.01, 0.0])

    assert capture_ratio(own, market, up=True) == pytest.approx(0.05 / 0.05)
    assert capture_ratio(own, market, up=False) == pytest.approx(0.5)
    with pytest.raises(SampleError, match="never fell"):
        capture_ratio([0.01], [0.01], up=False)


def test_a_geared_benchmark_has_no_difference_of_sharpe_ratios_in_any_draw() -> None:
    _, market = _pair(300, 3)

    found = sharpe_difference_interval(2.0 * market, market, np.random.default_rng(1), n_draws=200)

    assert (found.low, found.high) == pytest.approx((0.0, 0.0), abs=1e-9)


def test_paired_days_make_the_difference_surer_than_two_intervals_would() -> None:
    own, market = _pair(1000, 5)
    shuffled = np.random.default_rng(2).permutation(market)

    paired = sharpe_difference_interval(own, market, np.random.default_rng(1), n_draws=400)
    apart = sharpe_difference_interval(own, shuffled, np.random.default_rng(1), n_draws=400)

    assert paired.high - paired.low < 0.75 * (apart.high - apart.low)
    with pytest.raises(SampleError):
        sharpe_difference_interval(own, np.zeros(1000), np.random.default_rng(1), n_draws=50)
