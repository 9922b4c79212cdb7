"""One book's desk on its schedule: the steps of the day loop when they are due, people heard in between."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from ...desk.desk import Desk
from ...desk.job_book import JobState
from ...desk.operator import BookPost
from ...desk.trade_clock import RESOLUTION, TradeClock
from ...domain.trading import ACCOUNT, TradingState
from ...evals.days import BEFORE_OPEN, RecordedDays
from ...evals.steering import Stop
from ...market.job_times import outcome
from ...market.sessions import SessionCalendar
from .chores import Chores
from .desks import AFTER_LAST
from .feed import Feed
from .growing import GrowingFile
from .hearing import HEARD, Hearing
from .preflight import PREFLIGHT, Preflight, reasons
from .schedule import Job
from .scheduler import Result, Scheduler, late_text
from .strikes import Strikes
from .troubles import ScriptedOperator
from .whereabouts import Whereabouts

TELL_EVERY = timedelta(seconds=30)
"""How old at most is what a desk says of itself that waits for its data."""
PASSES = "it passes now"
RETRY = timedelta(minutes=15)
"""How often a refused pre-flight, or a decision that a halt forbids, is tried again."""


class Ended(Exception):
    """The process was asked to end, or its supervisor is gone: the log stands at its last event."""


class Grown(Exception):
    """The bar that was waited for is there: it is for a process that begins with it."""


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
        until: datetime,
    ) -> None:
        """`strikes` are the faults of a drill; `steps` the jobs of the day loop, by kind; `until` is the latest moment
        that anything is waited for."""
        self._desk, self._sessions, self._calendar = desk, sessions, calendar
        self._clock, self._post, self._feed, self._strikes = clock, post, feed, strikes
        self._must_end, self._steps, self._until = must_end, steps, until
        self._at = Whereabouts(desk.history, sessions)
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
        growth: GrowingFile | None = None,
        hearing: Hearing | None = None,
    ) -> None:
        """What is itself built around this pace and these chores; the last two where the data gain sessions."""
        self._growth, self._hearing = growth, hearing
        self._days, self._scheduler, self._chores, self._preflight = days, scheduler, chores, preflight
        self._operator, self._told, self._begin_decision = operator, told, begin_decision

    @property
    def doing(self) -> str:
        """In a few words, for whoever looks."""
        if self._at.is_in_session:
            is_worked = self._growth is None or not self._growth.awaits(self._at.session)
            return f"{'working' if is_worked else 'waiting for the bars of'} the session of {self._at.session}"
        return f"{'before' if self._at.following == self._at.place else 'after'} the session of {self._at.session}"

    @property
    def state(self) -> str:
        return self._days.controls.standing.account.value

    def next_step(self) -> str:
        """When the next session opens; while one is open, when it closes."""
        return self._at.next_step.isoformat(timespec="seconds")

    async def run(self) -> None:
        """From where the log stands to its last event; raises Ended where the process has to end before."""
        for place in range(self._days.begin(), len(self._sessions)):
            self._at.go_to(place)
            self._told(self._at.place, len(self._sessions))
            if not self._days.is_taken("trade", self._at.place):
                await (self._trade() if self._growth is None else self._trade_grown(self._growth))
            self._at.session_is_over()
            await self._decide()
        self._pass(self._at.close + AFTER_LAST)
        self._preflight.watch()  # the end of a run ends its alerts, and none may end unheard
        self._days.finish()
        self._told(len(self._sessions), len(self._sessions))

    def until(self, moment: datetime, is_called: Callable[[], bool] = lambda: False) -> None:
        """The pace of a session: chores, people and the feed until this moment; its end waits for its bar."""
        is_end = moment >= self._at.close
        if self._growth is None:
            self._pass(max(moment, self._feed.arrives_at(self._at.session)) if is_end else moment, is_called)
        elif self._hearing is not None:
            self._hearing.come_to(moment, self._days.look, is_called)
            if self._hearing.passed is not None and self._hearing.passed <= moment:
                self._lift(PASSES, self._hearing.passed)
        if is_end:
            self._lift("its session is over, and the next open has a pre-flight of its own", self._at.close)

    def chore(self, job: Job, due: datetime) -> Result:
        """The work of a scheduler's chore."""
        self._attend()
        return self._chores.run(job, self._clock.now(), self._at.before(due))

    def missed(self, job: Job, first: datetime, last: datetime) -> None:
        """Told by the scheduler; into the log as soon as it can take it."""
        begun, _ = self._untold.get(job.kind, (first, last))
        self._untold[job.kind] = begun, last

    def tell_of_data(self, code: str, text: str) -> None:
        """What is the matter with a file that grows: nothing is decided on it until somebody has mended it."""
        self._days.controls.notify("critical", code, text, self._at.dated(self._clock.now()), outside=True)

    async def _trade(self) -> None:
        """The session in hand: from its open, or from wherever it was when its process died."""
        job, due, why = self._steps["trade"], self._at.open, ""
        is_begun = self._days.is_begun(self._at.place)
        if is_begun:
            state = self._scheduler.claim(job, due, max(self._clock.now(), self._at.close))
        else:
            state, why = self._begin(job, due)
        self._at.is_in_session, self._tried_at = True, self._clock.now()
        try:
            await self._days.trade(self._at.place)
        finally:
            self._at.is_in_session = False
        self._scheduler.settle(job, due, "refused" if why else "late" if is_begun else state, why)

    def _begin(self, job: Job, due: datetime) -> tuple[JobState, str]:
        """Take the session at its open: on time, late or not at all; and why its pre-flight refused, if it did."""
        self._pass(due)
        # Of a session that was begun and of which the log holds nothing, nothing was sent: it is begun again, late.
        was_claimed, close = self._scheduler.was_claimed(job, due), self._at.close
        state = self._scheduler.claim(job, due, close if was_claimed else min(due + job.grace, close))
        now = self._clock.now()
        if state != "done":
            until = now if state == "late" else None
            self._days.hold("trade", self._at.place, "late" if until else "missed", late_text(due, now), until)
        return state, "" if state == "missed" else self._preflight_at_open(now)

    async def _trade_grown(self, growth: GrowingFile) -> None:
        """A session of data that grow: begun at its open, and worked once its bar is there.

        Prices within it are only known then. A halt that was heard meanwhile was heard before its first order;
        anything else counts from the moment it was heard.
        """
        job, due = self._steps["trade"], self._at.open
        was_taken, is_first = self._scheduler.was_taken(job, due), self._at.place == 0
        if growth.awaits(self._at.session):
            if was_taken:
                self._preflight_at_open(self._clock.now())
            else:
                self._begin(job, due)
            self._at.is_in_session, self._tried_at = True, self._clock.now()
            self._pass(self._until, growth.has_grown)
            raise Grown
        if not (was_taken or is_first):
            self._begin(job, due)  # nobody was there between its open and its bar
        await self._days.trade(self._at.place)
        self._scheduler.settle(job, due, "done")

    async def _decide(self) -> None:
        """The decision at the close in hand: as soon as it is due, or as soon as nothing forbids it."""
        job, place = self._steps["decide"], self._at.place
        found = outcome(job.when, self._calendar, self._at.session)
        due = found[0].at if isinstance(found, tuple) else self._at.close
        self._begin_decision(self._at.session)
        if self._days.is_taken("decide", place):
            await self._days.decide(place)
            self._scheduler.settle(job, due, "late", "its process died after it")
            return
        self._pass(due)
        eve = self._at.eve
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
        why = "; ".join(reasons(self._preflight.checks(now, self._at.before(now))))
        if why:
            at = self._at.open - BEFORE_OPEN
            if self._hearing is not None:
                self._hearing.preflight_refuses()
            self._days.controls.tighten(ACCOUNT, TradingState.REDUCING, "preflight", PREFLIGHT, why, at)
        return why

    def _pass(self, moment: datetime, is_called: Callable[[], bool] = lambda: False) -> None:
        """Let time pass; chores are done, faults strike, people are heard."""
        self._attend()
        while self._clock.now() < moment and not is_called():
            strike = self._strikes.due(self._working)
            told = self._clock.now() + TELL_EVERY if self._growth else None
            asked = self._operator.next_at() if self._operator else None
            waking = (moment, told, strike[0] if strike else None, asked)
            self._scheduler.pass_until(
                min(at for at in waking if at is not None), lambda: self._is_called() or is_called()
            )
            self._attend()
            if self._growth:
                self._told(self._at.place, len(self._sessions))

    def _is_called(self) -> bool:
        """Whether somebody wants something that can't wait for the next moment."""
        self._post.heartbeat.beat()
        is_flagged = self._post.flag.is_raised and self._days.controls.standing.account is not TradingState.HALTED
        is_asked = self._hearing.has_unheard() if self._hearing is not None else bool(self._post.inbox.waiting()[0])
        return is_flagged or self._must_end() or is_asked

    def _attend(self) -> None:
        now, days = self._clock.now(), self._days
        self._strikes.at(now, self._working)
        if self._must_end():
            raise Ended
        if self._operator is not None:
            self._operator.look(now)
        if self._hearing is not None:
            self._hearing.is_holding = self._at.eve < now
        days.look(self._at.dated(now))
        if self._desk.log.is_rewalking:
            return
        for text in self._hearing.hear(now) if self._hearing is not None else ():
            days.controls.notify("info", HEARD, text, self._at.dated(now), outside=True)
        self._tell_missed(now)
        if self._at.is_in_session and self._tried_at is not None and now - self._tried_at >= RETRY:
            self._tried_at = now
            if not reasons(self._preflight.checks(now, self._at.before(self._at.open))):
                if self._hearing is None:
                    self._lift(PASSES, min(now, self._at.close))
                else:
                    self._hearing.preflight_passes(now)

    def _tell_missed(self, now: datetime) -> None:
        """Checks that are due every few minutes are told of once, when the session is over; the rest at once."""
        for kind in [kind for kind in self._untold if kind in self._steps or not self._at.is_in_session]:
            first, last = self._untold.pop(kind)
            span = f"due {_utc(first)}" if first == last else f"due from {_utc(first)} to {_utc(last)}"
            self._days.controls.notify(
                "warning", "job_missed", f"{kind}, {span}: missed", self._at.dated(now), outside=True
            )

    def _lift(self, reason: str, at: datetime) -> None:
        """Take back what a refused pre-flight restricted, and nothing else."""
        held = self._days.controls.standing.in_force.get(ACCOUNT)
        if held is not None and held.cause == "preflight" and not self._desk.log.is_rewalking:
            self._days.controls.rearm(ACCOUNT, PREFLIGHT, reason, at, anyway=True)

    @property
    def _working(self) -> date | None:
        """The session whose plan is worked now; None where there is none."""
        return self._at.session if self._at.is_in_session and self._days.has_plan else None


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
