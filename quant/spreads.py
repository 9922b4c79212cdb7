"""Books that should revert: pairs and residuals as weights on names, and what trading a band on them brings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from .arrays import DAYS_PER_YEAR, FloatArray, checked_at_least, checked_matrix, checked_returns, checked_vector
from .errors import ParameterError, SampleError
from .reversion import OuBand, OuFit

# Response surface of the 5 % residual test of two series with a constant, MacKinnon (2010), table 2.
_COINTEGRATION_5 = (-3.33613, -6.1101, -6.823, 0.0)
_NORMAL = NormalDist()


def pair_weights(left: FloatArray, right: FloatArray) -> tuple[float, float]:
    """Weights of a pair with gross 1: long the first, against the second by the slope of their summed returns.

    Parameters
    ----------
    left, right : (n_days >= 3,) simple daily returns, as fractions

    Raises
    ------
    ShapeError : lengths that differ
    SampleError : a NaN, too few days, a second name that never moved, or a slope that is not positive: then the two
        do not offset each other

    Source: Engle and Granger (1987), Econometrica 55, first step, on summed returns in place of log prices, so
    that the spread is what a book of constant weights earns.
    """
    y = np.cumsum(checked_vector(left, name="left", min_rows=3))
    x = np.cumsum(checked_vector(right, name="right", length=len(y)))
    centered = x - x.mean()
    size = float(centered @ centered)
    slope = float(centered @ y) / size if size > 0.0 else 0.0
    if slope <= 0.0:
        raise SampleError(f"right: the slope on it is {slope:.4f}, expected above zero", remedy="Pair other names.")
    return 1.0 / (1.0 + slope), -slope / (1.0 + slope)


def residual_weights(returns: FloatArray, n_components: int) -> FloatArray:
    """Books that hold each name against the leading components of all, (n_names, n_names), each of gross 1.

    Row i is name i less its regression, without a constant, on the portfolios of the leading eigenvectors of the
    correlation matrix, each name in them over its own volatility.

    Parameters
    ----------
    returns : (n_days, n_names > n_components) simple daily returns, as fractions

    Raises
    ------
    SampleError : a NaN, no more names than components, or a name that never moved
    ParameterError : fewer than one component

    Source: Avellaneda and Lee (2010), Quantitative Finance 10(7), section 2.
    """
    checked_at_least(n_components, 1, name="n_components")
    matrix = checked_returns(returns, n_components + 2)
    n_names = matrix.shape[1]
    if n_names <= n_components:
        raise SampleError(f"returns: found {n_names} names, expected more than {n_components} components")
    vol = matrix.std(axis=0)
    if vol.min() <= 1e-12:
        raise SampleError(f"returns: column {int(vol.argmin())} never moves", remedy="Leave cash-like names out.")
    scaled = (matrix - matrix.mean(axis=0)) / vol
    portfolios = np.linalg.eigh(scaled.T @ scaled)[1][:, -n_components:] / vol[:, None]
    factors = matrix @ portfolios
    loadings = np.linalg.lstsq(factors, matrix, rcond=None)[0]
    books = np.eye(n_names) - (portfolios @ loadings).T
    return books / np.abs(books).sum(axis=1, keepdims=True)


def cointegration_critical_t(n_days: int) -> float:
    """The 5 % critical value of the unit-root test of a spread whose hedge ratio was fitted to the same days.

    Stricter than for a given series, as least squares picks the ratio that looks most stationary.

    Source: MacKinnon (2010), "Critical values for cointegration tests", two variables, constant.
    """
    checked_at_least(n_days, 20, name="n_days")
    return sum(coefficient / n_days**power for power, coefficient in enumerate(_COINTEGRATION_5))


def half_life_interval(fit: OuFit, level: float = 0.95) -> tuple[float, float | None]:
    """Trading days between which the half-life lies, by the normal error of the speed; None is without end.

    Raises
    ------
    ParameterError : a level outside (0, 1)
    """
    if not 0.0 < level < 1.0:
        raise ParameterError(f"level: found {level}, expected a fraction between 0 and 1")
    reach = _NORMAL.inv_cdf((1.0 + level) / 2.0) * fit.speed_se
    days = math.log(2.0) * DAYS_PER_YEAR
    slowest = fit.process.speed - reach
    return days / (fit.process.speed + reach), days / slowest if slowest > 0.0 else None


@dataclass(frozen=True, slots=True, eq=False)
class BandTrades:
    """What a band earned, day by day, and how often it traded."""

    gross: FloatArray
    """(n_days,) before costs, per unit of gross value."""
    net: FloatArray
    """(n_days,) after costs."""
    held: FloatArray
    """(n_days,) the position that earned on each day: 1 long, -1 short, 0 none."""
    traded: float
    """Sum of the changes of position, in units of gross value."""
    entries: int


def trade_band(
    path: FloatArray, returns: FloatArray, band: OuBand, *, cost_frac: float, lag_days: int = 1
) -> BandTrades:
    """Long the spread from the low edge to the high edge, short from the high edge to the low one.

    The position decided at a close is traded ``lag_days`` closes later, earns from the day after, and is closed on
    the last day.

    Parameters
    ----------
    path : (n_days,) the spread at each close, in the units of the band
    returns : (n_days,) what a unit of the spread's book earned on the day that ends at that close
    cost_frac : per unit of gross value traded, a fraction, at least 0

    Raises
    ------
    ShapeError, SampleError : lengths that differ, or a NaN
    ParameterError : a negative cost or lag
    """
    levels = checked_vector(path, name="path", min_rows=2)
    moves = checked_vector(returns, name="returns", length=len(levels))
    checked_at_least(cost_frac, 0.0, name="cost_frac")
    checked_at_least(lag_days, 0, name="lag_days")
    edge = np.where(levels <= band.entry, 1.0, np.where(levels >= band.exit, -1.0, 0.0))
    # Between the edges the side of the last edge that was touched stays.
    last = np.maximum.accumulate(np.where(edge != 0.0, np.arange(len(edge)), -1))
    wanted = np.where(last >= 0, edge[last], 0.0)
    held = np.concatenate([np.zeros(lag_days), wanted])[: len(levels)]
    held[-1] = 0.0
    change = np.abs(np.diff(held, prepend=0.0))
    earning = np.concatenate([[0.0], held[:-1]])
    gross = earning * moves
    entries = int(((change > 0.0) & (held != 0.0)).sum())
    return BandTrades(gross, gross - cost_frac * change, earning, float(change.sum()), entries)


def spread_paths(returns: FloatArray, weights: FloatArray) -> FloatArray:
    """Summed returns of books of constant weights, (n_days, n_books): what each would have earned, not compounded.

    Parameters
    ----------
    returns : (n_days, n_names) simple daily returns, as fractions
    weights : (n_books, n_names)

    Raises
    ------
    ShapeError, SampleError : arrays that do not fit, or a NaN
    """
    matrix = checked_returns(returns)
    books = checked_matrix(weights, name="weights")
    return np.cumsum(matrix @ books.T, axis=0)
