"""Several venues as one: spreads each child over them, has every slice reviewed by the gate, and tells of the child.

The session and the order manager see one venue. Each slice goes to its venue under the child's id and the venue's
name, as an order of its own that the gate has passed at the venue's fee, quote and trading state. What nobody
answered stays where it was sent: a slice is sent again only under its id and to its venue, and new children go
around a venue that does not answer until it has answered a question.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from ...domain.events import Event
from ...domain.market import Quote
from ...domain.orders import ChildOrder
from ...gate.approval import ApprovedOrder, ApprovedPlan, genuine_order
from ...gate.limits import Limits
from ...memory.sent_orders import SentOrder
from ..errors import OrderIdReused, VenueUnreachable
from ..orders import OrderEvent
from ..recorder import Emit, Recorder
from ..venues.venue import Busted, CancelRefused, Filled, Report, Venue, VenueOrder, VenueTerms
from ..watching import SessionWatch, Unwatched
from .board import RoutingBoard
from .errors import RoutingRefused
from .routed_order import Part, RoutedOrder, child_of, slice_id
from .spreading import Destination, Spreader
from .state import RoutingState

UNWATCHED = Unwatched()

T = TypeVar("T")


class RoutedVenue:
    """One session's children over several venues; see the module for what it promises."""

    def __init__(
        self,
        approved: ApprovedPlan,
        destinations: Sequence[Destination],
        state: RoutingState,
        limits: Limits,
        emit: Emit,
        *,
        run_id: str,
        name: str = "router",
        watch: SessionWatch = UNWATCHED,
        resume: Iterable[Event] = (),
    ) -> None:
        """`state` is what the log held before this plan; `resume` its events of this plan, when it was begun before."""
        self._venues = {item.venue.name: item for item in destinations}
        if len(self._venues) < len(destinations) or set(self._venues) != set(state.names):
            raise RoutingRefused(
                f"{len(destinations)} venues {', '.join(self._venues)} and a record of {', '.join(state.names)}, "
                "expected the same names, each once",
                remedy="Make the record with new_state for these venues and fold the log into it.",
            )
        self._name = name
        self._board = RoutingBoard(approved.terms, state, resume)
        recorder = Recorder(emit, run_id, approved.terms.decision_id, name)
        self._spreader = Spreader(approved, self._venues, self._board, limits, watch, recorder)
        self._quotes: dict[str, Quote] = {}
        self._down: set[str] = set()
        self._waiting: list[Report] = []
        """What venues said in a call that could not be answered as a whole; told with the next one that can."""
        for routed in self._board.orders.values():
            for venue, part in routed.parts.items():
                self._board.rebook(routed, venue, self._spreader.worst_fee(venue, routed.child, part.quantity))

    def admit(self, approved: ApprovedPlan) -> None:
        """Its slices are reviewed by this approval."""
        self._spreader.admit(approved)

    def take_over(self, orders: Iterable[tuple[SentOrder, str]]) -> None:
        """Begin the session with what stands since an earlier one, each at its venue, which has taken it over."""
        for sent, venue in orders:
            self._board.inherit(sent, venue)

    @property
    def name(self) -> str:
        return self._name

    @property
    def state(self) -> RoutingState:
        """What is known now; equal to the fold of the log so far."""
        return self._board.state

    def worst_fee(self, quantity: int, price: Decimal) -> Decimal:
        """Every venue's own minimum may be due: no split costs more than all of it at each."""
        return sum((item.venue.worst_fee(quantity, price) for item in self._venues.values()), Decimal(0))

    def terms(self, symbol: str) -> VenueTerms:
        """Open while one venue that answers is, halted when all that are open are; bands are the narrowest of all."""
        known: list[VenueTerms] = []
        for venue, item in self._venues.items():
            # Of a venue that owes an answer nothing is asked here: this says what may trade, not what became of it.
            if venue not in self._down:
                with suppress(VenueUnreachable):
                    known.append(item.venue.terms(symbol))
        entered = [terms for terms in known if terms.is_open]
        bands = [terms.price_band for terms in entered if terms.price_band is not None]
        shut = [terms.on_close_until for terms in entered if terms.on_close_until is not None]
        return VenueTerms(
            is_open=bool(entered),
            is_halted=bool(entered) and all(terms.is_halted for terms in entered),
            price_band=(max(low for low, _ in bands), min(high for _, high in bands)) if bands else None,
            # A child is spread over them all, so all of them have to hold the auction.
            on_close_until=min(shut) if shut and len(shut) == len(entered) else None,
        )

    def submit(self, order: ApprovedOrder) -> tuple[Report, ...]:
        child = genuine_order(order)
        known = self._board.orders.get(child.client_order_id)
        if known is None:
            return self._delivered(*self._route(child))
        if known.child != child:
            raise OrderIdReused(
                f"{child.client_order_id}: already used for another order at {self._name}",
                remedy="Derive the id from decision, leg and sequence, and send each sequence once.",
            )
        if not known.unanswered:
            return self._delivered(list(known.reports))
        return self._delivered(*self._send_again(known))

    def cancel(self, client_order_id: str, at: datetime) -> tuple[Report, ...]:
        routed = self._board.orders.get(client_order_id)
        if routed is None or routed.is_over:
            reason = "no such order" if routed is None else "the order is no longer open"
            return self._delivered([CancelRefused(client_order_id, at, reason)])
        told, lost = list[Report](), list[str]()
        for venue, part in routed.parts.items():
            if part.is_open:
                part.move(OrderEvent.CANCEL_REQUESTED)
                name = slice_id(client_order_id, venue)
                told += self._asked(venue, lambda where, name=name: where.cancel(name, at), lost, part)
        if not lost and not routed.is_over:
            told.append(CancelRefused(client_order_id, at, "part of it may still fill"))
        return self._delivered(told, lost)

    def cancel_all(self, at: datetime) -> tuple[Report, ...]:
        told, lost = list[Report](), list[str]()
        for venue in self._venues:
            told += self._asked(venue, lambda where: where.cancel_all(at), lost)
        return self._delivered(told, lost)

    def on_quote(self, quote: Quote) -> tuple[Report, ...]:
        """To every venue; one that can't be reached is heard again in the next reconciliation."""
        self._quotes[quote.symbol] = quote
        told = list[Report]()
        for venue, item in self._venues.items():
            is_down = venue in self._down
            told += self._asked(venue, lambda where, seen=item.quote(quote): where.on_quote(seen), [])
            if is_down:
                # That a quote went through says nothing of orders: only an answer to a question does.
                self._down.add(venue)
        return self._delivered(told)

    def close(self, at: datetime) -> tuple[Report, ...]:
        told = list[Report]()
        for venue in self._venues:
            told += self._asked(venue, lambda where: where.close(at), [])
        return self._delivered(told)

    def order(self, client_order_id: str) -> VenueOrder | None:
        routed = self._board.orders.get(client_order_id)
        places = self._venues if routed is None else routed.parts
        answers: dict[str, VenueOrder] = {}
        for venue in places:
            name = slice_id(client_order_id, venue)
            answer = self._question(venue, lambda where, name=name: where.order(name))
            if answer is not None:
                answers[venue] = answer
        if routed is None:
            # Not ours: shown as the venue has it, so that whoever compares finds it wrong.
            return next((replace(answer, client_order_id=client_order_id) for answer in answers.values()), None)
        if routed.parts and not answers and set(routed.unanswered) == set(routed.parts):
            return None
        at = max((answer.ts_event for answer in answers.values()), default=routed.child.created_at)
        for venue, part in routed.parts.items():
            answer = answers.get(venue)
            if answer is not None and answer.executed != part.executed:
                self._waiting += self._pulled(venue)
            self._board.adopt(routed, venue, answer)
        routed.settle(at)
        self._board.learn(routed)
        return routed.seen(at)

    def open_orders(self) -> tuple[VenueOrder, ...]:
        ours, foreign = set[str](), list[VenueOrder]()
        for venue in self._venues:
            for item in self._question(venue, lambda where: where.open_orders()):
                child = child_of(item.client_order_id, venue)
                if child in self._board.orders:
                    ours.add(child)
                else:
                    foreign.append(item)
        seen = (self.order(name) for name in sorted(ours))
        return (*(item for item in seen if item is not None), *foreign)

    def executions(self) -> tuple[Filled | Busted, ...]:
        found = [report for venue in self._venues for report in self._pulled(venue)]
        trades = [report for report in found if isinstance(report, Filled | Busted)]
        self._waiting += [report for report in found if not isinstance(report, Filled | Busted)]
        return tuple(sorted(trades, key=lambda report: report.ts_event))

    def positions(self) -> Mapping[str, int] | None:
        held: dict[str, int] = {}
        for venue in self._venues:
            theirs = self._question(venue, lambda where: where.positions())
            if theirs is None:
                return None
            for symbol, quantity in theirs.items():
                held[symbol] = held.get(symbol, 0) + quantity
        return {symbol: quantity for symbol, quantity in held.items() if quantity}

    def cash(self) -> Decimal | None:
        amounts = [self._question(venue, lambda where: where.cash()) for venue in self._venues]
        known = [amount for amount in amounts if amount is not None]
        return sum(known, Decimal(0)) if len(known) == len(amounts) else None

    def _route(self, child: ChildOrder) -> tuple[list[Report], list[str]]:
        """Spread a new child, tell where it goes, and only then send it."""
        answering = [name for name in self._venues if name not in self._down]
        spread = self._spreader.spread(child, self._quotes.get(child.symbol), answering)
        self._board.orders[child.client_order_id] = spread.routed
        if not spread.orders:
            return list(spread.routed.settle(child.created_at)), []
        return self._sent(spread.routed, spread.orders)

    def _send_again(self, routed: RoutedOrder) -> tuple[list[Report], list[str]]:
        """Slices that nobody answered for: under their own ids, to their own venues, after a new review."""
        orders = self._spreader.review_again(routed, self._quotes.get(routed.child.symbol))
        told, lost = self._sent(routed, orders)
        told += routed.settle(routed.child.created_at)
        self._board.learn(routed)
        return told, lost

    def _sent(self, routed: RoutedOrder, orders: Mapping[str, ApprovedOrder]) -> tuple[list[Report], list[str]]:
        told, lost = list[Report](), list[str]()
        for venue in orders:
            routed.parts[venue].move(OrderEvent.SUBMITTED)
        for venue, order in orders.items():
            told += self._asked(venue, lambda where, order=order: where.submit(order), lost, routed.parts[venue])
        return told, lost

    def _asked(
        self, venue: str, call: Callable[[Venue], Iterable[Report]], lost: list[str], part: Part | None = None
    ) -> list[Report]:
        """What a venue answers, as reports of children; no answer is noted, and the slice's outcome is unknown."""
        try:
            reports = call(self._venues[venue].venue)
        except VenueUnreachable:
            self._down.add(venue)
            lost.append(venue)
            if part is not None:
                part.move(OrderEvent.LOST)
            return []
        self._down.discard(venue)
        return [told for report in reports for told in self._board.take(venue, report)]

    def _question(self, venue: str, call: Callable[[Venue], T]) -> T:
        try:
            answer = call(self._venues[venue].venue)
        except VenueUnreachable:
            self._down.add(venue)
            raise
        self._down.discard(venue)
        return answer

    def _pulled(self, venue: str) -> list[Report]:
        """All executions of a venue, taken in and told as their children's."""
        reports = self._question(venue, lambda where: where.executions())
        return [told for report in reports for told in self._board.take(venue, report)]

    def _delivered(self, told: list[Report], lost: Sequence[str] = ()) -> tuple[Report, ...]:
        self._waiting += told
        if lost:
            raise VenueUnreachable(
                f"{', '.join(lost)}: no answer", remedy="Reconcile before anything is sent again in its place."
            )
        found, self._waiting = tuple(self._waiting), []
        return found
