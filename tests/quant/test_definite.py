"""What makes a matrix a covariance: Higham's nearest correlations, repairs that keep volatilities, and proofs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant import definite
from parley.quant.covariance import ewma_cov, sample_moments, shrunk_cov
from parley.quant.definite import ProvenCovariance, checked_covariance, nearest_correlation, nearest_psd
from parley.quant.errors import SampleError, ShapeError, SolverError

# Higham (2002), sections 1 and 4: the matrices and their nearest correlations to four digits. The digits were
# recalled, then confirmed by the optimality test below, which does not use the algorithm.
HIGHAM = [
    ([[1, 1, 0], [1, 1, 1], [0, 1, 1]], [[1, 0.7607, 0.1573], [0.7607, 1, 0.7607], [0.1573, 0.7607, 1]]),
    (
        [[2, -1, 0, 0], [-1, 2, -1, 0], [0, -1, 2, -1], [0, 0, -1, 2]],
        [
            [1, -0.8084, 0.1916, 0.1068],
            [-0.8084, 1, -0.6562, 0.1916],
            [0.1916, -0.6562, 1, -0.8084],
            [0.1068, 0.1916, -0.8084, 1],
        ],
    ),
]


def _returns(seed: int, n_days: int = 120, n_names: int = 6) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(0.0, 0.01, (n_days, 1)) * 0.7 + rng.normal(0.0, 0.01, (n_days, n_names))


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


def test_a_proven_covariance_was_checked_once_and_can_no_longer_change(monkeypatch: pytest.MonkeyPatch) -> None:
    cov = shrunk_cov(_returns(7))
    proven = ProvenCovariance(cov)
    monkeypatch.setattr(definite, "_is_psd", None)
    cov[0, 0] = -1.0

    assert checked_covariance(proven, 6) is proven.matrix
    assert proven.matrix[0, 0] > 0.0
    for made in (proven, sample_moments(_returns(7))[1]):
        with pytest.raises(ValueError, match="read-only"):
            made.matrix[0, 0] = -1.0
    with pytest.raises(ShapeError, match=r"expected \(5, 5\)"):
        checked_covariance(proven, 5)


def test_what_is_no_covariance_cannot_be_proven() -> None:
    good = shrunk_cov(_returns(8))
    lopsided = good.copy()
    lopsided[0, 1] *= 1.001

    for bad, said in ((-good, "eigenvalue"), (lopsided, "symmetric"), (np.full((6, 6), np.nan), "NaN")):
        with pytest.raises(SampleError, match=said):
            ProvenCovariance(bad)
    with pytest.raises(ShapeError, match="square"):
        ProvenCovariance(good[:5])


def test_an_asymmetry_of_rounding_is_taken_out_and_nothing_else_moves() -> None:
    cov = ewma_cov(_returns(9))
    cov[0, 1] *= 1.0 + 1e-12

    checked = checked_covariance(cov)

    assert checked.tobytes() == checked.T.copy().tobytes()
    np.testing.assert_allclose(checked, cov, rtol=1e-11)


@pytest.mark.parametrize(("matrix", "nearest"), HIGHAM)
def test_nearest_correlation_is_highams(matrix: list[list[float]], nearest: list[list[float]]) -> None:
    found = nearest_correlation(np.array(matrix, dtype=float))

    np.testing.assert_allclose(found, nearest, atol=6e-5)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_no_other_correlation_is_nearer(seed: int) -> None:
    rng = np.random.default_rng(seed)
    raw = rng.uniform(-1.0, 1.0, (5, 5))
    matrix = (raw + raw.T) / 2.0
    np.fill_diagonal(matrix, 1.0)

    found = nearest_correlation(matrix)

    np.testing.assert_array_equal(np.diag(found), 1.0)
    assert np.linalg.eigvalsh(found)[0] > -1e-8
    assert np.linalg.norm(found - matrix) <= np.linalg.norm(nearest_psd(matrix, 0.0) - matrix) + 1e-8
    for _ in range(30):
        sample = rng.normal(size=(5, rng.integers(1, 8)))
        outer = sample @ sample.T
        other = outer / np.sqrt(np.outer(np.diag(outer), np.diag(outer)))
        # The set is convex, so the nearest point makes an obtuse angle with every other one.
        assert ((matrix - found) * (other - found)).sum() <= 1e-6


def test_a_correlation_stays_and_rank_one_projections_that_stall_are_reported() -> None:
    good = np.array([[1.0, 0.3], [0.3, 1.0]])
    np.testing.assert_allclose(nearest_correlation(good), good, atol=1e-12)
    with pytest.raises(SolverError, match="still move"):
        nearest_correlation(np.array(HIGHAM[0][0], dtype=float), tolerance=1e-300)
