"""Technical indicators of many names at once: the value at the last row of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from .arrays import FloatArray
from .errors import SampleError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Callable

RSI_DAYS = 14
BOLLINGER_DAYS = 20
BOLLINGER_WIDTH = 2.0
STOCHASTIC_DAYS = 14
VWAP_DAYS = 20
ROC_DAYS = 21
_SMOOTHING_DAYS = 3


def technical_table(
    close: npt.ArrayLike,
    high: npt.ArrayLike | None = None,
    low: npt.ArrayLike | None = None,
    volume: npt.ArrayLike | None = None,
) -> dict[str, FloatArray]:
    """Indicator name -> last value per name, (n_names,), NaN where it cannot be computed.

    Always: ``sma_50 sma_200`` (price), ``roc_21`` (fraction), ``bollinger_pct_b`` (20 days, 2 deviations
    with ddof 0; 0 at the lower band, 1 at the upper), ``rsi_14`` (0 to 100), ``macd macd_signal macd_hist``
    (12, 26, 9; price). With high and low: ``atr_14`` (price), ``adx_14 plus_di minus_di stoch_k stoch_d``
    (0 to 100; slow stochastic 14, 3, 3). With volume: ``obv`` (shares, counted from the first row, so only
    its changes mean something) and ``vwap_20`` (price; typical price when high and low are there).

    NaN means: history too short, a gap inside the days needed, or a price that never moved where the
    formula divides by movement. Leading NaN (a young listing) are skipped. The smoothed indicators (RSI,
    MACD, ATR, ADX) depend on where the history starts: give 252 rows or more.

    Parameters
    ----------
    close, high, low, volume : (n_days, n_names), prices above 0, volumes at least 0, oldest first

    Raises
    ------
    ShapeError : not two-dimensional, different shapes, or only one of high and low
    SampleError : an infinite value, a price not above 0, or a negative volume

    Source: Wilder (1978), New Concepts in Technical Trading Systems; Bollinger (2001); computed by TA-Lib
    where smoothing is recursive, by window sums elsewhere.
    """
    closes = _checked_prices(close, "close")
    table = _window_table(closes) | _smoothed_close(closes)
    if (high is None) != (low is None):
        raise ShapeError("high and low: found only one of them, expected both or neither")
    typical = closes
    if high is not None and low is not None:
        highs, lows = _checked_prices(high, "high", closes.shape), _checked_prices(low, "low", closes.shape)
        typical = (highs + lows + closes) / 3.0
        table |= _smoothed_range(highs, lows, closes) | _stochastic(highs, lows, closes)
    if volume is not None:
        volumes = _checked_prices(volume, "volume", closes.shape, lowest=0.0)
        table |= {"obv": _on_balance_volume(closes, volumes), "vwap_20": _rolling_vwap(typical, volumes)}
    return table


def _window_table(close: FloatArray) -> dict[str, FloatArray]:
    window = close[-BOLLINGER_DAYS:]
    deviation = window.std(axis=0)
    # A flat window leaves rounding dust in the deviation, which would turn into a random band position.
    half_width = np.where(deviation > 1e-12 * close[-1], BOLLINGER_WIDTH * deviation, np.nan)
    pct_b = 0.5 + (close[-1] - window.mean(axis=0)) / (2.0 * half_width)
    return {
        "sma_50": _if_long_enough(close, 50, close[-50:].mean(axis=0)),
        "sma_200": _if_long_enough(close, 200, close[-200:].mean(axis=0)),
        "roc_21": _if_long_enough(close, ROC_DAYS + 1, close[-1] / close[-ROC_DAYS - 1 :][0] - 1.0),
        "bollinger_pct_b": _if_long_enough(close, BOLLINGER_DAYS, pct_b),
    }


def _smoothed_close(close: FloatArray) -> dict[str, FloatArray]:
    from talib import MACD, RSI

    def last(series: FloatArray) -> tuple[float, ...]:
        # TA-Lib calls a price that never moved an RSI of 0, which would read as deeply oversold.
        rsi = RSI(series, RSI_DAYS)[-1] if series.min() < series.max() else np.nan
        return rsi, *(line[-1] for line in MACD(series, 12, 26, 9))

    rsi, macd, signal, hist = _last_by_name((close,), last, 4)
    return {"rsi_14": rsi, "macd": macd, "macd_signal": signal, "macd_hist": hist}


def _smoothed_range(high: FloatArray, low: FloatArray, close: FloatArray) -> dict[str, FloatArray]:
    from talib import ADX, ATR, MINUS_DI, PLUS_DI

    def last(highs: FloatArray, lows: FloatArray, closes: FloatArray) -> tuple[float, ...]:
        atr = ATR(highs, lows, closes, 14)[-1]
        if highs.max() == lows.min():
            return atr, np.nan, np.nan, np.nan
        return atr, *(f(highs, lows, closes, 14)[-1] for f in (ADX, PLUS_DI, MINUS_DI))

    atr, adx, plus, minus = _last_by_name((high, low, close), last, 4)
    return {"atr_14": atr, "adx_14": adx, "plus_di": plus, "minus_di": minus}


def _stochastic(high: FloatArray, low: FloatArray, close: FloatArray) -> dict[str, FloatArray]:
    """Slow stochastic: three-day means of where the close lies in the 14-day range, and of those means."""
    n_days = STOCHASTIC_DAYS + 2 * (_SMOOTHING_DAYS - 1)
    if len(close) < n_days:
        missing = np.full(close.shape[1], np.nan)
        return {"stoch_k": missing, "stoch_d": missing.copy()}
    top = sliding_window_view(high[-n_days:], STOCHASTIC_DAYS, axis=0).max(axis=-1)
    bottom = sliding_window_view(low[-n_days:], STOCHASTIC_DAYS, axis=0).min(axis=-1)
    span = np.where(top > bottom, top - bottom, np.nan)
    fast = 100.0 * (close[-len(top) :] - bottom) / span
    slow = sliding_window_view(fast, _SMOOTHING_DAYS, axis=0).mean(axis=-1)
    return {"stoch_k": slow[-1], "stoch_d": slow.mean(axis=0)}


def _on_balance_volume(close: FloatArray, volume: FloatArray) -> FloatArray:
    def last(closes: FloatArray, volumes: FloatArray) -> tuple[float, ...]:
        return (float(volumes[0] + np.sign(np.diff(closes)) @ volumes[1:]),)

    return _last_by_name((close, volume), last, 1)[0]


def _rolling_vwap(price: FloatArray, volume: FloatArray) -> FloatArray:
    traded = volume[-VWAP_DAYS:].sum(axis=0)
    value = (price[-VWAP_DAYS:] * volume[-VWAP_DAYS:]).sum(axis=0)
    return _if_long_enough(price, VWAP_DAYS, value / np.where(traded > 0.0, traded, np.nan))


def _last_by_name(inputs: tuple[FloatArray, ...], last: Callable[..., tuple[float, ...]], n_outputs: int) -> FloatArray:
    """``last`` of each name's gapless history, (n_outputs, n_names); a name with a gap stays NaN.

    A gap must not reach TA-Lib: after a NaN inside the history its RSI answers 0, not NaN.
    """
    found = np.full((n_outputs, inputs[0].shape[1]), np.nan)
    present = np.logical_and.reduce([np.isfinite(each) for each in inputs])
    columns = [np.ascontiguousarray(each.T) for each in inputs]
    for at in range(found.shape[1]):
        first = int(present[:, at].argmax())
        if present[first:, at].all():
            found[:, at] = last(*(each[at, first:] for each in columns))
    return found


def _if_long_enough(close: FloatArray, n_days: int, values: FloatArray) -> FloatArray:
    return values if len(close) >= n_days else np.full(close.shape[1], np.nan)


def _checked_prices(
    values: npt.ArrayLike, name: str, shape: tuple[int, ...] | None = None, lowest: float | None = None
) -> FloatArray:
    """A float64 matrix whose finite values are above 0 (or at least ``lowest``); NaN stays, meaning absent."""
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2 or 0 in matrix.shape or (shape is not None and matrix.shape != shape):
        raise ShapeError(f"{name}: found shape {matrix.shape}, expected {shape or '(n_days, n_names)'}")
    bad = np.isinf(matrix) | (matrix <= 0.0 if lowest is None else matrix < lowest)
    if bad.any():
        bound = "above 0" if lowest is None else f"at least {lowest:g}"
        raise SampleError(
            f"{name}: found {matrix[bad][0]}, expected finite values {bound} (NaN where there is none)",
            remedy="Check the feed; an adjusted price can never reach zero.",
        )
    return matrix
