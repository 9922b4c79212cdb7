"""The night behind a session: what is held gets its stop before it, or a person is told why it has none.

With the last quotes a stop may be out of reach: an order in its name is not resolved, since one of the venues did not
answer, and the gate refuses whatever is sent then. Behind the close everything is known, the day's orders are over, and
a venue takes an order that stands at any hour: what has no stop is asked for anew, through the gate, and the books are
compared once more. A halt has told of its own what it leaves without one (`guarding.py`).
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime

from ..domain.control_events import BookReconciled
from ..domain.market import Quote
from ..domain.trading import TradingState
from .errors import VenueUnreachable
from .guarding import Guarding, StateOf
from .order_manager import OrderManager
from .protection import Protection
from .reconcile import Reconciler
from .resting import Resting
from .reviewing import Reviewer
from .session_book import SessionBook
from .venues.venue import Venue

SILENT = "the venue does not answer"
DIFFERS = "the venue's book differs from ours"


class Night:
    """What one session leaves for the night, where stops rest at the venue."""

    def __init__(
        self,
        stops: Protection,
        resting: Resting,
        guarding: Guarding,
        book: SessionBook,
        orders: OrderManager,
        reviewer: Reviewer,
        reconciler: Reconciler,
        venue: Venue,
    ) -> None:
        self._stops, self._resting, self._desk, self._guarding = stops, resting, resting.desk, guarding
        self._book, self._orders, self._reviewer = book, orders, reviewer
        self._reconciler, self._venue = reconciler, venue
        self._quotes: dict[str, Quote] = {}
        self._falls, self._why = False, ""

    def see(self, latest: Mapping[str, Quote]) -> None:
        """The quotes of a moment: by the last one of its name a stop is judged."""
        self._quotes.update(latest)

    def prepare(
        self, found: BookReconciled | None, since: datetime, at: datetime, look: Callable[[datetime], StateOf]
    ) -> BookReconciled | None:
        """Ask for the stops that are missing, where the market has closed in what was worked since then. `found` is
        what the books came to at its end; returned with what they come to behind the orders that were placed."""
        closed_at = self._desk.closed_at(at)
        self._falls = closed_at >= since
        if not self._falls or not self._bare:
            return found
        if found is None or not found.is_explained or self._orders.known.differences or self._guarding.is_in_doubt:
            self._why = SILENT if found is None else DIFFERS
            return found
        if not self._place(look(closed_at), closed_at):
            return found
        with suppress(VenueUnreachable):
            self._orders.answers.apply(self._venue.close(at))
        again = self._reconciler.run(at, spares_recent=False)
        return again and again.model_copy(update={"differences": (*found.differences, *again.differences)})

    def tell(self, state_of: StateOf, at: datetime) -> None:
        """Of every position that goes into the night without a stop: to a person, with the reason."""
        for symbol in self._bare if self._falls else ():
            if state_of(symbol) is not TradingState.HALTED:
                text = f"{self._book.held[symbol]} {symbol} are held past the close without a stop at the venue"
                self._desk.warn(f"{text}: {self._why_bare(symbol)}", at, is_passing=True)

    @property
    def _bare(self) -> tuple[str, ...]:
        """Long positions without an order at the venue, but for those of which a person wants none."""
        held = (symbol for symbol, count in sorted(self._book.held.items()) if count > 0)
        return tuple(name for name in held if name not in self._desk.waived and not self._resting.is_open_in(name))

    def _place(self, state_of: StateOf, at: datetime) -> bool:
        """An order for every position that could have one now, also where one was refused before. Whether any went
        out."""
        self._stops.follow(at)
        self._reviewer.heard(at)
        self._reviewer.is_reconciled = True
        self._resting.forget_refusals()
        ready = self._resting.missing(self._stops, self._quotes, lambda symbol: False, state_of)
        self._why = self._desk.barred
        if not ready or self._why:
            return False
        self._resting.place(ready, self._stops, self._quotes, state_of, at, for_night=True)
        return any(self._resting.is_open_in(symbol) for symbol in ready)

    def _why_bare(self, symbol: str) -> str:
        stop, quote = self._stops.stops.get(symbol), self._quotes.get(symbol)
        why = self._why or self._resting.refusal(symbol)
        if why:
            return why
        if stop is not None and quote is not None and stop.is_reached(quote):
            return f"it trades at {stop.closes_at(quote)}, its stop is {stop.price}"
        beside = [name for name, item in self._orders.known.open.items() if item.child.symbol == symbol]
        return f"order {beside[0]} is not resolved" if beside else "it had no quote that it could be judged by"
