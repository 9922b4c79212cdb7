"""The parents and children of one session while they are worked: schedule, limit price and size of a slice."""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from ..domain.events import OrderPaced
from ..domain.market import Quote
from ..domain.orders import BUY, Algorithm, ChildOrder, OrderState, Pace, ParentOrder, Side, Tactic
from .algorithms.schedule import Schedule, ScheduleState
from .algorithms.table import schedule_of
from .hours import SessionHours
from .orders import TERMINAL
from .venues.venue import Canceled, Expired

LIMIT_BAND_FRAC = Decimal("0.01")
"""How far past the touch a child may pay: its impact in an ordinary market, and no chase after a spike."""
HIGHEST, LOWEST = 1 + LIMIT_BAND_FRAC, 1 - LIMIT_BAND_FRAC
ZERO = Decimal(0)
SLOWER, FASTER, UNKNOWN = Pace.SLOWER, Pace.FASTER, OrderState.UNKNOWN


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
    ending: Canceled | Expired | None = None
    """How the venue says it ended, while executions that it counts have not been told."""

    @property
    def is_open(self) -> bool:
        return self.state not in TERMINAL

    @property
    def is_known(self) -> bool:
        return self.state is not UNKNOWN


@dataclass(slots=True)
class WorkingParent:
    """A leg being worked: its schedule and its progress."""

    order: ParentOrder
    schedule: Schedule
    closes_at: datetime
    arrival_price: Decimal | None = None
    last_mid: Decimal | None = None
    slices_begun: int = 0
    attempts: int = 0
    attempted_at: datetime | None = None
    """When its last child was made."""
    current: WorkingChild | None = None
    pace: Pace = Pace.NORMAL
    stopped: str = ""
    """Why nothing more is sent of it; empty while it is worked."""
    is_closed: bool = False
    """Its result is in the log already."""
    order_id: str = field(init=False)
    is_marketable: bool = field(init=False)
    goes_on_close: bool = field(init=False)
    """The order's id, and what its advice says of tactic and algorithm: asked for at every quote."""

    def __post_init__(self) -> None:
        self.order_id, advice = self.order.order_id, self.order.advice
        self.is_marketable, self.goes_on_close = advice.tactic is Tactic.MARKETABLE, advice.algorithm is Algorithm.CLOSE

    def resume_after(self, child: ChildOrder) -> None:
        """Go on behind a child that is in the log: its slice has begun and its number is used up."""
        self.attempts = max(self.attempts, child.sequence + 1)
        self.attempted_at = child.created_at
        self.slices_begun = max(self.slices_begun, bisect_right(self.schedule.starts, child.created_at))

    def take_pace(self, paced: OrderPaced) -> None:
        """Go on at another pace, or not at all."""
        self.pace = paced.after
        if paced.after is Pace.STOPPED:
            self.stopped = paced.reason

    def begin(self, now: datetime) -> bool:
        """Whether a slice begins by now that had not begun before."""
        begun = bisect_right(self.schedule.starts, now)
        if begun <= self.slices_begun:
            return False
        self.slices_begun = begun
        return True

    def target(self, now: datetime, state: ScheduleState) -> int:
        """Shares that should be committed by now: the schedule's, or those of the slice before or after at its pace.

        The last slice waits for nothing, and no pace takes more than the schedule's whole.
        """
        starts = self.schedule.starts
        begun = bisect_right(starts, now)
        if self.pace is SLOWER and 1 < begun < len(starts):
            return self.schedule.due(starts[begun - 2], state)
        if self.pace is FASTER and begun < len(starts):
            return self.schedule.due(starts[begun], state)
        return self.schedule.due(now, state)

    def due_before(self, now: datetime, state: ScheduleState) -> int:
        """What was due before this slice; a schedule that follows the volume, or is slowed down, is never behind."""
        starts = self.schedule.starts
        begun = bisect_right(starts, now)
        if begun < 2 or not self.schedule.completes or self.pace is Pace.SLOWER:
            return 0
        return self.schedule.due(starts[begun - 2], state)

    def slice_span(self, now: datetime) -> tuple[datetime, datetime]:
        """Begin and end of the slice that a moment lies in; the first one's where none has begun."""
        starts = self.schedule.starts
        begun = max(bisect_right(starts, now), 1)
        return starts[begun - 1], starts[begun] if begun < len(starts) else self.closes_at


def working_parent(order: ParentOrder, lot: int, hours: SessionHours) -> WorkingParent:
    """A leg at the start of its session, with the schedule that its advice names."""
    return WorkingParent(order=order, schedule=schedule_of(order, lot, hours), closes_at=hours.closes_at)


def is_tradable(quote: Quote) -> bool:
    """Both sides are there, finite, and do not cross; on any other quote the slice waits for the next one."""
    bid, ask = quote.bid, quote.ask
    return bid.is_finite() and ask.is_finite() and ZERO < bid <= ask


def marketable_limit(side: Side, quote: Quote, tick: Decimal) -> Decimal:
    """The touch and a band past it, on the tick, rounded towards the touch."""
    if side is BUY:
        ticks = (quote.ask * HIGHEST / tick).to_integral_value(ROUND_FLOOR)
        return max(ticks * tick, quote.ask)
    ticks = (quote.bid * LOWEST / tick).to_integral_value(ROUND_CEILING)
    return min(ticks * tick, quote.bid)


def affordable(quantity: int, limit: Decimal, free: Decimal, lot: int) -> int:
    """As much of a buy as free cash pays for at the limit, in whole lots when it has to be cut."""
    payable = int(free / limit) if free > 0 else 0
    return quantity if payable >= quantity else payable // lot * lot
