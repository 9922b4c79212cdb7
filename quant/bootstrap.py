"""Resampling of dependent returns in blocks, and percentile intervals of any statistic of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, IntArray, checked_at_least, checked_fraction
from .errors import ParameterError, SampleError, ShapeError

N_DRAWS = 2_000
"""Resampled histories behind every interval: another seed moves an end of a 95 % one by 3 % of its half width."""
BLOCK_DAYS = 21
"""A month: how many days stay together on average, so that their order survives."""
MIN_INTERVAL_DAYS = 2 * BLOCK_DAYS
"""Two blocks: below that an interval says nothing about the order of days."""
LEVEL = 0.95
"""Coverage of every interval that is shown."""
ELEMENTS_PER_CHUNK = 2_000_000
"""Resampled values held at once: 16 MB."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided bootstrap interval."""

    low: float
    high: float
    level: float


def block_interval(
    values: npt.ArrayLike,
    statistic: Callable[[FloatArray], FloatArray],
    rng: np.random.Generator,
    *,
    blocks: Literal["stationary", "circular"] = "stationary",
    block_days: float = BLOCK_DAYS,
    level: float = LEVEL,
    n_draws: int = N_DRAWS,
) -> Interval:
    """Percentile interval of ``statistic`` under the stationary or the circular block bootstrap.

    Parameters
    ----------
    values : (n_days,) or (n_days, n_columns); rows are drawn whole, so that columns stay together
    statistic : from (n_draws, n_days) or (n_draws, n_days, n_columns) to (n_draws,)
    rng : source of the draws; the same state gives the same interval
    blocks : "stationary" for geometric lengths with mean ``block_days``, "circular" for exactly that length
    level : coverage, in (0, 1); the quantiles of the draws are interpolated linearly

    Raises
    ------
    SampleError : fewer than 2 days, a NaN or an infinity, also among the statistic's values
    ShapeError : a statistic that returns another shape
    ParameterError : a level outside (0, 1), blocks below one day or longer than the sample, or no draws

    Source: Politis and Romano (1994), J. American Statistical Association 89 (stationary) and (1992), in
    Exploring the Limits of Bootstrap (circular).
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim not in (1, 2) or sample.size == 0:
        raise ShapeError(f"values: found shape {sample.shape}, expected (n_days,) or (n_days, n_columns)")
    if len(sample) < 2 or not np.isfinite(sample).all():
        raise SampleError(
            f"values: found {len(sample)} days and {int((~np.isfinite(sample)).sum())} NaN or infinite values, "
            "expected at least 2 days and none",
            remedy="Fill or drop the gap upstream.",
        )
    checked_fraction(level, name="level")
    checked_at_least(n_draws, 1, name="n_draws")
    draw = {"stationary": stationary_rows, "circular": circular_rows}.get(blocks)
    if draw is None:
        raise ParameterError(f"blocks: found {blocks!r}, expected 'stationary' or 'circular'")
    chunk = max(ELEMENTS_PER_CHUNK // sample.size, 1)
    found: list[FloatArray] = []
    for first in range(0, n_draws, chunk):
        size = min(chunk, n_draws - first)
        part = np.asarray(statistic(sample[draw(len(sample), size, block_days, rng)]), dtype=np.float64)
        if part.shape != (size,):
            raise ShapeError(f"statistic: returned shape {part.shape}, expected ({size},), one value a draw")
        found.append(part)
    drawn = np.concatenate(found)
    if not np.isfinite(drawn).all():
        raise SampleError(
            f"statistic: {int((~np.isfinite(drawn)).sum())} of {n_draws} resamples gave NaN or infinity, expected none",
            remedy="Give a longer history, or a statistic that is defined on idle stretches.",
        )
    return percentile_interval(drawn, level)


def percentile_interval(draws: FloatArray, level: float = LEVEL) -> Interval:
    """The middle ``level`` of (n_draws,) draws; quantiles are interpolated linearly (numpy's default)."""
    checked_fraction(level, name="level")
    low, high = np.quantile(draws, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return Interval(float(low), float(high), level)


def stationary_rows(n_days: int, n_draws: int, block_days: float, rng: np.random.Generator) -> IntArray:
    """Row numbers (n_draws, n_days): blocks of geometric length from random starts, wrapping around."""
    checked_at_least(block_days, 1.0, name="block_days")
    is_start = rng.random((n_draws, n_days)) < 1.0 / block_days
    is_start[:, 0] = True
    starts = rng.integers(0, n_days, size=(n_draws, n_days))
    # Every draw begins with a start, so blocks never reach over into the next draw when laid end to end.
    first = np.flatnonzero(is_start)
    shift = starts.ravel()[first] - first % n_days
    rows = np.repeat(shift, np.diff(first, append=starts.size)).reshape(n_draws, n_days)
    rows += np.arange(n_days)
    np.subtract(rows, n_days, out=rows, where=rows >= n_days)
    return rows


def circular_rows(n_days: int, n_draws: int, block_days: float, rng: np.random.Generator) -> IntArray:
    """Row numbers (n_draws, n_days): blocks of one whole length from random starts, wrapping around."""
    if int(block_days) != block_days or not 1 <= block_days <= n_days:
        raise ParameterError(f"block_days: found {block_days}, expected a whole number between 1 and {n_days}")
    length = int(block_days)
    starts = rng.integers(0, n_days, size=(n_draws, -(-n_days // length)))
    return ((starts[:, :, None] + np.arange(length)) % n_days).reshape(n_draws, -1)[:, :n_days]
