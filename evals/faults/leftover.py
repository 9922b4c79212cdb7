"""Orders that a venue kept past the close: good till cancelled there, and of a plan that is over here."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from ...domain.market import Quote
from ...domain.orders import ChildOrder, Fill, OrderState, Side
from ...execution.orders import TERMINAL
from ...execution.venues.fees import FeeModel
from ...execution.venues.venue import Canceled, CancelRefused, Filled, Report, VenueOrder

RESTS, FILLS_OVERNIGHT, FILLS_NEXT_DAY = range(3)
WAYS = 3
"""What becomes of such an order before anybody cancels it, by the variation of its fault."""


@dataclass(slots=True)
class _Left:
    child: ChildOrder
    seen: VenueOrder
    way: int


class LeftOrders:
    """Open orders of earlier sessions."""

    def __init__(self, venue: str) -> None:
        self._venue, self._left = venue, dict[str, _Left]()
        self._fees = FeeModel()

    def keep(self, children: Iterable[tuple[ChildOrder, VenueOrder]], way: int) -> None:
        for child, seen in children:
            self._left[child.client_order_id] = _Left(child, seen, way % WAYS)

    def order(self, client_order_id: str) -> VenueOrder | None:
        left = self._left.get(client_order_id)
        return left.seen if left else None

    def open_orders(self) -> tuple[VenueOrder, ...]:
        return tuple(left.seen for left in self._left.values() if left.seen.state not in TERMINAL)

    def cancel(self, client_order_id: str, at: datetime) -> tuple[Report, ...]:
        left = self._left[client_order_id]
        if left.seen.state in TERMINAL:
            return (CancelRefused(client_order_id, at, "the order is no longer open"),)
        report = Canceled(client_order_id, at, "canceled on request", left.seen.executed)
        left.seen = replace(left.seen, state=OrderState.CANCELED, ts_event=at, reason=report.reason)
        return (report,)

    def overnight(self, at: datetime) -> tuple[Report, ...]:
        """Half of what is open of each trades before anybody is there to see it."""
        return tuple(
            self._execute(left, max((left.child.quantity - left.seen.executed) // 2, 1), None, at)
            for left in self._open(FILLS_OVERNIGHT)
        )

    def match(self, quote: Quote) -> tuple[Report, ...]:
        """What a quote at or through the limit gives to those that take part in the new day."""
        found: list[Report] = []
        for left in self._open(FILLS_NEXT_DAY):
            child = left.child
            touch, shown = (quote.ask, quote.ask_size) if child.side is Side.BUY else (quote.bid, quote.bid_size)
            is_good = child.limit_price is not None and (touch - child.limit_price) * child.side.sign <= 0 < touch
            quantity = min(shown, child.quantity - left.seen.executed)
            if child.symbol == quote.symbol and is_good and quantity > 0:
                found.append(self._execute(left, quantity, quote, quote.ts_event))
        return tuple(found)

    def _open(self, way: int) -> list[_Left]:
        return [left for left in self._left.values() if left.way == way and left.seen.state not in TERMINAL]

    def _execute(self, left: _Left, quantity: int, quote: Quote | None, at: datetime) -> Filled:
        """At the touch; where nobody sees one, at the limit."""
        child, executed = left.child, left.seen.executed + quantity
        assert child.limit_price is not None, "the desk sends no order without a limit"
        touch = child.limit_price if quote is None else quote.ask if child.side is Side.BUY else quote.bid
        state = OrderState.FILLED if executed == child.quantity else OrderState.PARTIALLY_FILLED
        left.seen = replace(left.seen, executed=executed, state=state, ts_event=at)
        return Filled(
            Fill(
                execution_id=f"{child.client_order_id}-left-{executed}",
                client_order_id=child.client_order_id,
                order_id=child.order_id,
                symbol=child.symbol,
                side=child.side,
                quantity=quantity,
                price=touch,
                fee=self._fees.fee(quantity, touch * quantity),
                mid_price=quote.mid if quote else touch,
                touch_price=touch,
                venue=self._venue,
                ts_event=at,
                synthetic=True,
            )
        )
