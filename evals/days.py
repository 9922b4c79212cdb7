"""Replays recorded sessions through the whole desk: work the plan before, mark the close, decide, and again.

A session is a day, or a span within one from a decision to the next. A run that was cut off goes on from the last
close it marked: the log is re-walked from there, each event compared with the one already stored, so nothing is lost
and nothing is doubled.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from ..desk.desk import Desk
from ..desk.operator import BookPost
from ..desk.reflecting import LessonKeeper, Reflecting
from ..desk.watchman import Watchman
from ..domain.decisions import Decision
from ..domain.events import Actor, Event, NewEvent, Payload, PortfolioMarked, ReflectionWritten, RunStarted
from ..domain.market import Quote
from ..domain.portfolio import Portfolio, cash_out
from ..domain.sessions import day_of, first_of_days
from ..execution.algorithms.observed import ObservedVolume
from ..execution.breakers import BREAKERS, Breaker
from ..execution.fast_path import SessionResult
from ..execution.flatten import FlattenTerms
from ..execution.hours import SessionHours
from ..execution.session import work_session
from ..memory.history import last_session_boundary, sent_orders
from .book_state import book_at
from .chosen_venue import Venues, Work
from .finishing import run_finished
from .flattening import FlattenDay, Flattening
from .overnight import night_facts, order_ids, pass_night
from .protecting import StopDay, Stops
from .session_walk import SessionWalk
from .steering import ASKED_TO_END, Steering, Stop
from .tape import session_tape
from .vanished import vanished
from .venues import TapeOf, VenueOf

ZERO = Decimal(0)
DAY_TRADE_SESSIONS = 5
"""FINRA rule 4210 counts day trades over five business days."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Worked:
    """What a session's trading came to."""

    portfolio: Portfolio
    traded: Decimal
    fees: Decimal
    until: datetime
    """The last moment it looked at."""


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
    ) -> None:
        """`from_start` re-walks the whole log instead of going on from its last close.

        Without `post` and `watchman` nobody outside can reach the run; what once came from there is taken from
        the log again. `keeper` makes lessons findable. A suite may put another tape, venue or table of breakers in
        the place of the usual ones.
        """
        self._desk = desk
        self._sessions = tuple(sessions)
        self._seed = seed
        self._started = started
        self._boundary = 0 if from_start else last_session_boundary(desk.log)
        self._book = book_at(desk.log, 0, started)
        self._sent = sent_orders(desk.log, until=self._boundary)
        self._steering = Steering(desk, started, self._boundary, post, watchman, breakers)
        closes = [desk.history.close_time(session) for session in self._sessions] if desk.has_memory else []
        self._reflecting, self._keeper = Reflecting(desk, closes), keeper
        self._tape_of, self._venues = tape_of, Venues(desk, venue_of)

    async def run(self, on_progress: Progress = lambda done, total: None) -> Stop | None:
        """All sessions from where the log stands; the log ends with RunFinished, or the run stops before and says why.

        A halt by a person or the kill flag stops it after the close in hand. One by a breaker does not: the days
        go on, and the gate vetoes what the state forbids, as it would have.
        """
        sessions, boundary = self._sessions, self._boundary
        first = self._resume_from(boundary)
        if boundary == 0:
            self._append("run", self._started, sessions[0])
        pending: Decision | None = None
        for place in range(first, len(sessions)):
            on_progress(place, len(sessions))
            if boundary == 0 or place > first:
                await self._trade_and_mark(sessions, place, pending)
            self._reflect(place)
            decided = await self._decide(sessions[place])
            if isinstance(decided, Stop):
                return decided
            pending = decided
        self._append(
            "run", run_finished(self._desk.log, self._desk.run_id, len(sessions), self._book.equity), sessions[-1]
        )
        self._steering.log.retake()
        on_progress(len(sessions), len(sessions))
        return None

    async def _decide(self, session: date) -> Decision | Stop:
        """The decision at a close, begun again where a restriction came in while it was made; or why there is none."""
        as_of, steering, book = self._desk.history.close_time(session), self._steering, self._book
        while (stop := steering.stop_at(as_of)) is None:
            states, working = steering.controls.standing.restrictions, self._sent.open
            tightened = steering.controls.standing.tightened
            snapshot = self._desk.snapshot(
                session, book.portfolio, book.peak, book.previous, states, working=working, tightened=tightened
            )
            decision = await steering.guard(self._desk.decide(snapshot))
            if decision is not None:
                return decision
            if steering.must_stop:
                return steering.stop_at(as_of) or ASKED_TO_END
        return stop

    def _resume_from(self, boundary: int) -> int:
        """The place in the sessions to go on at; the log and the book are taken back to that close."""
        log = self._desk.log
        log.rewind(boundary)
        if boundary == 0:
            return 0
        self._book = book_at(log, boundary, self._started)
        assert self._book.session is not None, "a close was marked"
        return self._sessions.index(self._book.session)

    async def _trade_and_mark(self, sessions: Sequence[date], place: int, pending: Decision | None) -> None:
        """Work the pending plan in this session, then value the book at its close."""
        session, steering, counted_from = sessions[place], self._steering, self._book.counted_from(sessions[place])
        is_new_day = place == 0 or day_of(session) > day_of(sessions[place - 1])
        steering.begin_session(session, pending, self._book, is_new_day=is_new_day)
        if is_new_day:
            # What is older than the days that day trades are counted over, and closed, no session has to know.
            first = first_of_days(sessions[: place + 1], DAY_TRADE_SESSIONS)
            self._sent.forget_before(self._desk.history.opening_time(first))
        worked = self._work(session, pending, self._book.portfolio)
        if steering.controls.standing.flatten is not None and place > 0:
            worked = await self._flatten(session, sessions[place - 1], worked)
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

    def _work(self, session: date, pending: Decision | None, portfolio: Portfolio) -> Worked:
        """The approved plan of the close before through this session; without one the portfolio stays as it is.

        Where positions have stops, the quotes of all that is held are looked at on every day.
        """
        desk, controls, book = self._desk, self._steering.controls, self._book
        opens_at, closes_at = desk.history.opening_time(session), desk.history.close_time(session)
        quiet, has_stops = Worked(portfolio, ZERO, ZERO, opens_at), desk.settings.stop_loss_frac is not None
        if pending is None or (pending.plan is None and not has_stops):
            return quiet
        symbols = [leg.symbol for leg in pending.plan.legs] if pending.plan is not None else []
        if desk.settings.as_live or has_stops:
            concerned = [*portfolio.holdings(), *(sent.child.symbol for sent in self._sent.open)]
            symbols = list(dict.fromkeys([*symbols, *concerned]))
        tape = self._tape_of(desk, session, symbols, self._seed)
        walk = SessionWalk(self._steering, self._emit, opens_at)
        day = StopDay(pending.snapshot.session, book.peak, book.counted_from(session))
        stops = Stops(desk, self._steering, walk, day, self._sent)
        planned = stops.session_plan(pending, portfolio, tape.quotes, closes_at)
        if planned is None:
            return quiet
        decision, approved = planned
        hours, limits = SessionHours(decision.as_of, opens_at, closes_at), desk.limits_of(decision)
        venue = self._venues.of(hours, tape, portfolio, Work(approved, limits, walk.emit, walk, self._sent.all))

        def work(quotes: Iterable[Quote], resume: Iterable[Event]) -> SessionResult:
            return work_session(
                approved,
                quotes,
                venue,
                hours,
                portfolio,
                limits,
                walk.emit,
                run_id=desk.run_id,
                watch=walk,
                resume=resume,
                before=self._sent.all,
                on_unexplained=controls.on_unexplained,
                volume=ObservedVolume({item.symbol for item in tape.prints}),
                prints=tape.prints,
                protection=stops.terms,
            )

        with desk.log.grouped() if desk.settings.log_commit == "group" else nullcontext():
            result = walk.through(work, tape.quotes, decision.decision_id)
        return Worked(result.portfolio, result.traded, result.fees, walk.last)

    async def _flatten(self, session: date, previous_session: date, worked: Worked) -> Worked:
        """Sell what was asked for over what is left of the session."""
        desk, controls, book = self._desk, self._steering.controls, self._book
        asked = controls.standing.flatten
        assert asked is not None, "a flatten was asked for"
        held = [symbol for symbol in worked.portfolio.holdings() if not asked.symbols or symbol in asked.symbols]
        tape = self._tape_of(desk, session, held, self._seed)
        day = FlattenDay(session, worked.until, previous_session, book.peak, book.equity)
        flattening = Flattening(desk, controls, asked, day, tape, self._venues, self._emit, self._sent)
        result = await flattening.run(worked.portfolio, FlattenTerms())
        return replace(
            worked,
            portfolio=result.portfolio,
            traded=worked.traded + sum((fill.notional for fill in result.fills), ZERO),
            fees=worked.fees + sum((fill.fee for fill in result.fills), ZERO),
        )

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
