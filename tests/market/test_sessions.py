"""The exchange calendar as arrays."""

from datetime import UTC, date, datetime

import numpy as np
import pytest
from parley.market.errors import NoCalendar, NoSessions
from parley.market.sessions import session_calendar

XNYS = session_calendar("XNYS", date(2019, 1, 2), date(2021, 12, 31))


@pytest.mark.parametrize(
    ("session", "opens", "closes"),
    [
        # Hours from the NYSE's published calendar: winter, summer, and the early close after Thanksgiving.
        (date(2020, 1, 2), datetime(2020, 1, 2, 14, 30, tzinfo=UTC), datetime(2020, 1, 2, 21, 0, tzinfo=UTC)),
        (date(2020, 7, 1), datetime(2020, 7, 1, 13, 30, tzinfo=UTC), datetime(2020, 7, 1, 20, 0, tzinfo=UTC)),
        (date(2020, 11, 27), datetime(2020, 11, 27, 14, 30, tzinfo=UTC), datetime(2020, 11, 27, 18, 0, tzinfo=UTC)),
    ],
)
def test_session_hours_follow_daylight_saving_and_early_closes(
    session: date, opens: datetime, closes: datetime
) -> None:
    assert XNYS.opening_time(session) == opens
    assert XNYS.close_time(session) == closes


def test_the_session_after_christmas_eve_skips_the_holiday_and_the_weekend() -> None:
    assert XNYS.next_session(date(2020, 12, 24)) == date(2020, 12, 28)


def test_a_day_without_a_session_has_no_row_and_no_close() -> None:
    days = np.array(["2020-12-24", "2020-12-25", "2100-01-04"], dtype="datetime64[D]")

    assert XNYS.rows_of(days).tolist()[1:] == [-1, -1]
    assert XNYS.days[XNYS.rows_of(days)[0]] == days[0]
    with pytest.raises(NoSessions, match="2020-12-25 is not a session"):
        XNYS.close_time(date(2020, 12, 25))


def test_the_calendar_ends_with_the_year_after_the_last_day_asked_for() -> None:
    assert XNYS.days[-1] == np.datetime64("2022-12-30")
    with pytest.raises(NoSessions, match="no session after 2022-12-30"):
        XNYS.next_session(date(2022, 12, 30))


def test_an_unknown_exchange_is_named_in_the_error() -> None:
    with pytest.raises(NoCalendar, match="'NOWHERE'") as caught:
        session_calendar("NOWHERE", date(2020, 1, 2), date(2020, 1, 3))

    assert "XNYS" in caught.value.remedy


def test_an_exchange_with_two_sessions_in_one_day_is_refused() -> None:
    with pytest.raises(NoCalendar, match="XTKS closes for lunch: two sessions in one day") as refused:
        session_calendar("XTKS", date(2014, 1, 1), date(2014, 12, 31))

    assert "XNYS" in refused.value.remedy
