"""What all routes share: the book that is served, who may come in, and what was just worked out."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

from starlette.requests import HTTPConnection

from ...desk.book import Book
from ...desk.clock import elapsed_s
from ...domain.canonical import canonical_text
from ...domain.model import Model
from ...memory.errors import EmptyLog
from ..access.audit import Audit
from ..access.doorman import Doorman
from ..access.errors import TooManyCalls
from ..access.rates import Rates
from ..access.roles import Caller
from ..access.store import AccessStore
from ..answers.answer import Answer
from ..answers.askable import Askable
from ..answers.reader import DeskReader
from ..answers.table import find, parse_arguments
from ..chat.front import Front
from .feed import Feed
from .idempotency import Repeats
from .replies import Replies
from .settings import ServeSettings
from .works import Key, Works

ANSWER_AGE_S = 1.0
"""How old an answer may be as to what does not stand in the log, such as a heartbeat."""


@dataclass(frozen=True, slots=True)
class Told:
    """An answer with its document's bytes, for all who ask the same of the same state."""

    answer: Answer
    body: bytes
    digest: str

    @classmethod
    def of(cls, answer: Answer) -> "Told":
        body = json.dumps(answer.document(), allow_nan=False).encode()
        return cls(answer, body, hashlib.sha256(body).hexdigest())


class ServedDesk:
    """One book behind one server process."""

    def __init__(self, settings: ServeSettings, store: AccessStore | None = None) -> None:
        self.settings = settings
        self.book = Book(settings.book)
        self.doorman = Doorman(store or AccessStore(settings.book))
        self.audit = Audit(settings.book)
        self.feed = Feed(self.book)
        self.repeats = Repeats(self.doorman.store.door, self.doorman.store.now_s)
        self.rates = Rates(settings.calls_per_s, settings.calls_at_once, elapsed_s)
        self.works, self.replies = Works(), Replies()
        self._changes = 0
        self._lock = Lock()
        self._runs = set[str]()
        self._readers: dict[str, DeskReader] = {}
        self._fronts: dict[str, Front] = {}
        self._streams = Counter[str]()

    def run_asked(self, run: str | None) -> str | None:
        """The run a call is about: the one it names, or the one that is served."""
        return run if run is not None else self.settings.run

    def require_run(self, named: str) -> None:
        """Raises RunUnknown, with the runs that there are; what was found once is not looked for again."""
        if named not in self._runs:
            self.book.find(named)
            self._runs.add(named)

    def reader(self, run: str | None) -> DeskReader:
        """The run's reader, with what it keeps; of a run that comes later a new one."""
        asked = self.run_asked(run)
        try:
            name = self.feed.head(asked).run
        except EmptyLog:
            name = self.book.find(asked).run_id
        with self._lock:
            return self._readers.setdefault(name, DeskReader(self.settings.book, name))

    def front(self, run: str | None) -> Front:
        """The run's chat, which knows what each user was shown last."""
        reader = self.reader(run)
        with self._lock:
            return self._fronts.setdefault(str(reader.run), Front(reader))

    def state(self, run: str | None) -> str:
        """What the reads of a run depend on: its log's head, at most a second old."""
        head = self.feed.held(self.run_asked(run))
        return f"{head.run} {head.seq} {head.hash}"

    def ask(self, run: str | None, name: str, arguments: Mapping[str, Any], caller: Caller) -> Answer:
        """One question of the table, for who has a thread of their own; answered again only in another state."""
        askable = find(name)
        caller.require(askable.role, "read")
        parsed = parse_arguments(askable, arguments)
        key = self._key(self.state_for(run, askable), askable, parsed)
        return self.works.wait(key, askable.name, lambda: self._tell(run, askable, parsed)).answer

    async def asked(self, run: str | None, askable: Askable, parsed: Model) -> Told:
        """The same without a thread of one's own; whether the caller may ask it was looked at before."""
        key = self._key(self.state_for(run, askable), askable, parsed)
        return await self.works.once(key, askable.name, lambda: self._tell(run, askable, parsed))

    def state_for(self, run: str | None, askable: Askable) -> str:
        """What an answer depends on: the log's head, and for what looks at more than the log the time as well."""
        if askable.is_live:
            return self.fresh_state(run, askable.needs_run)
        return self.state(run) if askable.needs_run else ""

    def fresh_state(self, run: str | None, needs_run: bool = True) -> str:
        """The log's head, and numbers that go on once a second and with every change made here."""
        head = self.state(run) if needs_run else ""
        return f"{head} {self._changes} {int(elapsed_s() / ANSWER_AGE_S)}"

    def changed(self) -> None:
        """Something was done: whoever asks next sees it."""
        with self._lock:
            self._changes += 1
        self.feed.forget()

    @contextmanager
    def streaming(self, caller: Caller) -> Iterator[None]:
        """One of the user's streams, as long as it is open. Raises TooManyCalls."""
        with self._lock:
            if self._streams[caller.user] >= self.settings.streams_per_user:
                raise TooManyCalls(
                    f"{caller.user} has {self.settings.streams_per_user} streams open",
                    retry_after_s=10.0,
                    remedy="Close one that is not read.",
                )
            self._streams[caller.user] += 1
        try:
            yield
        finally:
            with self._lock:
                self._streams[caller.user] -= 1

    def close(self) -> None:
        self.works.close()
        self.audit.close()
        self.doorman.store.close()

    def _key(self, state: str, askable: Askable, parsed: Model) -> Key:
        return (state, askable.name, canonical_text(parsed.model_dump(mode="json")))

    def _tell(self, run: str | None, askable: Askable, parsed: Model) -> Told:
        reader = self.reader(run) if askable.needs_run else DeskReader(self.settings.book, self.run_asked(run))
        return Told.of(askable.perform(reader, parsed))


def served(connection: HTTPConnection) -> ServedDesk:
    """The desk of a request."""
    desk: ServedDesk = connection.app.state.desk
    return desk


async def desk_of(connection: HTTPConnection) -> ServedDesk:
    """The same as a dependency, which takes no thread of its own."""
    return served(connection)
