"""A parent order from its first child to its result: opened, sliced, and closed with what it cost."""

from datetime import datetime
from decimal import Decimal

from ..domain.canonical import numbered_ids
from ..domain.events import OrderClosed, OrderOpened
from ..domain.made import whole
from ..domain.market import Quote
from ..domain.orders import BUY, ChildOrder, OrderType, Side, TimeInForce
from ..gate.approval import LegTerms
from ..gate.limits import Limits
from .errors import VenueUnreachable
from .known_orders import KnownOrders
from .recorder import DESK, Recorder
from .session_book import SessionBook
from .shortfall import ExecutionQuality, execution_quality
from .tactics import limit_of
from .venues.venue import Venue
from .working import WorkingParent, affordable

LIMIT, DAY = OrderType.LIMIT, TimeInForce.DAY


def open_parent(parent: WorkingParent, arrival: Decimal, recorder: Recorder, now: datetime) -> None:
    parent.arrival_price = arrival
    opened = OrderOpened(order=parent.order, arrival_price=arrival)
    recorder.of_order(parent.order.order_id, now, DESK, opened, decision_id=parent.order.decision_id)


def next_child(
    parent: WorkingParent,
    quantity: int,
    quote: Quote,
    leg: LegTerms,
    venue: Venue,
    book: SessionBook,
    limits: Limits,
    now: datetime,
    *,
    crosses: bool = True,
) -> ChildOrder:
    """The child for what is due: its id is its place in the plan, its size what free cash pays for."""
    # Read once, from the dictionary: a model's own attribute access costs more.
    order = parent.order.__dict__
    order_id, decision_id, side = order["order_id"], order["decision_id"], order["side"]
    limit = _within_band(side, limit_of(side, quote, leg.tick, crosses=crosses), venue, order["symbol"])
    if side is BUY:
        free = book.cash - book.reserved - venue.worst_fee(quantity, limit) - limits.child_bounds.min_cash
        # The whole slice if nothing can be paid, so that the gate says why.
        quantity = affordable(quantity, limit, free, leg.lot) or quantity
    sequence = parent.attempts
    parent.attempts += 1
    parent.attempted_at = now
    fields = {
        "client_order_id": numbered_ids("ord", decision_id, order_id)(sequence),
        "order_id": order_id,
        "decision_id": decision_id,
        "symbol": order["symbol"],
        "side": side,
        "quantity": quantity,
        "limit_price": limit,
        "sequence": sequence,
        "created_at": now,
        "order_type": LIMIT,
        "time_in_force": DAY,
        "stop_price": None,
        "expires_at": None,
    }
    return whole(ChildOrder, fields)


def _within_band(side: Side, limit: Decimal, venue: Venue, symbol: str) -> Decimal:
    """A limit beyond the prices that may trade would be refused, an exit's too: it goes as far as they do."""
    try:
        band = venue.terms(symbol).price_band
    except VenueUnreachable:
        return limit
    if band is None:
        return limit
    return min(limit, band[1]) if side is BUY else max(limit, band[0])


def close_parent(
    parent: WorkingParent, orders: KnownOrders, recorder: Recorder, at: datetime, why: str = ""
) -> ExecutionQuality:
    """Write a parent's result, unless the log has it already; `why` its session was stopped, if it was."""
    order = parent.order
    if parent.arrival_price is None:
        # No quote came all session: the mark it was decided at is the only price there is.
        open_parent(parent, order.reference_price, recorder, at)
    arrival = parent.arrival_price or order.reference_price
    quality = execution_quality(order, arrival, orders.fills_of(order.order_id), parent.last_mid or arrival)
    if parent.is_closed:
        return quality
    unfilled = order.quantity - quality.filled
    closed = OrderClosed(
        order_id=order.order_id,
        decision_id=order.decision_id,
        filled=quality.filled,
        unfilled=max(unfilled, 0),
        average_price=quality.average_price,
        arrival_price=arrival,
        fees=quality.fees,
        shortfall_bps=quality.shortfall_bps,
        status="filled" if unfilled <= 0 else "partial" if quality.filled else "unfilled",
        reason=why or parent.stopped,
    )
    recorder.of_order(order.order_id, at, DESK, closed, decision_id=order.decision_id)
    return quality
