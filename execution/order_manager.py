"""The only place that sends: keeps every child's state, books each execution once, and loses no report.

A child is in the log before it is at the venue. A call without an answer makes it UNKNOWN: it stays counted at
its worst case and is never replaced by another id; only the venue's own word leads out (`reconcile.py`).
Whatever the venue says that can't be is not an exception but a difference: real money is still booked, what
belongs to no order of ours is kept apart, and the session halts on it.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from ..domain import events
from ..domain.control_events import BookDifference
from ..domain.market import Quote
from ..domain.orders import ChildOrder, Fill, OrderState
from ..domain.trading import TradingState
from ..gate.approval import ApprovedOrder
from ..memory.sent_orders import SentOrder
from ..storage.errors import StoreError
from .errors import OrderIdReused, VenueUnreachable
from .order_facts import Answer, answer_fact, belongs, child_closed, contradiction, fill_event, shares
from .orders import TRANSITIONS, OrderEvent, next_state
from .recorder import DESK, GATE, Recorder
from .reviewing import Reviewer
from .session_book import SessionBook
from .venues.venue import Accepted, Busted, Canceled, CancelRefused, Expired, Filled, Rejected, Report, Venue
from .working import WorkingChild

_EVENTS: dict[type[Answer], OrderEvent] = {
    Accepted: OrderEvent.ACCEPTED,
    Rejected: OrderEvent.REJECTED,
    Canceled: OrderEvent.CANCELED,
    CancelRefused: OrderEvent.CANCEL_REFUSED,
    Expired: OrderEvent.EXPIRED,
}


class OrderManager:
    """The children of one session at one venue, and those of earlier plans that the account knows."""

    def __init__(self, venue: Venue, book: SessionBook, reviewer: Reviewer, recorder: Recorder) -> None:
        self._venue, self._book, self._reviewer, self._recorder = venue, book, reviewer, recorder
        self.children: dict[str, WorkingChild] = {}
        self.open: dict[str, WorkingChild] = {}
        """Those that may still fill, UNKNOWN ones included."""
        self.executions: dict[str, Fill] = {}
        """Every execution ever told, by its id: booked, taken back, or kept apart."""
        self.inherited: set[str] = set()
        """Those of earlier plans: in the portfolio that this plan began with."""
        self.busted: set[str] = set()
        self.quarantined: set[str] = set()
        self.differences: list[BookDifference] = []
        """What the venue said that can't be, until the session has told it."""
        self.sent = self.denied = self.rejected = 0
        self._fills: dict[str, Fill] = {}
        self._fills_of: dict[str, dict[str, Fill]] = defaultdict(dict)

    @property
    def fills(self) -> tuple[Fill, ...]:
        """The executions that stand, in the order they were booked."""
        return tuple(self._fills.values())

    def standing(self) -> Iterable[Fill]:
        """The same, without a copy."""
        return self._fills.values()

    def fills_of(self, order_id: str) -> tuple[Fill, ...]:
        return tuple(self._fills_of[order_id].values())

    @property
    def unresolved(self) -> tuple[WorkingChild, ...]:
        return tuple(item for item in self.open.values() if item.state is OrderState.UNKNOWN)

    def inherit(self, sent: SentOrder) -> None:
        """Know an order of an earlier plan; one that is open is unresolved until the venue has said what it is."""
        child, is_open = sent.child, sent.open_quantity > 0
        state = OrderState.UNKNOWN if is_open else sent.ended or OrderState.FILLED
        working = WorkingChild(child, child.created_at, state, sent.executed, is_inherited=True)
        self.children[child.client_order_id] = working
        if is_open:
            self.open[child.client_order_id] = working
        self.executions |= {fill.execution_id: fill for fill in sent.fills}
        self.inherited.update(fill.execution_id for fill in sent.fills)
        self.busted |= sent.busted

    def send(self, child: ChildOrder, quote: Quote, state: TradingState, now: datetime) -> WorkingChild | None:
        """Have a child reviewed, tell it, and send it; None when the gate refused it, or the log would not take it."""
        if child.client_order_id in self.children:
            raise OrderIdReused(
                f"{child.client_order_id} was sent before", remedy="Send each sequence of a parent once, or resend it."
            )
        review = self._reviewer.review(child, quote, state, now)
        if review.order is None:
            self.denied += 1
            self._recorder.of_order(child.order_id, now, GATE, events.ChildDenied(child=child, verdict=review.verdict))
            return None
        submitted = events.ChildSubmitted(child=child, verdict_hash=review.verdict_hash)
        try:
            self._recorder.of_order(child.order_id, now, DESK, submitted)
        except StoreError:
            # What is not in the log is not at the venue; and the gate refuses what follows until the log takes it.
            return None
        working = self.begin(child, now)
        self._submit(working, review.order, now)
        return working

    def resend(self, working: WorkingChild, quote: Quote, state: TradingState, now: datetime) -> None:
        """Send a child again that the venue never saw, under its own id and after a new review; else give it up."""
        child = working.child
        self._book.withdraw(child.client_order_id)
        review = self._reviewer.review(child, quote, state, now)
        self._hold(child)
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
        self._tell(working.child, now, DESK, child_closed(working, state, reason))
        self.move(working, next_state(working.state, OrderEvent(state)), now)
        self.rejected += not working.is_inherited

    def cancel(self, working: WorkingChild, reason: str, now: datetime) -> None:
        """Ask for a child back; until the venue confirms, it may fill."""
        child = working.child
        asked = events.CancelRequested(client_order_id=child.client_order_id, order_id=child.order_id, reason=reason)
        self._tell(child, now, DESK, asked)
        if working.state is not OrderState.PENDING_CANCEL:
            working.state = next_state(working.state, OrderEvent.CANCEL_REQUESTED)
        self.count_cancel(working, now)
        working.last_event = now
        try:
            reports = self._venue.cancel(child.client_order_id, now)
        except VenueUnreachable as error:
            self.lose(working, error.message, now)
        else:
            self._reviewer.heard(now)
            self.apply(reports)

    def count_cancel(self, working: WorkingChild, at: datetime) -> None:
        working.cancels += 1
        self._book.counts.canceled(at)

    def lose(self, working: WorkingChild, reason: str, now: datetime) -> None:
        """No answer: whether the venue did what was asked is not known."""
        before = working.state
        self.move(working, next_state(before, OrderEvent.LOST), now)
        if before is not working.state:
            child = working.child
            lost = events.ChildUnresolved(client_order_id=child.client_order_id, order_id=child.order_id, reason=reason)
            self._tell(child, now, DESK, lost)

    def on_quote(self, quote: Quote) -> None:
        """What the venue makes of a quote. What was missed without an answer, the next reconciliation finds."""
        try:
            reports = self._venue.on_quote(quote)
        except VenueUnreachable:
            self._reviewer.lost()
        else:
            self._reviewer.heard(quote.ts_event)
            self.apply(reports)

    def apply(self, reports: Iterable[Report]) -> None:
        """Take in what the venue says: in any order, repeated, late, or about something we never sent."""
        for report in reports:
            match report:
                case Filled():
                    self._fill(report.fill)
                case Busted():
                    self._bust(report)
                case _:
                    self._answer(report)

    def begin(self, child: ChildOrder, now: datetime) -> WorkingChild:
        """From now on the child counts as sent."""
        self.sent += 1
        self._book.counts.sent(child, now)
        working = WorkingChild(child, now, next_state(OrderState.INTENDED, OrderEvent.SUBMITTED))
        self.children[child.client_order_id] = self.open[child.client_order_id] = working
        self._hold(child)
        return working

    def move(self, working: WorkingChild, state: OrderState, at: datetime) -> None:
        """Into a state of the table; a child that is over holds nothing back any more."""
        working.state = state
        working.last_event = max(working.last_event, at)
        name = working.child.client_order_id
        if not working.is_open and self.open.pop(name, None) is not None:
            self._book.release(name)

    def take_in(self, working: WorkingChild, fill: Fill) -> None:
        """Book an execution of a child; what the child's state makes of it is the table's."""
        working.executed += fill.quantity
        working.is_acknowledged = True
        working.is_absent = False
        after = TRANSITIONS.get((working.state, fill_event(working)), working.state)
        self.executions[fill.execution_id] = self._fills[fill.execution_id] = fill
        self._fills_of[fill.order_id][fill.execution_id] = fill
        self._book.fill(fill)
        self.move(working, after, fill.ts_event)

    def take_back(self, fill: Fill) -> None:
        """An execution never counted; the child stays in its state, and the rest of its parent is due again."""
        self.busted.add(fill.execution_id)
        del self._fills[fill.execution_id], self._fills_of[fill.order_id][fill.execution_id]
        self._book.bust(fill)

    def contradict(self, difference: BookDifference) -> None:
        if difference not in self.differences:
            self.differences.append(difference)

    def _tell(self, child: ChildOrder, at: datetime, actor: events.Actor, payload: events.Payload) -> None:
        """A fact about a child, under the decision that sent it."""
        self._recorder.of_order(child.order_id, at, actor, payload, decision_id=child.decision_id)

    def _hold(self, child: ChildOrder) -> None:
        assert child.limit_price is not None, "the desk sends no order without a limit"
        self._book.send(child, child.limit_price, self._reviewer.worst_fee(child))

    def _submit(self, working: WorkingChild, order: ApprovedOrder, now: datetime) -> None:
        try:
            reports = self._venue.submit(order)
        except VenueUnreachable as error:
            self.lose(working, error.message, now)
        else:
            self._reviewer.heard(now)
            self.apply(reports)

    def _fill(self, fill: Fill) -> None:
        told = self.executions.get(fill.execution_id)
        if told is not None:
            if told != fill:
                text = f"execution {fill.execution_id} was told twice with different content"
                self.contradict(contradiction("unknown_fill", fill.execution_id, shares(told), shares(fill), text))
            return
        working = self.children.get(fill.client_order_id)
        if working is None or not belongs(fill, working.child):
            self.executions[fill.execution_id] = fill
            self.quarantined.add(fill.execution_id)
            text = (
                f"execution {fill.execution_id} is of {fill.client_order_id}, which this session never sent like that"
            )
            self.contradict(contradiction("unknown_fill", fill.execution_id, "nothing sent", shares(fill), text))
            return
        self._tell(working.child, fill.ts_event, self._recorder.by_venue, events.OrderFilled(fill=fill))
        before = working.state
        self.take_in(working, fill)
        sent = working.child.quantity
        if working.executed > sent or (before, fill_event(working)) not in TRANSITIONS:
            theirs = f"{working.executed} executed"
            text = f"{fill.client_order_id}: {working.executed} shares executed of {sent} sent, in state {before}"
            self.contradict(contradiction("order_state", fill.client_order_id, f"{sent} sent, {before}", theirs, text))

    def _bust(self, report: Busted) -> None:
        fill = report.fill
        if fill.execution_id in self.busted:
            return
        working = self.children.get(fill.client_order_id)
        booked = self._fills.get(fill.execution_id, fill)
        kept_apart = fill.execution_id in self.quarantined | self.inherited
        if kept_apart or working is None or not belongs(fill, working.child) or booked != fill:
            text = f"a bust of execution {fill.execution_id} does not fit what was booked"
            self.contradict(contradiction("unknown_fill", fill.execution_id, "another one", shares(fill), text))
            return
        # A bust that overtook its execution: both happened.
        self._fill(fill)
        payload = events.FillBusted(execution_id=fill.execution_id, fill=fill, reason=report.reason)
        self._tell(working.child, report.ts_event, self._recorder.by_venue, payload)
        self.take_back(fill)

    def _answer(self, report: Answer) -> None:
        name = report.client_order_id
        working, event = self.children.get(name), _EVENTS[type(report)]
        if working is None:
            text = f"the venue reports {event} for {name}, which this session never sent"
            self.contradict(contradiction("unknown_order", name, "never sent", event, text))
            return
        before = working.state
        after = TRANSITIONS.get((before, event))
        if after is None:
            text = f"{name}: the venue says {event}, but here it is {before}"
            self.contradict(contradiction("order_state", name, before, event, text))
            return
        if event is not OrderEvent.CANCEL_REFUSED:
            working.is_acknowledged, working.is_absent = True, False
        payload = answer_fact(working, report, after)
        if payload is not None and (after is not before or before is OrderState.UNKNOWN):
            self.rejected += event is OrderEvent.REJECTED
            self._tell(working.child, report.ts_event, self._recorder.by_venue, payload)
        self.move(working, after, report.ts_event)
