"""Times of jobs over a year on three exchanges whose daylight saving differs: north, north on other days, and south."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from exchange_calendars import get_calendar
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.market.errors import JobTimeInvalid
from parley.market.job_times import Due, NotDue, due_times, not_due, outcome, parse_job_time
from parley.market.sessions import SessionCalendar, session_calendar

# New York and London change their clocks on different Sundays, Sydney the other way round. Tokyo, which has no such
# change, closes for lunch, and the house refuses it.
EXCHANGES = ("XNYS", "XLON", "XASX")
START, END = datetime(2023, 12, 31, tzinfo=UTC), datetime(2025, 1, 1, 12, tzinfo=UTC)
PHRASES = (
    "open",
    "close",
    "open+15m",
    "close-10m",
    "open-30m",
    "close+1h30m",
    "every 30m in session",
    "every 45m from open+15m to close-10m",
    "at 18:00",
)


def calendar_of(name: str) -> SessionCalendar:
    return session_calendar(name, date(2024, 1, 1), date(2024, 12, 31))


def source_of(name: str) -> list[tuple[date, datetime, datetime]]:
    """Day, open and close of 2024 from the library itself."""
    schedule = get_calendar(name, start="2023-01-01", end="2025-12-31").schedule.loc["2023-12-29":"2025-01-03"]
    return [
        (day.date(), row["open"].to_pydatetime(), row["close"].to_pydatetime())
        for day, row in schedule.iterrows()  # pyright: ignore
    ]


@pytest.mark.parametrize("name", EXCHANGES)
@pytest.mark.parametrize(
    ("phrase", "edge", "offset_m"),
    [("open", 1, 0), ("close", 2, 0), ("open+15m", 1, 15), ("close-10m", 2, -10), ("open-30m", 1, -30)],
)
def test_an_edge_is_the_librarys_own_open_or_close_of_every_session(
    name: str, phrase: str, edge: int, offset_m: int
) -> None:
    found = [due.at for due in due_times(parse_job_time(phrase), calendar_of(name), START, END)]

    expected = [row[edge] + timedelta(minutes=offset_m) for row in source_of(name)]
    assert found == [at for at in expected if START < at <= END]
    assert len(found) > 250


@pytest.mark.parametrize("name", EXCHANGES)
def test_every_half_hour_of_a_session_is_due_once_however_long_it_is(name: str) -> None:
    found = list(due_times(parse_job_time("every 30m in session"), calendar_of(name), START, END))

    by_day = {day: (opens, closes) for day, opens, closes in source_of(name)}
    assert all(by_day[due.session][0] <= due.at <= by_day[due.session][1] for due in found)
    expected = sum(
        int((closes - opens) / timedelta(minutes=30)) + 1
        for _, opens, closes in source_of(name)
        if opens > START and closes <= END
    )
    assert len(found) == len({due.at for due in found}) == expected


@pytest.mark.parametrize(("name", "zone"), [("XNYS", "America/New_York"), ("XASX", "Australia/Sydney")])
def test_a_time_of_day_is_the_exchanges_own_in_winter_and_in_summer(name: str, zone: str) -> None:
    found = list(due_times(parse_job_time("at 18:00"), calendar_of(name), START, END))

    local = [due.at.astimezone(ZoneInfo(zone)) for due in found]
    assert {moment.time() for moment in local} == {time(18)}
    assert [moment.date() for moment in local] == [due.session for due in found]
    assert len({due.at.time() for due in found}) == 2, "two times in UTC: daylight saving"


@given(
    name=st.sampled_from(EXCHANGES),
    phrase=st.sampled_from(PHRASES),
    cuts=st.lists(st.integers(0, 367 * 24 * 60), max_size=4),
)
@settings(max_examples=15, deadline=None)
def test_times_are_the_same_whatever_pieces_of_the_year_are_asked_for(name: str, phrase: str, cuts: list[int]) -> None:
    when, calendar = parse_job_time(phrase), calendar_of(name)
    edges = [START, *(START + timedelta(minutes=cut) for cut in sorted(cuts)), END]
    whole = list(due_times(when, calendar, START, END))

    pieces = [due for after, until in pairwise(edges) for due in due_times(when, calendar, after, until)]

    assert pieces == whole
    assert [due.at for due in whole] == sorted({due.at for due in whole})


def test_a_job_before_the_close_moves_with_an_early_close() -> None:
    # XNYS closes at 13:00 New York time on the day after Thanksgiving: 18:00 UTC.
    found = outcome(parse_job_time("close-10m"), calendar_of("XNYS"), date(2024, 11, 29))

    assert found == (Due(date(2024, 11, 29), datetime(2024, 11, 29, 17, 50, tzinfo=UTC)),)


def test_a_job_that_a_half_day_has_no_time_for_says_so() -> None:
    when, calendar = parse_job_time("open+5h"), calendar_of("XNYS")

    found = outcome(when, calendar, date(2024, 11, 29))

    assert isinstance(found, NotDue)
    assert "open+5h is not due: the session of 2024-11-29 lasts 3h30m" in found.reason
    # The early closes of 2024 by the exchange's holiday calendar: 3 July, 29 November and 24 December.
    days = [item.session for item in not_due(when, calendar, date(2024, 1, 1), date(2024, 12, 31))]
    assert days == [date(2024, 7, 3), date(2024, 11, 29), date(2024, 12, 24)]


def test_an_interval_that_does_not_fit_a_half_day_is_not_due() -> None:
    when = parse_job_time("every 30m from open+4h to close-10m")

    assert isinstance(outcome(when, calendar_of("XNYS"), date(2024, 12, 24)), NotDue)
    assert isinstance(outcome(when, calendar_of("XNYS"), date(2024, 12, 23)), tuple)


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_phrase_reads_back_as_itself(phrase: str) -> None:
    assert str(parse_job_time(phrase)) == phrase
    assert parse_job_time(f"  {phrase.upper()} ") == parse_job_time(phrase)


@pytest.mark.parametrize(
    ("phrase", "complaint"),
    [
        ("noon", "no time of a session"),
        ("open+15", "no time of a session"),
        ("open++15m", "no time of a session"),
        ("", "no time of a session"),
        ("open-9h", "9h away"),
        ("close+25h", "longer than a day"),
        ("every 0m in session", "a step of nothing"),
        ("every 30m from close-1h to open", "before it begins"),
        ("every 30m from open+2h to open+1h", "before it begins"),
        ("every 30m from open-1h to close", "outside of the session"),
        ("at 24:00", "no time of day"),
        ("at 18:60", "no time of day"),
    ],
)
def test_nonsense_is_refused_with_what_to_write(phrase: str, complaint: str) -> None:
    with pytest.raises(JobTimeInvalid, match=complaint) as caught:
        parse_job_time(phrase)

    assert caught.value.remedy
