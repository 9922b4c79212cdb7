"""Shrunk, denoised, factor and repaired covariances against scikit-learn, the papers and their own definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.covariance import sample_cov
from parley.quant.definite import checked_covariance, nearest_correlation
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.shrinkage import (
    constant_correlation_cov,
    denoised_cov,
    factor_model_cov,
    fitted_factor_cov,
    ledoit_wolf_cov,
    oas_cov,
    rank_cov,
)


def _returns(seed: int, n_days: int = 120, n_names: int = 6, load: float = 0.7) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(0.0, 0.01, (n_days, 1)) * load + rng.normal(0.0003, 0.01, (n_days, n_names))


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_sample_covariance_is_numpys_for_small_and_for_large_means(shift: float) -> None:
    returns = _returns(1) + shift

    np.testing.assert_allclose(sample_cov(returns), np.cov(returns, rowvar=False), rtol=1e-10, atol=1e-18)


@pytest.mark.parametrize("shape", [(40, 30), (300, 5), (12, 25)])
def test_identity_shrinkage_and_its_intensity_are_scikit_learns(shape: tuple[int, int]) -> None:
    from sklearn.covariance import ledoit_wolf, oas

    returns = _returns(2, *shape) * np.linspace(0.5, 2.0, shape[1])

    for ours, theirs in ((ledoit_wolf_cov(returns), ledoit_wolf(returns)), (oas_cov(returns), oas(returns))):
        assert 0.0 < ours[1] < 1.0
        assert ours[1] == pytest.approx(theirs[1], rel=1e-9)
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-9)


def test_constant_correlation_intensity_is_the_papers_sums_written_out() -> None:
    # Ledoit and Wolf (2004), appendix B, term by term in loops; no number is printed there to compare with.
    returns = _returns(3, 150, 4)
    returns[:, 1] += 1.5 * returns[:, 0]
    days, names = returns.shape
    x = returns - returns.mean(axis=0)
    s = x.T @ x / days
    r = s / np.sqrt(np.outer(np.diag(s), np.diag(s)))
    mean = sum(r[i, j] for i in range(names) for j in range(names) if i != j) / (names * (names - 1))
    target = np.array(
        [[s[i, i] if i == j else mean * np.sqrt(s[i, i] * s[j, j]) for j in range(names)] for i in range(names)]
    )
    pi = rho = 0.0
    for i in range(names):
        for j in range(names):
            asymptotic = np.mean((x[:, i] * x[:, j] - s[i, j]) ** 2)
            pi += asymptotic
            if i == j:
                rho += asymptotic
            else:
                theta_i = np.mean((x[:, i] ** 2 - s[i, i]) * (x[:, i] * x[:, j] - s[i, j]))
                theta_j = np.mean((x[:, j] ** 2 - s[j, j]) * (x[:, i] * x[:, j] - s[i, j]))
                rho += mean / 2 * (np.sqrt(s[j, j] / s[i, i]) * theta_i + np.sqrt(s[i, i] / s[j, j]) * theta_j)
    expected = (pi - rho) / np.square(s - target).sum() / days

    cov, intensity = constant_correlation_cov(returns)

    assert 0.0 < expected < 1.0
    assert intensity == pytest.approx(expected, rel=1e-9)
    np.testing.assert_allclose(cov, expected * target + (1 - expected) * s, rtol=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(3, 60), st.integers(2, 20))
def test_every_shrunk_or_denoised_estimate_is_psd_and_scales_with_the_square(seed: int, days: int, names: int) -> None:
    returns = _returns(seed, days, names)
    for estimate in (ledoit_wolf_cov, oas_cov, constant_correlation_cov, denoised_cov):
        cov, chosen = estimate(returns)

        checked_covariance(cov)
        assert cov.tobytes() == cov.T.copy().tobytes()
        assert estimate(2.0 * returns)[1] == pytest.approx(chosen, rel=1e-6)
        np.testing.assert_allclose(estimate(2.0 * returns)[0], 4.0 * cov, rtol=1e-6, atol=1e-15)


def test_shrinkage_is_nearer_to_the_truth_than_the_sample() -> None:
    truth = 0.0001 * (0.49 * np.ones((20, 20)) + np.eye(20))
    errors = {"sample": 0.0, "shrunk": 0.0, "constant": 0.0}
    for seed in range(20):
        returns = _returns(seed, 30, 20)
        errors["sample"] += np.square(sample_cov(returns) - truth).sum()
        errors["shrunk"] += np.square(ledoit_wolf_cov(returns)[0] - truth).sum()
        errors["constant"] += np.square(constant_correlation_cov(returns)[0] - truth).sum()

    assert errors["shrunk"] < errors["sample"]
    assert errors["constant"] < errors["sample"]


def test_denoising_finds_the_planted_factors_and_keeps_every_variance() -> None:
    # Pure noise stays under the edge of Marchenko and Pastur; each planted factor stands far above it.
    rng = np.random.default_rng(4)
    noise = rng.normal(0.0, 0.01, (1000, 50))
    loadings = rng.choice([-1.0, 1.0], (3, 50))

    assert denoised_cov(noise)[1] <= 1
    driven = noise + 0.01 * rng.normal(size=(1000, 3)) @ loadings
    cov, n_signal = denoised_cov(driven)

    assert n_signal == 3
    np.testing.assert_allclose(np.diag(cov), driven.var(axis=0, ddof=1), rtol=1e-10)
    truth = 1e-4 * (loadings.T @ loadings + np.eye(50))
    assert np.linalg.norm(np.linalg.inv(cov) @ truth - np.eye(50)) < np.linalg.norm(
        np.linalg.inv(sample_cov(driven)) @ truth - np.eye(50)
    )


def test_factor_covariance_by_hand_and_by_one_regression_a_name() -> None:
    by_hand = factor_model_cov(np.array([[1.0], [0.5]]), np.array([[0.04]]), np.array([0.01, 0.02]))
    np.testing.assert_allclose(by_hand, [[0.05, 0.02], [0.02, 0.03]], rtol=1e-12)

    rng = np.random.default_rng(5)
    factors = rng.normal(0.0, 0.01, (200, 2))
    returns = factors @ np.array([[1.0, 0.5, -0.2], [0.0, 0.3, 0.8]]) + rng.normal(0.0, 0.01, (200, 3))
    design = np.column_stack([np.ones(200), factors])
    betas, residual = np.zeros((3, 2)), np.zeros(3)
    for name in range(3):
        solved = np.linalg.solve(design.T @ design, design.T @ returns[:, name])
        betas[name], residual[name] = solved[1:], np.square(returns[:, name] - design @ solved).sum() / 197
    expected = betas @ np.cov(factors, rowvar=False) @ betas.T + np.diag(residual)
    np.testing.assert_allclose(fitted_factor_cov(returns, factors), expected, rtol=1e-9)


def test_unusable_samples_are_refused_by_every_estimate() -> None:
    flat = np.column_stack([_returns(6)[:, 0], np.full(120, 0.0001)])
    gap = _returns(6)
    gap[3, 2] = np.nan
    for estimate in (sample_cov, ledoit_wolf_cov, oas_cov, constant_correlation_cov, denoised_cov):
        with pytest.raises(SampleError, match="never move"):
            estimate(flat)
        with pytest.raises(SampleError, match="NaN"):
            estimate(gap)
        with pytest.raises(SampleError, match="rows"):
            estimate(gap[:1])
    with pytest.raises(SampleError, match="more days than names"):
        sample_cov(_returns(6, 5, 6))
    with pytest.raises(ShapeError, match="at least 2"):
        constant_correlation_cov(_returns(6, 50, 1))
    with pytest.raises(SampleError, match="rank 1"):
        fitted_factor_cov(_returns(6), np.ones((120, 2)) * _returns(7)[:, :1])
    with pytest.raises(ShapeError, match="days"):
        fitted_factor_cov(_returns(6), _returns(7, 100, 2))
    with pytest.raises(SampleError, match="residual_variance"):
        factor_model_cov(np.ones((2, 1)), np.eye(1), np.array([0.1, -0.1]))
    with pytest.raises(SampleError, match="symmetric"):
        nearest_correlation(np.array([[1.0, 0.5], [0.1, 1.0]]))
    with pytest.raises(ShapeError):
        nearest_correlation(np.ones((2, 3)))
    with pytest.raises(ParameterError):
        nearest_correlation(np.eye(2), tolerance=0.0)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(3, 60), st.integers(2, 20))
def test_correlations_by_ranks_are_psd_keep_every_variance_and_ignore_how_wild_the_wildest_day_was(
    seed: int, days: int, names: int
) -> None:
    returns = _returns(seed, days, names)
    wilder = returns.copy()
    wilder[np.argmax(returns[:, 0]), 0] += 5.0

    cov, other = rank_cov(returns), rank_cov(wilder)

    checked_covariance(cov)
    np.testing.assert_allclose(np.diag(cov), returns.var(axis=0, ddof=1), rtol=1e-9)
    vol, wide = np.sqrt(np.diag(cov)), np.sqrt(np.diag(other))
    np.testing.assert_allclose(cov / np.outer(vol, vol), other / np.outer(wide, wide), atol=1e-8)


def test_ranks_of_normal_returns_give_back_their_correlation() -> None:
    truth = np.array([[1.0, 0.6, -0.3], [0.6, 1.0, 0.2], [-0.3, 0.2, 1.0]])
    returns = np.random.default_rng(2).multivariate_normal(np.zeros(3), truth * 1e-4, 40_000)

    cov = rank_cov(returns)

    # Three standard errors of a correlation at this length are 0.015.
    np.testing.assert_allclose(cov / np.sqrt(np.outer(np.diag(cov), np.diag(cov))), truth, atol=0.015)
