"""Robust weights: their closed relations to Markowitz, the worst case itself, and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError, ShapeError, SolverError
from parley.quant.optimizer import maximize_utility
from parley.quant.robust import box_robust_weights, ellipsoid_radius, ellipsoid_robust_weights
from parley.quant.weight_limits import GroupLimits

GAMMA = 5.0


def _problem(seed: int, n_names: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    driven = rng.normal(0.0, 0.01, (60, n_names))
    return rng.normal(0.0004, 0.0008, n_names), driven.T @ driven / 60


def test_the_radius_is_the_chi_squared_quantile_of_the_tables() -> None:
    # NIST/SEMATECH e-Handbook, table 1.3.6.7.4: upper 5 % of chi-squared with 10 degrees of freedom is 18.307.
    assert ellipsoid_radius(10, 250, 0.95) == pytest.approx(np.sqrt(18.307 / 250), rel=1e-5)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 1.5))
def test_without_limits_the_ellipsoid_shrinks_markowitz_by_one_less_radius_over_sharpe(seed: int, part: float) -> None:
    mean, cov = _problem(seed)
    markowitz = np.linalg.solve(GAMMA * cov, mean)
    sharpe = float(np.sqrt(mean @ np.linalg.solve(cov, mean)))
    wide = float(np.abs(markowitz).max()) * 3.0

    found = ellipsoid_robust_weights(
        mean, cov, part * sharpe, gamma=GAMMA, lower=-wide, upper=wide, total=(-100 * wide, 100 * wide)
    )

    expected = max(1.0 - part, 0.0) * markowitz
    np.testing.assert_allclose(found.weights, expected, atol=2e-3 * float(np.abs(markowitz).max()))


def test_a_radius_of_zero_is_plain_mean_variance() -> None:
    mean, cov = _problem(1)

    robust = ellipsoid_robust_weights(mean, cov, 0.0, gamma=GAMMA, upper=0.4)
    plain = maximize_utility(mean, cov, lower=np.zeros(5), upper=np.full(5, 0.4), gamma=GAMMA)

    np.testing.assert_allclose(robust.weights, plain.weights, atol=1e-4)
    assert robust.utility == pytest.approx(plain.utility, abs=1e-8)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_the_reported_utility_is_the_worst_over_sampled_means(seed: int) -> None:
    mean, cov = _problem(seed)
    rng = np.random.default_rng(seed)
    error = rng.uniform(0.0, 5e-4, 5)
    low, high = np.full(5, -0.5), np.full(5, 0.8)

    box = box_robust_weights(mean, error, cov, gamma=GAMMA, lower=low, upper=high)
    ball = ellipsoid_robust_weights(mean, cov, 0.1, gamma=GAMMA, lower=low, upper=high)

    root = np.linalg.cholesky(cov)
    for _ in range(40):
        unit = rng.normal(size=5)
        unit /= np.linalg.norm(unit)
        for found, true in ((box, mean + error * rng.uniform(-1.0, 1.0, 5)), (ball, mean + 0.1 * root @ unit)):
            risk = GAMMA / 2.0 * found.weights @ cov @ found.weights
            assert true @ found.weights - risk >= found.utility - 1e-9
    worst = mean - error * np.sign(box.weights)
    assert box.utility == pytest.approx(worst @ box.weights - GAMMA / 2 * box.weights @ cov @ box.weights, abs=1e-12)


def test_a_long_only_box_is_mean_variance_at_the_lowest_means() -> None:
    mean, cov = _problem(2)
    error = np.array([0.0, 1e-4, 2e-4, 3e-4, 4e-4])
    limits = {"lower": np.zeros(5), "upper": np.full(5, 0.5), "gamma": GAMMA}

    robust = box_robust_weights(mean, error, cov, **limits)
    plain = maximize_utility(mean - error, cov, **limits)

    np.testing.assert_allclose(robust.weights, plain.weights, atol=1e-6)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1))
def test_more_doubt_never_raises_the_utility_or_the_volatility_without_a_budget(seed: int) -> None:
    mean, cov = _problem(seed)

    path = [
        ellipsoid_robust_weights(mean, cov, radius, gamma=GAMMA, total=(0.0, 5.0)) for radius in (0.0, 0.02, 0.05, 0.2)
    ]

    vols = [float(np.sqrt(found.weights @ cov @ found.weights)) for found in path]
    assert (np.diff([found.utility for found in path]) <= 1e-9).all()
    assert (np.diff(vols) <= 1e-5).all()


def test_unusable_inputs_are_refused_and_conflicts_named() -> None:
    mean, cov = _problem(3)

    with pytest.raises(ParameterError):
        ellipsoid_robust_weights(mean, cov, -0.1, gamma=GAMMA)
    with pytest.raises(ParameterError):
        ellipsoid_radius(5, 250, 1.0)
    with pytest.raises(ParameterError):
        ellipsoid_radius(5, 0)
    with pytest.raises(ParameterError, match="cost"):
        box_robust_weights(mean, np.full(5, -1e-4), cov, gamma=GAMMA, lower=np.zeros(5), upper=np.ones(5))
    with pytest.raises(ShapeError):
        ellipsoid_robust_weights(mean, cov, 0.1, gamma=GAMMA, mean_cov=np.eye(4))
    with pytest.raises(SampleError, match="eigenvalue"):
        ellipsoid_robust_weights(mean, cov, 0.1, gamma=GAMMA, mean_cov=-np.eye(5))
    with pytest.raises(SolverError, match=r"total of 1; group a at most 0\.2; group b at most 0\.3"):
        groups = GroupLimits.of_labels("aabbb", {"a": 0.2, "b": 0.3})
        ellipsoid_robust_weights(mean, cov, 0.1, gamma=GAMMA, groups=groups)
