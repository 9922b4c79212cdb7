"""Whether tail forecasts came true: Kupiec, Christoffersen, Acerbi-Szekely and the Basel traffic light."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, checked_fraction, checked_vector
from .errors import ParameterError, SampleError, ShapeError

MIN_DAYS = 100
BASEL_DAYS = 250

BoolArray = npt.NDArray[np.bool_]

_NORMAL = NormalDist()
_YELLOW_FROM, _RED_FROM = 0.95, 0.9999
"""Cumulative probabilities where the zones begin (Basel Committee 1996, section III)."""
_MULTIPLIERS = (3.00, 3.00, 3.00, 3.00, 3.00, 3.40, 3.50, 3.65, 3.75, 3.85, 4.00)


class Zone(StrEnum):
    """The supervisor's reading of a year of exceptions."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, slots=True)
class LikelihoodRatio:
    """A likelihood ratio statistic and the chance of one as large if the model is right."""

    statistic: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Coverage:
    """Christoffersen's tests of one series of exceptions."""

    independence: LikelihoodRatio
    """Do exceptions come alone? chi-squared, 1 degree of freedom."""
    conditional: LikelihoodRatio
    """Kupiec's and this together, 2 degrees of freedom."""


@dataclass(frozen=True, slots=True)
class ShortfallTest:
    """Acerbi and Szekely's second test."""

    z2: float
    """0 when ES is right on average; negative when the tail was worse than forecast."""
    n_exceptions: int
    p_value: float
    """Chance of a Z2 as low if the forecasts are right, one-sided."""


def exceptions(returns: FloatArray, var: FloatArray) -> BoolArray:
    """Days (n_days,) whose loss was above the VaR forecast for that day; a loss equal to the VaR is none.

    Raises
    ------
    ShapeError : forecasts and returns of different lengths
    SampleError : no rows, a NaN or an infinity
    """
    realized = checked_vector(returns, name="returns", min_rows=1)
    return -realized > checked_vector(var, name="var", length=len(realized))


def kupiec(n_exceptions: int, n_days: int, level: float = 0.99) -> LikelihoodRatio:
    """Proportion of failures: is the share of exceptions 1 - level? Two-sided; 0 and n_days exceptions are fine.

    Raises
    ------
    ParameterError : a count outside 0 to n_days, no days, or a level outside (0, 1)

    Source: Kupiec (1995), J. of Derivatives 3, chi-squared with 1 degree of freedom.
    """
    checked_fraction(level, name="level")
    if n_days < 1 or not 0 <= n_exceptions <= n_days:
        raise ParameterError(f"n_exceptions: found {n_exceptions} of {n_days} days, expected 0 to n_days")
    hits, misses = n_exceptions, n_days - n_exceptions
    expected = _bernoulli(misses, hits, 1.0 - level)
    return _ratio(_bernoulli(misses, hits, hits / n_days) - expected, 1)


def christoffersen(hits: BoolArray, level: float = 0.99) -> Coverage:
    """Independence against a first-order Markov chain, and conditional coverage (with Kupiec's test added).

    A pair of consecutive exceptions that never happened (n11 = 0) counts as a probability of 0, with 0 log 0 = 0.
    Kupiec's part uses all days, the Markov part the n_days - 1 transitions, as is usual.

    Parameters
    ----------
    hits : (n_days,) booleans from ``exceptions``, oldest first, 100 days or more

    Raises
    ------
    ShapeError : not a vector of booleans
    SampleError : too few days

    Source: Christoffersen (1998), International Economic Review 39, section 3.
    """
    flags = np.asarray(hits)
    if flags.ndim != 1 or flags.dtype != np.bool_:
        raise ShapeError(f"hits: found shape {flags.shape} of {flags.dtype}, expected (n_days,) of bool")
    if len(flags) < MIN_DAYS:
        raise SampleError(f"hits: found {len(flags)} days, expected at least {MIN_DAYS}", remedy="Test a longer run.")
    before, after = flags[:-1], flags[1:]
    n11 = int((before & after).sum())
    n10 = int((before & ~after).sum())
    n01 = int((~before & after).sum())
    n00 = len(before) - n11 - n10 - n01
    chain = _bernoulli(n00, n01, n01 / max(n00 + n01, 1)) + _bernoulli(n10, n11, n11 / max(n10 + n11, 1))
    independence = _ratio(chain - _bernoulli(n00 + n10, n01 + n11, (n01 + n11) / len(before)), 1)
    proportion = kupiec(int(flags.sum()), len(flags), level)
    joint = independence.statistic + proportion.statistic
    return Coverage(independence, LikelihoodRatio(joint, _chi_squared_beyond(joint, 2)))


def shortfall_test(
    returns: FloatArray,
    var: FloatArray,
    es: FloatArray,
    rng: np.random.Generator,
    *,
    level: float = 0.975,
    n_trials: int = 10_000,
) -> ShortfallTest:
    """Unconditional test of ES forecasts: Z2 = 1 - sum over exceptions of loss / ES, over n_days * (1 - level).

    The p value simulates right forecasts with normal tails; the paper shows that Z2's law hardly depends on the
    tail (its 5 % point is -0.70 at 250 days and 97.5 % for a wide range of t laws).

    Parameters
    ----------
    returns : (n_days,) realized, as fractions, 100 or more
    var, es : (n_days,) forecasts at ``level``, positive losses, es above 0
    rng : draws the law of Z2 when the forecasts are right
    n_trials : 1,000 or more

    Raises
    ------
    ShapeError, SampleError : arrays that do not fit, NaN, too few days, an ES of 0 or less, or an ES below its VaR
    ParameterError : too few trials

    Source: Acerbi and Szekely (2014), "Back-testing expected shortfall", Risk, section 2.2.
    """
    realized = checked_vector(returns, name="returns", min_rows=MIN_DAYS)
    foreseen = checked_vector(es, name="es", length=len(realized))
    if foreseen.min() <= 0.0:
        raise SampleError(f"es: the lowest forecast is {foreseen.min():g}, expected all above 0")
    if (foreseen < checked_vector(var, name="var", length=len(realized)) * (1.0 - 1e-12)).any():
        raise SampleError("es: a forecast lies below its VaR", remedy="Give both at the same level, ES second.")
    if n_trials < 1_000:
        raise ParameterError(f"n_trials: found {n_trials}, expected 1000 or more")
    hits = exceptions(realized, var)
    tail_days = len(realized) * (1.0 - checked_fraction(level, name="level"))
    z2 = 1.0 - float((-realized[hits] / foreseen[hits]).sum()) / tail_days
    null = _z2_of_right_forecasts(len(realized), level, rng, n_trials)
    # One is added on both sides so that a simulated p value is never 0.
    p_value = (1.0 + float((null <= z2).sum())) / (n_trials + 1.0)
    return ShortfallTest(z2, int(hits.sum()), p_value)


def traffic_light(n_exceptions: int, n_days: int = BASEL_DAYS, level: float = 0.99) -> Zone:
    """Basel zone: yellow from the count whose cumulative probability reaches 95 %, red from 99.99 %.

    At 250 days and 99 %: green to 4, yellow 5 to 9, red from 10.

    Raises
    ------
    ParameterError : as ``kupiec``

    Source: Basel Committee (1996), "Supervisory framework for the use of backtesting", section III and table 2.
    """
    share_up_to = cumulative_exceptions(n_exceptions, n_days, level)
    if share_up_to >= _RED_FROM:
        return Zone.RED
    return Zone.YELLOW if share_up_to >= _YELLOW_FROM else Zone.GREEN


def basel_multiplier(n_exceptions: int) -> float:
    """Capital multiplier for exceptions among the last 250 days at 99 %: 3 in green, 3.40 to 3.85, then 4.

    Raises
    ------
    ParameterError : a count outside 0 to 250

    Source: Basel Committee (1996), table 2.
    """
    if not 0 <= n_exceptions <= BASEL_DAYS:
        raise ParameterError(f"n_exceptions: found {n_exceptions}, expected 0 to {BASEL_DAYS}")
    return _MULTIPLIERS[min(n_exceptions, len(_MULTIPLIERS) - 1)]


def cumulative_exceptions(n_exceptions: int, n_days: int = BASEL_DAYS, level: float = 0.99) -> float:
    """Chance of ``n_exceptions`` or fewer when the VaR is right (binomial); errors as ``kupiec``."""
    checked_fraction(level, name="level")
    if n_days < 1 or not 0 <= n_exceptions <= n_days:
        raise ParameterError(f"n_exceptions: found {n_exceptions} of {n_days} days, expected 0 to n_days")
    log_odds = math.log(1.0 - level) - math.log(level)
    log_first = n_days * math.log(level)
    log_ways = math.lgamma(n_days + 1)
    terms = (
        math.exp(log_ways - math.lgamma(k + 1) - math.lgamma(n_days - k + 1) + k * log_odds + log_first)
        for k in range(n_exceptions + 1)
    )
    return min(math.fsum(terms), 1.0)


def _bernoulli(misses: int, hits: int, probability: float) -> float:
    """Log-likelihood of the counts, with 0 log 0 = 0."""
    value = hits * math.log(probability) if hits else 0.0
    return value + (misses * math.log1p(-probability) if misses else 0.0)


def _ratio(log_gain: float, dof: int) -> LikelihoodRatio:
    # Rounding can leave -1e-16 where the two likelihoods are the same.
    statistic = max(2.0 * log_gain, 0.0)
    return LikelihoodRatio(statistic, _chi_squared_beyond(statistic, dof))


def _chi_squared_beyond(statistic: float, dof: int) -> float:
    """P(chi-squared > statistic), closed form for 1 and 2 degrees of freedom."""
    return math.erfc(math.sqrt(0.5 * statistic)) if dof == 1 else math.exp(-0.5 * statistic)


def _z2_of_right_forecasts(n_days: int, level: float, rng: np.random.Generator, n_trials: int) -> FloatArray:
    """Z2 of ``n_trials`` runs of standard normal days, drawing the tail days only; (n_trials,)."""
    from scipy.special import ndtri

    share = 1.0 - level
    es = _NORMAL.pdf(_NORMAL.inv_cdf(level)) / share
    counts = rng.binomial(n_days, share, n_trials)
    ends = np.cumsum(counts)
    # 1 - random() lies in (0, 1], so the quantile below is finite.
    losses = -ndtri(share * (1.0 - rng.random(int(ends[-1]))))
    sums = np.concatenate([[0.0], np.cumsum(losses)])
    return 1.0 - (sums[ends] - sums[ends - counts]) / es / (n_days * share)
