"""Audits orders while a log is walked: each child beside its approved parent, each fill beside its child."""

from collections.abc import Callable

from ..domain.control_events import BookReconciled
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
    Payload,
)
from ..domain.orders import ChildOrder, Fill, OrderState, Plan
from ..domain.overnight import OrderAdjusted
from ..domain.trading import TradingState, TradingStates
from .audited_orders import ENDED, AuditedChild, AuditedParent, result_differences
from .findings import Note
from .sent_orders import adjusted, rests

SHA256_DIGITS = 64
CONTRADICTIONS = ("unknown_fill", "order_state")


class OrderRecord:
    """Everything about orders that must be so when each one came from the gate.

    What the venue said that can't be, and the log itself records as a difference (a fill of nothing we sent, more
    than was sent), is no finding: it was told, and it halted the desk.
    """

    def __init__(self, note: Note, held: Callable[[str], int], states: Callable[[], TradingStates]) -> None:
        self._note, self._held, self._states = note, held, states
        self._parents: dict[str, AuditedParent] = {}
        self._children: dict[str, AuditedChild] = {}
        self._verdicts: dict[str, int] = {}
        self._open: dict[str, AuditedChild] = {}
        self._working: dict[str, AuditedParent] = {}
        self._told: set[str] = set()
        self._doubts: list[tuple[str, str, int, str]] = []

    def approve(self, event: Event, plan: Plan) -> None:
        """From here on the legs of this plan may be worked."""
        for leg in plan.legs:
            if leg.decision_id != plan.decision_id:
                self._note("order_differs", event.seq, f"leg {leg.order_id} is of decision {leg.decision_id}")
            if leg.order_id in self._parents:
                self._note("order_repeated", event.seq, f"order {leg.order_id} was approved before")
            self._parents[leg.order_id] = AuditedParent(leg, plan)

    def take(self, event: Event, payload: Payload) -> None:
        match payload:
            case OrderOpened():
                self._opened(event, payload)
            case ChildSubmitted():
                self._submitted(event, payload)
            case ChildDenied():
                self._denied(event, payload)
            case OrderFilled():
                self._filled(event, payload.fill)
            case FillBusted():
                self._busted(event, payload)
            case OrderClosed():
                self._closed(event, payload)
            case BookReconciled():
                self._told.update(item.subject for item in payload.differences if item.kind in CONTRADICTIONS)
            case OrderAdjusted():
                child = self._answered(event, payload.client_order_id, payload.order_id)
                if child is not None:
                    child.order = adjusted(child.order, payload)
                    self._adjust_parent(payload)
            case ChildAccepted() | CancelRequested() | CancelRefused() | ChildUnresolved() | ChildClosed():
                self._moved(event, payload)
            case _:
                pass

    def check_session_over(self, event: Event) -> None:
        """At a close every parent that was opened has its result, or a protective order of it stands at the venue."""
        standing = {order_id: parent for order_id, parent in self._working.items() if parent.stands}
        for order_id in self._working.keys() - standing.keys():
            self._note("order_left_open", event.seq, f"order {order_id} was opened and has no result at this close")
        self._working = standing

    def settle(self) -> None:
        """At the end of the log: what was doubted, unless the log itself tells of it as a difference."""
        for subject, code, seq, text in self._doubts:
            if subject not in self._told:
                self._note(code, seq, text)

    def _adjust_parent(self, moved: OrderAdjusted) -> None:
        """The result of an order that rests is measured in the shares it was moved to."""
        parent = self._parents.get(moved.order_id)
        if parent is not None and parent.stands:
            parent.leg = parent.leg.model_copy(update={"quantity": moved.quantity})
            parent.arrival_price = moved.stop_price

    def _opened(self, event: Event, payload: OrderOpened) -> None:
        order = payload.order
        parent = self._parents.get(order.order_id)
        if parent is None:
            self._note("order_not_approved", event.seq, f"order {order.order_id} is no leg of an approved plan")
            return
        if order != parent.leg:
            self._note("order_differs", event.seq, f"order {order.order_id} is not the leg that was approved")
        if parent.opened:
            self._note("order_repeated", event.seq, f"order {order.order_id} was opened before")
        parent.opened, parent.arrival_price = True, payload.arrival_price
        self._working[order.order_id] = parent

    def _submitted(self, event: Event, payload: ChildSubmitted) -> None:
        order, seq = payload.child, event.seq
        name = order.client_order_id
        parent = self._next_of_parent(event, order)
        earlier = self._verdicts.setdefault(payload.verdict_hash, seq)
        if not _is_sha256(payload.verdict_hash):
            self._note("verdict_missing", seq, f"child {name} carries no hash of a review")
        elif earlier != seq:
            self._note("verdict_reused", seq, f"child {name} carries the review that event {earlier} was sent under")
        if name in self._children:
            self._note("child_repeated", seq, f"child {name} was submitted before")
            return
        self._check_state(event, order)
        child = AuditedChild(order, self._states())
        if parent is not None:
            committed = sum(item.committed for item in parent.children) + order.quantity
            if committed > parent.leg.quantity:
                text = f"children of {order.order_id} come to {committed}, approved are {parent.leg.quantity}"
                self._note("parent_exceeded", seq, text)
            parent.children.append(child)
        self._children[name] = self._open[name] = child

    def _denied(self, event: Event, payload: ChildDenied) -> None:
        self._next_of_parent(event, payload.child)
        if payload.verdict.approved or not payload.verdict.reasons:
            text = f"child {payload.child.client_order_id} was denied for no reason"
            self._note("denial_without_reason", event.seq, text)

    def _next_of_parent(self, event: Event, order: ChildOrder) -> AuditedParent | None:
        """The parent a reviewed child belongs to; its terms and its place among its sisters are checked."""
        seq, name = event.seq, order.client_order_id
        parent = self._parents.get(order.order_id)
        if parent is None:
            self._note("child_without_plan", seq, f"child {name} is of {order.order_id}, no leg of an approved plan")
            return None
        leg = parent.leg
        if (order.decision_id, order.symbol, order.side) != (leg.decision_id, leg.symbol, leg.side):
            self._note("child_differs", seq, f"child {name} is not on the terms of its parent {leg.order_id}")
        if order.created_at < parent.plan.as_of:
            self._note("child_differs", seq, f"child {name} was made before its plan was decided")
        if not parent.opened or parent.closed:
            when = "after it was closed" if parent.closed else "before it was opened"
            self._note("child_out_of_turn", seq, f"child {name} of {leg.order_id} comes {when}")
        if order.sequence != parent.sequences:
            text = f"child {name} has sequence {order.sequence}, expected {parent.sequences}: one is missing or doubled"
            self._note("sequence_gap", seq, text)
        parent.sequences = max(parent.sequences, order.sequence + 1)
        return parent

    def _check_state(self, event: Event, order: ChildOrder) -> None:
        """HALTED sends nothing but a position's stop, REDUCING only what takes risk off; the venue's own scope shows
        when it answers."""
        state = self._states().of(order.symbol)
        name = order.client_order_id
        if state is TradingState.HALTED and not (self._protects(order) and not self._adds_risk(order)):
            self._note("sent_while_halted", event.seq, f"child {name} was submitted while {order.symbol} is HALTED")
        elif state is TradingState.REDUCING and self._adds_risk(order):
            text = f"child {name} adds risk and was submitted while {order.symbol} is REDUCING"
            self._note("added_while_reducing", event.seq, text)

    def _protects(self, order: ChildOrder) -> bool:
        """A stop that rests, of a leg that was approved for nothing else."""
        parent = self._parents.get(order.order_id)
        return rests(order) and parent is not None and parent.leg.protects

    def _adds_risk(self, order: ChildOrder) -> bool:
        held = self._held(order.symbol)
        same_side = (order.symbol, order.side)
        beside = [item for item in self._open.values() if (item.order.symbol, item.order.side) == same_side]
        against = held * order.side.sign < 0
        return not (against and order.quantity + sum(item.open_quantity for item in beside) <= abs(held))

    def _answered(self, event: Event, client_order_id: str, order_id: str) -> AuditedChild | None:
        """The child an event is about, once it is proved to have been submitted."""
        child = self._children.get(client_order_id)
        if child is None or child.order.order_id != order_id:
            text = f"{event.type} is about child {client_order_id} of {order_id}, which was never submitted"
            self._note("child_not_submitted", event.seq, text)
            return None
        is_halted = event.actor.kind == "venue" and child.states.of(venue=event.actor.name) is TradingState.HALTED
        if is_halted and not self._protects(child.order):
            text = f"child {client_order_id} was submitted while {event.actor.name} was HALTED"
            self._note("sent_while_halted", event.seq, text)
        return child

    def _moved(
        self, event: Event, payload: ChildAccepted | CancelRequested | CancelRefused | ChildUnresolved | ChildClosed
    ) -> None:
        child = self._answered(event, payload.client_order_id, payload.order_id)
        if child is None:
            return
        if child.state in ENDED:
            text = f"child {payload.client_order_id} is {child.state}, and {event.type} follows"
            self._note("ended_order_moved", event.seq, text)
            return
        if isinstance(payload, ChildClosed):
            unfilled = max(child.order.quantity - child.executed, 0)
            if payload.unfilled != unfilled:
                text = (
                    f"child {payload.client_order_id} ends with {payload.unfilled} unfilled, its fills leave {unfilled}"
                )
                self._note("unfilled_differs", event.seq, text)
            self._end(child, payload.state)

    def _filled(self, event: Event, fill: Fill) -> None:
        child = self._children.get(fill.client_order_id)
        seq, name = event.seq, fill.client_order_id
        if child is None or child.order.order_id != fill.order_id:
            text = f"fill {fill.execution_id} is of {name} of {fill.order_id}, which was never submitted"
            self._doubts.append((fill.execution_id, "fill_without_child", seq, text))
            return
        self._answered(event, name, fill.order_id)
        order = child.order
        if (fill.symbol, fill.side) != (order.symbol, order.side):
            self._note("fill_differs", seq, f"fill {fill.execution_id} is {fill.side} {fill.symbol}, sent was another")
        if child.state in (OrderState.FILLED, OrderState.REJECTED):
            self._doubts.append((name, "ended_order_moved", seq, f"child {name} is {child.state}, and a fill follows"))
        child.executed += fill.quantity
        if child.executed > order.quantity:
            text = f"child {name}: {child.executed} executed of {order.quantity} sent"
            self._doubts.append((name, "child_overfilled", seq, text))
        if child.executed >= order.quantity and child.state not in ENDED:
            self._end(child, OrderState.FILLED)
        parent = self._parents.get(fill.order_id)
        if parent is not None:
            parent.fills[fill.execution_id] = fill

    def _busted(self, event: Event, payload: FillBusted) -> None:
        fill = payload.fill
        parent, child = self._parents.get(fill.order_id), self._children.get(fill.client_order_id)
        booked = parent.fills.pop(payload.execution_id, None) if parent else None
        if booked != fill or child is None:
            text = f"execution {payload.execution_id} is taken back, and was not booked like that"
            self._note("bust_without_fill", event.seq, text)
        else:
            child.busted += fill.quantity

    def _closed(self, event: Event, payload: OrderClosed) -> None:
        parent = self._parents.get(payload.order_id)
        seq, name = event.seq, payload.order_id
        if parent is None or not parent.opened:
            self._note("result_without_order", seq, f"order {name} has a result and was never opened")
            return
        if parent.closed:
            self._note("order_repeated", seq, f"order {name} was closed before")
        parent.closed = True
        self._working.pop(name, None)
        for field_name, found, expected in result_differences(parent, payload):
            self._note("result_differs", seq, f"order {name}: {field_name} is {found}, its fills say {expected}")

    def _end(self, child: AuditedChild, state: OrderState) -> None:
        child.state = state
        self._open.pop(child.order.client_order_id, None)


def _is_sha256(text: str) -> bool:
    return len(text) == SHA256_DIGITS and set(text) <= set("0123456789abcdef")
