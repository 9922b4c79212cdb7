"""What each technical indicator reads and how its lines are worked out: one table, most of it TA-Lib's recursions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from .arrays import FloatArray

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Compute = Callable[[Mapping[str, FloatArray], dict[str, float]], tuple[FloatArray, ...]]


@dataclass(frozen=True, slots=True)
class Indicator:
    """What an indicator reads, gives and may be told; ``least`` is its shortest period."""

    compute: Compute
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    defaults: Mapping[str, float]
    least: int = 2


def _talib(function: str, *arguments: object) -> tuple[FloatArray, ...]:
    import talib

    found = getattr(talib, function)(*arguments)
    return tuple(found) if isinstance(found, (list, tuple)) else (found,)


def _by_period(function: str, *inputs: str) -> Compute:
    """A TA-Lib function of ``inputs`` and one period."""

    def compute(bars: Mapping[str, FloatArray], chosen: dict[str, float]) -> tuple[FloatArray, ...]:
        return _talib(function, *(bars[each] for each in inputs), chosen["period"])

    return compute


def _roc(bars: Mapping[str, FloatArray], chosen: dict[str, float]) -> tuple[FloatArray, ...]:
    return _talib("ROCP", bars["close"], chosen["period"])


def _rsi(bars: Mapping[str, FloatArray], chosen: dict[str, float]) -> tuple[FloatArray, ...]:
    close = bars["close"]
    (rsi,) = _talib("RSI", close, chosen["period"])
    return (np.where(np.logical_or.accumulate(close != close[0]), rsi, np.nan),)


def _macd(bars: Mapping[str, FloatArray], chosen: dict[str, float]) -> tuple[FloatArray, ...]:
    return _talib("MACD", bars["close"], chosen["fast"], chosen["slow"], chosen["signal"])


def _bollinger(bars: Mapping[str, FloatArray], chosen: dict[str, float]) -> tuple[FloatArray, ...]:
    # TA-Lib subtracts squares: around the first price instead of around 0 they keep the digits that matter.
    first = bars["close"][0]
    bands = _talib("BBANDS", bars["close"] - first, chosen["period"], chosen["width"], chosen["width"])
    return tuple(band + first for band in bands)


def _donchian(bars: Mapping[str, FloatArray], chosen: dict[str, float]) -> tuple[FloatArray, ...]:
    upper, lower = _extremes(bars, chosen["period"])
    return upper, (upper + lower) / 2.0, lower


def _keltner(bars: Mapping[str, FloatArray], chosen: dict[str, float]) -> tuple[FloatArray, ...]:
    (middle,) = _talib("EMA", bars["close"], chosen["period"])
    (atr,) = _talib("ATR", bars["high"], bars["low"], bars["close"], chosen["atr_period"])
    return middle + chosen["width"] * atr, middle + 0.0 * atr, middle - chosen["width"] * atr


def _adx(bars: Mapping[str, FloatArray], chosen: dict[str, float]) -> tuple[FloatArray, ...]:
    arguments = (bars["high"], bars["low"], bars["close"], chosen["period"])
    (true_range,) = _talib("TRANGE", bars["high"], bars["low"], bars["close"])
    has_moved = np.logical_or.accumulate(true_range > 0.0)
    lines = (_talib(function, *arguments)[0] for function in ("ADX", "PLUS_DI", "MINUS_DI"))
    return tuple(np.where(has_moved, line, np.nan) for line in lines)


def _stochastic(bars: Mapping[str, FloatArray], chosen: dict[str, float]) -> tuple[FloatArray, ...]:
    period, k_period, d_period = chosen["period"], chosen["k_period"], chosen["d_period"]
    k, d = _talib("STOCH", bars["high"], bars["low"], bars["close"], period, k_period, 0, d_period, 0)
    upper, lower = _extremes(bars, period)
    flat = upper == lower
    # A raw value without a range reaches k for k_period bars, and d for d_period - 1 bars more.
    return _blanked(k, flat, int(k_period)), _blanked(d, flat, int(k_period + d_period) - 1)


def _williams(bars: Mapping[str, FloatArray], chosen: dict[str, float]) -> tuple[FloatArray, ...]:
    (line,) = _talib("WILLR", bars["high"], bars["low"], bars["close"], chosen["period"])
    upper, lower = _extremes(bars, chosen["period"])
    return (np.where(upper == lower, np.nan, line),)


def _cci(bars: Mapping[str, FloatArray], chosen: dict[str, float]) -> tuple[FloatArray, ...]:
    (line,) = _talib("CCI", bars["high"], bars["low"], bars["close"], chosen["period"])
    typical = _typical(bars)
    flat = _talib("MAX", typical, chosen["period"])[0] == _talib("MIN", typical, chosen["period"])[0]
    return (np.where(flat, np.nan, line),)


def _mfi(bars: Mapping[str, FloatArray], chosen: dict[str, float]) -> tuple[FloatArray, ...]:
    """Ours, since TA-Lib's running sums keep the rounding of one huge bar forever, and answer 0 without any flow."""
    typical = _typical(bars)
    moves = np.diff(typical, prepend=typical[0])
    flow = typical * bars["volume"]
    gained = _window_sum(np.where(moves > 0.0, flow, 0.0), chosen["period"], skip=1)
    lost = _window_sum(np.where(moves < 0.0, flow, 0.0), chosen["period"], skip=1)
    total = gained + lost
    return (100.0 * gained / np.where(total > 0.0, total, np.nan),)


def _obv(bars: Mapping[str, FloatArray], chosen: dict[str, float]) -> tuple[FloatArray, ...]:
    return _talib("OBV", bars["close"], bars["volume"])


def _vwap(bars: Mapping[str, FloatArray], chosen: dict[str, float]) -> tuple[FloatArray, ...]:
    traded = _window_sum(bars["volume"], chosen["period"])
    value = _window_sum(_typical(bars) * bars["volume"], chosen["period"])
    return (value / np.where(traded > 0.0, traded, np.nan),)


def _typical(bars: Mapping[str, FloatArray]) -> FloatArray:
    return (bars["high"] + bars["low"] + bars["close"]) / 3.0


def _window_sum(values: FloatArray, period: float, *, skip: int = 0) -> FloatArray:
    """Sum of the last ``period`` values, each window summed afresh; NaN for the first ``period - 1 + skip`` rows."""
    n_bars = int(period)
    sums = np.full(len(values), np.nan)
    if len(values) >= n_bars + skip:
        sums[n_bars - 1 + skip :] = sliding_window_view(values[skip:], n_bars).sum(axis=-1)
    return sums


def _extremes(bars: Mapping[str, FloatArray], period: float) -> tuple[FloatArray, FloatArray]:
    return _talib("MAX", bars["high"], period)[0], _talib("MIN", bars["low"], period)[0]


def _blanked(line: FloatArray, flat: npt.NDArray[np.bool_], n_bars: int) -> FloatArray:
    """``line`` with NaN wherever one of the last ``n_bars`` rows of ``flat`` is true."""
    reached = np.convolve(flat, np.ones(n_bars))[: len(flat)]
    return np.where(reached > 0.5, np.nan, line)


_RANGE = ("high", "low", "close")
_BAND = ("upper", "middle", "lower")
INDICATORS: dict[str, Indicator] = {
    "sma": Indicator(_by_period("SMA", "close"), ("close",), ("sma",), {"period": 20}),
    "ema": Indicator(_by_period("EMA", "close"), ("close",), ("ema",), {"period": 20}),
    "wma": Indicator(_by_period("WMA", "close"), ("close",), ("wma",), {"period": 20}),
    "kama": Indicator(_by_period("KAMA", "close"), ("close",), ("kama",), {"period": 10}),
    "roc": Indicator(_roc, ("close",), ("roc",), {"period": 21}, least=1),
    "rsi": Indicator(_rsi, ("close",), ("rsi",), {"period": 14}),
    "macd": Indicator(_macd, ("close",), ("macd", "signal", "histogram"), {"fast": 12, "slow": 26, "signal": 9}),
    "bollinger": Indicator(_bollinger, ("close",), _BAND, {"period": 20, "width": 2.0}),
    "donchian": Indicator(_donchian, _RANGE, _BAND, {"period": 20}),
    "keltner": Indicator(_keltner, _RANGE, _BAND, {"period": 20, "atr_period": 10, "width": 2.0}),
    "atr": Indicator(_by_period("ATR", *_RANGE), _RANGE, ("atr",), {"period": 14}),
    "adx": Indicator(_adx, _RANGE, ("adx", "plus_di", "minus_di"), {"period": 14}),
    "stochastic": Indicator(_stochastic, _RANGE, ("k", "d"), {"period": 14, "k_period": 3, "d_period": 3}),
    "williams_r": Indicator(_williams, _RANGE, ("williams_r",), {"period": 14}),
    "cci": Indicator(_cci, _RANGE, ("cci",), {"period": 20}),
    "obv": Indicator(_obv, ("close", "volume"), ("obv",), {}),
    "mfi": Indicator(_mfi, (*_RANGE, "volume"), ("mfi",), {"period": 14}),
    "vwap": Indicator(_vwap, (*_RANGE, "volume"), ("vwap",), {"period": 20}),
}
