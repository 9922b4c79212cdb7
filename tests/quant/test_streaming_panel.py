"""Streaming indicators of many symbols: each column equals the one-symbol stream and TA-Lib's batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.market.datasets import load_data
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.streaming import StreamingBollinger, StreamingEma, StreamingMacd, StreamingRsi
from parley.quant.streaming_panel import AtrPanel, BollingerPanel, EmaPanel, MacdPanel, RsiPanel
from parley.quant.streaming_range import StreamingAtr

PANELS: dict[str, tuple[Callable[[int], Any], Callable[[], Any]]] = {
    "ema": (lambda n: EmaPanel(n, 10), lambda: StreamingEma(10)),
    "rsi": (RsiPanel, StreamingRsi),
    "macd": (MacdPanel, StreamingMacd),
    "bollinger": (BollingerPanel, StreamingBollinger),
}


def _walks(seed: int, n_rows: int, n_symbols: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, (n_rows, n_symbols)), axis=0))


def test_every_symbol_of_the_panel_equals_talibs_batch_on_recorded_closes() -> None:
    closes = load_data("us20").panel.close[:2000]
    n_symbols = closes.shape[1]
    panels = {name: build(n_symbols) for name, (build, _) in PANELS.items()}

    streamed = {name: np.array([panel.update(row) for row in closes]) for name, panel in panels.items()}

    for at in range(n_symbols):
        close = np.ascontiguousarray(closes[:, at])
        batch = {
            "ema": talib.EMA(close, 10),
            # One stock of 1990 stood still for its first 15 days, where TA-Lib says 0 and we say NaN.
            "rsi": np.where(np.logical_or.accumulate(close != close[0]), talib.RSI(close, 14), np.nan),
            "macd": np.array(talib.MACD(close, 12, 26, 9)).T,
            "bollinger": np.array(talib.BBANDS(close, 20, 2.0, 2.0)).T,
        }
        for name, expected in batch.items():
            np.testing.assert_allclose(streamed[name][..., at], expected, rtol=0.0, atol=1e-9, err_msg=name)


def test_the_atr_of_every_symbol_equals_talibs_batch_on_recorded_bars() -> None:
    panel = load_data("us5").panel
    assert panel.high is not None and panel.low is not None
    bars = [each[-190:] for each in (panel.high, panel.low, panel.close)]
    atr = AtrPanel(5)

    streamed = np.array([atr.update(*row) for row in zip(*bars, strict=True)])

    for at in range(5):
        high, low, close = (np.ascontiguousarray(each[:, at]) for each in bars)
        np.testing.assert_allclose(streamed[:, at], talib.ATR(high, low, close, 14), rtol=0.0, atol=1e-9)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_a_column_of_the_panel_is_the_stream_of_that_symbol(seed: int, n_symbols: int) -> None:
    closes = _walks(seed, 60, n_symbols)

    for name, (build, build_one) in PANELS.items():
        panel, streams = build(n_symbols), [build_one() for _ in range(n_symbols)]
        for row in closes:
            ours = panel.update(row)
            theirs = np.array([one.update(price) for one, price in zip(streams, row.tolist(), strict=True)]).T
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9, err_msg=name)


def test_the_atr_panel_is_the_stream_of_each_symbol() -> None:
    closes = _walks(3, 60, 3)
    panel, streams = AtrPanel(3, 5), [StreamingAtr(5) for _ in range(3)]
    for row in closes:
        ours = panel.update(row * 1.01, row * 0.98, row)
        theirs = [one.update(p * 1.01, p * 0.98, p) for one, p in zip(streams, row, strict=True)]
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize("name", PANELS)
def test_what_was_handed_out_and_what_was_handed_in_stay_the_callers(name: str) -> None:
    build = PANELS[name][0]
    closes = _walks(4, 60, 3)
    fresh, reused, buffer = build(3), build(3), np.empty(3)
    outputs, copies = [], []
    for row in closes:
        expected = fresh.update(row)
        buffer[:] = row
        outputs.append(reused.update(buffer))
        copies.append(outputs[-1].copy())
        assert np.array_equal(outputs[-1], expected, equal_nan=True)
        buffer[:] = -1.0

    assert all(np.array_equal(one, other, equal_nan=True) for one, other in zip(outputs, copies, strict=True))


@pytest.mark.parametrize("name", PANELS)
def test_a_bad_row_is_refused_and_leaves_the_state_as_it_was(name: str) -> None:
    build = PANELS[name][0]
    disturbed, calm = build(2), build(2)
    for row in _walks(5, 60, 2):
        expected = calm.update(row)
        for bad in (np.nan, np.inf, 0.0):
            with pytest.raises(SampleError, match="prices"):
                disturbed.update([bad, row[1]])
        with pytest.raises(ShapeError):
            disturbed.update(row[:1])
        assert np.array_equal(disturbed.update(row), expected, equal_nan=True)


def test_a_symbol_that_never_moved_has_no_rsi_while_the_others_have() -> None:
    closes = _walks(6, 30, 2)
    closes[:, 0] = 7.3
    rsi = RsiPanel(2)
    values = [rsi.update(row) for row in closes][-1]

    assert np.isnan(values[0]) and 0.0 <= values[1] <= 100.0


def test_impossible_panels_and_bars_are_refused() -> None:
    with pytest.raises(ParameterError, match="n_symbols"):
        RsiPanel(0)
    with pytest.raises(ParameterError, match="fast"):
        MacdPanel(3, 26, 12)
    with pytest.raises(ParameterError, match="period"):
        BollingerPanel(3, 1)
    with pytest.raises(SampleError, match="outside"):
        AtrPanel(1).update([2.0], [1.0], [3.0])
