"""Streaming indicators of one symbol: against TA-Lib's batch on recorded prices, by hand, and on bad ticks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.market.datasets import load_data
from parley.quant.errors import ParameterError, SampleError
from parley.quant.streaming import (
    StreamingBollinger,
    StreamingEma,
    StreamingMacd,
    StreamingObv,
    StreamingRoc,
    StreamingRsi,
    StreamingSma,
)
from parley.quant.streaming_range import StreamingAdx, StreamingAtr, StreamingStochastic


class Stream(Protocol):
    @property
    def update(self) -> Callable[..., Any]: ...


CLOSE_ONLY: dict[str, tuple[Callable[[], Stream], Callable[[np.ndarray], object]]] = {
    "sma": (lambda: StreamingSma(50), lambda close: talib.SMA(close, 50)),
    "ema": (lambda: StreamingEma(30), lambda close: talib.EMA(close, 30)),
    "rsi": (StreamingRsi, lambda close: talib.RSI(close, 14)),
    "macd": (StreamingMacd, lambda close: talib.MACD(close, 12, 26, 9)),
    "bollinger": (StreamingBollinger, lambda close: talib.BBANDS(close, 20, 2.0, 2.0)),
    "roc": (lambda: StreamingRoc(21), lambda close: talib.ROCP(close, 21)),
}
RANGED: dict[str, tuple[Callable[[], Stream], Callable[..., object]]] = {
    "atr": (StreamingAtr, lambda h, lo, c: talib.ATR(h, lo, c, 14)),
    "adx": (
        StreamingAdx,
        lambda h, lo, c: (talib.ADX(h, lo, c, 14), talib.PLUS_DI(h, lo, c, 14), talib.MINUS_DI(h, lo, c, 14)),
    ),
    "stochastic": (StreamingStochastic, lambda h, lo, c: talib.STOCH(h, lo, c, 14, 3, talib.MA_Type.SMA, 3)),
}


@pytest.fixture(scope="module")
def us20_closes() -> np.ndarray:
    """(8313, 20) adjusted closes 1990-2022, shipped with skfolio."""
    return load_data("us20").panel.close


@pytest.fixture(scope="module")
def us5_bars() -> list[tuple[np.ndarray, ...]]:
    """(high, low, close, volume) of five stocks 2000-2013, shipped with bokeh-sampledata, without their gaps."""
    panel = load_data("us5").panel
    assert panel.high is not None and panel.low is not None and panel.volume is not None
    bars = []
    for at in range(panel.close.shape[1]):
        columns = [each[:, at] for each in (panel.high, panel.low, panel.close, panel.volume)]
        traded = np.logical_and.reduce([np.isfinite(each) for each in columns])
        bars.append(tuple(np.ascontiguousarray(each[traded]) for each in columns))
    return bars


def _stream(indicator: Stream, *columns: np.ndarray) -> np.ndarray:
    return np.array([indicator.update(*row) for row in zip(*(each.tolist() for each in columns), strict=True)]).T


def _walk(seed: int, n: int = 200) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    close = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, n)))
    return close * (1.0 + rng.uniform(0.0, 0.02, n)), close * (1.0 - rng.uniform(0.0, 0.02, n)), close


@pytest.mark.parametrize("name", CLOSE_ONLY)
def test_streams_of_closes_equal_talibs_batch_on_thirty_three_years_of_stocks(
    name: str, us20_closes: np.ndarray
) -> None:
    build, batch = CLOSE_ONLY[name]

    for at in (0, 7, 19):
        close = np.ascontiguousarray(us20_closes[:, at])
        # Equal NaN and 1e-9 of the price (or of the 0-100 scale): the warm-up must agree as well.
        np.testing.assert_allclose(_stream(build(), close), np.array(batch(close)), rtol=0.0, atol=1e-9)


@pytest.mark.parametrize("name", RANGED)
def test_streams_of_bars_equal_talibs_batch_on_recorded_bars(name: str, us5_bars: list[tuple[np.ndarray, ...]]) -> None:
    build, batch = RANGED[name]

    for high, low, close, _ in us5_bars:
        streamed = _stream(build(), high, low, close)
        np.testing.assert_allclose(streamed, np.array(batch(high, low, close)), rtol=0.0, atol=1e-9)


def test_on_balance_volume_equals_talibs_batch_on_recorded_bars(us5_bars: list[tuple[np.ndarray, ...]]) -> None:
    for _, _, close, volume in us5_bars:
        np.testing.assert_allclose(_stream(StreamingObv(), close, volume), talib.OBV(close, volume), rtol=1e-12)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(2, 30))
def test_any_period_equals_talibs_batch_on_random_walks(seed: int, period: int) -> None:
    high, low, close = _walk(seed)

    pairs = [
        (_stream(StreamingRsi(period), close), talib.RSI(close, period)),
        (_stream(StreamingEma(period), close), talib.EMA(close, period)),
        (_stream(StreamingBollinger(period, 1.5), close), talib.BBANDS(close, period, 1.5, 1.5)),
        (_stream(StreamingMacd(period, period + 7, 4), close), talib.MACD(close, period, period + 7, 4)),
        (_stream(StreamingAtr(period), high, low, close), talib.ATR(high, low, close, period)),
        (_stream(StreamingAdx(period), high, low, close)[0], talib.ADX(high, low, close, period)),
        (
            _stream(StreamingStochastic(period, 2, 4), high, low, close),
            talib.STOCH(high, low, close, period, 2, talib.MA_Type.SMA, 4),
        ),
    ]

    for streamed, batch in pairs:
        np.testing.assert_allclose(streamed, np.array(batch), rtol=0.0, atol=1e-8)


def test_rsi_of_three_moves_by_hand() -> None:
    # Wilder (1978), section VI, with 2 bars: averages of +2 and -1, then halved and joined by +3.
    rsi = StreamingRsi(2)

    values = [rsi.update(price) for price in (10.0, 12.0, 11.0, 14.0)]

    assert [math.isnan(value) for value in values] == [True, True, False, False]
    assert values[2:] == pytest.approx([100.0 * 1.0 / 1.5, 100.0 * 2.0 / 2.25])


def test_a_hundred_thousand_updates_leave_no_drift_in_window_sums() -> None:
    # A crash by ten orders of magnitude leaves its rounding in a running sum; a fresh sum a window later has none.
    rng = np.random.default_rng(5)
    prices = np.concatenate((rng.uniform(1e9, 2e9, 100_000), rng.uniform(0.1, 0.2, 60)))
    sma, bollinger = StreamingSma(20), StreamingBollinger(20)
    means = [sma.update(price) for price in prices.tolist()]
    bands = [bollinger.update(price) for price in prices.tolist()]

    window = prices[-20:]
    assert means[-1] == pytest.approx(window.mean(), rel=1e-14)
    assert bands[-1] == pytest.approx(
        (window.mean() + 2.0 * window.std(), window.mean(), window.mean() - 2.0 * window.std()), rel=1e-13
    )


def test_a_price_that_never_moved_has_no_rsi_and_no_direction() -> None:
    rsi, adx, stochastic = StreamingRsi(3), StreamingAdx(3), StreamingStochastic(3)
    for _ in range(20):
        assert math.isnan(rsi.update(7.3))
        assert all(math.isnan(value) for value in adx.update(7.3, 7.3, 7.3))
        assert all(math.isnan(value) for value in stochastic.update(7.3, 7.3, 7.3))

    assert rsi.update(7.4) == 100.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0.0, -1.0])
@pytest.mark.parametrize("name", ["rsi", "macd", "bollinger", "roc"])
def test_a_bad_price_is_refused_and_leaves_the_state_as_it_was(name: str, bad: float) -> None:
    build = CLOSE_ONLY[name][0]
    disturbed, calm = build(), build()
    for price in _walk(1)[2].tolist():
        expected = calm.update(price)
        with pytest.raises(SampleError, match="price"):
            disturbed.update(bad)
        assert np.array_equal(disturbed.update(price), expected, equal_nan=True)


@pytest.mark.parametrize("stream", [StreamingAtr(), StreamingAdx(), StreamingStochastic()])
@pytest.mark.parametrize("bar", [(9.0, 10.0, 9.5), (10.0, 9.0, 11.0), (10.0, -1.0, 5.0), (10.0, 9.0, math.nan)])
def test_an_impossible_bar_is_refused(stream: Stream, bar: tuple[float, float, float]) -> None:
    with pytest.raises(SampleError, match="expected 0 < low"):
        stream.update(*bar)


def test_a_nan_mean_input_and_a_negative_volume_are_refused() -> None:
    with pytest.raises(SampleError, match="value"):
        StreamingSma(3).update(math.nan)
    with pytest.raises(SampleError, match="value"):
        StreamingEma(3).update(math.inf)
    with pytest.raises(SampleError, match="volume"):
        StreamingObv().update(1.0, -1.0)


def test_periods_out_of_range_are_refused() -> None:
    for build in (StreamingSma, StreamingEma, StreamingRoc, StreamingStochastic):
        with pytest.raises(ParameterError, match="period"):
            build(0)
    for build in (StreamingRsi, StreamingBollinger, StreamingAtr, StreamingAdx):
        with pytest.raises(ParameterError, match="period"):
            build(1)
    with pytest.raises(ParameterError, match="fast"):
        StreamingMacd(26, 12)
    with pytest.raises(ParameterError, match="width"):
        StreamingBollinger(20, 0.0)
