"""The book of scheduled jobs: each due time is claimed once before the work, and says afterwards what came of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from ..storage.errors import StoreMissing
from ..storage.sql import Database, open_sqlite

JOBS_FILE = "jobs.db"
JobState = Literal["claimed", "done", "late", "missed", "failed", "refused"]
STATES: tuple[JobState, ...] = ("claimed", "done", "late", "missed", "failed", "refused")

_TABLES = (
    """CREATE TABLE IF NOT EXISTS jobs (
        job TEXT NOT NULL, due TEXT NOT NULL, run_id TEXT NOT NULL, state TEXT NOT NULL,
        started TEXT, ended TEXT, said TEXT NOT NULL, PRIMARY KEY (job, due, run_id)) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS jobs_by_due ON jobs (run_id, due)",
    "CREATE TABLE IF NOT EXISTS notes (run_id TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY (run_id, name)) WITHOUT ROWID",
)
_COLUMNS = "job, due, state, started, ended, said"


@dataclass(frozen=True, slots=True)
class JobRow:
    """One due time of one job; the times are the market's, as the desk's clock told them."""

    job: str
    due: datetime
    state: JobState
    started: datetime | None
    ended: datetime | None
    said: str


class JobBook:
    """A book's jobs for one of its runs. One desk writes; whoever else opens it only reads."""

    def __init__(self, database: Database, run_id: str) -> None:
        self._database, self._run_id = database, run_id

    def claim(self, job: str, due: datetime, now: datetime) -> bool:
        """Before the work. False when this due time was claimed before, whatever came of it."""
        return self._insert(job, due, "claimed", now, None, "")

    def settle(self, job: str, due: datetime, state: JobState, now: datetime, said: str = "") -> None:
        """After the work, of a claim."""
        self._database.execute(
            "UPDATE jobs SET state = ?, ended = ?, said = ? WHERE job = ? AND due = ? AND run_id = ?",
            (state, _text(now), said, job, _text(due), self._run_id),
        )

    def record(self, job: str, due: datetime, state: JobState, now: datetime, said: str) -> bool:
        """A due time whose work was not begun, or whose work leaves nothing behind; False when it has a row."""
        return self._insert(job, due, state, None if state == "missed" else now, now, said)

    def claimed(self) -> tuple[JobRow, ...]:
        """Claims without a result: read at the start, they are those of a process that died."""
        return self._rows("state = 'claimed'")

    def row(self, job: str, due: datetime) -> JobRow | None:
        """What became of a due time; None before its claim."""
        found = self._rows("job = ? AND due = ?", (job, _text(due)))
        return found[0] if found else None

    def rows(self, limit: int | None = None, job: str | None = None) -> tuple[JobRow, ...]:
        """The latest so many by due time, in order; of one job, or of all."""
        where, values = ("job = ?", (job,)) if job else ("1", ())
        return self._rows(where, values, limit)

    def counts(self) -> dict[str, dict[str, int]]:
        """How many due times of each job are in each state."""
        found: dict[str, dict[str, int]] = {}
        query = "SELECT job, state, count(*) FROM jobs WHERE run_id = ? GROUP BY job, state ORDER BY job, state"
        for job, state, count in self._database.rows(query, (self._run_id,)):
            found.setdefault(job, {})[state] = count
        return found

    def last_time(self, job: str | None = None) -> datetime | None:
        """The latest time anything was begun or ended at; of one job, its latest due time."""
        if job is None:
            query, values = "SELECT max(coalesce(ended, started)) FROM jobs WHERE run_id = ?", (self._run_id,)
        else:
            query, values = "SELECT max(due) FROM jobs WHERE run_id = ? AND job = ?", (self._run_id, job)
        found = self._database.rows(query, values)[0][0]
        return datetime.fromisoformat(found) if found else None

    def note(self, name: str, value: Any) -> None:
        """Keep a small value of this run, in the place of what the name held."""
        self._database.execute(
            "INSERT OR REPLACE INTO notes VALUES (?, ?, ?)", (self._run_id, name, json.dumps(value, sort_keys=True))
        )

    def noted(self, name: str) -> Any:
        """The value under a name; None when there is none."""
        found = self._database.rows("SELECT value FROM notes WHERE run_id = ? AND name = ?", (self._run_id, name))
        return json.loads(found[0][0]) if found else None

    def prepare(self) -> None:
        for statement in _TABLES:
            self._database.execute(statement)

    def _insert(
        self, job: str, due: datetime, state: JobState, started: datetime | None, ended: datetime | None, said: str
    ) -> bool:
        values = (job, _text(due), self._run_id, state, _text(started), _text(ended), said)
        return self._database.execute("INSERT OR IGNORE INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?)", values) == 1

    def _rows(self, where: str, values: tuple[str | None, ...] = (), limit: int | None = None) -> tuple[JobRow, ...]:
        query = f"SELECT {_COLUMNS} FROM jobs WHERE run_id = ? AND {where} ORDER BY due DESC, job DESC"
        found = self._database.rows(query + (f" LIMIT {limit:d}" if limit is not None else ""), (self._run_id, *values))
        return tuple(_row(*row) for row in reversed(found))


@contextmanager
def open_job_book(book: Path, run_id: str, *, readonly: bool = False) -> Iterator[JobBook]:
    """The jobs of a run. Raises StoreLocked where another desk writes, StoreMissing where none was ever begun."""
    if not readonly:
        book.mkdir(parents=True, exist_ok=True)
    database = open_sqlite(book / JOBS_FILE, readonly=readonly)
    try:
        found = JobBook(database, run_id)
        if not readonly:
            found.prepare()
        elif "jobs" not in database.tables():
            raise StoreMissing(f"{database.name} holds no jobs", remedy="Begin with `parley trade`.")
        yield found
    finally:
        database.close()


def _row(job: str, due: str, state: JobState, started: str | None, ended: str | None, said: str) -> JobRow:
    when = datetime.fromisoformat
    return JobRow(job, when(due), state, when(started) if started else None, when(ended) if ended else None, said)


def _text(moment: datetime | None) -> str | None:
    """All in UTC and of one length, so that they sort as text."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds")
