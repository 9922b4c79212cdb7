"""Rebuilds a session that was cut off from the log's events of its plan: parents, children, fills, schedules."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from ..domain.events import (
    CancelRefused,
    CancelRequested,
    ChildAccepted,
    ChildClosed,
    ChildDenied,
    ChildSubmitted,
    ChildUnresolved,
    Event,
    FillBusted,
    OrderClosed,
    OrderFilled,
    OrderOpened,
    OrderPaced,
    Payload,
    StopFired,
)
from ..domain.orders import OrderState, ParentOrder
from ..memory.sent_orders import SentOrder
from .errors import SessionRefused
from .known_orders import KnownOrders
from .orders import OrderEvent, next_state
from .protection import adopt_exits
from .working import WorkingChild, WorkingParent

_MOVES: dict[type[Payload], OrderEvent] = {
    ChildAccepted: OrderEvent.ACCEPTED,
    CancelRefused: OrderEvent.CANCEL_REFUSED,
    ChildUnresolved: OrderEvent.LOST,
}

_ENDS = {
    OrderState.CANCELED: OrderEvent.CANCELED,
    OrderState.EXPIRED: OrderEvent.EXPIRED,
    OrderState.REJECTED: OrderEvent.REJECTED,
}


@dataclass(frozen=True, slots=True)
class Rested:
    """What the log says of the protective orders of a session that was begun before."""

    is_resumed: bool = False
    sent: tuple[str, ...] = ()
    """Ids of those that it placed."""
    over: frozenset[str] = frozenset()
    """Order ids of which the result is told."""
    fired: frozenset[tuple[str, Decimal | None]] = frozenset()
    """Names and stop prices of those of which it is told that they traded."""
    unsent: tuple[tuple[ParentOrder, Decimal], ...] = ()
    """Those that were opened at a stop price, never sent, and have no result."""


def restore(
    events: Sequence[Event], orders: KnownOrders, parents: dict[str, WorkingParent], *, has_resting: bool = False
) -> Rested:
    """Fold the events, in the order of the log; what is about no order of the plan is left aside.

    The exits that a stop began are known again, and worked no further: the stops of the new session see to the rest.
    Where stops rest at the venue, their orders are known again too, and go on.
    """
    loose: dict[str, tuple[ParentOrder, Decimal]] = {}
    inherited = {working.child.order_id for working in orders.children.values()} if has_resting else set[str]()
    sent, over, fired = dict[str, str](), set[str](), set[tuple[str, Decimal | None]]()
    for event in events:
        payload = event.decoded()
        if event.order_id is None:
            if isinstance(payload, StopFired):
                adopt_exits(payload, event.event_time, parents)
                fired |= set() if payload.exits else {(payload.symbol, payload.stop_price)}
            continue
        parent = parents.get(event.order_id)
        if has_resting and parent is None:
            if isinstance(payload, OrderOpened):
                loose[event.order_id] = payload.order, payload.arrival_price
            elif isinstance(payload, ChildSubmitted):
                sent[event.order_id] = payload.child.client_order_id
            elif isinstance(payload, OrderClosed):
                over.add(event.order_id)
        if parent is None and event.order_id in loose.keys() | inherited:
            _fold(event, payload, orders, None)
            continue
        if parent is None:
            raise SessionRefused(
                f"event {event.seq} is about order {event.order_id}, which is no leg of this plan",
                remedy="Resume with the events of this plan's decision.",
            )
        _fold_parent(payload, parent)
        _fold(event, payload, orders, parent)
    unsent = tuple(item for name, item in loose.items() if name not in over and name not in sent)
    return Rested(bool(events), tuple(sent.values()), frozenset(over), frozenset(fired), unsent)


def as_begun(before: Iterable[SentOrder], events: Sequence[Event]) -> list[SentOrder]:
    """The account's earlier orders as they stood when the session was begun the first time: what these events tell of
    is of the session itself, and not in the portfolio that it began with."""
    payloads = [event.decoded() for event in events if event.order_id is not None]
    made = {item.child.client_order_id for item in payloads if isinstance(item, ChildSubmitted)}
    filled = {item.fill.execution_id for item in payloads if isinstance(item, OrderFilled)}
    busted = {item.execution_id for item in payloads if isinstance(item, FillBusted)}
    ended = {item.client_order_id for item in payloads if isinstance(item, ChildClosed)}
    asked = Counter(item.client_order_id for item in payloads if isinstance(item, CancelRequested))
    return [
        replace(
            sent,
            fills=tuple(fill for fill in sent.fills if fill.execution_id not in filled),
            busted=sent.busted - busted,
            cancels=sent.cancels - asked[name],
            ended=None if name in ended else sent.ended,
        )
        for sent in before
        if (name := sent.child.client_order_id) not in made
    ]


def _fold_parent(payload: Payload, parent: WorkingParent) -> None:
    match payload:
        case OrderOpened():
            parent.arrival_price = payload.arrival_price
        case OrderFilled():
            parent.last_mid = payload.fill.mid_price
        case OrderPaced():
            parent.take_pace(payload)
        case OrderClosed():
            parent.is_closed = True
        case _:
            pass


def _fold(event: Event, payload: Payload, orders: KnownOrders, parent: WorkingParent | None) -> None:
    """A fact about a child; a protective order has no `parent` that is worked."""
    match payload:
        case ChildSubmitted():
            working = orders.begin(payload.child, event.event_time)
            if parent is not None:
                parent.current = working
                parent.resume_after(payload.child)
        case ChildDenied():
            orders.denied += 1
            if parent is not None:
                parent.resume_after(payload.child)
        case OrderFilled():
            orders.take_in(_child(orders, event, payload.fill.client_order_id), payload.fill)
        case FillBusted():
            orders.take_back(payload.fill)
        case ChildClosed():
            working = _child(orders, event, payload.client_order_id)
            orders.rejected += payload.state is OrderState.REJECTED
            orders.move(working, next_state(working.state, _ENDS[payload.state]), event.event_time)
        case CancelRequested():
            working = _child(orders, event, payload.client_order_id)
            orders.count_cancel(working, event.event_time)
            if working.state is not OrderState.PENDING_CANCEL:
                orders.move(working, next_state(working.state, OrderEvent.CANCEL_REQUESTED), event.event_time)
        case ChildAccepted() | CancelRefused() | ChildUnresolved():
            working = _child(orders, event, payload.client_order_id)
            working.is_acknowledged |= isinstance(payload, ChildAccepted)
            orders.move(working, next_state(working.state, _MOVES[type(payload)]), event.event_time)
        case _:
            pass


def _child(orders: KnownOrders, event: Event, client_order_id: str) -> WorkingChild:
    working = orders.children.get(client_order_id)
    if working is None:
        raise SessionRefused(
            f"event {event.seq} is about child {client_order_id}, of which no ChildSubmitted came before",
            remedy="Resume with all events of the plan, from its first one on.",
        )
    return working
