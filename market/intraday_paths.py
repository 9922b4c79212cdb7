"""Draws a plausible day of quotes from one recorded bar: seeded, and always marked synthetic.

The log mid price follows a Brownian bridge from the open (or the previous close) to the close on a
clock of U-shaped variance, pinned to the high and the low when they are known. Between its recorded
points it says nothing about how that day really went; sizes and spreads carry no information either.
"""

import hashlib
from datetime import date, datetime, timedelta
from functools import lru_cache
from math import isfinite

import numpy as np
import numpy.typing as npt

from ..domain.instruments import Instrument
from ..domain.market import Bar, Quote
from .errors import PathInputError
from .panel import FloatArray

HALF_HOUR_VOL_BP = (9.2, 6.5, 5.3, 4.8, 5.0, 4.5, 4.2, 4.0, 4.1, 5.6, 4.5, 4.0, 5.0)
"""One-minute volatility by half hour from 09:30 to 16:00, basis points: measured on minute bars of SPY,
IBM, BAC and AIG of 4, 7 and 8 October 2013."""

HALF_HOUR_VOLUME_SHARE = (
    0.126, 0.088, 0.078, 0.073, 0.069, 0.054, 0.044, 0.053, 0.051, 0.072, 0.055, 0.064, 0.173,
)  # fmt: skip
"""Share of the day's volume by half hour, from the same minutes."""

OVERNIGHT_VARIANCE_SHARE = 0.35
"""Part of the close-to-close variance that falls between close and open: median of 64 large US
stocks, September 2012 to June 2016."""

BID_SHARE_BOUNDS = (0.25, 0.75)
"""An interval's volume is shown partly on the bid, the rest on the ask; the bid's part is drawn from here."""

MIN_QUOTES = 4
"""Open, high, low and close each need a quote of their own."""

Ticks = npt.NDArray[np.int64]


def synthetic_quotes(
    instrument: Instrument,
    previous_close: float,
    bar: Bar,
    session_open: datetime,
    session_close: datetime,
    *,
    n_quotes: int,
    daily_vol_frac: float,
    half_spread_frac: float,
    assumed_volume_usd: float,
    rng: np.random.Generator,
) -> list[Quote]:
    """Evenly spaced quotes from the open to the close, both included, all with `synthetic=True`.

    The mid starts at the bar's open when it has one, ends at its close on the tick grid, touches its
    high and low when known and never leaves them; the spread is at least two ticks, so that the mid
    is on the grid too. Each quote stands for the interval around it: its two sizes share the volume
    of that interval, from the bar's volume or else from `assumed_volume_usd` over the close.
    `daily_vol_frac` is the standard deviation of the close-to-close return.
    """
    _check(instrument, previous_close, bar, session_close - session_open, n_quotes, daily_vol_frac)
    _check_liquidity(instrument, half_spread_frac, assumed_volume_usd)
    tick = float(instrument.tick)
    mids = _mid_ticks(previous_close, bar, tick, _variance_clock(n_quotes), daily_vol_frac, rng)
    halves = np.maximum(1, np.rint(half_spread_frac * mids).astype(np.int64))
    if (mids <= halves).any():
        raise PathInputError(
            f"{instrument.symbol}: the price falls to {int(mids.min())} ticks of {instrument.tick}, "
            "too few for a bid above zero.",
            remedy="Give the instrument a finer tick.",
        )
    volume = bar.volume if bar.volume is not None else assumed_volume_usd / bar.close
    bid_sizes, ask_sizes = _sizes(volume, _volume_shares(n_quotes), instrument.lot, rng)
    # Whole ticks times the tick: exact decimals without one rounding call per quote.
    return [
        Quote(instrument.symbol, moment, instrument.tick * bid, instrument.tick * ask, bid_size, ask_size, True)
        for moment, bid, ask, bid_size, ask_size in zip(
            _quote_times(session_open, session_close, n_quotes),
            (mids - halves).tolist(),
            (mids + halves).tolist(),
            bid_sizes.tolist(),
            ask_sizes.tolist(),
            strict=True,
        )
    ]


def path_rng(seed: int, symbol: str, session: date) -> np.random.Generator:
    """The random stream of one symbol's day: independent of other days, other symbols and call order."""
    digest = hashlib.sha256(f"{seed}|{symbol}|{session.isoformat()}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))


def _mid_ticks(
    previous_close: float,
    bar: Bar,
    tick: float,
    session_clock: FloatArray,
    daily_vol_frac: float,
    rng: np.random.Generator,
) -> Ticks:
    has_open = bar.open is not None
    night = OVERNIGHT_VARIANCE_SHARE
    # Without an open the path starts at the previous close, and the night is its first step.
    clock = session_clock if has_open else np.r_[0.0, night + (1 - night) * session_clock]
    scale = daily_vol_frac * ((1 - night) ** 0.5 if has_open else 1.0)
    start = _tick_count(bar.open if bar.open is not None else previous_close, tick)
    close = _tick_count(bar.close, tick)
    inside = [close, start] if has_open else [close]
    # A bar whose range does not hold its own open and close is reported by the quality checks; here
    # the range gives way, so that the path can still end where the day did.
    high = None if bar.high is None else max(_tick_count(bar.high, tick), *inside)
    low = None if bar.low is None else min(_tick_count(bar.low, tick), *inside)

    walk = np.r_[0.0, np.cumsum(rng.standard_normal(len(clock) - 1) * np.sqrt(np.diff(clock)))] * scale
    pins = {0: start, len(clock) - 1: close}
    path = _pinned(walk, clock, pins)
    # The extremes go where the free path has its own, which keeps their times of day plausible.
    for bound, sign in ((high, 1.0), (low, -1.0)):
        if bound is not None and bound not in inside:
            free = [index for index in range(1, len(clock) - 1) if index not in pins]
            pins[free[int(np.argmax(sign * path[free]))]] = bound
    path = _folded(_pinned(walk, clock, pins), high, low)
    mids = np.rint(np.exp(path)).astype(np.int64)
    for index, ticks in pins.items():
        mids[index] = ticks
    return np.clip(mids, low, high)[0 if has_open else 1 :]


def _pinned(walk: FloatArray, clock: FloatArray, pins: dict[int, int]) -> FloatArray:
    """The walk bent to pass through the pins (in ticks), straight in the clock between them; log ticks."""
    at = sorted(pins)
    targets = np.log([pins[index] for index in at])
    return walk + np.interp(clock, clock[at], targets - walk[at])


def _folded(path: FloatArray, high: int | None, low: int | None) -> FloatArray:
    """The path mirrored at its bounds as often as it takes to stay inside."""
    if high is not None and low is not None:
        bottom, span = np.log(low), np.log(high) - np.log(low)
        if span == 0:
            return np.full_like(path, bottom)
        return bottom + span - np.abs((path - bottom) % (2 * span) - span)
    if high is not None:
        return np.log(high) - np.abs(np.log(high) - path)
    if low is not None:
        return np.log(low) + np.abs(path - np.log(low))
    return path


def _sizes(volume: float, shares: FloatArray, lot: int, rng: np.random.Generator) -> tuple[Ticks, Ticks]:
    lots = volume * shares / lot
    on_bid = rng.uniform(*BID_SHARE_BOUNDS, len(shares))
    return (lots * on_bid).astype(np.int64) * lot, (lots * (1 - on_bid)).astype(np.int64) * lot


@lru_cache(maxsize=64)
def _variance_clock(n_quotes: int) -> FloatArray:
    """(n_quotes,) share of the session's variance that has passed at each quote, from 0 to 1."""
    return _passed(np.square(HALF_HOUR_VOL_BP), np.linspace(0, 1, n_quotes))


@lru_cache(maxsize=64)
def _volume_shares(n_quotes: int) -> FloatArray:
    """(n_quotes,) share of the day's volume nearest in time to each quote; sums to 1."""
    times = np.linspace(0, 1, n_quotes)
    edges = np.r_[0.0, (times[1:] + times[:-1]) / 2, 1.0]
    return np.diff(_passed(np.array(HALF_HOUR_VOLUME_SHARE), edges))


def _passed(by_half_hour: FloatArray, times: FloatArray) -> FloatArray:
    # The shape is stretched over the session, so that a day with an early close has its U as well.
    total = np.r_[0.0, np.cumsum(by_half_hour)]
    return np.interp(times, np.linspace(0, 1, len(total)), total / total[-1])


@lru_cache(maxsize=64)
def _quote_times(session_open: datetime, session_close: datetime, n_quotes: int) -> tuple[datetime, ...]:
    span: timedelta = session_close - session_open
    return tuple(session_open + span * index / (n_quotes - 1) for index in range(n_quotes))


def _tick_count(price: float, tick: float) -> int:
    return max(1, round(price / tick))


def _check(
    instrument: Instrument,
    previous_close: float,
    bar: Bar,
    length: timedelta,
    n_quotes: int,
    daily_vol_frac: float,
) -> None:
    prices = {"previous close": previous_close, "open": bar.open, "high": bar.high, "low": bar.low}
    for name, price in {**prices, "close": bar.close}.items():
        if price is not None and not (isfinite(price) and price > 0):
            raise PathInputError(
                f"{instrument.symbol}: {name} is {price}, expected a positive price.",
                remedy="Draw no path for a symbol without a bar; check the data with `parley data check`.",
            )
    if length <= timedelta(0):
        raise PathInputError(
            f"{instrument.symbol}: the session lasts {length}.", remedy="Pass the opening before the close."
        )
    if n_quotes < MIN_QUOTES:
        raise PathInputError(
            f"{instrument.symbol}: {n_quotes} quotes a day, expected at least {MIN_QUOTES}.",
            remedy="Ask for more quotes.",
        )
    if not (isfinite(daily_vol_frac) and daily_vol_frac >= 0):
        raise PathInputError(
            f"{instrument.symbol}: daily volatility is {daily_vol_frac}, expected a fraction of 0 or more.",
            remedy="Estimate it from at least two returns.",
        )


def _check_liquidity(instrument: Instrument, half_spread_frac: float, assumed_volume_usd: float) -> None:
    if not 0 <= half_spread_frac < 0.5:
        raise PathInputError(
            f"{instrument.symbol}: half spread is {half_spread_frac}, expected a fraction from 0 to 0.5.",
            remedy="Pass a fraction of the price: 0.0005 is 5 basis points.",
        )
    if not (isfinite(assumed_volume_usd) and assumed_volume_usd >= 0):
        raise PathInputError(
            f"{instrument.symbol}: assumed volume is {assumed_volume_usd} USD, expected 0 or more.",
            remedy="Pass the value traded on a normal day.",
        )
