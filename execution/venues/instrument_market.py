"""One instrument at an exchange: its book, stops that wait, auctions, halts and price bands, moment by moment."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from ...domain.orders import ChildOrder, OrderState, Side, TimeInForce
from .bands import Bands
from .impact import Liquidity, SessionImpact
from .market_events import Cross, Depth, Halt, Levels, MarketEvent, Phase, Print
from .order_book import OrderBook
from .rules import AUCTIONS, ExchangeRules, Listing
from .venue import VenueTerms
from .worked_order import Dropped, Outcome, WorkedOrder


class InstrumentMarket:
    """A stop is triggered by a trade at its price or beyond, and by the touch it would pay; it then takes the market
    as it is, which is the worse of the two."""

    def __init__(self, symbol: str, listing: Listing, rules: ExchangeRules, venue: str) -> None:
        self._symbol, self.listing, self._rules = symbol, listing, rules
        terms = listing.liquidity
        is_open = terms.volume > 0
        self.book = OrderBook(
            terms.lot,
            room=_room(terms, rules.participation_frac),
            impact=SessionImpact(terms) if listing.tier == "T0" and is_open else None,
            hidden=(lambda *level: rules.hidden(venue, *level)) if rules.hidden_frac else None,
            fade_frac=rules.fade_frac,
        )
        self._bands = Bands(rules.bands, terms.tick) if rules.bands else None
        self._halt = ""
        self._stops: list[WorkedOrder] = []
        self._queued: list[WorkedOrder] = []
        self._auctions: dict[Phase, list[WorkedOrder]] = {"open": [], "close": []}

    def terms(self, now: datetime) -> VenueTerms:
        band = self._bands.prices if self._bands else None
        return VenueTerms(is_halted=bool(self._halted(now)), price_band=band)

    def refusal(self, child: ChildOrder, now: datetime) -> str:
        """Why this instrument takes no such order now; an order for later waits instead where the rules say so."""
        if self._rules.while_halted == "queue":
            return ""
        if why := self._halted(now):
            return f"{self._symbol} is halted: {why}"
        band, limit = self.terms(now).price_band, child.limit_price
        if band is not None and limit is not None and not band[0] <= limit <= band[1]:
            return f"limit {limit} is outside the band {band[0]} to {band[1]}"
        return ""

    def enter(self, order: WorkedOrder, now: datetime) -> list[Outcome]:
        """An accepted order comes in; what it trades at once, and how it ends if it may not stay."""
        phase = AUCTIONS.get(order.child.time_in_force)
        if phase is not None:
            self._auctions[phase].append(order)
            return []
        if self._halted(now):
            if order.is_immediate:
                return [Dropped(order, OrderState.CANCELED, f"{self._symbol} is halted")]
            self._queued.append(order)
            return []
        if order.stop is not None and not self._is_passed(order, order.stop, None):
            self._stops.append(order)
            return []
        self.book.enter(order)
        return self._matched()

    def hold(self, order: WorkedOrder) -> None:
        """An order that stands comes in while nothing trades: it waits for the next session."""
        (self._queued if order.stop is None else self._stops).append(order)

    def withdraw(self, order: WorkedOrder) -> None:
        if self.book.remove(order):
            return
        for waiting in (self._stops, self._queued, *self._auctions.values()):
            waiting[:] = [item for item in waiting if item is not order]

    def orders(self) -> Iterator[WorkedOrder]:
        """All that is open here, wherever it waits."""
        yield from self.book.orders()
        for waiting in (self._stops, self._queued, *self._auctions.values()):
            yield from waiting

    def on_event(self, event: MarketEvent) -> list[Outcome]:
        now = event.ts_event
        match event:
            case Depth():
                return self._shown(event, now)
            case Print():
                if self._halted(now):
                    return []
                outcomes: list[Outcome] = list(self.book.trade(event))
                return outcomes + (self._matched() if self._trigger(event.price, now) else [])
            case Cross():
                return self._crossed(event)
            case Halt():
                self._halt = (event.reason or "halted by the exchange") if event.is_halted else ""
                return [] if event.is_halted else self._resumed(now)

    def _shown(self, depth: Depth, now: datetime) -> list[Outcome]:
        if not depth.is_usable:
            # Crossed, locked or one-sided: nobody is filled on it, and what was shown before it is gone.
            self.book.clear()
            return []
        was_halted = bool(self._halted(now))
        if self._bands is not None:
            was_halted = was_halted or self._bands.paused_until is not None
            self._bands.observe(now, depth.bids[0][0], depth.asks[0][0])
            self.book.band = self._bands.prices
        self.book.show(self._scaled(depth))
        if self._halted(now):
            return []
        if was_halted:
            return self._resumed(now)
        self._trigger(None, now)
        return self._matched()

    def _scaled(self, depth: Depth) -> Depth:
        frac = self._rules.shown_frac
        if frac == 1.0:
            return depth

        def part(levels: Levels) -> Levels:
            return tuple((price, int(size * frac)) for price, size in levels)

        return Depth(depth.symbol, depth.ts_event, part(depth.bids), part(depth.asks), depth.synthetic)

    def _matched(self) -> list[Outcome]:
        outcomes: list[Outcome] = list(self.book.match())
        for order in tuple(self.book.orders()):
            if order.is_immediate:
                self.book.remove(order)
                word = "fill or kill" if order.child.time_in_force is TimeInForce.FOK else "immediate or cancel"
                outcomes.append(Dropped(order, OrderState.CANCELED, word))
        return outcomes

    def _trigger(self, traded: Decimal | None, now: datetime) -> bool:
        """Let in the stops that a trade, or without one the touch, has reached; whether there were any."""
        reached = [order for order in self._stops if order.stop and self._is_passed(order, order.stop, traded)]
        for order in reached:
            self._stops.remove(order)
            order.arrived_at = now
            self.book.enter(order)
        return bool(reached)

    def _is_passed(self, order: WorkedOrder, stop: Decimal, traded: Decimal | None) -> bool:
        touch = self.book.touch
        if traded is None and touch is None:
            return False
        buys = order.side is Side.BUY
        price = traded if traded is not None or touch is None else touch[1] if buys else touch[0]
        return price is not None and (price >= stop if buys else price <= stop)

    def _crossed(self, cross: Cross) -> list[Outcome]:
        """Fill the auction's orders at its price, best price first, out of our share of its volume here; in a halt
        nobody is filled, whatever was printed."""
        why = self._halted(cross.ts_event)
        missed = f"{self._symbol} is halted: {why}" if why else f"not filled in the {cross.phase} auction"
        offered = int(cross.size * self._rules.participation_frac * self._rules.shown_frac)
        waiting = sorted(self._auctions[cross.phase], key=lambda order: order.rank)
        self._auctions[cross.phase] = []
        outcomes: list[Outcome] = []
        for order in waiting:
            done = [] if why else self.book.auction(order, cross.price, offered)
            offered -= sum(execution.quantity for execution in done)
            outcomes += done
            if order.remaining:
                outcomes.append(Dropped(order, OrderState.EXPIRED, missed))
        return outcomes

    def _resumed(self, now: datetime) -> list[Outcome]:
        queued, self._queued = self._queued, []
        outcomes: list[Outcome] = []
        for order in queued:
            outcomes += self.enter(order, now)
        self._trigger(None, now)
        return outcomes + self._matched()

    def _halted(self, now: datetime) -> str:
        """Why nothing trades at this moment; empty when it does."""
        paused = self._bands is not None and self._bands.paused_until is not None and now < self._bands.paused_until
        return self._halt or ("paused at the price band" if paused else "")


def _room(terms: Liquidity, participation_frac: float) -> int | None:
    """Shares that own orders may trade in the session; without any volume none, and an assumed one caps nothing."""
    if not terms.volume > 0:
        return 0
    return int(participation_frac * terms.volume) if terms.is_recorded else None
