"""The small SQL port the event log and the read models stand on, and its SQLite adapter.

Code above this file writes plain SQL with `?` marks (`INSERT ... ON CONFLICT`, `ORDER BY`, `LIMIT`);
whatever differs between databases is a method of the port.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import quote

from .errors import StoreCorrupt, StoreError, StoreLocked, StoreMissing, StoreRefused, StoreUnwritable
from .journal import sync_file

SqlValue = str | int | float | bytes | None

Row = tuple[Any, ...]
"""One result row: the column types are stated by the schema of whoever asks, a driver can't know them."""

Synchronous = Literal["NORMAL", "FULL"]
"""What a commit survives: a killed process (NORMAL), or a power cut as well (FULL, one fsync each)."""

BUSY_TIMEOUT_S = 5.0
WAL_CHECKPOINT_PAGES = 4_000
"""16 MB: a checkpoint costs an fsync, and the default of 1,000 pages would pay it every hundred decisions."""


class Database(Protocol):
    """One connection to one database; transactions are explicit and a statement outside of one commits itself."""

    @property
    def name(self) -> str:
        """What to call it in a message to a person."""
        ...

    @property
    def is_readonly(self) -> bool: ...

    def begin(self) -> None:
        """Open a transaction: of the one writer, or a stable snapshot when read-only."""
        ...

    def commit(self) -> None: ...

    def rollback(self) -> None:
        """Undo the open transaction; without one, nothing."""
        ...

    def sync(self) -> None:
        """Wait until all that is committed survives a power cut."""
        ...

    def execute(self, sql: str, values: Sequence[SqlValue] = ()) -> int:
        """Run one statement; the number of rows it changed."""
        ...

    def execute_many(self, sql: str, rows: Iterable[Sequence[SqlValue]]) -> None: ...

    def rows(self, sql: str, values: Sequence[SqlValue] = ()) -> list[Row]: ...

    def tables(self) -> set[str]: ...

    def forbid_changes(self, table: str) -> None:
        """Make a table append-only for good: every later UPDATE or DELETE raises StoreRefused."""
        ...

    def find_damage(self) -> str:
        """What the database's own integrity check finds, or an empty text."""
        ...

    def close(self) -> None: ...


class SqliteDatabase:
    """The embedded adapter; made by `open_sqlite` or `open_in_memory`, not directly."""

    def __init__(self, connection: sqlite3.Connection, name: str, *, readonly: bool, lock_fd: int | None) -> None:
        self._connection = connection
        self._lock_fd = lock_fd
        self.name = name
        self.is_readonly = readonly

    def begin(self) -> None:
        self.execute("BEGIN" if self.is_readonly else "BEGIN IMMEDIATE")

    def commit(self) -> None:
        self.execute("COMMIT")

    def rollback(self) -> None:
        # SQLite ends the transaction by itself on a full disk or an I/O error.
        if self._connection.in_transaction:
            self.execute("ROLLBACK")

    def sync(self) -> None:
        # Beside the connection, not through it: whoever appends meanwhile does not wait for the disk.
        if self._lock_fd is not None:
            sync_file(Path(f"{self.name}-wal"))

    def execute(self, sql: str, values: Sequence[SqlValue] = ()) -> int:
        try:
            return self._connection.execute(sql, values).rowcount
        except _FAILURES as error:
            raise _translated(error, self.name) from error

    def execute_many(self, sql: str, rows: Iterable[Sequence[SqlValue]]) -> None:
        with _translation(self.name):
            self._connection.executemany(sql, rows)

    def rows(self, sql: str, values: Sequence[SqlValue] = ()) -> list[Row]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except _FAILURES as error:
            raise _translated(error, self.name) from error

    def tables(self) -> set[str]:
        return {row[0] for row in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def forbid_changes(self, table: str) -> None:
        for verb in ("UPDATE", "DELETE"):
            self.execute(
                f"CREATE TRIGGER IF NOT EXISTS {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: {verb} refused'); END"
            )

    def find_damage(self) -> str:
        try:
            found = "; ".join(str(row[0]) for row in self.rows("PRAGMA integrity_check(5)"))
        except StoreCorrupt as error:
            return error.message
        return "" if found == "ok" else found

    def close(self) -> None:
        """Close the file and give the writer's lock back; closing twice is fine."""
        if self._lock_fd is not None:
            self._leave_one_file()
        self._connection.close()
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None

    def _leave_one_file(self) -> None:
        """Fold the WAL in, so that a closed log is one plain file and reading it later writes nothing beside it."""
        # Not while somebody else reads: the mode then stays, and so do the files next to the log.
        with suppress(sqlite3.Error):
            self._connection.execute("PRAGMA busy_timeout = 0")
            self._connection.execute("PRAGMA journal_mode = DELETE")


def open_in_memory(*, one_thread: bool = True) -> SqliteDatabase:
    """An empty database that dies with its last reference; without `one_thread` others may use it, one at a time."""
    connection = sqlite3.connect(":memory:", isolation_level=None, cached_statements=256, check_same_thread=one_thread)
    return SqliteDatabase(connection, "memory", readonly=False, lock_fd=None)


def open_sqlite(path: str | Path, *, readonly: bool = False, synchronous: Synchronous = "NORMAL") -> SqliteDatabase:
    """Open a database file: as its one writer (made when missing), or as one of many readers.

    Raises
    ------
    StoreMissing : read-only and nothing is there
    StoreLocked : another writer, here or in another process, has it open
    StoreUnwritable : the folder or file takes no writes; nothing was created
    StoreCorrupt : the file is not a database
    """
    path = Path(path).absolute()
    if readonly:
        return _open_reader(path)
    lock_fd = _lock(path)
    try:
        connection = _connect(path, "rwc")
        with _closing_on_error(connection), _translation(str(path)):
            _read_header(connection)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {synchronous}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_CHECKPOINT_PAGES}")
            # Without it INSERT OR REPLACE deletes a row and no trigger of an append-only table sees it.
            connection.execute("PRAGMA recursive_triggers = ON")
    except BaseException:
        os.close(lock_fd)
        raise
    return SqliteDatabase(connection, str(path), readonly=False, lock_fd=lock_fd)


def _open_reader(path: Path) -> SqliteDatabase:
    if not path.is_file():
        raise StoreMissing(
            f"{path}: no database there",
            remedy="Check the path of the book, or make one with `parley run`.",
        )
    try:
        connection = _opened_readonly(path, "ro")
    except StoreUnwritable:
        # A WAL reader writes a shared-memory file beside the database. In a read-only folder it can't;
        # with no WAL left over nobody is writing, and the file alone is the whole truth.
        if Path(f"{path}-wal").exists():
            raise
        connection = _opened_readonly(path, "ro&immutable=1")
    return SqliteDatabase(connection, str(path), readonly=True, lock_fd=None)


def _opened_readonly(path: Path, mode: str) -> sqlite3.Connection:
    connection = _connect(path, mode)
    with _closing_on_error(connection), _translation(str(path)):
        _read_header(connection)
    return connection


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    with _translation(str(path)):
        return sqlite3.connect(
            f"file:{quote(str(path))}?mode={mode}",
            uri=True,
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,
            cached_statements=256,
            # The graph may commit from a worker thread; SQLite itself serializes the calls.
            check_same_thread=False,
        )


def _read_header(connection: sqlite3.Connection) -> None:
    """Touch the schema, so that a file that is no database fails at once and not at the first append."""
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()


def _lock(path: Path) -> int:
    """Take the one writer's lock; the kernel gives it back when the process dies, however it dies."""
    lock_path = Path(f"{path}.lock")
    try:
        lock_fd = os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StoreUnwritable(
            f"{path.parent}: can't write here ({error.strerror})",
            remedy="Make the folder, give yourself the right to write in it, or choose another with --book.",
        ) from error
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(lock_fd, 20, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(lock_fd)
        raise StoreLocked(
            f"{path}: process {holder} is writing to it, and a log has one writer",
            remedy=f"Wait for process {holder} to end, stop it, or use another book with --book.",
        ) from error
    try:
        os.ftruncate(lock_fd, 0)
        os.pwrite(lock_fd, f"{os.getpid()}\n".encode("ascii"), 0)
    except OSError as error:
        os.close(lock_fd)
        raise StoreUnwritable(
            f"{lock_path}: can't be written ({error.strerror})", remedy="Free some disk space, then start again."
        ) from error
    return lock_fd


@contextmanager
def _closing_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


@contextmanager
def _translation(name: str) -> Iterator[None]:
    try:
        yield
    except _FAILURES as error:
        raise _translated(error, name) from error


_FAILURES = (sqlite3.Error, UnicodeDecodeError)
"""What the driver raises: the second one when SQLite's own message quotes damaged bytes."""

_KINDS: dict[int, tuple[type[StoreError], str]] = {
    sqlite3.SQLITE_NOTADB: (StoreCorrupt, "This is not a Parley database: check the path, or move the file away."),
    sqlite3.SQLITE_CORRUPT: (StoreCorrupt, "Run `parley verify` to find the damage, then restore a copy."),
    sqlite3.SQLITE_BUSY: (StoreLocked, "Wait for the other program that has the file open, or stop it."),
    sqlite3.SQLITE_LOCKED: (StoreLocked, "Wait for the other program that has the file open, or stop it."),
    sqlite3.SQLITE_FULL: (StoreUnwritable, "Free some disk space, then start again: nothing half-written stays."),
    sqlite3.SQLITE_READONLY: (StoreUnwritable, "Open it for writing, or give yourself the right to write to it."),
    sqlite3.SQLITE_CANTOPEN: (StoreUnwritable, "Check that the path is a file in a folder you may write to."),
    sqlite3.SQLITE_PERM: (StoreUnwritable, "Give yourself the right to write to the file."),
    sqlite3.SQLITE_IOERR: (StoreUnwritable, "Check the disk; then run `parley verify`."),
    sqlite3.SQLITE_CONSTRAINT: (StoreRefused, "The log is append-only: record a new event instead."),
}


def _translated(error: Exception, name: str) -> StoreError:
    if isinstance(error, UnicodeDecodeError) or "Could not decode to UTF-8" in str(error):
        # Raised by the driver, which gives no SQLite code: stored text that is no text any more.
        return StoreCorrupt(f"{name}: {error}", remedy=_KINDS[sqlite3.SQLITE_CORRUPT][1])
    primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    kind, remedy = _KINDS.get(primary, (StoreError, "Run `parley doctor`; if it finds nothing, report this."))
    return kind(f"{name}: {error}", remedy=remedy)
