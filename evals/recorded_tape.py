"""Turns recordings into what an exchange plays, at the best tier they allow: T2 for depth, T1 for quotes and trades."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TypeVar

import numpy as np

from ..domain.market import Quote
from ..domain.orders import Side
from ..execution.venues.impact import Liquidity
from ..execution.venues.market_events import Depth, Levels, MarketEvent, Print, Tier
from ..market.grids import Grid
from ..market.order_books import Books
from ..market.panel import FloatArray
from ..market.recordings import Recording
from ..market.sessions import utc_moment
from ..market.ticks import Trades
from .errors import NothingRecorded

Timed = TypeVar("Timed", MarketEvent, Quote)

KEPT = 32
"""Recordings kept as tapes: more than the symbols of one day, since a day is played span by span."""


@dataclass(frozen=True, slots=True)
class RecordedTape:
    """What happened in one symbol's recording, in time order; `quotes` are the clock of a session."""

    symbol: str
    events: tuple[MarketEvent, ...]
    quotes: tuple[Quote, ...]
    liquidity: Liquidity
    tier: Tier

    def between(self, opens_at: datetime, closes_at: datetime) -> tuple[tuple[MarketEvent, ...], tuple[Quote, ...]]:
        """Events and quotes from one moment to another, both included."""
        return _within(self.events, opens_at, closes_at), _within(self.quotes, opens_at, closes_at)


@lru_cache(maxsize=KEPT)
def recorded_tape(recording: Recording, grid: Grid) -> RecordedTape:
    """Everything that was recorded of a symbol, on its grid.

    Raises NothingRecorded without a single book or quote: then there is nothing to trade against.
    """
    if recording.books is None:
        raise NothingRecorded(
            f"{recording.symbol}: no order book and no quote was recorded in {', '.join(recording.files)}",
            remedy="Give a recording with books or quotes, or replay its bars through the desk.",
        )
    shown = _depths(recording.books, grid)
    prints = [] if recording.trades is None else _prints(recording.trades, grid)
    events: list[MarketEvent] = [*shown, *prints]
    return RecordedTape(
        recording.symbol,
        tuple(in_turn(events)),
        tuple(map(_top, shown)),
        _liquidity(recording, grid),
        "T2" if recording.books.n_levels > 1 else "T1",
    )


def in_turn(events: Iterable[MarketEvent]) -> list[MarketEvent]:
    """By time; at one moment the book comes first: a trade is told to the queue that was there."""
    return sorted(events, key=lambda event: (event.ts_event, isinstance(event, Print)))


def _within(items: tuple[Timed, ...], opens_at: datetime, closes_at: datetime) -> tuple[Timed, ...]:
    first = bisect_left(items, opens_at, key=lambda item: item.ts_event)
    return items[first : bisect_right(items, closes_at, lo=first, key=lambda item: item.ts_event)]


def _depths(books: Books, grid: Grid) -> list[Depth]:
    moments = [utc_moment(ts) for ts in books.ts]
    return [
        Depth(
            books.symbol,
            moment,
            _levels(books.bid[row], books.bid_size[row], grid),
            _levels(books.ask[row], books.ask_size[row], grid),
        )
        for row, moment in enumerate(moments)
    ]


def _levels(prices: FloatArray, sizes: FloatArray, grid: Grid) -> Levels:
    pairs = zip(prices.tolist(), sizes.tolist(), strict=True)
    return tuple((grid.price(price), grid.size(size)) for price, size in pairs if price > 0)


def _prints(trades: Trades, grid: Grid) -> list[Print]:
    sides = np.zeros(len(trades.ts)) if trades.side is None else trades.side
    names = {1.0: Side.BUY, -1.0: Side.SELL}
    rows = zip(trades.ts, trades.price.tolist(), trades.size.tolist(), sides.tolist(), strict=True)
    return [
        Print(trades.symbol, utc_moment(ts), grid.price(price), grid.size(size), names.get(side))
        for ts, price, size, side in rows
    ]


def _top(depth: Depth) -> Quote:
    (bid, bid_size), (ask, ask_size) = depth.bids[0], depth.asks[0]
    return Quote(depth.symbol, depth.ts_event, bid, ask, bid_size, ask_size, depth.synthetic)


def _liquidity(recording: Recording, grid: Grid) -> Liquidity:
    """Its volume is what this recording printed; it prices nothing at T1 and T2, and caps nothing, since sizes do."""
    trades, bars = recording.trades, recording.bars
    volume = float(trades.size.sum()) if trades is not None else float(bars.volume.sum()) if bars is not None else 1.0
    return Liquidity(grid.tick * grid.unit, grid.lot, 0.0, volume / float(grid.unit), is_recorded=False)
