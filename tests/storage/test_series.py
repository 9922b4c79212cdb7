"""The series port: one contract over its adapters, and what the Parquet files promise on their own."""

import json
import os
import signal
import tempfile
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.storage.errors import StoreCorrupt, StoreError, StoreLocked, StoreMissing, StoreRefused, StoreUnwritable
from parley.storage.parquet import ParquetSeriesStore
from parley.storage.series import Card, Column, Columns, Series, SeriesStore, TableInfo, check_name

NOBODY = 65534
HOSTILE = ["../x", "/etc/x", "..", ".", "", "a/b", "a\\b", "A", "x.parquet", "name ", "é", "a" * 65, "-a", "a\x00"]


class MemorySeriesStore:
    """The port on a dictionary: shows that the contract asks for nothing that only files can do."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[dict[str, Columns], str]] = {}

    def write(self, name: str, tables: Mapping[str, Columns], card: Card) -> None:
        check_name(name)
        for columns in tables.values():
            if len({len(values) for values in columns.values()}) != 1 or "symbol" not in columns:
                raise StoreRefused("columns that are no table")
        self._kept[name] = dict(tables), json.dumps(dict(card))

    def read(
        self,
        name: str,
        *,
        symbols: Collection[str] | None = None,
        start: np.datetime64 | None = None,
        end: np.datetime64 | None = None,
    ) -> Series:
        tables, card = self._found(name)
        return Series(json.loads(card), {key: _chosen(item, symbols, start, end) for key, item in tables.items()})

    def card(self, name: str) -> Card:
        return json.loads(self._found(name)[1])

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._kept))

    def tables(self, name: str) -> tuple[TableInfo, ...]:
        found = []
        for table, columns in self._found(name)[0].items():
            times = columns[_time_of(columns)]
            found.append(TableInfo(table, len(times), times.min(), times.max()))
        return tuple(found)

    def delete(self, name: str) -> None:
        self._found(name)
        del self._kept[name]

    def _found(self, name: str) -> tuple[dict[str, Columns], str]:
        check_name(name)
        if name not in self._kept:
            raise StoreMissing(f"nothing is stored as {name!r}", remedy="Write it first.")
        return self._kept[name]


def _time_of(columns: Collection[str]) -> str:
    return "session" if "session" in columns else "ts"


def _chosen(
    columns: Columns, symbols: Collection[str] | None, start: np.datetime64 | None, end: np.datetime64 | None
) -> dict[str, Column]:
    """The contract in numpy: the rows wanted, by symbol and time, and by place among equals."""
    times = columns[_time_of(columns)]
    wanted = np.ones(len(times), dtype=bool)
    if symbols is not None:
        wanted &= np.array([item in symbols for item in columns["symbol"].tolist()])
    if start is not None:
        wanted &= times >= start
    if end is not None:
        wanted &= times <= end
    keys = list(zip(columns["symbol"].tolist(), times.tolist(), strict=True))
    order = [row for row in sorted(range(len(keys)), key=keys.__getitem__) if wanted[row]]
    return {name: values[order] for name, values in columns.items()}


def bars(closes: list[float], symbol: str = "AAA") -> dict[str, Column]:
    days = np.datetime64("2020-01-02", "D") + np.arange(len(closes))
    return {"symbol": np.array([symbol] * len(closes), dtype=object), "session": days, "close": np.array(closes)}


def assert_same(found: Mapping[str, Column], expected: Mapping[str, Column]) -> None:
    assert list(found) == list(expected)
    for name, values in expected.items():
        assert found[name].dtype.kind == values.dtype.kind, name
        np.testing.assert_array_equal(found[name], values, err_msg=name)


@pytest.fixture(params=["files", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SeriesStore:
    return ParquetSeriesStore(tmp_path / "data") if request.param == "files" else MemorySeriesStore()


class TestSeriesStoreContract:
    """What every adapter of the port promises."""

    def test_rows_come_back_by_symbol_and_time_and_equal_ones_as_written(self, store: SeriesStore) -> None:
        ts = np.array(["2020-01-03T10:00:00.000001", "2020-01-02", "2020-01-02"], dtype="datetime64[us]")
        symbols = np.array(["B", "A", "A"], dtype=object)
        sizes = np.array([1, -(2**53), 2**53])

        store.write("ticks", {"rows": {"symbol": symbols, "ts": ts, "size": sizes}}, {})
        found = store.read("ticks").tables["rows"]

        assert found["symbol"].tolist() == ["A", "A", "B"]
        assert found["size"].tolist() == [-(2**53), 2**53, 1]
        assert found["ts"].astype("datetime64[us]").tolist() == ts[[1, 2, 0]].tolist()

    def test_values_that_are_absent_or_odd_come_back_as_they_were(self, store: SeriesStore) -> None:
        rows = bars([0.1, np.nan, 1e-308, np.inf])
        rows["sector"] = np.array([None, "", "naïve ☂ 'quoted' \"twice\"", "NULL"], dtype=object)
        rows["event"] = np.array([None] * 4, dtype=object)

        store.write("odd", {"rows": rows}, {})

        assert_same(store.read("odd").tables["rows"], rows)

    def test_a_text_column_may_begin_with_thousands_of_absent_values(self, store: SeriesStore) -> None:
        rows = bars([1.0] * 5000)
        rows["sector"] = np.array([None] * 4999 + ["7"], dtype=object)

        store.write("late", {"rows": rows}, {})

        assert store.read("late").tables["rows"]["sector"].tolist()[-2:] == [None, "7"]

    def test_symbols_and_both_ends_of_the_range_are_included(self, store: SeriesStore) -> None:
        two = {name: np.r_[values, bars([5.0, 6.0, 7.0], "B")[name]] for name, values in bars([1.0, 2.0, 3.0]).items()}
        store.write("two", {"rows": two}, {})

        day = np.datetime64("2020-01-03", "D")

        assert store.read("two", symbols=["B"]).tables["rows"]["close"].tolist() == [5.0, 6.0, 7.0]
        assert store.read("two", start=day).tables["rows"]["close"].tolist() == [2.0, 3.0, 6.0, 7.0]
        assert store.read("two", symbols={"AAA"}, end=day).tables["rows"]["close"].tolist() == [1.0, 2.0]
        assert store.read("two", symbols=["AAA", "B"], start=day, end=day).tables["rows"]["close"].tolist() == [
            2.0,
            6.0,
        ]

    @pytest.mark.parametrize("symbols", [[], ["ZZZ"], ["' OR 1=1 --"]])
    def test_a_question_without_rows_has_an_empty_answer_of_the_same_kinds(
        self, symbols: list[str], store: SeriesStore
    ) -> None:
        store.write("one", {"rows": bars([1.0])}, {})

        found = store.read("one", symbols=symbols).tables["rows"]

        assert {name: (len(values), values.dtype.kind) for name, values in found.items()} == {
            "symbol": (0, "O"),
            "session": (0, "M"),
            "close": (0, "f"),
        }

    def test_the_card_and_every_table_are_kept_together(self, store: SeriesStore) -> None:
        card: Card = {"file": "a.csv", "rows": 2, "notes": ["x", None, {"deep": 1.5}]}

        store.write("both", {"rows": bars([1.0, 2.0]), "texts": bars([3.0])}, card)
        read = store.read("both")

        assert store.card("both") == read.card == card
        assert set(read.tables) == {"rows", "texts"}
        assert [(item.name, item.rows, str(item.first), str(item.last)) for item in store.tables("both")] == [
            ("rows", 2, "2020-01-02", "2020-01-03"),
            ("texts", 1, "2020-01-02", "2020-01-02"),
        ]

    def test_a_write_replaces_all_that_had_the_name(self, store: SeriesStore) -> None:
        store.write("one", {"rows": bars([1.0, 2.0]), "texts": bars([3.0])}, {"version": 1})

        store.write("one", {"rows": bars([9.0])}, {"version": 2})
        read = store.read("one")

        assert (list(read.tables), read.tables["rows"]["close"].tolist()) == (["rows"], [9.0])
        assert store.card("one") == {"version": 2}

    def test_names_are_listed_in_order_and_go_when_deleted(self, store: SeriesStore) -> None:
        assert store.names() == ()
        for name in ("us_5", "a-b", "0"):
            store.write(name, {"rows": bars([1.0])}, {})
        assert store.names() == ("0", "a-b", "us_5")

        store.delete("a-b")

        assert store.names() == ("0", "us_5")
        with pytest.raises(StoreMissing, match="a-b"):
            store.read("a-b")

    def test_an_unknown_name_is_missing_and_the_error_says_what_to_do(self, store: SeriesStore) -> None:
        store.write("known", {"rows": bars([1.0])}, {})

        for ask in (store.read, store.card, store.tables, store.delete):
            with pytest.raises(StoreMissing, match="nothing is stored as 'unknown'") as caught:
                ask("unknown")
            assert caught.value.remedy

    @pytest.mark.parametrize("name", HOSTILE)
    def test_a_hostile_name_is_refused_by_every_method(self, name: str, store: SeriesStore) -> None:
        for ask in (store.read, store.card, store.tables, store.delete):
            with pytest.raises(StoreRefused, match="cannot be the name"):
                ask(name)
        with pytest.raises(StoreRefused, match="cannot be the name"):
            store.write(name, {"rows": bars([1.0])}, {})

        assert store.names() == ()

    def test_columns_that_are_no_table_are_refused_and_the_old_version_stays(self, store: SeriesStore) -> None:
        store.write("one", {"rows": bars([1.0])}, {"version": 1})

        for wrong in (bars([1.0]) | {"close": np.array([1.0, 2.0])}, {"close": np.array([1.0])}):
            with pytest.raises(StoreRefused):
                store.write("one", {"rows": wrong}, {"version": 2})

        assert store.card("one") == {"version": 1}
        assert store.read("one").tables["rows"]["close"].tolist() == [1.0]


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["A", "B", "BRK.B", "^X"]),
            st.datetimes(min_value=datetime(1950, 1, 1), max_value=datetime(2150, 1, 1)),
            st.floats(width=64),
            st.none() | st.text(max_size=8),
        ),
        min_size=1,
        max_size=12,
    ),
    symbols=st.none() | st.sets(st.sampled_from(["A", "B", "C", "^X"])),
    bounds=st.tuples(st.integers(0, 11), st.integers(0, 11)),
)
def test_what_the_files_answer_is_what_numpy_selects(
    rows: list[tuple[str, object, float, str | None]],
    symbols: set[str] | None,
    bounds: tuple[int, int],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    names, moments, numbers, words = (list(column) for column in zip(*rows, strict=True))
    columns: dict[str, Column] = {
        "symbol": np.array(names, dtype=object),
        "ts": np.array(moments, dtype="datetime64[us]"),
        "price": np.array(numbers),
        "event": np.array(words, dtype=object),
    }
    start, end = (columns["ts"][index % len(rows)] for index in bounds)
    store = ParquetSeriesStore(tmp_path_factory.mktemp("data"))

    store.write("any", {"rows": columns}, {})

    assert_same(store.read("any").tables["rows"], _chosen(columns, None, None, None))
    found = store.read("any", symbols=symbols, start=start, end=end).tables["rows"]
    assert_same(found, _chosen(columns, symbols, start, end))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"close": np.array([np.float32(1.0)])}, "column close"),
        ({"symbol": np.array([None], dtype=object)}, "column symbol"),
        ({"symbol": np.array([1.0])}, "column symbol"),
        ({"sector": np.array([1], dtype=object)}, "column sector"),
        ({"session": np.array(["NaT"], dtype="datetime64[D]")}, "column session"),
        ({"session": np.array(["2020-01-02T10:00"], dtype="datetime64[m]")}, "column session"),
        ({"ts": np.array(["2020-01-02"], dtype="datetime64[us]")}, "one of session or ts"),
        ({'x"; DROP': np.array([1.0])}, "lower-case names"),
        ({"place": np.array([1.0])}, "other than place"),
    ],
)
def test_a_column_the_files_cannot_keep_unchanged_is_refused(
    change: dict[str, Column], message: str, tmp_path: Path
) -> None:
    store = ParquetSeriesStore(tmp_path / "data")

    with pytest.raises(StoreRefused, match=message):
        store.write("one", {"rows": bars([1.0]) | change}, {})

    assert list(tmp_path.iterdir()) == []


def test_an_instant_finer_than_a_microsecond_is_refused(tmp_path: Path) -> None:
    rows = {"symbol": np.array(["A"], dtype=object), "ts": np.array([1], dtype="datetime64[ns]")}

    with pytest.raises(StoreRefused, match="column ts"):
        ParquetSeriesStore(tmp_path).write("one", {"rows": rows}, {})


def test_an_empty_table_and_an_unset_bound_are_refused(tmp_path: Path) -> None:
    store = ParquetSeriesStore(tmp_path)
    store.write("one", {"rows": bars([1.0])}, {})

    with pytest.raises(StoreRefused, match="1 or more"):
        store.write("one", {"rows": bars([])}, {})
    with pytest.raises(StoreRefused, match="NaT"):
        store.read("one", start=np.datetime64("NaT"))


def test_a_folder_with_a_quote_in_its_name_is_fine(tmp_path: Path) -> None:
    store = ParquetSeriesStore(tmp_path / 'it\'s "the" book')

    store.write("one", {"rows": bars([1.0])}, {})

    assert store.read("one").tables["rows"]["close"].tolist() == [1.0]


def test_asking_an_absent_store_makes_nothing(tmp_path: Path) -> None:
    store = ParquetSeriesStore(tmp_path / "absent")

    assert store.names() == ()
    with pytest.raises(StoreMissing, match="nothing yet"):
        store.read("one")

    assert list(tmp_path.iterdir()) == []


def test_a_replaced_series_leaves_two_files_and_a_deleted_one_none(tmp_path: Path) -> None:
    store = ParquetSeriesStore(tmp_path)
    for close in (1.0, 2.0, 2.0):
        store.write("one", {"rows": bars([close])}, {})

    assert len(list((tmp_path / "one").iterdir())) == 2

    store.delete("one")
    assert not (tmp_path / "one").exists()


def _truncate(folder: Path) -> None:
    table = next(folder.glob("*.parquet"))
    table.write_bytes(table.read_bytes()[:-20])


def _flip_a_bit(folder: Path) -> None:
    table = next(folder.glob("*.parquet"))
    content = bytearray(table.read_bytes())
    content[len(content) // 3] ^= 1
    table.write_bytes(content)


def _lose_a_table(folder: Path) -> None:
    next(folder.glob("*.parquet")).unlink()


def _break_the_card(folder: Path) -> None:
    (folder / "card.json").write_bytes(b'{"version": 1, \xff')


def _point_outside(folder: Path) -> None:
    text = (folder / "card.json").read_text()
    name = next(folder.glob("*.parquet")).name
    (folder / "card.json").write_text(text.replace(name, f"../two/{name}"))


@pytest.mark.parametrize("damage", [_truncate, _flip_a_bit, _lose_a_table, _break_the_card, _point_outside])
def test_damage_is_found_and_names_the_remedy_and_other_series_stay_readable(
    damage: Callable[[Path], None], tmp_path: Path
) -> None:
    store = ParquetSeriesStore(tmp_path)
    for name in ("one", "two"):
        store.write(name, {"rows": bars([1.0] * 500)}, {})

    damage(tmp_path / "one")

    with pytest.raises(StoreCorrupt, match="one") as caught:
        store.read("one")
    assert "Import the file again under the name one" in caught.value.remedy
    assert len(store.read("two").tables["rows"]["close"]) == 500

    store.write("one", {"rows": bars([2.0])}, {})
    assert store.read("one").tables["rows"]["close"].tolist() == [2.0]


def test_bytes_that_match_their_digest_and_are_no_parquet_are_corrupt(tmp_path: Path) -> None:
    store = ParquetSeriesStore(tmp_path)
    store.write("one", {"rows": bars([1.0])}, {})
    card = json.loads((tmp_path / "one" / "card.json").read_text())
    card["tables"]["rows"]["columns"].append("volume")
    (tmp_path / "one" / "card.json").write_text(json.dumps(card))

    with pytest.raises(StoreCorrupt, match="volume"):
        store.read("one")


def _in_a_child(work: Callable[[], None]) -> int:
    """Runs work in a child process; its exit status, or the negative signal that ended it."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_folder_without_the_right_to_write_is_unwritable_and_stays_as_it_is(tmp_path: Path) -> None:
    # A test's own folder and its parents are for its user alone, and the child is another.
    top = Path(tempfile.gettempdir())
    for folder in (tmp_path, *tmp_path.parents):
        if top in folder.parents:
            folder.chmod(0o755)
    root = tmp_path / "data"
    root.mkdir(mode=0o555)

    def refused() -> None:
        if os.geteuid() == 0:
            os.setuid(NOBODY)
        with pytest.raises(StoreUnwritable, match="Permission denied") as caught:
            ParquetSeriesStore(root).write("one", {"rows": bars([1.0])}, {})
        assert "--book" in caught.value.remedy

    assert _in_a_child(refused) == 0
    assert list(root.iterdir()) == []


def test_a_root_that_is_a_file_is_unwritable(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("mine")

    with pytest.raises(StoreUnwritable):
        ParquetSeriesStore(tmp_path / "data").write("one", {"rows": bars([1.0])}, {})

    assert (tmp_path / "data").read_text() == "mine"


def test_a_second_writer_is_told_to_wait_and_a_reader_is_not(tmp_path: Path) -> None:
    store = ParquetSeriesStore(tmp_path)
    store.write("one", {"rows": bars([1.0])}, {})
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.fsync = lambda descriptor: (os.write(tell, b"."), signal.pause())
        store.write("one", {"rows": bars([2.0])}, {})
        os._exit(0)
    os.read(ready, 1)
    try:
        with pytest.raises(StoreLocked, match="another process is writing"):
            store.write("two", {"rows": bars([3.0])}, {})
        assert store.read("one").tables["rows"]["close"].tolist() == [1.0]
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(ready)
        os.close(tell)

    store.write("two", {"rows": bars([3.0])}, {})
    assert store.names() == ("one", "two")


@pytest.mark.parametrize(("step", "survivor"), [(1, 1.0), (2, 1.0), (3, 1.0), (4, 2.0)])
def test_a_writer_killed_at_any_step_leaves_one_whole_version(step: int, survivor: float, tmp_path: Path) -> None:
    """Steps are the waits for the disk: table drafted, card drafted, table in place, card in place."""
    store = ParquetSeriesStore(tmp_path)
    store.write("one", {"rows": bars([1.0] * 100)}, {"close": 1.0})

    def write_and_die() -> None:
        steps = iter(range(1, 10))
        os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL) if next(steps) == step else None
        store.write("one", {"rows": bars([2.0] * 100)}, {"close": 2.0})

    assert _in_a_child(write_and_die) == -signal.SIGKILL

    read = store.read("one")
    assert read.card == {"close": survivor}
    assert read.tables["rows"]["close"].tolist() == [survivor] * 100
    store.write("one", {"rows": bars([3.0])}, {})
    assert len(list((tmp_path / "one").iterdir())) == 2


def test_a_reader_that_has_the_old_files_open_reads_them_to_the_end(tmp_path: Path) -> None:
    store = ParquetSeriesStore(tmp_path)
    store.write("one", {"rows": bars([1.0])}, {"version": 1})
    paths = sorted((tmp_path / "one").iterdir())
    before = [path.read_bytes() for path in paths]
    opened = [path.open("rb") for path in paths]

    store.write("one", {"rows": bars([2.0])}, {"version": 2})

    assert [file.read() for file in opened] == before
    for file in opened:
        file.close()


def test_a_first_write_that_is_killed_leaves_no_series(tmp_path: Path) -> None:
    store = ParquetSeriesStore(tmp_path)

    def write_and_die() -> None:
        os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
        store.write("one", {"rows": bars([2.0])}, {})

    assert _in_a_child(write_and_die) == -signal.SIGKILL
    assert store.names() == ()
    with pytest.raises(StoreMissing):
        store.read("one")


def test_a_failed_first_write_leaves_nothing_behind(tmp_path: Path) -> None:
    def write_on_a_full_disk() -> None:
        def full(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        os.fsync = full
        with pytest.raises(StoreUnwritable, match="No space left") as caught:
            ParquetSeriesStore(tmp_path).write("one", {"rows": bars([1.0])}, {})
        assert "Free some space" in caught.value.remedy

    assert _in_a_child(write_on_a_full_disk) == 0
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_readers_beside_a_busy_writer_see_one_whole_version_and_so_they_do_when_it_is_killed(tmp_path: Path) -> None:
    store = ParquetSeriesStore(tmp_path)
    versions = {close: {"rows": bars([close] * 20_000), "texts": bars([close])} for close in (1.0, 2.0)}
    store.write("one", versions[1.0], {"close": 1.0})
    child = os.fork()
    if child == 0:
        while True:
            for close, tables in versions.items():
                store.write("one", tables, {"close": close})
    seen: set[object] = set()
    try:
        while len(seen) < 2:
            seen.add(_whole_version(store))
        while not (tmp_path / "one" / "rows.draft").exists():
            pass
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

    assert _whole_version(store) in versions


def _whole_version(store: SeriesStore) -> object:
    read = store.read("one")
    (close,) = {*read.tables["rows"]["close"].tolist(), *read.tables["texts"]["close"].tolist()}
    assert read.card == {"close": close}
    assert len(read.tables["rows"]["close"]) == 20_000
    return close


def test_every_error_of_the_files_is_a_store_error_with_a_remedy(tmp_path: Path) -> None:
    store = ParquetSeriesStore(tmp_path)
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "card.json").mkdir()

    with pytest.raises(StoreError, match="cannot be read") as caught:
        store.read("one")

    assert caught.value.remedy
