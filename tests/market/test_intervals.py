"""Decision times within a session: spans that are read and written, bars that end with the session, refusals."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.market.errors import IntervalRefused
from parley.market.intervals import BarInterval, bar_grid, interval_of, parse_every, span_text, split_name
from parley.market.sessions import session_calendar

CALENDAR = session_calendar("XNYS", date(2013, 1, 2), date(2013, 12, 31))


def days(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[D]")


@given(st.integers(1, 86_400))
def test_a_span_is_read_as_it_is_written(seconds: int) -> None:
    assert parse_every(span_text(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "30", "m", "0m", "-5m", "1.5h", "30 m", "30min", "1d"])
def test_what_is_no_span_is_refused_with_a_way_out(text: str) -> None:
    with pytest.raises(IntervalRefused) as refused:
        parse_every(text)

    assert "30" in refused.value.remedy or "15s" in refused.value.remedy


def test_a_whole_session_has_its_bars_and_its_decisions() -> None:
    grid = bar_grid(CALENDAR, days("2013-10-07"), BarInterval(60, 1800, 23_400))

    assert (len(grid.ends), int(grid.is_decision.sum())) == (390, 13)
    # 10:00 to 16:00 in New York, four hours behind UTC in October.
    assert str(grid.ends[grid.is_decision][0]) == "2013-10-07T14:00:00"
    assert str(grid.ends[-1]) == "2013-10-07T20:00:00"


def test_a_half_day_ends_early_and_its_last_span_with_it() -> None:
    # The day after Thanksgiving closes at 13:00: three and a half hours.
    grid = bar_grid(CALENDAR, days("2013-11-29"), BarInterval(60, 3600, 23_400))

    assert len(grid.ends) == 210
    assert [str(end)[11:16] for end in grid.ends[grid.is_decision]] == ["15:30", "16:30", "17:30", "18:00"]


@settings(max_examples=30, deadline=None)
@given(bar_s=st.sampled_from([1, 7, 60, 300, 1000]), spans=st.integers(1, 40))
def test_bars_cover_every_session_once_in_order(bar_s: int, spans: int) -> None:
    chosen = days("2013-10-07", "2013-10-08", "2013-11-29")

    grid = bar_grid(CALENDAR, chosen, BarInterval(bar_s, bar_s * spans, 23_400))

    assert (np.diff(grid.ends.astype(np.int64)) > 0).all()
    for row in CALENDAR.rows_of(chosen).tolist():
        mine = grid.ends[grid.days == CALENDAR.days[row]]
        assert mine[-1] == CALENDAR.closes[row]
        assert grid.is_decision[grid.days == CALENDAR.days[row]][-1]
        steps = np.diff(np.r_[CALENDAR.opens[row], mine].astype(np.int64))
        assert (steps <= bar_s).all() and (steps[:-1] == bar_s).all()


def test_what_happens_at_the_end_of_a_bar_is_in_it_and_the_next_second_is_not() -> None:
    grid = bar_grid(CALENDAR, days("2013-10-07"), BarInterval(60, 1800, 23_400))
    times = np.array(
        ["2013-10-07T13:31:00", "2013-10-07T13:31:01", "2013-10-07T13:29:59", "2013-10-07T20:00:01"], "M8[s]"
    )

    assert grid.rows_of(times, 60).tolist() == [0, 1, -1, -1]


@pytest.mark.parametrize(("every_s", "source_s"), [(45, 60), (90, 60), (30_000, 60), (1, 5)])
def test_a_span_that_bars_or_sessions_cannot_give_is_refused(every_s: int, source_s: int) -> None:
    with pytest.raises(IntervalRefused) as refused:
        interval_of("minute", source_s, every_s, 23_400)

    assert "--every" in refused.value.remedy


def test_without_a_wish_each_kind_of_recording_has_its_usual_times() -> None:
    assert interval_of("minute", 60, None, 23_400) == BarInterval(60, 1800, 23_400)
    assert interval_of("book", 0, None, 86_400) == BarInterval(1, 15, 86_400)
    assert interval_of("tick", 0, 30, 23_400) == BarInterval(30, 30, 23_400)


def test_the_mark_in_a_name_is_no_part_of_the_path(tmp_path: Path) -> None:
    odd = tmp_path / "odd@name.csv"
    odd.write_text("")

    assert split_name("a/b.parquet@30m") == ("a/b.parquet", "30m")
    assert split_name("a@b/c.parquet") == ("a@b/c.parquet", None)
    assert split_name(str(odd)) == (str(odd), None)
    assert split_name(f"{odd}@5m") == (str(odd), "5m")
