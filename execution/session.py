"""The fast loop: works one approved plan through one session, child by child, through the gate.

No language model, no clock and no network here. Time is the time of the quotes; what happens is told
through `emit`, and what `emit` has taken is what the log says happened.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Literal

from ..domain.canonical import short_id
from ..domain.events import (
    Actor,
    ChildClosed,
    ChildDenied,
    ChildSubmitted,
    NewEvent,
    OrderClosed,
    OrderFilled,
    OrderOpened,
    Payload,
)
from ..domain.market import Quote
from ..domain.orders import ChildOrder, Fill, OrderState, Side
from ..domain.portfolio import Portfolio, book_fills
from ..domain.trading import TradingState
from ..gate.approval import ApprovedPlan, genuine_plan
from ..gate.gate import review_child
from ..gate.limits import Limits
from .errors import SessionRefused, VenueContradiction
from .hours import SessionHours
from .orders import TERMINAL, OrderEvent, next_state
from .session_book import SessionBook
from .shortfall import ExecutionQuality, execution_quality
from .venues.venue import Accepted, Canceled, CancelRefused, Expired, Filled, Rejected, Report, Venue
from .working import WorkingChild, WorkingParent, affordable, marketable_limit, working_parent

Emit = Callable[[NewEvent], None]

_DESK = Actor(kind="desk", name="execution")
_GATE = Actor(kind="gate", name="gate")


@dataclass(frozen=True, slots=True)
class SessionResult:
    """What a session came to. `quality` is in the order of the plan's legs."""

    portfolio: Portfolio
    fills: tuple[Fill, ...]
    traded: Decimal
    fees: Decimal
    denied: int
    quality: tuple[ExecutionQuality, ...]


def work_session(
    approved: ApprovedPlan,
    quotes: Iterable[Quote],
    venue: Venue,
    hours: SessionHours,
    portfolio: Portfolio,
    limits: Limits,
    emit: Emit,
    *,
    run_id: str,
    trading_state: TradingState = TradingState.ACTIVE,
) -> SessionResult:
    """Work every leg as TWAP over the session's quotes, in time order, and close what is left at the end.

    A child is emitted before it is sent: with a live venue `emit` must not return before that is durable.
    `portfolio` must be the one the plan was approved for. `limits` are those of now: what has been tightened
    since the approval binds every child.
    """
    plan = genuine_plan(approved)
    terms = approved.terms
    if portfolio != terms.portfolio:
        raise SessionRefused(
            f"plan {plan.plan_id} was approved for book {terms.state_version}, and the book is another one now",
            remedy="Decide again from the present book.",
        )
    parents = [working_parent(leg, terms.legs[leg.order_id].lot, hours) for leg in plan.legs]
    session = _Session(approved, parents, venue, hours, limits, emit, run_id, trading_state)
    last: datetime | None = None
    for now, batch in groupby(quotes, key=attrgetter("ts_event")):
        if last is not None and now < last:
            raise SessionRefused(f"a quote of {now} came after one of {last}", remedy="Sort the quotes by time.")
        last = now
        session.on_quotes(now, list(batch))
    quality = session.close()
    fills = tuple(session.fills)
    return SessionResult(
        portfolio=book_fills(portfolio, fills),
        fills=fills,
        traded=sum((fill.notional for fill in fills), Decimal(0)),
        fees=sum((fill.fee for fill in fills), Decimal(0)),
        denied=session.denied,
        quality=quality,
    )


class _Session:
    """The state of one session and the few things that change it."""

    def __init__(
        self,
        approved: ApprovedPlan,
        parents: list[WorkingParent],
        venue: Venue,
        hours: SessionHours,
        limits: Limits,
        emit: Emit,
        run_id: str,
        trading_state: TradingState,
    ) -> None:
        self._approved, self._terms = approved, approved.terms
        self._parents = parents
        # Sells first at each moment, so that the cash they bring is there for the buys.
        self._by_turn = sorted(parents, key=lambda parent: parent.order.side is Side.BUY)
        self._by_id = {parent.order.order_id: parent for parent in parents}
        self._venue, self._hours, self._limits = venue, hours, limits
        self._emit_event, self._run_id, self._trading_state = emit, run_id, trading_state
        self._venue_actor = Actor(kind="venue", name=venue.name)
        self._book = SessionBook(self._terms)
        self._children: dict[str, WorkingChild] = {}
        self._booked: set[str] = set()
        self.fills: list[Fill] = []
        self.denied = 0

    def on_quotes(self, now: datetime, quotes: list[Quote]) -> None:
        """All quotes of one moment: open orders see them first, then the slices that are due go out."""
        if not self._hours.contains(now):
            return
        latest: dict[str, Quote] = {}
        for quote in quotes:
            latest[quote.symbol] = quote
            self._apply(self._venue.on_quote(quote))
        for parent in self._by_turn:
            quote = latest.get(parent.order.symbol)
            if quote is not None and 0 < quote.bid <= quote.ask:
                self._work(parent, quote, now)

    def close(self) -> tuple[ExecutionQuality, ...]:
        """Expire what is open and write every parent's result."""
        at = self._hours.closes_at
        self._apply(self._venue.close(at))
        return tuple(self._close_parent(parent, at) for parent in self._parents)

    def _work(self, parent: WorkingParent, quote: Quote, now: datetime) -> None:
        parent.last_mid = quote.mid
        if parent.arrival_price is None:
            self._open_parent(parent, quote.mid, now)
        due = parent.due(now)
        if due is None:
            return
        if parent.current is not None and parent.current.state not in TERMINAL:
            self._cancel(parent.current, now)
        missing = due - self._book.committed(parent.order.order_id)
        if missing > 0:
            self._send(parent, missing, quote, now)

    def _send(self, parent: WorkingParent, quantity: int, quote: Quote, now: datetime) -> None:
        """Review a child and send it; what is refused is told, and is due again with the next slice."""
        order = parent.order
        leg = self._terms.legs[order.order_id]
        limit = marketable_limit(order.side, quote, leg.tick)
        fee = self._venue.worst_fee(quantity, limit)
        if order.side is Side.BUY:
            free = self._book.cash - self._book.reserved - fee - Decimal(repr(self._limits.min_cash))
            # The whole slice if nothing can be paid, so that the gate says why.
            quantity = affordable(quantity, limit, free, leg.lot) or quantity
        sequence = parent.attempts
        parent.attempts += 1
        child = ChildOrder(
            client_order_id=short_id("ord", order.decision_id, order.order_id, sequence),
            order_id=order.order_id,
            decision_id=order.decision_id,
            symbol=order.symbol,
            side=order.side,
            quantity=quantity,
            limit_price=limit,
            sequence=sequence,
            created_at=now,
        )
        context = self._book.context(child, quote, fee, self._trading_state)
        review = review_child(child, self._approved, context, self._limits, now)
        if review.order is None:
            self.denied += 1
            self._emit(order.order_id, now, _GATE, ChildDenied(child=child, verdict=review.verdict))
            return
        submitted = ChildSubmitted(child=child, verdict_hash=review.verdict_hash)
        self._emit(order.order_id, now, _DESK, submitted)
        working = WorkingChild(child, next_state(OrderState.INTENDED, OrderEvent.SUBMITTED))
        parent.current = self._children[child.client_order_id] = working
        self._book.send(child, limit, fee)
        self._apply(self._venue.submit(review.order))

    def _cancel(self, working: WorkingChild, now: datetime) -> None:
        working.state = next_state(working.state, OrderEvent.CANCEL_REQUESTED)
        self._apply(self._venue.cancel(working.child.client_order_id, now))

    def _apply(self, reports: Iterable[Report]) -> None:
        for report in reports:
            working = self._children.get(report.client_order_id)
            if working is None:
                raise VenueContradiction(
                    f"{self._venue.name} reports {type(report).__name__} for {report.client_order_id}, "
                    "which this session never sent",
                    remedy="Halt, and reconcile with the venue before resuming.",
                )
            match report:
                case Filled():
                    self._fill(working, report)
                case Accepted():
                    working.state = next_state(working.state, OrderEvent.ACCEPTED)
                case CancelRefused():
                    working.state = next_state(working.state, OrderEvent.CANCEL_REFUSED)
                case Canceled():
                    self._end(working, OrderEvent.CANCELED, OrderState.CANCELED, report)
                case Expired():
                    self._end(working, OrderEvent.EXPIRED, OrderState.EXPIRED, report)
                case Rejected():
                    self._end(working, OrderEvent.REJECTED, OrderState.REJECTED, report)

    def _fill(self, working: WorkingChild, report: Filled) -> None:
        fill = report.fill
        if fill.execution_id in self._booked:
            return
        filled = working.filled + fill.quantity
        if filled > working.child.quantity:
            raise VenueContradiction(
                f"{fill.client_order_id}: {filled} shares filled of {working.child.quantity} sent",
                remedy="Halt, and reconcile with the venue before resuming.",
            )
        self._booked.add(fill.execution_id)
        event = OrderEvent.FILLED if filled == working.child.quantity else OrderEvent.PARTIALLY_FILLED
        working.state = next_state(working.state, event)
        working.filled = filled
        self._book.fill(fill)
        self.fills.append(fill)
        self._by_id[fill.order_id].fills.append(report)
        self._emit(fill.order_id, fill.ts_event, self._venue_actor, OrderFilled(fill=fill))

    def _end(
        self,
        working: WorkingChild,
        event: OrderEvent,
        state: Literal[OrderState.CANCELED, OrderState.REJECTED, OrderState.EXPIRED],
        report: Rejected | Canceled | Expired,
    ) -> None:
        """Into a terminal state, once; a repeated report changes nothing."""
        before = working.state
        working.state = next_state(before, event)
        if before is working.state:
            return
        child = working.child
        closed = ChildClosed(
            client_order_id=child.client_order_id,
            order_id=child.order_id,
            state=state,
            unfilled=self._book.release(child.client_order_id),
            reason=report.reason,
        )
        self._emit(child.order_id, report.ts_event, self._venue_actor, closed)

    def _open_parent(self, parent: WorkingParent, arrival: Decimal, now: datetime) -> None:
        parent.arrival_price = arrival
        opened = OrderOpened(order=parent.order, arrival_price=arrival)
        self._emit(parent.order.order_id, now, _DESK, opened)

    def _close_parent(self, parent: WorkingParent, at: datetime) -> ExecutionQuality:
        order = parent.order
        if parent.arrival_price is None:
            # No quote came all session: the mark it was decided at is the only price there is.
            self._open_parent(parent, order.reference_price, at)
        arrival = parent.arrival_price or order.reference_price
        quality = execution_quality(order, arrival, parent.fills, parent.last_mid or arrival)
        unfilled = order.quantity - quality.filled
        status = "filled" if unfilled == 0 else "partial" if quality.filled else "unfilled"
        closed = OrderClosed(
            order_id=order.order_id,
            decision_id=order.decision_id,
            filled=quality.filled,
            unfilled=unfilled,
            average_price=quality.average_price,
            arrival_price=arrival,
            fees=quality.fees,
            shortfall_bps=quality.shortfall_bps,
            status=status,
        )
        self._emit(order.order_id, at, _DESK, closed)
        return quality

    def _emit(self, order_id: str, at: datetime, actor: Actor, payload: Payload) -> None:
        self._emit_event(
            NewEvent(
                stream=f"order/{order_id}",
                event_time=at,
                actor=actor,
                payload=payload,
                run_id=self._run_id,
                decision_id=self._terms.decision_id,
                order_id=order_id,
            )
        )
