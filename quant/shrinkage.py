"""Covariance estimates that know what a sample cannot: shrunk as the data say, denoised, by ranks, by factors."""

from __future__ import annotations

import numpy as np

from .arrays import FloatArray, checked_matrix, checked_returns, checked_vector
from .covariance import centered_returns, sample_correlation
from .definite import checked_covariance, nearest_correlation
from .errors import SampleError, ShapeError


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
    centered = centered_returns(checked_returns(returns, 2))
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
    centered = centered_returns(checked_returns(returns, 2))
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
    centered = centered_returns(checked_returns(returns, 2))
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


def rank_cov(returns: FloatArray) -> FloatArray:
    """Covariance (n_names, n_names) whose correlations come from ranks, so that one wild day moves them little.

    Spearman's rho becomes the correlation 2 sin(pi rho / 6) of the normal distribution with the same ranks. Such a
    matrix need not be positive semidefinite: the nearest correlation matrix takes its place. Every name keeps its
    sample variance (divisor n_days - 1).

    Parameters
    ----------
    returns : (n_days, n_names) simple daily returns, as fractions

    Raises
    ------
    SampleError : fewer than 2 rows, a NaN or an infinity, or a name that never moved
    SolverError : the nearest correlation matrix was not found

    Source: Pearson (1907) for 2 sin(pi rho / 6); Higham (2002) for the repair.
    """
    from scipy.stats import rankdata

    matrix = checked_returns(returns, 2)
    vol = np.sqrt(np.square(centered_returns(matrix)).sum(axis=0) / (len(matrix) - 1))
    spearman = sample_correlation(np.asarray(rankdata(matrix, axis=0), dtype=np.float64))
    correlation = 2.0 * np.sin(np.pi / 6.0 * spearman)
    np.fill_diagonal(correlation, 1.0)
    cov = nearest_correlation(correlation) * np.outer(vol, vol)
    return (cov + cov.T) / 2.0


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


def _toward_identity(sample: FloatArray, mean: float, intensity: float) -> FloatArray:
    shrunk = (1.0 - intensity) * sample
    diagonal = np.arange(len(sample))
    shrunk[diagonal, diagonal] += intensity * mean
    return shrunk
