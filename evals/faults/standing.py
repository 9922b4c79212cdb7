"""Stops that stand at the simulated venue until somebody takes them back, over nights and over deaths of the desk."""

from dataclasses import dataclass, replace
from datetime import datetime

from ...domain.market import Quote
from ...domain.orders import ChildOrder, Fill, OrderState
from ...execution.orders import TERMINAL
from ...execution.venues.fees import FeeModel
from ...execution.venues.venue import Accepted, Canceled, CancelRefused, Filled, Report, VenueOrder


@dataclass(slots=True)
class _Stop:
    child: ChildOrder
    seen: VenueOrder
    is_reached: bool = False

    @property
    def left(self) -> int:
        return self.child.quantity - self.seen.executed


class StandingStops:
    """Sells that do nothing until the bid is at their stop, and from then on take what is shown."""

    def __init__(self, venue: str) -> None:
        self._venue, self._stops = venue, dict[str, _Stop]()
        self._fees = FeeModel()

    def take(self, child: ChildOrder) -> tuple[Report, ...]:
        """A resend is the same order."""
        name, at = child.client_order_id, child.created_at
        seen = VenueOrder(name, child.symbol, child.side, child.quantity, OrderState.ACCEPTED, 0, at)
        self._stops.setdefault(name, _Stop(child, seen))
        return (Accepted(name, at),)

    def order(self, client_order_id: str) -> VenueOrder | None:
        found = self._stops.get(client_order_id)
        return found.seen if found else None

    def open_orders(self) -> tuple[VenueOrder, ...]:
        return tuple(stop.seen for stop in self._open())

    def shares(self, symbol: str) -> int:
        """What open stops of a name may still sell."""
        return sum(stop.left for stop in self._open() if stop.child.symbol == symbol)

    def cancel(self, client_order_id: str, at: datetime) -> tuple[Report, ...]:
        stop = self._stops[client_order_id]
        if stop.seen.state in TERMINAL:
            return (CancelRefused(client_order_id, at, "the order is no longer open"),)
        stop.seen = replace(stop.seen, state=OrderState.CANCELED, ts_event=at, reason="canceled on request")
        return (Canceled(client_order_id, at, stop.seen.reason, stop.seen.executed),)

    def match(self, quote: Quote) -> tuple[Report, ...]:
        """What a quote gives to those of its name that it has reached, now or before."""
        found: list[Report] = []
        for stop in self._open():
            price = stop.child.stop_price
            assert price is not None, "a stop has its price"
            stop.is_reached |= stop.child.symbol == quote.symbol and 0 < quote.bid <= price
            quantity = min(quote.bid_size, stop.left)
            if stop.is_reached and stop.child.symbol == quote.symbol and quantity > 0 and quote.bid > 0:
                found.append(self._execute(stop, quantity, quote, quote.ts_event))
        return tuple(found)

    def overnight(self, at: datetime, part: int) -> tuple[Report, ...]:
        """One `part`-th of what is open of each trades at its stop before anybody is there to see it."""
        return tuple(self._execute(stop, max(stop.left // part, 1), None, at) for stop in self._open())

    def lose(self) -> tuple[str, ...]:
        """The venue knows of none that is open any more; which those were."""
        lost = tuple(stop.child.client_order_id for stop in self._open())
        for name in lost:
            del self._stops[name]
        return lost

    def _open(self) -> list[_Stop]:
        return [stop for stop in self._stops.values() if stop.seen.state not in TERMINAL]

    def _execute(self, stop: _Stop, quantity: int, quote: Quote | None, at: datetime) -> Filled:
        child, executed = stop.child, stop.seen.executed + quantity
        assert child.stop_price is not None, "a stop has its price"
        price = child.stop_price if quote is None else quote.bid
        state = OrderState.FILLED if executed == child.quantity else OrderState.PARTIALLY_FILLED
        stop.seen = replace(stop.seen, executed=executed, state=state, ts_event=at)
        return Filled(
            Fill(
                execution_id=f"{child.client_order_id}-stop-{executed}",
                client_order_id=child.client_order_id,
                order_id=child.order_id,
                symbol=child.symbol,
                side=child.side,
                quantity=quantity,
                price=price,
                fee=self._fees.fee(quantity, price * quantity),
                mid_price=quote.mid if quote else price,
                touch_price=price,
                venue=self._venue,
                ts_event=at,
                synthetic=True,
            )
        )
