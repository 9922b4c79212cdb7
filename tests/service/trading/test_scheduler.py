"""A year of due times on three exchanges, through kills and absences: each exactly once, and what is missed is told."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from parley.desk.job_book import JobBook, JobRow, open_job_book
from parley.desk.trade_clock import JumpClock
from parley.market.job_times import due_times, parse_job_time
from parley.market.sessions import SessionCalendar, session_calendar
from parley.service.trading.errors import JobInvalid
from parley.service.trading.schedule import USUAL, Job, parse_jobs
from parley.service.trading.scheduler import DIED, Result, Scheduler

EXCHANGES = ("XNYS", "XLON", "XASX")
RUN = "run-1"
SPAN = datetime(2024, 1, 1, 12, tzinfo=UTC), datetime(2025, 1, 1, 12, tzinfo=UTC)
JOBS = parse_jobs("health=every 1h in session,verify=at 18:00")
CHORES = tuple(job for job in JOBS if not job.is_step)


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Year:
    """Lives of one scheduler over a folder; what happens in the world is kept beside it."""

    folder: Path
    calendar: SessionCalendar
    jobs: tuple[Job, ...] = CHORES
    effects: Counter[tuple[str, datetime]] = field(default_factory=Counter[tuple[str, datetime]])
    told: list[tuple[str, datetime, datetime]] = field(default_factory=list[tuple[str, datetime, datetime]])
    kill_at: int = -1
    calls: int = 0

    def live(self, start: datetime, until: datetime = SPAN[1]) -> None:
        """One process from here on; it dies before, in or after the call that is to be its last."""
        clock = JumpClock(start)

        def work(job: Job, due: datetime) -> Result:
            self.calls += 1
            if self.calls == self.kill_at:
                raise Killed
            self.effects[job.kind, due] += 1
            if self.calls == self.kill_at - 1:
                raise Killed
            return Result("done")

        with open_job_book(self.folder, RUN) as book:
            dying = _Dying(book, lambda: self.calls == self.kill_at - 2)
            scheduler = Scheduler(
                self.jobs, self.calendar, dying, clock, SPAN, work, lambda job, a, b: self.told.append((job.kind, a, b))
            )
            scheduler.pass_until(until)

    def die(self, start: datetime, after: int) -> datetime:
        """Killed about so many jobs later; when, on the market's clock."""
        self.kill_at = self.calls + after
        try:
            self.live(start)
        except Killed:
            self.calls = self.kill_at = 0
            with self.book() as book:
                return book.last_time() or start
        return SPAN[1]

    @contextmanager
    def book(self) -> Iterator[JobBook]:
        with open_job_book(self.folder, RUN, readonly=True) as book:
            yield book

    def rows(self) -> tuple[JobRow, ...]:
        with self.book() as book:
            return book.rows()

    def expected(self) -> list[tuple[str, datetime]]:
        return sorted((job.kind, due.at) for job in self.jobs for due in due_times(job.when, self.calendar, *SPAN))


class _Dying(JobBook):
    """A book whose process dies between the work and its result."""

    def __init__(self, book: JobBook, dies: object) -> None:
        super().__init__(book._database, book._run_id)  # pyright: ignore
        self._dies = dies

    def settle(self, *rest: object) -> None:  # pyright: ignore
        if self._dies():  # pyright: ignore
            raise Killed
        super().settle(*rest)  # pyright: ignore


def calendar_of(name: str) -> SessionCalendar:
    return session_calendar(name, date(2024, 1, 1), date(2024, 12, 31))


@pytest.mark.parametrize("name", EXCHANGES)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_year_of_due_times_is_done_each_once_through_kills_and_absences(tmp_path: Path, name: str, seed: int) -> None:
    year, rng, at = Year(tmp_path, calendar_of(name)), np.random.default_rng(seed), SPAN[0]
    for _ in range(12):
        away = timedelta(minutes=float(rng.choice([0.5, 20, 400, 4000])))
        at = year.die(at, int(rng.integers(3, 250))) + away
    year.kill_at = -1
    year.live(at)

    rows = year.rows()
    assert sorted((row.job, row.due) for row in rows) == year.expected(), "every due time has one row, and no other"
    assert max(year.effects.values()) == 1, "nothing was done twice"
    done = {(row.job, row.due) for row in rows if row.state in ("done", "late")}
    died = {(row.job, row.due) for row in rows if row.said == DIED}
    assert done <= set(year.effects) <= done | died
    missed = [(row.job, row.due) for row in rows if row.state == "missed"]
    assert missed, "some absences were longer than the jobs' grace"
    assert all(any(job == kind and a <= due <= b for kind, a, b in year.told) for job, due in missed), "each was told"


@pytest.mark.parametrize("name", EXCHANGES)
def test_an_undisturbed_year_is_all_done_on_time(tmp_path: Path, name: str) -> None:
    year = Year(tmp_path, calendar_of(name))

    year.live(SPAN[0])

    assert {row.state for row in year.rows()} == {"done"}
    assert sorted(year.effects) == year.expected()
    assert not year.told
    assert [row.due for row in year.rows()] == sorted(row.due for row in year.rows())


def test_late_within_its_grace_a_job_runs_once_as_late_and_beyond_it_is_missed(tmp_path: Path) -> None:
    # XNYS on Friday 8 March 2024: open at 14:30 UTC; pre-flight at 14:00 has 30 minutes of grace.
    due = datetime(2024, 3, 8, 14, tzinfo=UTC)
    for away_m, state in ((0, "done"), (29, "late"), (31, "missed")):
        year = Year(tmp_path / str(away_m), calendar_of("XNYS"))
        year.live(SPAN[0], due - timedelta(minutes=1))
        year.live(due + timedelta(minutes=away_m), due + timedelta(minutes=away_m))
        with year.book() as book:
            row = book.row("preflight", due)
        assert row is not None
        assert row.state == state
        assert year.effects["preflight", due] == (state != "missed")
        assert bool(year.told) is (state == "missed")


def test_of_several_missed_times_the_newest_is_made_up_for_where_the_job_says_so(tmp_path: Path) -> None:
    year, back = Year(tmp_path, calendar_of("XNYS")), datetime(2024, 3, 15, 18, tzinfo=UTC)
    year.live(SPAN[0], datetime(2024, 3, 8, 12, tzinfo=UTC))
    year.live(back, back)

    states = {kind: [row.state for row in year.rows() if row.job == kind] for kind in ("verify", "health")}
    # verify at 18:00 in New York: 8 and 11 to 14 March were not run; the last of them is within its grace.
    assert states["verify"][-5:] == ["missed"] * 4 + ["late"]
    # checks up to 17:30 UTC of the 15th: that one is half an hour late, no other is made up for.
    assert set(states["health"][-40:-1]) == {"missed"}
    assert states["health"][-1] == "late"


def test_a_step_is_claimed_once_and_taken_over_from_a_process_that_died(tmp_path: Path) -> None:
    trade, clock = (
        next(job for job in USUAL if job.kind == "trade"),
        JumpClock(datetime(2024, 3, 8, 14, 30, tzinfo=UTC)),
    )
    due, told = clock.now(), list[datetime]()

    def scheduler(book: JobBook) -> Scheduler:
        return Scheduler(
            (trade,),
            calendar_of("XNYS"),
            book,
            clock,
            SPAN,
            lambda job, due: Result("done"),
            lambda job, a, b: told.append(a),
        )

    with open_job_book(tmp_path, RUN) as book:
        first = scheduler(book)
        assert not first.was_claimed(trade, due)
        assert first.claim(trade, due, due + trade.grace) == "done"
    clock.wait_until(due + timedelta(minutes=20))
    with open_job_book(tmp_path, RUN) as book:
        second = scheduler(book)
        assert second.was_claimed(trade, due)
        assert second.claim(trade, due, due + trade.grace) == "late"
        second.settle(trade, due, "late", "its process died")
        second.settle(trade, due, "done", "a result stays")
        (row,) = book.rows()
        assert (row.state, row.said) == ("late", "its process died")
        next_due = due + timedelta(days=3)
        clock.wait_until(next_due + timedelta(hours=2))
        assert second.claim(trade, next_due, next_due + trade.grace) == "missed"
    assert told == [next_due]


def test_a_call_interrupts_the_passing_of_time_and_no_chore_is_done_early(tmp_path: Path) -> None:
    year, clock, calls = Year(tmp_path, calendar_of("XNYS")), JumpClock(SPAN[0]), [0]

    def is_called() -> bool:
        calls[0] += 1
        return calls[0] > 40

    with open_job_book(tmp_path, RUN) as book:
        done: list[datetime] = []

        def work(job: Job, due: datetime) -> Result:
            assert clock.now() >= due
            done.append(due)
            return Result("done")

        Scheduler(CHORES, year.calendar, book, clock, SPAN, work, lambda job, a, b: None).pass_until(SPAN[1], is_called)
        assert 0 < len(done) < 60
        assert clock.now() < SPAN[1]


def test_the_jobs_are_what_was_asked_for_and_nothing_that_cannot_be() -> None:
    jobs = {job.kind: job for job in parse_jobs("decide=close+15m, health=every 1m in session")}

    assert jobs["decide"].when == parse_job_time("close+15m")
    assert jobs["health"].grace == timedelta(minutes=1), "a check may be as late as the next one"
    assert jobs["trade"] == next(job for job in USUAL if job.kind == "trade")
    assert replace(jobs["decide"], when=parse_job_time("close")) in USUAL
    for text, complaint in (
        ("decide=open+15m", "the newest one is yesterday's"),
        ("decide=at 18:00", "the newest one is yesterday's"),
        ("trade=open+15m", "worked from its open"),
        ("health=open", "uptime is counted by it"),
        ("lunch=close", "no job is called lunch"),
        ("decide", "is no job"),
        ("decide=close, verify=at 18:00,decide=close+1h", "job decide is named twice"),
        ("decide=noon", "no time of a session"),
    ):
        with pytest.raises(JobInvalid, match=complaint):
            parse_jobs(text)
