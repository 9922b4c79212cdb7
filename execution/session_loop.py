"""The moments of one session: what its quotes set off, and how it ends."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from ..domain.control_events import BookDifference, BookReconciled
from ..domain.market import Quote
from ..domain.orders import OrderState, Side
from ..domain.trading import TradingState, TradingStates
from ..gate.limits import Limits
from .errors import VenueUnreachable
from .hours import SessionHours
from .order_manager import OrderManager
from .parents import close_parent, next_child, open_parent
from .readings import Readings
from .reconcile import Reconciler
from .recorder import Recorder
from .reviewing import Reviewer
from .session_book import SessionBook
from .shortfall import ExecutionQuality
from .stopping import MAX_CANCELS, cancel_restricted, survivor
from .venues.venue import Venue
from .watching import SessionWatch
from .working import WorkingChild, WorkingParent, is_tradable

OnUnexplained = Callable[[BookReconciled], None]


class SessionLoop:
    """The state of one session and the few things that change it."""

    def __init__(
        self,
        parents: list[WorkingParent],
        venue: Venue,
        hours: SessionHours,
        limits: Limits,
        recorder: Recorder,
        book: SessionBook,
        orders: OrderManager,
        reviewer: Reviewer,
        reconciler: Reconciler,
        readings: Readings,
        watch: SessionWatch,
        on_unexplained: OnUnexplained,
    ) -> None:
        self._parents, self._venue, self._hours, self._limits = parents, venue, hours, limits
        self._recorder, self._book, self._orders = recorder, book, orders
        self._reviewer, self._reconciler, self._readings = reviewer, reconciler, readings
        self._watch, self._on_unexplained = watch, on_unexplained
        # Sells first at each moment, so that the cash they bring is there for the buys.
        self._by_turn = sorted(parents, key=lambda parent: parent.order.side is Side.BUY)
        self._strategy = book.terms.strategy
        self._is_begun = self._was_reconciled = False
        self._now: datetime | None = None
        self.stopped = ""

    def on_quotes(self, now: datetime, quotes: list[Quote]) -> bool:
        """All quotes of one moment: open orders see them first, then the slices that are due go out.

        False when the session is over: the account was halted, or the venue's book differs from ours.
        """
        self._begin(now)
        latest = {quote.symbol: quote for quote in quotes}
        self._readings.quotes.update(latest)
        for quote in quotes:
            self._orders.on_quote(quote)
        if self._reconciler.is_due(now):
            self._reconcile(now)
        states = self._watch.states(now)
        if states.restricted:
            self._restrict(states, now)
        self._tell_contradictions(now)
        if self._was_reconciled:
            for parent in self._by_turn:
                quote = latest.get(parent.order.symbol)
                if not self._is_stopping and quote is not None and is_tradable(quote):
                    self._work(parent, quote, self._state_of(states, quote.symbol), now)
            self._tell_contradictions(now)
        self._watch.observe(self._readings.read(now))
        if self.stopped:
            self._take_back_all(now)
        return not self.stopped

    def close(self) -> tuple[ExecutionQuality, ...]:
        """Expire what is open, settle the book with the venue's, and write every parent's result.

        A session that was stopped leaves the venue open: a flatten may follow on the same quotes.
        """
        at = self._now if self.stopped and self._now else self._hours.closes_at
        self._begin(at)
        if not self.stopped:
            with suppress(VenueUnreachable):
                self._orders.apply(self._venue.close(at))
        found = self._reconciler.run(at, spares_recent=False)
        left = [self._left_open(working, at) for working in tuple(self._orders.open.values())]
        differences = [item for item in left if item is not None]
        if found is None:
            text = f"{self._venue.name} could not be reached at the end of the session"
            differences.append(_unreachable(self._venue.name, text))
            found = BookReconciled(venue=self._venue.name, orders_checked=0, executions_checked=0, differences=())
        known = (*found.differences, *differences)
        extra = [item for item in self._orders.differences if item not in known]
        self._orders.differences.clear()
        self._tell(found.model_copy(update={"differences": (*known, *extra)}), at)
        return tuple(close_parent(parent, self._orders, self._recorder, at, self.stopped) for parent in self._parents)

    @property
    def _is_stopping(self) -> bool:
        return bool(self.stopped or self._orders.differences)

    def _state_of(self, states: TradingStates, symbol: str = "") -> TradingState:
        return states.of(symbol, venue=self._venue.name, strategy=self._strategy)

    def _begin(self, now: datetime) -> None:
        """Once, before anything is sent: what became of the orders that the log left open."""
        self._now = now
        if self._is_begun:
            return
        self._is_begun = True
        for working in tuple(self._orders.open.values()):
            if working.state is OrderState.SUBMITTED:
                self._orders.lose(working, "the log holds no answer to the send", now)
        self._reconcile(now, spares_recent=False)
        for working in tuple(self._orders.open.values()):
            if working.is_inherited:
                self._orders.cancel(working, "its plan is over", now)

    def _reconcile(self, now: datetime, *, spares_recent: bool = True) -> None:
        found = self._reconciler.run(now, spares_recent=spares_recent)
        self._reviewer.is_reconciled = found is not None
        if found is None:
            self._reviewer.lost()
            return
        self._reviewer.heard(now)
        self._was_reconciled = True
        if found.differences:
            self._tell(found, now)

    def _tell_contradictions(self, now: datetime) -> None:
        """What the venue said that can't be: told like any other difference of the books."""
        if self._orders.differences:
            found = tuple(self._orders.differences)
            self._orders.differences.clear()
            name = self._venue.name
            self._tell(BookReconciled(venue=name, orders_checked=0, executions_checked=0, differences=found), now)

    def _tell(self, reconciled: BookReconciled, now: datetime) -> None:
        self._recorder.of_venue(now, reconciled)
        if not reconciled.is_explained:
            first = next(item for item in reconciled.differences if not item.explained)
            self.stopped = self.stopped or f"the venue's book differs from ours: {first.text}"
            self._on_unexplained(reconciled)

    def _restrict(self, states: TradingStates, now: datetime) -> None:
        if self._state_of(states) is TradingState.HALTED:
            self.stopped = self.stopped or f"trading is halted for {self._venue.name}, the strategy or the account"
        else:
            cancel_restricted(self._orders, self._book, lambda symbol: self._state_of(states, symbol), now)

    def _take_back_all(self, now: datetime) -> None:
        """Cancel every open order, ask what became of each, and try again, but not for ever."""
        for _ in range(MAX_CANCELS):
            for working in tuple(self._orders.open.values()):
                self._orders.cancel(working, self.stopped, now)
            if not self._orders.open:
                return
            self._reconciler.run(now, spares_recent=False)

    def _left_open(self, working: WorkingChild, at: datetime) -> BookDifference | None:
        """The plan is over: what never arrived is given up, anything else that is open has no innocent cause."""
        if working.is_absent:
            self._orders.give_up(working, "never arrived, and the session is over", at)
            return None
        return survivor(working.child, working.state, "is not resolved at the end of the session")

    def _work(self, parent: WorkingParent, quote: Quote, state: TradingState, now: datetime) -> None:
        parent.last_mid = quote.mid
        if parent.arrival_price is None:
            open_parent(parent, quote.mid, self._recorder, now)
        due, current = parent.due(now), parent.current
        for working in self._absent(parent):
            if due is None and working is current:
                self._orders.resend(working, quote, state, self._reviewer.slot(now))
            else:
                self._orders.give_up(working, "never arrived, and its slice is over", now)
        if due is None:
            return
        if current is not None and current.is_open:
            self._orders.cancel(current, "its slice is over", now)
        missing = due - self._book.committed(parent.order.order_id)
        if missing > 0:
            leg, at = self._book.terms.legs[parent.order.order_id], self._reviewer.slot(now)
            child = next_child(parent, missing, quote, leg, self._venue, self._book, self._limits, at)
            parent.current = self._orders.send(child, quote, state, at) or current

    def _absent(self, parent: WorkingParent) -> list[WorkingChild]:
        """This parent's children that the venue proved never to have seen."""
        mine = parent.order.order_id
        return [item for item in self._orders.open.values() if item.is_absent and item.child.order_id == mine]


def _unreachable(venue: str, text: str) -> BookDifference:
    return BookDifference(
        kind="order_state", subject=venue, ours="asked", theirs="no answer", explained=False, text=text
    )
