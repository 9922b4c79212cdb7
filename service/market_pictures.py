"""What the page of the market draws for one series: the last year of closes with marks, regimes and indicator lines."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..quant.errors import QuantError
from ..quant.indicator_series import indicator_series
from ..tools.bars import Bars
from ..tools.charting import patterns_of
from ..tools.errors import NotEnoughData
from ..tools.ledger import figure
from ..tools.regime_history import regime_walk
from ..tools.scene import FloatArray, Scene

PICTURE_BARS = 252
Line = list[float | None]


@dataclass(frozen=True, slots=True)
class Mark:
    """A chart pattern on the picture: its row, its side and the close that completed it."""

    row: int
    side: int
    price: float


@dataclass(frozen=True, slots=True)
class Picture:
    """(n_rows,) each, oldest first; `regimes` is empty where there are too few years to fit any."""

    name: str
    days: list[str]
    lines: Mapping[str, Line]
    marks: tuple[Mark, ...]
    regimes: tuple[str, ...]
    panels: Mapping[str, Mapping[str, Line]]


def picture_of(scene: Scene, bars: Bars) -> Picture:
    """The last 252 bars of a series; whatever its data cannot give is left out."""
    n_bars = len(bars.close)
    first = max(0, n_bars - PICTURE_BARS)
    bands = _lines(bars, "bollinger", first)
    price = {"Close": _shown(bars.close, first)}
    if bands:
        price |= {"Bollinger band": bands["upper"], "and its lower side": bands["lower"]}
    panels = {name: _lines(bars, name, first) for name in ("rsi", "macd", "adx", "atr", "mfi")}
    return Picture(
        bars.name,
        [bars.day(bar) for bar in range(first, n_bars)],
        price,
        _marks(bars, first),
        _regimes(scene, bars, first),
        {name: lines for name, lines in panels.items() if lines},
    )


def _lines(bars: Bars, name: str, first: int) -> dict[str, Line]:
    try:
        found = indicator_series(name, bars.close, high=bars.high, low=bars.low, volume=bars.volume)
    except QuantError:
        return {}
    lines = {key: _shown(line, first) for key, line in found.items()}
    return lines if all(any(value is not None for value in line) for line in lines.values()) else {}


def _marks(bars: Bars, first: int) -> tuple[Mark, ...]:
    try:
        found = patterns_of(bars)
    except QuantError:
        return ()
    return tuple(
        Mark(each.known_at - first, each.side, figure(float(bars.close[each.known_at])))
        for each in found
        if each.known_at >= first
    )


def _regimes(scene: Scene, bars: Bars, first: int) -> tuple[str, ...]:
    try:
        walk = regime_walk(scene, bars)
    except (QuantError, NotEnoughData):
        return ()
    start = first - walk.first_bar
    return tuple(walk.labels[start:]) if start >= 0 else ("unknown",) * -start + tuple(walk.labels)


def _shown(line: FloatArray, first: int) -> Line:
    return [figure(float(value)) if np.isfinite(value) else None for value in line[first:]]
