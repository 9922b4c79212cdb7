"""What an equity path was like to live through: drawdowns, Calmar, hit rate, tails, moments, rolling ratios."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .arrays import DAYS_PER_YEAR, FloatArray, IntArray, checked_above, checked_at_least, checked_vector
from .errors import ParameterError, SampleError
from .performance import annual_return, max_drawdown


@dataclass(frozen=True, slots=True)
class Drawdowns:
    """Every fall from a peak until the peak is reached again, oldest first; all arrays (n_drawdowns,)."""

    depth: FloatArray
    """Largest fall below the peak, a fraction of it, above 0."""
    peak_day: IntArray
    """Place in the path of the last day at the peak; 0 is the starting equity."""
    trough_day: IntArray
    end_day: IntArray
    """First day back at the peak, or the last day of the path when it was never reached."""
    is_recovered: npt.NDArray[np.bool_]
    under_water_frac: float
    """Share of all days spent below an earlier peak."""
    ulcer: float
    """Root mean square of the daily drawdown, as a fraction (Martin and McCann 1989)."""

    @property
    def length_days(self) -> IntArray:
        """Days from peak to recovery, or so far when not recovered."""
        return self.end_day - self.peak_day

    @property
    def recovery_days(self) -> IntArray:
        """Days from trough to recovery, or so far when not recovered."""
        return self.end_day - self.trough_day


def drawdowns(equity: npt.ArrayLike) -> Drawdowns:
    """All drawdowns of one path; a path that never falls has none.

    Parameters
    ----------
    equity : (n_days + 1,) net equity, the first value before the first day, all above 0

    Raises
    ------
    SampleError : fewer than 2 values, a NaN or an infinity
    ParameterError : equity not above 0
    """
    path = checked_vector(equity, name="equity", min_rows=2)
    checked_above(float(path.min()), 0.0, name="lowest equity")
    fall = 1.0 - path / np.maximum.accumulate(path)
    is_under = fall > 0.0
    edges = np.diff(is_under, append=False)
    # The start is always a peak, so a drawdown begins after each rising edge of ``is_under``.
    peak = np.flatnonzero(edges & ~is_under)
    last_under = np.flatnonzero(edges & is_under)
    trough = np.array(
        [first + 1 + int(fall[first + 1 : last + 1].argmax()) for first, last in zip(peak, last_under, strict=True)],
        dtype=np.int64,
    )
    return Drawdowns(
        depth=fall[trough],
        peak_day=peak,
        trough_day=trough,
        end_day=np.minimum(last_under + 1, len(path) - 1),
        is_recovered=last_under < len(path) - 1,
        under_water_frac=float(is_under[1:].mean()),
        ulcer=float(np.sqrt(np.square(fall[1:]).mean())),
    )


def calmar(equity: npt.ArrayLike) -> float:
    """Compound annual return (252 days) over the largest drawdown, over the whole path.

    Parameters
    ----------
    equity : (n_days + 1,) net equity, all above 0

    Raises
    ------
    SampleError : fewer than 2 values, a NaN, or a path that never falls (the ratio does not exist)

    Source: Young (1991), "Calmar ratio: a smoother tool", Futures 20, there over 36 months.
    """
    path = checked_vector(equity, name="equity", min_rows=2)
    deepest = max_drawdown(path)
    if deepest == 0.0:
        raise SampleError("equity: never fell, so no Calmar ratio exists", remedy="Report the annual return by itself.")
    return annual_return(path) / deepest


def hit_rate(returns: npt.ArrayLike) -> float:
    """Share of days with a return above 0, among days that moved at all; between 0 and 1.

    Parameters
    ----------
    returns : (n_days,) simple daily returns, absolute or against a benchmark

    Raises
    ------
    SampleError : a NaN, or no day that moved
    """
    series = checked_vector(returns, name="returns", min_rows=1)
    moved = int(np.count_nonzero(series))
    if moved == 0:
        raise SampleError("returns: no day moved, so no hit rate exists")
    return int(np.count_nonzero(series > 0.0)) / moved


def tail_ratio(returns: npt.ArrayLike, level: float = 0.95) -> float:
    """Size of the good tail over the bad one: quantile(level) over minus quantile(1 - level).

    Above 1 when large gains exceed large losses. Quantiles are interpolated linearly (numpy's default).

    Parameters
    ----------
    returns : (n_days >= 20,) simple daily returns
    level : in (0.5, 1)

    Raises
    ------
    SampleError : fewer than 20 days, a NaN, or tails that do not lie on both sides of 0
    ParameterError : a level outside (0.5, 1)
    """
    checked_above(level, 0.5, name="level")
    checked_above(1.0 - level, 0.0, name="1 - level")
    series = checked_vector(returns, name="returns", min_rows=20)
    low, high = (float(edge) for edge in np.quantile(series, [1.0 - level, level]))
    if low >= 0.0 or high <= 0.0:
        raise SampleError(
            f"returns: the {1.0 - level:.0%} and {level:.0%} quantiles are {low:.4g} and {high:.4g}, "
            "expected a loss and a gain",
            remedy="Measure over a span with both, or choose a level nearer to 1.",
        )
    return -high / low


def moments(returns: npt.ArrayLike) -> tuple[float, float]:
    """Skewness and kurtosis, the third and fourth standardized moments; kurtosis is 3 for a normal, not 0.

    Population moments (they divide by n), as the probabilistic Sharpe ratio takes them.

    Parameters
    ----------
    returns : (n_days >= 4,) simple daily returns

    Raises
    ------
    SampleError : fewer than 4 days, a NaN, or returns without variance
    """
    series = checked_vector(returns, name="returns", min_rows=4)
    centered = series - series.mean()
    variance = float(np.square(centered).mean())
    if variance <= 1e-24:
        raise SampleError("returns: never move, so they have no skewness and no kurtosis")
    return float((centered**3).mean()) / variance**1.5, float((centered**4).mean()) / variance**2


def yearly_turnover(traded: float, equity: npt.ArrayLike) -> float:
    """Traded value a year of 252 days over mean equity; buys plus sells, so a whole swap of the book counts 2.

    Parameters
    ----------
    traded : value bought plus value sold over the whole path, in its currency
    equity : (n_days + 1,) equity at each close; a single close stands for one day
    """
    checked_at_least(traded, 0.0, name="traded")
    path = checked_vector(equity, name="equity", min_rows=1)
    checked_above(float(path.min()), 0.0, name="lowest equity")
    return traded / float(path.mean()) * DAYS_PER_YEAR / max(len(path) - 1, 1)


def rolling_sharpe(returns: npt.ArrayLike, window_days: int) -> tuple[FloatArray, FloatArray]:
    """Annualized Sharpe ratio of every full window and its standard error, (n_days - window_days + 1,) each.

    Cash at zero, ddof 1. The error is that of independent normal days, sqrt((1 + SR^2 / 2) / n) in daily units.

    Parameters
    ----------
    returns : (n_days,) simple daily returns
    window_days : at least 20

    Raises
    ------
    SampleError : a NaN, or a window that stands still
    ParameterError : a window below 20 days or longer than the history

    Source: Lo (2002), "The statistics of Sharpe ratios", Financial Analysts Journal 58(4), eq. 9.
    """
    series = checked_vector(returns, name="returns", min_rows=2)
    if not 20 <= window_days <= len(series):
        raise ParameterError(f"window_days: found {window_days}, expected from 20 to {len(series)}")
    windows = np.lib.stride_tricks.sliding_window_view(series, window_days)
    deviation = windows.std(axis=1, ddof=1)
    if float(deviation.min()) <= 1e-12:
        raise SampleError(
            f"returns: stand still in the window from row {int(deviation.argmin())}, so no Sharpe ratio exists there",
            remedy="Use a longer window.",
        )
    ratio = windows.mean(axis=1) / deviation
    year = np.sqrt(DAYS_PER_YEAR)
    return ratio * year, np.sqrt((1.0 + 0.5 * np.square(ratio)) / window_days) * year
