"""A session: the exchange's day, or the moment at which a span within it ends; written and read as the same text."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parley.domain.events import PortfolioMarked
from parley.domain.sessions import day_of, first_of_days, session_of, session_text

NEW_YORK = timezone(timedelta(hours=-4))


def marked(session: Any) -> PortfolioMarked:
    zeros = dict.fromkeys(("equity", "peak_equity", "cash", "gross", "net", "traded", "fees"), 0)
    return PortfolioMarked.model_validate({"session": session, "prices": {}, "benchmark": None, **zeros})


@pytest.mark.parametrize(
    "session",
    [
        date(2020, 1, 2),
        datetime(2013, 10, 7, 10, 0, tzinfo=NEW_YORK),
        datetime(2024, 8, 9, 0, 0, tzinfo=UTC),  # midnight is no day
    ],
)
def test_a_session_in_the_log_is_read_as_it_was_written(session: date) -> None:
    written = marked(session)

    read = PortfolioMarked.model_validate(written.model_dump(mode="json"))

    assert read == written
    assert isinstance(read.session, datetime) is isinstance(session, datetime)
    assert read.model_dump(mode="json") == written.model_dump(mode="json")
    assert session_of(session.isoformat()) == session


def test_a_time_without_a_zone_is_no_session() -> None:
    with pytest.raises(ValueError, match="timezone"):
        marked("2013-10-07T10:00:00")


def test_the_day_of_a_span_is_the_exchanges_own_and_midnight_ends_the_day_before() -> None:
    assert day_of(date(2020, 1, 2)) == date(2020, 1, 2)
    assert day_of(datetime(2013, 10, 7, 20, 30, tzinfo=NEW_YORK)) == date(2013, 10, 7)
    assert day_of(datetime(2024, 8, 9, 0, 0, tzinfo=UTC)) == date(2024, 8, 8)


def test_people_read_the_clock_and_its_zone() -> None:
    assert session_text(date(2020, 1, 2)) == "2020-01-02"
    assert session_text(datetime(2013, 10, 7, 10, 0, tzinfo=NEW_YORK)) == "2013-10-07 10:00 UTC-04:00"


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.integers(1, 6))
def test_the_first_of_the_last_days_has_that_many_days_behind_it(steps: list[int], n_days: int) -> None:
    start = datetime(2024, 1, 1, 1, tzinfo=UTC)
    sessions = sorted({start + timedelta(hours=7 * sum(steps[: place + 1])) for place in range(len(steps))})

    first = first_of_days(sessions, n_days)

    days = sorted({day_of(session) for session in sessions})[-n_days:]
    assert first == min(session for session in sessions if day_of(session) in days)


@pytest.mark.parametrize("n_days", [1, 3, 5])
def test_of_days_it_is_the_day_so_many_places_before(n_days: int) -> None:
    days = [date(2020, 1, 1) + timedelta(days=place) for place in range(9)]

    assert first_of_days(days, n_days) == days[-n_days]
