"""Venues and tapes that misbehave in one way each, for drills."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from ..desk.desk import Desk
from ..domain.market import Quote
from ..domain.portfolio import Portfolio, Position
from ..execution.errors import VenueUnreachable
from ..execution.hours import SessionHours
from ..execution.venues.venue import Busted, Filled, Rejected, Report, Venue, VenueOrder, VenueTerms
from ..gate.approval import ApprovedOrder
from .tape import Tape, session_tape
from .venues import TapeOf, VenueOf

Change = Callable[[Quote, datetime], Quote | None]
"""One quote as the drill wants it, given the tape's first moment; None takes it out."""


def changed_tape(change: Change) -> TapeOf:
    def made(desk: Desk, session: date, symbols: Iterable[str], seed: int) -> Tape:
        tape = session_tape(desk, session, symbols, seed)
        first = tape.quotes[0].ts_event if tape.quotes else desk.history.opening_time(session)
        quotes = (change(quote, first) for quote in tape.quotes)
        return replace(tape, quotes=tuple(quote for quote in quotes if quote is not None))

    return made


def moved(quote: Quote, factor: str) -> Quote:
    """The quote at another price level."""
    bid, ask = _on_cent(quote.bid * Decimal(factor)), _on_cent(quote.ask * Decimal(factor))
    return replace(quote, bid=bid, ask=max(ask, bid))


def widened(quote: Quote, frac: str) -> Quote:
    """The quote with each side this far from its mid."""
    half = quote.mid * Decimal(frac)
    return replace(quote, bid=_on_cent(quote.mid - half), ask=_on_cent(quote.mid + half))


def _on_cent(price: Decimal) -> Decimal:
    return max(price.quantize(Decimal("0.000001"), ROUND_HALF_EVEN), Decimal("0.000001"))


def rejecting(usual: VenueOf) -> VenueOf:
    """A venue that takes no order."""

    def made(hours: SessionHours, tape: Tape, portfolio: Portfolio) -> Venue:
        return _Rejecting(usual(hours, tape, portfolio))

    return made


def unreachable(usual: VenueOf) -> VenueOf:
    """A venue whose line goes down with the first order."""

    def made(hours: SessionHours, tape: Tape, portfolio: Portfolio) -> Venue:
        return _Unreachable(usual(hours, tape, portfolio))

    return made


def acting(act: Callable[[], None]) -> Callable[[VenueOf], VenueOf]:
    """The usual venue; `act` happens as its second moment begins."""

    def wrapped(usual: VenueOf) -> VenueOf:
        return lambda hours, tape, portfolio: _Acting(usual(hours, tape, portfolio), act)

    return wrapped


def only_first(trouble: Callable[[VenueOf], VenueOf]) -> Callable[[VenueOf], VenueOf]:
    """The trouble in the first session that trades, the usual venue after it."""

    def wrapped(usual: VenueOf) -> VenueOf:
        left = [trouble(usual)]

        def made(hours: SessionHours, tape: Tape, portfolio: Portfolio) -> Venue:
            return (left.pop() if left else usual)(hours, tape, portfolio)

        return made

    return wrapped


def with_other_shares(usual: VenueOf) -> VenueOf:
    """A venue that believes we hold ten shares more of every name than we do."""

    def made(hours: SessionHours, tape: Tape, portfolio: Portfolio) -> Venue:
        held = portfolio.holdings()
        positions = tuple(
            Position(symbol=symbol, quantity=held.get(symbol, 0) + 10, average_price=Decimal(1))
            for symbol in sorted({*held, *tape.liquidity})
        )
        return usual(hours, tape, portfolio.model_copy(update={"positions": positions}))

    return made


class _Passing:
    """A venue that hands everything on to the one behind it."""

    def __init__(self, inner: Venue) -> None:
        self._inner, self._is_down = inner, False

    @property
    def name(self) -> str:
        return self._inner.name

    def worst_fee(self, quantity: int, price: Decimal) -> Decimal:
        return self._inner.worst_fee(quantity, price)

    def terms(self, symbol: str) -> VenueTerms:
        return self._inner.terms(symbol)

    def submit(self, order: ApprovedOrder) -> tuple[Report, ...]:
        return self._reached().submit(order)

    def cancel(self, client_order_id: str, at: datetime) -> tuple[Report, ...]:
        return self._reached().cancel(client_order_id, at)

    def cancel_all(self, at: datetime) -> tuple[Report, ...]:
        return self._reached().cancel_all(at)

    def on_quote(self, quote: Quote) -> tuple[Report, ...]:
        return self._reached().on_quote(quote)

    def close(self, at: datetime) -> tuple[Report, ...]:
        return self._reached().close(at)

    def order(self, client_order_id: str) -> VenueOrder | None:
        return self._reached().order(client_order_id)

    def open_orders(self) -> tuple[VenueOrder, ...]:
        return self._reached().open_orders()

    def executions(self) -> tuple[Filled | Busted, ...]:
        return self._reached().executions()

    def positions(self) -> Mapping[str, int] | None:
        return self._reached().positions()

    def cash(self) -> Decimal | None:
        return self._reached().cash()

    def _reached(self) -> Venue:
        if self._is_down:
            raise VenueUnreachable("no answer: the line is down", remedy="Wait until it is up again.")
        return self._inner


class _Acting(_Passing):
    def __init__(self, inner: Venue, act: Callable[[], None]) -> None:
        super().__init__(inner)
        self._act, self._first, self._is_done = act, datetime.max.replace(tzinfo=UTC), False

    def on_quote(self, quote: Quote) -> tuple[Report, ...]:
        self._first = min(self._first, quote.ts_event)
        if quote.ts_event > self._first and not self._is_done:
            self._is_done = True
            self._act()
        return super().on_quote(quote)


class _Rejecting(_Passing):
    def submit(self, order: ApprovedOrder) -> tuple[Report, ...]:
        child = order.child
        return (Rejected(child.client_order_id, child.created_at, "the venue takes no orders today"),)


class _Unreachable(_Passing):
    def submit(self, order: ApprovedOrder) -> tuple[Report, ...]:
        """The first order arrives; its answer does not."""
        if not self._is_down:
            self._inner.submit(order)
        self._is_down = True
        return self._reached().submit(order)
