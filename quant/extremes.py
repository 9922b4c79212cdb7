"""Extreme losses by peaks over threshold: the generalized Pareto fit, its diagnostics, and far-out VaR and ES."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .arrays import FloatArray, checked_fraction, checked_vector
from .errors import ParameterError, SampleError
from .var_models import TailRisk

MIN_EXCESSES = 30
LOWEST_SHAPE = -0.5
"""Below it maximum likelihood loses its usual theory (Smith 1985); losses so short-tailed need no EVT."""

_GRID_POINTS = 241


@dataclass(frozen=True, slots=True)
class ParetoTail:
    """A generalized Pareto law of the losses beyond a threshold; losses are positive fractions."""

    threshold: float
    shape: float
    """xi: above 0 for heavy tails; 1 / xi moments exist."""
    scale: float
    n_excesses: int
    n_days: int
    log_likelihood: float

    @property
    def shape_error(self) -> float:
        """Asymptotic standard error of the shape, (1 + xi) / sqrt(n), Smith (1987)."""
        return (1.0 + self.shape) / math.sqrt(self.n_excesses)

    @property
    def modified_scale(self) -> float:
        """scale - shape * threshold: the same at every threshold high enough, when the model holds."""
        return self.scale - self.shape * self.threshold


@dataclass(frozen=True, slots=True)
class HillTail:
    """A power-law tail index from the largest losses."""

    alpha: float
    """Tail exponent: P(loss > x) falls as x ** -alpha; the shape is 1 / alpha."""
    standard_error: float
    threshold: float
    """The (k + 1)-th largest loss."""


def fit_excesses(excesses: FloatArray) -> tuple[float, float, float]:
    """Shape, scale and log-likelihood of a generalized Pareto law with location 0, by maximum likelihood.

    Grimshaw's reduction: at a given shape / scale the best shape is a mean of logarithms, so that one dimension
    is searched: a grid that cannot miss the maximum, then Brent's method between its neighbors.

    Parameters
    ----------
    excesses : (n,) losses less the threshold, each above 0, 30 or more

    Raises
    ------
    SampleError : too few, one of 0 or less, a NaN or an infinity, all the same, a shape below -0.5, or one
        so heavy that no maximum is found

    Source: Grimshaw (1993), Technometrics 35; Smith (1985), Biometrika 72.
    """
    from scipy.optimize import minimize_scalar

    y = checked_vector(excesses, name="excesses", min_rows=MIN_EXCESSES)
    if y.min() <= 0.0:
        raise SampleError(f"excesses: the lowest is {y.min():g}, expected all above 0")
    mean = float(y.mean())
    if float(np.ptp(y)) <= 1e-12 * mean:
        raise SampleError(f"excesses: all {len(y)} are {y[0]:g}, expected a sample that varies")
    unit = y / mean
    edge = 1.0 / float(unit.max())

    def cost(log_gap: float) -> float:
        """Minus the profile log-likelihood a day; ``log_gap`` is log(shape / scale + 1 / largest)."""
        ratio = math.exp(log_gap) - edge
        shape = float(np.log1p(ratio * unit).mean())
        scale = shape / ratio if ratio != 0.0 else 1.0
        # Past shape -1 the likelihood runs off to infinity at the sample's edge, which is no estimate.
        return math.log(scale) + shape + 1.0 if shape > -1.0 else math.inf

    grid = np.linspace(math.log(1e-5 * edge), math.log(200.0), _GRID_POINTS)
    at = int(np.argmin([cost(float(point)) for point in grid]))
    if at == _GRID_POINTS - 1:
        raise SampleError(
            "excesses: the likelihood still rises where the search ends, expected a tail less heavy than that",
            remedy="Check for a unit slip among the losses; no return series has a tail this heavy.",
        )
    bracket = (float(grid[max(at - 1, 0)]), float(grid[min(at + 1, _GRID_POINTS - 1)]))
    best: Any = minimize_scalar(cost, bounds=bracket, method="bounded", options={"xatol": 1e-11})
    ratio = math.exp(float(best.x)) - edge
    shape = float(np.log1p(ratio * unit).mean())
    if shape <= LOWEST_SHAPE:
        raise SampleError(
            f"excesses: the fitted shape is {shape:.2f}, expected above {LOWEST_SHAPE}: a hard upper end",
            remedy="Use the historical estimate; a tail this short holds no extremes beyond the sample.",
        )
    scale = (shape / ratio if ratio != 0.0 else 1.0) * mean
    return shape, scale, -len(y) * (cost(float(best.x)) + math.log(mean))


def fit_pareto_tail(returns: FloatArray, threshold_level: float = 0.90) -> ParetoTail:
    """Generalized Pareto law of the losses beyond their empirical quantile at ``threshold_level``.

    Fit it to surprises (returns over their forecast volatility) where volatility clusters: McNeil and Frey (2000)
    scale the result by tomorrow's volatility, as ``filtered_historical_tail`` does.

    Parameters
    ----------
    returns : (n_days,) simple daily returns, as fractions
    threshold_level : in (0, 1); must leave 30 losses or more beyond it, and a threshold that is a loss

    Raises
    ------
    SampleError : as ``fit_excesses``, or a threshold that is a gain
    """
    losses = -checked_vector(returns, name="returns", min_rows=MIN_EXCESSES)
    checked_fraction(threshold_level, name="threshold_level")
    threshold = float(np.quantile(losses, threshold_level, method="inverted_cdf"))
    if threshold <= 0.0:
        raise SampleError(
            f"returns: the loss at level {threshold_level} is {threshold:g}, expected above 0",
            remedy="Raise threshold_level.",
        )
    beyond = losses[losses > threshold]
    shape, scale, log_likelihood = fit_excesses(beyond - threshold)
    return ParetoTail(threshold, shape, scale, len(beyond), len(losses), log_likelihood)


def pareto_tail_risk(fit: ParetoTail, level: float = 0.995) -> TailRisk:
    """VaR and ES beyond the threshold, positive when money is lost.

    Raises
    ------
    ParameterError : a level that lies below the threshold, where the law says nothing
    SampleError : a shape of 1 or more, whose mean excess and so ES is infinite

    Source: McNeil, Frey and Embrechts (2015), equations 5.18 and 5.19.
    """
    share_beyond = fit.n_excesses / fit.n_days
    if 1.0 - checked_fraction(level, name="level") > share_beyond:
        raise ParameterError(
            f"level: found {level}, expected at least {1.0 - share_beyond:.4f}, where the threshold lies",
            remedy="Use the historical estimate inside the sample, or lower the threshold.",
        )
    if fit.shape >= 1.0:
        raise SampleError(
            f"shape: found {fit.shape:.3f}, expected below 1: the mean of the tail is infinite",
            remedy="Raise the threshold, or state VaR by a model with a finite mean.",
        )
    log_ratio = math.log(share_beyond / (1.0 - level))
    # expm1 carries the limit of a shape of 0, the exponential tail.
    growth = math.expm1(fit.shape * log_ratio) / fit.shape if fit.shape != 0.0 else log_ratio
    var = fit.threshold + fit.scale * growth
    es = var + (fit.scale + fit.shape * (var - fit.threshold)) / (1.0 - fit.shape)
    return TailRisk(level, var, es)


def mean_excess(returns: FloatArray, thresholds: FloatArray) -> FloatArray:
    """Mean loss beyond each threshold less the threshold, (n_thresholds,): straight and rising for a Pareto tail.

    Parameters
    ----------
    returns : (n_days,) simple daily returns, as fractions
    thresholds : (n_thresholds,) losses, positive fractions

    Raises
    ------
    SampleError : a NaN or an infinity, or a threshold that no loss exceeds

    Source: Davison and Smith (1990), J. Royal Statistical Society B 52.
    """
    losses = np.sort(-checked_vector(returns, name="returns", min_rows=1))
    at = checked_vector(thresholds, name="thresholds", min_rows=1)
    first = np.searchsorted(losses, at, side="right")
    if first.max() == len(losses):
        raise SampleError(f"thresholds: no loss exceeds {at.max():g}; the largest is {losses[-1]:g}")
    sums_from = np.cumsum(losses[::-1])[::-1]
    return sums_from[first] / (len(losses) - first) - at


def threshold_scan(returns: FloatArray, levels: FloatArray) -> tuple[ParetoTail, ...]:
    """One fit a threshold level, to see from where on shape and ``modified_scale`` stay put.

    Errors as ``fit_pareto_tail``. Source: Coles (2001), Statistical Modeling of Extreme Values, section 4.3.4.
    """
    return tuple(fit_pareto_tail(returns, float(level)) for level in checked_vector(levels, name="levels", min_rows=1))


def hill(returns: FloatArray, n_tail: int) -> HillTail:
    """Hill's estimate from the ``n_tail`` largest losses, measured against the next one (the k + 1 convention).

    Parameters
    ----------
    returns : (n_days,) simple daily returns, as fractions
    n_tail : k, from 2 to n_days - 1, all of them losses, the (k + 1)-th too

    Raises
    ------
    ParameterError : n_tail out of range
    SampleError : a NaN or an infinity, or a day among them that did not lose

    Source: Hill (1975), Annals of Statistics 3; McNeil, Frey and Embrechts (2015), section 5.2.4.
    """
    losses = np.sort(-checked_vector(returns, name="returns", min_rows=3))[::-1]
    if not 2 <= n_tail < len(losses):
        raise ParameterError(f"n_tail: found {n_tail}, expected 2 to {len(losses) - 1}")
    threshold = float(losses[n_tail])
    if threshold <= 0.0:
        raise SampleError(
            f"returns: the loss at place {n_tail + 1} is {threshold:g}, expected above 0",
            remedy="Lower n_tail until only losses are in the tail.",
        )
    mean_log = float(np.log(losses[:n_tail] / threshold).mean())
    if mean_log <= 0.0:
        raise SampleError(f"returns: the {n_tail} largest losses are all {threshold:g}, expected a tail that varies")
    return HillTail(1.0 / mean_log, 1.0 / mean_log / math.sqrt(n_tail), threshold)
