"""Where orders go, as the fast loop sees it: one port, what comes back through it, and what can be asked of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol, runtime_checkable

from ...domain.market import Quote
from ...domain.orders import Fill, OrderState, Side
from ...gate.approval import ApprovedOrder, ApprovedPlan


@dataclass(frozen=True, slots=True)
class Accepted:
    client_order_id: str
    ts_event: datetime


@dataclass(frozen=True, slots=True)
class Rejected:
    client_order_id: str
    ts_event: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Filled:
    """One execution."""

    fill: Fill

    @property
    def client_order_id(self) -> str:
        return self.fill.client_order_id

    @property
    def ts_event(self) -> datetime:
        return self.fill.ts_event


@dataclass(frozen=True, slots=True)
class Busted:
    """An execution taken back; the quantity is not worked again under this order."""

    fill: Fill
    ts_event: datetime
    reason: str

    @property
    def client_order_id(self) -> str:
        return self.fill.client_order_id


@dataclass(frozen=True, slots=True)
class Canceled:
    """`executed` is all that was executed of the order until then, also what was taken back later."""

    client_order_id: str
    ts_event: datetime
    reason: str
    executed: int


@dataclass(frozen=True, slots=True)
class CancelRefused:
    client_order_id: str
    ts_event: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Expired:
    """`executed` as in Canceled."""

    client_order_id: str
    ts_event: datetime
    reason: str
    executed: int


Report = Accepted | Rejected | Filled | Busted | Canceled | CancelRefused | Expired


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """An order as the venue has it. `executed` counts every execution, also those taken back later."""

    client_order_id: str
    symbol: str
    side: Side
    quantity: int
    state: OrderState
    executed: int
    ts_event: datetime
    reason: str = ""

    @property
    def report(self) -> Report | None:
        """Its state as the report that would have told it; None when only its executions say where it is."""
        match self.state:
            case OrderState.REJECTED:
                return Rejected(self.client_order_id, self.ts_event, self.reason)
            case OrderState.CANCELED:
                return Canceled(self.client_order_id, self.ts_event, self.reason, self.executed)
            case OrderState.EXPIRED:
                return Expired(self.client_order_id, self.ts_event, self.reason, self.executed)
            case OrderState.FILLED:
                return None
            case _:
                return Accepted(self.client_order_id, self.ts_event)


@dataclass(frozen=True, slots=True)
class VenueTerms:
    """What an instrument may do at a venue now. `price_band` is the lowest and the highest price that may trade, None
    where the venue has no band; `is_open` whether an order may be entered at all, halts apart. `on_close_until` is when
    the closing auction's book is shut, None where there is no such auction. `clock_skew_s` is our clock less the
    venue's, `queue_age_s` how long the adapter's oldest message waits: zero in the same process."""

    is_open: bool = True
    is_halted: bool = False
    price_band: tuple[Decimal, Decimal] | None = None
    on_close_until: datetime | None = None
    clock_skew_s: float = 0.0
    queue_age_s: float = 0.0


@runtime_checkable
class ReviewsParts(Protocol):
    """A venue that has parts of orders reviewed itself, and must know by which approval."""

    def admit(self, approved: ApprovedPlan) -> None:
        """From now on orders for the legs of this plan may come too."""
        ...


class Venue(Protocol):
    """A place that takes approved orders and nothing else.

    `submit` is idempotent by client order id: a resend is the same order, and answers with what has been
    reported of it so far. Reports may repeat and come in any order; the caller books each execution id once.
    Every call to it may raise VenueUnreachable: then nobody knows whether it arrived.
    """

    @property
    def name(self) -> str: ...

    def worst_fee(self, quantity: int, price: Decimal) -> Decimal:
        """The most that filling this quantity at this price or better can cost in fees."""
        ...

    def terms(self, symbol: str) -> VenueTerms:
        """Halt and price band of an instrument at the venue's present moment."""
        ...

    def submit(self, order: ApprovedOrder) -> tuple[Report, ...]: ...

    def cancel(self, client_order_id: str, at: datetime) -> tuple[Report, ...]: ...

    def cancel_all(self, at: datetime) -> tuple[Report, ...]:
        """Take back every open order of this account, also those this session knows nothing of."""
        ...

    def on_quote(self, quote: Quote) -> tuple[Report, ...]: ...

    def close(self, at: datetime) -> tuple[Report, ...]:
        """The session is over: what is still open expires."""
        ...

    def order(self, client_order_id: str) -> VenueOrder | None:
        """One order by our id, open or not; None says that the venue has never seen it."""
        ...

    def open_orders(self) -> tuple[VenueOrder, ...]: ...

    def executions(self) -> tuple[Filled | Busted, ...]:
        """All executions of the day in the order they happened, and those taken back again."""
        ...

    def positions(self) -> Mapping[str, int] | None:
        """Shares held by symbol, flat ones left out; None where the venue keeps no positions."""
        ...

    def cash(self) -> Decimal | None:
        """Settled and unsettled cash; None where the venue keeps none."""
        ...
