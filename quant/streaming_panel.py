"""Streaming indicators of many symbols at once: one NumPy state array per quantity, one update per bar.

``update(prices)`` takes the newest price of every symbol, (n_symbols,), and returns the indicator of each, NaN
until warm. Every symbol has a price in every update; what had no trade carries its last price forward, and a
younger listing goes into a panel of its own. The arithmetic is that of `quant/streaming.py`, symbol by symbol.
The arrays given back are the caller's: a later update never writes into them.

Raises (all classes): ParameterError for a bad period or no symbols; ShapeError for another number of prices;
SampleError for a NaN, an infinite value, a price not above 0 or a high below its low. The state is then as
before the call.

Source: as `quant/streaming.py`.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, checked_above
from .errors import ParameterError, SampleError, ShapeError
from .streaming import checked_period


class EmaPanel:
    """Exponential means with weight ``2 / (period + 1)``, seeded by the mean of the first ``period`` values."""

    __slots__ = ("_count", "_mean", "_n_symbols", "_period", "_weight")

    def __init__(self, n_symbols: int, period: int) -> None:
        self._n_symbols = _checked_width(n_symbols)
        self._period = checked_period(period)
        self._weight = 2.0 / (period + 1.0)
        self._count = 0
        self._mean = np.zeros(n_symbols)

    def update(self, prices: npt.ArrayLike) -> FloatArray:
        return self._advance(_checked_prices(prices, self._n_symbols))

    def _advance(self, values: FloatArray) -> FloatArray:
        if self._count < self._period:
            self._count += 1
            self._mean += values
            if self._count < self._period:
                return np.full(self._n_symbols, math.nan)
            self._mean /= self._period
        else:
            self._mean += self._weight * (values - self._mean)
        return self._mean.copy()


class RsiPanel:
    """Wilder's relative strength index, 0 to 100; NaN where the price has never moved."""

    __slots__ = ("_count", "_down", "_keep", "_n_symbols", "_period", "_previous", "_take", "_up")

    def __init__(self, n_symbols: int, period: int = 14) -> None:
        self._n_symbols = _checked_width(n_symbols)
        self._period = checked_period(period, least=2)
        self._keep, self._take = (period - 1.0) / period, 1.0 / period
        self._count = 0
        self._previous, self._up, self._down = np.zeros((3, n_symbols))

    def update(self, prices: npt.ArrayLike) -> FloatArray:
        current = _checked_prices(prices, self._n_symbols)
        moves = self._take * (current - self._previous)
        if self._count > self._period:
            self._up *= self._keep
            self._down *= self._keep
        if self._count > 0:
            self._up += np.maximum(moves, 0.0)
            self._down -= np.minimum(moves, 0.0)
        self._previous = current
        self._count = min(self._count + 1, self._period + 1)
        found = np.full(self._n_symbols, math.nan)
        if self._count > self._period:
            total = self._up + self._down
            np.divide(100.0 * self._up, total, out=found, where=total > 0.0)
        return found


class MacdPanel:
    """``(macd, signal, histogram)``, (3, n_symbols) in price; seeds as `StreamingMacd`."""

    __slots__ = ("_count", "_fast", "_fast_from", "_fast_weight", "_ready", "_signal", "_slow", "_slow_weight")

    def __init__(self, n_symbols: int, fast: int = 12, slow: int = 26, signal: int = 9) -> None:
        checked_period(fast, least=2)
        checked_period(slow, least=2)
        if fast >= slow:
            raise ParameterError(f"fast: found {fast}, expected fewer than the {slow} of slow")
        self._signal = EmaPanel(n_symbols, signal)
        self._fast_weight, self._slow_weight = 2.0 / (fast + 1.0), 2.0 / (slow + 1.0)
        self._fast_from, self._ready = slow - fast, slow
        self._count = 0
        self._fast, self._slow = np.zeros((2, n_symbols))

    def update(self, prices: npt.ArrayLike) -> FloatArray:
        current = _checked_prices(prices, len(self._slow))
        if self._count >= self._ready:
            self._fast += self._fast_weight * (current - self._fast)
            self._slow += self._slow_weight * (current - self._slow)
        elif not self._warmed_up(current):
            return np.full((3, len(current)), math.nan)
        macd = self._fast - self._slow
        signal = self._signal._advance(macd)
        macd[np.isnan(signal)] = math.nan
        return np.stack((macd, signal, macd - signal))

    def _warmed_up(self, current: FloatArray) -> bool:
        self._slow += current
        if self._count >= self._fast_from:
            self._fast += current
        self._count += 1
        if self._count < self._ready:
            return False
        self._fast /= self._ready - self._fast_from
        self._slow /= self._ready
        return True


class BollingerPanel:
    """``(upper, middle, lower)``, (3, n_symbols) in price: ``width`` deviations (ddof 0) around a window's mean.

    Both moments are taken afresh over the (period, n_symbols) window at every update: nothing can drift.
    """

    __slots__ = ("_at", "_filled", "_period", "_width", "_window")

    def __init__(self, n_symbols: int, period: int = 20, width: float = 2.0) -> None:
        self._period = checked_period(period, least=2)
        self._width = checked_above(width, 0.0, name="width")
        self._window = np.zeros((period, _checked_width(n_symbols)))
        self._at = 0
        self._filled = False

    def update(self, prices: npt.ArrayLike) -> FloatArray:
        current = _checked_prices(prices, self._window.shape[1])
        self._window[self._at] = current
        self._at = (self._at + 1) % self._period
        self._filled = self._filled or self._at == 0
        if not self._filled:
            return np.full((3, len(current)), math.nan)
        middle = np.add.reduce(self._window, axis=0) / self._period
        gaps = self._window - middle
        gaps *= gaps
        half_width = self._width * np.sqrt(np.add.reduce(gaps, axis=0) / self._period)
        return np.stack((middle + half_width, middle, middle - half_width))


class AtrPanel:
    """Wilder's average true range in price, from update ``period + 1`` on."""

    __slots__ = ("_atr", "_close", "_count", "_period")

    def __init__(self, n_symbols: int, period: int = 14) -> None:
        self._period = checked_period(period, least=2)
        self._atr, self._close = np.zeros((2, _checked_width(n_symbols)))
        self._count = 0

    def update(self, high: npt.ArrayLike, low: npt.ArrayLike, close: npt.ArrayLike) -> FloatArray:
        highs, lows, closes = (_checked_prices(each, len(self._close)) for each in (high, low, close))
        if not ((lows <= closes) & (closes <= highs)).all():
            raise SampleError("bars: found a close outside its bar's low and high", remedy="Check the feed's bars.")
        true_range = np.maximum(highs, self._close) - np.minimum(lows, self._close)
        if self._count > self._period:
            self._atr += (true_range - self._atr) / self._period
        elif self._count > 0:
            self._atr += true_range / self._period
        self._close = closes
        self._count = min(self._count + 1, self._period + 1)
        return self._atr.copy() if self._count > self._period else np.full(len(closes), math.nan)


def _checked_width(n_symbols: int) -> int:
    if n_symbols < 1:
        raise ParameterError(f"n_symbols: found {n_symbols}, expected at least 1")
    return n_symbols


def _checked_prices(prices: npt.ArrayLike, n_symbols: int) -> FloatArray:
    """A copy that the panel may keep: the feed is free to reuse its buffer."""
    current = np.array(prices, dtype=np.float64)
    if current.shape != (n_symbols,):
        raise ShapeError(f"prices: found shape {current.shape}, expected ({n_symbols},)")
    # NaN loses every comparison, so the two extremes vouch for all values between them.
    if not (current.min() > 0.0 and current.max() < math.inf):
        raise SampleError(
            f"prices: found {current.min()} to {current.max()}, expected finite prices above 0",
            remedy="Carry the last price of an untraded symbol forward, or give it a panel of its own.",
        )
    return current
