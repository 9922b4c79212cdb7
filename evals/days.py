"""Replays recorded days through the whole desk: work yesterday's plan, mark the close, decide, and again.

A run that was cut off goes on from the last close it marked: the log is re-walked from there, each event
compared with the one already stored, so nothing is lost and nothing is doubled.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from ..desk.desk import Desk
from ..desk.operator import BookPost
from ..desk.watchman import Watchman
from ..domain.decisions import Decision
from ..domain.events import (
    Actor,
    DecisionMade,
    NewEvent,
    OrderClosed,
    Payload,
    PortfolioMarked,
    PositionCashedOut,
    RunFinished,
    RunStarted,
)
from ..domain.portfolio import Portfolio, cash_out
from ..domain.trading import TradingStates
from ..execution.breakers import BREAKERS, Breaker
from ..execution.flatten import FlattenTerms
from ..execution.hours import SessionHours
from ..execution.session import work_session
from ..execution.watching import Reading, SessionWatch
from ..memory.history import fills, last_session_boundary, portfolio_at, sent_orders
from ..tools.scene import on_grid
from .flattening import FlattenDay, Flattening
from .steering import ASKED_TO_END, Steering, Stop
from .tape import session_tape
from .venues import TapeOf, VenueOf, paper_venue

ZERO = Decimal(0)
DAY_TRADE_SESSIONS = 5
"""FINRA rule 4210 counts day trades over five business days."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class BookState:
    """What the loop carries from one close to the next: a fold of the log, kept at hand."""

    portfolio: Portfolio
    peak: Decimal
    equity: Decimal
    previous: Decimal
    """Equity at the close before the last one: what the daily loss is counted from."""


@dataclass(frozen=True, slots=True)
class Worked:
    """What a session's trading came to."""

    portfolio: Portfolio
    traded: Decimal
    fees: Decimal
    until: datetime
    """The last moment it looked at."""


class _Noting:
    """A watch that remembers the last moment it was asked about: a flatten goes on from there."""

    def __init__(self, watch: SessionWatch, last: datetime) -> None:
        self._watch, self.last = watch, last

    def states(self, now: datetime) -> TradingStates:
        self.last = now
        return self._watch.states(now)

    def observe(self, reading: Reading) -> None:
        self._watch.observe(reading)


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
    ) -> None:
        """`from_start` re-walks the whole log instead of going on from its last close.

        Without `post` and `watchman` nobody outside can reach the run; what once came from there is taken from
        the log again. A suite may put another tape, venue or table of breakers in the place of the usual ones.
        """
        self._desk = desk
        self._sessions = tuple(sessions)
        self._seed = seed
        self._started = started
        self._boundary = 0 if from_start else last_session_boundary(desk.log)
        self._book = BookState(Portfolio(cash=started.cash), started.cash, started.cash, started.cash)
        self._sent = sent_orders(desk.log, until=self._boundary)
        self._steering = Steering(desk, started, self._boundary, post, watchman, breakers)
        self._tape_of, self._venue_of = tape_of, venue_of or paper_venue(desk)

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
            as_of = self._desk.history.close_time(sessions[place])
            if stop := self._steering.stop_at(as_of):
                return stop
            book, states = self._book, self._steering.controls.standing.restrictions
            working = self._sent.open
            snapshot = self._desk.snapshot(
                sessions[place], book.portfolio, book.peak, book.previous, states, working=working
            )
            pending = await self._steering.guard(self._desk.decide(snapshot))
            if pending is None:
                return self._steering.stop_at(as_of) or ASKED_TO_END
        self._append("run", self._finished(), sessions[-1])
        self._steering.log.retake()
        on_progress(len(sessions), len(sessions))
        return None

    def _resume_from(self, boundary: int) -> int:
        """The place in the sessions to go on at; the log and the book are taken back to that close."""
        log = self._desk.log
        log.rewind(boundary)
        if boundary == 0:
            return 0
        marks = [event.decoded() for event in log.read(types=(PortfolioMarked,), until=boundary)]
        last, before = marks[-1], marks[-2] if len(marks) > 1 else None
        assert isinstance(last, PortfolioMarked), "asked for by type"
        previous = before.equity if isinstance(before, PortfolioMarked) else self._started.cash
        self._book = BookState(portfolio_at(log, boundary), last.peak_equity, last.equity, previous)
        return self._sessions.index(last.session)

    async def _trade_and_mark(self, sessions: Sequence[date], place: int, pending: Decision | None) -> None:
        """Work the pending plan in this session, then value the book at its close."""
        session, steering = sessions[place], self._steering
        steering.begin_session(session, pending, self._book.portfolio, self._book.equity)
        # What is older than the days that day trades are counted over, and closed, no session has to know.
        first = sessions[max(place - DAY_TRADE_SESSIONS + 1, 0)]
        self._sent.forget_before(self._desk.history.opening_time(first))
        worked = self._work(session, pending, self._book.portfolio)
        if steering.controls.standing.flatten is not None and place > 0:
            worked = await self._flatten(session, sessions[place - 1], worked)
        worked = replace(worked, portfolio=self._cash_out_vanished(session, worked.portfolio))
        snapshot = self._desk.snapshot(session, worked.portfolio, self._book.peak, self._book.equity)
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
        self._book = BookState(worked.portfolio, snapshot.peak_equity, snapshot.equity, self._book.equity)

    def _cash_out_vanished(self, session: date, portfolio: Portfolio) -> Portfolio:
        """Names held whose prices ended longer ago than the gate trusts: a broker would pay them out by now.

        The last close is what the data knows; a real delisting can pay less, so the event says what was assumed.
        """
        desk = self._desk
        view = desk.history.as_of(desk.history.close_time(session))
        for symbol, quantity in portfolio.holdings().items():
            age_days, instrument = view.age_days(symbol), desk.data.universe.instrument(symbol)
            last, priced_at = view.last_close(symbol), view.last_time(symbol)
            if age_days is None or last is None or priced_at is None or instrument is None:
                continue
            if age_days > desk.limits.max_price_age_days:
                price = on_grid(last, instrument.tick)
                reason = f"no price for {age_days:.0f} days; paid out at the last close"
                out = PositionCashedOut(
                    symbol=symbol, quantity=quantity, price=price, priced_at=priced_at, reason=reason
                )
                self._append("book", out, session)
                portfolio = cash_out(portfolio, symbol, price)
        return portfolio

    def _work(self, session: date, pending: Decision | None, portfolio: Portfolio) -> Worked:
        """Yesterday's approved plan through today's session; without one the portfolio stays as it is."""
        approved = self._desk.approved(pending) if pending is not None else None
        desk, controls = self._desk, self._steering.controls
        opens_at, closes_at = desk.history.opening_time(session), desk.history.close_time(session)
        if approved is None or pending is None or pending.plan is None:
            return Worked(portfolio, ZERO, ZERO, opens_at)
        tape = self._tape_of(desk, session, [leg.symbol for leg in pending.plan.legs], self._seed)
        hours = SessionHours(pending.as_of, opens_at, closes_at)
        watch = _Noting(controls, opens_at)
        result = work_session(
            approved,
            tape.quotes,
            self._venue_of(hours, tape, portfolio),
            hours,
            portfolio,
            desk.limits_of(pending),
            self._emit,
            run_id=desk.run_id,
            watch=watch,
            before=self._sent.all,
            on_unexplained=controls.on_unexplained,
        )
        return Worked(result.portfolio, result.traded, result.fees, watch.last)

    async def _flatten(self, session: date, previous_session: date, worked: Worked) -> Worked:
        """Sell what was asked for over what is left of the session."""
        desk, controls, book = self._desk, self._steering.controls, self._book
        asked = controls.standing.flatten
        assert asked is not None, "a flatten was asked for"
        held = [symbol for symbol in worked.portfolio.holdings() if not asked.symbols or symbol in asked.symbols]
        tape = self._tape_of(desk, session, held, self._seed)
        day = FlattenDay(session, worked.until, previous_session, book.peak, book.equity)
        flattening = Flattening(desk, controls, asked, day, tape, self._venue_of, self._emit, self._sent)
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
        event = NewEvent(
            stream=stream,
            event_time=at,
            actor=Actor(kind="desk", name="days"),
            payload=payload,
            run_id=self._desk.run_id,
        )
        self._desk.log.append([event])

    def _finished(self) -> RunFinished:
        """Counts over the whole log, so that a resumed run ends with the same figures."""
        log = self._desk.log
        decisions = [_decision(event.decoded()) for event in log.read(types=(DecisionMade,))]
        return RunFinished(
            run_id=self._desk.run_id,
            sessions=len(self._sessions),
            decisions=len(decisions),
            orders=sum(1 for _ in log.read(types=(OrderClosed,))),
            fills=sum(1 for _ in fills(log)),
            vetoes=sum(decision.kind == "vetoed" for decision in decisions),
            abstentions=sum(len(decision.abstentions) for decision in decisions),
            llm_calls=sum(decision.llm_calls for decision in decisions),
            equity=self._book.equity,
        )


def _decision(payload: Payload) -> Decision:
    assert isinstance(payload, DecisionMade), "asked for by type"
    return payload.decision
