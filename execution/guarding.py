"""What protects positions where nothing else may be done: which orders a halt leaves at the venue, and which may be
placed anew.

A halt means that the desk is not trusted; the stop at the venue is what protects a position then. So an order stays
that is proved to close no more than is held, by our book and where that is in doubt by the venue's too; any other one
goes back. What has none gets one, through the gate, except where a kill flag says that nothing at all may be sent or
the books differ: then a person is told what has no protection. A halted session goes on to its close for this alone.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime

from ..domain.market import Quote
from ..domain.orders import Side
from ..domain.trading import TradingState
from ..memory.sent_orders import rests
from .algorithms.closing import waits_for_close
from .errors import VenueUnreachable
from .order_manager import OrderManager
from .parent_work import WAITING
from .protection import Protection
from .resting import WAIVED, IsWorked, Resting
from .session_book import SessionBook
from .stopping import MAX_CANCELS
from .venues.venue import Venue
from .working import WorkingChild, is_tradable

StateOf = Callable[[str], TradingState]
HANDED_OVER = "a flatten works what is left of the session"
LAST_QUOTES = "its session ends, and what is held gets a stop for the night"


class Guarding:
    """The stops of one session and their orders at the venue."""

    def __init__(
        self, stops: Protection, resting: Resting, book: SessionBook, orders: OrderManager, venue: Venue
    ) -> None:
        self._stops, self._resting, self._desk = stops, resting, resting.desk
        self._book, self._orders, self._venue = book, orders, venue
        self._doubt = ""
        self._theirs: Mapping[str, int] | None = None
        """What the venue says is held, once the books differ."""
        self._warned: set[tuple[str, str]] = set()

    @property
    def hands_over(self) -> bool:
        """Whether a halt ends the session at once, since somebody else works what is left of it."""
        return self._desk.hands_over

    @property
    def is_in_doubt(self) -> bool:
        return bool(self._doubt)

    def doubt(self, why: str) -> None:
        """The books differ: from now on only what both say is held can be protected."""
        self._doubt = self._doubt or why
        with suppress(VenueUnreachable):
            self._theirs = self._venue.positions()

    def objection(self, working: WorkingChild) -> str | None:
        """Why a protective order may not stay; empty where it may, None where it is no such order."""
        child = working.child
        if not rests(child):
            return None
        if child.symbol in self._desk.waived:
            return WAIVED
        selling, held = self._resting.closing(child.symbol), self._closable(child.symbol)
        if child.side is Side.SELL and selling <= held:
            return ""
        return f"orders to sell {selling} {child.symbol} are open and {held} can be proved to be held"

    def spares(self, working: WorkingChild) -> bool:
        """Whether it stands whatever the state of its name."""
        return self.objection(working) == ""

    def may_stand(self, working: WorkingChild) -> bool:
        """Whether an order outlives the session without anybody having to look into it."""
        return self._resting.stands(working) and (not self._doubt or not working.cancels)

    def is_open_in(self, symbol: str) -> bool:
        return self._resting.is_open_in(symbol)

    def before_open(self, is_worked: IsWorked, now: datetime) -> None:
        self._resting.before_open(is_worked, now)

    def follow(self, is_worked: IsWorked, now: datetime, *, is_halted: bool = False) -> None:
        """Every order fits its position, or goes back."""
        if is_halted:
            self._stops.follow(now)
            for working in tuple(self._orders.known.open.values()):
                why = self.objection(working)
                if why and not working.cancels:
                    self._orders.cancel(working, why, now)
        may_grow = not is_halted or not (self._doubt or self._desk.barred)
        self._resting.follow(self._stops.stops, is_worked, now, may_grow=may_grow)

    def place(
        self, latest: Mapping[str, Quote], is_worked: IsWorked, state_of: StateOf, now: datetime, *, is_last: bool
    ) -> None:
        """An order for every position that has none, or word to a person where trading is halted and it gets none."""
        self._stops.follow(now)
        if is_last and self._desk.clears_last:
            self._clear(now)
        ready = self._resting.missing(self._stops, latest, is_worked, state_of)
        if ready:
            why = self._doubt or self._desk.barred
            why = why or self._resting.place(ready, self._stops, latest, state_of, now)
            for symbol in ready:
                self._warn(symbol, why or "the gate or the venue refused its stop", state_of, now)
        for symbol, quote in latest.items():
            is_left = symbol not in ready and state_of(symbol) is TradingState.HALTED
            if is_left and (why := self._obstacle(symbol, quote)):
                self._warn(symbol, why, state_of, now)

    def settle(self, state_of: StateOf, at: datetime, *, is_cut: bool) -> None:
        """The session is over, and what a halt left without a stop stays so over night; where it was cut short, only
        until whoever works the rest of it sees to that, if anything may be sent at all."""
        self._resting.settle(at)
        is_passing = is_cut and not self._desk.barred
        why = HANDED_OVER if is_passing else "the session is over"
        for symbol, held in sorted(self._book.held.items()):
            if held > 0 and symbol not in self._desk.waived:
                self._warn(symbol, why, state_of, at, is_passing=is_passing)

    def give_up_absent(self, now: datetime) -> None:
        """What the venue proves never to have seen can't be taken back, and must not keep a name from its stop."""
        for working in tuple(self._orders.known.open.values()):
            if working.is_absent and not rests(working.child):
                self._orders.give_up(working, "never arrived, and trading is halted", now)

    def _obstacle(self, symbol: str, quote: Quote) -> str:
        """What keeps a long position from a stop, where its quote can be used; empty where nothing lasting does."""
        stop = self._stops.stops.get(symbol)
        if stop is None or stop.quantity <= 0 or not is_tradable(quote) or symbol in self._desk.waived:
            return ""
        if stop.is_reached(quote):
            return f"it trades at {quote.bid}, its stop is {stop.price}, and nothing is sold in a halt"
        beside = (item for item in self._orders.known.open.values() if item.child.symbol == symbol)
        stuck = [item.child.client_order_id for item in beside if item.cancels >= MAX_CANCELS]
        return f"order {stuck[0]} was not given back" if stuck else ""

    def _clear(self, now: datetime) -> None:
        """Take back what the plan has open in names that are held: it would expire a moment later."""
        for working in tuple(self._orders.known.open.values()):
            child = working.child
            is_free = not rests(child) and working.state not in WAITING and not waits_for_close(child)
            if is_free and self._book.held[child.symbol] > 0 and not working.cancels:
                self._orders.cancel(working, LAST_QUOTES, now)

    def _closable(self, symbol: str) -> int:
        held = self._book.held.get(symbol, 0)
        return max(held if self._theirs is None else min(held, self._theirs.get(symbol, 0)), 0)

    def _warn(self, symbol: str, why: str, state_of: StateOf, now: datetime, *, is_passing: bool = False) -> None:
        """Once for each name and reason; where trading is not halted the desk watches the quotes itself."""
        is_open = self._resting.is_open_in(symbol)
        if is_open or state_of(symbol) is not TradingState.HALTED or (symbol, why.split(",")[0]) in self._warned:
            return
        self._warned.add((symbol, why.split(",")[0]))
        held = self._book.held[symbol]
        self._desk.warn(f"{held} {symbol} are held without a stop at the venue: {why}", now, is_passing=is_passing)
