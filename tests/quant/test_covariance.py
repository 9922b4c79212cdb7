"""Covariances: known estimators, positive semidefinite always, no name treated differently."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.covariance import ewma_cov, ewma_vol, ewma_weights, sample_cov, sample_moments, shrunk_cov
from parley.quant.definite import checked_covariance, nearest_psd
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


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.floats(-0.5, 0.5), st.floats(0.1, 40.0))
def test_sample_moments_are_numpys_and_would_pass_the_check_that_they_are_spared(
    seed: int, n_names: int, shift: float, size: float
) -> None:
    # A copy of the first name makes the matrix singular; a large size takes the search for a loss of everything.
    returns = np.maximum(size * _returns(seed, 60, n_names) + shift, -0.99)
    returns = np.column_stack([returns, returns[:, 0]])

    mean, proven = sample_moments(returns)

    np.testing.assert_allclose(mean, returns.mean(axis=0), rtol=1e-12, atol=1e-15)
    expected = np.cov(returns, rowvar=False)
    np.testing.assert_allclose(proven.matrix, expected, rtol=1e-9, atol=1e-12 * expected.max())
    assert checked_covariance(proven.matrix.copy()).tobytes() == proven.matrix.tobytes()
    assert sample_cov(returns).tobytes() == proven.matrix.tobytes() == proven.matrix.T.copy().tobytes()


def test_a_sample_with_a_loss_of_everything_or_a_number_that_is_none_is_refused_however_quiet_the_rest() -> None:
    for bad, said in ((-1.0, "above -1"), (-1.5, "above -1"), (np.nan, "NaN"), (np.inf, "infinite"), (1e200, "large")):
        for size in (1.0, 20.0):
            returns = np.maximum(size * _returns(6), -0.9)
            returns[3, 2] = bad
            for estimate in (sample_cov, sample_moments):
                with pytest.raises(SampleError, match=said):
                    estimate(returns)
    for shape in ((0, 2), (6, 6), (5, 6)):
        with pytest.raises(SampleError, match=r"rows|more days than names"):
            sample_moments(np.zeros(shape))
    for shape in ((5,), (5, 0)):
        with pytest.raises(ShapeError):
            sample_moments(np.zeros(shape))
