"""The database port: one contract over all adapters, and what the SQLite file promises on its own."""

import os
import signal
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from parley.storage.errors import (
    StoreCorrupt,
    StoreError,
    StoreLocked,
    StoreMissing,
    StoreRefused,
    StoreUnwritable,
)
from parley.storage.sql import Database, Synchronous, open_in_memory, open_sqlite

NOBODY = 65534


@pytest.fixture(params=["file", "memory"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    made = open_sqlite(tmp_path / "some.db") if request.param == "file" else open_in_memory()
    yield made
    made.close()


class TestDatabaseContract:
    """What every adapter of the port promises."""

    def test_rows_come_back_as_they_went_in(self, database: Database) -> None:
        database.execute("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT, size DOUBLE PRECISION)")
        rows = [(1, "naïve ☂\u0000", 0.1), (2, None, -1.0), (2**53, "", 1e300)]

        database.execute_many("INSERT INTO things VALUES (?, ?, ?)", rows)

        assert database.rows("SELECT * FROM things ORDER BY id") == rows
        assert database.rows("SELECT name FROM things WHERE id = ?", (2,)) == [(None,)]

    def test_execute_counts_the_rows_it_changed(self, database: Database) -> None:
        database.execute("CREATE TABLE things (id INTEGER PRIMARY KEY)")
        insert = "INSERT INTO things VALUES (?) ON CONFLICT (id) DO NOTHING"

        assert (database.execute(insert, (1,)), database.execute(insert, (1,))) == (1, 0)

    def test_a_rolled_back_transaction_leaves_nothing(self, database: Database) -> None:
        database.execute("CREATE TABLE things (id INTEGER PRIMARY KEY)")
        database.begin()
        database.execute("INSERT INTO things VALUES (1)")

        database.rollback()

        assert database.rows("SELECT * FROM things") == []

    def test_a_committed_transaction_stays(self, database: Database) -> None:
        database.execute("CREATE TABLE things (id INTEGER PRIMARY KEY)")
        database.begin()
        database.execute("INSERT INTO things VALUES (1)")

        database.commit()
        database.rollback()

        assert database.rows("SELECT * FROM things") == [(1,)]

    def test_a_table_made_in_a_rolled_back_transaction_is_gone(self, database: Database) -> None:
        database.begin()
        database.execute("CREATE TABLE things (id INTEGER PRIMARY KEY)")
        assert "things" in database.tables()

        database.rollback()

        assert "things" not in database.tables()

    def test_an_append_only_table_takes_inserts_and_nothing_else(self, database: Database) -> None:
        database.execute("CREATE TABLE facts (id INTEGER PRIMARY KEY, text TEXT)")
        database.forbid_changes("facts")
        database.forbid_changes("facts")
        database.execute("INSERT INTO facts VALUES (1, 'so it was')")

        for change in ("UPDATE facts SET text = 'or not'", "DELETE FROM facts"):
            with pytest.raises(StoreRefused, match="append-only"):
                database.execute(change)

        assert database.rows("SELECT text FROM facts") == [("so it was",)]

    def test_a_key_used_twice_is_refused(self, database: Database) -> None:
        database.execute("CREATE TABLE things (id INTEGER PRIMARY KEY)")
        database.execute("INSERT INTO things VALUES (1)")

        with pytest.raises(StoreRefused):
            database.execute("INSERT INTO things VALUES (1)")

    def test_wrong_sql_is_a_store_error_with_the_name_of_the_database(self, database: Database) -> None:
        for ask in (database.execute, database.rows):
            with pytest.raises(StoreError, match="nowhere") as caught:
                ask("SELECT * FROM nowhere")
            assert database.name in caught.value.message
            assert caught.value.remedy

    def test_a_sound_database_has_no_damage(self, database: Database) -> None:
        assert database.find_damage() == ""

    def test_closing_twice_is_fine(self, database: Database) -> None:
        database.close()
        database.close()


def test_a_second_writer_in_this_process_is_refused(tmp_path: Path) -> None:
    first = open_sqlite(tmp_path / "some.db")

    with pytest.raises(StoreLocked, match=f"process {os.getpid()} is writing"):
        open_sqlite(tmp_path / "some.db")

    first.close()
    open_sqlite(tmp_path / "some.db").close()


def test_a_writer_in_another_process_locks_until_it_is_killed(tmp_path: Path) -> None:
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        kept = open_sqlite(tmp_path / "some.db")
        os.write(tell, kept.name.encode()[:1])
        signal.pause()
        os._exit(0)
    os.read(ready, 1)
    try:
        with pytest.raises(StoreLocked, match=f"process {child} is writing") as caught:
            open_sqlite(tmp_path / "some.db")
        assert f"Wait for process {child}" in caught.value.remedy
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(ready)
        os.close(tell)

    open_sqlite(tmp_path / "some.db").close()


def test_readers_are_welcome_beside_the_writer(tmp_path: Path) -> None:
    writer = open_sqlite(tmp_path / "some.db")
    writer.execute("CREATE TABLE things (id INTEGER PRIMARY KEY)")
    reader = open_sqlite(tmp_path / "some.db", readonly=True)

    writer.begin()
    writer.execute("INSERT INTO things VALUES (1)")
    assert reader.rows("SELECT * FROM things") == []
    writer.commit()

    assert reader.rows("SELECT * FROM things") == [(1,)]


def test_a_readers_transaction_is_a_stable_snapshot(tmp_path: Path) -> None:
    writer = open_sqlite(tmp_path / "some.db")
    writer.execute("CREATE TABLE things (id INTEGER PRIMARY KEY)")
    reader = open_sqlite(tmp_path / "some.db", readonly=True)
    reader.begin()
    assert reader.rows("SELECT * FROM things") == []

    writer.execute("INSERT INTO things VALUES (1)")

    assert reader.rows("SELECT * FROM things") == []
    reader.rollback()
    assert reader.rows("SELECT * FROM things") == [(1,)]


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    open_sqlite(tmp_path / "some.db").close()
    reader = open_sqlite(tmp_path / "some.db", readonly=True)

    with pytest.raises(StoreUnwritable, match="readonly"):
        reader.execute("CREATE TABLE things (id INTEGER PRIMARY KEY)")


def test_reading_where_nothing_is_creates_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing, match=r"absent\.db: no database there"):
        open_sqlite(tmp_path / "absent.db", readonly=True)

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist_is_unwritable_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreUnwritable, match="No such file or directory"):
        open_sqlite(tmp_path / "absent" / "some.db")

    assert list(tmp_path.iterdir()) == []


def test_a_path_that_is_a_folder_is_unwritable(tmp_path: Path) -> None:
    (tmp_path / "some.db").mkdir()

    with pytest.raises(StoreUnwritable):
        open_sqlite(tmp_path / "some.db")


def _as_a_person_without_rights(work: Callable[[], bool]) -> bool:
    """Whether work answers true in a child that isn't root (whom rights on files don't bind)."""
    child = os.fork()
    if child == 0:
        answer = 2
        try:
            if os.geteuid() == 0:
                os.setuid(NOBODY)
            answer = 0 if work() else 1
        finally:
            os._exit(answer)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


@pytest.fixture
def open_to_all(tmp_path: Path) -> Path:
    """A folder that everybody may enter: a test's own folder and its parents are for its user alone."""
    top = Path(tempfile.gettempdir())
    for folder in (tmp_path, *tmp_path.parents):
        if folder == top or top not in folder.parents:
            break  # the common temporary folder, which must stay as it is, or a base chosen by the caller
        folder.chmod(0o755)
    return tmp_path


def test_a_folder_without_the_right_to_write_is_unwritable_and_stays_as_it_is(open_to_all: Path) -> None:
    folder = open_to_all / "book"
    folder.mkdir(mode=0o555)

    def refused() -> bool:
        with pytest.raises(StoreUnwritable, match="Permission denied"):
            open_sqlite(folder / "some.db")
        return True

    assert _as_a_person_without_rights(refused)
    assert list(folder.iterdir()) == []


def test_a_closed_database_in_a_read_only_folder_can_be_read(open_to_all: Path) -> None:
    folder = open_to_all / "book"
    folder.mkdir()
    writer = open_sqlite(folder / "some.db")
    writer.execute("CREATE TABLE things (id INTEGER PRIMARY KEY)")
    writer.execute("INSERT INTO things VALUES (5)")
    writer.close()
    folder.chmod(0o555)

    def read() -> bool:
        return open_sqlite(folder / "some.db", readonly=True).rows("SELECT * FROM things") == [(5,)]

    assert _as_a_person_without_rights(read)


@pytest.mark.parametrize("readonly", [True, False])
def test_a_file_that_is_no_database_is_corrupt(tmp_path: Path, readonly: bool) -> None:
    path = tmp_path / "some.db"
    path.write_bytes(b"To be, or not to be, that is the question. " * 40)

    with pytest.raises(StoreCorrupt, match="file is not a database") as caught:
        open_sqlite(path, readonly=readonly)

    assert "check the path" in caught.value.remedy
    assert path.read_bytes().startswith(b"To be")


def test_a_refused_file_is_not_left_locked(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    path.write_bytes(b"not a database at all, but long enough to be asked " * 40)
    for _ in range(2):
        with pytest.raises(StoreCorrupt):
            open_sqlite(path)


def _filled_file(path: Path) -> None:
    database = open_sqlite(path)
    database.execute("CREATE TABLE things (id INTEGER PRIMARY KEY, text TEXT)")
    database.execute_many("INSERT INTO things VALUES (?, ?)", [(number, "x" * 900) for number in range(200)])
    database.close()


def test_a_truncated_file_is_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    _filled_file(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(StoreCorrupt, match="malformed") as caught:
        open_sqlite(path, readonly=True)

    assert "parley verify" in caught.value.remedy


def test_a_damaged_page_is_corrupt_when_it_is_read_and_found_when_it_is_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    _filled_file(path)
    content = bytearray(path.read_bytes())
    content[-4096:] = b"\xa5" * 4096
    path.write_bytes(content)
    reader = open_sqlite(path, readonly=True)

    with pytest.raises(StoreCorrupt, match="malformed"):
        reader.rows("SELECT * FROM things")

    assert reader.find_damage() != ""


def test_text_that_is_no_text_any_more_is_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    _filled_file(path)
    raw = sqlite3.connect(path)
    raw.execute("UPDATE things SET text = CAST(x'fffe' AS TEXT) WHERE id = 7")
    raw.commit()
    raw.close()

    with pytest.raises(StoreCorrupt, match="decode"):
        open_sqlite(path, readonly=True).rows("SELECT text FROM things")


def test_a_full_disk_is_unwritable_and_keeps_what_was_committed(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    _filled_file(path)
    database = open_sqlite(path)
    (pages,) = database.rows("PRAGMA page_count")[0]
    database.execute(f"PRAGMA max_page_count = {pages}")
    database.begin()

    with pytest.raises(StoreUnwritable, match="full") as caught:
        database.execute_many("INSERT INTO things VALUES (?, ?)", [(1000 + n, "y" * 5000) for n in range(50)])

    database.rollback()
    assert "disk space" in caught.value.remedy
    assert database.rows("SELECT count(*) FROM things") == [(200,)]
    assert database.find_damage() == ""


@pytest.mark.parametrize(("synchronous", "level"), [("NORMAL", 1), ("FULL", 2)])
def test_the_file_is_in_wal_mode_with_the_asked_durability(
    tmp_path: Path, synchronous: Synchronous, level: int
) -> None:
    database = open_sqlite(tmp_path / "some.db", synchronous=synchronous)

    assert database.rows("PRAGMA journal_mode") == [("wal",)]
    assert database.rows("PRAGMA synchronous") == [(level,)]


def test_a_path_with_signs_that_mean_something_in_a_uri_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a book? 100%#1.db"

    open_sqlite(path).close()

    assert path.is_file()
    open_sqlite(path, readonly=True).close()
