"""Splits one child over several venues and has every slice reviewed by the gate before any of it is sent."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

import numpy as np

from ...domain.events import EvidenceRecorded
from ...domain.market import Quote
from ...domain.orders import ChildOrder, Side
from ...domain.trading import TradingState, TradingStates
from ...gate.approval import ApprovedOrder, ApprovedPlan
from ...gate.gate import review_child
from ...gate.limits import Limits
from ...memory.sent_orders import rests
from ...tools.ledger import Ledger
from ...tools.venues import routing_choice
from ..errors import VenueUnreachable
from ..orders import OrderEvent
from ..recorder import DESK, Recorder
from ..venues.venue import Venue, VenueTerms
from ..watching import SessionWatch
from .allocation import allocate
from .board import RoutingBoard, price_of, slice_of
from .errors import RoutingRefused
from .routed_order import Part, RoutedOrder
from .state import RoutingState


@dataclass(frozen=True, slots=True)
class Destination:
    """A venue, and the part of the consolidated sizes that is shown there: own orders can use no size up twice."""

    venue: Venue
    shown_frac: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 < self.shown_frac <= 1.0:
            raise RoutingRefused(
                f"{self.venue.name} shows {self.shown_frac} of the sizes, expected above 0 and at most 1",
                remedy="Give the part of the consolidated sizes that is shown at this venue.",
            )

    def quote(self, quote: Quote) -> Quote:
        if self.shown_frac == 1.0:
            return quote
        bid, ask = int(quote.bid_size * self.shown_frac), int(quote.ask_size * self.shown_frac)
        return replace(quote, bid_size=bid, ask_size=ask)


@dataclass(frozen=True, slots=True)
class Spread:
    """A child with its parts, and the approved order of each; without any the child goes nowhere."""

    routed: RoutedOrder
    orders: Mapping[str, ApprovedOrder]


class Spreader:
    """Decides where a child goes. What the gate refuses of it stays unsent, and the child says so when it ends."""

    def __init__(
        self,
        approved: ApprovedPlan,
        venues: Mapping[str, Destination],
        board: RoutingBoard,
        limits: Limits,
        watch: SessionWatch,
        recorder: Recorder,
    ) -> None:
        self._approved, self._venues, self._board = approved, venues, board
        self._exits: dict[str, ApprovedPlan] = {}
        self._limits, self._watch, self._recorder = limits, watch, recorder

    def admit(self, approved: ApprovedPlan) -> None:
        """Review the children of this plan as well, each by its own approval."""
        self._exits |= dict.fromkeys(approved.terms.legs, approved)

    def spread(self, child: ChildOrder, quote: Quote | None, answering: Collection[str]) -> Spread:
        """Told in the log before this returns: who gets how much of it, and on what record."""
        if quote is None or (child.limit_price is None and not rests(child)):
            missing = "a quote" if quote is None else "a limit price"
            return _nowhere(child, f"{child.client_order_id} has not {missing} to be spread by")
        at = max(child.created_at, quote.ts_event)
        states = self._watch.states(at)
        open_to = [name for name in answering if self._may_trade(child, name, states)]
        if not open_to:
            return _nowhere(child, "no venue answers and may be traded at")
        lot, state = self._approval_of(child).terms.legs[child.order_id].lot, self._board.state
        if rests(child):
            # Whole, and at the first that can be asked: it fires by one market's prices.
            split = {open_to[0]: child.quantity}
        else:
            split = allocate(state, child.quantity, lot, open_to, child_rng(state, child))
        orders, denied = dict[str, ApprovedOrder](), list[str]()
        for venue, quantity in split.items():
            order, reason = self._review(slice_of(child, venue, quantity), venue, quote, at)
            if order is not None:
                orders[venue] = order
            else:
                denied.append(f"{venue}: {reason}")
        if not orders:
            return _nowhere(child, "; ".join(denied))
        touch = child.stop_price or (quote.ask if child.side is Side.BUY else quote.bid)
        parts = {venue: Part(split[venue]) for venue in orders}
        routed = RoutedOrder(child, touch, parts, denied="; ".join(denied))
        self._tell(routed, at)
        return Spread(routed, orders)

    def review_again(self, routed: RoutedOrder, quote: Quote | None) -> dict[str, ApprovedOrder]:
        """The slices nobody answered for, each for its own venue; one the gate now refuses is over."""
        child, orders = routed.child, dict[str, ApprovedOrder]()
        for venue in routed.unanswered:
            part = routed.parts[venue]
            again = slice_of(child, venue, part.quantity)
            self._board.withdraw(again.client_order_id)
            order, reason = None, f"no quote of {child.symbol}"
            if quote is not None:
                order, reason = self._review(again, venue, quote, max(child.created_at, quote.ts_event))
            if order is not None:
                orders[venue] = order
            else:
                part.move(OrderEvent.REJECTED)
                part.reason = f"may not be sent again: {reason}"
        return orders

    def worst_fee(self, venue: str, child: ChildOrder, quantity: int) -> Decimal:
        return self._venues[venue].venue.worst_fee(quantity, price_of(child))

    def _approval_of(self, child: ChildOrder) -> ApprovedPlan:
        return self._exits.get(child.order_id, self._approved)

    def _may_trade(self, child: ChildOrder, venue: str, states: TradingStates) -> bool:
        """Neither the desk nor the venue has halted it there; a venue that can't say is not asked to trade. Of a stop
        that protects a position the gate says whether the desk's halt is one for it."""
        if states.of(child.symbol, venue=venue) is TradingState.HALTED and not rests(child):
            return False
        terms = self._terms(child.symbol, venue)
        return terms is not None and terms.is_open and not terms.is_halted

    def _terms(self, symbol: str, venue: str) -> VenueTerms | None:
        try:
            return self._venues[venue].venue.terms(symbol)
        except VenueUnreachable:
            return None

    def _review(self, child: ChildOrder, venue: str, quote: Quote, at: datetime) -> tuple[ApprovedOrder | None, str]:
        """The gate's answer to one slice; one that may go holds its worst case back from the next."""
        fee = self.worst_fee(venue, child, child.quantity)
        state = self._watch.states(at).of(child.symbol, venue=venue)
        # Hours, connection and books were reviewed with the child a moment ago; here the venue's word counts.
        terms, is_writable = self._terms(child.symbol, venue), self._recorder.health.is_writable
        seen = self._venues[venue].quote(quote)
        context = self._board.book.context(child, seen, fee, state, at, terms, True, True, True, is_writable, 0.0)
        review = review_child(child, self._approval_of(child), context, self._limits, at)
        if review.order is None:
            return None, "; ".join(row.text for row in review.verdict.reasons)
        self._board.reserve(child, fee)
        return review.order, ""

    def _tell(self, routed: RoutedOrder, at: datetime) -> None:
        child, state = routed.child, self._board.state
        slices = {record.venue: record.slices for record in state.venues}
        split = {venue: part.quantity for venue, part in routed.parts.items()}
        ledger = Ledger(at, self._approval_of(child).terms.state_version)
        entry = routing_choice(ledger, child, routed.touch, state.terms.rule.value, slices, split)
        told = EvidenceRecorded(decision_id=child.decision_id, entries=(entry,))
        self._recorder.of_order(child.order_id, at, DESK, told, decision_id=child.decision_id)


def child_rng(state: RoutingState, child: ChildOrder) -> np.random.Generator:
    """From the child's id: the same child is spread alike by whoever routes it, also after a restart."""
    digest = hashlib.sha256(child.client_order_id.encode()).digest()
    return np.random.default_rng([state.terms.seed, int.from_bytes(digest[:8], "big")])


def _nowhere(child: ChildOrder, reason: str) -> Spread:
    """Sent to nobody, which is an answer and no doubt: the child is refused at once."""
    return Spread(RoutedOrder(child, Decimal(0), {}, denied=reason), {})
