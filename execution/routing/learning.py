"""Folds the log into what the router knows: where each child was sent, what came of it, and what is still open."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from ...domain.events import ChildClosed, ChildSubmitted, Event, EvidenceRecorded, FillBusted, OrderFilled, Payload
from ...domain.orders import ChildOrder, Fill, OrderState
from ...memory.sent_orders import rests
from ...tools.venues import routed_split
from .routed_order import SEPARATOR, Part, RoutedOrder
from .state import RoutingState, observe


@dataclass(frozen=True, slots=True)
class Folded:
    """The state after some events, and every routed child in them; those still open wait for their venues' word."""

    state: RoutingState
    orders: dict[str, RoutedOrder]


def fold(state: RoutingState, events: Iterable[Event]) -> Folded:
    """In the order of the log; events that are not about routed children change nothing.

    A child counts once, when it is over: filled in full, or closed. What was sent is what was recorded before it
    was sent, so a slice that an outage swallowed counts against its venue.
    """
    folding = Folding(state)
    for event in events:
        folding.take(event.decoded())
    return Folded(folding.state, folding.orders)


class Folding:
    """The fold as it goes on: fact by fact."""

    def __init__(self, state: RoutingState) -> None:
        self.state = state
        self.orders: dict[str, RoutedOrder] = {}
        self._children: dict[str, ChildOrder] = {}

    def take(self, payload: Payload) -> None:
        match payload:
            case ChildSubmitted():
                self._children[payload.child.client_order_id] = payload.child
            case EvidenceRecorded():
                for found in map(routed_split, payload.entries):
                    if found is not None:
                        self._spread(*found)
            case OrderFilled():
                self._fill(payload.fill)
            case FillBusted():
                routed = self.orders.get(payload.fill.client_order_id)
                if routed is not None:
                    routed.busted.add(payload.execution_id)
            case ChildClosed():
                routed = self.orders.get(payload.client_order_id)
                if routed is not None:
                    for part in routed.parts.values():
                        part.state = payload.state if part.is_open else part.state
                    self._learn(routed)
            case _:
                pass

    def forget_ended(self) -> None:
        """Leave out the children that are over: what they taught is in the state."""
        self.orders = {name: routed for name, routed in self.orders.items() if not routed.is_learnt}
        self._children.clear()

    def _spread(self, name: str, touch: Decimal, split: dict[str, int]) -> None:
        child = self._children.get(name)
        if child is not None:
            # Until a venue says more of it, nobody knows whether its slice arrived.
            parts = {venue: Part(quantity, OrderState.UNKNOWN) for venue, quantity in split.items()}
            self.orders[name] = RoutedOrder(child, touch, parts)

    def _fill(self, fill: Fill) -> None:
        routed = self.orders.get(fill.client_order_id)
        if routed is None or fill.execution_id in routed.executions:
            return
        part = routed.parts.get(fill.execution_id.rpartition(SEPARATOR)[2])
        if part is not None:
            routed.book(part, fill)
            if routed.executed >= routed.child.quantity:
                self._learn(routed)

    def _learn(self, routed: RoutedOrder) -> None:
        if routed.is_learnt:
            return
        routed.has_ended = routed.is_learnt = True
        if rests(routed.child):
            return
        for outcome in routed.outcomes():
            self.state = observe(self.state, outcome)
