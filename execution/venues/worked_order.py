"""One order at the exchange: how far it got, where it stands in the queue, and what was reported of it."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from ...domain.canonical import short_id
from ...domain.orders import ChildOrder, Fill, OrderState, Side, TimeInForce
from ...memory.sent_orders import SentOrder
from .market_events import Tier
from .venue import Canceled, Expired, Rejected, Report, VenueOrder


@dataclass(slots=True)
class WorkedOrder:
    """`takes` while it crosses the market; `ahead` are the shares shown in front of it at its price while it rests,
    None where the book has not shown that price yet. `quantity`, `limit` and `stop` are the child's until a corporate
    action moves them. A stop joins the queue when it is triggered: `arrived_at` is that moment from then on."""

    child: ChildOrder
    arrived_at: datetime
    quantity: int
    remaining: int
    limit: Decimal | None
    stop: Decimal | None
    takes: bool = False
    ahead: int | None = None
    state: OrderState = OrderState.SUBMITTED
    """SUBMITTED while it is on its way."""
    taken: int = 0
    made: int = 0
    notional: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    executions: int = 0
    reports: list[Report] = field(default_factory=list)

    @property
    def side(self) -> Side:
        return self.child.side

    @property
    def filled(self) -> int:
        return self.taken + self.made

    @property
    def is_open(self) -> bool:
        return self.state in (OrderState.SUBMITTED, OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED)

    @property
    def is_immediate(self) -> bool:
        return self.child.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)

    @property
    def rank(self) -> tuple[Decimal, datetime]:
        """Market orders first, then the better price, then the earlier arrival."""
        price = Decimal("Infinity") if self.limit is None else self.side.sign * self.limit
        return -price, self.arrived_at

    def is_within(self, price: Decimal) -> bool:
        if self.limit is None:
            return True
        return price <= self.limit if self.side is Side.BUY else price >= self.limit

    def book(self, quantity: int, price: Decimal, *, is_maker: bool) -> None:
        self.remaining -= quantity
        self.made += quantity * is_maker
        self.taken += quantity * (not is_maker)
        self.notional += price * quantity
        self.executions += 1
        self.state = OrderState.PARTIALLY_FILLED if self.remaining else OrderState.FILLED

    def seen(self) -> VenueOrder:
        """The order as the venue tells of it."""
        last = self.reports[-1] if self.reports else None
        return VenueOrder(
            client_order_id=self.child.client_order_id,
            symbol=self.child.symbol,
            side=self.child.side,
            quantity=self.quantity,
            state=self.state,
            executed=self.filled,
            ts_event=self.arrived_at if last is None else last.ts_event,
            reason=last.reason if isinstance(last, Rejected | Canceled | Expired) else "",
        )


class Execution(NamedTuple):
    """An order traded: `touch` is the best opposite price shown when it happened, `mid` the middle then.

    `number`, `taken`, `made` and `notional` are the order's up to this execution: more may follow at the same moment.
    """

    order: WorkedOrder
    quantity: int
    price: Decimal
    is_maker: bool
    touch: Decimal
    mid: Decimal
    synthetic: bool
    number: int
    taken: int
    made: int
    notional: Decimal


class Dropped(NamedTuple):
    """An order came to its end without trading to the last share."""

    order: WorkedOrder
    state: OrderState
    reason: str


Outcome = Execution | Dropped


def worked(child: ChildOrder, arrives_at: datetime) -> WorkedOrder:
    return WorkedOrder(child, arrives_at, child.quantity, child.quantity, child.limit_price, child.stop_price)


def carried(sent: SentOrder) -> WorkedOrder:
    """An order that stands since an earlier session, as the log has it; its place in the queue is lost."""
    order = worked(sent.child, sent.child.created_at)
    order.remaining, order.taken, order.executions = sent.open_quantity, sent.executed, len(sent.fills)
    order.notional = sum((fill.notional for fill in sent.fills), Decimal(0))
    order.fees = sum((fill.fee for fill in sent.fills), Decimal(0))
    order.state = OrderState.PARTIALLY_FILLED if sent.executed else OrderState.ACCEPTED
    return order


def fill_of(done: Execution, at: datetime, fee: Decimal, venue: str, tier: Tier) -> Fill:
    """The execution as it is reported; its id is a function of venue, order and place."""
    child = done.order.child
    return Fill(
        execution_id=short_id("exe", venue, child.client_order_id, done.number),
        client_order_id=child.client_order_id,
        order_id=child.order_id,
        symbol=child.symbol,
        side=child.side,
        quantity=done.quantity,
        price=done.price,
        fee=fee,
        mid_price=done.mid,
        touch_price=done.touch,
        venue=venue,
        ts_event=at,
        synthetic=done.synthetic,
        tier=tier,
    )
