"""The protective stops among a run's orders: how many shares of each stand at the venue, as the log has it."""

from collections.abc import Iterable, Mapping

from pydantic import JsonValue

from ...memory.orders_view import OrderRecord
from ...memory.sent_orders import SENT_EVENTS, SentOrders, rests
from ..answers.reader import Reading


def stops_among(reading: Reading, orders: Iterable[OrderRecord]) -> dict[str, int]:
    """Shares that are still open, by order id; of an order that is no stop, or that is over, nothing."""
    if reading.settings.stop_orders != "resting":
        return {}
    found = {order.order_id: _open_shares(reading, order.order_id) for order in orders}
    return {name: shares for name, shares in found.items() if shares}


def stop_rows(stops: Mapping[str, int], orders: Iterable[OrderRecord]) -> list[JsonValue]:
    return [
        {"order_id": order.order_id, "symbol": order.symbol, "shares": stops[order.order_id]}
        for order in orders
        if order.order_id in stops
    ]


def _open_shares(reading: Reading, order_id: str) -> int:
    sent = SentOrders()
    for event in reading.read(*SENT_EVENTS, order_id=order_id):
        sent.fold(event.decoded())
    return sum(item.open_quantity for item in sent.open if rests(item.child))
