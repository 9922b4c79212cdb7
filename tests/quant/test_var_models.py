"""Model tails: the t fit against scipy, Cornish-Fisher and its domain, filtered history, Monte Carlo, splits."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.var import (
    component_es,
    component_var,
    expected_shortfall,
    historical_var,
    incremental_var,
    marginal_var,
    normal_es,
    normal_var,
)
from parley.quant.var_models import (
    MAX_DOF,
    cornish_fisher_is_monotone,
    cornish_fisher_of_sample,
    cornish_fisher_tail,
    filtered_historical_tail,
    fit_student_t,
    normal_tail,
    student_t_tail,
)
from parley.quant.var_simulation import linear_monte_carlo_tail, simulated_tail
from scipy import stats

SEEDS = st.integers(0, 2**32 - 1)
LEVELS = st.sampled_from([0.9, 0.95, 0.975, 0.99, 0.999])
SKEWS = np.arange(0.0, 3.0, 0.005).tolist()
KURTOSES = np.arange(0.0, 12.0, 0.01).tolist()


@pytest.mark.parametrize(("seed", "dof"), [(1, 1.5), (2, 3.0), (3, 5.0), (4, 12.0)])
def test_student_t_fit_reaches_the_likelihood_of_scipys_fit(seed: int, dof: float) -> None:
    x = 0.0003 + 0.01 * np.random.default_rng(seed).standard_t(dof, 400)
    peer_dof, peer_location, peer_scale = stats.t.fit(x)

    fit = fit_student_t(x)

    assert fit.log_likelihood >= stats.t.logpdf(x, peer_dof, peer_location, peer_scale).sum() - 1e-9
    assert fit.log_likelihood == pytest.approx(stats.t.logpdf(x, fit.dof, fit.location, fit.scale).sum(), rel=1e-12)
    assert fit.dof == pytest.approx(peer_dof, rel=1e-3)
    assert fit.scale == pytest.approx(peer_scale, rel=1e-3)


def test_a_start_nearby_saves_rounds_and_moves_nothing() -> None:
    x = 0.01 * np.random.default_rng(5).standard_t(4, 501)

    cold, warm = fit_student_t(x[1:]), fit_student_t(x[1:], fit_student_t(x[:-1]))

    assert warm.dof == pytest.approx(cold.dof, rel=1e-6)
    assert warm.scale == pytest.approx(cold.scale, rel=1e-7)


def test_a_sample_without_tails_ends_at_the_highest_degrees_of_freedom() -> None:
    fit = fit_student_t(np.linspace(-0.01, 0.01, 200))

    assert fit.dof == pytest.approx(MAX_DOF)


@settings(deadline=None, max_examples=30)
@given(SEEDS, st.floats(0.1, 5.0), st.floats(-0.05, 0.05))
def test_student_t_fit_moves_and_stretches_with_the_sample(seed: int, size: float, shift: float) -> None:
    x = 0.01 * np.random.default_rng(seed).standard_t(4, 250)

    fit, moved = fit_student_t(x), fit_student_t(size * x + shift)

    assert moved.dof == pytest.approx(fit.dof, rel=1e-4)
    assert moved.scale == pytest.approx(size * fit.scale, rel=1e-5)
    assert moved.location == pytest.approx(size * fit.location + shift, abs=1e-5)


def test_student_t_tail_integrates_scipys_quantiles() -> None:
    tail = student_t_tail(0.0, math.sqrt(0.5), 4.0, 0.99)
    grid = (np.arange(200_000) + 0.5) / 200_000 * 0.01

    assert tail.var == pytest.approx(-math.sqrt(0.5) * stats.t.ppf(0.01, 4), rel=1e-10)
    assert tail.es == pytest.approx(-math.sqrt(0.5) * stats.t.ppf(grid, 4).mean(), rel=1e-3)


def test_far_out_the_t_shortfall_is_dof_over_dof_less_one_times_the_var() -> None:
    # McNeil, Frey and Embrechts (2015), section 2.3.4: the limit of ES / VaR is 4 / 3 with 4 degrees of freedom.
    tail = student_t_tail(0.0, 1.0, 4.0, 1.0 - 1e-9)

    assert tail.es / tail.var == pytest.approx(4.0 / 3.0, rel=1e-3)


@settings(deadline=None, max_examples=50)
@given(st.floats(1.1, 300.0), LEVELS)
def test_student_t_tail_lies_beyond_its_own_var(dof: float, level: float) -> None:
    tail = student_t_tail(0.0, 0.01, dof, level)

    assert tail.es > tail.var > 0.0


def test_student_t_tail_nears_the_normal_with_many_degrees_of_freedom() -> None:
    tail = student_t_tail(0.001, 0.02, 1e7, 0.99)

    assert tail.var == pytest.approx(normal_var(0.001, 0.02, 0.99), rel=1e-5)
    assert tail.es == pytest.approx(normal_es(0.001, 0.02, 0.99), rel=1e-5)


def test_cornish_fisher_without_skew_or_kurtosis_is_the_normal() -> None:
    tail = cornish_fisher_tail(0.001, 0.02, 0.0, 0.0, 0.99)

    assert tail.var == pytest.approx(normal_var(0.001, 0.02, 0.99), rel=1e-12)
    assert tail.es == pytest.approx(normal_es(0.001, 0.02, 0.99), rel=1e-12)


def test_cornish_fisher_quantile_and_shortfall_agree_with_numerical_integration() -> None:
    # The expansion written out anew and averaged over scipy's normal quantiles of the tail.
    skew, kurtosis, level = -0.5, 2.0, 0.975
    z = stats.norm.ppf((np.arange(400_000) + 0.5) / 400_000 * (1 - level))

    def quantile(at: np.ndarray) -> np.ndarray:
        third, fourth = (at**2 - 1) * skew / 6, (at**3 - 3 * at) * kurtosis / 24
        return at + third + fourth - (2 * at**3 - 5 * at) * skew**2 / 36

    tail = cornish_fisher_tail(0.0, 1.0, skew, kurtosis, level)

    assert tail.var == pytest.approx(-quantile(stats.norm.ppf(np.array([1 - level])))[0], rel=1e-12)
    assert tail.es == pytest.approx(-quantile(z).mean(), rel=1e-4)


@settings(deadline=None, max_examples=100)
@given(st.floats(-3.0, 3.0), st.floats(-1.0, 12.0))
def test_domain_of_cornish_fisher_is_where_its_quantile_never_falls(skew: float, kurtosis: float) -> None:
    z = np.linspace(-60.0, 60.0, 240_001)
    slope = 1 + z * skew / 3 + (3 * z**2 - 3) * kurtosis / 24 - (6 * z**2 - 5) * skew**2 / 36

    if cornish_fisher_is_monotone(skew, kurtosis):
        assert slope.min() >= -1e-9
    elif kurtosis / 8 - skew**2 / 6 > 1e-2:
        assert slope.min() <= 1e-6


def test_widest_skew_of_cornish_fishers_domain_is_that_of_maillard() -> None:
    # Maillard (2012): |S| up to 6 (sqrt(2) - 1) = 2.485.
    reachable = [s for s in SKEWS if any(cornish_fisher_is_monotone(s, k) for k in KURTOSES)]

    assert max(reachable) == pytest.approx(6 * (math.sqrt(2) - 1), abs=0.01)


def test_cornish_fisher_refuses_moments_outside_its_domain() -> None:
    with pytest.raises(ParameterError, match="outside the domain") as caught:
        cornish_fisher_tail(0.0, 0.01, 0.0, 9.0, 0.99)

    assert "filtered historical" in caught.value.remedy


def test_cornish_fisher_of_a_sample_uses_scipys_moments() -> None:
    x = np.random.default_rng(7).standard_t(8, 800) * 0.01

    found = cornish_fisher_of_sample(x, 0.99)

    wanted = cornish_fisher_tail(x.mean(), x.std(ddof=1), float(stats.skew(x)), float(stats.kurtosis(x)), 0.99)
    assert found.var == pytest.approx(wanted.var, rel=1e-10)


def test_filtered_history_with_one_volatility_is_plain_history() -> None:
    x = np.random.default_rng(8).normal(0.0, 0.01, 400)

    tail = filtered_historical_tail(x, np.full(400, 0.02), 0.02, 0.99)

    assert tail.var == pytest.approx(historical_var(x, 0.99), rel=1e-12)
    assert tail.es == pytest.approx(expected_shortfall(x, 0.99), rel=1e-12)


@settings(deadline=None, max_examples=30)
@given(SEEDS, st.floats(0.1, 10.0))
def test_filtered_history_scales_with_tomorrows_volatility(seed: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    x, vols = rng.normal(0.0, 0.01, 200), rng.uniform(0.005, 0.03, 200)

    once, scaled = filtered_historical_tail(x, vols, 0.01), filtered_historical_tail(x, vols, size * 0.01)

    assert scaled.var == pytest.approx(size * once.var, rel=1e-9)
    assert once.es >= once.var


def test_filtered_history_refuses_a_volatility_of_zero() -> None:
    with pytest.raises(SampleError, match="above 0"):
        filtered_historical_tail(np.linspace(-0.01, 0.01, 100), np.zeros(100), 0.01)


BOOK = (np.array([0.5, 0.8, -0.2]), np.array([1e-4, 2e-4, 0.0]), np.diag([1e-4, 4e-4, 2e-4]) + 5e-5)


@pytest.mark.parametrize("dof", [None, 5.0])
def test_both_simulations_meet_the_closed_form(dof: float | None) -> None:
    weights, mean, cov = BOOK
    center, vol = float(weights @ mean), math.sqrt(weights @ cov @ weights)
    if dof is None:
        var, es = normal_var(center, vol, 0.99), normal_es(center, vol, 0.99)
    else:
        exact = student_t_tail(center, vol * math.sqrt((dof - 2) / dof), dof, 0.99)
        var, es = exact.var, exact.es

    collapsed = linear_monte_carlo_tail(weights, mean, cov, np.random.default_rng(1), level=0.99, dof=dof)
    drawn = simulated_tail(
        lambda moves: moves @ weights, mean, cov, np.random.default_rng(2), level=0.99, n_paths=400_000, dof=dof
    )

    # Three to four standard errors of the tail quantile at a million and at 400,000 paths.
    assert collapsed.var == pytest.approx(var, rel=6e-3)
    assert collapsed.es == pytest.approx(es, rel=8e-3)
    assert drawn.var == pytest.approx(var, rel=1e-2)
    assert drawn.es == pytest.approx(es, rel=1.5e-2)


def test_simulation_is_the_same_to_the_byte_for_the_same_seed() -> None:
    weights, mean, cov = BOOK

    runs = {
        simulated_tail(lambda r: r @ weights, mean, cov, np.random.default_rng(3), n_paths=60_000) for _ in range(2)
    }

    assert len(runs) == 1


def test_simulated_tail_prices_a_floor_that_the_linear_tail_cannot_see() -> None:
    weights, mean, cov = BOOK

    tail = simulated_tail(
        lambda r: np.maximum(r @ weights, -0.01), mean, cov, np.random.default_rng(4), level=0.99, n_paths=50_000
    )

    assert tail.var == pytest.approx(0.01)
    assert tail.es == pytest.approx(0.01)


def test_simulation_takes_a_singular_covariance() -> None:
    cov = np.full((2, 2), 1e-4)

    tail = simulated_tail(lambda r: r[:, 0] - r[:, 1], np.zeros(2), cov, np.random.default_rng(5), n_paths=2_000)

    assert tail.var == pytest.approx(0.0, abs=1e-9)


def test_bad_simulations_are_refused() -> None:
    weights, mean, cov = BOOK
    rng = np.random.default_rng(6)

    with pytest.raises(SampleError, match="eigenvalue"):
        linear_monte_carlo_tail(weights[:2], mean[:2], np.array([[1.0, 2.0], [2.0, 1.0]]), rng)
    with pytest.raises(ParameterError, match="n_paths"):
        linear_monte_carlo_tail(weights, mean, cov, rng, n_paths=10)
    with pytest.raises(ParameterError, match="dof"):
        linear_monte_carlo_tail(weights, mean, cov, rng, dof=2.0)
    with pytest.raises(ShapeError, match="reprice"):
        simulated_tail(lambda r: r, mean, cov, rng, n_paths=2_000)
    with pytest.raises(SampleError, match="reprice"):
        simulated_tail(lambda r: r[:, 0] * np.nan, mean, cov, rng, n_paths=2_000)


@pytest.mark.parametrize("fit", [fit_student_t, cornish_fisher_of_sample, normal_tail])
def test_unusable_samples_are_refused(fit: Callable[[np.ndarray], object]) -> None:
    good = np.random.default_rng(9).normal(0.0, 0.01, 60)

    with pytest.raises(SampleError, match="NaN"):
        fit(np.where(np.arange(60) == 3, np.nan, good))
    with pytest.raises(SampleError, match="moves"):
        fit(np.full(60, 0.01))
    with pytest.raises(SampleError, match="rows"):
        fit(good[:1])


def test_student_t_refuses_a_sample_that_mostly_stands_still() -> None:
    x = np.where(np.arange(100) % 3 == 0, np.linspace(-0.01, 0.01, 100), 0.0)

    with pytest.raises(SampleError, match="half or more"):
        fit_student_t(x)


def test_student_t_tail_without_a_mean_is_refused() -> None:
    with pytest.raises(ParameterError, match="dof"):
        student_t_tail(0.0, 0.01, 1.0)


@settings(deadline=None, max_examples=50)
@given(SEEDS, LEVELS.filter(lambda level: level <= 0.975))
def test_component_es_sums_to_the_historical_es_of_the_portfolio(seed: int, level: float) -> None:
    rng = np.random.default_rng(seed)
    weights, returns = rng.normal(0.0, 0.3, 5), rng.normal(0.0, 0.01, (100, 5))

    parts = component_es(weights, returns, level)

    assert parts.sum() == pytest.approx(expected_shortfall(returns @ weights, level), abs=1e-12)


@settings(deadline=None, max_examples=50)
@given(SEEDS)
def test_marginal_var_is_the_slope_of_incremental_var_and_of_component_var(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights, returns = rng.uniform(0.1, 0.5, 4), rng.normal(0.0, 0.01, (80, 4))
    bump = np.zeros(4)
    bump[1] = 1e-5

    slopes = marginal_var(weights, returns)

    np.testing.assert_allclose(slopes * weights, component_var(weights, returns), rtol=1e-9, atol=1e-15)
    assert incremental_var(weights, bump, returns) / 1e-5 == pytest.approx(slopes[1], rel=1e-3, abs=1e-6)


def test_incremental_var_of_selling_everything_is_minus_the_var() -> None:
    returns = np.random.default_rng(10).normal(0.0, 0.01, (200, 3))
    weights = np.array([0.5, 0.3, 0.2])

    change = incremental_var(weights, -weights, returns, 0.99)

    assert change == pytest.approx(-component_var(weights, returns, 0.99).sum(), rel=1e-12)


def test_marginal_var_of_cash_is_refused() -> None:
    with pytest.raises(SampleError, match="no slope"):
        marginal_var(np.zeros(2), np.random.default_rng(11).normal(0.0, 0.01, (50, 2)))
