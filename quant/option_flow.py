"""What the option market is doing and expecting: put/call ratios, unusual volume, skew and the implied move."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, checked_above, checked_fraction, checked_matrix, checked_vector
from .errors import ParameterError, SampleError, ShapeError

_NORMAL_MAD = 1.4826
"""Median absolute deviation to standard deviation, for a normal sample."""


@dataclass(frozen=True, slots=True)
class UnusualVolume:
    """Today's volume of each contract against its own past; all (n_contracts,)."""

    ratio: FloatArray
    """Volume over the median of the past, the median counted as at least one contract."""
    z_score: FloatArray
    """Distance of log(1 + volume) from its past median, in robust standard deviations of at least 0.1."""
    turnover_frac: FloatArray
    """Volume over yesterday's open interest, counted as at least one; above 1 positions must be new."""


def put_call_ratio(puts: npt.ArrayLike, calls: npt.ArrayLike) -> float:
    """Puts over calls, in contracts: of volume or of open interest, whichever is given; at least 0.

    Parameters
    ----------
    puts, calls : (n_puts,) and (n_calls,) contracts, none negative

    Raises
    ------
    SampleError : a NaN or a negative count, or no call at all (the ratio does not exist)
    """
    total_puts, total_calls = (
        float(_counts(values, name).sum()) for values, name in ((puts, "puts"), (calls, "calls"))
    )
    if total_calls == 0.0:
        raise SampleError(
            "calls: found 0 contracts, expected at least 1 for a put/call ratio",
            remedy="Widen the set of strikes and expiries, or leave the measure out for this day.",
        )
    return total_puts / total_calls


def unusual_volume(
    volume: npt.ArrayLike, past_volume: npt.ArrayLike, past_open_interest: npt.ArrayLike
) -> UnusualVolume:
    """How far today's volume of each contract is from what it usually trades; uses nothing later than its input.

    Parameters
    ----------
    volume : (n_contracts,) contracts traded today so far
    past_volume : (n_days >= 5, n_contracts) contracts traded on earlier days, oldest first
    past_open_interest : (n_contracts,) as published before today's open

    Raises
    ------
    SampleError : a NaN or a negative count, or fewer than 5 days
    ShapeError : sizes that do not match
    """
    today = _counts(volume, "volume")
    past = checked_matrix(past_volume, name="past_volume", min_rows=5)
    interest = _counts(past_open_interest, "past_open_interest")
    if past.shape[1] != len(today) or len(interest) != len(today):
        raise ShapeError(
            f"contracts: found {len(today)} volumes, {past.shape[1]} histories and {len(interest)} open interests, "
            "expected as many of each"
        )
    if past.min() < 0.0:
        raise SampleError(f"past_volume: found {past.min()}, expected no negative count")
    logs = np.log1p(past)
    center = np.median(logs, axis=0)
    spread = np.maximum(_NORMAL_MAD * np.median(np.abs(logs - center), axis=0), 0.1)
    return UnusualVolume(
        ratio=today / np.maximum(np.median(past, axis=0), 1.0),
        z_score=(np.log1p(today) - center) / spread,
        turnover_frac=today / np.maximum(interest, 1.0),
    )


def delta_skew(
    strikes: npt.ArrayLike, vols: npt.ArrayLike, forward: float, years: float, *, delta: float = 0.25
) -> float:
    """Volatility of the put less that of the call at the same absolute delta; positive when puts are dearer.

    Undiscounted forward deltas, N(d1) for calls and -N(-d1) for puts. Volatilities are interpolated linearly
    in N(d1), which must run strictly down as strikes go up.

    Parameters
    ----------
    strikes : (n >= 3,) ascending, above 0, of one expiry
    vols : (n,) annual implied volatilities, as fractions, one per strike (out-of-the-money quotes)
    forward : of the same expiry, above 0
    years : time to expiry, above 0
    delta : absolute delta of both options, in (0, 0.5)

    Returns
    -------
    float : a volatility difference, as a fraction

    Raises
    ------
    SampleError : fewer than three strikes, a NaN, or quotes that do not reach both deltas
    ParameterError : a forward, expiry or delta out of range, or strikes that do not ascend

    Source: the risk reversal of the market, sign turned; Hull (2018), ch. 20; Xing, Zhang and Zhao (2010),
    J. Financial and Quantitative Analysis 45, for its use as a signal.
    """
    from scipy.special import ndtr

    checked_above(forward, 0.0, name="forward")
    checked_above(years, 0.0, name="years")
    if checked_fraction(delta, name="delta") >= 0.5:
        raise ParameterError(f"delta: found {delta}, expected less than 0.5")
    k, v = _ascending(strikes, 3), checked_vector(vols, name="vols")
    if len(v) != len(k):
        raise ShapeError(f"vols: found {len(v)}, expected one for each of {len(k)} strikes")
    checked_above(float(v.min()), 0.0, name="lowest vol")
    sd = v * math.sqrt(years)
    call_delta = ndtr(np.log(forward / k) / sd + 0.5 * sd)
    if np.any(np.diff(call_delta) >= 0.0):
        raise SampleError(
            "vols: call deltas do not fall with the strike, so a delta belongs to more than one option",
            remedy="Clean the quotes first, for instance by fitting a smile and reading volatilities from it.",
        )
    if not (call_delta[-1] <= delta and call_delta[0] >= 1.0 - delta):
        raise SampleError(
            f"strikes: call deltas run from {call_delta[-1]:.3f} to {call_delta[0]:.3f}, expected to reach "
            f"{delta} and {1.0 - delta}",
            remedy="Quote strikes further from the money, or choose a delta nearer to 0.5.",
        )
    put_vol, call_vol = np.interp([1.0 - delta, delta], call_delta[::-1], v[::-1])
    return float(put_vol - call_vol)


def implied_move(strikes: npt.ArrayLike, call_prices: npt.ArrayLike, put_prices: npt.ArrayLike, spot: float) -> float:
    """Price of the at-the-money straddle over spot: about the mean absolute move to expiry, as a fraction.

    Between the two strikes around spot the straddle is interpolated linearly. For a normal return it is
    0.8 standard deviations, sqrt(2 / pi), not one.

    Parameters
    ----------
    strikes : (n >= 2,) ascending, of one expiry, around spot
    call_prices, put_prices : (n,) at least 0, in the currency of spot
    spot : above 0

    Raises
    ------
    SampleError : fewer than two strikes, a NaN, a negative price, or strikes all on one side of spot
    ShapeError : lengths that differ

    Source: Brenner and Subrahmanyam (1988), Financial Analysts Journal 44, for the 0.8.
    """
    checked_above(spot, 0.0, name="spot")
    k = _ascending(strikes, 2)
    straddle = _prices(call_prices, "call_prices", len(k)) + _prices(put_prices, "put_prices", len(k))
    if not k[0] <= spot <= k[-1]:
        raise SampleError(f"strikes: found {k[0]} to {k[-1]}, expected some on both sides of spot {spot}")
    return float(np.interp(spot, k, straddle)) / spot


def implied_forward(
    strikes: npt.ArrayLike, call_prices: npt.ArrayLike, put_prices: npt.ArrayLike, discount: float
) -> float:
    """The forward that put-call parity reads from European (or nearly so) options of one expiry.

    The median over strikes of K + (C - P) / discount, so that a few stale closes do not move it; give the
    strikes near the money, where both options trade. It needs no dividend forecast, and no spot that closed
    at another moment than the options.

    Parameters
    ----------
    strikes : (n >= 1,) ascending, above 0
    call_prices, put_prices : (n,) at least 0
    discount : value today of 1.00 at expiry, above 0

    Raises
    ------
    SampleError, ShapeError, ParameterError : a NaN, a negative price, lengths that differ, a bad discount

    Source: Stoll (1969), "The relationship between put and call option prices", J. Finance 24.
    """
    checked_above(discount, 0.0, name="discount")
    k = _ascending(strikes, 1)
    calls, puts = _prices(call_prices, "call_prices", len(k)), _prices(put_prices, "put_prices", len(k))
    return float(np.median(k + (calls - puts) / discount))


def _prices(prices: npt.ArrayLike, name: str, length: int) -> FloatArray:
    values = checked_vector(prices, name=name, length=length)
    if values.min() < 0.0:
        raise SampleError(f"{name}: found {values.min()}, expected no negative price")
    return values


def _ascending(strikes: npt.ArrayLike, min_rows: int) -> FloatArray:
    k = checked_vector(strikes, name="strikes", min_rows=min_rows)
    if k[0] <= 0.0 or np.any(np.diff(k) <= 0.0):
        raise ParameterError("strikes: expected prices above 0 in ascending order, each only once")
    return k


def _counts(values: npt.ArrayLike, name: str) -> FloatArray:
    counts = checked_vector(values, name=name)
    if counts.size and counts.min() < 0.0:
        raise SampleError(f"{name}: found {counts.min()}, expected no negative count")
    return counts
