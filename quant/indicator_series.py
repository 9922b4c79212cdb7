"""Whole series of technical indicators of one symbol, computed by TA-Lib behind one typed door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from .arrays import FloatArray, checked_vector
from .errors import ParameterError, SampleError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Compute = Callable[[Mapping[str, FloatArray], dict[str, float]], tuple[FloatArray, ...]]


def indicator_series(
    name: str,
    close: npt.ArrayLike,
    *,
    high: npt.ArrayLike | None = None,
    low: npt.ArrayLike | None = None,
    volume: npt.ArrayLike | None = None,
    **parameters: float,
) -> dict[str, FloatArray]:
    """Output name -> (n_bars,) of the named indicator, NaN during its warm-up only (or where it divides by nothing).

    | name | outputs | unit | parameters (bars unless said) |
    |---|---|---|---|
    | sma ema wma kama | itself | price | period 20 (kama 10) |
    | roc | roc | fraction | period 21 |
    | rsi | rsi | 0 to 100 | period 14 |
    | macd | macd signal histogram | price | fast 12, slow 26, signal 9 |
    | bollinger | upper middle lower | price | period 20, width 2 deviations (ddof 0) |
    | donchian | upper middle lower | price | period 20 |
    | keltner | upper middle lower | price | period 20, width 2 ATRs of atr_period 10 around the EMA |
    | atr | atr | price | period 14 |
    | adx | adx plus_di minus_di | 0 to 100 | period 14 |
    | stochastic | k d | 0 to 100 | period 14, k_period 3, d_period 3 |
    | williams_r | williams_r | -100 to 0 | period 14 |
    | cci | cci | mean deviations / 0.015 | period 20 |
    | obv | obv | shares from the first bar's on | none |
    | mfi | mfi | 0 to 100 | period 14 |
    | vwap | vwap | price, of (high + low + close) / 3 | period 20 |

    Causal: row t uses rows up to t only. An oscillator that divides by movement is NaN while there was none,
    where TA-Lib itself would answer 0 (deeply oversold) or a neutral value.

    Parameters
    ----------
    close, high, low, volume : (n_bars,) of one symbol, prices above 0, volumes at least 0, oldest first

    Raises
    ------
    ParameterError : an unknown indicator or parameter, or a period that is no whole number of bars
    SampleError : a NaN, an impossible price, a close outside its bar, a missing input, or no bar left after
        the warm-up
    ShapeError : inputs that differ in length

    Source: Wilder (1978), New Concepts in Technical Trading Systems; Appel (2005); Bollinger (2001);
    Kaufman (1995), Smarter Trading (KAMA); Lambert (1980), Commodities 10 (CCI); Keltner bands in
    the form of Raschke (EMA and ATR); all recursions by TA-Lib 0.8.
    """
    spec = _INDICATORS.get(name)
    if spec is None:
        raise ParameterError(f"indicator: found {name!r}, expected one of {', '.join(indicator_names())}")
    chosen = _checked_parameters(name, spec, parameters)
    bars = _checked_bars(close, high=high, low=low, volume=volume, needed=spec.inputs, name=name)
    computed = spec.compute(bars, chosen)
    if any(np.isnan(line).all() for line in computed):
        raise SampleError(
            f"{name}: found {len(bars['close'])} bars, and no value with {chosen} (a history shorter than the "
            "warm-up, or a price that never moved)",
            remedy="Give a longer history or shorter periods.",
        )
    return dict(zip(spec.outputs, computed, strict=True))


def indicator_names() -> tuple[str, ...]:
    """Every name that `indicator_series` knows, in alphabetical order."""
    return tuple(sorted(_INDICATORS))


def _checked_bars(
    close: npt.ArrayLike,
    *,
    high: npt.ArrayLike | None,
    low: npt.ArrayLike | None,
    volume: npt.ArrayLike | None,
    needed: tuple[str, ...],
    name: str,
) -> dict[str, FloatArray]:
    """The inputs that ``name`` needs, as finite vectors of one length, else a typed error."""
    closes = np.ascontiguousarray(checked_vector(close, name="close", min_rows=1))
    bars = {"close": closes}
    for field, values in (("high", high), ("low", low), ("volume", volume)):
        if field not in needed:
            continue
        if values is None:
            raise SampleError(f"{name}: found no {field}, expected {', '.join(needed)}", remedy=f"Give {field}=.")
        bars[field] = np.ascontiguousarray(checked_vector(values, name=field, length=len(closes)))
    _check_possible(bars)
    return bars


def _check_possible(bars: Mapping[str, FloatArray]) -> None:
    for field, values in bars.items():
        if field == "volume" and values.min() < 0.0:
            raise SampleError(f"volume: found {values.min()}, expected at least 0", remedy="Check the feed.")
        if field != "volume" and values.min() <= 0.0:
            raise SampleError(
                f"{field}: found {values.min()}, expected prices above 0",
                remedy="Check the feed; an adjusted price can never reach zero.",
            )
    above = "high" in bars and (bars["close"] > bars["high"]).any()
    if above or ("low" in bars and (bars["close"] < bars["low"]).any()):
        raise SampleError(
            "bars: found a close outside its bar's low and high",
            remedy="Adjust open, high, low and close by the same factor.",
        )


def _checked_parameters(name: str, spec: _Indicator, given: Mapping[str, float]) -> dict[str, float]:
    unknown = sorted(set(given) - set(spec.defaults))
    if unknown:
        wanted = ", ".join(spec.defaults) or "none"
        raise ParameterError(f"{name}: found the parameter {unknown[0]!r}, expected one of: {wanted}")
    chosen: dict[str, float] = {}
    for key, value in (dict(spec.defaults) | dict(given)).items():
        if key == "width":
            if not 0.0 < value < np.inf:
                raise ParameterError(f"{name} {key}: found {value}, expected a finite number above 0")
            chosen[key] = float(value)
        elif value != int(value) or not spec.least <= value <= 100_000:
            raise ParameterError(f"{name} {key}: found {value}, expected whole bars from {spec.least} to 100000")
        else:
            chosen[key] = int(value)
    if chosen.get("fast", 0) >= chosen.get("slow", 1):
        raise ParameterError(f"{name} fast: found {chosen['fast']}, expected fewer than the {chosen['slow']} of slow")
    return chosen


@dataclass(frozen=True, slots=True)
class _Indicator:
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
_INDICATORS: dict[str, _Indicator] = {
    "sma": _Indicator(_by_period("SMA", "close"), ("close",), ("sma",), {"period": 20}),
    "ema": _Indicator(_by_period("EMA", "close"), ("close",), ("ema",), {"period": 20}),
    "wma": _Indicator(_by_period("WMA", "close"), ("close",), ("wma",), {"period": 20}),
    "kama": _Indicator(_by_period("KAMA", "close"), ("close",), ("kama",), {"period": 10}),
    "roc": _Indicator(_roc, ("close",), ("roc",), {"period": 21}, least=1),
    "rsi": _Indicator(_rsi, ("close",), ("rsi",), {"period": 14}),
    "macd": _Indicator(_macd, ("close",), ("macd", "signal", "histogram"), {"fast": 12, "slow": 26, "signal": 9}),
    "bollinger": _Indicator(_bollinger, ("close",), _BAND, {"period": 20, "width": 2.0}),
    "donchian": _Indicator(_donchian, _RANGE, _BAND, {"period": 20}),
    "keltner": _Indicator(_keltner, _RANGE, _BAND, {"period": 20, "atr_period": 10, "width": 2.0}),
    "atr": _Indicator(_by_period("ATR", *_RANGE), _RANGE, ("atr",), {"period": 14}),
    "adx": _Indicator(_adx, _RANGE, ("adx", "plus_di", "minus_di"), {"period": 14}),
    "stochastic": _Indicator(_stochastic, _RANGE, ("k", "d"), {"period": 14, "k_period": 3, "d_period": 3}),
    "williams_r": _Indicator(_williams, _RANGE, ("williams_r",), {"period": 14}),
    "cci": _Indicator(_cci, _RANGE, ("cci",), {"period": 20}),
    "obv": _Indicator(_obv, ("close", "volume"), ("obv",), {}),
    "mfi": _Indicator(_mfi, (*_RANGE, "volume"), ("mfi",), {"period": 14}),
    "vwap": _Indicator(_vwap, (*_RANGE, "volume"), ("vwap",), {"period": 20}),
}
