"""What makes a matrix a covariance: checked once, proven for good, or repaired when it is not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray, checked_above, checked_at_least, checked_matrix
from .errors import SampleError, ShapeError, SolverError

_PSD_TOLERANCE = 1e-9
_MOST_PROJECTIONS = 2000


@dataclass(frozen=True, slots=True, eq=False)
class ProvenCovariance:
    """A covariance that is known to be sound, so that it is checked once however many portfolios are built from it.

    ``ProvenCovariance(cov)`` checks a copy of ``cov``, with the errors of ``checked_covariance``; ``sample_moments``
    makes one that is sound by construction.
    """

    matrix: FloatArray
    """(n_names, n_names) per period: finite, symmetric, positive semidefinite, and read-only."""

    def __post_init__(self) -> None:
        matrix = checked_covariance(np.array(self.matrix, dtype=np.float64))
        matrix.setflags(write=False)
        object.__setattr__(self, "matrix", matrix)


def checked_covariance(cov: FloatArray | ProvenCovariance, n_names: int | None = None) -> FloatArray:
    """A finite, symmetric, positive semidefinite (n, n) covariance, else a typed error; a proven one at no cost.

    Raises
    ------
    ShapeError : not square, or not of size ``n_names``
    SampleError : a NaN or an infinity, not symmetric, or an eigenvalue clearly below zero
    """
    proven = isinstance(cov, ProvenCovariance)
    matrix = cov.matrix if proven else checked_matrix(cov, name="cov")
    if matrix.shape[0] != matrix.shape[1] or n_names not in (None, len(matrix)):
        wanted = "a square matrix" if n_names is None else f"({n_names}, {n_names})"
        raise ShapeError(f"cov: found shape {matrix.shape}, expected {wanted}")
    if proven:
        return matrix
    scale = max(float(matrix.max()), -float(matrix.min()))
    # Estimates are symmetric to the bit, which is far cheaper to see than a difference to measure.
    if not (matrix == matrix.T).all():
        if np.abs(matrix - matrix.T).max() > 1e-8 * scale:
            raise SampleError("cov: found a matrix that is not symmetric, expected cov[i, j] == cov[j, i]")
        matrix = (matrix + matrix.T) / 2.0
    if not _is_psd(matrix, scale):
        raise SampleError(
            f"cov: found the eigenvalue {np.linalg.eigvalsh(matrix)[0]:.3e}, expected none below zero",
            remedy="Repair it with parley.quant.definite.nearest_psd first.",
        )
    return matrix


def nearest_psd(cov: FloatArray, floor_frac: float = 1e-8) -> FloatArray:
    """The covariance with its low eigenvalues raised to ``floor_frac`` of the mean variance.

    Works on the correlation and puts the variances back, so every name keeps its own volatility.
    This is eigenvalue clipping (close to, but not, Higham's nearest correlation matrix).

    Raises
    ------
    ShapeError : not square
    SampleError : a NaN or an infinity, or a variance that is not positive

    Source: Rebonato and Jäckel (1999), J. of Risk 2(2), spectral decomposition.
    """
    matrix = checked_matrix(cov, name="cov")
    if matrix.shape[0] != matrix.shape[1]:
        raise ShapeError(f"cov: found shape {matrix.shape}, expected a square matrix")
    checked_at_least(floor_frac, 0.0, name="floor_frac")
    variance = np.diag(matrix)
    if variance.min() <= 0.0:
        raise SampleError(f"cov: the lowest variance is {variance.min():.3e}, expected above zero")
    vol = np.sqrt(variance)
    correlation = (matrix + matrix.T) / 2.0 / np.outer(vol, vol)
    values, vectors = np.linalg.eigh(correlation)
    repaired = (vectors * np.maximum(values, floor_frac)) @ vectors.T
    rescale = vol / np.sqrt(np.diag(repaired))
    return repaired * np.outer(rescale, rescale)


def nearest_correlation(matrix: FloatArray, tolerance: float = 1e-10) -> FloatArray:
    """The correlation matrix nearest to a symmetric ``matrix`` in the Frobenius norm, (n, n).

    Alternating projections onto the positive semidefinite matrices and onto those of unit diagonal, with
    Dykstra's correction for the first set. Slower than ``nearest_psd``, and truly the nearest.

    Parameters
    ----------
    matrix : (n, n) symmetric, such as a correlation from series of different length
    tolerance : largest relative change, by either projection, at which it stops

    Raises
    ------
    ShapeError, SampleError : not square, not symmetric, a NaN or an infinity
    SolverError : not converged after 2000 projections

    Source: Higham (2002), "Computing the nearest correlation matrix", IMA J. of Numerical Analysis 22, alg. 3.3.
    """
    y = checked_matrix(matrix, name="matrix").copy()
    if y.shape[0] != y.shape[1]:
        raise ShapeError(f"matrix: found shape {y.shape}, expected a square matrix")
    if np.abs(y - y.T).max() > 1e-8 * np.abs(y).max():
        raise SampleError("matrix: found one that is not symmetric, expected matrix[i, j] == matrix[j, i]")
    checked_above(tolerance, 0.0, name="tolerance")
    correction = np.zeros_like(y)
    moved = np.inf
    for _ in range(_MOST_PROJECTIONS):
        lifted = y - correction
        values, vectors = np.linalg.eigh(lifted)
        x = (vectors * np.maximum(values, 0.0)) @ vectors.T
        correction = x - lifted
        before, y = y, (x + x.T) / 2.0
        np.fill_diagonal(y, 1.0)
        # Both must settle: the iterate, and its distance to the semidefinite side.
        moved = max(float(np.linalg.norm(y - before)), float(np.linalg.norm(y - x)))
        if moved <= tolerance * float(np.linalg.norm(y)):
            return y
    raise SolverError(
        f"matrix: the projections still move by {moved:.3e} after {_MOST_PROJECTIONS}, expected {tolerance:.1e}",
        remedy="Allow a larger tolerance, or use nearest_psd, which always finishes.",
    )


def _is_psd(matrix: FloatArray, scale: float) -> bool:
    """Cholesky of a barely lifted matrix: four times cheaper than eigenvalues, and it runs on every solve."""
    if scale == 0.0:
        return True
    try:
        lifted = matrix.copy()
        lifted.ravel()[:: len(matrix) + 1] += _PSD_TOLERANCE * scale
        np.linalg.cholesky(lifted)
    except np.linalg.LinAlgError:
        return False
    return True
