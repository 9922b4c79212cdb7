"""Streaming indicators against talipp and `talib.stream`: milliseconds of CPU per update, one symbol and a thousand.

Run alone: ``python benchmarks/quant_streaming.py``. Figures are medians of rounds in which ours and the peers take
turns on the same prices; for the panels ours is per symbol.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any, TypedDict

import numpy as np
from parley.quant.streaming import StreamingBollinger, StreamingMacd, StreamingRsi
from parley.quant.streaming_panel import AtrPanel, BollingerPanel, EmaPanel, MacdPanel, RsiPanel

N_UPDATES = 20_000
N_SYMBOLS = 1000
N_ROWS = 300
WINDOW = 250
N_CALLS = 2000


class Row(TypedDict):
    name: str
    ours_ms: float
    peer_ms: float
    peer: str
    ratio: float
    goal: str


def rows() -> list[Row]:
    """One row per indicator and peer: ours, the peer on the same prices, and how many times ours is faster."""
    return [*_one_symbol(), *_many_symbols()]


def _one_symbol() -> list[Row]:
    from talib import stream
    from talipp.indicators import BB, MACD, RSI

    closes = _walk(N_UPDATES, 1)[:, 0]
    prices, window = closes.tolist(), np.ascontiguousarray(closes[:WINDOW])
    cases: list[tuple[str, Callable[[], Any], Callable[[], Any], Callable[[], object], str]] = [
        ("RSI 14", StreamingRsi, lambda: RSI(14), lambda: stream.RSI(window, 14), ">= 2.5x"),
        ("MACD 12 26 9", StreamingMacd, lambda: MACD(12, 26, 9), lambda: stream.MACD(window, 12, 26, 9), ">= 8x"),
        ("Bollinger 20", StreamingBollinger, lambda: BB(20, 2.0), lambda: stream.BBANDS(window, 20, 2.0, 2.0), ">= 5x"),
    ]
    found: list[Row] = []
    for name, build, build_peer, batch, goal in cases:
        _check_equal(build(), build_peer(), prices[:500])
        ours_ms, talipp_ms, talib_ms = _median_ms(
            (lambda build=build: _feed(build().update, prices), N_UPDATES),
            (lambda build_peer=build_peer: _feed(build_peer().add, prices), N_UPDATES),
            (lambda batch=batch: [batch() for _ in range(N_CALLS)], N_CALLS),
        )
        found.append(_row(name, ours_ms, talipp_ms, "talipp add()", goal))
        found.append(_row(name, ours_ms, talib_ms, f"talib.stream on {WINDOW} bars", ">= 2.5x"))
    return found


def _check_equal(ours: Any, peer: Any, prices: list[float]) -> None:
    """Both after the same prices: a fast wrong answer is no answer."""
    for price in prices:
        mine = ours.update(price)
        peer.add(price)
    theirs = peer[-1]
    if isinstance(mine, tuple):
        names = ("ub", "cb", "lb") if hasattr(theirs, "ub") else ("macd", "signal", "histogram")
        theirs = tuple(getattr(theirs, name) for name in names)
    np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=1e-9)


def _many_symbols() -> list[Row]:
    from talib import stream

    closes = _walk(N_ROWS, N_SYMBOLS)
    window = np.ascontiguousarray(closes[-WINDOW:, 0])
    cases: list[tuple[str, Callable[[], Any], Callable[[], object], int]] = [
        ("EMA 20", lambda: EmaPanel(N_SYMBOLS, 20), lambda: stream.EMA(window, 20), 1),
        ("RSI 14", lambda: RsiPanel(N_SYMBOLS), lambda: stream.RSI(window, 14), 1),
        ("MACD 12 26 9", lambda: MacdPanel(N_SYMBOLS), lambda: stream.MACD(window, 12, 26, 9), 1),
        ("Bollinger 20", lambda: BollingerPanel(N_SYMBOLS), lambda: stream.BBANDS(window, 20, 2.0, 2.0), 1),
        ("ATR 14", lambda: AtrPanel(N_SYMBOLS), lambda: stream.ATR(window, window, window, 14), 3),
    ]
    found: list[Row] = []
    for name, build, peer, n_inputs in cases:
        bars = [[row] * n_inputs for row in closes]
        ours_ms, peer_ms = _median_ms(
            (lambda build=build, bars=bars: _feed_rows(build(), bars), N_ROWS * N_SYMBOLS),
            (lambda peer=peer: [peer() for _ in range(N_CALLS)], N_CALLS),
        )
        found.append(
            _row(f"{name}, {N_SYMBOLS} symbols", ours_ms, peer_ms, f"talib.stream on {WINDOW} bars", "<= 0.0001 ms")
        )
    return found


def _feed(update: Callable[[float], object], prices: list[float]) -> None:
    for price in prices:
        update(price)


def _feed_rows(panel: Any, bars: list[list[np.ndarray]]) -> None:
    update = panel.update
    for columns in bars:
        update(*columns)


def _row(name: str, ours_ms: float, peer_ms: float, peer: str, goal: str) -> Row:
    return {
        "name": name,
        "ours_ms": ours_ms,
        "peer_ms": peer_ms,
        "peer": peer,
        "ratio": peer_ms / ours_ms,
        "goal": goal,
    }


def _median_ms(*contestants: tuple[Callable[[], object], int], n_rounds: int = 7) -> list[float]:
    """Median CPU time of one update; a contestant is a run and how many updates it makes."""
    times: list[list[float]] = [[] for _ in contestants]
    for _ in range(n_rounds):
        for own, (run, n_updates) in zip(times, contestants, strict=True):
            start = process_time()
            run()
            own.append(1000.0 * (process_time() - start) / n_updates)
    return [median(own) for own in times]


def _walk(n_rows: int, n_symbols: int) -> np.ndarray:
    rng = np.random.default_rng(20)
    return 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, (n_rows, n_symbols)), axis=0))


if __name__ == "__main__":
    for row in rows():
        print(json.dumps(row))
