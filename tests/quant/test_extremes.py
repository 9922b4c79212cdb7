"""Peaks over threshold: the fit against scipy, published risk figures, diagnostics, and shapes without a mean."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError
from parley.quant.extremes import (
    ParetoTail,
    fit_excesses,
    fit_pareto_tail,
    hill,
    mean_excess,
    pareto_tail_risk,
    threshold_scan,
)
from scipy import stats


@pytest.mark.parametrize("shape", [-0.3, -0.1, 0.0, 0.2, 0.5, 0.9, 1.5])
def test_fit_reaches_the_likelihood_of_scipys_fit(shape: float) -> None:
    y = np.asarray(stats.genpareto.rvs(shape, scale=0.01, size=200, random_state=np.random.default_rng(1)))
    peer_shape, _, peer_scale = stats.genpareto.fit(y, floc=0)

    xi, scale, log_likelihood = fit_excesses(y)

    assert log_likelihood >= stats.genpareto.logpdf(y, peer_shape, 0, peer_scale).sum() - 1e-9
    assert log_likelihood == pytest.approx(stats.genpareto.logpdf(y, xi, 0, scale).sum(), rel=1e-10)
    assert xi == pytest.approx(peer_shape, abs=2e-3)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 1e3))
def test_shape_does_not_depend_on_the_unit(seed: int, size: float) -> None:
    y = np.random.default_rng(seed).pareto(3.0, 120)

    (xi, scale, _), (moved_xi, moved_scale, _) = fit_excesses(y), fit_excesses(size * y)

    assert moved_xi == pytest.approx(xi, abs=1e-5)
    assert moved_scale == pytest.approx(size * scale, rel=1e-4)


def test_risk_of_the_danish_fire_losses_is_the_published_one() -> None:
    # McNeil (1997), Danish fire insurance: threshold 10, shape 0.497, scale 6.98, 109 of 2,167 losses beyond it;
    # quoted 99 % quantile 27.3 and shortfall 58.2. The three-digit inputs carry about 0.1 of rounding.
    danish = ParetoTail(10.0, 0.497, 6.98, 109, 2167, 0.0)

    risk = pareto_tail_risk(danish, 0.99)

    assert risk.var == pytest.approx(27.3, abs=0.05)
    assert risk.es == pytest.approx(58.2, abs=0.1)


@pytest.mark.parametrize("shape", [-0.2, 0.0, 1e-12, 0.3, 0.8])
@pytest.mark.parametrize("level", [0.995, 0.999])
def test_risk_is_the_quantile_and_the_tail_mean_of_scipys_law(shape: float, level: float) -> None:
    fit = ParetoTail(0.02, shape, 0.01, 100, 1000, 0.0)
    beyond = 1.0 - (1.0 - level) / 0.1
    var = 0.02 + stats.genpareto.ppf(beyond, shape, scale=0.01)
    excess_law = stats.genpareto(shape, scale=0.01 + shape * (var - 0.02))

    risk = pareto_tail_risk(fit, level)

    assert risk.var == pytest.approx(var, rel=1e-9)
    assert risk.es == pytest.approx(var + excess_law.mean(), rel=1e-9)


@settings(deadline=None, max_examples=50)
@given(st.floats(-0.4, 0.95), st.floats(0.95, 0.9995), st.floats(1e-6, 4e-4))
def test_far_out_risk_rises_with_the_level(shape: float, level: float, step: float) -> None:
    fit = ParetoTail(0.02, shape, 0.01, 100, 1000, 0.0)

    near, far = pareto_tail_risk(fit, level), pareto_tail_risk(fit, level + step)

    assert far.var >= near.var
    assert near.es > near.var


def test_tail_of_t_returns_is_found_within_its_error() -> None:
    x = 0.01 * np.random.default_rng(3).standard_t(4, 20_000)

    fit = fit_pareto_tail(x, 0.97)

    assert fit.n_excesses == 600
    assert abs(fit.shape - 0.25) < 3 * fit.shape_error
    assert pareto_tail_risk(fit, 0.999).var == pytest.approx(-0.01 * stats.t.ppf(0.001, 4), rel=0.1)


def test_a_tail_without_a_mean_has_no_shortfall() -> None:
    with pytest.raises(SampleError, match="infinite"):
        pareto_tail_risk(ParetoTail(0.02, 1.0, 0.01, 100, 1000, 0.0), 0.995)


def test_a_level_below_the_threshold_is_refused() -> None:
    with pytest.raises(ParameterError, match="threshold"):
        pareto_tail_risk(ParetoTail(0.02, 0.2, 0.01, 100, 1000, 0.0), 0.85)


def test_modified_scale_and_shape_stay_put_on_a_pareto_tail() -> None:
    x = -np.asarray(stats.genpareto.rvs(0.25, 0.001, 0.01, 20_000, random_state=np.random.default_rng(4)))

    scan = threshold_scan(x, np.array([0.5, 0.7, 0.9]))

    assert [fit.n_excesses for fit in scan] == [10_000, 6_000, 2_000]
    assert all(abs(fit.shape - 0.25) < 3 * fit.shape_error for fit in scan)
    assert np.ptp([fit.modified_scale for fit in scan]) < 0.002


def test_mean_excess_of_a_pareto_tail_is_a_straight_line() -> None:
    # E[X - u | X > u] = (scale + shape u) / (1 - shape).
    x = -np.asarray(stats.genpareto.rvs(0.2, 0.0, 0.01, 200_000, random_state=np.random.default_rng(5)))
    at = np.array([0.0, 0.01, 0.03])

    np.testing.assert_allclose(mean_excess(x, at), (0.01 + 0.2 * at) / 0.8, rtol=0.03)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-0.2, 0.1), min_size=5, max_size=60))
def test_mean_excess_is_the_mean_written_out(values: list[float]) -> None:
    losses = -np.array(values)
    at = float(np.sort(losses)[0]) - 0.01

    found = mean_excess(np.array(values), np.array([at]))

    assert found[0] == pytest.approx(losses[losses > at].mean() - at, abs=1e-12)


def test_hill_of_a_geometric_sample_is_known() -> None:
    # Losses 16, 8, 4, 2, 1: with k = 4 the logs above 1 average (4 + 3 + 2 + 1) log 2 / 4.
    found = hill(-np.array([2.0, 16.0, 1.0, 8.0, 4.0]), 4)

    assert found.alpha == pytest.approx(1.0 / (2.5 * math.log(2.0)), rel=1e-12)
    assert found.threshold == 1.0
    assert found.standard_error == pytest.approx(found.alpha / 2.0)


def test_hill_finds_the_exponent_of_a_pareto_law() -> None:
    x = -(1.0 + np.random.default_rng(6).pareto(3.0, 5_000))

    found = hill(x, 500)

    assert abs(found.alpha - 3.0) < 3 * found.standard_error


def test_bad_tails_are_refused() -> None:
    x = np.random.default_rng(7).normal(0.0, 0.01, 400)

    with pytest.raises(SampleError, match="rows"):
        fit_pareto_tail(x, 0.95)
    with pytest.raises(SampleError, match="expected above 0"):
        fit_pareto_tail(np.abs(x), 0.9)
    with pytest.raises(SampleError, match="varies"):
        fit_excesses(np.full(50, 0.01))
    with pytest.raises(SampleError, match="shape"):
        fit_excesses(np.linspace(0.001, 0.01, 60))
    with pytest.raises(SampleError, match="NaN"):
        fit_excesses(np.append(np.abs(x), np.nan))
    with pytest.raises(SampleError, match="still rises"):
        fit_excesses(np.exp(np.linspace(-200.0, 0.0, 60)))
    with pytest.raises(SampleError, match="exceeds"):
        mean_excess(x, np.array([1.0]))
    with pytest.raises(ParameterError, match="n_tail"):
        hill(x, 400)
    with pytest.raises(SampleError, match="above 0"):
        hill(x, 399)
