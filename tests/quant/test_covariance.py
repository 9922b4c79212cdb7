"""Covariances: known estimators, positive semidefinite always, no name treated differently."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.covariance import (
    checked_covariance,
    ewma_cov,
    ewma_vol,
    ewma_weights,
    nearest_psd,
    shrunk_cov,
)
from parley.quant.errors import ParameterError, SampleError, ShapeError


def _returns(seed: int, n_days: int = 120, n_names: int = 6) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(0.0, 0.01, (n_days, 1)) * 0.7 + rng.normal(0.0, 0.01, (n_days, n_names))


def test_weights_halve_at_the_half_life_and_sum_to_one() -> None:
    weights = ewma_weights(100, 10.0)

    assert weights[-11] / weights[-1] == pytest.approx(0.5)
    assert weights.sum() == pytest.approx(1.0)


def test_ewma_covariance_is_the_weighted_sum_of_outer_products() -> None:
    returns = _returns(1)
    weights = 0.5 ** (np.arange(119, -1, -1) / 33.0)

    by_hand = sum(w * np.outer(r, r) for w, r in zip(weights, returns, strict=True)) / weights.sum()

    np.testing.assert_allclose(ewma_cov(returns), by_hand, rtol=1e-12)
    np.testing.assert_allclose(ewma_vol(returns), np.sqrt(np.diag(by_hand)), rtol=1e-12)


def test_an_infinite_half_life_in_practice_is_the_plain_second_moment() -> None:
    returns = _returns(2)

    np.testing.assert_allclose(ewma_cov(returns, 1e12), returns.T @ returns / 120, rtol=1e-9)


def test_half_shrinkage_puts_each_correlation_halfway_to_the_mean() -> None:
    returns = _returns(3)
    sample = np.corrcoef(returns, rowvar=False)
    mean = sample[~np.eye(6, dtype=bool)].mean()

    cov = shrunk_cov(returns)

    vol = ewma_vol(returns)
    assert cov[1, 4] / (vol[1] * vol[4]) == pytest.approx((sample[1, 4] + mean) / 2, rel=1e-9)
    np.testing.assert_allclose(np.sqrt(np.diag(cov)), vol, rtol=1e-12)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.floats(0.0, 1.0))
def test_shrunk_covariance_is_psd_even_with_fewer_days_than_names(seed: int, n_days: int, shrinkage: float) -> None:
    cov = shrunk_cov(_returns(seed, n_days, 15), shrinkage=shrinkage)

    assert np.linalg.eigvalsh(cov)[0] >= -1e-12 * cov.max()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.permutations(range(6)))
def test_covariances_follow_reordered_and_rescaled_names(seed: int, order: list[int]) -> None:
    returns = _returns(seed)
    for estimate in (ewma_cov, shrunk_cov):
        cov = estimate(returns)

        np.testing.assert_allclose(estimate(returns[:, order]), cov[np.ix_(order, order)], rtol=1e-9)
        np.testing.assert_allclose(estimate(3.0 * returns), 9.0 * cov, rtol=1e-9)


def test_repair_makes_an_impossible_correlation_possible_and_keeps_the_volatilities() -> None:
    # Three names cannot all be correlated at -0.9.
    vol = np.array([0.01, 0.02, 0.03])
    broken = np.where(np.eye(3, dtype=bool), 1.0, -0.9) * np.outer(vol, vol)

    with pytest.raises(SampleError, match="eigenvalue"):
        checked_covariance(broken)
    repaired = checked_covariance(nearest_psd(broken))

    np.testing.assert_allclose(np.sqrt(np.diag(repaired)), vol, rtol=1e-12)
    np.testing.assert_allclose(repaired[0, 1] / (vol[0] * vol[1]), -0.5, atol=1e-6)


def test_repair_leaves_a_good_covariance_alone() -> None:
    cov = shrunk_cov(_returns(4))

    np.testing.assert_allclose(nearest_psd(cov), cov, rtol=1e-9)


def test_unusable_covariances_and_samples_are_refused() -> None:
    with pytest.raises(ShapeError):
        checked_covariance(np.eye(3), 4)
    with pytest.raises(ShapeError):
        nearest_psd(np.ones((2, 3)))
    with pytest.raises(SampleError, match="symmetric"):
        checked_covariance(np.array([[1.0, 0.5], [0.1, 1.0]]))
    with pytest.raises(SampleError, match="never move"):
        shrunk_cov(np.column_stack([_returns(5)[:, 0], np.full(120, 0.0001)]))
    with pytest.raises(ParameterError):
        shrunk_cov(_returns(5), shrinkage=1.5)
    with pytest.raises(ParameterError):
        ewma_cov(_returns(5), 0.0)
