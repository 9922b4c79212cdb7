"""The event log: append-only, hash-chained, one writer, group commit, and a re-walk for resuming."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from ..domain.errors import CanonicalError
from ..domain.events import GENESIS_HASH, Event, NewEvent, Payload, chain_hash
from ..storage.sql import Database, Row, SqlValue
from .causes import Causes
from .difference import first_difference
from .errors import BatchLost, BrokenChain, ConcurrentWrite, DivergedLog, EmptyLog, UnknownPosition
from .event_table import COLUMNS, INSERT, TABLE, body_of, create_event_table, event_of, seal

_ROWS_PER_READ = 200


class Projection(Protocol):
    """What the log feeds in the transaction of the events themselves; `memory.views.ReadModels` is one."""

    def prepare(self, log: "EventLog") -> None:
        """Make the tables and bring them to the log's head."""
        ...

    def apply(self, event: Event, payload: Payload) -> None: ...

    def settle(self, seq: int) -> None:
        """Note how far the tables are, just before a commit."""
        ...


def _no_time() -> str:
    return ""


class EventLog:
    """The truth of a book: everything that was decided, sent and filled, in order.

    An append is one transaction unless a batch is open; inside a batch it is visible through this
    object at once and durable at the batch's commit. Opened on a read-only database it only reads.
    `recorded_at` gives the wall time noted beside each event, outside of its hash.
    """

    def __init__(
        self,
        database: Database,
        views: Projection | None = None,
        *,
        recorded_at: Callable[[], str] = _no_time,
    ) -> None:
        self._database = database
        self._views = views
        self._recorded_at = recorded_at
        self._causes = Causes(self)
        self._batch_depth = 0
        self._batch_is_lost = False
        if database.is_readonly:
            self._require_table()
        else:
            create_event_table(database)
        self._load(self._last_stored())
        self._check_head()
        if views is not None and not database.is_readonly:
            with self._transaction():
                views.prepare(self)

    def append(self, new_events: Sequence[NewEvent], expected: Mapping[str, int] | None = None) -> tuple[Event, ...]:
        """Record facts, all or none.

        `expected` maps a stream to the version the caller decided on; a stream that moved since raises
        ConcurrentWrite. After `rewind`, facts that the log already holds at these places are compared
        instead of written, and a different one raises DivergedLog.
        """
        self._refuse_lost_batch()
        self._check_expected(expected or {})
        new_events = self._causes.fill(new_events, self._seq)
        sealed, versions = self._seal(new_events)
        fresh = self._check_against_stored(sealed)
        if self._batch_depth:
            try:
                self._write(sealed[fresh:], new_events[fresh:])
            except BaseException:
                self._batch_is_lost = True
                raise
            self._advance(sealed, versions)
        else:
            with self._transaction():
                self._write(sealed[fresh:], new_events[fresh:])
                self._advance(sealed, versions)
        return tuple([event for event, _ in sealed])

    @contextmanager
    def batch(self) -> Iterator[None]:
        """One transaction for many appends; inside another batch it joins that one. An error undoes it all."""
        if self._batch_depth:
            self._batch_depth += 1
            try:
                yield
            finally:
                self._batch_depth -= 1
            return
        with self._transaction():
            self._batch_depth = 1
            try:
                yield
                self._refuse_lost_batch()
            finally:
                self._batch_depth = 0
                self._batch_is_lost = False

    def commit(self) -> None:
        """Make what the open batch holds so far durable and go on with it; outside of one there is nothing to do."""
        self._refuse_lost_batch()
        if self._batch_depth:
            self._commit()
            self._database.begin()

    def rewind(self, seq: int) -> None:
        """Go back to just after event `seq` and re-walk what follows it, comparing instead of doubling.

        The stored tail stays, and so do the read models, which keep showing all of it: whoever re-walks
        starts from a fold of the events up to here (`memory.history.portfolio_at`), not from them.
        """
        if self._batch_depth:
            raise UnknownPosition("rewind inside a batch", remedy="Commit the batch first, then rewind.")
        if not 0 <= seq <= self._stored_seq:
            raise UnknownPosition(
                f"rewind to event {seq}, but the log holds events 1 to {self._stored_seq}",
                remedy="Pass 0 (before the first event) or the seq of a stored event.",
            )
        self._load(seq)

    @property
    def is_rewalking(self) -> bool:
        """Whether the next append is compared with a stored event rather than written."""
        return self._seq < self._stored_seq

    def head(self) -> tuple[int, str]:
        """Seq and hash of the last event at the writer's place; (0, zeros) before the first."""
        return self._seq, self._hash

    def version(self, stream: str) -> int:
        """How many events a stream has, for `expected`."""
        return self._versions.get(stream, 0)

    def read(
        self,
        after: int = 0,
        *,
        until: int | None = None,
        limit: int | None = None,
        types: Sequence[type[Payload]] = (),
        decision_id: str | None = None,
        order_id: str | None = None,
    ) -> Iterator[Event]:
        """Events with after < seq <= until, in order; never past the writer's place."""
        stop = self._seq if until is None else min(until, self._seq)
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

    def last(self, kind: type[Payload]) -> Event | None:
        """The latest event of a kind, at or before the writer's place."""
        rows = self._database.rows(
            f"SELECT {COLUMNS} FROM {TABLE} WHERE type = ? AND seq <= ? ORDER BY seq DESC LIMIT 1",
            (kind.__name__, self._seq),
        )
        return event_of(rows[0]) if rows else None

    def close(self) -> None:
        self._database.close()

    def _seal(self, new_events: Sequence[NewEvent]) -> tuple[list[tuple[Event, Row]], dict[str, int]]:
        seq, previous, versions = self._seq, self._hash, {}
        sealed: list[tuple[Event, Row]] = []
        for new in new_events:
            seq += 1
            version = versions.get(new.stream, self._versions.get(new.stream, 0)) + 1
            versions[new.stream] = version
            event, row = seal(new, seq, version, previous)
            previous = event.hash
            sealed.append((event, row))
        return sealed, versions

    def _write(self, sealed: Sequence[tuple[Event, Row]], new_events: Sequence[NewEvent]) -> None:
        if not sealed:
            return
        noted = self._recorded_at()
        for (event, row), new in zip(sealed, new_events, strict=True):
            self._database.execute(INSERT, (*row, noted))
            if self._views is not None:
                self._views.apply(event, new.payload)

    def _advance(self, sealed: Sequence[tuple[Event, Row]], versions: Mapping[str, int]) -> None:
        if sealed:
            self._seq, self._hash = sealed[-1][0].seq, sealed[-1][0].hash
            self._versions.update(versions)
            self._stored_seq = max(self._stored_seq, self._seq)

    def _check_expected(self, expected: Mapping[str, int]) -> None:
        for stream, version in expected.items():
            found = self.version(stream)
            if found != version:
                raise ConcurrentWrite(
                    f"stream {stream} is at version {found}, expected {version}; nothing was appended",
                    remedy="Read the stream again, decide again on what it says now, then append.",
                )

    def _check_against_stored(self, sealed: Sequence[tuple[Event, Row]]) -> int:
        """How many of these the log already holds, byte for byte."""
        known = min(len(sealed), self._stored_seq - self._seq)
        for event, row in sealed[:known]:
            stored = self._row(event.seq)
            if stored[-1] != event.hash:
                self._raise_diverged(stored, row)
        return known

    def _raise_diverged(self, stored: Row, row: Row) -> None:
        found = first_difference(body_of(stored), body_of(row))
        place = f"{found.path}: {found.left} is recorded, {found.right} came now" if found else "its hash"
        raise DivergedLog(
            f"event {row[0]} ({row[4]}) differs from the recorded one at {place}",
            remedy="Settings, data or program changed since it was recorded: go back to those, or use a new book.",
        )

    def _refuse_lost_batch(self) -> None:
        if self._batch_is_lost:
            raise BatchLost(
                f"an append failed in this batch, so all since event {self._committed_seq} is undone",
                remedy="Let the error that append raised leave the batch, then start again from the log's head.",
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.begin()
        try:
            yield
            self._commit()
        except BaseException:
            self._database.rollback()
            self._load(self._committed_seq)
            raise

    def _commit(self) -> None:
        # During a re-walk the read models already stand at the stored head.
        if self._views is not None and not self.is_rewalking:
            self._views.settle(self._seq)
        self._database.commit()
        self._committed_seq = self._seq

    def _require_table(self) -> None:
        if TABLE not in self._database.tables():
            raise EmptyLog(
                f"{self._database.name}: holds no event log",
                remedy="Check the path of the book, or make one with `parley run`.",
            )

    def _last_stored(self) -> int:
        return self._database.rows(f"SELECT max(seq) FROM {TABLE}")[0][0] or 0

    def _row(self, seq: int) -> Row:
        rows = self._database.rows(f"SELECT {COLUMNS} FROM {TABLE} WHERE seq = ?", (seq,))
        if not rows:
            raise BrokenChain(f"event {seq} is missing from the log", remedy="Run `parley verify`, restore a copy.")
        return rows[0]

    def _load(self, seq: int) -> None:
        """Put the writer's place just after event `seq`."""
        self._seq = self._committed_seq = seq
        self._hash: str = self._row(seq)[-1] if seq else GENESIS_HASH
        self._stored_seq = self._last_stored()
        self._versions: dict[str, int] = dict(
            self._database.rows(f"SELECT stream, max(version) FROM {TABLE} WHERE seq <= ? GROUP BY stream", (seq,))
        )

    def _check_head(self) -> None:
        """Refuse to write after an event that isn't what it was; the whole chain is `verify_log`'s matter."""
        if not self._seq:
            return
        row = self._row(self._seq)
        try:
            is_sound = chain_hash(row[-2], body_of(row)) == self._hash
        except (ValueError, CanonicalError):
            is_sound = False
        if not is_sound:
            raise BrokenChain(
                f"event {self._seq}, the last one, does not hash to what it says",
                remedy="Run `parley verify` to see what was damaged, then restore a copy of the book.",
            )
