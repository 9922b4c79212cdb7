"""Implied volatility to machine precision: vectorised, safeguarded, and explicit about quotes that have none."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray
from .black_scholes import Kinds, checked_options, otm_value
from .errors import ShapeError, SolverError

_CHUNK = 8192
"""Options solved together: the temporaries of one step then stay in the second-level cache."""
_MAX_STEPS = 30
_RESOLUTION = 4.0 * float(np.finfo(np.float64).eps)
_LEAST_VALUE = 1e-290
_LARGEST_H = 36.6
"""exp(-h^2 / 2) is below _LEAST_VALUE here, and nothing underflows before it."""
_SQRT_2PI = math.sqrt(2.0 * math.pi)


class VolStatus(IntEnum):
    """Whether a quote has an implied volatility."""

    SOLVED = 0
    BELOW_INTRINSIC = 1
    """At or under the discounted intrinsic value, up to the rounding of the price: no time value is left."""
    ABOVE_BOUND = 2
    """At or over the discounted forward (call) or strike (put): no finite volatility reaches it."""
    NOT_A_PRICE = 3
    """NaN, infinite, or not above 0."""


@dataclass(frozen=True, slots=True)
class ImpliedVols:
    """One volatility per quote, each to be read only together with its status."""

    vol: FloatArray
    """Annual volatility as a fraction; NaN exactly where ``status`` is not SOLVED."""
    status: npt.NDArray[np.int8]
    """A ``VolStatus`` per quote."""

    @property
    def is_solved(self) -> npt.NDArray[np.bool_]:
        """True where the quote has a volatility."""
        return self.status == VolStatus.SOLVED


def implied_volatilities(
    kind: Kinds,
    option_price: npt.ArrayLike,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    years: npt.ArrayLike,
    rate: npt.ArrayLike,
    dividend_yield: npt.ArrayLike = 0.0,
) -> ImpliedVols:
    """The volatilities at which ``black_scholes.price`` returns the quotes; those without one are marked, not raised.

    Parameters
    ----------
    option_price : in the currency of spot and strike; the rest as ``black_scholes.price``

    Raises
    ------
    ParameterError, ShapeError : as ``black_scholes.price``; the terms are checked as a whole, only prices may be bad
    SolverError : a quote that did not converge (never seen; the bracket halves at worst)

    Source: Jäckel (2015), "Let's be rational", Wilmott 75, whose three objective functions and third-order
    steps these are; the starting points are simpler and the iteration runs until it stands still.
    """
    sign, (s, k, t, r, _, q) = checked_options(kind, spot, strike, years, rate, 1.0, dividend_yield)
    quotes, sign, s, k, t, r, q = _aligned(option_price, sign, s, k, t, r, q)
    vol = np.full(quotes.size, np.nan)
    status = np.empty(quotes.size, dtype=np.int8)
    flat = [array.ravel() for array in (quotes, sign, s, k, t, r, q)]
    for first in range(0, quotes.size, _CHUNK):
        rows = slice(first, first + _CHUNK)
        vol[rows], status[rows] = _chunk_vols(*(array[rows] for array in flat))
    return ImpliedVols(vol.reshape(quotes.shape), status.reshape(quotes.shape))


def _aligned(option_price: npt.ArrayLike, *terms: FloatArray) -> tuple[FloatArray, ...]:
    quotes = np.asarray(option_price, dtype=np.float64)
    try:
        return tuple(np.broadcast_arrays(quotes, *terms))
    except ValueError as error:
        raise ShapeError(
            f"option_price: found shape {quotes.shape}, expected one that fits the contracts' {terms[0].shape}"
        ) from error


def _chunk_vols(
    quote: FloatArray, sign: FloatArray, s: FloatArray, k: FloatArray, t: FloatArray, r: FloatArray, q: FloatArray
) -> tuple[FloatArray, npt.NDArray[np.int8]]:
    forward = s * np.exp((r - q) * t)
    unit = np.exp(-r * t) * np.sqrt(forward) * np.sqrt(k)
    x = np.log(forward / k)
    intrinsic = np.maximum(sign * (forward - k), 0.0) * np.exp(-r * t)
    # A price in the money carries its time value in its last digits; under four ulps of the price nothing is left.
    time_value = quote - intrinsic
    target = time_value / unit
    x = -np.abs(x)
    limit = np.exp(0.5 * x)
    status = np.zeros(quote.shape, dtype=np.int8)
    is_price = np.isfinite(quote) & (quote > 0.0)
    status[~(target < limit * (1.0 - _RESOLUTION))] = VolStatus.ABOVE_BOUND
    status[~((time_value > _RESOLUTION * intrinsic) & (target > _LEAST_VALUE))] = VolStatus.BELOW_INTRINSIC
    status[~is_price] = VolStatus.NOT_A_PRICE
    good = np.flatnonzero(status == VolStatus.SOLVED)
    vol = np.full(quote.shape, np.nan)
    vol[good] = _total_sd(x[good], target[good], limit[good]) / np.sqrt(t[good])
    return vol, status


def _total_sd(x: FloatArray, target: FloatArray, limit: FloatArray) -> FloatArray:
    """Solve otm_value(x, s) = target, zone by zone, in the objective that is closest to a line there."""
    from scipy.special import ndtri

    turn = np.sqrt(-2.0 * x)
    """Where the value, as a function of s, turns from convex to concave."""
    at_turn = np.zeros(x.shape)
    inside = turn > 0.0
    at_turn[inside] = otm_value(x[inside], turn[inside])
    result = np.empty(x.shape)

    low = np.flatnonzero(target < at_turn)
    result[low] = _solve(_low_step, x[low], target[low], *_low_start(x[low], target[low], turn[low], at_turn[low]))

    rest = np.flatnonzero(target >= at_turn)
    gap, width = limit[rest] - target[rest], limit[rest] + 1.0 / limit[rest]
    # Exact at the money and in the limit of a large s; the tangent at the turn is never too far right.
    wide = -2.0 * ndtri(gap / width)
    slope = np.exp(0.5 * x[rest]) / _SQRT_2PI
    start = np.maximum(wide, turn[rest] + (target[rest] - at_turn[rest]) / slope)
    high = target[rest] > 0.5 * limit[rest]
    for step, is_here in ((_middle_step, ~high), (_high_step, high)):
        zone = rest[is_here]
        result[zone] = _solve(step, x[zone], target[zone], start[is_here], turn[zone], np.full(len(zone), np.inf))
    return result


def _low_start(
    x: FloatArray, target: FloatArray, turn: FloatArray, at_turn: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """A start within a few percent, and the bracket: b is under _LEAST_VALUE left of it, over the target right."""
    log_target = np.log(target)
    floor = -x / _LARGEST_H
    s = turn * np.sqrt(np.log(at_turn) / log_target)
    for _ in range(2):
        # b is about s n(h) exp(-s^2 / 8) (1 + h N(h) / n(h)); the last factor is close to 1 / (1 + 0.8 |h| + h^2).
        h = -x / s
        square = -2.0 * (log_target + 0.125 * s * s + np.log((_SQRT_2PI / s) * (1.0 + h * (0.8 + h))))
        s = np.clip(-x / np.sqrt(np.maximum(square, 1e-300)), floor, turn)
    return s, floor, turn


_Step = Callable[[FloatArray, FloatArray, FloatArray], tuple[FloatArray, npt.NDArray[np.bool_]]]


def _solve(
    step: _Step, x: FloatArray, target: FloatArray, s: FloatArray, low: FloatArray, high: FloatArray
) -> FloatArray:
    """Third-order steps inside a bracket until every s moves by rounding only; the finished ones drop out."""
    result = s.copy()
    rows = np.arange(len(s))
    for _ in range(_MAX_STEPS):
        if not len(rows):
            return result
        move, is_below = step(x, target, s)
        low, high = np.where(is_below, s, low), np.where(is_below, high, s)
        new = s + move
        outside = ~((new >= low) & (new <= high))
        if outside.any():
            new[outside] = np.where(np.isfinite(high), 0.5 * (low + high), 2.0 * s)[outside]
        result[rows] = new
        # Errors are raised to about the fourth power: after a step of 1e-5 the next would be lost in rounding.
        open_ = outside | (np.abs(move) > 1e-5 * s)
        if not open_.all():
            x, target, new, low, high = (array[open_] for array in (x, target, new, low, high))
            rows = rows[open_]
        s = new
    raise SolverError(f"implied volatility: {len(rows)} quotes still move after {_MAX_STEPS} steps")


def _low_step(x: FloatArray, target: FloatArray, s: FloatArray) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """On 1 / ln b, which is nearly a line in s^2 down to prices of 1e-300."""
    value, slope, bend, twist = _value_and_derivatives(x, s)
    log_value, log_target = np.log(value), np.log(target)
    ratio, inverse = slope / value, 1.0 / log_value
    newton = (log_target - log_value) * log_value / (log_target * ratio)
    second = bend - ratio * (1.0 + 2.0 * inverse)
    third = (
        twist
        + 2.0 * ratio * ratio * (1.0 + 3.0 * inverse * (1.0 + inverse))
        - 3.0 * ratio * bend * (1.0 + 2.0 * inverse)
    )
    return _third_order(newton, second, third), value < target


def _middle_step(x: FloatArray, target: FloatArray, s: FloatArray) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """On b itself."""
    value, slope, bend, twist = _value_and_derivatives(x, s)
    return _third_order((target - value) / slope, bend, twist), value < target


def _high_step(x: FloatArray, target: FloatArray, s: FloatArray) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """On the log of what is missing to the upper bound, a sum of two positive terms without cancellation."""
    from scipy.special import ndtr

    half, h, t = np.exp(0.5 * x), x / s, 0.5 * s
    missing = half * ndtr(-h - t) + ndtr(h - t) / half
    slope, bend, twist = _derivatives(x, s)
    ratio = slope / missing
    wanted = half - target
    newton = np.log(missing / wanted) / ratio
    second = bend + ratio
    third = twist + 3.0 * ratio * bend + 2.0 * ratio * ratio
    return _third_order(newton, second, third), missing > wanted


def _value_and_derivatives(x: FloatArray, s: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    return otm_value(x, s), *_derivatives(x, s)


def _derivatives(x: FloatArray, s: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """b' in s, and b'' / b' and b''' / b'."""
    h2, quarter = (x / s) ** 2, 0.25 * s * s
    slope = np.exp(-0.5 * (h2 + quarter)) / _SQRT_2PI
    bend = (h2 - quarter) / s
    return slope, bend, bend * bend - (3.0 * h2 + quarter) / (s * s)


def _third_order(newton: FloatArray, second: FloatArray, third: FloatArray) -> FloatArray:
    """Householder's step of order three, from Newton's step and f'' / f', f''' / f'."""
    curve = second * newton
    return newton * (1.0 + 0.5 * curve) / (1.0 + curve + third * newton * newton / 6.0)
