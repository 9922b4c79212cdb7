"""How far a run is and what has moved in it: one look for its pages, their parts and their streams, so all agree."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from threading import Lock
from typing import TypeVar

from ...desk.clock import elapsed_s
from ...memory.stored_events import StoredEvents
from ...storage.sql import open_sqlite
from ..api.desk import ServedDesk
from ..api.feed import HASH_CHARS, Head
from .topics import ALL, Topic, touched

BEAT_S = 0.5
"""A log that grows all the time moves so often for the pages, and what was made for all of them is of use so long."""
MOST_NEW = 20_000
"""Of more events than this at once it is not asked what they were: everything is taken to have moved."""
PLACES_KEPT = 64
RUNS_KEPT = 32
Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Beat:
    """A run as the pages take it for now."""

    head: Head
    since: int
    """From this event on it is known what moved when."""
    chain: int
    """Another one where the log is no longer the one it was."""
    moved: Mapping[Topic, int] = field(default_factory=dict[Topic, int])
    """By topic the event up to which it was last seen to have moved."""

    @property
    def place(self) -> str:
        """What a page's stream goes on from."""
        return f"{self.head.seq}-{self.head.hash[:HASH_CHARS]}"

    def last_of(self, topics: Iterable[Topic]) -> int:
        """After this event none of these has moved."""
        return max((self.moved.get(topic, self.since) for topic in topics), default=self.since)

    def moved_after(self, seq: int) -> set[Topic]:
        """What has moved since an event of this chain."""
        return {topic for topic, at in self.moved.items() if at > seq} if seq >= self.since else set(ALL)


@dataclass(slots=True)
class _Held:
    beat: Beat
    moved_s: float
    changes: str
    places: OrderedDict[str, int] = field(default_factory=OrderedDict[str, int])


class Beats:
    """The beats of one server, one for each run, by whatever name it is asked for."""

    def __init__(self, desk: ServedDesk, beat_s: float = BEAT_S) -> None:
        self._desk, self._beat_s = desk, beat_s
        self._lock = Lock()
        self._chains = count(1)
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._named: OrderedDict[str | None, str] = OrderedDict()
        self._looks = count(1)
        self._files: dict[Topic, int] = {}

    def files_moved(self, topics: Iterable[Topic]) -> None:
        """A look found that files of these topics are no longer what they were."""
        with self._lock:
            self._files |= dict.fromkeys(topics, next(self._looks))

    def files_at(self, topics: Iterable[Topic]) -> int:
        """The look that last found a file of these topics moved; 0 for none."""
        with self._lock:
            return max((self._files.get(topic, 0) for topic in topics), default=0)

    def now(self, run: str | None) -> Beat:
        """Where the run is; raises RunUnknown and EmptyLog as the feed does. What was done here is seen at once."""
        asked = self._desk.run_asked(run)
        changes = self._desk.fresh_state(None, needs_run=False).rpartition(" ")[0]  # without the time
        with self._lock:
            held = self._held.get(self._named.get(asked, ""))
            if held is not None and held.changes == changes and elapsed_s() - held.moved_s < self._beat_s:
                return held.beat
            head = self._desk.feed.head(asked)
            held = self._held.get(head.run)
            if held is None or head.hash != held.beat.head.hash:
                held = self._moved(held, head)
            held.changes = changes
            _keep(self._held, head.run, held, RUNS_KEPT)
            _keep(self._named, asked, head.run, RUNS_KEPT)
            return held.beat

    def missed(self, beat: Beat, place: str) -> set[Topic]:
        """What has moved between a place that a page names and a beat: all, where the place is not known."""
        with self._lock:
            held = self._held.get(beat.head.run)
            seq = held.places.get(place) if held is not None and held.beat.chain == beat.chain else None
        return set(ALL) if seq is None else beat.moved_after(seq)

    def _moved(self, held: _Held | None, head: Head) -> _Held:
        known = self._kinds(held.beat.head, head) if held is not None else None
        if held is None or known is None:
            made = _Held(Beat(head, head.seq, next(self._chains)), elapsed_s(), "")
        else:
            moved = {**held.beat.moved, **dict.fromkeys(known, head.seq)}
            made = _Held(replace(held.beat, head=head, moved=moved), elapsed_s(), "", held.places)
        _keep(made.places, made.beat.place, head.seq, PLACES_KEPT)
        return made

    def _kinds(self, before: Head, now: Head) -> set[Topic] | None:
        """The topics of what was added; None where it is another log, or too much to ask."""
        if before.run != now.run or not 0 < now.seq - before.seq <= MOST_NEW:
            return None
        database = open_sqlite(self._desk.book.find(now.run).log_path, readonly=True)
        try:
            stored = StoredEvents(database)
            return touched(stored.kinds(before.seq, now.seq)) if stored.hash_at(before.seq) == before.hash else None
        finally:
            database.close()


def _keep(kept: OrderedDict[Key, Value], key: Key, value: Value, most: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
