"""Candlestick patterns: textbook candles by hand, TA-Lib's own answers, causality and bad bars."""

from __future__ import annotations

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.market.datasets import load_data
from parley.quant.candles import candlestick_names, candlestick_table
from parley.quant.errors import ParameterError, SampleError, ShapeError


def _bars(seed: int, n: int = 200) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.015, n)))
    opened = close * (1.0 + rng.normal(0.0, 0.01, n))
    high = np.maximum(opened, close) * (1.0 + rng.uniform(0.0, 0.01, n))
    low = np.minimum(opened, close) * (1.0 - rng.uniform(0.0, 0.01, n))
    return opened, high, low, close


def test_there_are_sixty_one_patterns() -> None:
    names = candlestick_names()

    assert len(names) == 61
    assert {"hammer", "engulfing", "morningstar", "doji", "3whitesoldiers"} <= set(names)


def test_a_bullish_engulfing_candle_is_found_on_its_own_bar() -> None:
    # Nison (1991): after a fall a white body swallows the black body before it.
    opened = np.append(np.linspace(120.0, 101.0, 20), 99.0)
    close = np.append(np.linspace(119.0, 100.0, 20), 102.0)
    high, low = np.maximum(opened, close) + 0.2, np.minimum(opened, close) - 0.2

    names, table = candlestick_table(opened, high, low, close, names=("engulfing",))

    assert names == ("engulfing",)
    assert table[:, 0].tolist() == [0] * 20 + [100]


def test_recorded_bars_give_the_sign_of_talibs_answers() -> None:
    panel = load_data("us5").panel
    assert panel.open is not None and panel.high is not None and panel.low is not None
    bars = [np.ascontiguousarray(each[-180:, 0]) for each in (panel.open, panel.high, panel.low, panel.close)]

    names, table = candlestick_table(*bars)

    assert set(np.unique(table)) == {-100, 0, 100}
    for column, name in enumerate(names):
        raw = getattr(talib, "CDL" + name.upper())(*bars)
        np.testing.assert_array_equal(table[:, column], np.clip(raw, -100, 100))


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**32 - 1), st.integers(1, 199))
def test_a_row_never_depends_on_later_rows(seed: int, n_bars: int) -> None:
    bars = _bars(seed)

    _, known = candlestick_table(*(each[:n_bars] for each in bars))
    _, later = candlestick_table(*bars)

    np.testing.assert_array_equal(known, later[:n_bars])


def test_bad_bars_and_unknown_patterns_are_refused() -> None:
    opened, high, low, close = _bars(1)

    with pytest.raises(ParameterError, match="'cup'"):
        candlestick_table(opened, high, low, close, names=("cup",))
    with pytest.raises(SampleError, match="bar 0"):
        candlestick_table(high * 1.1, high, low, close)
    with pytest.raises(SampleError, match="bar 0"):
        candlestick_table(opened, high, low * 1.1, close)
    with pytest.raises(SampleError, match="NaN"):
        candlestick_table(opened, high, low, np.where(close == close[3], np.nan, close))
    with pytest.raises(ShapeError, match="one length"):
        candlestick_table(opened[1:], high, low, close)
