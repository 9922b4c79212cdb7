"""A Sharpe ratio's studentized interval: each resampled ratio is measured in its own standard error."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .arrays import DAYS_PER_YEAR, STILL, FloatArray, checked_fraction, checked_vector
from .bootstrap import BLOCK_DAYS, ELEMENTS_PER_CHUNK, LEVEL, MIN_INTERVAL_DAYS, N_DRAWS, Interval, circular_rows
from .errors import SampleError
from .multiple_tests import long_run_deviation


def sharpe_error(returns: npt.ArrayLike) -> float:
    """Standard error of the annualized Sharpe ratio, allowing for skew, fat tails and serial correlation.

    The delta method on mean and variance, with the long-run deviation (Newey and West) of its influence.

    Parameters
    ----------
    returns : (n_days >= 2,) simple daily returns, as fractions

    Raises
    ------
    SampleError : a NaN, or returns without variance

    Source: Lo (2002), Financial Analysts Journal 58(4), equations 13 to 15.
    """
    series = _moving(returns)
    return long_run_deviation(_influence(series)) / math.sqrt(len(series)) * math.sqrt(DAYS_PER_YEAR)


def studentized_sharpe_interval(
    returns: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    block_days: int = BLOCK_DAYS,
    level: float = LEVEL,
    n_draws: int = N_DRAWS,
) -> Interval:
    """Bootstrap-t interval of an annualized Sharpe ratio from circular blocks of one length.

    Draws are of whole blocks, so that a draw's own error is the deviation of its block sums. Where days depend on
    each other or tails are fat it covers nearer to its level than percentiles do, and it is often wider.

    Parameters
    ----------
    returns : (n_days,) simple daily returns, at least two blocks of them
    rng : source of the draws; the same state gives the same interval
    block_days, level, n_draws : as ``block_interval``

    Raises
    ------
    SampleError : fewer than two blocks, a NaN, or returns that stand still in the sample or in a draw

    Source: Ledoit and Wolf (2008), "Robust performance hypothesis testing with the Sharpe ratio",
    J. Empirical Finance 15, section 3.2.2, for one ratio instead of a difference.
    """
    checked_fraction(level, name="level")
    series = _moving(returns)
    n_days = len(series)
    if n_days < max(2 * block_days, MIN_INTERVAL_DAYS):
        raise SampleError(f"returns: found {n_days} days, expected at least two blocks of {block_days}")
    ratio = float(series.mean() / series.std(ddof=1))
    error = long_run_deviation(_influence(series)) / math.sqrt(n_days)
    length = n_days // block_days * block_days
    chunk, found = max(ELEMENTS_PER_CHUNK // n_days, 1), list[FloatArray]()
    for first in range(0, n_draws, chunk):
        rows = circular_rows(n_days, min(chunk, n_draws - first), block_days, rng)[:, :length]
        found.append(_students(series[rows], ratio, block_days))
    students = np.concatenate(found)
    if not np.isfinite(students).all():
        raise SampleError("returns: stand still in some resampled histories", remedy="Measure over a longer run.")
    low, high = np.quantile(students, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    year = math.sqrt(DAYS_PER_YEAR)
    return Interval((ratio - float(high) * error) * year, (ratio - float(low) * error) * year, level)


def _students(drawn: FloatArray, ratio: float, block_days: int) -> FloatArray:
    """(n_draws,) distances of the draws' ratios (n_draws, n_days) from the sample's, each in its own error."""
    mean = drawn.mean(axis=1, keepdims=True)
    deviation = drawn.std(axis=1, ddof=1, keepdims=True)
    deviation = np.where(deviation > STILL, deviation, np.nan)
    ratios = mean / deviation
    z = (drawn - mean) / deviation
    influence = z - ratios / 2.0 * (np.square(z) - 1.0)
    blocks = influence.reshape(len(drawn), -1, block_days).sum(axis=2) / math.sqrt(block_days)
    errors = np.sqrt(np.square(blocks).mean(axis=1) / drawn.shape[1])
    return (ratios[:, 0] - ratio) / errors


def _influence(series: FloatArray) -> FloatArray:
    """How much each day (n_days,) moves the daily ratio, times n_days."""
    z = (series - series.mean()) / series.std(ddof=1)
    return z - float(series.mean() / series.std(ddof=1)) / 2.0 * (np.square(z) - 1.0)


def _moving(returns: npt.ArrayLike) -> FloatArray:
    series = checked_vector(returns, name="returns", min_rows=2)
    if float(series.std(ddof=1)) <= STILL:
        raise SampleError("returns: never move, so no Sharpe ratio exists")
    return series
