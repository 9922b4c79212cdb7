"""Covariances of daily returns: sample, exponentially weighted, and shrunk by a fixed share."""

from __future__ import annotations

import numpy as np

from .arrays import FloatArray, checked_above, checked_matrix, checked_returns
from .definite import ProvenCovariance
from .errors import ParameterError, SampleError

VOL_HALF_LIFE_DAYS = 33.0
CORRELATION_DAYS = 252


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
