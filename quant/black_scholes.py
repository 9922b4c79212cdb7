"""European options in closed form: Black-Scholes-Merton and Black-76 prices, and every Greek a desk reads."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray
from .errors import ParameterError, ShapeError

OptionKind = Literal["call", "put"]
Kinds = OptionKind | npt.NDArray[np.str_] | list[OptionKind]
"""One word for all options, or an array of the words "call" and "put"."""

_SQRT_2 = math.sqrt(2.0)
_SQRT_2PI = math.sqrt(2.0 * math.pi)
_SERIES_HALF_SD = 0.1
_SERIES_LOG_MONEYNESS = 0.5


@dataclass(frozen=True, slots=True)
class Greeks:
    """Sensitivities of a long position in one option, each of the broadcast shape of the inputs."""

    delta: FloatArray
    """Cash per 1.00 of spot."""
    gamma: FloatArray
    """Delta per 1.00 of spot."""
    vega: FloatArray
    """Cash per 1.00 of volatility (from 20 % to 120 %); divide by 100 for one volatility point."""
    theta: FloatArray
    """Cash per year that passes, usually negative; divide by 365 for one calendar day."""
    rho: FloatArray
    """Cash per 1.00 of the interest rate, the dividend yield held."""
    epsilon: FloatArray
    """Cash per 1.00 of the dividend yield, the interest rate held."""
    vanna: FloatArray
    """Delta per 1.00 of volatility; equally vega per 1.00 of spot."""
    volga: FloatArray
    """Vega per 1.00 of volatility."""
    charm: FloatArray
    """Delta per year that passes."""


def price(
    kind: Kinds,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    years: npt.ArrayLike,
    rate: npt.ArrayLike,
    vol: npt.ArrayLike,
    dividend_yield: npt.ArrayLike = 0.0,
) -> FloatArray:
    """Black-Scholes-Merton value of European options, in the currency of spot and strike, never negative.

    Out of the money the value keeps full relative precision however small it is; in the money it is
    intrinsic value plus time value, so put-call parity holds to rounding.

    Parameters
    ----------
    kind : "call" or "put", or an array of these words
    spot, strike : prices above 0
    years : time to expiry in years, above 0
    rate, dividend_yield : continuously compounded fractions a year
    vol : annual volatility as a fraction, above 0

    All arguments broadcast against each other; scalars give a 0-d array.

    Raises
    ------
    ParameterError : an unknown kind, a NaN, an expired option, or a price or volatility not above 0
    ShapeError : arguments that do not broadcast

    With the price of a forward or future as ``spot`` and the rate as ``dividend_yield`` this is Black-76; the
    sensitivity to the rate alone is then ``rho + epsilon``.

    Source: Black and Scholes (1973), J. Political Economy 81; Merton (1973) for the yield; Black (1976), J. Financial
    Economics 3, for the future.
    """
    sign, (s, k, t, r, v, q) = checked_options(kind, spot, strike, years, rate, vol, dividend_yield)
    return _value(sign, s * np.exp((r - q) * t), k, v * np.sqrt(t), np.exp(-r * t))


def greeks(
    kind: Kinds,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    years: npt.ArrayLike,
    rate: npt.ArrayLike,
    vol: npt.ArrayLike,
    dividend_yield: npt.ArrayLike = 0.0,
) -> Greeks:
    """All first-order Greeks and gamma, vanna, volga and charm; arguments and errors as ``price``.

    Units are stated field by field in ``Greeks``. Theta and charm run with the calendar: they are minus
    the derivative to the time that is left.

    Source: Hull (2018), Options, Futures, and Other Derivatives, 10th ed., ch. 19; Haug (2007), The
    Complete Guide to Option Pricing Formulas, 2nd ed., ch. 2.
    """
    from scipy.special import ndtr

    sign, (s, k, t, r, v, q) = checked_options(kind, spot, strike, years, rate, vol, dividend_yield)
    root = np.sqrt(t)
    sd = v * root
    d1 = (np.log(s / k) + (r - q) * t) / sd + 0.5 * sd
    d2 = d1 - sd
    carry, discount = np.exp(-q * t), np.exp(-r * t)
    density = carry * np.exp(-0.5 * d1 * d1) / _SQRT_2PI
    share = sign * carry * ndtr(sign * d1)
    bond = sign * k * discount * ndtr(sign * d2)
    vega = s * density * root
    return Greeks(
        delta=share,
        gamma=density / (s * sd),
        vega=vega,
        theta=-0.5 * vega * v / t - r * bond + q * s * share,
        rho=t * bond,
        epsilon=-t * s * share,
        vanna=-density * d2 / v,
        volga=vega * d1 * d2 / v,
        charm=q * share - density * ((r - q) / sd - 0.5 * d2 / t),
    )


def otm_value(log_moneyness: FloatArray, total_sd: FloatArray) -> FloatArray:
    """Undiscounted out-of-the-money option over the root of forward times strike, to full relative precision.

    With x = -|ln(F / K)| <= 0 and s = vol * sqrt(years):
    b(x, s) = e^(x/2) N(x/s + s/2) - e^(-x/2) N(x/s - s/2), between 0 and e^(x/2).

    The two terms cancel in the wings and for small s. There b is the density times the difference of two
    Mills ratios, taken directly (scaled erfc) or, near the money for small s, by its odd Taylor series.

    Parameters
    ----------
    log_moneyness : x, at most 0
    total_sd : s, above 0, of the same shape

    Source: Jäckel (2015), "Let's be rational", Wilmott 75, sections 2 and 6 for the scaled form.
    """
    from scipy.special import erfcx, ndtr

    shape = np.broadcast_shapes(np.shape(log_moneyness), np.shape(total_sd))
    x, s = np.broadcast_arrays(np.atleast_1d(log_moneyness), np.atleast_1d(total_sd))
    h, t = x / s, 0.5 * s
    scale = np.exp(-0.5 * (h * h + t * t))
    # Where h + t > 0 the scaled erfc would grow without bound; it is not needed there, only guarded.
    upper = np.minimum(h + t, 0.0)
    result = 0.5 * scale * (erfcx(-upper / _SQRT_2) - erfcx((t - h) / _SQRT_2))
    near = (t < _SERIES_HALF_SD) & (x > -_SERIES_LOG_MONEYNESS)
    far = (h + t > 0.0) & ~near
    if near.any():
        result[near] = scale[near] / _SQRT_2PI * _mills_difference(h[near], t[near])
    if far.any():
        half = np.exp(0.5 * x[far])
        result[far] = half * ndtr(h[far] + t[far]) - ndtr(h[far] - t[far]) / half
    return result.reshape(shape)


def checked_options(
    kind: Kinds,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    years: npt.ArrayLike,
    rate: npt.ArrayLike,
    vol: npt.ArrayLike,
    dividend_yield: npt.ArrayLike,
) -> tuple[FloatArray, tuple[FloatArray, ...]]:
    """+1 for each call and -1 for each put, then the six numbers, all of one shape, or a typed error."""
    named = {
        "spot": spot,
        "strike": strike,
        "years": years,
        "rate": rate,
        "vol": vol,
        "dividend_yield": dividend_yield,
    }
    arrays = [np.asarray(value, dtype=np.float64) for value in named.values()]
    for name, array in zip(named, arrays, strict=True):
        _check_numbers(name, array, is_positive=name not in ("rate", "dividend_yield"))
    sign = _signs(kind)
    try:
        shaped = np.broadcast_arrays(sign, *arrays)
    except ValueError as error:
        shapes = [sign.shape, *(array.shape for array in arrays)]
        raise ShapeError(f"option inputs: found shapes {shapes}, expected shapes that broadcast") from error
    return shaped[0], tuple(shaped[1:])


def _value(sign: FloatArray, f: FloatArray, k: FloatArray, sd: FloatArray, discount: FloatArray) -> FloatArray:
    intrinsic = np.maximum(sign * (f - k), 0.0)
    return np.asarray(discount * (intrinsic + np.sqrt(f) * np.sqrt(k) * otm_value(-np.abs(np.log(f / k)), sd)))


def _mills_difference(h: FloatArray, t: FloatArray) -> FloatArray:
    """Y(h + t) - Y(h - t) by its odd series, Y = N / n; eleven terms leave 1e-17 at t = 0.1."""
    from scipy.special import erfcx

    before = _SQRT_2PI * 0.5 * erfcx(-h / _SQRT_2)
    slope = 1.0 + h * before
    power, total = t, slope * t
    for order in range(1, 11):
        before, slope = slope, order * before + h * slope
        power = power * t / (order + 1)
        if order % 2 == 0:
            total = total + slope * power
    return 2.0 * total


def _signs(kind: Kinds) -> FloatArray:
    words = np.asarray(kind)
    is_call = words == "call"
    known = is_call | (words == "put")
    if not np.all(known):
        found = words[~known].flat[0] if words.ndim else words
        raise ParameterError(f"kind: found {str(found)!r}, expected 'call' or 'put'")
    return np.where(is_call, 1.0, -1.0)


def _check_numbers(name: str, array: FloatArray, *, is_positive: bool) -> None:
    good = np.isfinite(array) & ((array > 0.0) if is_positive else True)
    if np.all(good):
        return
    wanted = "finite and above 0" if is_positive else "finite"
    raise ParameterError(
        f"{name}: {int(np.sum(~good))} of {array.size} values are wrong, the first is {float(array[~good].flat[0])}; "
        f"expected {wanted}",
        remedy="Settle expired options at their payoff; drop quotes without a price." if is_positive else "",
    )
