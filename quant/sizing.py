"""How much to hold: Kelly fractions, a volatility target, ATR units, and the caps that bind them all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray, checked_above, checked_fraction, checked_vector
from .definite import checked_covariance
from .errors import ParameterError, SampleError
from .policy import Exposure, PolicyParams, exposure

_SINGULAR = 1e-12


@dataclass(frozen=True, slots=True)
class Caps:
    """The most a sizing rule may ask for, whatever it thinks it knows."""

    max_weight: float = 0.15
    """Of one name, absolute, a fraction of equity."""
    max_gross: float = 1.0
    """Sum of absolute weights; above 1 needs a margin account."""

    def __post_init__(self) -> None:
        checked_above(self.max_weight, 0.0, name="max_weight")
        checked_above(self.max_gross, 0.0, name="max_gross")


@dataclass(frozen=True, slots=True)
class SizedBook:
    """Weights after volatility target, VIX rule, drawdown throttle and caps, with the reasons."""

    weights: FloatArray
    exposure: Exposure
    is_capped: bool
    """True when a cap, not the exposure rule, decided a weight."""


def kelly_weights(
    excess_means: FloatArray, cov: FloatArray, *, fraction: float = 0.5, caps: Caps | None = None
) -> FloatArray:
    """Shares of equity in many assets: fraction * cov^-1 mean, signed, then capped.

    Caps clip each name and then scale the whole, so they bound the risk but are not the constrained
    optimum; the optimizer solves that.

    Parameters
    ----------
    excess_means : (n_names,) expected returns above cash, fractions
    cov : (n_names, n_names) of returns over the same period
    caps : none when not given

    Raises
    ------
    ShapeError, SampleError : shapes that do not fit, a NaN, or a singular covariance
    ParameterError : a fraction outside (0, 1]

    Source: Thorp (2006), section 8 (continuous time, many assets).
    """
    mean = checked_vector(excess_means, name="excess_means")
    matrix = checked_covariance(cov, len(mean))
    vol = np.sqrt(np.maximum(np.diag(matrix), 0.0))
    if vol.min() <= 0.0 or np.linalg.eigvalsh(matrix / np.outer(vol, vol))[0] < _SINGULAR:
        raise SampleError(
            "cov: singular, so Kelly would bet everything on a free lunch that is an estimation error",
            remedy="Shrink it (parley.quant.covariance.shrunk_cov), or drop duplicate names.",
        )
    weights = np.asarray(_checked_share(fraction) * np.linalg.solve(matrix, mean), dtype=np.float64)
    return weights if caps is None else capped_weights(weights, caps)


def kelly_from_outcomes(outcomes: FloatArray, *, fraction: float = 1.0, cap: float = 1.0) -> float:
    """The share of equity that maximizes mean log(1 + f r) over given outcomes, times ``fraction``, in [0, cap].

    Exact for the sample: fat tails and skew count, which mean over variance ignores. The search stays
    below the share at which the worst outcome ruins.

    Parameters
    ----------
    outcomes : (n,) excess returns per unit staked, fractions, equally likely, at least 2

    Raises
    ------
    SampleError : a NaN, too few outcomes, or none that loses (the share would be unbounded)
    ParameterError : a cap not above 0, a fraction outside (0, 1]

    Source: Kelly (1956); first-order condition mean(r / (1 + f r)) = 0, solved by Brent's method.
    """
    from scipy.optimize import root_scalar

    series = checked_vector(outcomes, name="outcomes", min_rows=2)
    most, share = checked_above(cap, 0.0, name="cap"), _checked_share(fraction)
    if series.min() >= 0.0:
        raise SampleError(
            f"outcomes: the lowest is {series.min()}, expected at least one loss",
            remedy="A sample without losses says nothing about size; give a longer one.",
        )
    if series.mean() <= 0.0:
        return 0.0
    ruin = -1.0 / float(series.min())

    def slope(stake: float) -> float:
        return float((series / (1.0 + stake * series)).mean())

    # The slope falls to minus infinity at ruin, so it changes sign once below it.
    full = float(root_scalar(slope, bracket=(0.0, ruin * (1.0 - 1e-12)), xtol=1e-15, rtol=1e-13).root)
    return min(share * full, most)


def growth_rate(weights: FloatArray, excess_means: FloatArray, cov: FloatArray) -> float:
    """Expected log growth above cash per period in continuous time: w'm - w'S w / 2.

    Raises
    ------
    ShapeError, SampleError : shapes that do not fit, or a NaN

    Source: Thorp (2006), section 7.
    """
    held = checked_vector(weights, name="weights")
    mean = checked_vector(excess_means, name="excess_means", length=len(held))
    return float(held @ mean - held @ checked_covariance(cov, len(held)) @ held / 2.0)


def vol_target_weight(vol_target: float, vol_forecast: float, *, cap: float = 1.0) -> float:
    """Share of equity that brings a forecast volatility to its target: target / forecast, at most ``cap``.

    Raises
    ------
    ParameterError : a target, forecast or cap not above 0

    Source: Moreira and Muir (2017), "Volatility-managed portfolios", J. of Finance 72, in standard deviations.
    """
    checked_above(vol_target, 0.0, name="vol_target")
    ratio = vol_target / checked_above(vol_forecast, 0.0, name="vol_forecast")
    return min(ratio, checked_above(cap, 0.0, name="cap"))


def atr_quantity(
    equity: float, price: float, atr: float, *, risk_frac: float = 0.01, stop_atr: float = 2.0, max_weight: float = 0.15
) -> float:
    """Shares such that a stop ``stop_atr`` average true ranges away loses ``risk_frac`` of equity.

    At most ``max_weight`` of equity in value; not rounded to lots.

    Parameters
    ----------
    equity, price, atr : cash, and price units; all above 0
    risk_frac : in (0, 1)

    Raises
    ------
    ParameterError : anything not above 0, or a risk outside (0, 1)

    Source: Wilder (1978) for the range; the unit N of the Turtle rules (Faith 2007) is stop_atr = 1.
    """
    positive = {"equity": equity, "price": price, "atr": atr, "stop_atr": stop_atr, "max_weight": max_weight}
    for name, number in positive.items():
        checked_above(number, 0.0, name=name)
    checked_fraction(risk_frac, name="risk_frac")
    return min(equity * risk_frac / (stop_atr * atr), equity * max_weight / price)


def capped_weights(weights: FloatArray, caps: Caps) -> FloatArray:
    """Each weight clipped to the cap of a name, then all scaled down to the gross cap; never scaled up.

    Raises
    ------
    ShapeError, SampleError : not one-dimensional, or a NaN
    """
    clipped = np.clip(checked_vector(weights, name="weights"), -caps.max_weight, caps.max_weight)
    gross = float(np.abs(clipped).sum())
    return clipped * min(1.0, caps.max_gross / gross) if gross > 0.0 else clipped


def sized_book(
    weights: FloatArray,
    returns: FloatArray,
    *,
    equity: float,
    peak: float,
    caps: Caps,
    vix: float | None = None,
    params: PolicyParams | None = None,
) -> SizedBook:
    """A raw book scaled by the policy's volatility target, VIX rule and drawdown throttle, then capped.

    Parameters
    ----------
    weights : (n_names,) the unscaled book
    returns, equity, peak, vix, params : as in ``parley.quant.policy.exposure``

    Raises
    ------
    ShapeError, SampleError, ParameterError : as ``parley.quant.policy.exposure``
    """
    reasons = exposure(weights, returns, vix, equity, peak, params)
    scaled = checked_vector(weights, name="weights") * reasons.multiplier
    final = capped_weights(scaled, caps)
    return SizedBook(final, reasons, bool((final != scaled).any()))


def _checked_share(fraction: float) -> float:
    if not 0.0 < fraction <= 1.0:
        raise ParameterError(
            f"fraction: found {fraction}, expected above 0 and at most 1",
            remedy="More than full Kelly adds risk and takes growth away.",
        )
    return fraction
