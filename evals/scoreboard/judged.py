"""One path in figures that a sceptic asks for: never a ratio without interval, trials, and what luck would show."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...quant.arrays import DAYS_PER_YEAR, FloatArray
from ...quant.benchmark_metrics import sharpe_difference_interval
from ...quant.bootstrap import BLOCK_DAYS, MIN_INTERVAL_DAYS, Interval, block_interval
from ...quant.errors import QuantError, SampleError
from ...quant.overfitting import min_track_record_days, overfit_probability
from ...quant.path_metrics import drawdowns, moments
from ...quant.performance import (
    annual_return,
    deflated_sharpe,
    expected_best_sharpe,
    is_distinguishable_from_luck,
    max_drawdown,
    probabilistic_sharpe,
    sharpe,
    sortino,
)
from ...quant.sharpe_bootstrap import sharpe_intervals
from ...quant.sharpe_studentized import studentized_sharpe_interval
from ...quant.var import annual_volatility
from ...tools.luck import CSCV_BLOCKS
from ...tools.track_record import INTERVAL_SEED
from ..trials import Trials

TOO_SHORT = f"A Sharpe ratio has an interval from {MIN_INTERVAL_DAYS} days of returns on; without one none is given."
LUCK_SHARPES = (0.5, 1.0, 1.5)


@dataclass(frozen=True, slots=True)
class Ratio:
    """An annualized Sharpe ratio, cash at zero, with what it takes to believe it."""

    value: float
    percentile: Interval
    studentized: Interval | None
    """None where some resampled history stood still."""
    psr: float
    """Probability that the true ratio is above zero."""
    expected_best: float
    """What the best of the counted trials would show without skill, annualized."""
    dsr: float
    """Probability that the true ratio is above that."""
    days_needed: int | None
    """Of such a record, until it is above zero at 95 %; None where it is not above zero."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Fractions, a year being 252 days; None where a figure does not exist or cannot be judged."""

    n_days: int
    total_return: float
    annual_return: float
    annual_volatility: float
    ratio: Ratio | None
    sortino: float | None
    max_drawdown: float
    longest_under_water_days: int
    under_water_frac: float


def judged(equity: FloatArray, trials: Trials) -> Judged:
    """The figures of one equity path (n_days + 1,)."""
    returns = equity[1:] / equity[:-1] - 1.0
    falls = drawdowns(equity)
    return Judged(
        n_days=len(returns),
        total_return=float(equity[-1] / equity[0] - 1.0),
        annual_return=annual_return(equity),
        annual_volatility=annual_volatility(returns) if len(returns) > 1 else 0.0,
        ratio=ratio_of(returns, trials),
        sortino=_sortino(returns),
        max_drawdown=max_drawdown(equity),
        longest_under_water_days=int(falls.length_days.max()) if len(falls.depth) else 0,
        under_water_frac=falls.under_water_frac,
    )


def ratio_of(returns: FloatArray, trials: Trials) -> Ratio | None:
    """The ratio of daily returns (n_days,) with all that goes with it; None where it cannot have an interval."""
    if len(returns) < MIN_INTERVAL_DAYS:
        return None
    interval = sharpe_intervals(returns[:, None], np.random.default_rng(INTERVAL_SEED))[0]
    if not isinstance(interval, Interval):
        return None
    annual = sharpe(returns)
    daily, (skew, kurtosis) = annual / math.sqrt(DAYS_PER_YEAR), moments(returns)
    variance = trials.sharpe_deviation**2 / DAYS_PER_YEAR
    terms = {"n_trials": trials.count, "trial_variance": variance}
    return Ratio(
        value=annual,
        percentile=interval,
        studentized=_studentized(returns),
        psr=probabilistic_sharpe(daily, len(returns), skew, kurtosis),
        expected_best=expected_best_sharpe(**terms) * math.sqrt(DAYS_PER_YEAR),
        dsr=deflated_sharpe(daily, len(returns), skew, kurtosis, **terms),
        days_needed=math.ceil(min_track_record_days(daily, skew, kurtosis)) if daily > 0.0 else None,
    )


def sharpe_gap(returns: FloatArray, other: FloatArray) -> tuple[float, Interval] | None:
    """One ratio less another on the same days (n_days,), with the interval of paired draws; or none."""
    if len(returns) < MIN_INTERVAL_DAYS:
        return None
    try:
        interval = sharpe_difference_interval(returns, other, np.random.default_rng(INTERVAL_SEED))
        return sharpe(returns) - sharpe(other), interval
    except SampleError:
        return None


def mean_gap(returns: FloatArray, other: FloatArray) -> tuple[float, Interval]:
    """The mean return a year less the other's, with the interval of paired draws."""
    gaps = (returns - other) * DAYS_PER_YEAR
    rng = np.random.default_rng(INTERVAL_SEED)
    return float(gaps.mean()), block_interval(gaps, lambda drawn: drawn.mean(axis=1), rng)


def over_bills(returns: FloatArray, exposure: FloatArray, bills: FloatArray, trials: Trials) -> Ratio | None:
    """The ratio over Treasury bills had cash earned them: what is invested must beat them, cash just earns them.

    `returns` and `bills` (n_days,); `exposure` (n_days,) the fraction invested at the close before.
    """
    return ratio_of(returns - exposure * bills, trials)


def luck_sentences(n_days: int, value: float | None) -> tuple[str, ...]:
    """What so many days can show, in words: required of every record, and damning for a short one."""
    needed = ", ".join(
        f"{math.ceil(min_track_record_days(item / math.sqrt(DAYS_PER_YEAR), 0.0, 3.0)):,} for {item}"
        for item in LUCK_SHARPES
    )
    power = (
        f"To show a true Sharpe ratio above zero at 95 % (one-sided, normal days) takes {needed}; "
        f"this record has {n_days:,}."
    )
    if is_distinguishable_from_luck(n_days):
        return (power,)
    seen = "" if value is None else f" whatever it shows ({value:.2f} here)"
    return (f"Shorter than three years: it cannot be told from luck{seen}.", power)


def break_even_bps(gross_returns: FloatArray, turnover: FloatArray) -> float | None:
    """The cost of a unit traded, in basis points, at which the mean net return of these days is zero.

    `gross_returns` and `turnover` (n_days,), the latter bought plus sold over equity; None where nothing traded.
    """
    traded = float(turnover.mean())
    return None if traded <= 0.0 else 1e4 * float(gross_returns.mean()) / traded


def all_judged(paths: Mapping[str, FloatArray], trials: Trials) -> dict[str, Judged]:
    """Of each path, by its name."""
    return {name: judged(equity, trials) for name, equity in paths.items()}


def _studentized(returns: FloatArray) -> Interval | None:
    try:
        return studentized_sharpe_interval(returns, np.random.default_rng(INTERVAL_SEED))
    except QuantError:
        return None


def _sortino(returns: FloatArray) -> float | None:
    try:
        return sortino(returns)
    except SampleError:
        return None


def choice_overfit(returns: FloatArray) -> float | None:
    """Probability that whoever of these (n_days, n_paths) looks best on half the days is below the middle on the rest.

    Combinatorially symmetric cross-validation over 16 blocks, or 8 where there are fewer than 16 months; None where
    there is nothing to choose from, too little time, or a path that stands still in some half.
    """
    n_days, n_paths = returns.shape
    blocks = next((count for count in CSCV_BLOCKS if n_days >= count * BLOCK_DAYS), None)
    if blocks is None or n_paths < 2:
        return None
    try:
        return overfit_probability(returns, blocks).probability
    except SampleError:
        return None
