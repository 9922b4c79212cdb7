"""What the log says of one child, and of what a venue told about it that can't be."""

from typing import Literal

from ..domain import events
from ..domain.control_events import BookDifference
from ..domain.made import whole
from ..domain.orders import ChildOrder, Fill, OrderState
from .orders import OrderEvent
from .venues.venue import Accepted, Canceled, CancelRefused, Expired, Rejected
from .working import WorkingChild

ACCEPTED, FILLED, PARTIALLY_FILLED = OrderState.ACCEPTED, OrderEvent.FILLED, OrderEvent.PARTIALLY_FILLED

Answer = Accepted | Rejected | Canceled | CancelRefused | Expired


def answer_fact(working: WorkingChild, report: Answer, after: OrderState) -> events.Payload | None:
    """What the log says of an answer; an acknowledgement behind the first fill is no news."""
    child = working.child
    match report:
        case Accepted():
            if after is not ACCEPTED:
                return None
            f = child.__dict__
            return whole(events.ChildAccepted, {"client_order_id": f["client_order_id"], "order_id": f["order_id"]})
        case CancelRefused():
            return events.CancelRefused(
                client_order_id=child.client_order_id, order_id=child.order_id, reason=report.reason
            )
        case Canceled():
            return child_closed(working, OrderState.CANCELED, report.reason)
        case Expired():
            return child_closed(working, OrderState.EXPIRED, report.reason)
        case Rejected():
            return child_closed(working, OrderState.REJECTED, report.reason)


def child_closed(
    working: WorkingChild,
    state: Literal[OrderState.CANCELED, OrderState.EXPIRED, OrderState.REJECTED],
    reason: str,
) -> events.ChildClosed:
    child = working.child
    return events.ChildClosed(
        client_order_id=child.client_order_id,
        order_id=child.order_id,
        state=state,
        unfilled=max(child.quantity - working.executed, 0),
        reason=reason,
    )


def child_unresolved(child: ChildOrder, reason: str) -> events.ChildUnresolved:
    return events.ChildUnresolved(client_order_id=child.client_order_id, order_id=child.order_id, reason=reason)


def fill_event(working: WorkingChild) -> OrderEvent:
    return FILLED if working.executed >= working.child.__dict__["quantity"] else PARTIALLY_FILLED


def belongs(fill: Fill, child: ChildOrder) -> bool:
    told, sent = fill.__dict__, child.__dict__
    return told["order_id"] == sent["order_id"] and told["symbol"] == sent["symbol"] and told["side"] == sent["side"]


def shares(fill: Fill) -> str:
    return f"{fill.side} {fill.quantity} {fill.symbol} at {fill.price}"


def contradiction(
    kind: Literal["unknown_fill", "unknown_order", "order_state"], subject: str, ours: str, theirs: str, text: str
) -> BookDifference:
    return BookDifference(kind=kind, subject=subject, ours=ours, theirs=theirs, explained=False, text=text)
