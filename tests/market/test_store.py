"""Imports: what is stored loads as its file does, repairs are told, and a refused file leaves the store as it was."""

import hashlib
import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.market import TextItem
from parley.market.cards import DataSet
from parley.market.datasets import load_data
from parley.market.errors import DataFileError, NameTaken, UnknownDataSet, UnknownSymbol
from parley.market.files import load_file
from parley.market.store import book_store, import_file, load_stored, stored_cards
from parley.storage.errors import StoreCorrupt, StoreMissing, StoreRefused
from parley.storage.series import SeriesStore

WriteCsv = Callable[[str], Path]
LoadRecorded = Callable[[str], DataSet]

DAILY = """symbol,date,open,high,low,close,adj_close,volume,sector
AAA,2020-01-02,10.0,10.5,9.9,10.2,5.1,1000,Energy
AAA,2020-01-03,10.2,10.4,10.1,10.3,5.15,1100,Energy
BBB,2020-01-03,50.0,51.0,49.5,50.5,50.5,200,
"""
SHUFFLED = """symbol,date,close,volume
BBB,2020-01-03,50.5,7
AAA,2020-01-06,10.4,7
AAA,2020-01-02,10.2,7
AAA,2020-01-02,10.2,7
BBB,2020-01-06,50.6,7
AAA,2020-01-03,10.3,7
AAA,2020-01-02,10.2,7
"""
SORTED = """symbol,date,close,volume
AAA,2020-01-02,10.2,7
AAA,2020-01-03,10.3,7
AAA,2020-01-06,10.4,7
BBB,2020-01-03,50.5,7
BBB,2020-01-06,50.6,7
"""
TICKS = """symbol,ts,event,price,size,bid,ask,bid_size,ask_size,exchange
AAA,2020-01-02T09:30:01-05:00,quote,,,9.99,,300,,Q
AAA,2020-01-02T09:30:03-05:00,trade,10.00,100,,,,,N
AAA,2020-01-02T09:30:02-05:00,quote,,,,10.01,,200,
AAA,2020-01-02T09:30:03-05:00,trade,10.00,100,,,,,N
"""


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return tmp_path / "book"


@pytest.fixture
def store(book: Path) -> SeriesStore:
    return book_store(book)


def in_order(items: tuple[TextItem, ...]) -> list[TextItem]:
    return sorted(items, key=lambda item: (item.available_at, item.id))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("daily/dow_daily_2024_12_2025_03", 556),
        ("daily/etf_equity_daily_1998_2018", 48_512),
        ("daily/us88_daily_ohlcv_2012_2016h1", 60_414),
        ("intraday/us_minute_trade_quote_2013", 7_930),
        ("intraday/us_second_trade_quote_20131007", 111_835),
        ("intraday/us_tick_ibm_20131007", 133_360),
    ],
)
def test_every_recorded_file_loads_from_the_store_as_it_loads_itself(
    name: str, rows: int, recorded: LoadRecorded, shared_data: Path, store: SeriesStore
) -> None:
    path = shared_data / f"{name}.parquet"
    expected = recorded(f"{name}.parquet")

    report = import_file(store, path, "mine")
    found = load_data("mine", store)

    assert found.panel.fingerprint() == expected.panel.fingerprint()
    assert found.universe.instruments == expected.universe.instruments
    assert in_order(found.texts) == in_order(expected.texts)
    assert {item.name: item.rows for item in store.tables("mine")} == (
        {"rows": rows} | ({"texts": len(expected.texts)} if expected.texts else {})
    )
    assert (report.stored.rows, report.texts, report.repairs) == (rows, len(expected.texts), ())
    assert report.stored.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (found.recorded is None) == (expected.recorded is None)
    last = found.card.last_session
    for symbol in found.panel.symbols:
        assert list(found.recorded_quotes(symbol, last)) == list(expected.recorded_quotes(symbol, last))


def test_a_csv_with_adjustment_and_sectors_loads_the_same_after_its_file_is_gone(
    write_csv: WriteCsv, store: SeriesStore
) -> None:
    path = write_csv(DAILY)
    expected = load_file(path)

    report = import_file(store, path, "mine")
    path.unlink()
    found = load_data("mine", store)

    assert found.panel.fingerprint() == expected.panel.fingerprint()
    assert found.panel.close[:, 0].tolist() == [5.1, 5.15]
    assert [item.sector for item in found.universe.instruments] == ["Energy", "unclassified"]
    assert (found.card.name, found.universe.name, found.card.adjusted) == ("mine", "mine", True)
    assert (found.card.first_session, found.card.last_session) == (date(2020, 1, 2), date(2020, 1, 3))
    assert found.card.source == f"rows.csv, SHA-256 {report.stored.sha256[:16]}"
    assert not report.is_replacement


def test_doubts_that_refuse_nothing_are_reported_and_counted_on_the_card(
    write_csv: WriteCsv, store: SeriesStore
) -> None:
    report = import_file(store, write_csv(DAILY), "mine")

    # BBB starts a session after AAA.
    assert [(item.code, item.symbol) for item in report.findings] == [("ragged", "BBB")]
    assert report.stored.findings == {"ragged": 1}


def test_the_stored_rows_are_those_of_the_file_before_adjustment(write_csv: WriteCsv, store: SeriesStore) -> None:
    import_file(store, write_csv(DAILY), "mine")

    rows = store.read("mine", symbols=["AAA"]).tables["rows"]

    assert rows["session"].astype(str).tolist() == ["2020-01-02", "2020-01-03"]
    assert (rows["close"].tolist(), rows["adj_close"].tolist()) == ([10.2, 10.3], [5.1, 5.15])
    assert rows["sector"].tolist() == ["Energy", "Energy"]


def test_the_card_beside_the_rows_names_the_file_and_no_folder(
    write_csv: WriteCsv, book: Path, store: SeriesStore
) -> None:
    path = write_csv(DAILY)
    import_file(store, path, "mine")

    text = (book / "data" / "mine" / "card.json").read_text()
    card = json.loads(text)["card"]

    assert (card["file"], card["rows"], card["kind"], card["version"]) == ("rows.csv", 3, "daily", 1)
    assert card["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [item["symbol"] for item in card["universe"]["instruments"]] == ["AAA", "BBB"]
    assert (card["card"]["first_session"], card["card"]["last_session"]) == ("2020-01-02", "2020-01-03")
    assert str(path.parent) not in text


def test_a_benchmark_and_another_exchange_are_kept(write_csv: WriteCsv, store: SeriesStore) -> None:
    # 2020-01-20 was a holiday in New York and a session in London.
    path = write_csv("symbol,date,close\nAAA,2020-01-20,10.0\nBBB,2020-01-20,11.0\n")

    import_file(store, path, "london", benchmark="BBB", calendar="XLON")
    found = load_stored(store, "london")

    assert found.panel.fingerprint() == load_file(path, benchmark="BBB", calendar="XLON").panel.fingerprint()
    assert (found.panel.calendar, found.universe.benchmark) == ("XLON", "BBB")


def test_a_session_that_begins_on_the_day_before_in_utc_keeps_its_day(write_csv: WriteCsv, store: SeriesStore) -> None:
    # Sydney opens at 10:00, which in January is 23:00 UTC of the day before: here a Sunday.
    rows = "AAA,2020-01-06T10:00:00+11:00,1.0,5\nAAA,2020-01-06T15:59:00+11:00,2.0,7\n"
    path = write_csv(f"symbol,ts,close,volume\n{rows}")

    import_file(store, path, "sydney", calendar="XASX")
    found = load_stored(store, "sydney")

    assert found.panel.fingerprint() == load_file(path, calendar="XASX").panel.fingerprint()
    assert found.panel.sessions.tolist() == [date(2020, 1, 6)]
    assert found.panel.volume is not None and found.panel.volume.tolist() == [[12.0]]


def test_named_tables_of_sectors_and_texts_are_stored(write_csv: WriteCsv, tmp_path: Path, store: SeriesStore) -> None:
    sectors = tmp_path / "elsewhere.csv"
    sectors.write_text("symbol,sector,asset_class\nAAA,Bonds,bond\n")
    texts = tmp_path / "texts.parquet"
    stamps = pd.to_datetime(
        ["2020-01-02T15:00:00.000001Z", "2020-01-02T12:00:00Z", "2020-03-01T12:00:00Z"], format="ISO8601"
    )
    pd.DataFrame({"ts": stamps, "symbol": "AAA", "headline": ["late ☂", "early", "after the end"]}).to_parquet(texts)
    path = write_csv(DAILY)

    import_file(store, path, "mine", symbols_path=sectors, texts_path=texts)
    found = load_stored(store, "mine")

    assert found.universe.instruments == load_file(path, symbols_path=sectors).universe.instruments
    assert in_order(found.texts) == in_order(load_file(path, texts_path=texts).texts)
    assert [item.headline for item in in_order(found.texts)] == ["early", "late ☂"]


def test_sorting_puts_rows_in_order_drops_exact_repeats_and_tells_each(write_csv: WriteCsv, store: SeriesStore) -> None:
    report = import_file(store, write_csv(SHUFFLED), "mine", sort=True)
    expected = load_file(write_csv(SORTED))

    assert load_stored(store, "mine").panel.fingerprint() == expected.panel.fingerprint()
    assert [(item.code, item.symbol, item.row) for item in report.repairs] == [
        ("duplicate", "AAA", 4),
        ("duplicate", "AAA", 7),
        ("unsorted", "AAA", 3),
        ("unsorted", "AAA", 7),
    ]
    assert report.repairs[0].text == "repeats row 3 in every column: dropped."
    assert report.stored.rows == 5
    assert report.stored.repairs == {"duplicate": 2, "unsorted": 2}
    assert report.stored.card.notes == (
        "2 rows were out of order in the file and were sorted when it was imported",
        "2 rows were exact repeats and were dropped when it was imported",
    )


def test_sorting_changes_nothing_in_a_file_that_is_in_order(write_csv: WriteCsv, store: SeriesStore) -> None:
    plain = import_file(store, write_csv(SORTED), "plain")
    asked = import_file(store, write_csv(SORTED), "asked", sort=True)

    assert asked.repairs == () and asked.stored.card.notes == plain.stored.card.notes
    assert store.read("asked").tables["rows"]["close"].tolist() == store.read("plain").tables["rows"]["close"].tolist()


def test_ticks_are_sorted_and_two_equal_prints_stay_two_trades(write_csv: WriteCsv, store: SeriesStore) -> None:
    report = import_file(store, write_csv(TICKS), "ticks", sort=True)
    found = load_stored(store, "ticks")

    assert [(item.code, item.row) for item in report.repairs] == [("unsorted", 3)]
    assert found.panel.volume is not None and found.panel.volume.tolist() == [[200.0]]
    assert [str(quote.ask) for quote in found.recorded_quotes("AAA", date(2020, 1, 2))] == ["10.01"]


def test_a_row_that_differs_in_a_missing_value_is_no_repeat(write_csv: WriteCsv, store: SeriesStore) -> None:
    minute = "AAA,2020-01-02T09:30:00-05:00,10.0"
    header = "symbol,ts,close,bid,ask,bid_size,ask_size"
    path = write_csv(f"{header}\n{minute},,,,\n{minute},9.99,10.01,300,200\n")

    with pytest.raises(DataFileError, match="row 2"):
        import_file(store, path, "mine", sort=True)

    same = import_file(store, write_csv(f"{header}\n{minute},,,,\n{minute},,,,\n"), "mine", sort=True)
    assert [(item.code, item.row) for item in same.repairs] == [("duplicate", 2)]


def test_a_repeat_with_a_word_for_a_number_is_not_dropped_in_silence(write_csv: WriteCsv, store: SeriesStore) -> None:
    minute = "AAA,2020-01-02T09:30:00-05:00,10.0"
    path = write_csv(f"symbol,ts,close,bid,ask\n{minute},,\n{minute},abc,\n")

    with pytest.raises(DataFileError) as caught:
        import_file(store, path, "mine", sort=True)

    assert (caught.value.reason, caught.value.row) == ("wrong_type", 2)


BAD = {
    "missing_column": ("symbol,date,price_of_day\nAAA,2020-01-02,1\n", None),
    "no_rows": ("symbol,date,close\n", None),
    "nan_price": ("symbol,date,close\nAAA,2020-01-02,1\nAAA,2020-01-03,NaN\n", 2),
    "non_positive": ("symbol,date,close\nAAA,2020-01-02,1\nAAA,2020-01-03,0\n", 2),
    "duplicate": ("symbol,date,close\nAAA,2020-01-02,1\nBBB,2020-01-02,1\nAAA,2020-01-02,2\n", 3),
    "wrong_zone": ("symbol,ts,close\nAAA,2020-01-02T14:31:00Z,1\n", 1),
    "not_a_session": ("symbol,date,close\nAAA,2020-01-03,1\nAAA,2020-01-04,1\n", 2),
    "wrong_type": ("symbol,date,close\nAAA,2020-01-02,1\nAAA,2020-01-03,ten\n", 2),
    "bad_symbol": ("symbol,date,close\nAAA,2020-01-02,1\naaa,2020-01-02,1\n", 2),
    "repeated_column": ("symbol,date,close,Close\nAAA,2020-01-02,1,1\n", None),
}


@pytest.mark.parametrize("sort", [False, True])
@pytest.mark.parametrize("reason", BAD)
def test_a_bad_file_is_refused_with_row_and_remedy_and_the_store_stays_as_it_was(
    reason: str, sort: bool, write_csv: WriteCsv, book: Path, store: SeriesStore
) -> None:
    text, row = BAD[reason]
    import_file(store, write_csv(SORTED), "mine")
    before = contents(book)

    with pytest.raises(DataFileError) as caught:
        import_file(store, write_csv(text), "mine", sort=sort)

    assert (caught.value.reason, caught.value.row) == (reason, row)
    assert "rows.csv" in caught.value.message and caught.value.remedy
    assert contents(book) == before


@pytest.mark.parametrize(
    ("text", "reason"),
    [(SHUFFLED, "unsorted"), ("symbol,date,close\nAAA,2020-01-02,1\nAAA,2020-01-02,1\n", "duplicate")],
)
def test_without_sorting_the_refusal_names_the_option_and_makes_no_book(
    text: str, reason: str, write_csv: WriteCsv, book: Path, store: SeriesStore
) -> None:
    with pytest.raises(DataFileError, match="row") as caught:
        import_file(store, write_csv(text), "mine")

    assert caught.value.reason == reason
    assert "parley data import --sort" in caught.value.remedy
    assert not book.exists()


def test_a_bad_file_beside_a_good_one_is_refused_before_anything_is_written(
    write_csv: WriteCsv, tmp_path: Path, book: Path, store: SeriesStore
) -> None:
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"not parquet")
    path = write_csv(SORTED)

    with pytest.raises(DataFileError, match="broken"):
        import_file(store, path, "mine", texts_path=broken)
    with pytest.raises(DataFileError, match="absent"):
        import_file(store, path, "mine", symbols_path=tmp_path / "absent.csv")
    with pytest.raises(UnknownSymbol):
        import_file(store, path, "mine", benchmark="SPY")
    with pytest.raises(DataFileError, match="cannot be read"):
        import_file(store, broken, "mine")

    assert not book.exists()


@pytest.mark.parametrize("name", ["../mine", "Mine", "a.csv", ""])
def test_a_name_that_is_no_name_is_refused_before_the_file_is_read(
    name: str, tmp_path: Path, book: Path, store: SeriesStore
) -> None:
    with pytest.raises(StoreRefused, match="cannot be the name"):
        import_file(store, tmp_path / "absent.csv", name)

    assert not book.exists()


@pytest.mark.parametrize("name", ["us20", "us5", "sp500"])
def test_the_name_of_a_built_in_set_is_taken(name: str, write_csv: WriteCsv, book: Path, store: SeriesStore) -> None:
    with pytest.raises(NameTaken, match=name):
        import_file(store, write_csv(SORTED), name)

    assert not book.exists()


def test_a_second_import_replaces_the_first_and_says_so(write_csv: WriteCsv, store: SeriesStore) -> None:
    import_file(store, write_csv(SORTED), "mine")

    report = import_file(store, write_csv(DAILY), "mine")

    assert report.is_replacement
    assert load_stored(store, "mine").panel.close[:, 0].tolist() == [5.1, 5.15]


def test_a_name_is_looked_up_among_built_in_then_imported_then_files(
    write_csv: WriteCsv, store: SeriesStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import_file(store, write_csv(DAILY), "mine")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "us5").write_text(SORTED)
    (tmp_path / "mine").write_text(SORTED)

    assert load_data("us5", store).card.source.startswith("bokeh-sampledata")
    assert load_data("mine", store).card.adjusted
    assert not load_data("mine").card.adjusted
    assert not load_data(str(tmp_path / "mine"), store).card.adjusted


def test_an_unknown_name_is_refused_with_the_imported_names_too(write_csv: WriteCsv, store: SeriesStore) -> None:
    import_file(store, write_csv(DAILY), "mine")

    with pytest.raises(UnknownDataSet, match=r"us20, us5, sp500, .*mine"):
        load_data("other", store)
    with pytest.raises(UnknownDataSet, match="us20, us5, sp500"):
        load_data("../mine", book_store(Path("absent")))
    with pytest.raises(StoreMissing, match="mine"):
        load_stored(store, "other")


def test_the_cards_of_all_imports_are_listed_by_name(write_csv: WriteCsv, store: SeriesStore) -> None:
    assert stored_cards(store) == ()
    for name in ("b", "a"):
        import_file(store, write_csv(DAILY), name)

    assert [card.name for card in stored_cards(store)] == ["a", "b"]
    assert stored_cards(store)[0] == load_stored(store, "a").card


def test_a_card_of_another_form_is_corrupt_and_says_how_to_mend_it(write_csv: WriteCsv, store: SeriesStore) -> None:
    import_file(store, write_csv(DAILY), "mine")
    store.write("mine", store.read("mine").tables, {**store.card("mine"), "version": 2})

    with pytest.raises(StoreCorrupt, match="version") as caught:
        load_stored(store, "mine")

    assert "parley data import PATH --name mine" in caught.value.remedy


SESSIONS = [date(2020, 1, 2) + timedelta(days=days) for days in (0, 1, 4, 5, 6, 7, 8, 11, 12, 13)]


@settings(max_examples=20, deadline=None)
@given(
    cells=st.dictionaries(
        st.tuples(st.sampled_from(["AAA", "BRK.B", "0X"]), st.sampled_from(SESSIONS)),
        st.tuples(st.floats(1e-3, 1e6), st.floats(0, 1e12), st.floats(0.01, 100)),
        min_size=1,
        max_size=20,
    ),
    seed=st.integers(0, 2**32 - 1),
    with_repeats=st.booleans(),
)
def test_any_panel_survives_the_store_and_any_shuffle_of_it_is_sorted_back(
    cells: dict[tuple[str, date], tuple[float, float, float]],
    seed: int,
    with_repeats: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("any")
    rows = pd.DataFrame(
        [(*key, *values) for key, values in sorted(cells.items())],
        columns=["symbol", "date", "close", "volume", "adj_factor"],
    )
    rows.to_parquet(folder / "rows.parquet")
    repeated = pd.concat([rows, rows.head(2)]) if with_repeats else rows
    shuffled = repeated.iloc[np.random.default_rng(seed).permutation(len(repeated))]
    shuffled.to_parquet(folder / "shuffled.parquet")
    store = book_store(folder / "book")
    expected = load_file(folder / "rows.parquet").panel.fingerprint()

    import_file(store, folder / "rows.parquet", "plain")
    report = import_file(store, folder / "shuffled.parquet", "shuffled", sort=True)

    assert load_stored(store, "plain").panel.fingerprint() == expected
    assert load_stored(store, "shuffled").panel.fingerprint() == expected
    assert report.stored.rows == len(rows)
    dropped = sum(item.code == "duplicate" for item in report.repairs)
    assert dropped == (min(2, len(rows)) if with_repeats else 0)
