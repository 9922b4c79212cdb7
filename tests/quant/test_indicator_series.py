"""Whole indicator series: against TA-Lib and pandas, by hand, causal to the bit, and on every kind of bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.indicator_series import indicator_names, indicator_series

EXPECTED_NAMES = [
    "adx",
    "atr",
    "bollinger",
    "cci",
    "donchian",
    "ema",
    "kama",
    "keltner",
    "macd",
    "mfi",
    "obv",
    "roc",
    "rsi",
    "sma",
    "stochastic",
    "vwap",
    "williams_r",
    "wma",
]


def _bars(seed: int, n: int = 300) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.015, n)))
    return {
        "close": close,
        "high": close * (1.0 + rng.uniform(0.0, 0.02, n)),
        "low": close * (1.0 - rng.uniform(0.0, 0.02, n)),
        "volume": np.round(rng.uniform(1e5, 1e6, n)),
    }


def test_every_series_equals_talibs_own() -> None:
    bars = _bars(1)
    close, high, low, volume = (bars[key] for key in ("close", "high", "low", "volume"))
    expected = {
        "sma": [talib.SMA(close, 20)],
        "ema": [talib.EMA(close, 20)],
        "wma": [talib.WMA(close, 20)],
        "kama": [talib.KAMA(close, 10)],
        "roc": [talib.ROC(close, 21) / 100.0],
        "rsi": [talib.RSI(close, 14)],
        "macd": talib.MACD(close, 12, 26, 9),
        "bollinger": talib.BBANDS(close, 20, 2.0, 2.0),
        "atr": [talib.ATR(high, low, close, 14)],
        "adx": [f(high, low, close, 14) for f in (talib.ADX, talib.PLUS_DI, talib.MINUS_DI)],
        "stochastic": talib.STOCH(high, low, close, 14, 3, talib.MA_Type.SMA, 3),
        "williams_r": [talib.WILLR(high, low, close, 14)],
        "cci": [talib.CCI(high, low, close, 20)],
        "obv": [talib.OBV(close, volume)],
        "mfi": [talib.MFI(high, low, close, volume, 14)],
    }

    for name, lines in expected.items():
        found = indicator_series(name, **bars)
        for ours, theirs in zip(found.values(), lines, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9, err_msg=name)


def test_channels_and_vwap_equal_pandas_rolling_windows() -> None:
    bars = _bars(2)
    top = pd.Series(bars["high"]).rolling(20).max().to_numpy()
    bottom = pd.Series(bars["low"]).rolling(20).min().to_numpy()
    typical = (bars["high"] + bars["low"] + bars["close"]) / 3.0
    value = np.asarray(pd.Series(typical * bars["volume"]).rolling(15).sum())
    traded = np.asarray(pd.Series(bars["volume"]).rolling(15).sum())

    donchian = indicator_series("donchian", **bars)
    keltner = indicator_series("keltner", **bars)
    vwap = indicator_series("vwap", **bars, period=15)

    np.testing.assert_allclose(donchian["upper"], top)
    np.testing.assert_allclose(donchian["lower"], bottom)
    np.testing.assert_allclose(donchian["middle"], (top + bottom) / 2.0)
    atr = talib.ATR(bars["high"], bars["low"], bars["close"], 10)
    np.testing.assert_allclose(keltner["upper"] - keltner["middle"], 2.0 * np.where(np.arange(300) < 19, np.nan, atr))
    np.testing.assert_allclose(keltner["middle"], talib.EMA(bars["close"], 20))
    np.testing.assert_allclose(vwap["vwap"], value / traded, rtol=1e-12)


def test_all_names_are_known_and_documented() -> None:
    assert list(indicator_names()) == EXPECTED_NAMES
    assert all(name in (indicator_series.__doc__ or "") for name in EXPECTED_NAMES)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(60, 299))
def test_a_row_never_depends_on_later_rows(seed: int, n_bars: int) -> None:
    bars = _bars(seed)
    known = {key: values[:n_bars] for key, values in bars.items()}

    for name in EXPECTED_NAMES:
        before, after = indicator_series(name, **known), indicator_series(name, **bars)
        for output, values in before.items():
            assert np.array_equal(values, after[output][:n_bars], equal_nan=True), (name, output)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 1e3))
def test_bounded_oscillators_stay_in_bounds_and_ignore_the_unit_of_price(seed: int, unit: float) -> None:
    bars = _bars(seed, 120)
    scaled = {key: values * (1.0 if key == "volume" else unit) for key, values in bars.items()}
    bounds = {"rsi": (0, 100), "adx": (0, 100), "stochastic": (0, 100), "mfi": (0, 100), "williams_r": (-100, 0)}

    for name, (lowest, highest) in bounds.items():
        for output, values in indicator_series(name, **bars).items():
            inside = values[np.isfinite(values)]
            assert lowest - 1e-9 <= inside.min() and inside.max() <= highest + 1e-9
            np.testing.assert_allclose(indicator_series(name, **scaled)[output], values, rtol=1e-6, atol=1e-6)


def test_one_bar_of_absurd_volume_leaves_no_trace_once_it_is_out_of_the_window() -> None:
    # TA-Lib's running sums carry that bar's rounding on: its money flow index never recovers.
    bars = _bars(3)
    spiked = bars["volume"].copy()
    spiked[50] = 1e22
    absurd = bars | {"volume": spiked}

    theirs = talib.MFI(bars["high"], bars["low"], bars["close"], spiked, 14)
    assert abs(theirs[-1] - talib.MFI(bars["high"], bars["low"], bars["close"], bars["volume"], 14)[-1]) > 1.0
    for name in ("mfi", "vwap"):
        ours, calm = indicator_series(name, **absurd)[name], indicator_series(name, **bars)[name]
        np.testing.assert_allclose(ours[80:], calm[80:], rtol=1e-12)


def test_bands_of_a_narrow_market_at_a_high_price_keep_their_digits() -> None:
    # Deviations of a cent around a price of 60,000: squares around zero would lose seven digits.
    close = 60_000.0 + np.random.default_rng(4).integers(-2, 3, 400) * 0.01

    bands = indicator_series("bollinger", close)

    half_width = (bands["upper"] - bands["lower"])[19:] / 4.0
    np.testing.assert_allclose(half_width, pd.Series(close).rolling(20).std(ddof=0)[19:], rtol=1e-6)
    exact = np.array([close[at - 20 : at].std() for at in range(20, 401)])
    np.testing.assert_allclose(half_width, exact, rtol=1e-8)


def test_oscillators_are_nan_while_nothing_moves_and_back_once_it_does() -> None:
    flat = np.full(80, 7.3)
    moving = _bars(5, 80)["close"]
    close = np.concatenate((flat, moving))
    bars = {"close": close, "high": close, "low": close, "volume": np.ones(160)}

    for name in ("rsi", "adx", "stochastic", "williams_r", "cci", "mfi"):
        for values in indicator_series(name, **bars).values():
            assert np.isnan(values[:80]).all(), name
            assert np.isfinite(values[-40:]).all(), name


def test_a_price_that_never_moves_is_an_error_not_a_series_of_nan() -> None:
    with pytest.raises(SampleError, match="never moved"):
        indicator_series("rsi", np.full(100, 5.0))


def test_too_few_bars_for_the_warm_up_are_refused() -> None:
    with pytest.raises(SampleError, match="14"):
        indicator_series("rsi", _bars(6)["close"][:14])
    with pytest.raises(SampleError, match="history"):
        indicator_series("vwap", **{key: values[:5] for key, values in _bars(6).items()})
    assert np.isfinite(indicator_series("rsi", _bars(6)["close"][:15])["rsi"][14])


def test_bad_bars_are_refused_with_what_was_found() -> None:
    bars = _bars(7)
    holed = bars["close"].copy()
    holed[50] = np.nan

    with pytest.raises(SampleError, match="close: found 1 values that are NaN"):
        indicator_series("rsi", holed)
    with pytest.raises(SampleError, match="above 0"):
        indicator_series("rsi", -bars["close"])
    with pytest.raises(SampleError, match="outside"):
        indicator_series("atr", bars["close"], high=bars["low"], low=bars["low"])
    with pytest.raises(SampleError, match="no high"):
        indicator_series("atr", bars["close"])
    with pytest.raises(SampleError, match="volume"):
        indicator_series("obv", bars["close"], volume=-bars["volume"])
    with pytest.raises(ShapeError, match="volume"):
        indicator_series("obv", bars["close"], volume=bars["volume"][1:])
    with pytest.raises(SampleError):
        indicator_series("sma", [])


def test_unknown_names_and_parameters_are_refused() -> None:
    close = _bars(8)["close"]

    with pytest.raises(ParameterError, match="expected one of adx"):
        indicator_series("rsi2", close)
    with pytest.raises(ParameterError, match="'days'"):
        indicator_series("rsi", close, days=3)
    for period in (1, 2.5, 100_001):
        with pytest.raises(ParameterError, match="whole bars"):
            indicator_series("rsi", close, period=period)
    with pytest.raises(ParameterError, match="fast"):
        indicator_series("macd", close, fast=30)
    with pytest.raises(ParameterError, match="width"):
        indicator_series("bollinger", close, width=-1.0)
