"""Factor models against statsmodels, and sums that must add up exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.factor_models import characteristic_factor, decompose_risk, fit_factor_model, statistical_factors
from parley.quant.factors import (
    FF3_FACTORS,
    FF5_MOMENTUM_FACTORS,
    attribute_return,
    fit_factors,
    newey_west_lags,
    rolling_betas,
)


def _sample(seed: int, n_days: int = 300, n_factors: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    factors = rng.normal(0.0003, 0.01, (n_days, n_factors))
    noise = rng.standard_t(4, n_days) * 0.006
    noise[1:] += 0.4 * noise[:-1]
    return 0.0002 + factors @ np.linspace(1.2, -0.4, n_factors) + noise, factors


def _with_constant(factors: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones(len(factors)), factors])


@pytest.mark.parametrize("lags", [0, 1, 5, 20])
def test_fit_agrees_with_statsmodels_hac(lags: int) -> None:
    sm = pytest.importorskip("statsmodels.regression.linear_model")
    returns, factors = _sample(1)

    fit = fit_factors(returns, factors, lags=lags)

    oracle = sm.OLS(returns, _with_constant(factors)).fit(cov_type="HAC", cov_kwds={"maxlags": lags})
    np.testing.assert_allclose([fit.alpha, *fit.betas], oracle.params, rtol=1e-9)
    np.testing.assert_allclose([fit.alpha_se, *fit.beta_se], oracle.bse, rtol=1e-9)
    np.testing.assert_allclose([fit.alpha_t, *fit.beta_t], oracle.tvalues, rtol=1e-9)
    assert fit.r_squared == pytest.approx(oracle.rsquared, rel=1e-10)
    assert fit.residual_vol == pytest.approx(np.sqrt(oracle.mse_resid), rel=1e-10)


def test_newey_west_variance_of_a_mean_by_hand() -> None:
    # One regressor orthogonal to the scores leaves the intercept's variance as a sum done on paper:
    # e = (1, 1, -1, -1) around mean 0, factor (1, -1, -1, 1): gamma_0 = 4, gamma_1 = 1 - 1 + 1 = 1,
    # so S = 4 + 2 * (1/2) * 1 = 5 and the standard error of alpha is sqrt(5) / 4.
    returns = np.array([1.0, 1.0, -1.0, -1.0])
    factor = np.array([[1.0], [-1.0], [-1.0], [1.0]])

    fit = fit_factors(returns, factor, lags=1)

    assert fit.betas[0] == pytest.approx(0.0, abs=1e-15)
    assert fit.alpha_se == pytest.approx(np.sqrt(5.0) / 4.0)


def test_lag_rule_gives_the_published_bandwidths() -> None:
    # floor(4 (n/100)^(2/9)): 4 at 100 days, 5 at 500 (5.72), 8 at 2520 (8.19).
    assert [newey_west_lags(n) for n in (100, 500, 2520)] == [4, 5, 8]


def test_market_portfolio_of_french_data_loads_one_on_the_market(recorded_data: Path) -> None:
    import pandas as pd

    frame = pd.read_parquet(recorded_data / "factors" / "fama_french_daily_1926_2024.parquet").dropna().tail(1500)
    factors = frame[list(FF5_MOMENTUM_FACTORS)].to_numpy()
    returns = 0.6 * frame["Mkt-RF"].to_numpy() - 0.3 * frame["Mom"].to_numpy()

    fit = fit_factors(returns, factors, FF5_MOMENTUM_FACTORS)

    np.testing.assert_allclose(fit.betas, [0.6, 0.0, 0.0, 0.0, 0.0, -0.3], atol=1e-10)
    assert fit.r_squared == pytest.approx(1.0)


def test_spy_is_the_market_in_the_three_factor_model(recorded_data: Path) -> None:
    import pandas as pd

    french = pd.read_parquet(recorded_data / "factors" / "fama_french_daily_1926_2024.parquet").set_index("date")
    etf = pd.read_parquet(recorded_data / "daily" / "etf_equity_daily_1998_2018.parquet")
    spy = etf[etf["symbol"] == "SPY"].set_index("date")["adj_close"].pct_change()
    both = french.assign(spy=spy).loc["2005":"2018"].dropna()

    fit = fit_factors((both["spy"] - both["RF"]).to_numpy(), both[list(FF3_FACTORS)].to_numpy(), FF3_FACTORS)

    # Large caps: market beta near 1, a negative size loading, almost everything explained.
    assert fit.betas[0] == pytest.approx(0.98, abs=0.02)
    assert fit.betas[1] < -0.05
    assert fit.r_squared > 0.97


def test_rolling_betas_agree_with_statsmodels_rolling_ols() -> None:
    rolling = pytest.importorskip("statsmodels.regression.rolling")
    returns, factors = _sample(2, 400)

    betas = rolling_betas(returns, factors, 63)

    oracle = rolling.RollingOLS(returns, _with_constant(factors), window=63).fit().params[62:, 1:]
    np.testing.assert_allclose(betas, oracle, rtol=1e-8, atol=1e-10)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(5, 60), st.integers(0, 60))
def test_every_rolling_row_is_the_fit_of_its_own_window(seed: int, window: int, start: int) -> None:
    returns, factors = _sample(seed, 120)

    betas = rolling_betas(returns, factors, window)

    alone = fit_factors(returns[start : start + window], factors[start : start + window]) if window > 5 else None
    if alone is not None:
        np.testing.assert_allclose(betas[start], alone.betas, rtol=1e-6, atol=1e-9)
    assert betas.shape == (120 - window + 1, 3)


@pytest.mark.parametrize("t", [40, 62, 63, 100, 126])
def test_rolling_betas_do_not_know_the_future(t: int) -> None:
    returns, factors = _sample(3, 200)

    until_t = rolling_betas(returns[: t + 1], factors[: t + 1], 40)

    np.testing.assert_array_equal(until_t[-1], rolling_betas(returns, factors, 40)[t - 39])


def test_rolling_sums_do_not_drift_after_a_huge_outlier() -> None:
    returns, factors = _sample(4, 5000)
    factors[10, 0] = 1e6

    betas = rolling_betas(returns, factors, 50)

    np.testing.assert_allclose(betas[-1], fit_factors(returns[-50:], factors[-50:]).betas, rtol=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(50, 250))
def test_attribution_adds_up_in_and_out_of_sample(seed: int, cut: int) -> None:
    returns, factors = _sample(seed)
    fit = fit_factors(returns[:cut], factors[:cut])

    inside = attribute_return(returns[:cut], factors[:cut], fit)
    after = attribute_return(returns[cut:], factors[cut:], fit)

    assert inside.residual == pytest.approx(0.0, abs=1e-12)
    for split in (inside, after):
        assert split.alpha + split.by_factor.sum() + split.residual == pytest.approx(split.total, abs=1e-14)


def test_the_model_of_names_is_the_fit_of_each_name() -> None:
    _, factors = _sample(5)
    rng = np.random.default_rng(5)
    returns = factors @ rng.normal(0.5, 0.5, (3, 4)) + rng.normal(0.0, 0.01, (300, 4))

    model = fit_factor_model(returns, factors)

    for i in range(4):
        alone = fit_factors(returns[:, i], factors)
        np.testing.assert_allclose(model.exposures[i], alone.betas, rtol=1e-9)
        assert model.specific_var[i] == pytest.approx(alone.residual_vol**2 * (300 - 4) / 300, rel=1e-9)


def test_weighted_exposures_agree_with_statsmodels_wls() -> None:
    sm = pytest.importorskip("statsmodels.regression.linear_model")
    returns, factors = _sample(6)
    weights = 0.5 ** (np.arange(299, -1, -1) / 60.0)

    model = fit_factor_model(returns[:, None], factors, half_life_days=60.0)

    oracle = sm.WLS(returns, _with_constant(factors), weights=weights).fit()
    np.testing.assert_allclose(model.exposures[0], oracle.params[1:], rtol=1e-9)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_risk_by_factor_and_by_name_adds_up_to_the_model_variance(seed: int, n_names: int) -> None:
    rng = np.random.default_rng(seed)
    factors = rng.normal(0.0, 0.01, (100, 3))
    model = fit_factor_model(factors @ rng.normal(size=(3, n_names)) + rng.normal(0, 0.01, (100, n_names)), factors)
    weights = rng.normal(size=n_names)

    risk = decompose_risk(weights, model)

    expected = weights @ model.cov() @ weights
    assert risk.total == pytest.approx(expected, rel=1e-10)
    assert risk.by_factor.sum() + risk.specific == pytest.approx(risk.total, rel=1e-12)
    assert risk.by_name.sum() == pytest.approx(risk.total, rel=1e-9)
    assert risk.vol == pytest.approx(np.sqrt(expected), rel=1e-10)
    np.testing.assert_allclose(risk.exposures, model.exposures.T @ weights, rtol=1e-12)


def test_statistical_factors_agree_with_a_singular_value_decomposition() -> None:
    rng = np.random.default_rng(7)
    returns = rng.normal(0, 0.01, (200, 1)) * rng.uniform(0.5, 1.5, 6) + rng.normal(0, 0.005, (200, 6))
    weights = 0.5 ** (np.arange(199, -1, -1) / 33.0)

    model, explained = statistical_factors(returns, 2)

    _, singular, right = np.linalg.svd(returns * np.sqrt(weights / weights.sum())[:, None])
    np.testing.assert_allclose(np.diag(model.factor_cov), singular[:2] ** 2, rtol=1e-9)
    np.testing.assert_allclose(np.abs(model.exposures.T @ right[:2].T), np.eye(2), atol=1e-9)
    np.testing.assert_allclose(explained, singular[:2] ** 2 / (singular**2).sum(), rtol=1e-9)
    assert (model.exposures.sum(axis=0) > 0).all()


def test_all_statistical_factors_leave_nothing_specific_and_few_keep_the_variances() -> None:
    returns = np.random.default_rng(8).normal(0, 0.01, (100, 5))
    variance = np.diag(statistical_factors(returns, 5)[0].cov())

    full, explained = statistical_factors(returns, 5)
    few, _ = statistical_factors(returns, 1)

    assert full.specific_var.max() < 1e-16
    assert explained.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(np.diag(few.cov()), variance, rtol=1e-10)


def test_a_custom_factor_holds_what_yesterday_scored() -> None:
    returns = np.array([[0.0, 0.0, 0.0], [0.01, 0.02, 0.04], [0.03, -0.01, 0.00]])
    scores = np.array([[3.0, 1.0, 2.0], [1.0, 2.0, 3.0], [9.0, 9.0, 9.0]])

    factor = characteristic_factor(returns, scores, 0.3)

    # Day 1: long name 0, short name 1. Day 2: long name 2, short name 0.
    np.testing.assert_allclose(factor, [0.01 - 0.02, 0.00 - 0.03])


def test_a_custom_factor_does_not_know_the_future() -> None:
    rng = np.random.default_rng(9)
    returns, scores = rng.normal(0, 0.01, (60, 10)), rng.normal(size=(60, 10))
    changed = scores.copy()
    changed[40:] = 0.0

    before, after = characteristic_factor(returns, scores), characteristic_factor(returns, changed)

    np.testing.assert_array_equal(before[:40], after[:40])
    np.testing.assert_array_equal(characteristic_factor(returns[:41], scores[:41])[-1], before[39])


def test_unusable_factor_samples_are_refused() -> None:
    returns, factors = _sample(10)
    with pytest.raises(SampleError, match="collinear"):
        fit_factors(returns, np.column_stack([factors, factors[:, 0] + factors[:, 1]]))
    with pytest.raises(SampleError, match="collinear"):
        fit_factors(returns, np.column_stack([factors, np.full(300, 0.01)]))
    with pytest.raises(SampleError, match="never move"):
        fit_factors(np.full(300, 0.01), factors)
    with pytest.raises(SampleError, match="NaN"):
        fit_factors(np.where(np.arange(300) == 7, np.nan, returns), factors)
    with pytest.raises(SampleError, match="rows"):
        fit_factors(returns[:5], factors[:5])
    with pytest.raises(ShapeError):
        fit_factors(returns[:-1], factors)
    with pytest.raises(ShapeError, match="names"):
        fit_factors(returns, factors, ["a"])
    with pytest.raises(ParameterError):
        fit_factors(returns, factors, lags=-1)
    with pytest.raises(ShapeError):
        attribute_return(returns, factors[:, :2], fit_factors(returns, factors))


def test_unusable_windows_and_models_are_refused() -> None:
    returns, factors = _sample(11)
    flat = factors.copy()
    flat[100:200, 1] = 0.001
    with pytest.raises(SampleError, match="flat in the window"):
        rolling_betas(returns, flat, 50)
    with pytest.raises(ParameterError):
        rolling_betas(returns, factors, 301)
    with pytest.raises(ParameterError):
        rolling_betas(returns, factors, 4)
    with pytest.raises(ParameterError):
        statistical_factors(factors, 4)
    with pytest.raises(SampleError, match="component 2"):
        statistical_factors(np.outer(factors[:, 0], [1.0, 2.0]), 2)
    with pytest.raises(ShapeError):
        decompose_risk(np.ones(3), fit_factor_model(returns[:, None], factors))
    with pytest.raises(ShapeError):
        fit_factor_model(returns[:-1, None], factors)
    with pytest.raises(ParameterError):
        characteristic_factor(factors, factors, 0.6)
    with pytest.raises(ShapeError):
        characteristic_factor(factors, factors[:-1])
