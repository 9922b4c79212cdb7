"""Covariance estimates for daily returns: sample, exponentially weighted, shrunk, denoised, by factors, repaired."""

from __future__ import annotations

import numpy as np

from .arrays import (
    FloatArray,
    checked_above,
    checked_at_least,
    checked_matrix,
    checked_returns,
    checked_vector,
)
from .errors import ParameterError, SampleError, ShapeError, SolverError

VOL_HALF_LIFE_DAYS = 33.0
CORRELATION_DAYS = 252
_PSD_TOLERANCE = 1e-9
_MOST_PROJECTIONS = 2000


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
    SampleError : no more days than names (the estimate would be singular), a NaN or an infinity, or a name that
        never moved

    Source: any textbook; equal to ``numpy.cov(returns, rowvar=False)``.
    """
    matrix = checked_returns(returns, 2)
    n_days, n_names = matrix.shape
    if n_days <= n_names:
        raise SampleError(
            f"returns: found {n_days} days of {n_names} names, expected more days than names",
            remedy="Give a longer history, or use an estimate that is never singular, such as oas_cov.",
        )
    mean = np.ones(n_days) @ matrix / n_days
    cross = matrix.T @ matrix
    shift = np.sqrt(n_days) * mean
    # Where means are small beside volatilities, taking them out of the products afterward loses no digits, and
    # spares the copy of the sample that centering makes.
    if (2.0 * np.square(shift) < cross.diagonal()).all():
        return (cross - np.outer(shift, shift)) / (n_days - 1)
    centered = _centered(matrix)
    return centered.T @ centered / (n_days - 1)


def ledoit_wolf_cov(returns: FloatArray) -> tuple[FloatArray, float]:
    """Sample covariance shrunk toward the mean variance times the identity, and the intensity used.

    Divisor n_days, as in the paper. The intensity, in [0, 1], minimizes the expected squared error; it is 1 when
    the sample says nothing beyond its mean variance.

    Parameters
    ----------
    returns : (n_days, n_names) simple daily returns, as fractions

    Raises
    ------
    SampleError : fewer than 2 rows, a NaN or an infinity, or a name that never moved

    Source: Ledoit and Wolf (2004), J. of Multivariate Analysis 88, lemma 3.2-3.4: m, d^2, b^2 there.
    """
    centered = _centered(checked_returns(returns, 2))
    n_days, n_names = centered.shape
    sample = centered.T @ centered / n_days
    mean = float(np.trace(sample)) / n_names
    total = float(np.square(sample).sum())
    dispersion = total - n_names * mean**2
    # The mean of |x x' - S|^2 over the days, without forming any x x'.
    error = (float(np.square(np.square(centered).sum(axis=1)).sum()) / n_days - total) / n_days
    intensity = 1.0 if dispersion <= 0.0 else min(max(error, 0.0) / dispersion, 1.0)
    return _toward_identity(sample, mean, intensity), intensity


def oas_cov(returns: FloatArray) -> tuple[FloatArray, float]:
    """Oracle-approximating shrinkage toward the mean variance times the identity, and the intensity used.

    Parameters, errors and divisor as ``ledoit_wolf_cov``; converges faster when returns are close to normal.

    Source: Chen, Wiesel, Eldar and Hero (2010), IEEE Trans. Signal Processing 58(10), equation 23, without its
    terms in 2 / n_names, as scikit-learn has it.
    """
    centered = _centered(checked_returns(returns, 2))
    n_days, n_names = centered.shape
    sample = centered.T @ centered / n_days
    mean = float(np.trace(sample)) / n_names
    mean_square = float(np.square(sample).mean())
    gap = (n_days + 1.0) * (mean_square - mean**2 / n_names)
    intensity = 1.0 if gap <= 0.0 else min((mean_square + mean**2) / gap, 1.0)
    return _toward_identity(sample, mean, intensity), intensity


def constant_correlation_cov(returns: FloatArray) -> tuple[FloatArray, float]:
    """Sample covariance shrunk toward its own mean correlation, and the estimated intensity in [0, 1].

    Every name keeps its sample variance (divisor n_days, as in the paper). Positive semidefinite.

    Parameters
    ----------
    returns : (n_days, n_names >= 2) simple daily returns, as fractions

    Raises
    ------
    SampleError : fewer than 2 rows, a NaN or an infinity, or a name that never moved
    ShapeError : one name only, which has no correlation

    Source: Ledoit and Wolf (2004), "Honey, I shrunk the sample covariance matrix", J. of Portfolio Management
    30(4), appendix B: pi, rho and gamma there.
    """
    centered = _centered(checked_returns(returns, 2))
    n_days, n_names = centered.shape
    if n_names < 2:
        raise ShapeError("returns: found 1 name, expected at least 2, as one name has no correlation")
    sample = centered.T @ centered / n_days
    variance = np.diag(sample)
    vol = np.sqrt(variance)
    correlation = sample / np.outer(vol, vol)
    mean = (float(correlation.sum()) - n_names) / (n_names * (n_names - 1))
    target = mean * np.outer(vol, vol)
    np.fill_diagonal(target, variance)

    squared = np.square(centered)
    spread = squared.T @ squared / n_days - np.square(sample)
    # theta[i, j]: covariance of the errors of s_ii and s_ij, so that the target's own error is accounted for.
    theta = (squared * centered).T @ centered / n_days - variance[:, None] * sample
    np.fill_diagonal(theta, 0.0)
    rho = float(np.trace(spread)) + mean * float((theta * np.outer(1.0 / vol, vol)).sum())
    misfit = float(np.square(sample - target).sum())
    kappa = (float(spread.sum()) - rho) / misfit if misfit > 0.0 else 0.0
    intensity = min(max(kappa / n_days, 0.0), 1.0)
    return intensity * target + (1.0 - intensity) * sample, intensity


def denoised_cov(returns: FloatArray) -> tuple[FloatArray, int]:
    """Sample covariance whose noisy correlation eigenvalues are replaced by their mean, and how many are signal.

    Noise is what a random matrix of independent columns could show: eigenvalues up to s (1 + sqrt(n_names /
    n_days))^2, with s = 1 at first, then once more with s the mean of what was noise, as signal takes its share of
    the trace. Names of very unequal residual variance widen the noise, so the count then errs upward. Every name
    keeps its sample variance (divisor n_days - 1).

    Parameters
    ----------
    returns : (n_days, n_names) simple daily returns, as fractions

    Raises
    ------
    SampleError : fewer than 2 rows, a NaN or an infinity, or a name that never moved

    Source: Marchenko and Pastur (1967) for the edge; Laloux, Cizeau, Bouchaud and Potters (1999), Phys. Rev. Lett.
    83, for s; López de Prado (2020), Machine Learning for Asset Managers, section 2.5.1, for the constant.
    """
    matrix = checked_returns(returns, 2)
    n_days, n_names = matrix.shape
    correlation = sample_correlation(matrix)
    values, vectors = np.linalg.eigh(correlation)
    widest = (1.0 + np.sqrt(n_names / n_days)) ** 2
    n_noise = n_names
    for _ in range(2):
        # The smallest eigenvalue is never above the mean, so noise never runs out.
        n_noise = int(np.searchsorted(values[:n_noise], widest * values[:n_noise].mean(), side="right"))
    cleaned = values.copy()
    cleaned[:n_noise] = max(values[:n_noise].mean(), 0.0)
    rebuilt = (vectors * cleaned) @ vectors.T
    vol = np.sqrt(np.square(matrix - matrix.mean(axis=0)).sum(axis=0) / (n_days - 1) / np.diag(rebuilt))
    cov = rebuilt * np.outer(vol, vol)
    return (cov + cov.T) / 2.0, n_names - n_noise


def factor_model_cov(loadings: FloatArray, factor_cov: FloatArray, residual_variance: FloatArray) -> FloatArray:
    """The covariance B F B' + diag(d) of names driven by a few factors, (n_names, n_names).

    Parameters
    ----------
    loadings : B, (n_names, n_factors) sensitivities
    factor_cov : F, (n_factors, n_factors) covariance of the factors per period
    residual_variance : d, (n_names,) variance of each name beyond the factors, at least 0

    Raises
    ------
    ShapeError, SampleError : arrays that do not fit, a NaN, F not PSD, or a negative residual variance

    Source: Grinold and Kahn (1999), Active Portfolio Management, chapter 3, equation 3.18.
    """
    exposures = checked_matrix(loadings, name="loadings")
    inner = checked_covariance(factor_cov, exposures.shape[1])
    own = checked_vector(residual_variance, name="residual_variance", length=len(exposures))
    if own.min() < 0.0:
        raise SampleError(f"residual_variance: the lowest is {own.min():.3e}, expected at least zero")
    cov = exposures @ inner @ exposures.T
    return (cov + cov.T) / 2.0 + np.diag(own)


def fitted_factor_cov(returns: FloatArray, factor_returns: FloatArray) -> FloatArray:
    """Factor-model covariance with loadings from least squares on known factors, (n_names, n_names), daily.

    Parameters
    ----------
    returns : (n_days, n_names) simple daily returns, as fractions
    factor_returns : (n_days, n_factors) the factors' returns on the same days

    Raises
    ------
    ShapeError : a different number of days
    SampleError : not more days than factors plus one, a NaN or an infinity, or factors that are not independent

    Source: Connor (1995), Financial Analysts J. 51(3), time-series factor model: intercept in every regression,
    factors' covariance with divisor n_days - 1, residual variance with divisor n_days - n_factors - 1.
    """
    drivers = checked_matrix(factor_returns, name="factor_returns")
    n_days, n_factors = drivers.shape
    matrix = checked_returns(returns, n_factors + 2)
    if len(matrix) != n_days:
        raise ShapeError(f"factor_returns: found {n_days} days, expected {len(matrix)}, as many as of returns")
    centered = drivers - drivers.mean(axis=0)
    demeaned = matrix - matrix.mean(axis=0)
    slopes, _, rank, _ = np.linalg.lstsq(centered, demeaned)
    if rank < n_factors:
        raise SampleError(
            f"factor_returns: found {n_factors} factors of rank {rank}, expected independent ones",
            remedy="Drop the factor that the others already span.",
        )
    residual = np.square(demeaned - centered @ slopes).sum(axis=0) / (n_days - n_factors - 1)
    return factor_model_cov(slopes.T, centered.T @ centered / (n_days - 1), residual)


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
    centered = _centered(checked_matrix(returns, name="returns", min_rows=2))
    norm = np.sqrt(np.square(centered).sum(axis=0))
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
    scale = max(float(matrix.max()), -float(matrix.min()))
    # Estimates are symmetric to the bit, which is far cheaper to see than a difference to measure.
    if not (matrix == matrix.T).all() and np.abs(matrix - matrix.T).max() > 1e-8 * scale:
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


def _centered(matrix: FloatArray) -> FloatArray:
    """The columns less their means, refused when one of them never moves."""
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


def _toward_identity(sample: FloatArray, mean: float, intensity: float) -> FloatArray:
    shrunk = (1.0 - intensity) * sample
    diagonal = np.arange(len(sample))
    shrunk[diagonal, diagonal] += intensity * mean
    return shrunk


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
