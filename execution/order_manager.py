"""The only place that sends: a child is in the log before it is at the venue, and is never replaced by another id.

A call without an answer makes it UNKNOWN: it stays counted at its worst case, and only the venue's own word leads
out (`reconcile.py`). What the orders are is in `known_orders.py`, what the venue says of them in `answers.py`.
"""

from datetime import datetime

from ..domain import events
from ..domain.made import whole
from ..domain.market import Quote
from ..domain.orders import ChildOrder, OrderState
from ..domain.trading import TradingState
from ..gate.approval import ApprovedOrder
from ..storage.errors import StoreError
from .answers import Answers
from .errors import OrderIdReused, VenueUnreachable
from .known_orders import KnownOrders
from .order_facts import child_closed, child_unresolved
from .orders import OrderEvent, next_state
from .recorder import DESK, GATE, Recorder
from .reviewing import Reviewer
from .session_book import SessionBook
from .venues.venue import Report, Venue
from .working import WorkingChild


class OrderManager:
    """Sends, resends, gives up and cancels the children of one session at one venue."""

    def __init__(self, venue: Venue, book: SessionBook, reviewer: Reviewer, recorder: Recorder) -> None:
        self._venue, self._book, self._reviewer, self._recorder = venue, book, reviewer, recorder
        self.known = KnownOrders(book, reviewer)
        self.answers = Answers(self.known, recorder)
        self.unanswered = 0
        """Sends and cancels of which no answer came."""
        self.refusal = ""
        """Why the last child that was not sent was not."""

    def send(self, child: ChildOrder, quote: Quote, state: TradingState, now: datetime) -> WorkingChild | None:
        """Have a child reviewed, tell it, and send it; None when the gate refused it, or the log would not take it."""
        if child.__dict__["client_order_id"] in self.known.children:
            raise OrderIdReused(
                f"{child.client_order_id} was sent before", remedy="Send each sequence of a parent once, or resend it."
            )
        review = self._reviewer.review(child, quote, state, now)
        if review.order is None:
            self.known.denied += 1
            self.refusal = f"the gate refused its order: {'; '.join(row.text for row in review.verdict.reasons)}"
            self._recorder.of_child(child, now, GATE, events.ChildDenied(child=child, verdict=review.verdict))
            return None
        submitted = whole(events.ChildSubmitted, {"child": child, "verdict_hash": review.verdict_hash})
        try:
            self._recorder.of_child(child, now, DESK, submitted)
        except StoreError as error:
            self.refusal = error.message
            # What is not in the log is not at the venue; and the gate refuses what follows until the log takes it.
            return None
        working = self.known.begin(child, now, review.context.worst_fee)
        self._submit(working, review.order, now)
        return working

    def resend(self, working: WorkingChild, quote: Quote, state: TradingState, now: datetime) -> None:
        """Send a child again that the venue never saw, under its own id and after a new review; else give it up."""
        child = working.child
        self._book.withdraw(child.client_order_id)
        review = self._reviewer.review(child, quote, state, now)
        self.known.hold(child, review.context.worst_fee)
        if review.order is None:
            reasons = "; ".join(row.text for row in review.verdict.reasons)
            self.give_up(working, f"never arrived, and may not be sent again: {reasons}", now)
            return
        working.state = next_state(working.state, OrderEvent.SUBMITTED)
        working.resends += 1
        working.is_absent = False
        working.last_event = now
        self._book.counts.sent(child, now)
        self._submit(working, review.order, now)

    def give_up(self, working: WorkingChild, reason: str, now: datetime) -> None:
        """Close a child that the venue has proved never to have seen, or no longer to know."""
        state = OrderState.EXPIRED if working.is_inherited else OrderState.REJECTED
        self._recorder.of_child(working.child, now, DESK, child_closed(working, state, reason))
        self.known.move(working, next_state(working.state, OrderEvent(state)), now)
        self.known.rejected += not working.is_inherited

    def cancel(self, working: WorkingChild, reason: str, now: datetime) -> None:
        """Ask for a child back; until the venue confirms, it may fill."""
        child = working.child
        asked = events.CancelRequested(client_order_id=child.client_order_id, order_id=child.order_id, reason=reason)
        self._recorder.of_child(child, now, DESK, asked)
        if working.state is not OrderState.PENDING_CANCEL:
            working.state = next_state(working.state, OrderEvent.CANCEL_REQUESTED)
        self.known.count_cancel(working, now)
        working.last_event = now
        try:
            reports = self._venue.cancel(child.client_order_id, now)
        except VenueUnreachable as error:
            self.unanswered += 1
            self.lose(working, error.message, now)
        else:
            self._reviewer.heard(now)
            self.answers.apply(reports)

    def lose(self, working: WorkingChild, reason: str, now: datetime) -> None:
        """No answer: whether the venue did what was asked is not known."""
        before = working.state
        self.known.move(working, next_state(before, OrderEvent.LOST), now)
        if before is not working.state:
            self._recorder.of_child(working.child, now, DESK, child_unresolved(working.child, reason))

    def on_quote(self, quote: Quote) -> tuple[Report, ...]:
        """What the venue makes of a quote. What was missed without an answer, the next reconciliation finds."""
        try:
            reports = self._venue.on_quote(quote)
        except VenueUnreachable:
            self._reviewer.lost()
            return ()
        self._reviewer.heard(quote.ts_event)
        return reports

    def _submit(self, working: WorkingChild, order: ApprovedOrder, now: datetime) -> None:
        try:
            reports = self._venue.submit(order)
        except VenueUnreachable as error:
            self.unanswered += 1
            self.lose(working, error.message, now)
        else:
            self._reviewer.heard(now)
            self.answers.apply(reports)
