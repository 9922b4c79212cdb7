"""The exchange over recorded data: a tape, a clock of quotes and a venue out of a recording or a day's bars.

`recorded_tape` turns order books, ticks or short bars into what the exchange plays, at the best fidelity they allow:
T2 where depth was recorded, T1 for quotes and trades. `exchange_venue` is the venue factory of a run of the desk.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import numpy as np

from ..desk.desk import Desk
from ..domain.market import Quote
from ..domain.orders import Side
from ..domain.portfolio import Portfolio
from ..execution.hours import SessionHours
from ..execution.venues.account import Account
from ..execution.venues.exchange import Exchange
from ..execution.venues.fees import FeeModel, FeeSchedule
from ..execution.venues.impact import Liquidity
from ..execution.venues.market_events import Cross, Depth, Levels, MarketEvent, Print, Tier
from ..execution.venues.rules import ExchangeRules, Listing
from ..execution.venues.venue import Venue
from ..gate.state import Borrow
from ..market.order_books import Books
from ..market.panel import FloatArray
from ..market.recordings import Recording
from ..market.sessions import utc_moment
from ..market.ticks import Trades
from .errors import NothingRecorded
from .tape import Tape
from .venues import VenueOf

AUCTION_FRAC = 0.05
"""Share of a day's volume assumed to trade in each auction where no print of it was recorded: about half of what the
closing auctions of large US stocks take, to stay on the careful side."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Prices are whole `tick`s; a size of 1 is `unit` of what was recorded, whose price is that of one unit."""

    tick: Decimal = Decimal("0.01")
    unit: Decimal = Decimal(1)
    lot: int = 1

    def price(self, recorded: float) -> Decimal:
        return self.tick * round(recorded / float(self.tick)) * self.unit

    def size(self, recorded: float) -> int:
        return int(recorded / float(self.unit) + 1e-9)


@dataclass(frozen=True, slots=True)
class RecordedTape:
    """What happened in a recording, in time order, and what is listed; `quotes` are the clock of a session."""

    events: tuple[MarketEvent, ...]
    listings: Mapping[str, Listing]
    quotes: tuple[Quote, ...]


def recorded_tape(recordings: Sequence[Recording], grids: Mapping[str, Grid]) -> RecordedTape:
    """Everything that was recorded of these symbols, each on its grid.

    Raises NothingRecorded for a symbol without a single book or quote: without one there is nothing to trade against.
    """
    events: list[MarketEvent] = []
    quotes: list[Quote] = []
    listings: dict[str, Listing] = {}
    for recording in recordings:
        symbol, grid = recording.symbol, grids[recording.symbol]
        if recording.books is None:
            raise NothingRecorded(
                f"{symbol}: no order book and no quote was recorded in {', '.join(recording.files)}",
                remedy="Give a recording with books or quotes, or replay its bars through the desk.",
            )
        shown = _depths(recording.books, grid)
        prints = [] if recording.trades is None else _prints(recording.trades, grid)
        events += [*shown, *prints]
        quotes += [_top(depth) for depth in shown]
        tier: Tier = "T2" if recording.books.n_levels > 1 else "T1"
        listings[symbol] = Listing(_liquidity(recording, grid), tier)
    # At one moment the book comes first: a trade is told to the queue that was there.
    events.sort(key=lambda event: (event.ts_event, isinstance(event, Print)))
    quotes.sort(key=lambda quote: quote.ts_event)
    return RecordedTape(tuple(events), listings, tuple(quotes))


def exchange_of(
    tape: RecordedTape,
    hours: SessionHours,
    rules: ExchangeRules,
    portfolio: Portfolio,
    borrow: Mapping[str, Borrow] | None = None,
    name: str = "exchange",
) -> Exchange:
    """An exchange that plays this tape in this session."""
    return Exchange(hours, tape.listings, rules, Account(portfolio, borrow), tape=tape.events, name=name)


def recorded_hours(recording: Recording, decided_at: datetime) -> SessionHours:
    """The session that a recording is of: the market's own, or where it never closes from first to last moment."""
    assert recording.books is not None, "a tape was made of it"
    ts = recording.books.ts
    opens, closes = recording.session or (ts[0], ts[-1])
    return SessionHours(decided_at, utc_moment(opens), utc_moment(closes))


def exchange_venue(
    desk: Desk, rules: ExchangeRules | None = None, borrow: Mapping[str, Borrow] | None = None
) -> VenueOf:
    """A new exchange for each session of a run, over the day's tape: T1 where its quotes were recorded, else T0.

    Opening and closing auctions cross at the day's open and close where they are known.
    """
    usual = ExchangeRules(
        fees=FeeSchedule(FeeModel(value_bps=Decimal(repr(desk.ports.costs.fee_bps)))),
        participation_frac=desk.limits.max_participation_frac,
    )

    def made(hours: SessionHours, tape: Tape, portfolio: Portfolio) -> Venue:
        recorded = {quote.symbol for quote in tape.quotes if not quote.synthetic}
        listings = {
            symbol: Listing(terms, "T1" if symbol in recorded else "T0") for symbol, terms in tape.liquidity.items()
        }
        crosses = _crosses(desk, hours, tape)
        return Exchange(hours, listings, rules or usual, Account(portfolio, borrow), tape=crosses)

    return made


def _crosses(desk: Desk, hours: SessionHours, tape: Tape) -> list[MarketEvent]:
    found: list[MarketEvent] = []
    session = hours.closes_at.date()
    for symbol, terms in tape.liquidity.items():
        bar = desk.data.panel.bar(symbol, session)
        if bar is None or not terms.volume > 0:
            continue
        size = int(terms.volume * AUCTION_FRAC)
        grid = Grid(terms.tick)
        if bar.open is not None:
            found.append(Cross(symbol, hours.opens_at, "open", grid.price(bar.open), size))
        found.append(Cross(symbol, hours.closes_at, "close", grid.price(bar.close), size))
    return sorted(found, key=lambda cross: cross.ts_event)


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
