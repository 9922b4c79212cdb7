"""Streaming indicators of one symbol that need the bar's range: ATR, ADX with its DIs, and the stochastic.

The contract is that of `quant/streaming.py`: ``update(high, low, close)``, NaN until warm, equal to TA-Lib's
batch to 1e-9, SampleError (state unchanged) for a bar that cannot be.

Source: Wilder (1978), New Concepts in Technical Trading Systems, sections III and IV (ATR, ADX); Lane (1984),
Technical Analysis of Stocks & Commodities 2(3) (stochastic); seeds and divisors as TA-Lib 0.8.
"""

from __future__ import annotations

import math
from collections import deque

from .errors import SampleError
from .streaming import checked_period

_NAN = math.nan
_INF = math.inf


class StreamingAtr:
    """Wilder's average true range in price, from update ``period + 1`` on (a first bar has no previous close)."""

    __slots__ = ("_atr", "_close", "_count", "_period")

    def __init__(self, period: int = 14) -> None:
        self._period = checked_period(period, least=2)
        self._count = 0
        self._atr = self._close = 0.0

    def update(self, high: float, low: float, close: float) -> float:
        _check_bar(high, low, close)
        if self._count > self._period:
            true_range = _true_range(high, low, self._close)
            self._atr = (self._atr * (self._period - 1) + true_range) / self._period
            self._close = close
            return self._atr
        if self._count > 0:
            self._atr += _true_range(high, low, self._close) / self._period
        self._close = close
        self._count += 1
        return self._atr if self._count > self._period else _NAN


class StreamingAdx:
    """``(adx, plus_di, minus_di)``, each 0 to 100: how directed the movement is, and which way.

    The DIs from update ``period + 1`` on, the ADX from update ``2 * period`` on; all three are NaN while no bar
    after the first has had any true range. The ADX is the Wilder mean of ``100 * |+DI - -DI| / (+DI + -DI)``,
    seeded by the mean of its first ``period`` values; a bar without any directed movement leaves it as it is.
    """

    __slots__ = ("_adx", "_close", "_count", "_high", "_low", "_minus", "_period", "_plus", "_range")

    def __init__(self, period: int = 14) -> None:
        self._period = checked_period(period, least=2)
        self._count = 0
        self._high = self._low = self._close = 0.0
        self._plus = self._minus = self._range = self._adx = 0.0

    def update(self, high: float, low: float, close: float) -> tuple[float, float, float]:
        _check_bar(high, low, close)
        if self._count > 0:
            self._move(high, low)
        self._high, self._low, self._close = high, low, close
        self._count += 1
        if self._count <= self._period:
            return _NAN, _NAN, _NAN
        if self._range <= 0.0:
            return _NAN, _NAN, _NAN
        plus, minus = 100.0 * self._plus / self._range, 100.0 * self._minus / self._range
        total = plus + minus
        return self._directed(100.0 * abs(plus - minus) / total if total > 0.0 else _NAN), plus, minus

    def _move(self, high: float, low: float) -> None:
        up, down = high - self._high, self._low - low
        # Wilder keeps plain sums of the first period - 1 moves, and lets a share of the sum go from then on.
        keep = 1.0 - 1.0 / self._period if self._count >= self._period else 1.0
        self._plus = keep * self._plus + (up if up > down and up > 0.0 else 0.0)
        self._minus = keep * self._minus + (down if down > up and down > 0.0 else 0.0)
        self._range = keep * self._range + _true_range(high, low, self._close)

    def _directed(self, strength: float) -> float:
        """The ADX after one more strength of direction; NaN strength means that the bar had none."""
        period, n_strengths = self._period, self._count - self._period
        if strength == strength:
            if n_strengths <= period:
                self._adx += strength / period
            else:
                self._adx = (self._adx * (period - 1) + strength) / period
        return self._adx if n_strengths >= period else _NAN


class StreamingStochastic:
    """Slow stochastic ``(k, d)``, 0 to 100: where the close lies in the range of ``period`` bars, averaged twice.

    ``k`` averages the raw place over ``k_period`` bars, ``d`` averages k over ``d_period``; both from update
    ``period + k_period + d_period - 2`` on. While a window without any range is inside, both are NaN.
    """

    __slots__ = ("_age", "_bottoms", "_period", "_raw", "_slow", "_tops")

    def __init__(self, period: int = 14, k_period: int = 3, d_period: int = 3) -> None:
        self._period = checked_period(period)
        self._raw: deque[float] = deque(maxlen=checked_period(k_period))
        self._slow: deque[float] = deque(maxlen=checked_period(d_period))
        self._tops: deque[tuple[int, float]] = deque()
        self._bottoms: deque[tuple[int, float]] = deque()
        self._age = 0

    def update(self, high: float, low: float, close: float) -> tuple[float, float]:
        _check_bar(high, low, close)
        self._age += 1
        # Monotone queues: only bars that can still become the window's extreme are kept.
        tops, bottoms = self._tops, self._bottoms
        while tops and tops[-1][1] <= high:
            tops.pop()
        while bottoms and bottoms[-1][1] >= low:
            bottoms.pop()
        tops.append((self._age, high))
        bottoms.append((self._age, low))
        oldest = self._age - self._period
        if tops[0][0] <= oldest:
            tops.popleft()
        if bottoms[0][0] <= oldest:
            bottoms.popleft()
        if oldest < 0:
            return _NAN, _NAN
        top, bottom = tops[0][1], bottoms[0][1]
        self._raw.append(100.0 * (close - bottom) / (top - bottom) if top > bottom else _NAN)
        return self._averaged()

    def _averaged(self) -> tuple[float, float]:
        if len(self._raw) < (self._raw.maxlen or 0):
            return _NAN, _NAN
        k = sum(self._raw) / len(self._raw)
        self._slow.append(k)
        d = sum(self._slow) / len(self._slow)
        # TA-Lib gives both lines from the first bar that has both.
        return (k, d) if len(self._slow) == self._slow.maxlen else (_NAN, _NAN)


def _true_range(high: float, low: float, previous_close: float) -> float:
    return max(high, previous_close) - min(low, previous_close)


def _check_bar(high: float, low: float, close: float) -> None:
    if not 0.0 < low <= close <= high < _INF:
        raise SampleError(
            f"bar: found high {high}, low {low}, close {close}, expected 0 < low <= close <= high",
            remedy="Drop the bar at the feed; the stream keeps the state it had before.",
        )
