"""Every child that was sent, as a fold of the log: what is still open of it, what it filled, what was asked back."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from ..domain.events import (
    CancelRequested,
    ChildClosed,
    ChildSubmitted,
    FillBusted,
    OrderFilled,
    Payload,
)
from ..domain.orders import ChildOrder, Fill, OrderState, OrderType, TimeInForce
from ..domain.overnight import OrderAdjusted

SENT_EVENTS: tuple[type[Payload], ...] = (
    ChildSubmitted,
    OrderFilled,
    FillBusted,
    CancelRequested,
    ChildClosed,
    OrderAdjusted,
)


@dataclass(frozen=True, slots=True)
class SentOrder:
    """A child as the log has it, as corporate actions left it. `fills` are all executions ever told of it, `busted` the
    ids of those taken back."""

    child: ChildOrder
    fills: tuple[Fill, ...] = ()
    busted: frozenset[str] = frozenset()
    cancels: int = 0
    ended: OrderState | None = None

    @property
    def executed(self) -> int:
        """Shares executed, also those taken back: a busted quantity is not worked again."""
        return sum(fill.quantity for fill in self.fills)

    @property
    def standing(self) -> tuple[Fill, ...]:
        return tuple(fill for fill in self.fills if fill.execution_id not in self.busted)

    @property
    def open_quantity(self) -> int:
        """What may still fill; of an order whose outcome nobody knows that is all it has not."""
        return 0 if self.ended is not None else max(self.child.quantity - self.executed, 0)

    def concerns(self, day: date | None) -> bool:
        """Made on this day (of UTC; without one, on any), or still open."""
        return day is None or self.child.created_at.date() == day or self.open_quantity > 0


class SentOrders:
    """The children of a log. It grows by one entry a child until it is told to forget."""

    def __init__(self) -> None:
        self._orders: dict[str, SentOrder] = {}

    def fold(self, payload: Payload) -> None:
        """One fact of the log; what is about no child changes nothing."""
        match payload:
            case ChildSubmitted():
                self._orders.setdefault(payload.child.client_order_id, SentOrder(payload.child))
            case OrderFilled():
                sent = self._orders.get(payload.fill.client_order_id)
                if sent is not None and all(payload.fill.execution_id != fill.execution_id for fill in sent.fills):
                    self._put(replace(sent, fills=(*sent.fills, payload.fill)))
            case FillBusted():
                sent = self._orders.get(payload.fill.client_order_id)
                if sent is not None:
                    self._put(replace(sent, busted=sent.busted | {payload.execution_id}))
            case CancelRequested():
                sent = self._orders.get(payload.client_order_id)
                if sent is not None:
                    self._put(replace(sent, cancels=sent.cancels + 1))
            case ChildClosed():
                sent = self._orders.get(payload.client_order_id)
                if sent is not None:
                    self._put(replace(sent, ended=payload.state))
            case OrderAdjusted():
                sent = self._orders.get(payload.client_order_id)
                if sent is not None:
                    self._put(replace(sent, child=adjusted(sent.child, payload)))
            case _:
                pass

    @property
    def all(self) -> tuple[SentOrder, ...]:
        """Every one that is not forgotten, in the order they were sent."""
        return tuple(self._orders.values())

    @property
    def open(self) -> tuple[SentOrder, ...]:
        """Those that may still fill, in the order they were sent."""
        return tuple(sent for sent in self._orders.values() if sent.open_quantity)

    def forget_before(self, moment: datetime) -> None:
        """Leave out what is over and was made before a moment; what is open is kept, however old."""
        kept = (sent for sent in self._orders.values() if sent.child.created_at >= moment or sent.open_quantity)
        self._orders = {sent.child.client_order_id: sent for sent in kept}

    def _put(self, sent: SentOrder) -> None:
        self._orders[sent.child.client_order_id] = sent


def rests(child: ChildOrder) -> bool:
    """Whether it is a protective order that stands at the venue until somebody takes it back."""
    return child.order_type is OrderType.STOP and child.time_in_force is TimeInForce.GTC


def adjusted(child: ChildOrder, moved: OrderAdjusted) -> ChildOrder:
    """The child after a corporate action moved it."""
    terms = {"quantity": moved.quantity, "limit_price": moved.limit_price, "stop_price": moved.stop_price}
    return child.model_copy(update=terms)


def standing_fills(orders: Iterable[SentOrder]) -> list[Fill]:
    """The executions of some children that stand, in the order they happened."""
    return sorted((fill for sent in orders for fill in sent.standing), key=lambda fill: fill.ts_event)
