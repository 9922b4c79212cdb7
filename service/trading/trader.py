"""One book's desk on its schedule: the steps of the day loop when they are due, people heard in between."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from ...desk.desk import Desk
from ...desk.operator import BookPost
from ...desk.trade_clock import RESOLUTION, TradeClock
from ...domain.trading import ACCOUNT, TradingState
from ...evals.days import BEFORE_OPEN, RecordedDays
from ...evals.steering import Stop
from ...market.job_times import outcome
from ...market.sessions import SessionCalendar
from .chores import Chores
from .drill import Strikes
from .feed import Feed
from .preflight import PREFLIGHT, Preflight, reasons
from .schedule import Job
from .scheduler import Result, Scheduler, late_text
from .troubles import ScriptedOperator

RETRY = timedelta(minutes=15)
"""How often a refused pre-flight, or a decision that a halt forbids, is tried again."""
AFTER_LAST = timedelta(hours=8)
"""A decision at the last close of a run has no open to be made before."""


class Ended(Exception):
    """The process was asked to end, or its supervisor is gone: the log stands at its last event."""


class Trader:
    """Walks the sessions of one run. It is also the pace of their work: while a session waits, chores are done."""

    def __init__(
        self,
        desk: Desk,
        sessions: tuple[date, ...],
        calendar: SessionCalendar,
        clock: TradeClock,
        post: BookPost,
        feed: Feed,
        strikes: Strikes,
        must_end: Callable[[], bool],
        steps: dict[str, Job],
    ) -> None:
        """`strikes` are the faults of a drill; `steps` the jobs of the day loop, by kind."""
        self._desk, self._sessions, self._calendar = desk, sessions, calendar
        self._clock, self._post, self._feed, self._strikes = clock, post, feed, strikes
        self._must_end, self._steps = must_end, steps
        self._place = self._next = 0
        self._is_in_session = False
        self._tried_at: datetime | None = None
        self._untold: dict[str, tuple[datetime, datetime]] = {}

    def attach(
        self,
        days: RecordedDays,
        scheduler: Scheduler,
        chores: Chores,
        preflight: Preflight,
        operator: ScriptedOperator | None,
        told: Callable[[int, int], None],
        begin_decision: Callable[[date], None],
    ) -> None:
        """What is itself built around this pace and these chores."""
        self._days, self._scheduler, self._chores, self._preflight = days, scheduler, chores, preflight
        self._operator, self._told, self._begin_decision = operator, told, begin_decision

    @property
    def doing(self) -> str:
        """In a few words, for whoever looks."""
        return f"working the session of {self._session}" if self._is_in_session else f"after {self._session}"

    @property
    def state(self) -> str:
        return self._days.controls.standing.account.value

    def next_step(self) -> str:
        """When the next session opens; while one is open, when it closes."""
        return (self._close() if self._is_in_session else self._eve()).isoformat(timespec="seconds")

    async def run(self) -> None:
        """From where the log stands to its last event; raises Ended where the process has to end before."""
        for place in range(self._days.begin(), len(self._sessions)):
            self._place = self._next = place
            self._told(self._place, len(self._sessions))
            if not self._days.is_taken("trade", self._place):
                await self._trade()
            self._next = self._place + 1
            await self._decide()
        self._pass(self._close() + AFTER_LAST)
        self._days.finish()
        self._told(len(self._sessions), len(self._sessions))

    def until(self, moment: datetime, is_called: Callable[[], bool] = lambda: False) -> None:
        """The pace of a session: chores, people and the feed until this moment; its end waits for its bar."""
        is_end = moment >= self._close()
        self._pass(max(moment, self._feed.arrives_at(self._session)) if is_end else moment, is_called)
        if is_end:
            self._lift("its session is over, and the next open has a pre-flight of its own", self._close())

    def chore(self, job: Job, due: datetime) -> Result:
        """The work of a scheduler's chore."""
        self._attend()
        return self._chores.run(job, self._clock.now(), self._before(due))

    def missed(self, job: Job, first: datetime, last: datetime) -> None:
        """Told by the scheduler; into the log as soon as it can take it."""
        begun, _ = self._untold.get(job.kind, (first, last))
        self._untold[job.kind] = begun, last

    @property
    def _session(self) -> date:
        return self._sessions[self._place]

    async def _trade(self) -> None:
        """The session in hand: from its open, or from wherever it was when its process died."""
        job, due, close = self._steps["trade"], self._open(), self._close()
        is_begun, why = self._days.is_begun(self._place), ""
        if not is_begun:
            self._pass(due)
        # Of a session that was begun and of which the log holds nothing, nothing was sent: it is begun again, late.
        was_claimed = self._scheduler.was_claimed(job, due)
        state = self._scheduler.claim(job, due, close if was_claimed else min(due + job.grace, close))
        if not is_begun:
            now = self._clock.now()
            if state != "done":
                until = now if state == "late" else None
                self._days.hold("trade", self._place, "late" if until else "missed", late_text(due, now), until)
            why = "" if state == "missed" else self._preflight_at_open(now)
        self._is_in_session, self._tried_at = True, self._clock.now()
        try:
            await self._days.trade(self._place)
        finally:
            self._is_in_session = False
        self._scheduler.settle(job, due, "refused" if why else "late" if is_begun else state, why)

    async def _decide(self) -> None:
        """The decision at the close in hand: as soon as it is due, or as soon as nothing forbids it."""
        job, place = self._steps["decide"], self._place
        found = outcome(job.when, self._calendar, self._session)
        due = found[0].at if isinstance(found, tuple) else self._close()
        self._begin_decision(self._session)
        if self._days.is_taken("decide", place):
            await self._days.decide(place)
            self._scheduler.settle(job, due, "late", "its process died after it")
            return
        self._pass(due)
        eve = self._eve()
        state = self._scheduler.claim(job, due, eve)
        stop: Stop | None = None
        while state != "missed" and (stop := await self._days.decide(place, min(self._clock.now(), eve))) is not None:
            if stop.kind == "ended":
                raise Ended
            if self._clock.now() + RETRY > eve:
                break
            self._pass(self._clock.now() + RETRY)
        if state == "missed" or stop is not None:
            reason = stop.reason if stop else late_text(due, self._clock.now())
            self._days.hold("decide", place, "refused" if stop else "missed", reason)
            await self._days.decide(place)
        is_late = state == "done" and self._clock.now() - due > RESOLUTION
        result = "refused" if stop else "late" if is_late else state
        self._scheduler.settle(job, due, result, stop.reason if stop else "")

    def _preflight_at_open(self, now: datetime) -> str:
        """Why no new risk may be taken from this open on; the account is REDUCING for it. Empty when it may."""
        why = "; ".join(reasons(self._preflight.checks(now, self._before(now))))
        if why:
            at = self._open() - BEFORE_OPEN
            self._days.controls.tighten(ACCOUNT, TradingState.REDUCING, "preflight", PREFLIGHT, why, at)
        return why

    def _pass(self, moment: datetime, is_called: Callable[[], bool] = lambda: False) -> None:
        """Let time pass; chores are done, faults strike, people are heard."""
        self._attend()
        while self._clock.now() < moment and not is_called():
            strike = self._strikes.due(self._working)
            waking = (moment, strike[0] if strike else None, self._operator.next_at() if self._operator else None)
            self._scheduler.pass_until(min(at for at in waking if at is not None), self._is_called)
            self._attend()

    def _is_called(self) -> bool:
        """Whether somebody wants something that can't wait for the next moment."""
        self._post.heartbeat.beat()
        is_flagged = self._post.flag.is_raised and self._days.controls.standing.account is not TradingState.HALTED
        return is_flagged or self._must_end() or bool(self._post.inbox.waiting()[0])

    def _attend(self) -> None:
        now, days = self._clock.now(), self._days
        self._strikes.at(now, self._working)
        if self._must_end():
            raise Ended
        if self._operator is not None:
            self._operator.look(now)
        days.look(self._dated(now))
        if self._desk.log.is_rewalking:
            return
        self._tell_missed(now)
        if self._is_in_session and self._tried_at is not None and now - self._tried_at >= RETRY:
            self._tried_at = now
            if not reasons(self._preflight.checks(now, self._before(self._open()))):
                self._lift("it passes now", min(now, self._close()))

    def _tell_missed(self, now: datetime) -> None:
        """Checks that are due every few minutes are told of once, when the session is over; the rest at once."""
        for kind in [kind for kind in self._untold if kind in self._steps or not self._is_in_session]:
            first, last = self._untold.pop(kind)
            span = f"due {_utc(first)}" if first == last else f"due from {_utc(first)} to {_utc(last)}"
            self._days.controls.notify(
                "warning", "job_missed", f"{kind}, {span}: missed", self._dated(now), outside=True
            )

    def _lift(self, reason: str, at: datetime) -> None:
        """Take back what a refused pre-flight restricted, and nothing else."""
        held = self._days.controls.standing.in_force.get(ACCOUNT)
        if held is not None and held.cause == "preflight" and not self._desk.log.is_rewalking:
            self._days.controls.rearm(ACCOUNT, PREFLIGHT, reason, at, anyway=True)

    @property
    def _working(self) -> date | None:
        """The session whose plan is worked now; None where there is none."""
        return self._session if self._is_in_session and self._days.has_plan else None

    def _open(self) -> datetime:
        return self._desk.history.opening_time(self._session)

    def _close(self) -> datetime:
        return self._desk.history.close_time(self._session)

    def _eve(self) -> datetime:
        """The last moment before the next open; after the last close of the run, some hours later."""
        if self._next >= len(self._sessions):
            return self._close() + AFTER_LAST
        return self._desk.history.opening_time(self._sessions[self._next]) - BEFORE_OPEN

    def _dated(self, now: datetime) -> datetime:
        """What comes from outside is dated within the session that is open, or in the night before the next."""
        return min(now, self._close() if self._is_in_session else self._eve())

    def _before(self, now: datetime) -> date | None:
        """The last session of the run that had closed by then."""
        near = reversed(self._sessions[max(self._place - 2, 0) : self._place + 1])
        return next((session for session in near if self._desk.history.close_time(session) <= now), None)


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
