"""Factor regressions: honest standard errors, rolling betas, and returns attributed to factors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .arrays import FloatArray, checked_matrix, checked_vector
from .errors import ParameterError, SampleError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Sequence

FF3_FACTORS = ("Mkt-RF", "SMB", "HML")
FF5_MOMENTUM_FACTORS = ("Mkt-RF", "SMB", "HML", "RMW", "CMA", "Mom")

# Below this smallest eigenvalue of the regressors' correlation, one of them is a mix of the others.
_COLLINEAR = 1e-10


@dataclass(frozen=True, slots=True)
class FactorFit:
    """One return series explained by factors: least squares with Newey-West standard errors."""

    names: tuple[str, ...]
    alpha: float
    """Return a day that no factor explains, a fraction."""
    betas: FloatArray
    """(n_factors,) return per unit of factor return."""
    alpha_se: float
    beta_se: FloatArray
    r_squared: float
    residual_vol: float
    """Daily, a fraction; divides by the days minus the estimated coefficients."""
    n_days: int
    lags: int

    @property
    def alpha_t(self) -> float:
        """Alpha over its standard error."""
        return self.alpha / self.alpha_se

    @property
    def beta_t(self) -> FloatArray:
        """(n_factors,) each beta over its standard error."""
        return self.betas / self.beta_se


@dataclass(frozen=True, slots=True)
class Attribution:
    """A summed return split by factor: ``alpha + by_factor.sum() + residual == total``, all fractions."""

    names: tuple[str, ...]
    by_factor: FloatArray
    alpha: float
    residual: float
    total: float


def fit_factors(
    returns: FloatArray, factors: FloatArray, names: Sequence[str] | None = None, *, lags: int | None = None
) -> FactorFit:
    """Regression of one return series on factors with an intercept and Newey-West standard errors.

    Bartlett weights 1 - l / (lags + 1), no small-sample factor; ``lags`` = 0 gives White's HC0.

    Parameters
    ----------
    returns : (n_days,) daily returns, excess of cash when the factors are, as fractions
    factors : (n_days, n_factors); Fama-French, momentum or any other series
    names : of the factors; ``factor_1``, ... when not given
    lags : autocorrelation lags; floor(4 (n / 100)^(2/9)) when not given

    Raises
    ------
    ShapeError : lengths that differ, or not one name per factor
    SampleError : a NaN, fewer than n_factors + 3 days, returns that never move, or collinear factors
    ParameterError : lags below 0 or not below the number of days

    Source: Newey and West (1987), Econometrica 55; lag rule: Newey and West (1994), Rev. Econ. Studies 61.
    """
    design, labels = factor_design(factors, names)
    n_days, n_columns = design.shape
    target = checked_vector(returns, name="returns", length=n_days)
    bandwidth = newey_west_lags(n_days) if lags is None else lags
    if not 0 <= bandwidth < n_days:
        raise ParameterError(f"lags: found {lags}, expected from 0 to {n_days - 1}")
    centered = target - target.mean()
    spread = float(centered @ centered)
    if spread <= 1e-26 * n_days * float(np.square(target).max()):
        raise SampleError("returns: never move, so no factor explains them", remedy="Check the return series.")
    inverse = np.linalg.inv(design.T @ design)
    beta = inverse @ (design.T @ target)
    residual = target - design @ beta
    se = np.sqrt(np.diag(inverse @ _long_run_scores(design, residual, bandwidth) @ inverse))
    sum_squares = float(residual @ residual)
    return FactorFit(
        names=labels,
        alpha=float(beta[0]),
        betas=beta[1:],
        alpha_se=float(se[0]),
        beta_se=se[1:],
        r_squared=1.0 - sum_squares / spread,
        residual_vol=math.sqrt(sum_squares / (n_days - n_columns)),
        n_days=n_days,
        lags=bandwidth,
    )


def newey_west_lags(n_days: int) -> int:
    """The lag rule floor(4 (n / 100)^(2/9)) of Newey and West (1994)."""
    return math.floor(4.0 * (n_days / 100.0) ** (2.0 / 9.0))


def rolling_betas(returns: FloatArray, factors: FloatArray, window_days: int) -> FloatArray:
    """Least-squares betas of every full window, (n_days - window_days + 1, n_factors), oldest first.

    With an intercept in each window. Row i uses days i to i + window_days - 1 only, and the sums are
    rebuilt in every block of ``window_days``, so nothing drifts over a long history.

    Parameters and errors as ``fit_factors``; also SampleError when a window's factors are collinear, and
    ParameterError when the window is shorter than n_factors + 2 or longer than the history.
    """
    matrix = checked_matrix(factors, name="factors")
    n_days, n_factors = matrix.shape
    target = checked_vector(returns, name="returns", length=n_days)
    if not n_factors + 2 <= window_days <= n_days:
        raise ParameterError(f"window_days: found {window_days}, expected from {n_factors + 2} to {n_days}")
    rows = np.column_stack([matrix, target])
    mean = _sliding_sums(rows, window_days) / window_days
    upper, right = np.triu_indices(n_factors + 1)
    products = _sliding_sums(rows[:, upper] * rows[:, right], window_days)
    moments = np.empty((len(mean), n_factors + 1, n_factors + 1))
    moments[:, upper, right] = moments[:, right, upper] = products - window_days * mean[:, upper] * mean[:, right]
    within, across = moments[:, :n_factors, :n_factors], moments[:, :n_factors, n_factors]
    _check_windows(within, products, upper, right)
    return np.asarray(np.linalg.solve(within, across[:, :, None])[:, :, 0], dtype=np.float64)


def attribute_return(returns: FloatArray, factors: FloatArray, fit: FactorFit) -> Attribution:
    """The sum of daily returns split into betas times factor returns, alpha and the rest.

    On the days of the fit the residual is zero; on later days it is what the fit did not foresee. Sums
    are arithmetic, as compounded returns do not add up over factors.

    Parameters
    ----------
    returns, factors : (n_days,) and (n_days, n_factors) as in ``fit_factors``
    fit : betas from these days or from earlier ones

    Raises
    ------
    ShapeError, SampleError : shapes that do not fit, or a NaN
    """
    matrix = checked_matrix(factors, name="factors")
    target = checked_vector(returns, name="returns", length=len(matrix))
    if matrix.shape[1] != len(fit.betas):
        raise ShapeError(f"factors: found {matrix.shape[1]} columns, expected {len(fit.betas)} as in the fit")
    by_factor = fit.betas * matrix.sum(axis=0)
    total, alpha = float(target.sum()), fit.alpha * len(target)
    return Attribution(fit.names, by_factor, alpha, total - alpha - float(by_factor.sum()), total)


def factor_design(factors: FloatArray, names: Sequence[str] | None) -> tuple[FloatArray, tuple[str, ...]]:
    """An intercept and the factors side by side, once they are known to be distinct."""
    matrix = checked_matrix(factors, name="factors")
    n_days, n_factors = matrix.shape
    checked_matrix(matrix, name="factors", min_rows=n_factors + 3)
    labels = tuple(names) if names is not None else tuple(f"factor_{i + 1}" for i in range(n_factors))
    if len(labels) != n_factors:
        raise ShapeError(f"names: found {len(labels)}, expected {n_factors}, one per factor")
    design = np.column_stack([np.ones(n_days), matrix])
    norm = np.sqrt(np.square(design).sum(axis=0))
    scaled = design / np.where(norm > 0.0, norm, 1.0)
    if np.linalg.eigvalsh(scaled.T @ scaled)[0] < _COLLINEAR:
        raise SampleError(
            f"factors: {', '.join(labels)} are collinear, or one of them never moves",
            remedy="Drop the factor that the others already contain.",
        )
    return design, labels


def _long_run_scores(design: FloatArray, residual: FloatArray, lags: int) -> FloatArray:
    """The Bartlett-weighted sum of autocovariances of x_t e_t, not divided by n."""
    scores = design * residual[:, None]
    total = scores.T @ scores
    for lag in range(1, lags + 1):
        cross = scores[lag:].T @ scores[:-lag]
        total += (1.0 - lag / (lags + 1.0)) * (cross + cross.T)
    return total


def _sliding_sums(rows: FloatArray, window: int) -> FloatArray:
    """Sums of every window of rows: the tail of one block plus the head of the next, so no drift."""
    n_rows, n_columns = rows.shape
    n_blocks = -(-n_rows // window)
    blocks = np.zeros((n_blocks * window, n_columns))
    blocks[:n_rows] = rows
    blocks = blocks.reshape(n_blocks, window, n_columns)
    heads = blocks.cumsum(axis=1).reshape(-1, n_columns)
    tails = blocks[:, ::-1].cumsum(axis=1)[:, ::-1].reshape(-1, n_columns)
    n_windows = n_rows - window + 1
    sums = tails[:n_windows] + heads[window - 1 : window - 1 + n_windows]
    # A window that is exactly one block would be counted twice.
    sums[::window] = tails[:n_windows:window]
    return sums


def _check_windows(within: FloatArray, products: FloatArray, upper: np.ndarray, right: np.ndarray) -> None:
    n_factors = within.shape[1]
    variance = np.diagonal(within, axis1=1, axis2=2)
    size = products[:, (upper == right) & (upper < n_factors)]
    flat = (variance <= 1e-13 * size).any(axis=1)
    scale = np.sqrt(np.where(variance > 0.0, variance, 1.0))
    correlation = within / (scale[:, :, None] * scale[:, None, :])
    bad = flat | (np.linalg.eigvalsh(correlation)[:, 0] < _COLLINEAR)
    if bad.any():
        raise SampleError(
            f"factors: collinear or flat in the window that starts at row {int(bad.argmax())}",
            remedy="Use a longer window, or drop the factor that the others already contain.",
        )
