"""Covariances of daily returns: sample, exponentially weighted, shrunk by a fixed share; checked, and repaired."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import (
    FloatArray,
    checked_above,
    checked_at_least,
    checked_matrix,
    checked_returns,
)
from .errors import ParameterError, SampleError, ShapeError, SolverError

VOL_HALF_LIFE_DAYS = 33.0
CORRELATION_DAYS = 252
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


def ewma_weights(n_days: int, half_life_days: float) -> FloatArray:
    """Weights (n_days,) that halve every ``half_life_days``, oldest first, summing to 1."""
    checked_above(half_life_days, 0.0, name="half_life_days")
    weights = np.exp2(np.arange(1.0 - n_days, 1.0) / half_life_days)
    return weights / weights.sum()


def ewma_cov(returns: FloatArray, half_life_days: float = VOL_HALF_LIFE_DAYS) -> FloatArray:
    """Zero-mean exponentially weighted covariance, (n_names, n_names), in daily squared fractions.

    The mean is taken as zero because a daily mean is far smaller than its own standard error.

    Parameters
    ----------
    returns : (n_days, n_names) simple daily returns, as fractions

    Raises
    ------
    SampleError : no rows, a NaN or an infinity

    Source: RiskMetrics Technical Document (1996), section 5.2, with weights that sum to one.
    """
    matrix = checked_returns(returns)
    weights = ewma_weights(len(matrix), half_life_days)
    return (matrix * weights[:, None]).T @ matrix


def ewma_vol(returns: FloatArray, half_life_days: float = VOL_HALF_LIFE_DAYS) -> FloatArray:
    """Zero-mean exponentially weighted volatility (n_names,), daily fractions; errors as ``ewma_cov``."""
    matrix = checked_returns(returns)
    return np.sqrt(ewma_weights(len(matrix), half_life_days) @ np.square(matrix))


def shrunk_cov(
    returns: FloatArray,
    *,
    half_life_days: float = VOL_HALF_LIFE_DAYS,
    correlation_days: int = CORRELATION_DAYS,
    shrinkage: float = 0.5,
) -> FloatArray:
    """EWMA volatilities around a long correlation shrunk toward its own mean, (n_names, n_names), daily.

    Volatility moves fast and correlation slowly, so each gets its own window. The result is positive
    semidefinite by construction: the mean correlation of a correlation matrix is never below -1/(n-1).

    Parameters
    ----------
    returns : (n_days, n_names) simple daily returns, as fractions; the last ``correlation_days`` are used
    shrinkage : weight of the constant correlation, 0 (sample) to 1 (constant)

    Raises
    ------
    SampleError : fewer than 2 rows, a NaN or an infinity, or a name that never moved

    Source: Ledoit and Wolf (2004), "Honey, I shrunk the sample covariance matrix", constant-correlation
    target, with a fixed intensity in place of the estimated one.
    """
    if not 0.0 <= shrinkage <= 1.0:
        raise ParameterError(f"shrinkage: found {shrinkage}, expected a fraction from 0 to 1")
    matrix = checked_returns(returns, 2)
    vol = ewma_vol(matrix, half_life_days)
    correlation = sample_correlation(matrix[-correlation_days:])
    n_names = len(correlation)
    if n_names > 1:
        mean = (correlation.sum() - n_names) / (n_names * (n_names - 1))
        correlation = (1.0 - shrinkage) * correlation + shrinkage * mean
        np.fill_diagonal(correlation, 1.0)
    return correlation * np.outer(vol, vol)


def sample_cov(returns: FloatArray) -> FloatArray:
    """Sample covariance with divisor n_days - 1, (n_names, n_names), in daily squared fractions.

    Parameters
    ----------
    returns : (n_days, n_names) simple daily returns, as fractions

    Raises
    ------
    SampleError : no more days than names (the estimate would be singular), a NaN or an infinity, a return of -100 %
        or less, or a name that never moved

    Source: any textbook; equal to ``numpy.cov(returns, rowvar=False)``.
    """
    return _sample_moments(returns)[1]


def sample_moments(returns: FloatArray) -> tuple[FloatArray, ProvenCovariance]:
    """The mean (n_names,) of daily returns and their ``sample_cov``, which no function needs to check again.

    Parameters, units, errors and source as ``sample_cov``.
    """
    mean, cov = _sample_moments(returns)
    cov.setflags(write=False)
    proven = object.__new__(ProvenCovariance)
    # Products of a sample with itself are positive semidefinite, to rounding far inside the tolerance of a check.
    object.__setattr__(proven, "matrix", cov)
    return mean, proven


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


def sample_correlation(returns: FloatArray) -> FloatArray:
    """Pearson correlation (n_names, n_names) of finite returns (n_days >= 2, n_names).

    Raises
    ------
    SampleError : fewer than 2 rows, a NaN or an infinity, or a name that never moved
    """
    centered = centered_returns(checked_matrix(returns, name="returns", min_rows=2))
    norm = np.sqrt(np.square(centered).sum(axis=0))
    standardized = centered / norm
    correlation = standardized.T @ standardized
    np.fill_diagonal(correlation, 1.0)
    return correlation


def centered_returns(matrix: FloatArray) -> FloatArray:
    """The columns of a finite (n_days, n_names) sample less their means.

    Raises
    ------
    SampleError : a name that never moved
    """
    centered = matrix - matrix.mean(axis=0)
    norm = np.sqrt(np.einsum("tn,tn->n", centered, centered))
    # A constant column is rarely exactly zero after centering; compare with its own magnitude.
    flat = norm <= 1e-13 * np.abs(matrix).max(axis=0)
    if flat.any():
        raise SampleError(
            f"returns: columns {np.flatnonzero(flat).tolist()} never move, so they have no correlation",
            remedy="Leave cash-like instruments out of the risk model.",
        )
    return centered


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
            remedy="Repair it with parley.quant.covariance.nearest_psd first.",
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


def _sample_moments(returns: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and sample covariance, symmetric to the bit; the sample is read twice, and copied only if it must be."""
    matrix = np.asarray(returns, dtype=np.float64)
    if matrix.ndim != 2 or not len(matrix) > matrix.shape[1] > 0:
        n_days, n_names = checked_returns(matrix, 2).shape
        raise SampleError(
            f"returns: found {n_days} days of {n_names} names, expected more days than names",
            remedy="Give a longer history, or use an estimate that is never singular, such as oas_cov.",
        )
    n_days = len(matrix)
    with np.errstate(invalid="ignore", over="ignore"):
        cross = matrix.T @ matrix
    square = cross.diagonal()
    largest = float(square.max())
    # Finite squares hide no NaN, and squares that sum to less than one no loss of everything: few samples are searched.
    if not (largest < 1.0 or (np.isfinite(largest) and matrix.min() > -1.0)):
        checked_returns(matrix, 2)
        raise SampleError(
            "returns: found some whose squares are too large for a float, expected fractions such as 0.01",
            remedy="Check the unit of the returns, or drop the instrument.",
        )
    mean = np.ones(n_days) @ matrix / n_days
    shift = np.sqrt(n_days) * mean
    # Where means are small beside volatilities, taking them out of the products afterward loses no digits, and
    # spares the copy of the sample that centering makes.
    if (2.0 * np.square(shift) < square).all():
        cross -= shift[:, None] * shift
    else:
        centered = centered_returns(matrix)
        cross = centered.T @ centered
    cross *= 1.0 / (n_days - 1)
    return mean, cross


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
