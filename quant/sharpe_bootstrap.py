"""How sure a Sharpe ratio is: its value over resampled histories, and when there are too few days to say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from .arrays import DAYS_PER_YEAR, STILL, FloatArray, checked_at_least, checked_matrix, checked_vector
from .bootstrap import (
    BLOCK_DAYS,
    ELEMENTS_PER_CHUNK,
    LEVEL,
    MIN_INTERVAL_DAYS,
    N_DRAWS,
    Interval,
    percentile_interval,
    stationary_rows,
)
from .errors import SampleError

_MOST_IDLE_FRAC = 0.01


class NoInterval(StrEnum):
    """Why a Sharpe ratio has no interval: a finding about the record, not an error."""

    TOO_SHORT = "too_short"
    """Fewer days than two blocks: the order of days cannot be resampled."""
    IDLE = "idle"
    """So many days without a move that over 1 % of the resampled histories have no variance."""


def sharpe_intervals(
    returns: FloatArray, rng: np.random.Generator, *, level: float = LEVEL
) -> tuple[Interval | NoInterval, ...]:
    """Percentile intervals of the annualized Sharpe ratios of several series over the same days.

    Every series is resampled by the same draws, so that their intervals can be compared, and each alone gives what
    ``sharpe_draws`` gives.

    Parameters
    ----------
    returns : (n_days, n_series) simple daily returns, as fractions
    rng : source of the draws; the same state gives the same intervals
    level : coverage, in (0, 1)

    Raises
    ------
    ShapeError, SampleError : not a matrix, no days, a NaN or an infinity
    ParameterError : a level outside (0, 1)

    Source: Politis and Romano (1994), J. American Statistical Association 89.
    """
    series = checked_matrix(returns, name="returns", min_rows=1)
    if len(series) < MIN_INTERVAL_DAYS:
        return (NoInterval.TOO_SHORT,) * series.shape[1]
    drawn = _drawn(list(np.ascontiguousarray(series.T)), rng, BLOCK_DAYS, N_DRAWS)
    return tuple(NoInterval.IDLE if _idle(found, N_DRAWS) else percentile_interval(found, level) for found in drawn)


def sharpe_draws(
    returns: FloatArray,
    rng: np.random.Generator,
    *,
    mean_block_days: float = BLOCK_DAYS,
    n_draws: int = N_DRAWS,
) -> FloatArray:
    """Annualized Sharpe ratios of resampled histories; draws without variance are left out.

    Parameters
    ----------
    returns : (n_days,) simple daily returns, as fractions; give returns above cash for a ratio above cash
    rng : source of the draws; the same state gives the same ratios
    mean_block_days : mean length of the geometric blocks, at least 1

    Raises
    ------
    SampleError : fewer than 2 days, a NaN or an infinity, or so many idle days that over 1 % of the
        draws have no variance
    """
    series = checked_vector(returns, name="returns", min_rows=2)
    checked_at_least(mean_block_days, 1.0, name="mean_block_days")
    checked_at_least(n_draws, 1, name="n_draws")
    (found,) = _drawn([series], rng, mean_block_days, n_draws)
    if _idle(found, n_draws):
        raise SampleError(
            f"returns: {n_draws - len(found)} of {n_draws} resamples have no variance, expected at most 1 %",
            remedy="Measure over a longer run: this one was idle on most days.",
        )
    return found


def _drawn(
    series: Sequence[FloatArray], rng: np.random.Generator, mean_block_days: float, n_draws: int
) -> list[FloatArray]:
    """Of each series, the ratios of those draws that moved; the rows of a draw are the same for all."""
    n_days = len(series[0])
    chunk = max(ELEMENTS_PER_CHUNK // n_days, 1)
    ratios: list[list[FloatArray]] = [[] for _ in series]
    for first in range(0, n_draws, chunk):
        rows = stationary_rows(n_days, min(chunk, n_draws - first), mean_block_days, rng)
        for kept, values in zip(ratios, series, strict=True):
            drawn = values[rows]
            deviation = drawn.std(axis=1, ddof=1)
            moved = deviation > STILL
            kept.append(drawn.mean(axis=1)[moved] / deviation[moved] * math.sqrt(DAYS_PER_YEAR))
    return [np.concatenate(kept) for kept in ratios]


def _idle(found: FloatArray, n_draws: int) -> bool:
    return len(found) < (1.0 - _MOST_IDLE_FRAC) * n_draws
