"""How much of a backtest is selection: minimum track record length and the probability of overfitting (CSCV)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from .arrays import DAYS_PER_YEAR, FloatArray, checked_at_least, checked_fraction, checked_returns
from .errors import ParameterError, SampleError

_ROWS_PER_CHUNK = 2048


@dataclass(frozen=True, slots=True)
class OverfitReport:
    """What combinatorially symmetric cross-validation says about picking the best of many strategies."""

    probability: float
    """PBO: share of splits in which the best in sample ranked in the lower half out of sample."""
    logits: FloatArray
    """(n_splits,) log odds of the winner's relative rank out of sample; at most 0 is overfit."""
    best_in_sample: FloatArray
    """(n_splits,) annualized Sharpe ratio of the winner in sample."""
    best_out_of_sample: FloatArray
    """(n_splits,) annualized Sharpe ratio of the same strategy out of sample."""

    @property
    def loss_probability(self) -> float:
        """Share of splits in which the winner lost money out of sample."""
        return float((self.best_out_of_sample < 0.0).mean())


def min_track_record_days(
    sharpe_per_day: float, skew: float, kurtosis: float, *, benchmark_per_day: float = 0.0, level: float = 0.95
) -> float:
    """Observations needed before ``probabilistic_sharpe`` exceeds ``level``; not rounded.

    Parameters
    ----------
    sharpe_per_day, benchmark_per_day : Sharpe ratios per observation, not annualized, the first above the second
    skew, kurtosis : third and fourth standardized moments (3 for a normal)
    level : confidence, in (0.5, 1)

    Raises
    ------
    ParameterError : a ratio not above its benchmark (no length would do), or moments no distribution has

    Source: Bailey and López de Prado (2012), "The Sharpe ratio efficient frontier", J. of Risk 15, eq. 12.
    """
    checked_fraction(level, name="level")
    checked_at_least(level, 0.5, name="level")
    checked_at_least(kurtosis, 1.0, name="kurtosis")
    if not (math.isfinite(sharpe_per_day) and sharpe_per_day > benchmark_per_day):
        raise ParameterError(
            f"sharpe_per_day: found {sharpe_per_day}, expected more than the benchmark's {benchmark_per_day}",
            remedy="No record is long enough to show skill that the estimate itself denies.",
        )
    variance = 1.0 - skew * sharpe_per_day + (kurtosis - 1.0) / 4.0 * sharpe_per_day**2
    if not variance > 0.0:
        raise ParameterError(
            f"skew and kurtosis: found {skew} and {kurtosis}, expected moments with kurtosis >= skew^2 + 1"
        )
    return 1.0 + variance * (NormalDist().inv_cdf(level) / (sharpe_per_day - benchmark_per_day)) ** 2


def overfit_probability(returns: npt.ArrayLike, n_blocks: int = 16) -> OverfitReport:
    """Probability of backtest overfitting when the strategy with the best Sharpe ratio is picked.

    The days are cut into ``n_blocks`` equal runs (the oldest days that do not divide are left out); each half
    of the runs serves once as the sample, the other half as the test. The winner's rank among n strategies,
    over n + 1, is its relative rank; ties share their mean rank.

    Parameters
    ----------
    returns : (n_days, n_strategies >= 2) simple daily returns of every configuration tried, dead ends too
    n_blocks : S, even, from 2 to 20; S choose S / 2 splits are evaluated

    Raises
    ------
    SampleError : fewer than 2 days a block, a NaN, or a strategy that stands still in some half
    ParameterError : a number of blocks that is odd or out of range, or a single strategy

    Source: Bailey, Borwein, López de Prado and Zhu (2015), "The probability of backtest overfitting",
    J. Computational Finance 20(4), section 2.
    """
    if int(n_blocks) != n_blocks or n_blocks % 2 or not 2 <= n_blocks <= 20:
        raise ParameterError(f"n_blocks: found {n_blocks}, expected an even number from 2 to 20")
    matrix = checked_returns(returns, 2 * n_blocks)
    if matrix.shape[1] < 2:
        raise ParameterError(f"returns: found {matrix.shape[1]} strategy, expected at least 2 to choose from")
    length = len(matrix) // n_blocks
    runs = matrix[-length * n_blocks :].reshape(n_blocks, length, -1)
    # Sharpe ratios need only sums and sums of squares, so each split costs n_blocks and not n_days; squares
    # around the common mean lose nothing to cancellation.
    center = matrix.mean(axis=0)
    sums = (runs - center).sum(axis=1)
    squares = np.square(runs - center).sum(axis=1)
    chosen = np.zeros((math.comb(n_blocks, n_blocks // 2), n_blocks))
    for row, places in enumerate(combinations(range(n_blocks), n_blocks // 2)):
        chosen[row, list(places)] = 1.0
    n_half = length * n_blocks // 2
    parts = [
        _split_ranks(chosen[first : first + _ROWS_PER_CHUNK], sums, squares, center, n_half)
        for first in range(0, len(chosen), _ROWS_PER_CHUNK)
    ]
    rank, inside, outside = (np.concatenate(column) for column in zip(*parts, strict=True))
    relative = rank / (matrix.shape[1] + 1.0)
    logits = np.log(relative / (1.0 - relative))
    year = math.sqrt(DAYS_PER_YEAR)
    return OverfitReport(float((logits <= 0.0).mean()), logits, inside * year, outside * year)


def _split_ranks(
    chosen: FloatArray, sums: FloatArray, squares: FloatArray, center: FloatArray, n_half: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Rank out of sample, from 1, of the winner in sample of each split, and its two daily Sharpe ratios."""
    inside = _half_sharpes(chosen, sums, squares, center, n_half)
    outside = _half_sharpes(1.0 - chosen, sums, squares, center, n_half)
    rows = np.arange(len(chosen))
    winner = inside.argmax(axis=1)
    result = outside[rows, winner]
    below = (outside < result[:, None]).sum(axis=1)
    alike = (outside == result[:, None]).sum(axis=1)
    return below + 0.5 * (alike + 1.0), inside[rows, winner], result


def _half_sharpes(
    chosen: FloatArray, sums: FloatArray, squares: FloatArray, center: FloatArray, n_half: int
) -> FloatArray:
    mean = chosen @ sums / n_half
    variance = (chosen @ squares - n_half * mean * mean) / (n_half - 1)
    if variance.min() <= 1e-24:
        strategy = int(variance.min(axis=0).argmin())
        raise SampleError(
            f"returns: strategy number {strategy} stands still in some half of the days: no Sharpe ratio there",
            remedy="Leave idle strategies out, or use fewer blocks.",
        )
    return (mean + center) / np.sqrt(variance)
