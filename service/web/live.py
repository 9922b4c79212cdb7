"""Tells pages what has moved: one look at the log for all who watch, and one message however much came at once."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from ... import ParleyError
from ...desk.alert_book import AlertBook
from ...desk.clock import elapsed_s, wall_now
from ..access.roles import Caller
from ..api.callers import Desk, RunQuery, identify
from ..api.desk import ServedDesk
from ..api.questions import EVENT_STREAM
from ..api.streams import RETRY_MS, AfterQuery, LastHeader
from .beat import Beat, Beats
from .topics import ALL, OF_FILES, Topic
from .who import PageViewer

live = APIRouter()

Due = Callable[[str | None, float, float], set[Topic]]
"""The topics of what shall be shown anew since some time, though nothing moved."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the log is looked at, and how often a stream says that it lives."""

    look_s: float = 0.1
    life_s: float = 2.0


@dataclass(slots=True)
class _Watched:
    """One run as its watchers see it."""

    beat: Beat | None = None
    newest: str = ""
    """The run that is the latest when none is named; another than the beat's once a newer one has begun."""
    moved: dict[Topic, int] = field(default_factory=dict[Topic, int])
    """A number of the look at which each topic was touched last, which only rises."""
    looks: int = 0
    looked_s: float = 0.0
    files: dict[str, float] = field(default_factory=dict[str, float])
    alerts: str = ""
    watchers: int = 0
    task: asyncio.Task[None] | None = None
    stirred: asyncio.Event = field(default_factory=asyncio.Event)


class Watch:
    """The looks of one server at its book: for each run that somebody watches one, whoever many they are."""

    def __init__(
        self, desk: ServedDesk, beats: Beats | None = None, due: Due | None = None, pace: Pace | None = None
    ) -> None:
        self._desk, self._beats, self._pace = desk, beats or Beats(desk), pace or Pace()
        self._due = due or (lambda run, after_s, until_s: set())
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
        while watched.beat is None:
            await _stirred(watched, self._pace.life_s)
            if watched.beat is None:
                yield _message("alive", "", {"seq": 0})
            identify(request).require("viewer", "read")
        topics, seen = self._beats.missed(watched.beat, place), watched.looks
        while True:
            if topics:
                yield _message("changed", watched.beat.place, _state(watched) | {"topics": sorted(topics)})
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
            if moved or (watched.looks == 0 and watched.beat is not None):
                watched.looks += 1
                watched.moved |= dict.fromkeys(moved, watched.looks)
                stirred, watched.stirred = watched.stirred, asyncio.Event()
                stirred.set()
            await asyncio.sleep(self._pace.look_s)

    def _look(self, run: str | None, watched: _Watched) -> set[Topic]:
        """What has moved since the look before."""
        moved, before, now_s = self._files_moved(watched), watched.beat, elapsed_s()
        asked = before.head.run if before else self._desk.run_asked(run)
        now = self._beats.now(asked)
        watched.newest = now.head.run if run else self._desk.feed.head(self._desk.run_asked(None)).run
        if before is not None and now is not before:
            moved |= now.moved_after(before.head.seq) if now.chain == before.chain else ALL
        moved |= self._due(asked, watched.looked_s, now_s)
        watched.beat, watched.looked_s = now, now_s
        return moved

    def _files_moved(self, watched: _Watched) -> set[Topic]:
        book = self._desk.settings.book
        files = {name: _written(book / name) for name in OF_FILES}
        known, watched.files = watched.files, files
        moved = {topic for name, at in files.items() if known and known[name] != at for topic in OF_FILES[name]}
        if "alerts" in moved or not known:
            # The watch notes in the same file how far it has looked, which nobody has to see.
            before, watched.alerts = watched.alerts, _alerts_of(book)
            moved -= {"alerts"} if before == watched.alerts else set[Topic]()
        if moved:
            self._beats.files_moved(moved)
        return moved


@live.get("/live", include_in_schema=False)
async def follow(
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


async def _stirred(watched: _Watched, upto_s: float) -> None:
    try:
        await asyncio.wait_for(watched.stirred.wait(), upto_s)
    except TimeoutError:
        return


def _state(watched: _Watched) -> dict[str, object]:
    assert watched.beat is not None
    return {"seq": watched.beat.head.seq, "run": watched.beat.head.run, "newest": watched.newest}


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
