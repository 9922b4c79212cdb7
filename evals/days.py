"""Replays recorded sessions through the whole desk: work the plan before, mark the close, decide, and again.

A session is a day, or a span within one from a decision to the next. A run that was cut off goes on from the last
close it marked: the log is re-walked from there, each event compared with the one already stored, so nothing is lost
and nothing is doubled. `run` takes one step after the other at once; a schedule takes the same steps when they are due.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Literal

from ..desk.desk import Desk
from ..desk.growth import is_recorded
from ..desk.operator import BookPost
from ..desk.reflecting import LessonKeeper, Reflecting
from ..desk.watchman import Watchman
from ..domain.decisions import Decision
from ..domain.events import Actor, NewEvent, Payload, PortfolioMarked, ReflectionWritten, RunStarted
from ..domain.portfolio import Portfolio, cash_out
from ..domain.sessions import day_of, first_of_days
from ..domain.step_events import Step, StepHeld
from ..execution.breakers import BREAKERS, Breaker
from ..execution.controls import Controls
from ..memory.history import last_session_boundary, sent_orders
from .approving import Approving
from .book_state import book_at
from .chosen_venue import Venues
from .day_steps import StepsTold, steps_told
from .day_work import AtOnce, DayWork, Pace
from .finishing import run_finished
from .overnight import night_facts, order_ids, pass_night
from .steering import ASKED_TO_END, Steering, Stop
from .tape import session_tape
from .vanished import vanished
from .venues import TapeOf, VenueOf

DAY_TRADE_SESSIONS = 5
"""FINRA rule 4210 counts day trades over five business days."""
BEFORE_OPEN = timedelta(seconds=1)
"""What people asked over night is dated no later than this: a session's own time begins with its open."""
Progress = Callable[[int, int], None]


class RecordedDays:
    """The day loop over one desk and its sessions."""

    def __init__(
        self,
        desk: Desk,
        sessions: Sequence[date],
        seed: int,
        started: RunStarted,
        *,
        from_start: bool = False,
        post: BookPost | None = None,
        watchman: Watchman | None = None,
        tape_of: TapeOf = session_tape,
        venue_of: VenueOf | None = None,
        breakers: tuple[Breaker, ...] = BREAKERS,
        keeper: LessonKeeper | None = None,
        pace: Pace | None = None,
    ) -> None:
        """`from_start` re-walks the whole log instead of going on from its last close.

        Without `post` and `watchman` nobody outside can reach the run; what once came from there is taken from
        the log again. `keeper` makes lessons findable. A suite may put another tape, venue or table of breakers in
        the place of the usual ones. `pace` lets a session take its time.
        """
        self._desk = desk
        self._sessions = tuple(sessions)
        self._started = started
        self._boundary = 0 if from_start else last_session_boundary(desk.log)
        self._book = book_at(desk.log, 0, started)
        self._sent = sent_orders(desk.log, until=self._boundary)
        self._steering = Steering(desk, started, self._boundary, post, watchman, breakers)
        closes = [desk.history.close_time(session) for session in self._sessions] if desk.has_memory else []
        self._reflecting, self._keeper = Reflecting(desk, closes), keeper
        self._work = DayWork(
            desk,
            self._steering,
            self._sent,
            Venues(desk, venue_of),
            lambda session, symbols: tape_of(desk, session, symbols, seed),
            self._emit,
            pace or AtOnce(),
        )
        self._approving = Approving(desk, self._steering.controls)
        self._pending: Decision | None = None
        self._reflected = -1
        self._told = StepsTold() if from_start else steps_told(desk.log, self._boundary)

    async def run(self, on_progress: Progress = lambda done, total: None) -> Stop | None:
        """All sessions from where the log stands; the log ends with RunFinished, or the run stops before and says why.
        Where the data grow, it stops without a word before the session that they lack.

        A halt by a person or the kill flag stops it after the close in hand. One by a breaker does not: the days
        go on, and the gate vetoes what the state forbids, as it would have.
        """
        for place in range(self.begin(), len(self._sessions)):
            if not is_recorded(self._desk.history, self._sessions[place]):
                self._steering.log.retake()
                return None
            on_progress(place, len(self._sessions))
            if not self.is_taken("trade", place):
                await self.trade(place)
            stop = await self.decide(place)
            if stop is not None:
                return stop
        self.finish()
        on_progress(len(self._sessions), len(self._sessions))
        return None

    def begin(self) -> int:
        """The place in the sessions to go on at; the log and the book are taken back to the close before."""
        log = self._desk.log
        log.rewind(self._boundary)
        if self._boundary == 0:
            self._append("run", self._started, self._sessions[0])
            return 0
        self._book = book_at(log, self._boundary, self._started)
        assert self._book.session is not None, "a close was marked"
        return self._sessions.index(self._book.session)

    def is_taken(self, step: Step, place: int) -> bool:
        """Whether the log holds the end of this step: the mark of a session, the decision at its close or why none.

        A step that was taken is still made again where the log goes on behind the last mark.
        """
        session = self._sessions[place]
        if step == "trade":
            return self._book.session is not None and self._book.session >= session
        return self._told.holds(step, session)

    @property
    def controls(self) -> Controls:
        """What the desk may do now, and who is heard."""
        return self._steering.controls

    def is_begun(self, place: int) -> bool:
        """Whether the log holds anything of the session itself, or how it was held, although not its mark."""
        session = self._sessions[place]
        return self._told.has_begun(session, self._desk.history.opening_time(session))

    @property
    def has_plan(self) -> bool:
        """Whether the decision in hand has anything to be worked."""
        return self._pending is not None and self._pending.plan is not None

    def look(self, now: datetime) -> None:
        """While time passes: the kill flag is obeyed, requests are taken in. Of a night, `now` is before the open."""
        self.controls.states(now)

    def hold(
        self,
        step: Step,
        place: int,
        cause: Literal["missed", "refused", "late"],
        reason: str,
        until: datetime | None = None,
    ) -> None:
        """Before the step: it is not taken, or from `until` on; a replay finds it at the same place."""
        session = self._sessions[place]
        about = self._eve(place) if step == "trade" else self._desk.history.close_time(session)
        held = StepHeld(session=session, step=step, cause=cause, reason=reason, until=until)
        self._steering.hold(held, about)

    async def trade(self, place: int) -> None:
        """Work the pending plan in this session, then value the book at its close."""
        self._steering.log.retake(self._eve(place))
        pending = self._approving.released(self._pending, self._eve(place))
        if self._desk.settings.growing:
            self._steering.log.retake()  # people were heard all session long before its bar was there to be worked on
        is_held = self._steering.is_held("trade", self._sessions[place])
        await self._trade_and_mark(place, None if is_held else pending)

    async def decide(self, place: int, now: datetime | None = None) -> Stop | None:
        """The lessons of a close and its decision, or why the desk may make none; `now` where it is not the close."""
        if self._reflected != place:
            self._reflected = place
            self._reflect(place)
        self._steering.log.retake()
        self._pending = None
        if self._steering.is_held("decide", self._sessions[place]):
            return None
        decided = await self._decide(self._sessions[place], now)
        if isinstance(decided, Stop):
            return decided
        self._pending = decided
        if place + 1 < len(self._sessions):
            self._approving.ask(decided, self._eve(place + 1))
        return None

    def finish(self) -> None:
        """The last event, after the last close's decision."""
        sessions, desk = self._sessions, self._desk
        self._append("run", run_finished(desk.log, desk.run_id, len(sessions), self._book.equity), sessions[-1])
        self._steering.log.retake()

    def _eve(self, place: int) -> datetime:
        return self._desk.history.opening_time(self._sessions[place]) - BEFORE_OPEN

    async def _decide(self, session: date, now: datetime | None) -> Decision | Stop:
        """The decision at a close, begun again where a restriction came in while it was made; or why there is none."""
        at, steering, book = now or self._desk.history.close_time(session), self._steering, self._book
        while (stop := steering.stop_at(at)) is None:
            states, working = steering.controls.standing.restrictions, self._sent.open
            tightened = steering.controls.standing.tightened
            snapshot = self._desk.snapshot(
                session, book.portfolio, book.peak, book.previous, states, working=working, tightened=tightened
            )
            decision = await steering.guard(self._desk.decide(snapshot))
            if decision is not None:
                return decision
            if steering.must_stop:
                return steering.stop_at(at) or ASKED_TO_END
        return stop

    async def _trade_and_mark(self, place: int, pending: Decision | None) -> None:
        sessions, steering = self._sessions, self._steering
        session, counted_from = sessions[place], self._book.counted_from(sessions[place])
        is_new_day = place == 0 or day_of(session) > day_of(sessions[place - 1])
        steering.begin_session(session, pending, self._book, is_new_day=is_new_day)
        if is_new_day:
            # What is older than the days that day trades are counted over, and closed, no session has to know.
            first = first_of_days(sessions[: place + 1], DAY_TRADE_SESSIONS)
            self._sent.forget_before(self._desk.history.opening_time(first))
        worked = await self._work.run(session, sessions[place - 1] if place else None, pending, self._book)
        portfolio = self._cash_out_vanished(session, self._pass_night(session, worked.portfolio))
        worked = replace(worked, portfolio=portfolio)
        snapshot = self._desk.snapshot(session, worked.portfolio, self._book.peak, counted_from)
        holdings = worked.portfolio.holdings()
        values = [float(snapshot.prices[symbol] * quantity) for symbol, quantity in holdings.items()]
        equity = float(snapshot.equity)
        view = self._desk.history.as_of(snapshot.as_of)
        benchmark = float(view.benchmark[-1]) if view.benchmark is not None else None
        steering.end_session(snapshot.as_of, snapshot.equity, worked.portfolio, snapshot.prices)
        marked = PortfolioMarked(
            session=session,
            equity=snapshot.equity,
            peak_equity=snapshot.peak_equity,
            cash=worked.portfolio.cash,
            gross=sum(abs(value) for value in values) / equity,
            net=sum(values) / equity,
            prices={symbol: snapshot.prices[symbol] for symbol in holdings},
            benchmark=benchmark if benchmark is None or benchmark == benchmark else None,
            traded=worked.traded,
            fees=worked.fees,
        )
        self._append("book", marked, session)
        self._book = self._book.marked(session, worked.portfolio, snapshot.peak_equity, snapshot.equity)

    def _reflect(self, place: int) -> None:
        """Write the lessons that this close is the first to know. They follow the mark: a run that resumes there
        writes them again, and finds them written."""
        lessons, log, session = self._reflecting.due(place), self._desk.log, self._sessions[place]
        with log.batch() if lessons else nullcontext():
            for lesson in lessons:
                self._append("memory", ReflectionWritten(reflection=lesson), session)
        if self._keeper is None or log.is_rewalking:
            return
        if complaint := self._keeper.keep(lessons):
            now = self._desk.history.close_time(session)
            self._steering.controls.notify("warning", "memory_index", complaint, now, outside=True)

    def _pass_night(self, session: date, portfolio: Portfolio) -> Portfolio:
        """Corporate actions and fees until the next session: what is marked and decided now is in its shares."""
        for fact in night_facts(self._desk, session, portfolio, self._sent.open):
            self._append("book", fact, session)
            self._sent.fold(fact)
            portfolio = pass_night(portfolio, fact)
        return portfolio

    def _cash_out_vanished(self, session: date, portfolio: Portfolio) -> Portfolio:
        for out in tuple(vanished(self._desk, session, portfolio)):
            self._append("book", out, session)
            portfolio = cash_out(portfolio, out.symbol, out.price)
        return portfolio

    def _emit(self, event: NewEvent) -> None:
        self._steering.log.retake()
        # Outside of a batch an append is its own transaction: durable before the child it announces is sent.
        self._desk.log.append([event])
        self._sent.fold(event.payload)

    def _append(self, stream: str, payload: Payload, session: date) -> None:
        self._steering.log.retake()
        at = self._desk.history.close_time(session)
        order_id, decision_id = order_ids(payload)
        event = NewEvent(
            stream=stream,
            event_time=at,
            actor=Actor(kind="desk", name="days"),
            payload=payload,
            run_id=self._desk.run_id,
            order_id=order_id,
            decision_id=decision_id,
        )
        self._desk.log.append([event])
