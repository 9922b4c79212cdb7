"""Where orders go, as the fast loop sees it: one port, and the reports that come back through it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from ...domain.market import Quote
from ...domain.orders import Fill
from ...gate.approval import ApprovedOrder


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
    """One execution. `touch` is the best opposite price when it happened, which the fill itself does not say."""

    fill: Fill
    touch: Decimal

    @property
    def client_order_id(self) -> str:
        return self.fill.client_order_id

    @property
    def ts_event(self) -> datetime:
        return self.fill.ts_event


@dataclass(frozen=True, slots=True)
class Canceled:
    client_order_id: str
    ts_event: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class CancelRefused:
    client_order_id: str
    ts_event: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Expired:
    client_order_id: str
    ts_event: datetime
    reason: str


Report = Accepted | Rejected | Filled | Canceled | CancelRefused | Expired


class Venue(Protocol):
    """A place that takes approved orders and nothing else.

    `submit` is idempotent by client order id: a resend is the same order, and answers with what has been
    reported of it so far. Reports may repeat; the caller books each execution id once.
    """

    @property
    def name(self) -> str: ...

    def worst_fee(self, quantity: int, price: Decimal) -> Decimal:
        """The most that filling this quantity at this price or better can cost in fees."""
        ...

    def submit(self, order: ApprovedOrder) -> tuple[Report, ...]: ...

    def cancel(self, client_order_id: str, at: datetime) -> tuple[Report, ...]: ...

    def on_quote(self, quote: Quote) -> tuple[Report, ...]: ...

    def close(self, at: datetime) -> tuple[Report, ...]:
        """The session is over: what is still open expires."""
        ...
