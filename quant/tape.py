"""What the tape of trades says about a market: Roll's spread, Amihud, the volume of the day, and VPIN."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from .arrays import FloatArray, IntArray, checked_above, checked_at_least, checked_fraction, checked_vector
from .errors import ParameterError, SampleError

SESSION_OPEN_MINUTE = 9 * 60 + 30
SESSION_CLOSE_MINUTE = 16 * 60


def roll_spread(price: npt.ArrayLike) -> float:
    """Roll's spread in price: ``2 * sqrt(-cov(change_t, change_(t-1)))``, the bounce between bid and ask.

    Covariance with ddof 1 over the pairs of successive changes.

    Parameters
    ----------
    price : (n_trades >= 4,) trade prices above 0, oldest first

    Raises
    ------
    SampleError : too few trades, a NaN, a price not above 0, or changes whose covariance is not negative
        (a trend or a price that never moved: the model then has no answer)

    Source: Roll (1984), J. Finance 39(4), equation 6.
    """
    prices = _checked_prices(price, min_rows=4)
    changes = np.diff(prices)
    covariance = float(np.cov(changes[1:], changes[:-1])[0, 1])
    if not covariance < 0.0:
        raise SampleError(
            f"price: found an autocovariance of changes of {covariance:.3g}, expected a negative one",
            remedy="Use a longer sample, or quoted_spread where quotes are there.",
        )
    return 2.0 * (-covariance) ** 0.5


def amihud_illiquidity(returns: npt.ArrayLike, traded_value: npt.ArrayLike) -> float:
    """Mean of ``|return| / traded value``: the fraction by which one unit of cash moves the price.

    Multiply by 1e6 for the usual "per million dollars".

    Parameters
    ----------
    returns : (n_days,) simple returns, as fractions
    traded_value : (n_days,) price times volume, in cash, above 0 (leave out days without a trade, as the paper does)

    Raises
    ------
    SampleError : no days, a NaN, or a day without traded value
    ShapeError : inputs that differ in length

    Source: Amihud (2002), J. Financial Markets 5(1), equation 1.
    """
    moves = checked_vector(returns, name="returns", min_rows=1)
    values = checked_vector(traded_value, name="traded_value", length=len(moves))
    if values.min() <= 0.0:
        raise SampleError(f"traded_value: found {values.min()}, expected above 0", remedy="Leave such days out.")
    return float((np.abs(moves) / values).mean())


def volume_profile(
    minute_of_day: npt.ArrayLike,
    volume: npt.ArrayLike,
    *,
    bucket_minutes: int = 30,
    open_minute: int = SESSION_OPEN_MINUTE,
    close_minute: int = SESSION_CLOSE_MINUTE,
) -> FloatArray:
    """Share of the session's volume in each bucket of the day, (n_buckets,), summing to 1; by half hours 13.

    Every unit of volume weighs the same, on busy days and quiet ones. Rows outside the session are left out.

    Parameters
    ----------
    minute_of_day : (n_rows,) minutes since midnight, exchange time, of each bar's start or each trade
    volume : (n_rows,) traded size, at least 0
    bucket_minutes : divides the session; open_minute, close_minute : session bounds, the close left out

    Raises
    ------
    ParameterError : a session that is empty, or no whole number of buckets
    SampleError : a NaN, a negative volume, or nothing traded in the session
    ShapeError : inputs that differ in length

    Source: Jain and Joh (1988), J. Financial and Quantitative Analysis 23(3) (the U-shape over the day).
    """
    session = close_minute - open_minute
    if not (open_minute >= 0 and close_minute <= 24 * 60 and 0 < bucket_minutes <= session) or session % bucket_minutes:
        raise ParameterError(
            f"found a session of {session} minutes from minute {open_minute} and buckets of {bucket_minutes}, "
            "expected a session within the day, of whole buckets"
        )
    minutes = checked_vector(minute_of_day, name="minute_of_day", min_rows=1)
    volumes = _checked_volumes(volume, len(minutes))
    inside = (minutes >= open_minute) & (minutes < close_minute)
    bucket = ((minutes[inside] - open_minute) // bucket_minutes).astype(np.int64)
    traded = np.bincount(bucket, weights=volumes[inside], minlength=session // bucket_minutes)
    if not traded.sum() > 0.0:
        raise SampleError(
            f"volume: found nothing traded from minute {open_minute} to {close_minute}",
            remedy="Check that the minutes are in exchange time.",
        )
    return traded / traded.sum()


@dataclass(frozen=True, slots=True)
class PriceProfile:
    """Volume by price: ``edges`` (n_buckets + 1,) in price, ``share`` (n_buckets,) of the volume, summing to 1.

    ``value_area`` is the pair of prices around the busiest bucket between which the asked share was traded.
    """

    edges: FloatArray
    share: FloatArray
    value_area: tuple[float, float]


def volume_at_price(
    price: npt.ArrayLike, volume: npt.ArrayLike, *, n_buckets: int = 20, area_frac: float = 0.7
) -> PriceProfile:
    """How much was traded at which price, in equal buckets from the lowest price to the highest.

    The value area grows from the busiest bucket by the busier neighbor (the lower one of two equal ones) until it
    holds ``area_frac`` of the volume.

    Parameters
    ----------
    price : (n_trades,) trade prices above 0; volume : (n_trades,) sizes, at least 0
    n_buckets : 1 or more; one price alone makes one bucket, of no width

    Raises
    ------
    ParameterError : fewer than one bucket, or a fraction outside of 0 to 1
    SampleError : no trades, a NaN, a price not above 0, a negative volume, or nothing traded
    ShapeError : inputs that differ in length

    Source: Steidlmayer and Koy (1986), Markets and Market Logic (the value area of 70 %).
    """
    checked_fraction(area_frac, name="area_frac")
    checked_at_least(n_buckets, 1, name="n_buckets")
    prices = _checked_prices(price, min_rows=1)
    volumes = _checked_volumes(volume, len(prices))
    total = float(volumes.sum())
    if not total > 0.0:
        raise SampleError("volume: found nothing traded", remedy="Give trades with a size.")
    low, high = float(prices.min()), float(prices.max())
    n_buckets = n_buckets if high > low else 1
    edges = np.linspace(low, high, n_buckets + 1)
    bucket = np.clip(np.searchsorted(edges, prices, side="right") - 1, 0, n_buckets - 1)
    share = np.bincount(bucket, weights=volumes, minlength=n_buckets) / total
    first = last = int(share.argmax())
    while share[first : last + 1].sum() < area_frac and last - first + 1 < n_buckets:
        below = share[first - 1] if first > 0 else -1.0
        above = share[last + 1] if last + 1 < n_buckets else -1.0
        first, last = (first - 1, last) if below >= above else (first, last + 1)
    return PriceProfile(edges, share, (float(edges[first]), float(edges[last + 1])))


@dataclass(frozen=True, slots=True)
class Toxicity:
    """VPIN by volume bucket: what `vpin` found.

    ``value`` (n_values,) in 0 to 1, one from the window'th bucket on; ``known_at`` (n_values,) the bar whose
    volume filled the bucket: the value is not known before that bar closes.
    """

    value: FloatArray
    known_at: IntArray


def vpin(price: npt.ArrayLike, volume: npt.ArrayLike, *, bucket_volume: float, window: int = 50) -> Toxicity:
    """Volume-synchronized probability of informed trading: mean ``|buys - sells|`` of equal volume buckets.

    Bulk classification: of a bar's volume the share ``Phi(change / deviation)`` was bought, where the deviation
    is that of all price changes so far (root mean square, so that the value at t never sees past t; the paper
    takes it over the whole sample). A bar that straddles buckets is split in proportion; volume after the last
    full bucket waits.

    Parameters
    ----------
    price : (n_bars,) last price of each time or volume bar, above 0, oldest first
    volume : (n_bars,) traded size of each bar, at least 0
    bucket_volume : size of one bucket (the paper: a fiftieth of the mean daily volume)
    window : buckets in the mean (the paper: 50)

    Raises
    ------
    ParameterError : a bucket volume not above 0, or a window below 1
    SampleError : a NaN, a price not above 0, a negative volume, a price that never moved, or too little
        volume for one window
    ShapeError : inputs that differ in length

    Source: Easley, Lopez de Prado and O'Hara (2012), Review of Financial Studies 25(5), sections 1.2 and 2.
    """
    prices = _checked_prices(price, min_rows=2)
    volumes = _checked_volumes(volume, len(prices))
    return _toxicity(_bought_fraction(prices) * volumes, volumes, bucket_volume, window)


def vpin_of_sides(bought: npt.ArrayLike, volume: npt.ArrayLike, *, bucket_volume: float, window: int = 50) -> Toxicity:
    """VPIN where the exchange tells who bought: nothing is classified, the rest is as `vpin`.

    Parameters
    ----------
    bought : (n_bars,) size of each bar, or trade, that buyers took, from 0 to its volume
    volume, bucket_volume, window : as `vpin`

    Raises
    ------
    SampleError : as `vpin`, and more bought than traded
    ParameterError, ShapeError : as `vpin`

    Source: Easley, Lopez de Prado and O'Hara (2012), Review of Financial Studies 25(5), section 1.2.
    """
    buys = _checked_volumes(bought, len(np.asarray(bought)))
    volumes = _checked_volumes(volume, len(buys))
    if not len(buys) or (buys > volumes * (1.0 + _ROUNDING_FRAC)).any():
        raise SampleError("bought: found none, or more than was traded", remedy="Give buys as a part of the volume.")
    return _toxicity(buys, volumes, bucket_volume, window)


def _toxicity(bought: FloatArray, volumes: FloatArray, bucket_volume: float, window: int) -> Toxicity:
    checked_above(bucket_volume, 0.0, name="bucket_volume")
    if window < 1:
        raise ParameterError(f"window: found {window}, expected at least 1 bucket")
    total = np.cumsum(volumes)
    # A total that misses a whole number of buckets by rounding alone still fills the last one.
    n_buckets = int(total[-1] / bucket_volume * (1.0 + _ROUNDING_FRAC))
    if n_buckets < window:
        raise SampleError(
            f"volume: found enough for {n_buckets} buckets of {bucket_volume:g}, expected at least {window}",
            remedy="Give a longer sample or a smaller bucket_volume.",
        )
    edges = np.minimum(bucket_volume * np.arange(n_buckets + 1), total[-1])
    # Interpolating the running totals at the edges is the proportional split of the bars that straddle them.
    filled = np.interp(edges, np.append(0.0, total), np.append(0.0, np.cumsum(bought)))
    imbalance = np.abs(2.0 * np.diff(filled) - np.diff(edges)) / bucket_volume
    value = sliding_window_view(imbalance, window).mean(axis=-1)
    known_at = np.searchsorted(total, edges[window:] * (1.0 - _ROUNDING_FRAC))
    return Toxicity(np.clip(value, 0.0, 1.0), known_at.astype(np.int64))


_ROUNDING_FRAC = 1e-12


def _bought_fraction(prices: FloatArray) -> FloatArray:
    """Share of each bar's volume that was bought; a half where no price has moved yet."""
    from scipy.special import ndtr

    changes = np.diff(prices, prepend=prices[0])
    if not changes.any():
        raise SampleError("price: found no change at all, expected some", remedy="Give a longer sample.")
    n_changes = np.maximum(np.arange(len(changes)), 1)
    deviation = np.sqrt(np.cumsum(np.square(changes)) / n_changes)
    return ndtr(changes / np.where(deviation > 0.0, deviation, 1.0))


def _checked_prices(price: npt.ArrayLike, *, min_rows: int) -> FloatArray:
    prices = checked_vector(price, name="price", min_rows=min_rows)
    if prices.min() <= 0.0:
        raise SampleError(f"price: found {prices.min()}, expected prices above 0", remedy="Check the feed.")
    return prices


def _checked_volumes(volume: npt.ArrayLike, length: int) -> FloatArray:
    volumes = checked_vector(volume, name="volume", length=length)
    if volumes.min() < 0.0:
        raise SampleError(f"volume: found {volumes.min()}, expected at least 0", remedy="Check the feed.")
    return volumes
