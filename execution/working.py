"""The parents and children of one session while they are worked: schedule, limit price and size of a slice."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from ..domain.market import Quote
from ..domain.orders import Algorithm, ChildOrder, OrderState, ParentOrder, Side
from ..quant.schedules import twap_slices
from .errors import SessionRefused
from .hours import SessionHours
from .orders import TERMINAL

LIMIT_BAND_FRAC = Decimal("0.01")
"""How far past the touch a child may pay: its impact in an ordinary market, and no chase after a spike."""


@dataclass(slots=True)
class WorkingChild:
    """A child that was sent, where it is in its life, and how much of it has executed.

    `executed` counts every execution, also those taken back later: a busted quantity is not worked again.
    `is_acknowledged` once the venue has said anything of it; `last_event` is when it last did or was asked.
    """

    child: ChildOrder
    last_event: datetime
    state: OrderState = OrderState.INTENDED
    executed: int = 0
    is_acknowledged: bool = False
    is_absent: bool = False
    """The venue says it never saw it: to be sent again, or given up."""
    resends: int = 0
    cancels: int = 0
    is_inherited: bool = False
    """Sent for an earlier plan: it is followed to its end, and never sent again."""

    @property
    def is_open(self) -> bool:
        return self.state not in TERMINAL


@dataclass(slots=True)
class WorkingParent:
    """A leg being worked: its schedule as moments and the quantity due by each, and its progress."""

    order: ParentOrder
    due_at: tuple[datetime, ...]
    due_quantity: tuple[int, ...]
    arrival_price: Decimal | None = None
    last_mid: Decimal | None = None
    slices_begun: int = 0
    attempts: int = 0
    current: WorkingChild | None = None
    is_closed: bool = False
    """Its result is in the log already."""

    def resume_after(self, child: ChildOrder) -> None:
        """Go on behind a child that is in the log: its slice has begun and its number is used up."""
        self.attempts = max(self.attempts, child.sequence + 1)
        self.slices_begun = max(self.slices_begun, sum(moment <= child.created_at for moment in self.due_at))

    def due(self, now: datetime) -> int | None:
        """The cumulative quantity to have sent by now, once for each slice that begins; else None."""
        begun = self.slices_begun
        while begun < len(self.due_at) and self.due_at[begun] <= now:
            begun += 1
        if begun == self.slices_begun:
            return None
        self.slices_begun = begun
        return self.due_quantity[begun - 1]


def working_parent(order: ParentOrder, lot: int, hours: SessionHours) -> WorkingParent:
    """A leg with its time-weighted schedule: equal slices at equal distances, from the open on.

    The moments come from the clock of the session and not from the quotes, so the schedule of a live
    session is known before its first quote.
    """
    if order.advice.algorithm is not Algorithm.TWAP:
        raise SessionRefused(
            f"{order.order_id}: algorithm {order.advice.algorithm} is not available, only TWAP is",
            remedy="Set the leg's algorithm to TWAP.",
        )
    count = order.advice.slices
    span = hours.closes_at - hours.opens_at
    total, due = 0, list[int]()
    for quantity in twap_slices(order.quantity, count, lot).tolist():
        total += quantity
        due.append(total)
    return WorkingParent(
        order=order,
        due_at=tuple(hours.opens_at + span * place / count for place in range(count)),
        due_quantity=tuple(due),
    )


def is_tradable(quote: Quote) -> bool:
    """Both sides are there and do not cross; on any other quote the slice waits for the next one."""
    return 0 < quote.bid <= quote.ask


def marketable_limit(side: Side, quote: Quote, tick: Decimal) -> Decimal:
    """The touch and a band past it, on the tick, rounded towards the touch."""
    if side is Side.BUY:
        ticks = (quote.ask * (1 + LIMIT_BAND_FRAC) / tick).to_integral_value(ROUND_FLOOR)
        return max(ticks * tick, quote.ask)
    ticks = (quote.bid * (1 - LIMIT_BAND_FRAC) / tick).to_integral_value(ROUND_CEILING)
    return min(ticks * tick, quote.bid)


def affordable(quantity: int, limit: Decimal, free: Decimal, lot: int) -> int:
    """As much of a buy as free cash pays for at the limit, in whole lots when it has to be cut."""
    payable = int(free / limit) if free > 0 else 0
    return quantity if payable >= quantity else payable // lot * lot
