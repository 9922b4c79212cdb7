"""Works one parent at one quote: what is due of it goes out as a child, and what stands wrong is asked back."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from ..domain.market import Quote
from ..domain.orders import OrderState, Side, Tactic, TimeInForce
from ..domain.trading import TradingState
from ..gate.approval import ApprovedPlan, LegTerms
from ..gate.limits import Limits
from .algorithms.closing import goes_on_close, on_close_quantity, waits_for_close
from .algorithms.schedule import ScheduleState, VolumeOf
from .board import Board
from .errors import VenueUnreachable
from .hours import SessionHours
from .order_manager import OrderManager
from .parents import next_child, open_parent
from .recorder import Recorder
from .reviewing import Reviewer
from .session_book import SessionBook
from .stopping import MAX_CANCELS
from .tactics import LEAST_REST, crosses_from, may_place, may_rest, stands_well, within_depth
from .venues.venue import Venue
from .working import WorkingChild, WorkingParent

REGULAR_SESSION = timedelta(hours=6.5)
"""What a day's volume is recorded over; a shorter span is taken to have its share of it."""
WAITING = frozenset({OrderState.PENDING_CANCEL, OrderState.UNKNOWN, OrderState.SUBMITTED})
"""An answer is on its way."""


class ParentWork:
    """What every parent of a session is worked with; `volume` tells what others trade."""

    def __init__(
        self,
        venue: Venue,
        hours: SessionHours,
        limits: Limits,
        recorder: Recorder,
        book: SessionBook,
        orders: OrderManager,
        reviewer: Reviewer,
        board: Board,
        volume: VolumeOf,
    ) -> None:
        self._venue, self._hours, self._limits, self._recorder = venue, hours, limits, recorder
        self._book, self._orders, self._reviewer = book, orders, reviewer
        self._board, self._volume = board, volume
        self._legs: dict[str, LegTerms] = dict(book.terms.legs)
        self._exits: set[str] = set()
        self._span_frac = min((hours.closes_at - hours.opens_at) / REGULAR_SESSION, 1.0)

    def admit_exit(self, approved: ApprovedPlan) -> None:
        """A plan that closes positions while another one is worked: none of its children sells more than is held."""
        self._reviewer.admit(approved)
        self._legs |= approved.terms.legs
        self._exits |= set(approved.terms.legs)

    def work(
        self,
        parent: WorkingParent,
        quote: Quote,
        state: TradingState,
        now: datetime,
        reconcile: Callable[[datetime], None],
        is_stopping: Callable[[], bool],
    ) -> None:
        """Send what is due. An unanswered cancel leaves the slice to be begun again with the next quote."""
        parent.last_mid = mid = quote.mid
        begun, unanswered = parent.slices_begun, self._orders.unanswered
        if parent.arrival_price is None:
            open_parent(parent, mid, self._recorder, now)
        begins, current = parent.begin(now) and not parent.stopped, parent.current
        for working in self._absent(parent) if self._orders.known.has_absent else ():
            if not begins and working is current and not parent.stopped:
                self._orders.resend(working, quote, state, self._reviewer.slot(now))
            else:
                self._orders.give_up(working, "never arrived, and its slice is over", now)
        if parent.stopped:
            self._take_back(parent, parent.stopped, now)
        elif current is not None and current.is_open and waits_for_close(current.child):
            pass  # The auction has it, and with it all that the parent has left.
        elif not parent.is_marketable:
            self._peg(parent, quote, state, now, begins=begins)
        elif begins:
            if current is not None and current.is_open:
                self._orders.cancel(current, "its slice is over", now)
                if self._orders.unanswered > unanswered:
                    parent.slices_begun = begun
                    return
                if current.is_open and current.ending is not None:
                    reconcile(now)
            if not is_stopping():
                if parent.goes_on_close:
                    self._send_on_close(parent, quote, state, now)
                known = self._known(parent, now)
                self._send(parent, parent.target(now, known) - known.committed, quote, state, now, crosses=True)

    def _peg(self, parent: WorkingParent, quote: Quote, state: TradingState, now: datetime, *, begins: bool) -> None:
        """At rest on the own side first, if it may; across where the schedule is behind, or its patience is over."""
        current, crosses_at = parent.current, crosses_from(parent, now)
        is_at_rest = current is not None and not begins and not stands_well(current.child, quote, crosses=True)
        is_late = now >= crosses_at or not self._may_rest(parent, quote, is_at_rest=is_at_rest)
        # What the book leans away from goes across at once; what it leaves there follows after the usual rest.
        turns = is_at_rest and is_late and now < crosses_at
        if current is not None and current.is_open:
            is_stale = begins or not stands_well(current.child, quote, crosses=is_late)
            may_move = turns or may_place(parent, now, crosses_at)
            if (_is_awaited(current, now) and not begins) or not (is_stale and may_move):
                return
            self._orders.cancel(current, "its slice is over" if begins else "the market left it behind", now)
            if current.is_open:
                return
        if begins and parent.goes_on_close:
            self._send_on_close(parent, quote, state, now)
        # Only now: what was asked back above is committed no more.
        known = self._known(parent, now)
        overdue = parent.due_before(now, known) - known.committed
        missing = overdue if overdue > 0 else parent.target(now, known) - known.committed
        if missing > 0 and (turns or may_place(parent, now, crosses_at)):
            crosses = overdue > 0 or is_late
            leg = self._legs[parent.order.order_id]
            side = parent.order.side
            fits = within_depth(missing, side, quote, self._limits.max_depth_multiple, leg.lot)
            self._send(parent, fits, quote, state, now, crosses=crosses)

    def _may_rest(self, parent: WorkingParent, quote: Quote, *, is_at_rest: bool) -> bool:
        order = parent.order
        if order.advice.tactic is not Tactic.LEAN:
            return True
        # Of a name that only an exit works nothing is known, and an exit has no time to learn it.
        top, tick = self._board.tops.get(order.symbol), self._legs[order.order_id].tick
        return top is not None and may_rest(order.side, quote, tick, top, is_at_rest=is_at_rest)

    def _send(
        self,
        parent: WorkingParent,
        missing: int,
        quote: Quote,
        state: TradingState,
        now: datetime,
        *,
        crosses: bool,
        on_close: bool = False,
    ) -> None:
        order_id = parent.order_id
        if order_id in self._exits:
            missing = min(missing, self._closable(parent))
        if missing <= 0:
            return
        leg, at = self._legs[order_id], self._reviewer.slot(now)
        child = next_child(parent, missing, quote, leg, self._venue, self._book, self._limits, at, crosses=crosses)
        if on_close:
            child = child.model_copy(update={"time_in_force": TimeInForce.CLS})
        parent.current = self._orders.send(child, quote, state, at) or parent.current

    def _send_on_close(self, parent: WorkingParent, quote: Quote, state: TradingState, now: datetime) -> None:
        """In the last slice before the auction's book is shut, what is left goes there as far as the auction takes it.

        The rest, and all of it where no auction is held, is sent as in any slice.
        """
        order, until = parent.order, None
        with suppress(VenueUnreachable):
            until = self._venue.terms(order.symbol).on_close_until
        if not goes_on_close(order, parent.schedule.starts, now, until):
            return
        left, usual = order.quantity - self._committed(parent), self._known(parent, now).usual_volume
        lot = self._legs[order.order_id].lot
        fits = on_close_quantity(left, usual, order.advice.max_participation_frac, lot)
        self._send(parent, fits, quote, state, now, crosses=True, on_close=True)

    def _take_back(self, parent: WorkingParent, why: str, now: datetime) -> None:
        for item in tuple(self._orders.known.open.values()):
            if item.child.order_id != parent.order.order_id or _is_awaited(item, now):
                continue
            # An auction's book is shut before it crosses: once refused, its order stays in.
            if not (waits_for_close(item.child) and item.cancels):
                self._orders.cancel(item, why, now)

    def _known(self, parent: WorkingParent, now: datetime) -> ScheduleState:
        order_id = parent.order_id
        leg = self._legs[order_id]
        return ScheduleState(
            committed=self._book.committed(order_id),
            market_volume=self._volume(leg.symbol, self._hours.opens_at, now),
            usual_volume=None if leg.daily_volume is None else leg.daily_volume * self._span_frac,
        )

    def _committed(self, parent: WorkingParent) -> int:
        return self._book.committed(parent.order.order_id)

    def _closable(self, parent: WorkingParent) -> int:
        """Shares that an exit may still sell, or buy back: what is held and no other open order closes."""
        order = parent.order
        held = self._book.held[order.symbol]
        closing = max(held if order.side is Side.SELL else -held, 0)
        return closing - sum(
            max(item.child.quantity - item.executed, 0)
            for item in self._orders.known.open.values()
            if item.child.symbol == order.symbol and item.child.side is order.side
        )

    def _absent(self, parent: WorkingParent) -> list[WorkingChild]:
        """This parent's children that the venue proved never to have seen."""
        known, mine = self._orders.known, parent.order.order_id
        known.has_absent = any(item.is_absent for item in known.open.values())
        return [item for item in known.open.values() if item.is_absent and item.child.order_id == mine]


def _is_awaited(working: WorkingChild, now: datetime) -> bool:
    """Whether nothing else is asked of a child for now. A cancel is asked for again, a few times: it may never have
    left before a restart. An order whose outcome is unknown is for the reconciliation to find."""
    if working.state is not OrderState.PENDING_CANCEL:
        return working.state in WAITING
    return now - working.last_event < LEAST_REST or working.cancels >= MAX_CANCELS
