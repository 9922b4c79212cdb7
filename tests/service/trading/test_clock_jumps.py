"""A machine whose clock is set while the desk is live, and one that sleeps: each due time once, none in silence."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from parley.desk.alert_book import AlertBook
from parley.desk.job_book import open_job_book
from parley.desk.trade_clock import WallClock
from parley.market.job_times import due_times
from parley.market.sessions import session_calendar
from parley.service.trading.chores import ABLE
from parley.service.trading.clock_jumps import LEAP, tell_jump
from parley.service.trading.errors import ClockLeapt
from parley.service.trading.schedule import Job, parse_jobs
from parley.service.trading.scheduler import Result, Scheduler
from parley.service.trading.uptime import UNSEEN, measure_uptime
from parley.watch.rules import usual_rules

BEGAN = datetime(2024, 3, 8, 12, tzinfo=UTC)
UNTIL = datetime(2024, 3, 8, 23, tzinfo=UTC)
CALENDAR = session_calendar("XNYS", date(2024, 3, 1), date(2024, 3, 15))
CHORES = tuple(job for job in parse_jobs(None) if not job.is_step)


class Machine:
    """A clock that somebody sets at given steady seconds, and that passes only while somebody waits."""

    def __init__(self, settings: dict[float, float]) -> None:
        self.steady_s, self._settings = 0.0, settings

    def steady(self) -> float:
        return self.steady_s

    def wall(self) -> float:
        return self.steady_s + sum(by for at, by in self._settings.items() if at <= self.steady_s)

    def sleep(self, seconds: float) -> None:
        self.steady_s += max(seconds * 200, 1.0)  # a nap for each few seconds is enough here


class Day:
    """A day of chores on such a machine."""

    def __init__(self, folder: Path, settings: dict[float, float]) -> None:
        self.done: Counter[tuple[str, datetime]] = Counter()
        self.told: list[tuple[str, datetime, datetime]] = []
        self.jumps: list[timedelta] = []
        machine = Machine(settings)
        clock = WallClock(BEGAN, self.jumps.append, machine.wall, machine.steady, machine.sleep)

        def work(job: Job, due: datetime) -> Result:
            assert clock.now() >= due, "nothing is done early"
            self.done[job.kind, due] += 1
            return Result("done", ABLE)

        with open_job_book(folder, "run-1") as book:
            scheduler = Scheduler(
                *(CHORES, CALENDAR, book, clock, (BEGAN, UNTIL), work),
                lambda job, first, last: self.told.append((job.kind, first, last)),
            )
            scheduler.pass_until(UNTIL)
            self.rows = book.rows()


def hours(count: float) -> float:
    return count * 3600


@pytest.mark.parametrize("seed", range(4))
def test_however_the_clock_is_set_each_due_time_has_one_row_and_what_is_missed_is_told(
    tmp_path: Path, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    settings = {float(rng.uniform(0, hours(9))): float(rng.uniform(-1800, 1800)) for _ in range(8)}

    day = Day(tmp_path, settings)

    expected = sorted((job.kind, due.at) for job in CHORES for due in due_times(job.when, CALENDAR, BEGAN, UNTIL))
    assert sorted((row.job, row.due) for row in day.rows) == expected
    assert max(day.done.values()) == 1
    missed = {(row.job, row.due) for row in day.rows if row.state == "missed"}
    assert missed | set(day.done) == set(expected)
    assert all(any(kind == job and a <= due <= b for kind, a, b in day.told) for job, due in missed)
    assert len(day.jumps) == sum(abs(by) > 60 for by in settings.values())


def test_a_laptop_that_sleeps_through_two_hours_of_a_session_loses_their_minutes(tmp_path: Path) -> None:
    # Friday 8 March 2024: XNYS is open from 14:30 to 21:00 UTC; asleep from 16:02 to 18:02.
    day = Day(tmp_path, {hours(4) + 120: hours(2)})

    health = next(job for job in CHORES if job.kind == "health")
    found = measure_uptime([r for r in day.rows if r.job == "health"], health.when, CALENDAR, [BEGAN.date()], UNTIL)
    assert found.session_minutes == 390
    assert found.lost == {UNSEEN: 115.0}, "of the checks from 16:05 on the first in time is that of 18:00"
    assert day.jumps == [timedelta(hours=2)]
    assert [(kind, f"{a:%H:%M}", f"{b:%H:%M}") for kind, a, b in day.told] == [("health", "16:05", "17:55")]


def test_a_clock_set_back_in_the_session_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    day = Day(tmp_path, {hours(4): -600.0})

    assert {row.state for row in day.rows} == {"done"}
    assert max(day.done.values()) == 1
    assert not day.told


@pytest.mark.parametrize(
    ("by", "says"),
    [
        (timedelta(minutes=-10), "back by 10 minutes"),
        (timedelta(minutes=3), "forward by 3 minutes"),
        (LEAP * 24, "120"),
    ],
)
def test_a_jump_is_an_alert_and_a_leap_is_gone_on_from_as_after_a_restart(
    tmp_path: Path, by: timedelta, says: str
) -> None:
    alerts = AlertBook(tmp_path, lambda: BEGAN)

    if by > LEAP:
        with pytest.raises(ClockLeapt) as caught:
            tell_jump(alerts, usual_rules(), by)
        assert caught.value.market == BEGAN
    else:
        tell_jump(alerts, usual_rules(), by)

    (alert,) = alerts.open()
    assert (alert.code, alert.severity, alert.figure) == ("clock_jumped", "warning", by.total_seconds())
    assert says in alert.text
    assert not alerts.blocking()
