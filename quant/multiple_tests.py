"""Claims about means that were tried several times: p-values of dependent days, Holm's correction, and power."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from .arrays import STILL, FloatArray, checked_above, checked_at_least, checked_fraction, checked_vector
from .bootstrap import BLOCK_DAYS, ELEMENTS_PER_CHUNK, LEVEL, N_DRAWS, stationary_rows
from .errors import ParameterError, SampleError
from .factors import newey_west_lags

POWER = 0.8
"""How often a difference that exists should be seen: the habit of trials since Cohen (1988)."""
LARGEST_P = 1.0


def holm(p_values: npt.ArrayLike) -> FloatArray:
    """Holm's adjusted p-values: reject those at or below the level, and at most that often any rejection is false.

    Parameters
    ----------
    p_values : (n_tests,) p-values in [0, 1], of any dependence among each other

    Returns
    -------
    (n_tests,) in the order given: of the sorted ones the running maximum of (n_tests - rank) p, at most 1

    Raises
    ------
    SampleError : none, a NaN or a value outside [0, 1]

    Source: Holm (1979), "A simple sequentially rejective multiple test procedure", Scandinavian J. Statistics 6.
    """
    values = checked_vector(p_values, name="p_values", min_rows=1)
    if values.min() < 0.0 or values.max() > LARGEST_P:
        raise SampleError(f"p_values: found {values.min()} to {values.max()}, expected values within [0, 1]")
    order = np.argsort(values, kind="stable")
    stepped = values[order] * np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), LARGEST_P)
    return adjusted


def mean_p_value(
    values: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    block_days: float = BLOCK_DAYS,
    n_draws: int = N_DRAWS,
) -> float:
    """Two-sided p-value of a mean of zero under the stationary block bootstrap.

    The means of the draws are centred at the sample's; the share of them that lie as far from it as the sample's
    lies from zero, the sample itself counted among them, is the p-value. With blocks of one day the draws are
    independent. Blocks of few days make it too small where days depend on each other, as any block bootstrap.

    Parameters
    ----------
    values : (n >= 2,) differences of paired days or samples
    rng, block_days, n_draws : as ``block_interval``; blocks are shortened to a tenth of a shorter sample

    Raises
    ------
    SampleError : fewer than 2 values, or a NaN

    Source: Davison and Hinkley (1997), Bootstrap Methods and their Application, equation 4.11.
    """
    sample = checked_vector(values, name="values", min_rows=2)
    checked_at_least(n_draws, 1, name="n_draws")
    mean, block = float(sample.mean()), block_length(len(sample), block_days)
    # The slack keeps a constant sample, whose draws are its own mean, from hanging on the last bit.
    bound = abs(mean) * (1.0 - STILL)
    chunk, as_far = max(ELEMENTS_PER_CHUNK // len(sample), 1), 0
    for first in range(0, n_draws, chunk):
        draws = sample[stationary_rows(len(sample), min(chunk, n_draws - first), block, rng)].mean(axis=1)
        as_far += int((np.abs(draws - mean) >= bound).sum())
    return (1 + as_far) / (n_draws + 1)


def block_length(n: int, block_days: float = BLOCK_DAYS) -> float:
    """The mean block for ``n`` days: that asked for, or a tenth of the sample where that is shorter; 1 at least."""
    return max(min(block_days, n / 10.0), 1.0)


def long_run_deviation(values: npt.ArrayLike, n_lags: int | None = None) -> float:
    """Square root of the long-run variance of (n >= 2,) values: what ``sqrt(n)`` times their mean scatters by.

    Bartlett weights; ``n_lags`` None takes the rule of Newey and West (1994), 0 gives the plain deviation (ddof 1).

    Raises
    ------
    SampleError : fewer than 2 values, or a NaN
    ParameterError : lags below 0 or not fewer than the values

    Source: Newey and West (1987), Econometrica 55.
    """
    sample = checked_vector(values, name="values", min_rows=2)
    n = len(sample)
    lags = min(newey_west_lags(n), n - 1) if n_lags is None else n_lags
    if int(lags) != lags or not 0 <= lags < n:
        raise ParameterError(f"n_lags: found {lags}, expected a whole number from 0 to {n - 1}")
    centred = sample - sample.mean()
    total = float(centred @ centred)
    for lag in range(1, lags + 1):
        total += 2.0 * (1.0 - lag / (lags + 1.0)) * float(centred[lag:] @ centred[:-lag])
    return math.sqrt(max(total, 0.0) / (n - 1))


def observations_needed(effect: float, deviation: float, *, level: float = LEVEL, power: float = POWER) -> int:
    """How many observations a two-sided test at ``level`` needs to see a mean of ``effect`` this often.

    Parameters
    ----------
    effect : the true mean, in the values' unit; its sign does not matter
    deviation : of the values, long-run where they depend on each other
    level, power : confidence and the chance to see it, in (0, 1)

    Raises
    ------
    ParameterError : an effect of zero, which no sample shows, a deviation at or below 0, a level or power outside

    Source: Cohen (1988), Statistical Power Analysis, section 12; normal quantiles, so for samples above some 30.
    """
    checked_above(abs(effect), 0.0, name="effect")
    checked_above(deviation, 0.0, name="deviation")
    return math.ceil((_quantiles(level, power) * deviation / effect) ** 2)


def detectable_effect(n: int, deviation: float, *, level: float = LEVEL, power: float = POWER) -> float:
    """The smallest mean that ``n`` observations would show this often; parameters as ``observations_needed``."""
    checked_above(n, 0, name="n")
    checked_above(deviation, 0.0, name="deviation")
    return _quantiles(level, power) * deviation / math.sqrt(n)


def _quantiles(level: float, power: float) -> float:
    checked_fraction(level, name="level")
    checked_fraction(power, name="power")
    normal = NormalDist()
    return normal.inv_cdf(0.5 + level / 2.0) + normal.inv_cdf(power)
