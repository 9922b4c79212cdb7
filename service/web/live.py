"""Tells pages what has moved: one look at the log for all who watch, and one message however much came at once."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from ... import ParleyError
from ...desk.alert_book import AlertBook
from ...desk.clock import wall_now
from ...memory.stored_events import StoredEvents
from ...storage.sql import open_sqlite
from ..access.roles import Caller
from ..api.callers import Desk, RunQuery, identify
from ..api.desk import ServedDesk
from ..api.feed import HASH_CHARS, Head
from ..api.questions import EVENT_STREAM
from ..api.streams import RETRY_MS, AfterQuery, LastHeader
from .topics import ALL, OF_FILES, Topic, touched
from .who import PageViewer

live = APIRouter()

MOST_NEW = 20_000
"""Of more events than this at once it is not asked what they were: everything is taken to have moved."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the log is looked at, how far apart messages of a stream are, and how often it says that it lives."""

    look_s: float = 0.2
    gap_s: float = 0.3
    life_s: float = 2.0


@dataclass(slots=True)
class _Watched:
    """One run as its watchers see it."""

    head: Head | None = None
    newest: str = ""
    """The run that is the latest when none is named; another than `head.run` once a newer one has begun."""
    since: int = 0
    """From this event on it is known what moved when."""
    moved: dict[Topic, int] = field(default_factory=dict[Topic, int])
    """A number of the look at which each topic was touched last, which only rises."""
    looks: int = 0
    files: dict[str, float] = field(default_factory=dict[str, float])
    alerts: str = ""
    watchers: int = 0
    task: asyncio.Task[None] | None = None
    stirred: asyncio.Event = field(default_factory=asyncio.Event)


class Watch:
    """The looks of one server at its book: for each run that somebody watches one, whoever many they are."""

    def __init__(self, desk: ServedDesk, pace: Pace | None = None) -> None:
        self._desk, self._pace = desk, pace or Pace()
        self._runs: dict[str | None, _Watched] = {}

    async def told(self, request: Request, caller: Caller, run: str | None, place: str) -> AsyncIterator[str]:
        """One page's stream, from the place that it knows."""
        yield f"retry: {RETRY_MS}\n\n"
        try:
            with self._desk.streaming(caller), self._watching(run) as watched:
                async with aclosing(self._messages(request, watched, place)) as messages:
                    async for message in messages:
                        yield message
        except ParleyError as error:
            yield _message("ended", "", {"code": error.code, "message": error.message, "remedy": error.remedy})

    async def _messages(self, request: Request, watched: _Watched, place: str) -> AsyncGenerator[str]:
        while watched.head is None:
            await _stirred(watched, self._pace.life_s)
            if watched.head is None:
                yield _message("alive", "", {"seq": 0})
            identify(request).require("viewer", "read")
        topics, seen = _missed(watched, place), watched.looks
        while True:
            if topics:
                yield _message("changed", _place(watched.head), _state(watched) | {"topics": sorted(topics)})
                await asyncio.sleep(self._pace.gap_s)
            else:
                yield _message("alive", "", _state(watched))
            if watched.looks == seen:
                await _stirred(watched, self._pace.life_s)
            topics, seen = {topic for topic, look in watched.moved.items() if look > seen}, watched.looks
            identify(request).require("viewer", "read")

    @contextmanager
    def _watching(self, run: str | None) -> Iterator[_Watched]:
        """A run's state, looked at again and again as long as somebody is here."""
        watched = self._runs.setdefault(run, _Watched())
        watched.watchers += 1
        if watched.task is None:
            watched.task = asyncio.create_task(self._look_on(run, watched))
        try:
            yield watched
        finally:
            watched.watchers -= 1
            if not watched.watchers and watched.task is not None:
                watched.task.cancel()
                self._runs.pop(run, None)

    async def _look_on(self, run: str | None, watched: _Watched) -> None:
        while True:
            try:
                moved = await run_in_threadpool(self._look, run, watched)
            except ParleyError:
                moved = set[Topic]()  # no run yet, or a log that can't be read now: the next look may find one
            if moved or (watched.looks == 0 and watched.head is not None):
                watched.looks += 1
                watched.moved |= dict.fromkeys(moved, watched.looks)
                stirred, watched.stirred = watched.stirred, asyncio.Event()
                stirred.set()
            await asyncio.sleep(self._pace.look_s)

    def _look(self, run: str | None, watched: _Watched) -> set[Topic]:
        """What has moved since the look before."""
        moved = self._files_moved(watched)
        before, asked = watched.head, watched.head.run if watched.head else self._desk.run_asked(run)
        now = self._desk.feed.head(asked)
        watched.newest = now.run if run else self._desk.feed.head(self._desk.run_asked(None)).run
        if before is None:
            watched.since = now.seq
        elif now.hash != before.hash:
            moved |= self._kinds(now, before.seq)
        watched.head = now
        return moved

    def _kinds(self, now: Head, after: int) -> set[Topic]:
        if not 0 < now.seq - after <= MOST_NEW:
            return set(ALL)  # far behind, or the log was rewound
        database = open_sqlite(self._desk.book.find(now.run).log_path, readonly=True)
        try:
            return touched(StoredEvents(database).kinds(after, now.seq))
        finally:
            database.close()

    def _files_moved(self, watched: _Watched) -> set[Topic]:
        book = self._desk.settings.book
        files = {name: _written(book / name) for name in OF_FILES}
        known, watched.files = watched.files, files
        moved = {topic for name, at in files.items() if known and known[name] != at for topic in OF_FILES[name]}
        if "alerts" in moved or not known:
            # The watch notes in the same file how far it has looked, which nobody has to see.
            before, watched.alerts = watched.alerts, _alerts_of(book)
            moved -= {"alerts"} if before == watched.alerts else set[Topic]()
        return moved


@live.get("/live", include_in_schema=False)
def follow(
    request: Request,
    desk: Desk,
    caller: PageViewer,
    run: RunQuery = None,
    after: AfterQuery = None,
    last: LastHeader = None,
) -> Response:
    """A page's stream: `changed` with the topics that moved, `alive` in between. Last-Event-ID resumes it."""
    watch: Watch = request.app.state.watch
    pieces = watch.told(request, caller, desk.run_asked(run), last or after or "")
    return StreamingResponse(pieces, media_type=EVENT_STREAM, headers={"X-Accel-Buffering": "no"})


def _missed(watched: _Watched, place: str) -> set[Topic]:
    """What may have moved since a client's place: nothing where it is at the head, else everything."""
    return set() if watched.head is not None and place == _place(watched.head) else set(ALL)


async def _stirred(watched: _Watched, upto_s: float) -> None:
    try:
        await asyncio.wait_for(watched.stirred.wait(), upto_s)
    except TimeoutError:
        return


def _state(watched: _Watched) -> dict[str, object]:
    assert watched.head is not None
    return {"seq": watched.head.seq, "run": watched.head.run, "newest": watched.newest}


def _place(head: Head) -> str:
    return f"{head.seq}-{head.hash[:HASH_CHARS]}"


def _message(kind: str, ident: str, data: dict[str, object]) -> str:
    named = f"id: {ident}\n" if ident else ""
    return f"{named}event: {kind}\ndata: {json.dumps(data)}\n\n"


def _alerts_of(book: Path) -> str:
    """What would be shown of the alerts, in short."""
    found = AlertBook(book, wall_now)
    shown = [(item.alert_id, item.state, item.count, len(item.deliveries), item.level) for item in found.open()]
    return f"{found.count()} {shown}"


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
