"""How often a source's calls came true: a hit rate that forgets, and that starts from knowing nothing."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, IntArray
from .errors import ParameterError, ShapeError


@dataclass(frozen=True, slots=True)
class HitRates:
    """Per source: `rate` (n_sources,) the posterior mean in (0, 1), `calls` and `hits` (n_sources,) as counted."""

    rate: FloatArray
    calls: IntArray
    hits: IntArray


def hit_rates(
    sources: IntArray,
    is_hit: npt.NDArray[np.bool_],
    ages_days: FloatArray,
    n_sources: int,
    *,
    half_life_days: float,
    prior_calls: float,
) -> HitRates:
    """Beta-binomial hit rates with exponential forgetting.

    Parameters
    ----------
    sources : (n_calls,) whose call it was, 0 to n_sources - 1
    is_hit : (n_calls,) whether it came true
    ages_days : (n_calls,) days since that was known, >= 0
    half_life_days : after so many days a call counts half
    prior_calls : how many calls, half of them hits, the prior is worth; a source without calls has rate 0.5

    Raises
    ------
    ShapeError : arrays of different lengths
    ParameterError : a negative age, a source outside the range, or a bound that is not positive

    Source: Gelman et al. (2013), Bayesian Data Analysis, section 2.4, with discounted counts as in West and Harrison
    (1997), Bayesian Forecasting and Dynamic Models, section 6.3.
    """
    if not len(sources) == len(is_hit) == len(ages_days):
        raise ShapeError(f"{len(sources)} sources, {len(is_hit)} outcomes, {len(ages_days)} ages; expected as many")
    if not (half_life_days > 0 and prior_calls > 0):
        raise ParameterError(f"half-life {half_life_days} days, prior {prior_calls} calls; expected both above 0")
    if len(sources) and not (ages_days.min() >= 0 and sources.min() >= 0 and sources.max() < n_sources):
        raise ParameterError(f"an age below 0, or a source outside of 0 to {n_sources - 1}")
    weights = 0.5 ** (ages_days / half_life_days)
    hits = prior_calls / 2 + np.bincount(sources, weights * is_hit, n_sources)
    misses = prior_calls / 2 + np.bincount(sources, weights * ~is_hit, n_sources)
    return HitRates(
        rate=hits / (hits + misses),
        calls=np.bincount(sources, minlength=n_sources),
        hits=np.bincount(sources[is_hit], minlength=n_sources),
    )
