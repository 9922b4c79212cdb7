"""The event log: append-only, hash-chained, one writer, group commit, and a re-walk for resuming."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

from ..domain.events import Event, NewEvent, Payload
from ..storage.journal import Journal
from ..storage.sql import Database
from .causes import Causes
from .errors import BatchLost, ConcurrentWrite, UnknownPosition
from .event_table import INSERT, Sealed, create_event_table, event_of, seal
from .group_commit import GroupCommit, Waiting, entry_of, left_in, record_of
from .projection import Projection
from .stored_events import StoredEvents


class EventLog:
    """The truth of a book: everything that was decided, sent and filled, in order.

    An append is one transaction unless a batch is open; inside a batch it is visible through this
    object at once and durable at the batch's commit. Opened on a read-only database it only reads.
    `recorded_at` gives the wall time noted beside each event, outside of its hash. `journal` is where `grouped`
    appends are written first; what a process that died has left there is taken in here.
    """

    def __init__(
        self,
        database: Database,
        views: Projection | None = None,
        *,
        recorded_at: Callable[[], str] = lambda: "",
        journal: Journal | None = None,
    ) -> None:
        self._database, self._views = database, views
        self._recorded_at, self._journal = recorded_at, journal
        self._causes, self._stored = Causes(self), StoredEvents(database)
        self._group: GroupCommit | None = None
        self._batch_depth, self._batch_is_lost = 0, False
        if database.is_readonly:
            self._stored.require_table()
        else:
            create_event_table(database)
        self._load(self._stored.last_seq())
        self._stored.check(self._seq)
        if views is not None and not database.is_readonly:
            with self._transaction():
                views.prepare(self)
        if journal is not None and not database.is_readonly:
            self._take_in(journal)

    def append(self, new_events: Sequence[NewEvent], expected: Mapping[str, int] | None = None) -> Iterator[Event]:
        """Record facts, all or none; what they became, for whoever looks.

        `expected` maps a stream to the version the caller decided on; a stream that moved since raises
        ConcurrentWrite. After `rewind`, facts that the log already holds at these places are compared
        instead of written, and a different one raises DivergedLog.
        """
        group = None if self._batch_depth or self._seq < self._stored_seq else self._group
        if group is not None and len(new_events) == 1 and not expected:
            return self._tell(new_events[0], group)
        self._refuse_lost_batch()
        self._check_expected(expected or {})
        sealed, versions = self._seal(new_events)
        fresh = self._stored.compare(sealed, self._stored_seq - self._seq)
        noted = self._recorded_at() if fresh < len(sealed) else ""
        waiting = [((*row, noted), new.payload) for (row, _), new in zip(sealed, new_events, strict=True)]
        if group is not None:
            if sealed:
                group.add(waiting, record_of(sealed, noted))
            self._advance(sealed, versions)
        elif self._batch_depth:
            try:
                self._write(waiting[fresh:])
            except BaseException:
                self._batch_is_lost = True
                raise
            self._advance(sealed, versions)
        else:
            with self._alone(), self._transaction():
                self._write(waiting[fresh:])
                self._advance(sealed, versions)
        return (event_of(row) for row, _ in sealed)

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
        with self._alone(), self._transaction():
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

    def try_write(self) -> None:
        """Raise what an append would now, of a full disk or a held log: one page is written, as it was."""
        with self._alone(), self._transaction():
            self._database.execute("PRAGMA user_version = 0")

    @contextmanager
    def grouped(self) -> Iterator[None]:
        """Appends do not wait for the disk: they are written, and a thread commits and syncs them in groups.

        `memory/group_commit.py` says what can be lost. At the end all of it is stored and synced. Inside another
        group or a batch this changes nothing.
        """
        if self._group is not None or self._batch_depth:
            yield
            return
        self._group = GroupCommit(self._journal, self._store, self._database.sync)
        try:
            yield
        finally:
            group, self._group = self._group, None
            try:
                group.end()
            except BaseException:
                self._load(self._committed_seq)
                raise

    def rewind(self, seq: int) -> None:
        """Go back to just after event `seq` and re-walk what follows it, comparing instead of doubling.

        The stored tail stays, and so do the read models, which keep showing all of it: whoever re-walks
        starts from a fold of the events up to here (`memory.history.portfolio_at`), not from them.
        """
        if self._batch_depth or self._group is not None:
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
        self._flush()
        stop = self._seq if until is None else min(until, self._seq)
        return self._stored.read(after, stop, limit, types, decision_id, order_id)

    def last(self, kind: type[Payload]) -> Event | None:
        """The latest event of a kind, at or before the writer's place."""
        self._flush()
        return self._stored.last(kind, self._seq)

    def close(self) -> None:
        self._database.close()

    def _seal(self, new_events: Sequence[NewEvent]) -> tuple[list[Sealed], dict[str, int]]:
        seq, previous, versions = self._seq, self._hash, dict[str, int]()
        sealed: list[Sealed] = []
        for new in new_events:
            seq += 1
            stream = new.stream
            version = versions[stream] = versions.get(stream, self._versions.get(stream, 0)) + 1
            row, body = seal(new, *self._causes.place(new, seq), seq, version, previous)
            previous = row[-1]
            sealed.append((row, body))
        return sealed, versions

    def _tell(self, new: NewEvent, group: GroupCommit) -> Iterator[Event]:
        """One fact into the open group, as most of them come: what `append` does, without lists around it."""
        f, seq = new.__dict__, self._seq + 1
        stream, noted = f["stream"], self._recorded_at()
        version = self._versions.get(stream, 0) + 1
        row, body = seal(new, *self._causes.place(new, seq), seq, version, self._hash)
        group.add((((*row, noted), f["payload"]),), entry_of(row, body, noted))
        self._seq = self._stored_seq = seq
        self._hash, self._versions[stream] = row[-1], version
        return map(event_of, (row,))

    def _write(self, waiting: Sequence[Waiting]) -> None:
        for row, _ in waiting:
            self._database.execute(INSERT, row)
        self._show(waiting)

    def _show(self, waiting: Sequence[Waiting]) -> None:
        if self._views is not None:
            for row, payload in waiting:
                self._views.apply(event_of(row), payload)

    def _store(self, waiting: Sequence[Waiting]) -> None:
        """Appends that were written before, in one transaction; called from the group's thread too."""
        self._database.begin()
        try:
            self._database.execute_many(INSERT, [row for row, _ in waiting])
            self._show(waiting)
            last = waiting[-1][0][0]
            if self._views is not None:
                self._views.settle(last)
            self._database.commit()
        except BaseException:
            self._database.rollback()
            raise
        self._committed_seq = last

    def _take_in(self, journal: Journal) -> None:
        """What was written and not stored when a process died, as far as it goes on from the head."""
        left = left_in(journal)
        for waiting in left:
            first = event_of(waiting[0][0])
            if first.seq == self._seq + 1 and first.prev_hash == self._hash:
                self._store(waiting)
                self._load(self._committed_seq)
        if left:
            self._database.sync()
        journal.remove()

    def _advance(self, sealed: Sequence[Sealed], versions: Mapping[str, int]) -> None:
        if sealed:
            row, _ = sealed[-1]
            self._seq, self._hash = row[0], row[-1]
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

    def _refuse_lost_batch(self) -> None:
        if self._batch_is_lost:
            raise BatchLost(
                f"an append failed in this batch, so all since event {self._committed_seq} is undone",
                remedy="Let the error that append raised leave the batch, then start again from the log's head.",
            )

    def _flush(self) -> None:
        if self._group is not None:
            self._group.flush()

    def _alone(self) -> AbstractContextManager[None]:
        return nullcontext() if self._group is None else self._group.alone()

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

    def _load(self, seq: int) -> None:
        """Put the writer's place just after event `seq`."""
        self._seq = self._committed_seq = seq
        self._hash = self._stored.hash_at(seq)
        self._stored_seq = self._stored.last_seq()
        self._versions = self._stored.versions_at(seq)
