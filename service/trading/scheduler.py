"""Runs what is due, in the order in which it is due, each time once: the clock and the book of jobs in one hand.

Steps of the day loop are claimed by whoever walks the loop; everything else is a chore, done when its time comes,
between steps and within them.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ...desk.job_book import JobBook, JobState
from ...desk.trade_clock import RESOLUTION, IsCalled, TradeClock, nobody_calls
from ...market.job_times import due_times
from ...market.sessions import SessionCalendar
from .schedule import Job

DIED = "its process died"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a job; a `done` one that was begun late is recorded as late."""

    state: JobState
    said: str = ""


Chore = Callable[[Job, datetime], Result]
"""The work of a due time. It must leave nothing half done behind: a process may die in it, and it is not done again."""
OnMissed = Callable[[Job, datetime, datetime], None]
"""Told of the first and the last due time of one job that were missed in a row."""


class Scheduler:
    """The due times of one run, from where its book of jobs stands."""

    def __init__(
        self,
        jobs: Sequence[Job],
        calendar: SessionCalendar,
        book: JobBook,
        clock: TradeClock,
        span: tuple[datetime, datetime],
        work: Chore,
        on_missed: OnMissed,
    ) -> None:
        """`span` is the time the run takes, from before its first open to after its last close."""
        self._book, self._clock, self._work, self._on_missed = book, clock, work, on_missed
        self._chores = tuple(job for job in jobs if not job.is_step)
        begun = {job.kind: book.last_time(job.kind) or span[0] for job in self._chores}
        self._queue = _merged(self._chores, calendar, begun, span[1])
        self._ahead = next(self._queue, None)
        for row in book.claimed():
            if any(job.kind == row.job for job in self._chores):
                book.settle(row.job, row.due, "failed", clock.now(), DIED)

    def pass_until(self, moment: datetime, is_called: IsCalled = nobody_calls) -> None:
        """Let time pass up to a moment, doing every chore when it is due; early where the desk is called."""
        while not is_called() and (ahead := self._ahead) is not None and ahead[0] <= moment:
            self._clock.wait_until(ahead[0], is_called)
            if self._clock.now() < ahead[0]:
                return
            self._do_due()
        self._clock.wait_until(moment, is_called)

    def claim(self, job: Job, due: datetime, deadline: datetime) -> JobState:
        """Take a step of the day loop: `done` when it begins on time, `late`, or `missed`, which is recorded here.

        A claim of a process that died is taken over. One that has its result keeps it.
        """
        now, state = self._clock.now(), self._lateness(job, due, self._clock.now(), deadline)
        self._book.claim(job.kind, due, now)
        if state == "missed":
            self.settle(job, due, "missed", late_text(due, now))
            self._on_missed(job, due, due)
        return state

    def was_claimed(self, job: Job, due: datetime) -> bool:
        """Whether a process took this step, and has left no result."""
        row = self._book.row(job.kind, due)
        return row is not None and row.state == "claimed"

    def was_taken(self, job: Job, due: datetime) -> bool:
        """Whether a process took this step at all, with a result or without."""
        return self._book.row(job.kind, due) is not None

    def settle(self, job: Job, due: datetime, state: JobState, said: str = "") -> None:
        """The result of a claimed step; where it has one, that stays."""
        row = self._book.row(job.kind, due)
        if row is None or row.state != "claimed":
            return
        self._book.settle(job.kind, due, state, self._clock.now(), said)

    def _do_due(self) -> None:
        """Everything that is due by now; of what is too late, the newest is made up for where its job says so."""
        now, due_by_job = self._clock.now(), dict[str, list[datetime]]()
        while self._ahead is not None and self._ahead[0] <= now:
            due, _, job = self._ahead
            due_by_job.setdefault(job.kind, []).append(due)
            self._ahead = next(self._queue, None)
        for job in self._chores:
            self._do_all(job, due_by_job.get(job.kind, ()))

    def _do_all(self, job: Job, dues: Sequence[datetime]) -> None:
        missed: list[datetime] = []
        for due in dues:
            now = self._clock.now()
            state = self._lateness(job, due, now)
            if state == "missed" and not (job.catch_up == "latest" and due == dues[-1]):
                self._book.record(job.kind, due, "missed", now, late_text(due, now))
                missed.append(due)
                continue
            self._book.claim(job.kind, due, now)
            result = self._work(job, due)
            is_late = result.state == "done" and state != "done"
            self._book.settle(job.kind, due, "late" if is_late else result.state, self._clock.now(), result.said)
        if missed:
            self._on_missed(job, missed[0], missed[-1])

    def _lateness(self, job: Job, due: datetime, now: datetime, deadline: datetime | None = None) -> JobState:
        if now - due <= RESOLUTION:
            return "done"
        return "missed" if now > (deadline or due + job.grace) else "late"


def late_text(due: datetime, now: datetime) -> str:
    return f"{(now - due).total_seconds() / 60:.0f} min late"


def _merged(
    jobs: Sequence[Job], calendar: SessionCalendar, begun: Mapping[str, datetime], until: datetime
) -> Iterator[tuple[datetime, int, Job]]:
    """The due times of several jobs, each after where it stands, in one order; at one time as the jobs stand."""

    def of(place: int, job: Job) -> Iterator[tuple[datetime, int, Job]]:
        return ((due.at, place, job) for due in due_times(job.when, calendar, begun[job.kind], until))

    return heapq.merge(*(of(place, job) for place, job in enumerate(jobs)), key=lambda item: item[:2])
