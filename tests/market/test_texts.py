"""News and posts, strictly by arrival."""

import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.market import TextItem
from parley.market.cards import DataSet
from parley.market.errors import DataFileError
from parley.market.files import load_file
from parley.market.text_cleaning import clean_text
from parley.market.texts import TextLog, find_text_files, load_texts, read_text_file

LoadRecorded = Callable[[str], DataSet]
START = datetime(2020, 1, 2, 12, 0, tzinfo=UTC)


def item(minute: int, headline: str = "x", symbol: str = "AAA") -> TextItem:
    arrival = START + timedelta(minutes=minute)
    key = f"{minute}-{symbol}-{headline}"
    return TextItem(id=key, symbol=symbol, source="t", ts_event=arrival, available_at=arrival, headline=headline)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 100), max_size=30), st.integers(-5, 105), st.integers(-5, 105))
def test_a_log_returns_exactly_what_arrived_in_the_window(minutes: list[int], since: int, until: int) -> None:
    log = TextLog(item(minute, str(n)) for n, minute in enumerate(minutes))

    found = log.as_of(START + timedelta(minutes=until), START + timedelta(minutes=since))

    arrivals = [text.available_at for text in found]
    assert arrivals == sorted(arrivals)
    assert len(found) == sum(since < minute <= until for minute in minutes)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 50), max_size=20), st.lists(st.integers(51, 99), max_size=20))
def test_texts_after_a_moment_never_change_what_was_known_at_it(past: list[int], future: list[int]) -> None:
    known = [item(minute, str(n)) for n, minute in enumerate(past)]
    later = [item(minute, f"later {n}") for n, minute in enumerate(future)]
    moment = START + timedelta(minutes=50)

    assert TextLog(later + known).as_of(moment) == TextLog(known).as_of(moment)


def test_a_log_can_be_read_for_one_symbol() -> None:
    log = TextLog([item(1), item(2, symbol="BBB")])

    assert [text.symbol for text in log.as_of(START + timedelta(hours=1), symbol="BBB")] == ["BBB"]


def test_news_items_carry_headline_summary_source_and_arrival(shared_data: Path) -> None:
    # news_2025q1.parquet, second row: 2024-12-31 17:19:16 UTC, IBM, Yahoo.
    items = load_texts(shared_data / "text" / "news_2025q1.parquet")
    second = next(text for text in items if text.ts_event == datetime(2024, 12, 31, 17, 19, 16, tzinfo=UTC))

    assert second.headline == "IBM’s $6.4bn HashiCorp acquisition under UK antitrust review"
    assert second.body.startswith("The CMA is assessing")
    assert (second.symbol, second.source) == ("IBM", "Yahoo")
    assert len(items) == 709


def test_ids_are_unique_and_the_same_on_every_load(shared_data: Path) -> None:
    path = shared_data / "text" / "news_2025q1.parquet"
    first, second = load_texts(path), load_texts(path)

    assert [text.id for text in first] == [text.id for text in second]
    assert len({text.id for text in first}) == len(first)


def test_posts_use_their_text_as_headline_and_the_file_as_source(shared_data: Path) -> None:
    items = load_texts(shared_data / "text" / "tweets_2014_2015h1.parquet", symbols=["GOOG"])

    assert {text.symbol for text in items} == {"GOOG"}
    assert {text.source for text in items} == {"tweets_2014_2015h1"}
    assert all(text.headline for text in items)


def test_only_dated_texts_beside_the_daily_folder_are_found(shared_data: Path, tmp_path: Path) -> None:
    found = find_text_files(shared_data / "daily" / "dow_daily_2024_12_2025_03.parquet")

    assert [path.name for path in found] == ["news_2025q1.parquet", "tweets_2014_2015h1.parquet"]
    assert find_text_files(tmp_path / "rows.csv") == ()


def test_a_data_set_takes_texts_of_its_symbols_and_time_only(recorded: LoadRecorded) -> None:
    loaded = recorded("daily/dow_daily_2024_12_2025_03.parquet")

    assert len(loaded.texts) > 600
    assert {text.source for text in loaded.texts}.isdisjoint({"tweets_2014_2015h1"})
    assert {text.symbol for text in loaded.texts} <= set(loaded.panel.symbols)


def test_a_text_file_can_be_named(tmp_path: Path) -> None:
    prices, texts = tmp_path / "rows.csv", tmp_path / "words.parquet"
    prices.write_text("symbol,date,close\nAAA,2020-01-02,10\n")
    _write(texts, ts=pd.to_datetime(["2020-01-02T15:00:00Z", "2020-01-02T23:00:00Z"]))

    assert [text.headline for text in load_file(prices, texts_path=texts).texts] == ["one"]


def test_an_item_repeated_in_the_same_instant_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "words.parquet"
    _write(path, ts=pd.to_datetime(["2020-01-02T15:00:00Z"] * 2), headline=["same", "same"])

    assert len(load_texts(path)) == 1


def test_times_without_a_zone_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "words.parquet"
    _write(path, ts=pd.to_datetime(["2020-01-02T15:00", "2020-01-02T16:00"]))

    with pytest.raises(DataFileError, match=r"words\.parquet.*without a time zone") as caught:
        load_texts(path)

    assert caught.value.reason == "wrong_zone"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ts": pd.to_datetime(["2020-01-02T15:00:00Z", None])}, "missing_time"),
        ({"headline": ["one", None]}, "missing_text"),
        ({"headline": ["one", " \u200b "]}, "missing_text"),
        ({"symbol": ["AAA", None]}, "bad_symbol"),
        ({"symbol": ["AAA", "buy it now"]}, "bad_symbol"),
        ({"symbol": ["AAA", "\u0410AA"]}, "look_alike"),
        ({"id": ["1", "1"]}, "duplicate_id"),
    ],
)
def test_a_doubtful_row_is_left_out_and_named_and_the_rest_is_read(
    changes: dict[str, list[str]], code: str, tmp_path: Path
) -> None:
    path = tmp_path / "words.parquet"
    _write(path, **changes)

    for symbols in (None, ["AAA"]):
        read = read_text_file(path, symbols)

        assert [text.headline for text in read.items] == ["one"]
        assert (code, 2) in [(item.code, item.row) for item in read.findings]


def test_marks_that_nobody_sees_are_taken_out_and_named(tmp_path: Path) -> None:
    path = tmp_path / "words.parquet"
    _write(path, headline=["pro\u200bfit \u202eup\u202c", "two\x00\x1b[31m three\nfour"])

    read = read_text_file(path)

    assert [text.headline for text in read.items] == ["profit up", "two [31m three four"]
    assert [(item.code, item.row) for item in read.findings] == [("control", 2), ("hidden", 1)]


def test_a_text_of_twenty_million_characters_is_cut_and_named(tmp_path: Path) -> None:
    path = tmp_path / "words.parquet"
    _write(path, headline=["x" * 20_000_000, "two"], summary=["y\u202e" * 5_000_000, "z"])

    read = read_text_file(path)

    assert {len(text.headline) for text in read.items} == {500, 3}
    assert max(len(text.body) for text in read.items) == 4_000
    assert [item.code for item in read.findings] == ["hidden", "too_long"]


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=600))
def test_a_cleaned_text_has_one_line_of_visible_characters_within_the_bound(text: str) -> None:
    cleaned, _ = clean_text(text, 100)

    assert len(cleaned) <= 100
    assert "\n" not in cleaned
    assert not {unicodedata.category(char) for char in cleaned} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert clean_text(cleaned, 100)[0] == cleaned.strip()


def test_a_tweet_after_the_close_belongs_to_the_next_session(tmp_path: Path) -> None:
    # 2020-01-02 closes at 16:00 in New York, 21:00 UTC.
    prices, texts = tmp_path / "rows.csv", tmp_path / "words.parquet"
    prices.write_text("symbol,date,close\nAAA,2020-01-02,10\nAAA,2020-01-03,11\n")
    _write(texts, ts=pd.to_datetime(["2020-01-02T21:00:00Z", "2020-01-02T21:00:01Z"]))
    history = load_file(prices, texts_path=texts).history()

    known = [
        [text.headline for text in history.as_of(history.close_time(day)).texts()] for day in history.sessions_between()
    ]

    assert known == [["one"], ["one", "two"]]


def test_a_file_without_text_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "words.parquet"
    pd.DataFrame({"text": ["one"], "label": [1]}).to_parquet(path)

    with pytest.raises(DataFileError, match="needs ts, symbol, and one of headline or text"):
        load_texts(path)
    path.write_bytes(b"")
    with pytest.raises(DataFileError, match="not a readable Parquet file"):
        load_texts(path)


def _write(path: Path, **changes: object) -> None:
    columns = {
        "ts": pd.to_datetime(["2020-01-02T15:00:00Z", "2020-01-02T16:00:00Z"]),
        "symbol": ["AAA", "AAA"],
        "headline": ["one", "two"],
    }
    pd.DataFrame({**columns, **changes}).to_parquet(path)
