"""Our book beside the venue's: what differs, what explains it, and what is done about each difference.

An order we know and the venue too takes the venue's state; executions we missed are booked; an order the venue
proves never to have seen is sent again under its own id, or given up. What is left has no innocent cause: a
position, cash or an order that differs stops the desk until a person has looked.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Literal, NamedTuple

from ..domain.control_events import BookDifference, BookReconciled
from ..domain.orders import Fill, OrderState
from .errors import VenueUnreachable
from .order_manager import OrderManager
from .orders import TERMINAL
from .session_book import SessionBook
from .venues.venue import Busted, Filled, Venue, VenueOrder
from .working import WorkingChild

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class ReconcileTerms:
    """How often to ask, how long an order is left alone after it was heard of, how often one is sent again."""

    every: timedelta = timedelta(minutes=15)
    guard: timedelta = timedelta(seconds=5)
    max_resends: int = 2


@dataclass(frozen=True, slots=True)
class OurBook:
    """What the desk believes. `orders` are all it ever sent; `recent` ones were heard of a moment ago.

    `inherited` are the executions of earlier plans, which a venue that begins a new day does not tell again.
    """

    orders: Mapping[str, WorkingChild]
    recent: frozenset[str]
    executions: Mapping[str, Fill]
    inherited: frozenset[str]
    busted: frozenset[str]
    positions: Mapping[str, int]
    cash: Decimal


@dataclass(frozen=True, slots=True)
class VenueBook:
    """What the venue says. `orders` are those it was asked for, None where it never saw one, and its open ones."""

    orders: Mapping[str, VenueOrder | None]
    executions: tuple[Filled | Busted, ...]
    positions: Mapping[str, int] | None
    cash: Decimal | None


class Agreed(NamedTuple):
    """The executions on which both books agreed the last time: all of theirs then, and how many of ours."""

    theirs: tuple[Filled | Busted, ...] = ()
    ours: int = 0


NOTHING = Agreed()


def compare(ours: OurBook, theirs: VenueBook, agreed: Agreed = NOTHING) -> tuple[BookDifference, ...]:
    """Everything on which the two differ, each with whether it explains itself.

    What both agreed on and the venue tells as it did then is not gone through again: a day's executions are many.
    """
    if theirs.executions[: len(agreed.theirs)] != agreed.theirs:
        agreed = NOTHING
    missed = _missed(ours, theirs, agreed)
    return (
        *_execution_differences(ours, theirs, missed, agreed),
        *_order_differences(ours, theirs, missed),
        *(() if ours.recent else _holding_differences(ours, theirs, missed)),
    )


Missed = tuple[tuple[Fill, int], ...]
"""Executions of our own orders that we have not booked (+1), or not taken back yet (-1)."""


def _missed(ours: OurBook, theirs: VenueBook, agreed: Agreed) -> Missed:
    mine = [report for report in theirs.executions[len(agreed.theirs) :] if report.client_order_id in ours.orders]
    told = {report.fill.execution_id: report.fill for report in mine}
    new = tuple((fill, 1) for name, fill in told.items() if name not in ours.executions)
    busts = [report.fill for report in mine if isinstance(report, Busted)]
    return new + tuple((fill, -1) for fill in busts if fill.execution_id not in ours.busted)


def _execution_differences(
    ours: OurBook, theirs: VenueBook, missed: Missed, agreed: Agreed
) -> Iterator[BookDifference]:
    for fill, sign in missed:
        ours_text, their_text = ("not booked", "executed") if sign > 0 else ("booked", "taken back")
        text = f"{_shares(fill)} of {fill.client_order_id} was {their_text} without our hearing of it"
        yield _difference("missing_fill", fill.execution_id, ours_text, their_text, text, explained=True)
    told = {report.fill.execution_id: report.fill for report in theirs.executions[len(agreed.theirs) :]}
    for name, fill in told.items():
        if fill.client_order_id not in ours.orders:
            text = f"{_shares(fill)} for {fill.client_order_id}, which this session never sent"
            yield _difference("unknown_fill", name, "never sent", _shares(fill), text)
        elif (booked := ours.executions.get(name, fill)) is not fill and booked != fill:
            text = f"execution {name} is {_shares(fill)} at the venue"
            yield _difference("unknown_fill", name, _shares(ours.executions[name]), _shares(fill), text)
    for name, fill in islice(ours.executions.items(), agreed.ours, None):
        if name not in told and name not in ours.inherited:
            text = f"{_shares(fill)} of {fill.client_order_id} is booked, and the venue does not know it"
            yield _difference("unknown_fill", name, _shares(fill), "unknown", text)


def _order_differences(ours: OurBook, theirs: VenueBook, missed: Missed) -> Iterator[BookDifference]:
    executed: dict[str, int] = defaultdict(int)
    for fill, sign in missed:
        executed[fill.client_order_id] += fill.quantity * (sign > 0)
    for name, order in theirs.orders.items():
        working = ours.orders.get(name)
        if working is None:
            text = f"{name}: {order.quantity if order else 0} are open at the venue, which this session never sent"
            yield _difference("unknown_order", name, "never sent", "open", text)
        elif name in ours.recent:
            continue
        elif order is None:
            yield _absent(name, working)
        else:
            yield from _state_difference(name, working, order, working.executed + executed[name])


def _absent(name: str, working: WorkingChild) -> BookDifference:
    text, explained = f"{name}: the venue never saw it", True
    if working.is_inherited:
        text = f"{name}: an earlier plan's, and the venue does not know it any more"
    elif working.is_acknowledged:
        explained = False
        text = f"{name}: the venue acknowledged it, and now says it never saw it"
    return _difference("missing_order", name, working.state, "never seen", text, explained=explained)


def _state_difference(name: str, working: WorkingChild, order: VenueOrder, executed: int) -> Iterator[BookDifference]:
    child, is_over = working.child, order.state in TERMINAL
    if (order.symbol, order.side, order.quantity) != (child.symbol, child.side, child.quantity):
        theirs = f"{order.side} {order.quantity} {order.symbol}"
        text = f"{name}: the venue has another order under this id"
        yield _difference("order_state", name, f"{child.side} {child.quantity} {child.symbol}", theirs, text)
    elif order.executed != executed:
        text = f"{name}: {order.executed} executed at the venue, but its executions come to {executed}"
        yield _difference("order_state", name, str(executed), str(order.executed), text)
    elif working.is_open and (is_over or working.state is OrderState.UNKNOWN):
        text = f"{name}: {working.state} here, {order.state} at the venue"
        yield _difference("order_state", name, working.state, order.state, text, explained=True)
    elif not working.is_open and not is_over:
        text = f"{name}: over here as {working.state}, but still {order.state} at the venue"
        yield _difference("order_state", name, working.state, order.state, text)


def _holding_differences(ours: OurBook, theirs: VenueBook, missed: Missed) -> Iterator[BookDifference]:
    held, cash = defaultdict(int, ours.positions), ours.cash
    for fill, sign in missed:
        held[fill.symbol] += sign * fill.side.sign * fill.quantity
        cash -= sign * (fill.side.sign * fill.notional + fill.fee)
    if theirs.positions is not None:
        for symbol in sorted(held.keys() | theirs.positions.keys()):
            mine, other = held[symbol], theirs.positions.get(symbol, 0)
            if mine != other:
                text = f"{symbol}: {mine} held here, {other} at the venue, and no execution explains it"
                yield _difference("position", symbol, str(mine), str(other), text)
    if theirs.cash is not None and abs(theirs.cash - cash) >= CENT:
        text = f"cash is {cash} here and {theirs.cash} at the venue"
        yield _difference("cash", "cash", str(cash), str(theirs.cash), text)


def _shares(fill: Fill) -> str:
    return f"{fill.side} {fill.quantity} {fill.symbol} at {fill.price}"


def _difference(
    kind: Literal["position", "missing_fill", "unknown_fill", "missing_order", "unknown_order", "order_state", "cash"],
    subject: str,
    ours: str,
    theirs: str,
    text: str,
    *,
    explained: bool = False,
) -> BookDifference:
    return BookDifference(kind=kind, subject=subject, ours=ours, theirs=theirs, explained=explained, text=text)


class Reconciler:
    """Asks one venue, compares, and brings our orders to what it says."""

    def __init__(self, orders: OrderManager, book: SessionBook, venue: Venue, terms: ReconcileTerms) -> None:
        self._orders, self._book, self._venue, self._terms = orders, book, venue, terms
        self._last: datetime | None = None
        self._agreed = NOTHING

    def is_due(self, now: datetime) -> bool:
        """On its interval, at every moment while an outcome is unknown, and until the venue answers at all."""
        return self._last is None or bool(self._orders.known.unresolved) or now - self._last >= self._terms.every

    def run(self, now: datetime, *, spares_recent: bool = True) -> BookReconciled | None:
        """What differed, after what could be settled was; None when the venue could not be asked.

        At the start of a session and at its end nothing is on its way any more: no order is spared then.
        """
        guard = self._terms.guard if spares_recent else timedelta(0)
        recent = [name for name, item in self._orders.known.open.items() if now - item.last_event < guard]
        try:
            theirs = self._ask(frozenset(recent))
        except VenueUnreachable:
            return None
        ours = OurBook(
            orders=self._orders.known.children,
            recent=frozenset(recent),
            executions=self._orders.known.executions,
            inherited=frozenset(self._orders.known.inherited),
            busted=frozenset(self._orders.known.busted),
            positions=self._book.held,
            cash=self._book.cash,
        )
        differences = compare(ours, theirs, self._agreed)
        if differences:
            self._adopt(theirs, now)
        self._agreed = NOTHING if differences else Agreed(theirs.executions, len(ours.executions))
        self._last = now
        return BookReconciled(
            venue=self._venue.name,
            orders_checked=len(theirs.orders),
            executions_checked=len(theirs.executions),
            differences=differences,
        )

    def _ask(self, recent: frozenset[str]) -> VenueBook:
        # Orders before executions and holdings: what fills in between is then a missing fill, not a mystery.
        orders = {name: self._venue.order(name) for name in self._orders.known.open if name not in recent}
        orders |= {order.client_order_id: order for order in self._venue.open_orders()}
        return VenueBook(orders, self._venue.executions(), self._venue.positions(), self._venue.cash())

    def _adopt(self, theirs: VenueBook, now: datetime) -> None:
        known = self._orders.known.children
        self._orders.answers.apply(report for report in theirs.executions if report.client_order_id in known)
        for name, order in theirs.orders.items():
            working = self._orders.known.open.get(name)
            if working is None:
                continue
            if order is not None:
                self._orders.answers.apply([order.report] if order.report else [])
            elif working.is_inherited:
                self._orders.give_up(working, "its plan is over, and the venue does not know it any more", now)
            elif not working.is_acknowledged:
                working.is_absent = working.resends < self._terms.max_resends
                self._orders.known.has_absent |= working.is_absent
                if not working.is_absent:
                    self._orders.give_up(working, f"never arrived in {working.resends + 1} sends", now)
