"""How a strategy did against its benchmark: tracking error, information ratio, alpha and beta with honest errors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .arrays import DAYS_PER_YEAR, STILL, FloatArray, checked_vector
from .bootstrap import BLOCK_DAYS, LEVEL, N_DRAWS, Interval, block_interval
from .errors import ParameterError, SampleError


@dataclass(frozen=True, slots=True)
class AlphaBeta:
    """The regression of a strategy on its benchmark, both above cash."""

    alpha_per_year: float
    """The daily intercept times 252, as a fraction."""
    alpha_std_error: float
    """Of ``alpha_per_year``; Newey-West."""
    beta: float
    beta_std_error: float
    alpha_t: float
    r_squared: float
    n_lags: int
    """Lags of the Newey-West estimate."""


def tracking_error(returns: npt.ArrayLike, benchmark: npt.ArrayLike) -> float:
    """Annualized standard deviation (ddof 1, sqrt(252)) of daily returns less the benchmark's, as a fraction.

    Parameters
    ----------
    returns, benchmark : (n_days >= 2,) simple daily returns over the same days

    Raises
    ------
    ShapeError, SampleError : different lengths, fewer than 2 days, a NaN
    """
    return float(_active(returns, benchmark).std(ddof=1)) * math.sqrt(DAYS_PER_YEAR)


def information_ratio(returns: npt.ArrayLike, benchmark: npt.ArrayLike) -> float:
    """Annualized mean of daily active returns over their standard deviation (ddof 1).

    Parameters and errors as ``tracking_error``; SampleError also when the strategy is the benchmark plus a
    constant.

    Source: Grinold and Kahn (1999), Active Portfolio Management, ch. 5; arithmetic, with beta taken as 1.
    """
    active = _active(returns, benchmark)
    deviation = float(active.std(ddof=1))
    if deviation <= STILL:
        raise SampleError(
            "returns: never differ from the benchmark by more than a constant, so no information ratio exists",
            remedy="Compare with another benchmark.",
        )
    return float(active.mean()) / deviation * math.sqrt(DAYS_PER_YEAR)


def alpha_beta(excess: npt.ArrayLike, benchmark_excess: npt.ArrayLike, n_lags: int | None = None) -> AlphaBeta:
    """Ordinary least squares of ``excess`` on ``benchmark_excess`` with Newey-West standard errors.

    Bartlett weights, no small-sample factor (as statsmodels ``cov_type="HAC"`` by default); with 0 lags the
    errors are White's HC0.

    Parameters
    ----------
    excess, benchmark_excess : (n_days >= 20,) simple daily returns above cash, over the same days
    n_lags : None takes floor(4 (n / 100)^(2/9)) of Newey and West (1994)

    Raises
    ------
    SampleError : fewer than 20 days, a NaN, or a benchmark without variance
    ShapeError : lengths that differ
    ParameterError : lags below 0 or not fewer than the days

    Source: Newey and West (1987), Econometrica 55.
    """
    y = checked_vector(excess, name="excess", min_rows=20)
    x = checked_vector(benchmark_excess, name="benchmark_excess", length=len(y))
    lags = int(4.0 * (len(y) / 100.0) ** (2.0 / 9.0)) if n_lags is None else n_lags
    if int(lags) != lags or not 0 <= lags < len(y):
        raise ParameterError(f"n_lags: found {lags}, expected a whole number from 0 to {len(y) - 1}")
    spread = x - x.mean()
    power = float(spread @ spread)
    if power <= STILL**2 * len(x):
        raise SampleError("benchmark_excess: has no variance, so no beta exists", remedy="Check the benchmark's data.")
    beta = float(spread @ y) / power
    alpha = float(y.mean() - beta * x.mean())
    noise = y - alpha - beta * x
    # Each row is a day's influence on (alpha, beta): the bread of the sandwich is already multiplied in.
    slope = spread * noise / power
    influence = np.column_stack([noise / len(y) - x.mean() * slope, slope])
    covariance = influence.T @ influence
    for lag in range(1, lags + 1):
        cross = influence[lag:].T @ influence[:-lag]
        covariance = covariance + (1.0 - lag / (lags + 1.0)) * (cross + cross.T)
    alpha_error, beta_error = (math.sqrt(max(float(covariance[place, place]), 0.0)) for place in (0, 1))
    total = float(np.square(y - y.mean()).sum())
    return AlphaBeta(
        alpha_per_year=alpha * DAYS_PER_YEAR,
        alpha_std_error=alpha_error * DAYS_PER_YEAR,
        beta=beta,
        beta_std_error=beta_error,
        alpha_t=alpha / alpha_error if alpha_error > STILL else 0.0,
        r_squared=1.0 - float(noise @ noise) / total if total > 0.0 else 0.0,
        n_lags=int(lags),
    )


def capture_ratio(returns: npt.ArrayLike, benchmark: npt.ArrayLike, *, up: bool) -> float:
    """Mean return over the benchmark's, in the periods in which the benchmark rose (``up``) or else fell.

    Arithmetic means. Below 1 in falling periods and above 1 in rising ones is what anyone would like.

    Parameters
    ----------
    returns, benchmark : (n_periods,) simple returns over the same periods, usually months

    Raises
    ------
    ShapeError, SampleError : different lengths, a NaN, or no period in which the benchmark moved that way

    Source: the up and down capture of fund ratings, there with geometric means.
    """
    series = checked_vector(returns, name="returns", min_rows=1)
    market = checked_vector(benchmark, name="benchmark", length=len(series))
    chosen = market > 0.0 if up else market < 0.0
    if not chosen.any():
        raise SampleError(f"benchmark: never {'rose' if up else 'fell'}, so no capture ratio exists")
    return float(series[chosen].mean()) / float(market[chosen].mean())


def sharpe_difference_interval(
    returns: npt.ArrayLike,
    benchmark: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    level: float = LEVEL,
    block_days: float = BLOCK_DAYS,
    n_draws: int = N_DRAWS,
) -> Interval:
    """Bootstrap interval of one annualized Sharpe ratio less another's; their days are drawn together.

    Parameters
    ----------
    returns, benchmark : (n_days,) simple daily returns over the same days, cash at zero
    rng, level, block_days, n_draws : as ``block_interval``, with stationary blocks

    Raises
    ------
    ShapeError, SampleError : different lengths, a NaN, or a draw in which one of them stands still

    Source: Ledoit and Wolf (2008), "Robust performance hypothesis testing with the Sharpe ratio",
    J. Empirical Finance 15, section 3.2; here percentiles instead of a studentized statistic.
    """
    series = checked_vector(returns, name="returns", min_rows=2)
    both = np.column_stack([series, checked_vector(benchmark, name="benchmark", length=len(series))])
    return block_interval(both, _sharpe_gaps, rng, block_days=block_days, level=level, n_draws=n_draws)


def _sharpe_gaps(drawn: FloatArray) -> FloatArray:
    """(n_draws,) from (n_draws, n_days, 2); NaN where a column stands still, which the caller refuses."""
    deviation = drawn.std(axis=1, ddof=1)
    ratio = drawn.mean(axis=1) / np.where(deviation > STILL, deviation, np.nan) * math.sqrt(DAYS_PER_YEAR)
    return ratio[:, 0] - ratio[:, 1]


def _active(returns: npt.ArrayLike, benchmark: npt.ArrayLike) -> FloatArray:
    series = checked_vector(returns, name="returns", min_rows=2)
    return series - checked_vector(benchmark, name="benchmark", length=len(series))
