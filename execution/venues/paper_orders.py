"""One order at the simulated venue: how far it got, what was reported of it, and at which touch it may fill."""

from dataclasses import dataclass, field
from decimal import Decimal

from ...domain.market import Quote
from ...domain.orders import BUY, ChildOrder, OrderState
from .venue import Canceled, Expired, Rejected, Report, VenueOrder


@dataclass(slots=True)
class PaperOrder:
    """`takes` is settled on arrival: it crossed, or had no limit."""

    child: ChildOrder
    remaining: int
    takes: bool = True
    state: OrderState = OrderState.ACCEPTED
    filled: int = 0
    notional: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    executions: int = 0
    reports: list[Report] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.state in (OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED)

    def is_fillable(self, quote: Quote) -> bool:
        """A taker needs the touch within its limit; a resting order needs the market beyond it, since with the
        market only at its limit nobody knows its place in the queue."""
        touch = quote.ask if self.child.side is BUY else quote.bid
        return crosses(self.child, quote) and (self.takes or touch != self.child.limit_price)

    def seen(self) -> VenueOrder:
        """The order as the venue tells of it."""
        child, last = self.child, self.reports[-1]
        return VenueOrder(
            client_order_id=child.client_order_id,
            symbol=child.symbol,
            side=child.side,
            quantity=child.quantity,
            state=self.state,
            executed=self.filled,
            ts_event=last.ts_event,
            reason=last.reason if isinstance(last, Rejected | Canceled | Expired) else "",
        )


def crosses(child: ChildOrder, quote: Quote) -> bool:
    """Whether the other side's touch is within its limit."""
    # Read from the dictionary: a model's own attribute access costs twice that.
    f = child.__dict__
    limit = f["limit_price"]
    return limit is None or (quote.ask <= limit if f["side"] is BUY else quote.bid >= limit)
