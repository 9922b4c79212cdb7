"""The database of a book's alerts: one writer at a time, whichever thread or process it is in, and any readers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from time import sleep

from ..storage.errors import StoreLocked, StoreMissing
from ..storage.sql import Database, Row, SqlValue, open_sqlite
from .alert_records import TABLES
from .clock import elapsed_s

DATABASE = "alerts.db"
WAIT_S, STEP_S = 10.0, 0.005
"""How long a change waits for another process that is just making one."""


class AlertStore:
    """Opened for each change, so that a command beside a running desk gets its turn.

    Whoever has changed something keeps the file open for reading: as long as anybody does, the database stays in its
    write-ahead mode, and a change costs no sync of the disk.
    """

    def __init__(self, book: Path) -> None:
        self._path = book / DATABASE
        self._lock = RLock()
        self._open: Database | None = None
        self._reader: Database | None = None

    @contextmanager
    def changing(self) -> Iterator[Database]:
        """One transaction; inside another of the same thread it is part of that one."""
        with self._lock:
            if self._open is not None:
                yield self._open
                return
            self._path.parent.mkdir(parents=True, exist_ok=True)
            database = self._open = _open_in_turn(self._path)
            try:
                database.begin()
                try:
                    for statement in TABLES:
                        database.execute(statement)
                    yield database
                    database.commit()
                    if self._reader is None:
                        self._reader = open_sqlite(self._path, readonly=True)
                except BaseException:
                    database.rollback()
                    raise
            finally:
                self._open = None
                database.close()

    def rows(self, sql: str, values: Sequence[SqlValue] = ()) -> list[Row]:
        """What stands in the database now; nothing before the first alert."""
        with self._lock:
            if (at_hand := self._open or self._reader) is not None:
                return at_hand.rows(sql, values)
        try:
            database = open_sqlite(self._path, readonly=True)
        except StoreMissing:
            return []
        try:
            return database.rows(sql, values) if database.tables() else []
        finally:
            database.close()


def _open_in_turn(path: Path) -> Database:
    started = elapsed_s()
    while True:
        try:
            return open_sqlite(path)
        except StoreLocked:
            if elapsed_s() - started > WAIT_S:
                raise
            sleep(STEP_S)
