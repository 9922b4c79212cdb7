"""The disk behind the log: a database port whose n-th write fails, and on which a process can die in mid-commit."""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from ...storage.errors import StoreError, StoreLocked, StoreUnwritable
from ...storage.sql import Database, Row, SqlValue, open_sqlite
from .faults import Crash, Schedule

_FAILURES: dict[str, tuple[type[StoreError], str]] = {
    "disk_full": (StoreUnwritable, "database or disk is full"),
    "disk_readonly": (StoreUnwritable, "attempt to write a readonly database"),
    "disk_locked": (StoreLocked, "database is locked"),
}


class DiskCounters:
    """How many writes and commits all processes of one run have made: they go on counting after a restart."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.writes = self.commits = 0
        self.is_blocked = False
        """No write gets through, whatever the schedule says."""
        self.untouched: int | None = None
        """Events that were durable when a write was first refused or a process first died; None when neither was."""
        self.refused_after: int | None = None
        """Closes that were marked when a write was last refused; None when none was."""

    def touched(self) -> None:
        """Something came between: what stands in the log so far was written undisturbed."""
        found = self._durable("SELECT max(seq) FROM events")
        self.untouched = found if self.untouched is None else min(found, self.untouched)

    def refused(self) -> None:
        self.touched()
        self.refused_after = self._durable("SELECT count(*) FROM events WHERE type = 'PortfolioMarked'")

    def _durable(self, question: str) -> int:
        """A count of what is committed, as another process sees it."""
        if not self._path.exists():
            return 0
        reader = open_sqlite(self._path, readonly=True)
        try:
            return (reader.rows(question)[0][0] or 0) if "events" in reader.tables() else 0
        finally:
            reader.close()


class FaultyDisk:
    """A database that fails where the schedule says; a dead process can do nothing with it any more."""

    def __init__(self, inner: Database, schedule: Schedule, counters: DiskCounters) -> None:
        self._inner, self._schedule, self._counters = inner, schedule, counters
        self.is_open_transaction = False
        self.torn_bytes = 0
        """How many of the last bytes never reached the platter, when the process died in a commit."""
        self.is_dead = False

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def is_readonly(self) -> bool:
        return self._inner.is_readonly

    def begin(self) -> None:
        self._write()
        self._inner.begin()
        self.is_open_transaction = True

    def commit(self) -> None:
        self._live()
        place = self._counters.commits
        self._counters.commits += 1
        if self._schedule.at("crash_before_commit", place):
            self.die()
        if self._schedule.at("fsync_failed", place):
            self._counters.refused()
            raise StoreUnwritable(f"{self.name}: fsync failed", remedy="Check the disk; then run `parley verify`.")
        self._inner.commit()
        self.is_open_transaction = False
        torn = self._schedule.at("record_torn", place)
        if torn:
            self.torn_bytes = torn.size
            self.die()
        if self._schedule.at("crash_after_commit", place):
            self.die()

    def rollback(self) -> None:
        self.is_open_transaction = False
        self._inner.rollback()

    def sync(self) -> None:
        self._live()
        self._inner.sync()

    def execute(self, sql: str, values: Sequence[SqlValue] = ()) -> int:
        self._write()
        return self._inner.execute(sql, values)

    def execute_many(self, sql: str, rows: Iterable[Sequence[SqlValue]]) -> None:
        self._write()
        self._inner.execute_many(sql, rows)

    def rows(self, sql: str, values: Sequence[SqlValue] = ()) -> list[Row]:
        self._live()
        return self._inner.rows(sql, values)

    def tables(self) -> set[str]:
        return self._inner.tables()

    def forbid_changes(self, table: str) -> None:
        self._write()
        self._inner.forbid_changes(table)

    def find_damage(self) -> str:
        return self._inner.find_damage()

    def close(self) -> None:
        self._inner.close()

    def die(self) -> None:
        """The process is gone; whoever still holds this gets no further."""
        self.is_dead = True
        raise Crash

    def _live(self) -> None:
        if self.is_dead:
            raise Crash

    def _write(self) -> None:
        self._live()
        place = self._counters.writes
        self._counters.writes += 1
        if self._counters.is_blocked:
            raise StoreUnwritable(f"{self.name}: unable to open database file", remedy="The laboratory did this.")
        for kind, (error, text) in _FAILURES.items():
            if self._schedule.during(kind, place):
                self._counters.refused()
                raise error(f"{self.name}: {text}", remedy="The laboratory did this.")


def leave_torn(path: Path, torn_bytes: int, close: FaultyDisk) -> None:
    """The files as a power cut in mid-commit leaves them: the log's last record lacks its last bytes."""
    wal = Path(f"{path}-wal")
    kept = [(part, part.with_name(f"{part.name}.kept")) for part in (path, wal) if part.exists()]
    for part, copy in kept:
        shutil.copyfile(part, copy)
    close.close()
    for part, copy in kept:
        copy.replace(part)
    if wal.exists():
        with wal.open("r+b") as file:
            file.truncate(max(wal.stat().st_size - torn_bytes, 0))
