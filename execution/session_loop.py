"""The moments of one session: what its quotes set off, and how it ends."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial

from ..domain.control_events import BookDifference, BookReconciled
from ..domain.events import QuotesDropped
from ..domain.market import Quote
from ..domain.orders import OrderState
from ..domain.trading import UNRESTRICTED, TradingState, TradingStates
from ..gate.approval import ApprovedPlan
from .board import Board
from .errors import VenueUnreachable
from .guarding import Guarding, StateOf
from .hours import SessionHours
from .nights import Night
from .order_manager import OrderManager
from .parent_work import WAITING, ParentWork
from .parents import close_parent
from .protection import STOPPED_OUT, Protection, exit_parent
from .readings import Readings
from .reconcile import Reconciler
from .recorder import Recorder
from .reviewing import Reviewer
from .session_book import SessionBook
from .shortfall import ExecutionQuality
from .slippage import SlippageMonitor
from .stopping import cancel_restricted, survivor, take_back_all, unreachable
from .turns import Turns
from .venues.venue import Report, Venue
from .watching import SessionWatch
from .working import WorkingChild, WorkingParent

OnUnexplained = Callable[[BookReconciled], None]
ACTIVE = TradingState.ACTIVE


class SessionLoop:
    """The state of one session and the few things that change it."""

    def __init__(
        self,
        parents: dict[str, WorkingParent],
        venue: Venue,
        hours: SessionHours,
        work: ParentWork,
        recorder: Recorder,
        book: SessionBook,
        orders: OrderManager,
        reviewer: Reviewer,
        reconciler: Reconciler,
        board: Board,
        readings: Readings,
        costs: SlippageMonitor,
        stops: Protection | None,
        guarding: Guarding | None,
        night: Night | None,
        watch: SessionWatch,
        on_unexplained: OnUnexplained,
    ) -> None:
        self._parents, self._venue, self._hours, self._work = parents, venue, hours, work
        self._recorder, self._book, self._orders = recorder, book, orders
        self._reviewer, self._reconciler, self._board, self._readings = reviewer, reconciler, board, readings
        self._costs, self._stops, self._guarding, self._night = costs, stops, guarding, night
        self._watch, self._on_unexplained = watch, on_unexplained
        self._turns = Turns(parents.values(), book)
        self._latest: dict[str, Quote] = {}
        """The last quote of each name in this moment, where it is one that can be traded on."""
        self._strategy = book.terms.strategy
        self._is_begun = self._was_reconciled = self._is_cut = self._has_taken_back = False
        self._now: datetime | None = None
        self._states = UNRESTRICTED
        self.stopped = ""

    def on_quote(self, quote: Quote) -> None:
        """A quote of the moment: the board takes it, and open orders see it before anything else is done."""
        self._begin(quote.ts_event)
        if self._board.see(quote):
            self._latest[quote.symbol] = quote
        else:
            self._latest.pop(quote.symbol, None)
        reports = self._orders.on_quote(quote)
        if reports:
            self.on_fill(reports)

    def on_fill(self, reports: Iterable[Report]) -> None:
        """What the venue says, whenever it says it."""
        self._orders.answers.apply(reports)

    def on_timer(self, now: datetime) -> bool:
        """The moment is whole: what is due in the names that had a quote goes out.

        False when the session is over: trading was halted, or the venue's book differs, and no stop rests there.
        """
        self._begin(now)
        known = self._orders.known
        latest, self._latest = self._latest, {}
        if self._night is not None:
            self._night.see(latest)
        if self._reconciler.is_due(now) and not (self._guarding is not None and self._guarding.is_in_doubt):
            self._reconcile(now)
        states = self._states = self._watch.states(now)
        if states.restricted:
            self._restrict(states, now)
        if known.differences:
            self._tell_contradictions(now)
        if self._was_reconciled:
            self._costs.judge(now)
            if self._stops is not None and not self._is_stopping():
                self._stops.on_quotes(latest.values(), now, self)
                if self._guarding is not None:
                    self._guarding.follow(self._is_worked, now)
            self._work_all(latest, states, now)
            if self._guarding is not None and not self._is_stopping():
                self._place_stops(self._guarding, latest, now)
            if known.differences:
                self._tell_contradictions(now)
        self._watch.observe(self._readings.read(now))
        return not self.stopped or self._goes_on(latest, now)

    def close(self, dropped: Iterable[QuotesDropped] = ()) -> tuple[ExecutionQuality, ...]:
        """Expire what is open, settle the book with the venue's, and write every parent's result; `dropped` is told.

        A session that was cut short leaves the venue open: a flatten may follow on the same quotes.
        """
        at = self._now if self._is_cut and self._now else self._hours.closes_at
        self._begin(at)
        if not self._is_cut:
            with suppress(VenueUnreachable):
                self._orders.answers.apply(self._venue.close(at))
        for finding in dropped:
            self._recorder.of_venue(at, finding)
        found = self._reconciler.run(at, spares_recent=False)
        if self._night is not None and not self._is_cut:
            found = self._night.prepare(found, self._hours.opens_at, at, self._look)
        left = [self._left_open(working, at) for working in tuple(self._orders.known.open.values())]
        if self._guarding is not None:
            self._guarding.settle(partial(self._state_of, self._states), at, is_cut=self._is_cut)
        if self._night is not None:
            self._night.tell(partial(self._state_of, self._states), at)
        differences = [item for item in left if item is not None]
        if found is None:
            differences.append(unreachable(self._venue.name))
            found = BookReconciled(venue=self._venue.name, orders_checked=0, executions_checked=0, differences=())
        known = (*found.differences, *differences)
        extra = [item for item in self._orders.known.differences if item not in known]
        self._orders.known.differences.clear()
        self._tell(found.model_copy(update={"differences": (*known, *extra)}), at)
        return tuple(
            close_parent(parent, self._orders.known, self._recorder, at, self.stopped)
            for parent in self._parents.values()
        )

    def _goes_on(self, latest: Mapping[str, Quote], now: datetime) -> bool:
        """Nothing is worked any more. All is taken back but what protects; whether that is followed to the close."""
        if (guarding := self._guarding) is not None:
            guarding.give_up_absent(now)
        self._take_back_all(now)
        if guarding is None or (guarding.hands_over and now < self._hours.closes_at):
            self._is_cut = True
            return False
        guarding.follow(self._is_worked, now, is_halted=True)
        if self._was_reconciled:
            self._place_stops(guarding, latest, now)
        if self._orders.known.differences:
            self._tell_contradictions(now)
        return True

    def _place_stops(self, guarding: Guarding, latest: Mapping[str, Quote], now: datetime) -> None:
        state_of = partial(self._state_of, self._states)
        guarding.place(latest, self._is_worked, state_of, now, is_last=now >= self._hours.closes_at)

    def _look(self, now: datetime) -> StateOf:
        """What may be done at this moment."""
        self._states = self._watch.states(now)
        return partial(self._state_of, self._states)

    def _is_stopping(self) -> bool:
        return bool(self.stopped or self._orders.known.differences)

    def _state_of(self, states: TradingStates, symbol: str = "") -> TradingState:
        if not states.restricted:
            return ACTIVE
        return states.of(symbol, venue=self._venue.name, strategy=self._strategy)

    def _begin(self, now: datetime) -> None:
        """Once, before anything is sent: what became of the orders that the log left open."""
        self._now = now
        if self._is_begun:
            return
        self._is_begun = True
        for working in tuple(self._orders.known.open.values()):
            if working.state is OrderState.SUBMITTED:
                self._orders.lose(working, "the log holds no answer to the send", now)
        self._reconcile(now, spares_recent=False)
        if self._guarding is not None:
            # A plan that may not trade a name is no reason to take its stop back.
            self._states = self._watch.states(now)
            if self._state_of(self._states) is TradingState.HALTED:
                self._restrict(self._states, now)
            self._guarding.before_open(self._is_worked, now)
        for working in tuple(self._orders.known.open.values()):
            if working.is_inherited and not (self._guarding is not None and self._guarding.may_stand(working)):
                self._orders.cancel(working, "its plan is over", now)

    def _reconcile(self, now: datetime, *, spares_recent: bool = True) -> None:
        found = self._reconciler.run(now, spares_recent=spares_recent)
        self._reviewer.is_reconciled = found is not None
        if found is None:
            self._reviewer.lost()
            return
        self._reviewer.heard(now)
        self._was_reconciled = True
        if found.differences:
            self._tell(found, now)

    def _tell_contradictions(self, now: datetime) -> None:
        """What the venue said that can't be: told like any other difference of the books."""
        found = tuple(self._orders.known.differences)
        self._orders.known.differences.clear()
        name = self._venue.name
        self._tell(BookReconciled(venue=name, orders_checked=0, executions_checked=0, differences=found), now)

    def _tell(self, reconciled: BookReconciled, now: datetime) -> None:
        self._recorder.of_venue(now, reconciled)
        if not reconciled.is_explained:
            first = next(item for item in reconciled.differences if not item.explained)
            why = f"the venue's book differs from ours: {first.text}"
            self.stopped = self.stopped or why
            if self._guarding is not None:
                self._guarding.doubt(why)
            self._on_unexplained(reconciled)

    def _restrict(self, states: TradingStates, now: datetime) -> None:
        if self._state_of(states) is TradingState.HALTED:
            self.stopped = self.stopped or f"trading is halted for {self._venue.name}, the strategy or the account"
        else:
            spares = self._guarding.spares if self._guarding is not None else lambda working: False
            cancel_restricted(self._orders, self._book, partial(self._state_of, states), now, spares)

    def _take_back_all(self, now: datetime) -> None:
        """Every open order that protects nothing, and each time asked what became of it."""
        objection = self._guarding.objection if self._guarding is not None else lambda working: None
        again = partial(self._reconciler.run, now, spares_recent=False)
        take_back_all(self._orders, objection, self.stopped, now, again, is_first=not self._has_taken_back)
        self._has_taken_back = True

    def _left_open(self, working: WorkingChild, at: datetime) -> BookDifference | None:
        """The plan is over: what never arrived is given up, what protects a position stands, and anything else that is
        open has no innocent cause."""
        if self._guarding is not None and self._guarding.may_stand(working):
            return None
        if working.is_absent:
            self._orders.give_up(working, "never arrived, and the session is over", at)
            return None
        return survivor(working.child, working.state, "is not resolved at the end of the session")

    def _work_all(self, latest: Mapping[str, Quote], states: TradingStates, now: datetime) -> None:
        """Every leg that has a quote, until the line is lost: what is left is due at the next moment just the same.

        On a dead line each further send would only be one more order of which nobody knows what became.
        """
        unanswered = self._orders.unanswered
        for parent in self._turns.due(latest):
            if self._is_stopping() or self._orders.unanswered > unanswered:
                return
            quote = latest.get(parent.order.symbol)
            if quote is None:
                continue
            if self._guarding is not None and self._guarding.is_open_in(quote.symbol):
                continue  # What is held is sold already until its protective order is back.
            state = self._state_of(states, quote.symbol)
            self._work.work(parent, quote, state, now, self._reconcile, self._is_stopping)

    def clear(self, symbol: str, now: datetime) -> None:
        """A stop was reached: the plan is not worked in this name any more, and what is open of it goes back."""
        self._turns.stop(symbol, STOPPED_OUT)
        for working in tuple(self._orders.known.open.values()):
            if working.child.symbol == symbol and working.state not in WAITING:
                self._orders.cancel(working, STOPPED_OUT, now)

    def begin_exit(self, approved: ApprovedPlan, now: datetime) -> None:
        """Work an approved exit before all else."""
        legs, known = approved.plan.legs, self._parents
        exits = {leg.order_id: exit_parent(leg, self._hours, now, known.get(leg.order_id)) for leg in legs}
        self._work.admit_exit(approved)
        self._parents.update(exits)
        self._turns.put_first(exits.values())

    def _is_worked(self, symbol: str) -> bool:
        """Whether anything is still to be sent in a name, and may be."""
        state = self._state_of(self._states, symbol)
        is_over = self._now is None or self._now >= self._hours.closes_at
        return not (is_over or self.stopped) and self._turns.is_left(symbol, state)
