"""What paths are worth, and how sure that is: figures of all arms over the same resampled days, and differences."""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np

from ...quant.arrays import DAYS_PER_YEAR, STILL, FloatArray
from ...quant.bootstrap import ELEMENTS_PER_CHUNK, N_DRAWS, Interval, percentile_interval, stationary_rows
from ...quant.multiple_tests import block_length, long_run_deviation, mean_p_value, observations_needed
from ...quant.shapley import shapley_values

WORTHS = ("annual return", "Sharpe ratio", "maximum drawdown")
ARMS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Difference:
    """One arm less another, day by day; nothing but its value where both are the same on every day."""

    annual: float
    """Mean daily difference times 252."""
    annual_interval: Interval | None
    sharpe: float
    sharpe_interval: Interval | None
    p_value: float
    days_needed: int | None
    """To see a mean of this size four times in five; None where there is nothing to see."""

    @property
    def is_none(self) -> bool:
        return self.annual_interval is None


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """Shapley values by agent and worth, (n_agents, 3), with the ends of their intervals of the same shape."""

    values: FloatArray
    low: FloatArray
    high: FloatArray
    whole: FloatArray
    """(3,) all agents less nobody: what the values add up to."""


def path_worths(returns: FloatArray) -> FloatArray:
    """(..., n_arms, 3) compound annual return, Sharpe ratio and largest drawdown of (..., n_days, n_arms) returns.

    A path that stands still has a ratio of zero: an idle book earns nothing and risks nothing.
    """
    growth = np.cumprod(1.0 + returns, axis=-2)
    peak = np.maximum.accumulate(np.maximum(growth, 1.0), axis=-2)
    n_days = returns.shape[-2]
    deviation = returns.std(axis=-2, ddof=1)
    moves = deviation > STILL
    ratio = np.where(moves, returns.mean(axis=-2) / np.where(moves, deviation, 1.0), 0.0) * sqrt(DAYS_PER_YEAR)
    annual = growth[..., -1, :] ** (DAYS_PER_YEAR / n_days) - 1.0
    return np.stack([annual, ratio, (1.0 - growth / peak).max(axis=-2)], axis=-1)


def worth_draws(
    returns: FloatArray, rng: np.random.Generator, worths: Callable[[FloatArray], FloatArray], n_draws: int = N_DRAWS
) -> FloatArray:
    """(n_draws, ...) of `worths` over stationary resamples of (n_days, n_arms) returns; days are drawn whole."""
    # Of the days alone, so that one arm and all of them together are drawn by the same histories.
    chunk = max(ELEMENTS_PER_CHUNK // (ARMS_AT_ONCE * len(returns)), 1)
    block = block_length(len(returns))
    return np.concatenate(
        [
            worths(returns[stationary_rows(len(returns), min(chunk, n_draws - first), block, rng)])
            for first in range(0, n_draws, chunk)
        ]
    )


def difference(one: FloatArray, other: FloatArray, seed: int) -> Difference:
    """Of two arms' daily returns (n_days,) over the same days."""
    gaps = one - other
    if not gaps.any():
        return Difference(0.0, None, 0.0, None, 1.0, None)
    both = np.column_stack([one, other])
    worth = path_worths(both)
    drawn = worth_draws(both, np.random.default_rng(seed), _mean_and_ratio)
    deviation = long_run_deviation(gaps)
    mean = float(gaps.mean())
    return Difference(
        annual=mean * DAYS_PER_YEAR,
        annual_interval=percentile_interval(drawn[:, 0]),
        sharpe=float(worth[0, 1] - worth[1, 1]),
        sharpe_interval=percentile_interval(drawn[:, 1]),
        p_value=mean_p_value(gaps, np.random.default_rng(seed), block_days=block_length(len(gaps))),
        days_needed=observations_needed(mean, deviation) if mean and deviation > 0.0 else None,
    )


def shares(returns: FloatArray, seed: int) -> Shares:
    """Shapley values of (n_days, 2^n) returns, a column for each coalition in the order of its bits."""
    whole = path_worths(returns)
    values = shapley_values(whole)
    drawn = worth_draws(returns, np.random.default_rng(seed), path_worths)
    flat = drawn.transpose(1, 0, 2).reshape(drawn.shape[1], -1)
    spread = shapley_values(flat).reshape(len(values), len(drawn), len(WORTHS))
    low, high = np.quantile(spread, [0.025, 0.975], axis=1)
    return Shares(values, low, high, whole[-1] - whole[0])


def _mean_and_ratio(drawn: FloatArray) -> FloatArray:
    """(n_draws, 2): annual mean of the differences, and the difference of the Sharpe ratios."""
    worths = path_worths(drawn)
    gaps = (drawn[..., 0] - drawn[..., 1]).mean(axis=-1) * DAYS_PER_YEAR
    return np.column_stack([gaps, worths[:, 0, 1] - worths[:, 1, 1]])
