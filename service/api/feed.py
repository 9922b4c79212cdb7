"""The log's events as a stream: from any place, chained event to event, and never one twice or one left out."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock

from starlette.concurrency import run_in_threadpool

from ...desk.book import Book, RunFolder
from ...desk.clock import elapsed_s
from ...domain.events import GENESIS_HASH, Event, Payload
from ...memory.errors import BrokenChain
from ...memory.stored_events import StoredEvents
from ...storage.sql import open_sqlite
from .errors import BadCall, StreamMoved

HEAD_AGE_S, MOVING_AGE_S = 0.05, 0.2
"""How old the head may be that calls are answered by and streams go up to: however many ask, a log is looked at twenty
times a second, and one that grows all the time five times, so that what is worked out for a head is of use to many."""
HELD_S = 1.0
"""How long what was worked out for a head is told while the log goes on: the reply says which event it is as of."""
LOOK_S = 0.2
EVENTS_PER_READ = 200
HASH_CHARS = 12

_PLACE = re.compile(rf"([0-9]{{1,15}})(?:-([0-9a-f]{{{HASH_CHARS}}}))?")


@dataclass(frozen=True, slots=True)
class Head:
    """The last event of a run's log."""

    run: str
    seq: int
    hash: str


@dataclass(slots=True)
class _Seen:
    """A head as it was seen last, and the log's files as they were just before."""

    head: Head
    at_s: float
    age_s: float
    files: tuple[tuple[int, int, int], ...]
    is_settled: bool
    """Whether the files were the same at two looks: then they have another time or size once somebody writes."""


class Feed:
    """Reads the logs of a book; a run that is written meanwhile is read as far as it is stored."""

    def __init__(self, book: Book, now_s: Callable[[], float] = elapsed_s) -> None:
        self._book, self._now_s = book, now_s
        self._lock = Lock()
        self._heads: dict[str | None, _Seen] = {}
        self._held: dict[str | None, tuple[Head, float]] = {}

    def head(self, run: str | None) -> Head:
        """Of a run, the latest when none is named."""
        with self._lock:
            seen, now_s = self._heads.get(run), self._now_s()
            if seen is not None and now_s - seen.at_s < seen.age_s:
                return seen.head
            folder = self._book.find(run)
            files = _files_of(folder)
            is_same = seen is not None and seen.head.run == folder.run_id and seen.files == files
            if seen is not None and is_same and seen.is_settled:
                seen.at_s = now_s
                return seen.head
            head, _ = self._look(folder, None, 0)
            has_moved = seen is not None and seen.head != head
            self._heads[run] = _Seen(head, self._now_s(), MOVING_AGE_S if has_moved else HEAD_AGE_S, files, is_same)
            return head

    def held(self, run: str | None) -> Head:
        """The head that answers are as of, and say so: of a log that grows all the time it is held for a second."""
        head, now_s = self.head(run), self._now_s()
        with self._lock:
            kept = self._held.get(run)
            is_young = kept is not None and kept[0].run == head.run and now_s - kept[1] < HELD_S
            if kept is not None and (is_young or kept[0] == head):
                return kept[0]
            self._held[run] = head, now_s
            return head

    def forget(self) -> None:
        """Look anew: something was just written."""
        with self._lock:
            self._heads.clear()
            self._held.clear()

    def read(
        self, run: str | None, after: int, limit: int, types: Sequence[type[Payload]] = ()
    ) -> tuple[Head, list[Event]]:
        """Events after a place, and the head they were read at."""
        return self._look(self._book.find(run), after, limit, types)

    def place(self, run: str | None, sent: str | None) -> tuple[Head, int, str]:
        """Where to go on after `SEQ` or `SEQ-HASH`, as a client names the last event it has. Raises StreamMoved."""
        found = _PLACE.fullmatch(sent or "0")
        if found is None:
            raise BadCall(
                f"{(sent or '')[:40]!r} is no place in a log", remedy="Send the id of the last event you have."
            )
        seq, head = int(found[1]), self.head(run)
        folder = self._book.find(head.run)
        database = open_sqlite(folder.log_path, readonly=True)
        try:
            stored = StoredEvents(database)
            here = stored.hash_at(seq) if seq <= stored.last_seq() else ""
        finally:
            database.close()
        if not here or (found[2] and not here.startswith(found[2])):
            raise StreamMoved(
                f"event {sent} is not one of {head.run}",
                remedy="Its log is another one now, or the run is: name it with run=, or begin at 0.",
            )
        return head, seq, here

    async def follow(self, run: str, after: int, previous: str) -> AsyncIterator[Event | None]:
        """Every event after a place, as it is stored; None at each look that found nothing."""
        while True:
            head = await run_in_threadpool(self.head, run)
            if head.seq < after:
                raise _moved(run)
            if head.seq == after:
                yield None
                await asyncio.sleep(LOOK_S)
                continue
            _, events = await run_in_threadpool(self.read, run, after, EVENTS_PER_READ)
            for event in events:
                if event.seq != after + 1 or event.prev_hash != previous:
                    raise _moved(run)
                after, previous = event.seq, event.hash
                yield event

    def _look(
        self, folder: RunFolder, after: int | None, limit: int, types: Sequence[type[Payload]] = ()
    ) -> tuple[Head, list[Event]]:
        database = open_sqlite(folder.log_path, readonly=True)
        try:
            database.begin()
            stored = StoredEvents(database)
            stored.require_table()
            last = stored.last_seq()
            head = Head(folder.run_id, last, stored.hash_at(last) if last else GENESIS_HASH)
            events = [] if after is None else list(stored.read(after, last, limit, types, None, None))
            return head, events
        finally:
            database.close()


def event_id(event: Event) -> str:
    """What a client sends back to go on: the place, and enough of its hash to know the log by."""
    return f"{event.seq}-{event.hash[:HASH_CHARS]}"


def _files_of(folder: RunFolder) -> tuple[tuple[int, int, int], ...]:
    """The log's own file and the one beside it that new events go to first; a file that is not there is nothing."""
    found: list[tuple[int, int, int]] = []
    for path in (folder.log_path, folder.log_path.with_name(f"{folder.log_path.name}-wal")):
        with suppress(OSError):
            stat = path.stat()
            found.append((stat.st_ino, stat.st_size, stat.st_mtime_ns))
    return tuple(found)


def _moved(run: str) -> BrokenChain:
    return BrokenChain(f"{run}: the log is not the one this stream began on", remedy="Begin the stream again.")
