"""The end of a run's log as a watch reads it: event after event, each held to the chain, with its wall time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ...desk.book import RunFolder
from ...domain.errors import CanonicalError
from ...domain.events import GENESIS_HASH, RunFinished, chain_hash
from ...memory.event_table import COLUMNS, TABLE, body_of, event_of
from ...storage.sql import Database, Row, open_sqlite
from ...watch.changes import Seen

ROWS_PER_READ = 500
TYPE, HASH, PREVIOUS = 4, 14, 13


@dataclass(frozen=True, slots=True)
class Place:
    """The last event that was read."""

    seq: int = 0
    hash: str = GENESIS_HASH


@dataclass(frozen=True, slots=True)
class Read:
    """One event further. `seen` is None for kinds that nobody watches; `fault` is empty where the chain holds."""

    place: Place
    seen: Seen | None
    fault: str = ""


class LogTail:
    """One run's log, opened for each look and only read."""

    def __init__(self, folder: RunFolder, kinds: frozenset[str]) -> None:
        self._folder, self._kinds = folder, kinds

    def holds(self, place: Place) -> bool:
        """Whether this log has that event at that place: a run that was begun anew has not."""
        if not place.seq:
            return True
        database = open_sqlite(self._folder.log_path, readonly=True)
        try:
            rows = database.rows(f"SELECT hash FROM {TABLE} WHERE seq = ?", (place.seq,))
        finally:
            database.close()
        return bool(rows) and rows[0][0] == place.hash

    def is_over_at(self, place: Place) -> bool:
        """Whether the run had ended there: of what came before nothing goes on."""
        database = open_sqlite(self._folder.log_path, readonly=True)
        try:
            query = f"SELECT count(*) FROM {TABLE} WHERE type = ? AND seq <= ?"
            return database.rows(query, (RunFinished.__name__, place.seq))[0][0] > 0
        finally:
            database.close()

    def read(self, after: Place, hashed_until: int = 0) -> Iterator[Read]:
        """Every event that is stored after a place; the first one that does not follow from it ends the walk.

        Up to `hashed_until` an event's hash was worked out before, and only its place in the chain is looked at.
        """
        database = open_sqlite(self._folder.log_path, readonly=True)
        try:
            if TABLE not in database.tables():
                return
            while rows := _rows(database, after.seq):
                for row in rows:
                    read = self._read(after, row, is_hashed=row[0] <= hashed_until)
                    yield read
                    if read.fault:
                        return
                    after = read.place
        finally:
            database.close()

    def _read(self, after: Place, row: Row, *, is_hashed: bool) -> Read:
        place = Place(row[0], row[HASH])
        if fault := _fault(after, row, is_hashed=is_hashed):
            return Read(place, None, fault)
        if row[TYPE] not in self._kinds:
            return Read(place, None)
        event = event_of(row[:-1])
        recorded_at = datetime.fromisoformat(row[-1]) if row[-1] else None
        return Read(place, Seen(event, event.decoded(), recorded_at))


def _rows(database: Database, after: int) -> list[Row]:
    query = f"SELECT {COLUMNS}, recorded_at FROM {TABLE} WHERE seq > ? ORDER BY seq LIMIT ?"
    return database.rows(query, (after, ROWS_PER_READ))


def _fault(after: Place, row: Row, *, is_hashed: bool) -> str:
    """What is wrong with the next event, in fixed words: a damaged log may hold anything."""
    if row[0] != after.seq + 1:
        return f"event {after.seq + 1} is missing"
    if row[PREVIOUS] != after.hash:
        return f"event {row[0]} does not follow from the one before"
    if is_hashed:
        return ""
    try:
        is_sound = chain_hash(row[PREVIOUS], body_of(row[:-1])) == row[HASH]
    except (ValueError, CanonicalError):
        is_sound = False
    return "" if is_sound else f"event {row[0]} does not hash to what it says"
