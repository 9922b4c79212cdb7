"""Uptime by hand on three sessions of XNYS, one of them a half day: what each check stands for, and what is lost."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.desk.job_book import JobRow, JobState
from parley.market.job_times import due_times, parse_job_time
from parley.market.sessions import session_calendar
from parley.service.trading.chores import ABLE, HALTED
from parley.service.trading.uptime import UNSEEN, measure_uptime

CALENDAR = session_calendar("XNYS", date(2024, 11, 1), date(2024, 12, 31))
WHEN = parse_job_time("every 30m in session")
# 27 and 29 November and 2 December 2024: 6.5, 3.5 (the day after Thanksgiving) and 6.5 hours.
SESSIONS = (date(2024, 11, 27), date(2024, 11, 29), date(2024, 12, 2))
SPAN = datetime(2024, 11, 27, tzinfo=UTC), datetime(2024, 12, 3, tzinfo=UTC)
DUES = [due.at for due in due_times(WHEN, CALENDAR, *SPAN)]


def row(due: datetime, said: str = ABLE, state: JobState = "done") -> JobRow:
    return JobRow("health", due, state, due, due, said)


def test_every_check_made_and_able_is_all_minutes() -> None:
    found = measure_uptime([row(due) for due in DUES], WHEN, CALENDAR, SESSIONS, SPAN[1])

    assert (found.session_minutes, found.able_minutes, found.frac) == (390 + 210 + 390, 990, 1.0)
    assert found.lost == {}


def test_a_missed_check_loses_the_minutes_up_to_the_next_one_and_the_close_itself_none() -> None:
    close = CALENDAR.close_time(SESSIONS[1])
    rows = [row(due, state="missed" if due in (DUES[3], close) else "done") for due in DUES]

    found = measure_uptime(rows, WHEN, CALENDAR, SESSIONS, SPAN[1])

    assert found.lost == {UNSEEN: 30.0}
    assert found.frac == pytest.approx(960 / 990)


def test_minutes_are_lost_by_what_the_check_said_and_a_late_one_counts() -> None:
    said = {DUES[1]: HALTED, DUES[2]: HALTED, DUES[5]: "stale feed"}
    rows = [row(due, said.get(due, ABLE), "late") for due in DUES]

    found = measure_uptime(rows, WHEN, CALENDAR, SESSIONS, SPAN[1])

    assert found.lost == {HALTED: 60.0, "stale feed": 30.0}


def test_only_what_is_past_is_looked_at() -> None:
    until = CALENDAR.opening_time(SESSIONS[1]) + timedelta(minutes=45)

    found = measure_uptime([row(due) for due in DUES if due < until], WHEN, CALENDAR, SESSIONS, until)

    assert (found.session_minutes, found.frac) == (390 + 45, 1.0)


@given(
    st.lists(st.sampled_from([ABLE, HALTED, "stale feed", "missed", "none"]), min_size=len(DUES), max_size=len(DUES))
)
@settings(max_examples=30, deadline=None)
def test_able_and_lost_minutes_are_all_minutes(answers: list[str]) -> None:
    pairs = [(due, said) for due, said in zip(DUES, answers, strict=True) if said != "none"]
    rows = [row(due, said, "missed" if said == "missed" else "done") for due, said in pairs]

    found = measure_uptime(rows, WHEN, CALENDAR, SESSIONS, SPAN[1])

    assert found.able_minutes + sum(found.lost.values()) == pytest.approx(990)
    assert ABLE not in found.lost
