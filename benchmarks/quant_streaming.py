"""Streaming indicators against `talib.stream`: microseconds per update, one symbol and a thousand at once.

Run alone: ``python benchmarks/quant_streaming.py``. Times are CPU milliseconds per update (best of several);
for the panels ours is per symbol. talipp is not a dependency, so its figures cannot be measured here; on an
earlier two-core machine its ``add()`` took 1.19 (RSI), 4.40 (MACD) and 4.99 microseconds (Bollinger).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from time import process_time
from typing import Any, TypedDict

import numpy as np
from parley.quant.streaming import StreamingBollinger, StreamingMacd, StreamingRsi
from parley.quant.streaming_panel import AtrPanel, BollingerPanel, EmaPanel, MacdPanel, RsiPanel

N_UPDATES = 20_000
N_SYMBOLS = 1000
N_ROWS = 300
WINDOW = 250


class Row(TypedDict):
    name: str
    ours_ms: float
    peer_ms: float
    peer: str
    ratio: float
    goal: str


def rows() -> list[Row]:
    """One row per indicator: ours, the peer on the same prices, and how many times ours is faster."""
    return [*_one_symbol(), *_many_symbols()]


def _one_symbol() -> list[Row]:
    from talib import stream

    closes = _walk(N_UPDATES, 1)[:, 0]
    prices, window = closes.tolist(), np.ascontiguousarray(closes[:WINDOW])
    cases: list[tuple[str, Callable[[], Any], Callable[[], object], str]] = [
        ("RSI 14", StreamingRsi, lambda: stream.RSI(window, 14), ">= 2.5x"),
        ("MACD 12 26 9", StreamingMacd, lambda: stream.MACD(window, 12, 26, 9), ">= 2.5x"),
        ("Bollinger 20", StreamingBollinger, lambda: stream.BBANDS(window, 20, 2.0, 2.0), ">= 2.5x"),
    ]
    found: list[Row] = []
    for name, build, peer, goal in cases:
        ours_ms = _best_ms(lambda build=build: _feed(build(), prices), N_UPDATES)
        peer_ms = _best_ms(lambda peer=peer: [peer() for _ in range(2000)], 2000)
        found.append(_row(name, ours_ms, peer_ms, f"talib.stream on {WINDOW} bars", goal))
    return found


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
        ours_ms = _best_ms(lambda build=build, bars=bars: _feed_rows(build(), bars), N_ROWS * N_SYMBOLS)
        peer_ms = _best_ms(lambda peer=peer: [peer() for _ in range(2000)], 2000)
        found.append(
            _row(f"{name}, {N_SYMBOLS} symbols", ours_ms, peer_ms, f"talib.stream on {WINDOW} bars", "<= 0.0001 ms")
        )
    return found


def _feed(indicator: Any, prices: list[float]) -> None:
    update = indicator.update
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


def _best_ms(run: Callable[[], object], n_updates: int, n_rounds: int = 5) -> float:
    best = float("inf")
    for _ in range(n_rounds):
        start = process_time()
        run()
        best = min(best, process_time() - start)
    return 1000.0 * best / n_updates


def _walk(n_rows: int, n_symbols: int) -> np.ndarray:
    rng = np.random.default_rng(20)
    return 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, (n_rows, n_symbols)), axis=0))


if __name__ == "__main__":
    for row in rows():
        print(json.dumps(row))
