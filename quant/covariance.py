"""Covariance estimates for daily returns: exponentially weighted, shrunk, and repaired."""

from __future__ import annotations

import numpy as np

from .arrays import (
    FloatArray,
    checked_above,
    checked_at_least,
    checked_matrix,
    checked_returns,
)
from .errors import ParameterError, SampleError, ShapeError

VOL_HALF_LIFE_DAYS = 33.0
CORRELATION_DAYS = 252
_PSD_TOLERANCE = 1e-9


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


def sample_correlation(returns: FloatArray) -> FloatArray:
    """Pearson correlation (n_names, n_names) of finite returns (n_days >= 2, n_names).

    Raises
    ------
    SampleError : fewer than 2 rows, a NaN or an infinity, or a name that never moved
    """
    matrix = checked_matrix(returns, name="returns", min_rows=2)
    centered = matrix - matrix.mean(axis=0)
    norm = np.sqrt(np.square(centered).sum(axis=0))
    # A constant column is rarely exactly zero after centering; compare with its own magnitude.
    flat = norm <= 1e-13 * np.abs(matrix).max(axis=0)
    if flat.any():
        raise SampleError(
            f"returns: columns {np.flatnonzero(flat).tolist()} never move, so they have no correlation",
            remedy="Leave cash-like instruments out of the risk model.",
        )
    standardized = centered / norm
    correlation = standardized.T @ standardized
    np.fill_diagonal(correlation, 1.0)
    return correlation


def checked_covariance(cov: FloatArray, n_names: int | None = None) -> FloatArray:
    """A finite, symmetric, positive semidefinite (n, n) covariance, else a typed error.

    Raises
    ------
    ShapeError : not square, or not of size ``n_names``
    SampleError : a NaN or an infinity, not symmetric, or an eigenvalue clearly below zero
    """
    matrix = checked_matrix(cov, name="cov")
    if matrix.shape[0] != matrix.shape[1] or n_names not in (None, len(matrix)):
        wanted = "a square matrix" if n_names is None else f"({n_names}, {n_names})"
        raise ShapeError(f"cov: found shape {matrix.shape}, expected {wanted}")
    scale = float(np.abs(matrix).max())
    if np.abs(matrix - matrix.T).max() > 1e-8 * scale:
        raise SampleError("cov: found a matrix that is not symmetric, expected cov[i, j] == cov[j, i]")
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


def _is_psd(matrix: FloatArray, scale: float) -> bool:
    """Cholesky of a barely lifted matrix: four times cheaper than eigenvalues, and it runs on every solve."""
    if scale == 0.0:
        return True
    try:
        np.linalg.cholesky(matrix + _PSD_TOLERANCE * scale * np.eye(len(matrix)))
    except np.linalg.LinAlgError:
        return False
    return True
