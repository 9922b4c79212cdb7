"""Group commit: an append is written to a journal and returns; a thread stores and syncs what came, for all at once.

What can be lost: nothing when the process dies, since a written record is with the operating system and is taken in
at the next start. When the machine loses power, at most what was appended in the last `GROUP_S` and the time of two
syncs: one that had begun before, and its own. Without a journal (a database in memory) a killed process loses that too.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event as Flag
from threading import Lock, RLock, Thread

from ..domain.events import Payload
from ..storage.errors import StoreError, StoreUnwritable
from ..storage.journal import Journal
from ..storage.sql import Row
from .event_table import Sealed, event_of, row_of

GROUP_S = 0.05
"""How long the oldest append may wait before it is stored and synced."""
APART = b"\x1e"
"""Between the events of one append; canonical JSON holds no control characters."""

Waiting = tuple[Row, Payload]
"""One fact on its way into the table: the row that it becomes there, and what it says."""


def record_of(sealed: Sequence[Sealed], recorded_at: str) -> bytes:
    """One append in the journal, all or none of it: one line."""
    return APART.join([entry_of(row, body, recorded_at) for row, body in sealed])


def entry_of(row: Row, body: bytes, recorded_at: str) -> bytes:
    """One fact of a record; an append of one fact is no more than that."""
    return f"{recorded_at} {row[-1]} ".encode() + body


def left_in(journal: Journal) -> list[list[Waiting]]:
    """The appends that a process that died has written, in the order of the log; some of it may be stored already."""
    left = [waiting for record in journal.records() if (waiting := _waiting_of(record)) is not None]
    return sorted(left, key=lambda waiting: waiting[0][0][0])


def _waiting_of(record: bytes) -> list[Waiting] | None:
    """The append of a record; None for one that a power cut left in pieces."""
    facts: list[Waiting] = []
    for entry in record.split(APART):
        try:
            recorded_at, event_hash, body = entry.split(b" ", 2)
            if hashlib.sha256(body).hexdigest().encode() != event_hash:
                return None
            row = row_of(body, event_hash.decode())
            facts.append(((*row, recorded_at.decode()), event_of(row).decoded()))
        except ValueError:
            return None
    return facts


class GroupCommit:
    """The appends of one log that are not stored yet, and the thread that stores them."""

    def __init__(
        self,
        journal: Journal | None,
        store: Callable[[Sequence[Waiting]], None],
        sync: Callable[[], None],
        every_s: float = GROUP_S,
    ) -> None:
        self._journal, self._store, self._sync, self._every_s = journal, store, sync, every_s
        self._waiting: list[Waiting] = []
        self._adding = Lock()
        self._storing = RLock()
        self._is_unsynced = False
        self._failure: StoreError | None = None
        self._ended = Flag()
        self._thread = Thread(target=self._run, name="parley-group-commit", daemon=True)
        self._thread.start()

    def add(self, append: Sequence[Waiting], record: bytes) -> None:
        """Written, not synced; it never waits for the disk."""
        if self._failure is not None:
            self._refuse_failed()
        with self._adding:
            if self._journal is not None:
                self._journal.write(record)
            self._waiting += append

    def flush(self) -> None:
        """Store what waits, so that it can be read."""
        self._refuse_failed()
        with self._storing:
            self._take(turns=False)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nothing waits, and the thread leaves the database alone."""
        with self._storing:
            self.flush()
            self._is_unsynced = True
            yield

    def end(self) -> None:
        """Store and sync what is left; the journal stays when that fails, for the next start."""
        self._ended.set()
        self._thread.join()
        try:
            self._refuse_failed()
            self._settle()
        except BaseException:
            if self._journal is not None:
                self._journal.close()
            raise
        if self._journal is not None:
            self._journal.remove()

    def _run(self) -> None:
        while self._failure is None and not self._ended.wait(self._every_s):
            if self._waiting or self._is_unsynced:
                try:
                    self._settle()
                except StoreError as error:
                    self._failure = error

    def _settle(self) -> None:
        with self._storing:
            self._is_unsynced = False
            self._take(turns=True)
        self._sync()
        if self._journal is not None:
            self._journal.clear_other()

    def _take(self, *, turns: bool) -> None:
        with self._adding:
            taken, self._waiting = self._waiting, []
            if turns and self._journal is not None:
                self._journal.turn()
        if not taken:
            return
        self._is_unsynced = self._is_unsynced or not turns
        try:
            self._store(taken)
        except StoreError as error:
            self._failure = error
            raise

    def _refuse_failed(self) -> None:
        if self._failure is not None:
            raise StoreUnwritable(
                f"the log could not be stored: {self._failure.message}",
                remedy="What was appended is kept in the journal beside it: mend the disk, then start again.",
            ) from self._failure
