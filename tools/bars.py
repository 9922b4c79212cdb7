"""The bars of one series as chart tools read them: a symbol's, or the market's levels, up to a moment."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..market.history import MarketView
from ..market.panel import TimeArray
from .errors import NotEnoughData
from .estimators import market_series
from .scene import FloatArray

MIN_BARS = 64
MARKET = "market"


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """(n_bars,) each, oldest first, without a gap; a field the source lacks, or lacks on some day, is None."""

    name: str
    sessions: TimeArray
    close: FloatArray
    open: FloatArray | None = None
    high: FloatArray | None = None
    low: FloatArray | None = None
    volume: FloatArray | None = None

    @property
    def returns(self) -> FloatArray:
        """(n_bars - 1,) simple returns; entry k ends at bar k + 1."""
        return self.close[1:] / self.close[:-1] - 1.0

    @property
    def missing(self) -> tuple[str, ...]:
        """The fields this series has not."""
        fields = (("open", self.open), ("high", self.high), ("low", self.low), ("volume", self.volume))
        return tuple(name for name, values in fields if values is None)

    def day(self, bar: int) -> str:
        """The session of a bar, as YYYY-MM-DD."""
        return str(self.sessions[bar])

    def range(self) -> tuple[FloatArray, FloatArray]:
        """Highs and lows; the closes themselves where the source has no range."""
        return (self.close, self.close) if self.high is None or self.low is None else (self.high, self.low)


def symbol_bars(view: MarketView, symbol: str) -> Bars:
    """Every bar a symbol has up to `view.as_of`; sessions without one are left out.

    Raises UnknownSymbol, and NotEnoughData for fewer than 64 bars.
    """
    view.last_close(symbol)  # names the symbols there are when this is not one of them
    column = view.symbols.index(symbol)
    present = np.flatnonzero(np.isfinite(view.close[:, column]))
    fields = {
        name: _whole(array, present, column)
        for name, array in (("open", view.open), ("high", view.high), ("low", view.low), ("volume", view.volume))
    }
    return _checked(Bars(symbol, view.sessions[present], view.close[present, column], **fields))


def market_bars(view: MarketView) -> Bars:
    """The market's level: the benchmark's own, or where it has gaps, one grown by the names' mean returns from 100."""
    levels = view.benchmark
    if levels is not None and np.isfinite(levels).all():
        # A name of the universe may be called like the index: their bars, and their evidence, stay apart.
        named = view.benchmark_name if view.benchmark_name not in view.symbols else None
        return _checked(Bars(named or MARKET, view.sessions, levels))
    returns = market_series(view)
    grown = np.full(len(view.sessions), 100.0)
    grown[1:] *= np.cumprod(1.0 + returns)
    return _checked(Bars(MARKET, view.sessions, grown))


def all_bars(view: MarketView) -> tuple[Sequence[Bars], Sequence[str]]:
    """The bars of every symbol that traded in the last session, and the symbols that have too few or none."""
    found: list[Bars] = []
    left_out: list[str] = []
    for symbol in view.symbols:
        try:
            bars = symbol_bars(view, symbol)
        except NotEnoughData:
            left_out.append(symbol)
            continue
        if bars.sessions[-1] == view.sessions[-1]:
            found.append(bars)
        else:
            left_out.append(symbol)
    return found, left_out


def _whole(array: FloatArray | None, present: np.ndarray, column: int) -> FloatArray | None:
    if array is None:
        return None
    values = array[present, column]
    return values if np.isfinite(values).all() else None


def _checked(bars: Bars) -> Bars:
    if len(bars.close) < MIN_BARS:
        raise NotEnoughData(
            f"{bars.name}: {len(bars.close)} bars, a chart needs {MIN_BARS}",
            remedy="Give a later --as-of, or a longer history.",
        )
    return bars
