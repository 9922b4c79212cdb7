"""The point-in-time door: what is known at a moment, and nothing after it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.instruments import Instrument, Universe
from parley.domain.market import TextItem
from parley.market.cards import DataCard, DataSet
from parley.market.errors import NaiveMoment, NoSessions, PanelError, UnknownSymbol
from parley.market.history import History, MarketView
from parley.market.panel import Panel

DAYS = ["2020-11-24", "2020-11-25", "2020-11-27", "2020-11-30"]
# 27 November 2020, the day after Thanksgiving, closed at 13:00 in New York.
CLOSES = ["2020-11-24T21:00", "2020-11-25T21:00", "2020-11-27T18:00", "2020-11-30T21:00"]
ARRAYS = ("sessions", "close_times", "close", "open", "high", "low", "volume", "benchmark", "vix")
FIELDS = ("close", "open", "high", "low", "volume")


def small_panel(values: np.ndarray | None = None) -> Panel:
    close = np.array([[10.0, np.nan], [11.0, np.nan], [12.0, 50.0], [np.nan, 51.0]]) if values is None else values
    return Panel(
        symbols=("AAA", "BBB"),
        sessions=np.array(DAYS, dtype="datetime64[D]"),
        close_times=np.array(CLOSES, dtype="datetime64[s]"),
        **dict.fromkeys(FIELDS, close),
        benchmark=close[:, 0],
        benchmark_name="AAA",
        vix=close[:, 1],
    )


def card() -> DataCard:
    first, last = date(2020, 11, 24), date(2020, 11, 30)
    return DataCard("small", "small", "test", "none", first, last, "daily", False, False, "none")


def universe() -> Universe:
    return Universe(name="small", instruments=(Instrument(symbol="AAA"), Instrument(symbol="BBB")))


def text(moment: datetime, headline: str) -> TextItem:
    return TextItem(id=headline, symbol="AAA", source="t", ts_event=moment, available_at=moment, headline=headline)


def history(panel: Panel | None = None, texts: tuple[TextItem, ...] = ()) -> History:
    return History(panel or small_panel(), universe(), card(), texts)


def content(view: MarketView) -> dict[str, object]:
    arrays = {name: getattr(view, name) for name in ARRAYS}
    return {
        **{name: None if array is None else array.tobytes() for name, array in arrays.items()},
        "last": view.last_closes().tobytes(),
        "ages": [view.age_days(symbol) for symbol in view.symbols],
        "texts": view.texts(),
    }


@pytest.mark.parametrize(
    ("moment", "known"),
    [
        (datetime(2020, 11, 27, 17, 59, 59, 999_999, tzinfo=UTC), 2),
        (datetime(2020, 11, 27, 18, 0, tzinfo=UTC), 3),
        (datetime(2020, 11, 30, 20, 59, 59, tzinfo=UTC), 3),
        (datetime(2030, 1, 1, tzinfo=UTC), 4),
    ],
)
def test_a_bar_is_known_from_its_close_on_and_not_a_microsecond_earlier(moment: datetime, known: int) -> None:
    view = history().as_of(moment)

    assert len(view.close) == len(view.sessions) == known
    assert view.session == date.fromisoformat(DAYS[known - 1])


def test_a_moment_in_another_zone_is_the_same_moment() -> None:
    from zoneinfo import ZoneInfo

    at_close = datetime(2020, 11, 27, 13, 0, tzinfo=ZoneInfo("America/New_York"))

    assert history().as_of(at_close).session == date(2020, 11, 27)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(NaiveMoment, match="no time zone"):
        history().as_of(datetime(2020, 11, 27, 18, 0))


def test_nothing_is_known_before_the_first_close() -> None:
    with pytest.raises(NoSessions, match="first is known at 2020-11-24T21:00:00"):
        history().as_of(datetime(2020, 11, 24, 20, 59, tzinfo=UTC))


def test_the_slices_share_memory_with_the_panel_and_cannot_be_written() -> None:
    panel = small_panel()
    view = history(panel).as_of(datetime(2020, 11, 27, 18, 0, tzinfo=UTC))

    assert np.shares_memory(view.close, panel.close)
    with pytest.raises(ValueError, match="read-only"):
        view.close[0, 0] = 1.0


def test_last_close_and_age_follow_each_symbol_by_itself() -> None:
    view = history().as_of(datetime(2020, 12, 1, 18, 0, tzinfo=UTC))

    assert view.last_closes().tolist() == [12.0, 51.0]
    assert (view.last_close("AAA"), view.last_close("BBB")) == (12.0, 51.0)
    assert view.last_time("AAA") == datetime(2020, 11, 27, 18, 0, tzinfo=UTC)
    assert view.age_days("AAA") == 4.0
    assert view.age_days("BBB") == pytest.approx(21 / 24)


def test_a_symbol_not_yet_listed_has_no_close_and_no_age() -> None:
    view = history().as_of(datetime(2020, 11, 25, 22, 0, tzinfo=UTC))

    assert (view.last_close("BBB"), view.last_time("BBB"), view.age_days("BBB")) == (None, None, None)
    assert np.isnan(view.last_closes()).tolist() == [False, True]
    with pytest.raises(UnknownSymbol, match="'CCC'"):
        view.last_close("CCC")


@settings(max_examples=50, deadline=None)
@given(cut=st.integers(1, 8312), seed=st.integers(0, 2**32 - 1))
def test_garbage_after_a_moment_never_moves_what_was_known_at_it(us20: DataSet, cut: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    moment = us20.history().close_time(us20.panel.sessions[cut - 1].item()) + timedelta(minutes=30)
    after = moment + timedelta(days=1)
    known = (text(moment - timedelta(days=1), "known"),)
    close, benchmark = us20.panel.close.copy(), np.array(us20.panel.benchmark)
    close[cut:] = rng.choice([np.nan, -1.0, 1e9], size=close[cut:].shape)
    benchmark[cut:] = rng.normal(size=len(benchmark) - cut)
    garbage = replace(us20.panel, close=close, benchmark=benchmark)

    clean_view = History(us20.panel, us20.universe, us20.card, known).as_of(moment)
    dirty_view = History(garbage, us20.universe, us20.card, (*known, text(after, "later"))).as_of(moment)

    assert content(clean_view) == content(dirty_view)


def test_garbage_before_a_moment_is_seen() -> None:
    # The property above would also hold for a view that shows nothing; this one would not.
    moment = datetime(2020, 11, 27, 18, 0, tzinfo=UTC)
    other = history(small_panel(np.full((4, 2), 7.0)), (text(moment, "arrived"),))

    assert content(history().as_of(moment)) != content(other.as_of(moment))


def test_texts_of_a_view_end_at_its_moment() -> None:
    moment = datetime(2020, 11, 27, 18, 0, tzinfo=UTC)
    texts = tuple(text(moment + timedelta(seconds=step), str(step)) for step in (-86_400, 0, 1))

    view = history(texts=texts).as_of(moment)

    assert [item.headline for item in view.texts()] == ["-86400", "0"]
    assert [item.headline for item in view.texts(since=moment - timedelta(hours=1), symbol="AAA")] == ["0"]
    assert view.texts(symbol="BBB") == ()


def test_sessions_between_includes_both_ends_and_open_ends_mean_everything() -> None:
    days = [date.fromisoformat(day) for day in DAYS]

    assert history().sessions_between(days[1], days[2]) == (days[1], days[2])
    assert history().sessions_between() == tuple(days)
    assert history().sessions_between(end=days[0]) == (days[0],)
    assert (history().first_session, history().last_session) == (days[0], days[-1])


@pytest.mark.parametrize(
    ("start", "end"), [(date(2020, 11, 28), date(2020, 11, 29)), (date(2021, 1, 1), None), (None, date(2000, 1, 1))]
)
def test_a_range_without_sessions_tells_the_range_there_is(start: date | None, end: date | None) -> None:
    with pytest.raises(NoSessions) as caught:
        history().sessions_between(start, end)

    assert caught.value.remedy == "small runs from 2020-11-24 to 2020-11-30."


def test_the_calendar_tells_hours_and_the_next_session_past_the_end_of_the_data() -> None:
    door = history()

    assert door.opening_time(date(2020, 11, 27)) == datetime(2020, 11, 27, 14, 30, tzinfo=UTC)
    assert door.close_time(date(2020, 11, 27)) == datetime(2020, 11, 27, 18, 0, tzinfo=UTC)
    assert door.next_session(date(2020, 11, 25)) == date(2020, 11, 27)
    assert door.next_session(date(2020, 11, 30)) == date(2020, 12, 1)


def test_a_universe_of_other_symbols_is_refused() -> None:
    other = Universe(name="other", instruments=(Instrument(symbol="AAA"),))

    with pytest.raises(PanelError, match="universe lists AAA, the panel AAA, BBB"):
        History(small_panel(), other, card())
