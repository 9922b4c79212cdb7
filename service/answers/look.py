"""One look at a run's log: its files and events as they stand now, and what is kept of them until there are more."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TypeVar

from pydantic import JsonValue

from ...desk.book import Book, RunFolder
from ...desk.operator import BookPost, book_post
from ...domain.canonical import canonical_text
from ...domain.events import Event, Payload, RunStarted
from ...memory.agent_scores import CastVote
from ...memory.log import EventLog
from ...memory.stored_events import StoredEvents
from ...memory.views import ReadModels
from ...storage.sql import Database, open_sqlite
from .draft import Draft
from .growing import Grown
from .kept import Kept
from .places import Kinds, Places

Value = TypeVar("Value")
State = TypeVar("State")


class Look:
    """One state of the log for a whole question. Nothing is opened before it is asked for."""

    def __init__(self, book: Book, run: str | None, kept: Kept, grown: Grown) -> None:
        self.book, self._run, self._kept, self._grown = book, run, kept, grown
        self.again_s: float | None = None
        """When it is worth asking again, though nothing more may have happened: something told was of a moment ago."""

    @cached_property
    def folder(self) -> RunFolder:
        return self.book.find(self._run)

    @cached_property
    def _database(self) -> Database:
        database = open_sqlite(self.folder.log_path, readonly=True)
        database.begin()
        return database

    @cached_property
    def views(self) -> ReadModels:
        return _ReadOnce(self._database)

    @cached_property
    def _stored(self) -> StoredEvents:
        stored = StoredEvents(self._database)
        stored.require_table()
        return stored

    @cached_property
    def log(self) -> EventLog:
        """The log itself, for tools that want one; of a long run it takes its time to open, and `read` does not."""
        return EventLog(self._database, self.views)

    @cached_property
    def _places(self) -> Places:
        return self.onward(
            "places",
            lambda: Places.of_log(self._stored, self.seq),
            lambda known, after: known.further(self._stored, after, self.seq),
        )

    @property
    def run_id(self) -> str:
        return self.folder.run_id

    @cached_property
    def seq(self) -> int:
        """The place of the log's last event."""
        return self._stored.last_seq()

    @cached_property
    def head(self) -> str:
        """The hash of the log's last event: what was worked out for it holds until there is another."""
        return self._stored.hash_at(self.seq)

    def read(
        self,
        *types: type[Payload],
        after: int = 0,
        limit: int | None = None,
        decision_id: str | None = None,
        order_id: str | None = None,
    ) -> Iterator[Event]:
        """Events of some kinds, in order, of one decision or order or of all."""
        return self._stored.read(after, self.seq, limit, types, decision_id, order_id)

    def last(self, kind: type[Payload]) -> Event | None:
        """The latest event of a kind."""
        return self._stored.last(kind, self.seq)

    @property
    def post(self) -> BookPost:
        """The files by which people reach the desk."""
        return book_post(self.book.path)

    def close(self) -> None:
        if "_database" in self.__dict__:
            self._database.close()

    def draft(self, name: str, asked: Mapping[str, JsonValue]) -> Draft:
        """An answer to begin, about this state of this run."""
        return Draft(name, asked, self.run_id, self.head)

    def once(self, name: str, compute: Callable[[], Value], *parts: JsonValue, of: Kinds = ()) -> Value:
        """Worked out once of this state of the log; with `of`, until there is another event of those kinds."""
        place = self._places.of(of) if of else self.head
        return self._kept.once((self.run_id, place, name, canonical_text(list(parts))), compute)

    def seldom(self, name: str, compute: Callable[[], Value], *parts: JsonValue, of: Kinds = ()) -> Value:
        """What takes long and may be of a moment ago: renewed when the parts, or the last event of some kinds, are
        others and it has rested. `again_s` is when that will be."""
        state = canonical_text([*parts, self._places.of(of) if of else ""])
        found = self._kept.seldom((self.run_id, name), state, compute)
        if found.again_s is not None:
            self.again_s = found.again_s if self.again_s is None else min(self.again_s, found.again_s)
        return found.value

    def of_decision(self, name: str, compute: Callable[[], Value], decision_id: str) -> Value:
        """What depends on one recorded decision alone: it holds as long as the run is the same one."""
        return self.once(name, compute, decision_id, of=(RunStarted,))

    def grown(
        self, name: str, types: tuple[type[Payload], ...], begin: State, add: Callable[[State, Event], State]
    ) -> State:
        """A fold of events that goes on where it stopped; `add` gives a new state and never changes the old one."""
        return self._grown.state(f"{self.run_id} {name}", self._stored, self.seq, types, begin, add)

    def onward(self, name: str, whole: Callable[[], State], step: Callable[[State, int], State]) -> State:
        """What is known of the whole log: `step` goes on from an earlier state and the place it was of."""
        return self._grown.onward(f"{self.run_id} {name}", self._stored, self.seq, whole, step)


class _ReadOnce(ReadModels):
    """The read models of one look: the longest of their tables is not read twice for it."""

    @cached_property
    def _votes(self) -> tuple[CastVote, ...]:
        return super().votes()

    def votes(self) -> tuple[CastVote, ...]:
        return self._votes
