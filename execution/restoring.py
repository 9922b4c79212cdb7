"""Rebuilds a session that was cut off from the log's events of its plan: parents, children, fills, schedules."""

from collections.abc import Iterable

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
from ..domain.orders import OrderState
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


def restore(events: Iterable[Event], orders: KnownOrders, parents: dict[str, WorkingParent]) -> None:
    """Fold the events, in the order of the log; what is about no order of the plan is left aside.

    The exits that a stop began are known again, and worked no further: the stops of the new session see to the rest.
    """
    for event in events:
        if event.order_id is None:
            payload = event.decoded()
            if isinstance(payload, StopFired):
                adopt_exits(payload, event.event_time, parents)
            continue
        parent = parents.get(event.order_id)
        if parent is None:
            raise SessionRefused(
                f"event {event.seq} is about order {event.order_id}, which is no leg of this plan",
                remedy="Resume with the events of this plan's decision.",
            )
        _fold(event, event.decoded(), orders, parent)


def _fold(event: Event, payload: Payload, orders: KnownOrders, parent: WorkingParent) -> None:
    match payload:
        case OrderOpened():
            parent.arrival_price = payload.arrival_price
        case ChildSubmitted():
            parent.current = orders.begin(payload.child, event.event_time)
            parent.resume_after(payload.child)
        case ChildDenied():
            orders.denied += 1
            parent.resume_after(payload.child)
        case OrderFilled():
            parent.last_mid = payload.fill.mid_price
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
        case OrderPaced():
            parent.take_pace(payload)
        case OrderClosed():
            parent.is_closed = True
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
