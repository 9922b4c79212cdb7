"""The router's own record of one session: its routed children, what their slices hold back, and what was learnt."""

from collections.abc import Iterable
from decimal import Decimal

from ...domain.events import Event
from ...domain.orders import ChildOrder, Fill, OrderState
from ...gate.approval import PlanTerms
from ...memory.sent_orders import SentOrder, rests
from ..orders import OrderEvent
from ..session_book import SessionBook
from ..venues.venue import Busted, Filled, Report, VenueOrder
from .learning import fold
from .routed_order import Part, RoutedOrder, child_of, desk_fill, slice_id
from .state import RoutingState, observe

NEVER_ARRIVED = "it never arrived"


class RoutingBoard:
    """Takes in what venues say of slices. `book` counts slices as the desk's own book counts children."""

    def __init__(self, terms: PlanTerms, state: RoutingState, resume: Iterable[Event]) -> None:
        self.book = SessionBook(terms)
        self._reserved: set[str] = set()
        folded = fold(state, resume)
        self.state, self.orders = folded.state, folded.orders

    def rebook(self, routed: RoutedOrder, venue: str, worst_fee: Decimal) -> None:
        """Count a slice of the log again: its fills, and what it may still do."""
        part = routed.parts[venue]
        child = slice_of(routed.child, venue, part.quantity)
        self.reserve(child, worst_fee)
        for fill in routed.standing():
            if fill.execution_id.endswith(child.client_order_id.removeprefix(routed.child.client_order_id)):
                self._book_fill(fill, child.client_order_id)
        self._release_closed(routed, venue)

    def reserve(self, child: ChildOrder, worst_fee: Decimal) -> None:
        self.book.send(child, price_of(child), worst_fee)
        self._reserved.add(child.client_order_id)

    def inherit(self, sent: SentOrder, venue: str) -> None:
        """Follow an order of an earlier session, which stands at one venue; until now it was counted by its own id."""
        child, executions = sent.child, {fill.execution_id: fill for fill in sent.fills}
        part = Part(child.quantity, OrderState.ACCEPTED, sent.executed)
        routed = RoutedOrder(child, price_of(child), {venue: part}, is_accepted=True)
        routed.executions, routed.busted = executions, set(sent.busted)
        self.orders[child.client_order_id] = routed
        if any(order.client_order_id == child.client_order_id for order in self.book.terms.working):
            self.book.release(child.client_order_id)
        self.reserve(slice_of(child, venue, sent.open_quantity), Decimal(0))

    def withdraw(self, name: str) -> None:
        """As if the slice had never been sent: it is about to be reviewed again."""
        if name in self._reserved:
            self._reserved.discard(name)
            self.book.withdraw(name)

    def take(self, venue: str, report: Report) -> tuple[Report, ...]:
        """A venue's report of a slice as reports of its child; of anything else it comes through as it is."""
        child = child_of(report.client_order_id, venue)
        routed = self.orders.get(child) if child is not None else None
        if child is None or routed is None or venue not in routed.parts:
            return (_foreign(report, venue),)
        known, busted = set(routed.executions), set(routed.busted)
        told = routed.take(venue, report)
        for name, fill in routed.executions.items():
            if name not in known:
                self._book_fill(fill, slice_id(child, venue))
            if name in routed.busted and name not in busted:
                self.book.bust(fill)
        self._release_closed(routed, venue)
        self.learn(routed)
        return told

    def adopt(self, routed: RoutedOrder, venue: str, answer: VenueOrder | None) -> None:
        """Bring one slice to what its venue said when it was asked; the caller tells of the child by its state."""
        part = routed.parts[venue]
        if answer is not None and answer.report is not None:
            self.take(venue, answer.report)
        elif answer is None and part.state is OrderState.UNKNOWN:
            part.move(OrderEvent.REJECTED)
            part.reason = NEVER_ARRIVED
            self._release_closed(routed, venue)

    def learn(self, routed: RoutedOrder) -> None:
        """Once, when the child is over."""
        if routed.has_ended and not routed.is_learnt:
            routed.is_learnt = True
            if rests(routed.child):
                return  # It waited for its price: what it paid says nothing of the venue.
            for outcome in routed.outcomes():
                self.state = observe(self.state, outcome)

    def _book_fill(self, fill: Fill, name: str) -> None:
        self.book.fill(fill.model_copy(update={"client_order_id": name}))

    def _release_closed(self, routed: RoutedOrder, venue: str) -> None:
        name = slice_id(routed.child.client_order_id, venue)
        if name in self._reserved and not routed.parts[venue].is_open:
            self._reserved.discard(name)
            self.book.release(name)


def price_of(child: ChildOrder) -> Decimal:
    """The worst price an order counts at: its limit, or the stop price of one that rests."""
    price = child.limit_price or child.stop_price
    assert price is not None, "a child without a limit or a stop is never spread"
    return price


def slice_of(child: ChildOrder, venue: str, quantity: int) -> ChildOrder:
    """The part of a child that goes to one venue: the same order, under its own id and size."""
    return child.model_copy(update={"client_order_id": slice_id(child.client_order_id, venue), "quantity": quantity})


def _foreign(report: Report, venue: str) -> Report:
    """About nothing this session sent: the execution is told apart by its venue, the rest is the venue's."""
    if isinstance(report, Filled):
        return Filled(desk_fill(report.fill, report.client_order_id, venue))
    if isinstance(report, Busted):
        return Busted(desk_fill(report.fill, report.client_order_id, venue), report.ts_event, report.reason)
    return report
