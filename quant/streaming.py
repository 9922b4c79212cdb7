"""Indicators of one symbol, one bar or tick at a time: small state, plain floats, equal to TA-Lib's batch.

Every class has ``update(...)``, which takes the newest values (prices above 0, oldest first) and returns the
indicator, NaN until the warm-up named in its docstring is over. Update n of a stream equals row n of
`indicator_series` on the same history, to 1e-9: the same seeds and the same smoothing from the first row on.
Sums over a window are taken afresh once a window, so that rounding never piles up.

Raises (all classes): ParameterError for a period below its least value; SampleError for a NaN, an infinite
value, a price not above 0, a negative volume, or a high below its low. The state is then as before the call.

Source: Wilder (1978), New Concepts in Technical Trading Systems; Appel (2005), Technical Analysis; Bollinger
(2001), Bollinger on Bollinger Bands; seeds and divisors as TA-Lib 0.8.
"""

from __future__ import annotations

import math
from collections import deque

from .arrays import checked_above
from .errors import ParameterError, SampleError

_NAN = math.nan
_INF = math.inf


class StreamingSma:
    """Mean of the last ``period`` values (unit of the input), from update ``period`` on."""

    __slots__ = ("_at", "_filled", "_period", "_sum", "_window")

    def __init__(self, period: int) -> None:
        self._period = checked_period(period)
        self._window = [0.0] * period
        self._sum = 0.0
        self._at = 0
        self._filled = False

    def update(self, value: float) -> float:
        if not -_INF < value < _INF:
            raise _refused("value", value, "a finite number")
        window, at = self._window, self._at
        self._sum += value - window[at]
        window[at] = value
        if at + 1 == self._period:
            self._at = 0
            self._filled = True
            self._sum = math.fsum(window)
        else:
            self._at = at + 1
        return self._sum / self._period if self._filled else _NAN


class StreamingEma:
    """Exponential mean with weight ``2 / (period + 1)``, seeded by the mean of the first ``period`` values."""

    __slots__ = ("_count", "_mean", "_period", "_weight")

    def __init__(self, period: int) -> None:
        self._period = checked_period(period)
        self._weight = 2.0 / (period + 1.0)
        self._count = 0
        self._mean = 0.0

    def update(self, value: float) -> float:
        if not -_INF < value < _INF:
            raise _refused("value", value, "a finite number")
        if self._count == self._period:
            self._mean += self._weight * (value - self._mean)
            return self._mean
        self._count += 1
        self._mean += value
        if self._count < self._period:
            return _NAN
        self._mean /= self._period
        return self._mean


class StreamingRsi:
    """Wilder's relative strength index, 0 to 100, from update ``period + 1`` on.

    ``100 * up / (up + down)`` of smoothed gains and losses; NaN while the price has never moved.
    """

    __slots__ = ("_count", "_down", "_keep", "_period", "_previous", "_take", "_up")

    def __init__(self, period: int = 14) -> None:
        self._period = checked_period(period, least=2)
        self._keep = (period - 1.0) / period
        self._take = 1.0 / period
        self._count = 0
        self._previous = self._up = self._down = 0.0

    def update(self, price: float) -> float:
        if not 0.0 < price < _INF:
            raise _refused("price", price, "a finite price above 0")
        move = price - self._previous
        if self._count > self._period:
            if move > 0.0:
                self._up = up = self._keep * self._up + self._take * move
                self._down = down = self._keep * self._down
            else:
                self._up = up = self._keep * self._up
                self._down = down = self._keep * self._down - self._take * move
            self._previous = price
            total = up + down
            return 100.0 * up / total if total > 0.0 else _NAN
        return self._warm_up(price, move)

    def _warm_up(self, price: float, move: float) -> float:
        if self._count > 0:
            self._up += self._take * max(move, 0.0)
            self._down += self._take * max(-move, 0.0)
        self._previous = price
        self._count += 1
        total = self._up + self._down
        return 100.0 * self._up / total if self._count > self._period and total > 0.0 else _NAN


class StreamingMacd:
    """Fast less slow exponential mean, its own exponential mean, and the gap: ``(macd, signal, histogram)``.

    In price units, all three from update ``slow + signal - 1`` on. The fast mean is seeded by the ``fast``
    values just before the slow one is ready, as TA-Lib does, so that both start on the same bar.
    """

    __slots__ = ("_count", "_fast", "_fast_from", "_fast_weight", "_ready", "_signal", "_slow", "_slow_weight")
    _NOT_YET = (_NAN, _NAN, _NAN)

    def __init__(self, fast: int = 12, slow: int = 26, signal: int = 9) -> None:
        checked_period(fast, least=2)
        checked_period(slow, least=2)
        checked_period(signal)
        if fast >= slow:
            raise ParameterError(f"fast: found {fast}, expected fewer than the {slow} of slow")
        self._fast_weight, self._slow_weight = 2.0 / (fast + 1.0), 2.0 / (slow + 1.0)
        self._fast_from, self._ready = slow - fast, slow
        self._signal = StreamingEma(signal)
        self._count = 0
        self._fast = self._slow = 0.0

    def update(self, price: float) -> tuple[float, float, float]:
        if not 0.0 < price < _INF:
            raise _refused("price", price, "a finite price above 0")
        if self._count >= self._ready:
            self._fast += self._fast_weight * (price - self._fast)
            self._slow += self._slow_weight * (price - self._slow)
        elif not self._warmed_up(price):
            return self._NOT_YET
        macd = self._fast - self._slow
        signal = self._signal.update(macd)
        return (macd, signal, macd - signal) if signal == signal else self._NOT_YET

    def _warmed_up(self, price: float) -> bool:
        self._slow += price
        if self._count >= self._fast_from:
            self._fast += price
        self._count += 1
        if self._count < self._ready:
            return False
        self._fast /= self._ready - self._fast_from
        self._slow /= self._ready
        return True


class StreamingBollinger:
    """``(upper, middle, lower)`` in price: the mean of ``period`` prices and ``width`` deviations (ddof 0) around it.

    From update ``period`` on. The deviation is taken afresh over the window at every update (one pass in C):
    no running sum of squares, hence no cancellation and no drift.
    """

    __slots__ = ("_at", "_filled", "_period", "_scale", "_sum", "_window")
    _NOT_YET = (_NAN, _NAN, _NAN)

    def __init__(self, period: int = 20, width: float = 2.0) -> None:
        self._period = checked_period(period, least=2)
        self._scale = checked_above(width, 0.0, name="width") / math.sqrt(period)
        self._window = [0.0] * period
        self._sum = 0.0
        self._at = 0
        self._filled = False

    def update(self, price: float) -> tuple[float, float, float]:
        if not 0.0 < price < _INF:
            raise _refused("price", price, "a finite price above 0")
        # The mean is kept as in StreamingSma, spelled out here: a call would cost a fifth of the update.
        window, at = self._window, self._at
        self._sum += price - window[at]
        window[at] = price
        if at + 1 == self._period:
            self._at = 0
            self._filled = True
            self._sum = math.fsum(window)
        else:
            self._at = at + 1
        if not self._filled:
            return self._NOT_YET
        middle = self._sum / self._period
        # The Euclidean distance from the mean is sqrt(n) standard deviations, computed without overflow.
        half_width = self._scale * math.dist(window, (middle,) * self._period)
        return middle + half_width, middle, middle - half_width


class StreamingRoc:
    """Rate of change over ``period`` updates, as a fraction (0.01 is one percent), from update ``period + 1`` on."""

    __slots__ = ("_window",)

    def __init__(self, period: int = 10) -> None:
        self._window: deque[float] = deque(maxlen=checked_period(period) + 1)

    def update(self, price: float) -> float:
        if not 0.0 < price < _INF:
            raise _refused("price", price, "a finite price above 0")
        self._window.append(price)
        return price / self._window[0] - 1.0 if len(self._window) == self._window.maxlen else _NAN


class StreamingObv:
    """On-balance volume: volume summed with the sign of the price's move; it starts at the first bar's volume."""

    __slots__ = ("_previous", "_total")

    def __init__(self) -> None:
        self._previous = _NAN
        self._total = 0.0

    def update(self, price: float, volume: float) -> float:
        if not 0.0 < price < _INF:
            raise _refused("price", price, "a finite price above 0")
        if not 0.0 <= volume < _INF:
            raise _refused("volume", volume, "a finite volume of at least 0")
        if price < self._previous:
            self._total -= volume
        elif price != self._previous:
            self._total += volume
        self._previous = price
        return self._total


def checked_period(period: int, *, least: int = 1) -> int:
    """``period``, a whole number of bars of at least ``least``, else ParameterError."""
    if not isinstance(period, int) or period < least:
        raise ParameterError(f"period: found {period}, expected a whole number of bars of at least {least}")
    return period


def _refused(name: str, found: float, wanted: str) -> SampleError:
    return SampleError(
        f"{name}: found {found}, expected {wanted}",
        remedy="Drop the tick at the feed; the stream keeps the state it had before.",
    )
