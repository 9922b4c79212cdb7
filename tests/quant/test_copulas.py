"""Copulas: densities against statsmodels, the printed tail dependence table, fits of known samples, refusals."""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.copulas import (
    Copula,
    copula_log_likelihood,
    copula_tail,
    fit_gaussian_copula,
    fit_t_copula,
    kendall_correlation,
    pseudo_observations,
    simulate_copula,
    tail_dependence,
)
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.var import historical_var
from scipy import stats

THREE = np.array([[1.0, 0.5, 0.2], [0.5, 1.0, 0.3], [0.2, 0.3, 1.0]])


@pytest.mark.parametrize(
    ("dof", "printed"),
    [(2.0, [0.06, 0.18, 0.39, 0.72, 1.0]), (4.0, [0.01, 0.08, 0.25, 0.63, 1.0]), (10.0, [0.0, 0.01, 0.08, 0.46, 1.0])],
)
def test_tail_dependence_is_the_printed_table(dof: float, printed: list[float]) -> None:
    # McNeil, Frey and Embrechts (2015), table 7.1 (t copula; correlations -0.5, 0, 0.5, 0.9, 1).
    found = [tail_dependence(rho, dof) for rho in (-0.5, 0.0, 0.5, 0.9, 1.0)]

    assert found == pytest.approx(printed, abs=0.0051)


def test_a_gaussian_copula_has_no_tail_dependence_below_correlation_one() -> None:
    assert tail_dependence(0.99, None) == 0.0
    assert tail_dependence(1.0, None) == 1.0
    assert tail_dependence(0.5, 1e6) < 1e-6


@settings(deadline=None, max_examples=50)
@given(st.floats(-0.95, 0.9), st.floats(0.01, 0.09), st.floats(1.0, 50.0))
def test_tail_dependence_rises_with_correlation_and_falls_with_dof(rho: float, step: float, dof: float) -> None:
    assert tail_dependence(rho + step, dof) >= tail_dependence(rho, dof)
    assert tail_dependence(rho, dof * 2.0) <= tail_dependence(rho, dof)


def test_log_likelihoods_are_those_of_statsmodels() -> None:
    peer = pytest.importorskip("statsmodels.distributions.copula.api")
    pair = np.array([[1.0, 0.5], [0.5, 1.0]])
    u = simulate_copula(Copula(pair, 4.0, 0.0), 300, np.random.default_rng(1))

    assert copula_log_likelihood(u, pair, 4.0) == pytest.approx(
        peer.StudentTCopula(corr=pair, df=4).logpdf(u).sum(), rel=1e-9
    )
    assert copula_log_likelihood(u, pair, None) == pytest.approx(
        peer.GaussianCopula(corr=pair).logpdf(u).sum(), rel=1e-9
    )


def test_t_copula_density_is_the_joint_over_the_marginals_in_three_dimensions() -> None:
    u = np.random.default_rng(2).uniform(0.01, 0.99, (40, 3))
    x = stats.t.ppf(u, 5)
    law: Any = stats.multivariate_t
    by_hand = law.logpdf(x, shape=THREE, df=5).sum() - stats.t.logpdf(x, 5).sum()

    assert copula_log_likelihood(u, THREE, 5.0) == pytest.approx(by_hand, rel=1e-9)


def test_t_copula_fit_finds_what_was_simulated() -> None:
    u = simulate_copula(Copula(THREE, 4.0, 0.0), 3_000, np.random.default_rng(3))

    fit = fit_t_copula(u)

    np.testing.assert_allclose(fit.correlation, THREE, atol=0.06)
    assert fit.dof == pytest.approx(4.0, rel=0.2)
    assert fit.log_likelihood > fit_gaussian_copula(u).log_likelihood + 50.0


def test_a_gaussian_sample_asks_for_many_degrees_of_freedom() -> None:
    u = simulate_copula(Copula(THREE, None, 0.0), 2_000, np.random.default_rng(4))

    fit = fit_t_copula(u)

    assert fit.dof is not None
    assert fit.dof > 25.0


def test_simulated_pairs_have_the_tau_of_their_correlation() -> None:
    u = simulate_copula(Copula(THREE, 4.0, 0.0), 20_000, np.random.default_rng(5))

    assert stats.kendalltau(u[:, 0], u[:, 1])[0] == pytest.approx(2 / math.pi * math.asin(0.5), abs=0.015)
    assert stats.kstest(u[:, 2], "uniform").pvalue > 0.001


def test_joint_crashes_of_a_simulated_t_copula_match_its_tail_dependence() -> None:
    u = simulate_copula(Copula(THREE[:2, :2], 3.0, 0.0), 400_000, np.random.default_rng(6))
    both = float(((u < 0.002).all(axis=1)).mean()) / 0.002

    assert both == pytest.approx(tail_dependence(0.5, 3.0), abs=0.05)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1))
def test_only_ranks_matter_to_the_fit(seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(80, 3))

    np.testing.assert_allclose(kendall_correlation(np.exp(3.0 * x)), kendall_correlation(x), atol=1e-12)
    assert pseudo_observations(x).max() == pytest.approx(80 / 81)


def test_the_fitted_correlation_is_positive_definite_with_more_names_than_it_can_bear() -> None:
    x = np.round(np.random.default_rng(7).normal(size=(60, 2)) @ np.ones((2, 12)), 1)
    x += np.random.default_rng(8).normal(size=x.shape)

    assert np.linalg.eigvalsh(kendall_correlation(x))[0] > 0.0


def test_portfolio_tail_of_one_heavy_copula_is_beyond_that_of_independence() -> None:
    rng = np.random.default_rng(9)
    returns = rng.normal(0.0, 0.01, (500, 3))
    weights = np.full(3, 1.0 / 3.0)

    apart = copula_tail(Copula(np.eye(3), None, 0.0), weights, returns, np.random.default_rng(10), level=0.99)
    close = copula_tail(Copula(THREE, 3.0, 0.0), weights, returns, np.random.default_rng(10), level=0.99)

    assert close.var > apart.var > 0.0
    assert apart.var == pytest.approx(historical_var(returns @ weights, 0.99), rel=0.2)
    assert close.es >= close.var


def test_bad_copulas_are_refused() -> None:
    x = np.random.default_rng(11).normal(size=(100, 2))
    rng = np.random.default_rng(12)

    with pytest.raises(SampleError, match="lockstep"):
        kendall_correlation(np.column_stack([x[:, 0], 2.0 * x[:, 0]]))
    with pytest.raises(SampleError, match="never move"):
        pseudo_observations(np.column_stack([x[:, 0], np.zeros(100)]))
    with pytest.raises(ShapeError, match="two or more"):
        kendall_correlation(x[:, :1])
    with pytest.raises(SampleError, match="rows"):
        kendall_correlation(x[:20])
    with pytest.raises(ParameterError, match="uniforms"):
        copula_log_likelihood(np.array([[0.0, 0.5]]), np.eye(2), 4.0)
    with pytest.raises(SampleError, match="eigenvalue"):
        simulate_copula(Copula(np.array([[1.0, 1.2], [1.2, 1.0]]), 4.0, 0.0), 10, rng)
    with pytest.raises(ParameterError, match="correlation"):
        tail_dependence(1.5, 4.0)
    with pytest.raises(ShapeError, match="names"):
        copula_tail(Copula(THREE, 4.0, 0.0), np.ones(2), x, rng)


def test_kendalls_tau_of_all_columns_is_scipys_of_each_pair_ties_and_all() -> None:
    x = np.random.default_rng(31).normal(size=(90, 4)) @ np.array([[1.0, 0.5, 0.2, -0.4]] * 4) + np.round(
        np.random.default_rng(32).normal(size=(90, 4)), 0
    )
    x = np.round(x, 0)

    found = kendall_correlation(x)

    for i in range(4):
        for j in range(i):
            tau = cast(float, stats.kendalltau(x[:, i], x[:, j])[0])
            assert found[i, j] == pytest.approx(math.sin(0.5 * math.pi * tau), abs=1e-12)
