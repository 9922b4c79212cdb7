"""Loads a served desk: 200 clients chat and read at once while a run is replayed into the same book; latencies, CPU.

Three loads, each against a server of its own, while a replay into the same book takes the other core:

    people      every client asks once a second, of the run that was served: far more than a person does, who reads
    growing     the same, of the very run that the replay is writing, whose head moves all the time
    saturating  every client asks again as soon as it has its answer: the latency is then the queue of the others

The clients speak HTTP over plain sockets, so that what is measured is the desk and not a client library.
"""

import argparse
import asyncio
import contextlib
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, sleep
from urllib.parse import urlsplit

from parley.service.access.roles import SCOPES
from parley.service.access.store import AccessStore
from parley.service.cli import main as parley
from served import Served, served

CHATS = (
    "Show open positions with weights and unrealised P&L.",
    "Which limits are above 80% used?",
    "List all trades today above 10,000 USD notional.",
    "What is the current VaR and expected shortfall, and which method?",
    "Which alerts fired in the last hour?",
    "What regime are we in and since when?",
    "Show the last 5 signals for MSFT.",
    "Halt trading in XOM only.",
    "Turn off the veto.",
    "What are you allowed to do by yourself?",
)
READS = (
    "positions",
    "orders?limit=20",
    "decisions?limit=20",
    "fills?limit=20",
    "performance",
    "events?limit=20",
    "status",
)
GOAL_MS = 300.0
WARM_S = 6.0
USERS = 20


@dataclass
class Seen:
    """What the clients saw; status 0 is a call without an answer, and its time counts with the others."""

    chats_ms: list[float] = field(default_factory=list)
    reads_ms: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)


class Line:
    """One client's connection, kept open from call to call."""

    def __init__(self, api: str, token: str) -> None:
        parts = urlsplit(api)
        self._host, self._port, self._path = parts.hostname or "", parts.port or 0, parts.path
        self._head = f"Host: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n"
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(self, method: str, path: str, body: bytes = b"") -> int:
        """The status of the answer, which is read whole."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        writer.write(f"{method} {self._path}/{path} HTTP/1.1\r\n{self._head}{kind}\r\n".encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if b"content-length: " in head:
            await reader.readexactly(int(head.split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0]))
        return int(head[9:12])

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def client(number: int, api: str, token: str, until_s: float, think_s: float, seen: Seen) -> None:
    """One person or program: every second call is a chat, and from one call to the next it takes its time."""
    await asyncio.sleep(think_s * (number % 200) / 200)
    line, turn = Line(api, token), number
    while perf_counter() < until_s:
        started_s = perf_counter()
        try:
            if turn % 2:
                text = json.dumps({"text": CHATS[turn // 2 % len(CHATS)]}).encode()
                status = await line.call("POST", "chat", text)
            else:
                status = await line.call("GET", READS[turn // 2 % len(READS)])
        except (OSError, asyncio.IncompleteReadError):
            status = 0
            line.close()
        took_ms = (perf_counter() - started_s) * 1e3
        (seen.chats_ms if turn % 2 else seen.reads_ms).append(took_ms)
        seen.statuses[status] += 1
        turn += 1
        await asyncio.sleep(max(think_s - took_ms / 1e3, 0.0))
    line.close()


async def load(api: str, tokens: list[str], clients: int, seconds: float, think_s: float) -> Seen:
    """All clients at once."""
    seen, until_s = Seen(), perf_counter() + seconds
    await asyncio.gather(*(client(n, api, tokens[n % len(tokens)], until_s, think_s, seen) for n in range(clients)))
    return seen


def measured(desk: Served, tokens: list[str], clients: int, seconds: float, think_s: float) -> tuple[Seen, float]:
    """What was seen after a first while that is not counted, and the server's CPU seconds in it."""
    asyncio.run(load(desk.api, tokens, USERS, WARM_S, 0.2))
    before_s = desk.cpu_s()
    seen = asyncio.run(load(desk.api, tokens, clients, seconds, think_s))
    return seen, desk.cpu_s() - before_s


@contextlib.contextmanager
def replaying(book: Path, data: str) -> Iterator[subprocess.Popen[bytes]]:
    """A run of many years that is walked through meanwhile."""
    command = [sys.executable, "-m", "parley", "run", "--data", data, "--book", str(book)]
    replay = subprocess.Popen([*command, "--start", "2012-01-03", "--end", "2021-12-31"], stdout=subprocess.DEVNULL)
    try:
        yield replay
    finally:
        replay.kill()
        replay.wait()


def quiet(*arguments: str) -> None:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        parley(list(arguments))


def latest(book: Path) -> str:
    return (book / "latest").read_text(encoding="utf-8").strip()


def begun(book: Path, before: str) -> str:
    """The run that is being written, once some sessions of it are there."""
    while latest(book) == before:
        sleep(0.2)
    sleep(4.0)
    return latest(book)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)] if values else float("nan")


def line(name: str, values: list[float]) -> str:
    shares = "  ".join(f"p{share:g} {percentile(values, share / 100):7.1f}" for share in (50, 95, 99))
    mean = statistics.fmean(values) if values else float("nan")
    return f"  {name:6} {len(values):6} calls  {shares}  mean {mean:7.1f} ms"


def say(name: str, seen: Seen, seconds: float, server_s: float, is_replaying: bool) -> None:
    everything = seen.chats_ms + seen.reads_ms
    p95 = percentile(everything, 0.95)
    print(
        f"{name}: {len(everything) / seconds:.0f} calls a second, {1e3 * server_s / len(everything):.2f} ms of the "
        f"server's CPU each; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, "
        f"replay {'ran throughout' if is_replaying else 'ended before'}; statuses {dict(seen.statuses)}"
    )
    for what, values in (("chats", seen.chats_ms), ("reads", seen.reads_ms), ("all", everything)):
        print(line(what, values))
    print(f"  p95 {p95:.0f} ms, goal {GOAL_MS:.0f} ms: {'met' if p95 < GOAL_MS else 'NOT MET'}", flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--clients", type=int, default=200)
    options.add_argument("--seconds", type=float, default=20.0)
    options.add_argument("--think", type=float, default=1.0, help="seconds from one call of a person to the next")
    options.add_argument("--data", default="us20")
    options.add_argument("--only", choices=("people", "growing", "saturating"))
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "book"
        quiet(
            "run", "--data", given.data, "--start", "2020-03-02", "--end", "2020-03-20", "--book", str(book), "--json"
        )
        store, tokens, short = AccessStore(book), list[str](), latest(book)
        for number in range(USERS):
            store.add_user(f"user{number}", "operator", "correct horse battery staple")
            tokens.append(store.add_token(f"user{number}", SCOPES)[1])
        for name in ("people", "growing", "saturating"):
            if given.only not in (None, name):
                continue
            think_s = 0.0 if name == "saturating" else given.think
            before = latest(book)
            with replaying(book, given.data) as replay:
                run = begun(book, before if before == short else "") if name == "growing" else short
                with served(book, run) as desk:
                    seen, server_s = measured(desk, tokens, given.clients, given.seconds, think_s)
                say(name, seen, given.seconds, server_s, replay.poll() is None)


if __name__ == "__main__":
    main()
