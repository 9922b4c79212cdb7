"""Indicators: against TA-Lib's own batch output, Wilder's arithmetic by hand, and every kind of gap."""

from __future__ import annotations

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import SampleError, ShapeError
from parley.quant.indicators import technical_table

ALWAYS = {
    "sma_50",
    "sma_200",
    "roc_21",
    "bollinger_pct_b",
    "rsi_14",
    "macd",
    "macd_signal",
    "macd_hist",
}
RANGED = {"atr_14", "adx_14", "plus_di", "minus_di", "stoch_k", "stoch_d"}


def _bars(seed: int, n_days: int = 260, n_names: int = 4) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.015, (n_days, n_names)), axis=0))
    high = close * (1.0 + rng.uniform(0.0, 0.02, close.shape))
    low = close * (1.0 - rng.uniform(0.0, 0.02, close.shape))
    return close, high, low, np.round(rng.uniform(1e5, 1e6, close.shape))


def test_every_indicator_is_the_last_value_of_talibs_batch() -> None:
    bars = _bars(1)

    table = technical_table(*bars)

    for name in range(4):
        close, high, low, volume = (np.ascontiguousarray(each[:, name]) for each in bars)
        upper, _, lower = talib.BBANDS(close, 20, 2.0, 2.0)
        macd = talib.MACD(close)
        stochastic = talib.STOCH(high, low, close, fastk_period=14, slowk_period=3, slowd_period=3)
        expected = {
            "sma_50": talib.SMA(close, 50),
            "sma_200": talib.SMA(close, 200),
            "roc_21": talib.ROC(close, 21) / 100.0,
            "bollinger_pct_b": (close - lower) / (upper - lower),
            "rsi_14": talib.RSI(close, 14),
            "macd": macd[0],
            "macd_signal": macd[1],
            "macd_hist": macd[2],
            "atr_14": talib.ATR(high, low, close, 14),
            "adx_14": talib.ADX(high, low, close, 14),
            "plus_di": talib.PLUS_DI(high, low, close, 14),
            "minus_di": talib.MINUS_DI(high, low, close, 14),
            "stoch_k": stochastic[0],
            "stoch_d": stochastic[1],
            "obv": talib.OBV(close, volume),
        }
        for key, series in expected.items():
            assert table[key][name] == pytest.approx(series[-1], rel=1e-8, abs=1e-8), key


def test_rsi_is_wilders_smoothed_ratio_by_hand() -> None:
    # Wilder (1978), section VI: first averages over 14 moves, then (13 * average + move) / 14.
    close = _bars(2, 60, 1)[0]
    moves = np.diff(close[:, 0])
    gain, loss = np.maximum(moves, 0.0), np.maximum(-moves, 0.0)
    up, down = gain[:14].mean(), loss[:14].mean()
    for g, d in zip(gain[14:], loss[14:], strict=True):
        up, down = (13.0 * up + g) / 14.0, (13.0 * down + d) / 14.0

    assert technical_table(close)["rsi_14"][0] == pytest.approx(100.0 * up / (up + down), rel=1e-10)


def test_vwap_is_value_over_volume_of_the_typical_price() -> None:
    close, high, low, volume = _bars(3)

    table = technical_table(close, high, low, volume)

    typical = ((close + high + low) / 3.0)[-20:]
    np.testing.assert_allclose(table["vwap_20"], np.average(typical, axis=0, weights=volume[-20:]), rtol=1e-12)


def test_the_keys_follow_from_the_inputs() -> None:
    close, high, low, volume = _bars(4)

    assert set(technical_table(close)) == ALWAYS
    assert set(technical_table(close, high, low)) == ALWAYS | RANGED
    assert set(technical_table(close, volume=volume)) == ALWAYS | {"obv", "vwap_20"}


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(40, 259))
def test_what_comes_after_the_last_row_changes_nothing(seed: int, n_days: int) -> None:
    bars = _bars(seed)
    spoiled = tuple(np.vstack([each[:n_days], each[n_days:] * 3.0]) for each in bars)

    before = technical_table(*(each[:n_days] for each in bars))
    after = technical_table(*(each[:n_days] for each in spoiled))

    assert {key: each.tobytes() for key, each in before.items()} == {key: each.tobytes() for key, each in after.items()}


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.permutations(range(4)), st.floats(0.01, 100.0))
def test_names_are_independent_and_ratios_ignore_the_unit_of_price(seed: int, order: list[int], unit: float) -> None:
    bars = _bars(seed)
    table = technical_table(*bars)

    moved = technical_table(*(each[:, order] for each in bars))
    rescaled = technical_table(*(each * unit for each in bars[:3]))

    for key, values in table.items():
        np.testing.assert_allclose(moved[key], values[order], rtol=1e-10)
    for key in ("rsi_14", "adx_14", "stoch_k", "bollinger_pct_b", "roc_21"):
        np.testing.assert_allclose(rescaled[key], table[key], rtol=1e-7, atol=1e-7)


def test_too_short_a_history_is_nan_and_never_an_invented_number() -> None:
    close, high, low, volume = _bars(5, 10)

    table = technical_table(close, high, low, volume)

    assert {key for key, values in table.items() if np.isfinite(values).all()} == {"obv"}


def test_leading_gaps_are_skipped_and_inner_gaps_are_nan() -> None:
    close, high, low, volume = _bars(6)
    young, broken = close.copy(), close.copy()
    young[:100, 0] = np.nan
    broken[100, 0] = np.nan

    listed = technical_table(young, high, low, volume)
    holed = technical_table(broken, high, low, volume)

    alone = technical_table(close[100:, :1], high[100:, :1], low[100:, :1], volume[100:, :1])
    for key in ("rsi_14", "macd", "adx_14", "stoch_k", "sma_50", "obv"):
        assert listed[key][0] == pytest.approx(alone[key][0], rel=1e-12)
    assert np.isnan(listed["sma_200"][0])
    # TA-Lib itself would answer an RSI of 0 here.
    for key in ("rsi_14", "macd", "atr_14", "adx_14", "obv", "sma_200"):
        assert np.isnan(holed[key][0])
        assert np.isfinite(holed[key][1:]).all()


def test_a_price_that_never_moves_has_no_oscillator() -> None:
    flat = np.full((260, 1), 7.3)

    table = technical_table(flat, flat, flat, np.zeros_like(flat))

    for key in ("rsi_14", "bollinger_pct_b", "adx_14", "plus_di", "stoch_k", "vwap_20"):
        assert np.isnan(table[key][0]), key
    assert table["atr_14"][0] == 0.0
    assert table["sma_200"][0] == pytest.approx(7.3)


def test_impossible_prices_and_shapes_are_refused() -> None:
    close, high, low, volume = _bars(7)

    with pytest.raises(SampleError, match="above 0"):
        technical_table(np.where(close == close[3, 0], 0.0, close))
    with pytest.raises(SampleError, match="inf"):
        technical_table(close, volume=np.where(volume == volume[0, 0], np.inf, volume))
    with pytest.raises(SampleError, match="volume"):
        technical_table(close, volume=-volume)
    with pytest.raises(ShapeError, match="only one"):
        technical_table(close, high)
    with pytest.raises(ShapeError):
        technical_table(close, high[1:], low[1:])
    with pytest.raises(ShapeError):
        technical_table(close[:, 0])
