"""Reads the table of events: by place, kind, decision and order, and what the writer has to know of its end."""

from collections.abc import Iterator, Sequence

from ..domain.errors import CanonicalError
from ..domain.events import GENESIS_HASH, Event, Payload, chain_hash
from ..storage.sql import Database, Row, SqlValue
from .difference import first_difference
from .errors import BrokenChain, DivergedLog, EmptyLog
from .event_table import COLUMNS, TABLE, Sealed, body_of, event_of

_ROWS_PER_READ = 200


class StoredEvents:
    """What stands in the table of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def require_table(self) -> None:
        if TABLE not in self._database.tables():
            raise EmptyLog(
                f"{self._database.name}: holds no event log",
                remedy="Check the path of the book, or make one with `parley run`.",
            )

    def read(
        self,
        after: int,
        stop: int,
        limit: int | None,
        types: Sequence[type[Payload]],
        decision_id: str | None,
        order_id: str | None,
    ) -> Iterator[Event]:
        """Events with after < seq <= stop, in order."""
        conditions: list[str] = []
        values: list[SqlValue] = []
        if types:
            conditions.append(f"type IN ({', '.join('?' * len(types))})")
            values.extend(kind.__name__ for kind in types)
        for column, value in (("decision_id", decision_id), ("order_id", order_id)):
            if value is not None:
                conditions.append(f"{column} = ?")
                values.append(value)
        conditions.extend(("seq > ?", "seq <= ?"))
        query = f"SELECT {COLUMNS} FROM {TABLE} WHERE {' AND '.join(conditions)} ORDER BY seq LIMIT ?"
        left = limit if limit is not None else stop
        # In pieces, so that neither a long log fills the memory nor an open cursor meets a new append.
        while left > 0 and after < stop:
            rows = self._database.rows(query, (*values, after, stop, min(left, _ROWS_PER_READ)))
            yield from map(event_of, rows)
            if len(rows) < min(left, _ROWS_PER_READ):
                return
            left -= len(rows)
            after = rows[-1][0]

    def last(self, kind: type[Payload], stop: int) -> Event | None:
        """The latest event of a kind, at or before a place."""
        rows = self._database.rows(
            f"SELECT {COLUMNS} FROM {TABLE} WHERE type = ? AND seq <= ? ORDER BY seq DESC LIMIT 1",
            (kind.__name__, stop),
        )
        return event_of(rows[0]) if rows else None

    def last_seq_of(self, kind: type[Payload], stop: int) -> int:
        """The place of the latest event of a kind, at or before a place; nought without one."""
        query = f"SELECT max(seq) FROM {TABLE} WHERE type = ? AND seq <= ?"
        return self._database.rows(query, (kind.__name__, stop))[0][0] or 0

    def kinds(self, after: int, stop: int) -> set[str]:
        """The types of the events with after < seq <= stop, which are not read themselves."""
        rows = self._database.rows(f"SELECT DISTINCT type FROM {TABLE} WHERE seq > ? AND seq <= ?", (after, stop))
        return {row[0] for row in rows}

    def last_seq(self) -> int:
        return self._database.rows(f"SELECT max(seq) FROM {TABLE}")[0][0] or 0

    def row(self, seq: int) -> Row:
        rows = self._database.rows(f"SELECT {COLUMNS} FROM {TABLE} WHERE seq = ?", (seq,))
        if not rows:
            raise BrokenChain(f"event {seq} is missing from the log", remedy="Run `parley verify`, restore a copy.")
        return rows[0]

    def hash_at(self, seq: int) -> str:
        """Of event `seq`; zeros before the first."""
        return self.row(seq)[-1] if seq else GENESIS_HASH

    def versions_at(self, seq: int) -> dict[str, int]:
        """How many events each stream has, up to a place."""
        return dict(
            self._database.rows(f"SELECT stream, max(version) FROM {TABLE} WHERE seq <= ? GROUP BY stream", (seq,))
        )

    def compare(self, sealed: Sequence[Sealed], stored: int) -> int:
        """How many of these the table already holds, of `stored` that it has from there on, byte for byte."""
        known = min(len(sealed), stored)
        for row, _ in sealed[:known]:
            if (recorded := self.row(row[0]))[-1] != row[-1]:
                raise _diverged(recorded, row)
        return known

    def check(self, seq: int) -> None:
        """Refuse to write after an event that isn't what it was; the whole chain is `verify_log`'s matter."""
        if not seq:
            return
        row = self.row(seq)
        try:
            is_sound = chain_hash(row[-2], body_of(row)) == row[-1]
        except (ValueError, CanonicalError):
            is_sound = False
        if not is_sound:
            raise BrokenChain(
                f"event {seq}, the last one, does not hash to what it says",
                remedy="Run `parley verify` to see what was damaged, then restore a copy of the book.",
            )


def _diverged(stored: Row, row: Row) -> DivergedLog:
    """A re-walk came to another event than the one that is recorded."""
    found = first_difference(body_of(stored), body_of(row))
    place = f"{found.path}: {found.left} is recorded, {found.right} came now" if found else "its hash"
    return DivergedLog(
        f"event {row[0]} ({row[4]}) differs from the recorded one at {place}",
        remedy="Settings, data or program changed since it was recorded: go back to those, or use a new book.",
    )
