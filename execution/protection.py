"""Protective stops: every position of a session has one, simulated here and driven by quotes alone.

A stop follows its position: it is armed at the open, and again with the new quantity after every fill. A quote that
reaches it has an exit approved by the gate, through a port that asks no model, and the exit is worked beside the plan
until the position is closed: in REDUCING too, since it takes risk off, and not while trading is halted. What can't be
closed now is tried again; what is left at the close has its stop in the next session.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from ..domain.events import StopArmed, StopFired
from ..domain.market import Quote
from ..domain.orders import ParentOrder
from ..domain.portfolio import Portfolio, Position, book_fill
from ..gate.approval import ApprovedPlan
from .algorithms.at_once import AtOnceSchedule, attempts
from .hours import SessionHours
from .known_orders import KnownOrders
from .recorder import Recorder
from .working import WorkingParent, is_tradable

MAX_ATTEMPTS = 20
"""An exit is offered this often at most over what is left of a session: a venue that takes none won't take the next."""
LEAST_APART = timedelta(seconds=30)
STOPPED_OUT = "its position is closed by its stop"
CUT_OFF = "its session was cut off, and its stop is armed anew"
PRICE_STEP = Decimal("0.0001")
"""Stops are prices of ours that no venue sees: finer than any tick they are compared with."""


@dataclass(frozen=True, slots=True)
class Stop:
    """`quantity` is the position's, signed; it is closed when it can only be closed at `price` or worse."""

    symbol: str
    quantity: int
    entry: Decimal
    price: Decimal

    def is_reached(self, quote: Quote) -> bool:
        return quote.bid <= self.price if self.quantity > 0 else quote.ask >= self.price

    def closes_at(self, quote: Quote) -> Decimal:
        """The side of the quote that the position can be closed at."""
        return quote.bid if self.quantity > 0 else quote.ask

    def asked(self, quote: Quote) -> "ExitAsked":
        reason = f"{self.symbol} trades at {self.closes_at(quote)}, its stop is {self.price}"
        if not self.is_reached(quote):
            reason += ", which was reached before its exit was cut off"
        return ExitAsked(self.symbol, quote.ts_event, reason)


@dataclass(frozen=True, slots=True)
class ExitAsked:
    """One position to be closed, and why."""

    symbol: str
    decided_at: datetime
    reason: str


ApproveExit = Callable[[ExitAsked, Portfolio], ApprovedPlan | str]
"""A plan that closes the position as it is now, or why there is none; nothing that can hang may be asked for it."""


class RestingDesk(Protocol):
    """What a session whose stops rest at the venue asks of the desk around it."""

    def approve_resting(
        self, symbols: tuple[str, ...], now: datetime, portfolio: Portfolio, *, for_night: bool
    ) -> ApprovedPlan | str:
        """A plan that would close these positions as they are now, whose legs become orders that rest; or why not.
        `for_night`: the session is over, and the same may have been refused with its last quotes."""
        ...

    def closed_at(self, now: datetime) -> datetime:
        """The market's last close by this moment."""
        ...

    @property
    def barred(self) -> str:
        """Why no order at all may be placed now, not even a protective one; empty where one may."""
        ...

    @property
    def waived(self) -> Collection[str]:
        """Names whose protective order a person has taken back: they have no stop until the session is over."""
        ...

    @property
    def clears_last(self) -> bool:
        """Whether what the plan has open with the last quotes is taken back, so that its name has a stop over night."""
        ...

    @property
    def hands_over(self) -> bool:
        """Whether what is left of the session is another's to work, protective orders included."""
        ...

    def warn(self, text: str, now: datetime, *, is_passing: bool) -> None:
        """Tell a person that a position has no protection, or none until the desk looks at its next quotes."""
        ...


class ExitDesk(Protocol):
    """The loop that an exit is worked in."""

    def clear(self, symbol: str, now: datetime) -> None:
        """Work the plan no further in this name, and take back what is open of it."""
        ...

    def begin_exit(self, approved: ApprovedPlan, now: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class ProtectionTerms:
    """How far a position may fall below what it cost on average, and who approves its exit; with a `resting` desk the
    stops of long positions rest at the venue. Those of names that are `closed_already` are not followed, and an exit
    that was `cut_off` goes on at the first quote, wherever its stop is by now."""

    stop_frac: float
    approve: ApproveExit
    resting: RestingDesk | None = None
    closed_already: frozenset[str] = frozenset()
    cut_off: frozenset[str] = frozenset()

    def is_due(self, stop: Stop, quote: Quote) -> bool:
        """Whether the position is to be closed at this quote."""
        return stop.is_reached(quote) or stop.symbol in self.cut_off


def stop_of(position: Position, stop_frac: float) -> Stop | None:
    """The stop of a position; None where nothing is held."""
    if not position.quantity:
        return None
    sign = 1 if position.quantity > 0 else -1
    price = (position.average_price * (1 - sign * Decimal(repr(stop_frac)))).quantize(PRICE_STEP)
    return Stop(position.symbol, position.quantity, position.average_price, price)


def first_reached(portfolio: Portfolio, terms: ProtectionTerms, quotes: Iterable[Quote]) -> ExitAsked | None:
    """The first of the positions whose stop these quotes reach; None where they reach none."""
    found = (stop_of(item, terms.stop_frac) for item in portfolio.positions)
    stops = {stop.symbol: stop for stop in found if stop is not None}
    for quote in quotes:
        stop = stops.get(quote.symbol)
        if stop is not None and is_tradable(quote) and terms.is_due(stop, quote):
            return stop.asked(quote)
    return None


def exit_parent(
    order: ParentOrder, hours: SessionHours, now: datetime, known: WorkingParent | None = None
) -> WorkingParent:
    """An approved exit: all of it is due now, and again at every attempt until the session ends.

    `known` is the same exit, begun before a restart: its numbers are used up, and what it filled counts.
    """
    schedule = AtOnceSchedule(attempts(now, hours.closes_at, MAX_ATTEMPTS, LEAST_APART), order.quantity)
    if known is None:
        return WorkingParent(order, schedule, hours.closes_at)
    known.schedule, known.closes_at, known.slices_begun, known.stopped = schedule, hours.closes_at, 0, ""
    return known


def adopt_exits(fired: StopFired, at: datetime, parents: dict[str, WorkingParent]) -> None:
    """The exits of a session that was cut off: what they did counts, and they do no more."""
    for order in fired.exits:
        for parent in parents.values():
            if parent.order.symbol == order.symbol:
                parent.stopped = parent.stopped or STOPPED_OUT
        parents[order.order_id] = WorkingParent(order, AtOnceSchedule((), order.quantity), at, stopped=CUT_OFF)


class Protection:
    """The stops of one session."""

    def __init__(
        self,
        terms: ProtectionTerms,
        portfolio: Portfolio,
        orders: KnownOrders,
        recorder: Recorder,
        covers: Callable[[str], bool] = lambda symbol: False,
    ) -> None:
        """`covers` says in which names the desk does not look itself: an order at the venue sees to it."""
        self._terms, self._before, self._orders, self._recorder = terms, portfolio, orders, recorder
        self._covers, self.portfolio = covers, portfolio
        self._counted = 0
        self._seen: tuple[int, int] | None = None
        self._again_at: dict[str, datetime] = {}
        self.stops: Mapping[str, Stop] = {}

    def on_quotes(self, quotes: Iterable[Quote], now: datetime, desk: ExitDesk) -> None:
        """Follow the positions to this moment, and close those whose stop a usable quote has reached."""
        self.follow(now)
        for quote in quotes:
            stop = self.stops.get(quote.symbol)
            if stop is None or not is_tradable(quote) or not self._terms.is_due(stop, quote):
                continue
            if self._covers(stop.symbol):
                continue
            if now >= self._again_at.get(stop.symbol, now):
                self._fire(stop, quote, now, desk)

    def _fire(self, stop: Stop, quote: Quote, now: datetime, desk: ExitDesk) -> None:
        # First of all: an open sell of the plan counts as sold, and the gate would refuse to sell it twice.
        desk.clear(stop.symbol, now)
        approved = self._terms.approve(stop.asked(quote), self.portfolio)
        is_approved = not isinstance(approved, str)
        fired = StopFired(
            symbol=stop.symbol,
            quantity=stop.quantity,
            stop_price=stop.price,
            price=stop.closes_at(quote),
            exits=approved.plan.legs if is_approved else (),
            outcome="an exit was approved" if is_approved else approved,
        )
        self._recorder.of_venue(now, fired)
        # An exit tries on its own until the close; after a refusal the gate is asked anew.
        self._again_at[stop.symbol] = datetime.max.replace(tzinfo=now.tzinfo) if is_approved else now + LEAST_APART
        if is_approved:
            desk.begin_exit(approved, now)

    def follow(self, now: datetime) -> None:
        """Take in what was filled since the last moment, and arm what changed by it anew."""
        before, self._seen = self._seen, (len(self._orders.executions), len(self._orders.busted))
        if before == self._seen:
            return
        if before is not None and before[1] != self._seen[1]:
            self._counted, self.portfolio = 0, self._before
        for fill in self._orders.standing(self._counted):
            self.portfolio = book_fill(self.portfolio, fill)
            self._counted += 1
        followed = (item for item in self.portfolio.positions if item.symbol not in self._terms.closed_already)
        found = (stop_of(item, self._terms.stop_frac) for item in followed)
        armed = {stop.symbol: stop for stop in found if stop is not None}
        for symbol in sorted({**self.stops, **armed}):
            if self.stops.get(symbol) != armed.get(symbol):
                self._tell(symbol, self.stops.get(symbol), armed.get(symbol), now)
        self.stops = armed

    def _tell(self, symbol: str, before: Stop | None, after: Stop | None, now: datetime) -> None:
        known = after or before
        assert known is not None, "one of the two is what changed"
        quantity = after.quantity if after is not None else 0
        armed = StopArmed(symbol=symbol, quantity=quantity, entry_price=known.entry, stop_price=known.price)
        self._recorder.of_venue(now, armed)
