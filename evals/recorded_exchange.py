"""The exchange as the venue of a run: over what was recorded where there is a recording, else over a day's bars."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from ..desk.desk import Desk
from ..domain.portfolio import Portfolio
from ..execution.algorithms.closing import AUCTION_VOLUME_FRAC
from ..execution.hours import SessionHours
from ..execution.venues.account import Account
from ..execution.venues.exchange import Exchange
from ..execution.venues.fees import FeeModel, FeeSchedule
from ..execution.venues.market_events import Cross, MarketEvent
from ..execution.venues.rules import ExchangeRules, Listing
from ..execution.venues.venue import Venue
from ..gate.state import Borrow
from ..market.grids import Grid
from .tape import Tape
from .venues import VenueOf


def exchange_venue(
    desk: Desk, rules: ExchangeRules | None = None, borrow: Mapping[str, Borrow] | None = None
) -> VenueOf:
    """A new exchange for each session of a run, over its tape: T2 and T1 where it was recorded, else T0.

    On daily bars the opening and closing auctions cross at the day's open and close where they are known. A span of a
    recorded day has none: what an auction printed is not in the recording.
    """
    usual = ExchangeRules(
        fees=FeeSchedule(FeeModel(value_bps=Decimal(repr(desk.ports.costs.fee_bps)))),
        participation_frac=desk.limits.max_participation_frac,
    )

    def made(hours: SessionHours, tape: Tape, portfolio: Portfolio) -> Venue:
        events = played(desk, hours, tape)
        return Exchange(hours, listed(tape), rules or usual, Account(portfolio, borrow), tape=events)

    return made


def listed(tape: Tape) -> dict[str, Listing]:
    """What the tape lets an exchange trade, each name at the tier of its data."""
    recorded = {quote.symbol for quote in tape.quotes if not quote.synthetic}
    return {
        symbol: Listing(terms, tape.tiers.get(symbol, "T1" if symbol in recorded else "T0"))
        for symbol, terms in tape.liquidity.items()
    }


def played(desk: Desk, hours: SessionHours, tape: Tape) -> Sequence[MarketEvent]:
    """What happens on the exchange besides the quotes."""
    return tape.events if desk.data.panel.interval is not None else _crosses(desk, hours, tape)


def _crosses(desk: Desk, hours: SessionHours, tape: Tape) -> list[MarketEvent]:
    found: list[MarketEvent] = []
    session = hours.closes_at.date()
    for symbol, terms in tape.liquidity.items():
        bar = desk.data.panel.bar(symbol, session)
        if bar is None or not terms.volume > 0:
            continue
        # No print of an auction was recorded with a day's bar.
        size = int(terms.volume * AUCTION_VOLUME_FRAC)
        grid = Grid(terms.tick)
        if bar.open is not None:
            found.append(Cross(symbol, hours.opens_at, "open", grid.price(bar.open), size))
        found.append(Cross(symbol, hours.closes_at, "close", grid.price(bar.close), size))
    return sorted(found, key=lambda cross: cross.ts_event)
