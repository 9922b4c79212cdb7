"""What 50 people do to a served web desk: each opens pages, follows their streams, and loads the parts that moved."""

import asyncio
import contextlib
import json
import re
import sqlite3
from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from time import monotonic, perf_counter, time
from urllib.parse import quote, urlsplit

from parley.service.api.callers import SESSION_COOKIE

OTHERS = ("decisions", "execution", "risk", "approvals", "alerts", "agents", "market", "system", "data", "evaluations")
PAGES = tuple(path for other in OTHERS for path in ("/", "/" + other))
"""What people open one after the other; the desk's own page is where they are most of the time."""
GAP_S = 0.15
"""Parts are loaded no more often than this, as in the page's script."""
LOOK_S = 0.05
PART = re.compile(r'data-part="(\w+)" data-topics="([^"]*)"')
STREAM = re.compile(r'hx-sse:connect="([^"]+)"')
CALL_S = 30.0
"""A page's script gives a call up after so long."""


@dataclass
class Seen:
    """What all viewers saw; a call without an answer has the status 0."""

    reads_ms: dict[str, list[float]] = field(default_factory=lambda: {"page": [], "parts": []})
    told_ms: list[float] = field(default_factory=list)
    shown_ms: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)


class Stored:
    """When events could first be read, by their number: the log's head is looked at twenty times a second."""

    def __init__(self, log_path: Path) -> None:
        self._log = sqlite3.connect(f"file:{log_path}?mode=ro", uri=True)
        self._times: deque[tuple[int, float]] = deque(maxlen=20_000)
        self.head, self._looked_s = 0, time()
        self._look()

    def _look(self) -> None:
        """What can be read now was stored after the look before: its time is taken for all of it."""
        before_s, self._looked_s = self._looked_s, time()
        (head,) = self._log.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
        if head > self.head:
            self.head = head
            self._times.append((head, before_s))

    async def follow(self, until_s: float) -> None:
        while monotonic() < until_s:
            self._look()
            await asyncio.sleep(LOOK_S)

    def first_after(self, seq: int) -> float | None:
        """When the first event after this one was stored."""
        return next((at for number, at in self._times if number > seq), None)


@dataclass
class _Heard:
    """What a page was told and has not loaded yet."""

    parts: dict[str, set[str]]
    at: int
    wanted: set[str] = field(default_factory=set)
    since_s: float | None = None
    """When the oldest event of it was stored."""
    stirred: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, at: int, moved: set[str], stored_s: float | None) -> None:
        self.at = at
        self.wanted |= {name for name, topics in self.parts.items() if topics & moved}
        self.since_s = stored_s if self.since_s is None else self.since_s
        self.stirred.set()

    def taken(self) -> tuple[set[str], float | None]:
        wanted, since_s = self.wanted, self.since_s
        self.wanted, self.since_s = set(), None
        self.stirred.clear()
        return wanted, since_s


@dataclass
class Viewer:
    """One person with one page open."""

    host: tuple[str, int]
    cookie: str
    think_s: float
    seen: Seen
    stored: Stored
    number: int
    limit_s: float = CALL_S

    async def live(self, until_s: float) -> None:
        await asyncio.sleep(self.think_s * self.number / 50)
        pages = islice(cycle(PAGES), self.number % len(PAGES), None)
        while monotonic() < until_s:
            try:
                html = (await self._get("page", next(pages))).decode()
                await self._stay(html, min(monotonic() + self.think_s, until_s))
            except (OSError, asyncio.IncompleteReadError):
                self.seen.statuses[0] += 1

    async def look_round(self) -> float:
        """Every page once with all its parts, as the first who comes after the server's start; the seconds it took."""
        started_s = perf_counter()
        for path in dict.fromkeys(PAGES):
            html = (await self._get("page", path)).decode()
            await self._load({name for name, _ in PART.findall(html)}, 0)
        return perf_counter() - started_s

    async def _stay(self, html: str, until_s: float) -> None:
        """Follow the page's stream and keep its parts fresh."""
        parts = {name: set(topics.split()) for name, topics in PART.findall(html)}
        lazy = set(re.findall(r'data-part="(\w+)"[^>]* data-lazy', html))
        found = STREAM.search(html)
        if found is None:
            raise OSError("a page without a stream")
        at = int(found[1].split("after=")[1].split("-")[0])
        if lazy:
            await self._load(lazy, at)
        reader, writer = await self._send(found[1].replace("&amp;", "&"), "Accept: text/event-stream\r\n")
        heard = _Heard(parts, at)
        hearing = asyncio.create_task(self._hear(reader, heard, until_s))
        try:
            while monotonic() < until_s and not hearing.done():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(heard.stirred.wait(), max(until_s - monotonic(), 0.01))
                wanted, since_s = heard.taken()
                if wanted:
                    await self._load(wanted, heard.at)
                    if since_s is not None:
                        self.seen.shown_ms.append(1e3 * (time() - since_s))
                    await asyncio.sleep(GAP_S)
        finally:
            hearing.cancel()
            writer.close()
            await asyncio.gather(hearing, return_exceptions=True)

    async def _hear(self, reader: asyncio.StreamReader, heard: _Heard, until_s: float) -> None:
        """Every message as it comes, whatever is being loaded."""
        while (said := await self._message(reader, until_s - monotonic())) is not None:
            stored_s = self.stored.first_after(heard.at) if said[0] > heard.at else None
            if stored_s is not None:
                self.seen.told_ms.append(1e3 * (time() - stored_s))
            heard.take(*said, stored_s)

    async def _load(self, parts: set[str], at: int) -> None:
        await self._get("parts", f"/parts?names={quote(' '.join(sorted(parts)))}&at={at}")

    async def _message(self, reader: asyncio.StreamReader, left_s: float) -> tuple[int, set[str]] | None:
        """The event and the topics of the stream's next `changed`; None when the time is over."""
        kind, deadline = "", monotonic() + left_s
        while True:
            try:
                line = (await asyncio.wait_for(reader.readline(), max(deadline - monotonic(), 0.01))).decode().strip()
            except TimeoutError:
                return None
            if line.startswith("event: "):
                kind = line[7:]
            if line.startswith("data: ") and kind == "changed":
                told = json.loads(line[6:])
                return told["seq"], set(told["topics"])
            if reader.at_eof():
                raise OSError("the stream ended")

    async def _get(self, kind: str, path: str) -> bytes:
        """A whole reply, timed."""
        started_s = perf_counter()
        reader, writer = await self._send(path, "HX-Request: true\r\nConnection: close\r\n")
        try:
            reply = await asyncio.wait_for(reader.read(), self.limit_s)
        finally:
            writer.close()
            self.seen.reads_ms[kind].append(1e3 * (perf_counter() - started_s))
        self.seen.statuses[int(reply[9:12])] += 1
        return reply

    async def _send(self, path: str, headers: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(*self.host)
        host = f"{self.host[0]}:{self.host[1]}"
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {SESSION_COOKIE}={self.cookie}\r\n{headers}\r\n".encode()
        )
        await writer.drain()
        return reader, writer


def address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 0
