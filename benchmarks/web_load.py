"""Loads the web desk: 50 people watch a book of 100,000 events while its run goes on; reads, delay, memory.

The book is recorded, not made up: a replay of 20 stocks from 1992 on whose policy trades at small drifts and in small
slices (about forty events a session, orders and fills on most days), stopped once its log holds that many events. For
the measurement the same replay goes on, in a process of its own, held to `--rate` events a second: a hundred is far
more than a trading desk ever writes, and a year of these days in an hour and a half. Each viewer is what a browser is
to the server: it opens a page, follows its stream, loads the parts that moved as the page's script does, and goes on
to the next page after a while of reading.

    reads   pages and parts, from the request to the last byte
    told    from the moment an event was stored to the message of the stream that covers it
    shown   the same to the last byte of the parts that the message made the page load
"""

import argparse
import asyncio
import contextlib
import os
import platform
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

from parley.service.access.store import AccessStore
from served import Served, served
from web_viewers import Seen, Stored, Viewer, address

GOAL_MS, TOLD_GOAL_MS = 300.0, 1_000.0
USERS = 10
FIRST_S = 600.0
"""How long the first one waits for a page of a server that has just begun."""
POLICY = "[policy]\nband = 0.02\n[costs]\nmin_child_notional = 1000.0\n"
REPLAY = ("--data", "us20", "--start", "1992-01-02", "--end", "2022-12-28", "--reports", "none")


async def load(
    desk: Served,
    cookies: list[str],
    given: argparse.Namespace,
    log_path: Path,
    replay: "subprocess.Popen[bytes]",
) -> tuple[Seen, list[int], int]:
    """All viewers at once: what they saw, the server's memory in each tenth of the time, and how much was written."""
    host = address(desk.url)
    seen, stored, until_s = Seen(), Stored(log_path), monotonic() + given.seconds
    before, memory_mb = stored.head, [resident_mb(desk.pid)]
    viewers = [Viewer(host, cookies[n % USERS], given.think, seen, stored, n) for n in range(given.viewers)]

    async def weigh() -> None:
        while monotonic() < until_s:
            await asyncio.sleep(given.seconds / 10)
            memory_mb.append(resident_mb(desk.pid))

    async def hold_back() -> None:
        """Let it run for a tenth of a second at a time, as long as it is not ahead."""
        began = monotonic()
        while given.rate and monotonic() < until_s and replay.poll() is None:
            is_ahead = stored.head - before > given.rate * (monotonic() - began)
            replay.send_signal(signal.SIGSTOP if is_ahead else signal.SIGCONT)
            await asyncio.sleep(0.1)
        replay.send_signal(signal.SIGCONT)

    work = (stored.follow(until_s), weigh(), hold_back(), *(viewer.live(until_s) for viewer in viewers))
    await asyncio.gather(*work)
    return seen, memory_mb, stored.head - before


def resident_mb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) // 1024


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "parley", *(str(item) for item in arguments)]


@contextlib.contextmanager
def replaying(book: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The replay of the book, begun or gone on with; it is interrupted at the end, and can go on again."""
    config = book.parent / "web_load.toml"
    config.write_text(POLICY, encoding="utf-8")
    goes_on = ("--resume",) if (book / "latest").exists() else ()
    arguments = command("run", *REPLAY, *goes_on, "--config", config, "--book", book)
    # Nice: where cores are few, the people and the server come first, and the replay takes all that is left.
    replay = subprocess.Popen(["nice", *arguments], stdout=subprocess.DEVNULL)
    try:
        yield replay
    finally:
        replay.terminate()
        replay.wait()


def log_of(book: Path) -> Path:
    return book / "runs" / (book / "latest").read_text(encoding="utf-8").strip() / "log.db"


def fill(book: Path, events: int) -> None:
    """Replay until the log holds so many events."""
    with replaying(book) as replay:
        while replay.poll() is None:
            sleep(2.0)
            if (book / "latest").exists() and log_of(book).exists() and Stored(log_of(book)).head >= events:
                return
    raise SystemExit("the replay ended before the book held that many events")


def sessions_of(book: Path) -> list[str]:
    """A cookie for each of the users, who are made where they are not there."""
    store = AccessStore(book)
    names = [f"viewer{number}" for number in range(USERS)]
    for name in names:
        if name not in store.known().users:
            store.add_user(name, "operator", "correct horse battery staple")
    cookies = [store.open_session(name) for name in names]
    store.close()
    return cookies


def row(name: str, values: list[float], goal_ms: float | None = None) -> str:
    shown = sorted(values) or [float("nan")]
    shares = "".join(f"{shown[min(int(len(shown) * share), len(shown) - 1)]:10.0f}" for share in (0.5, 0.95, 0.99))
    p95 = shown[min(int(len(shown) * 0.95), len(shown) - 1)]
    verdict = "" if goal_ms is None else f"   p95 under {goal_ms:.0f}: {'met' if p95 < goal_ms else 'NOT MET'}"
    return f"{name:24}{len(values):8}{shares}{verdict}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--viewers", type=int, default=50)
    options.add_argument("--events", type=int, default=100_000)
    options.add_argument("--seconds", type=float, default=600.0)
    options.add_argument("--rate", type=float, default=100.0, help="events a second; 0: as fast as the machine lets it")
    options.add_argument("--think", type=float, default=10.0, help="seconds that a page stays open")
    options.add_argument(
        "--book", type=Path, required=True, help="made where it is not there; the replay goes on in it"
    )
    given = options.parse_args()
    book: Path = given.book.absolute()
    book.parent.mkdir(parents=True, exist_ok=True)
    if not (book / "latest").exists() or Stored(log_of(book)).head < given.events:
        fill(book, given.events)
    with replaying(book) as replay, served(book) as desk:
        begun = Stored(log_of(book)).head
        while Stored(log_of(book)).head == begun and replay.poll() is None:
            sleep(0.2)
        cookies = sessions_of(book)
        first_s = asyncio.run(
            Viewer(address(desk.url), cookies[0], given.think, Seen(), Stored(log_of(book)), 0, FIRST_S).look_round()
        )
        print(f"the first who looked at all pages, after the start: {first_s:.1f} s", flush=True)
        before_s = desk.cpu_s()
        seen, memory_mb, written = asyncio.run(load(desk, cookies, given, log_of(book), replay))
        used_s, ran = desk.cpu_s() - before_s, replay.poll() is None
    say(given, seen, memory_mb, written, used_s, ran, begun)


def say(
    given: argparse.Namespace, seen: Seen, memory_mb: list[int], written: int, used_s: float, ran: bool, begun: int
) -> None:
    settled = memory_mb[len(memory_mb) // 2 :]
    growth_mb = (settled[-1] - settled[0]) / max(given.seconds / 2, 1.0) * 3_600
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    print(f"{machine}, load {os.getloadavg()[0]:.1f}; Python {platform.python_version()}")
    print(
        f"{given.viewers} viewers over {begun:,} events for {given.seconds:.0f} s, each a page of {given.think:.0f} s; "
        f"the replay {'ran throughout' if ran else 'ENDED BEFORE'} and wrote {written:,} events"
    )
    print(f"{'ms':24}{'count':>8}{'p50':>10}{'p95':>10}{'p99':>10}")
    print(row("page reads", seen.reads_ms["page"], GOAL_MS))
    print(row("parts reads", seen.reads_ms["parts"], GOAL_MS))
    print(row("stored to told", seen.told_ms, TOLD_GOAL_MS))
    print(row("stored to parts loaded", seen.shown_ms, TOLD_GOAL_MS))
    print(f"statuses {dict(seen.statuses)}; server's CPU {100 * used_s / given.seconds:.0f}% of a core")
    print(f"memory in MB from tenth to tenth: {memory_mb}")
    print(f"  from half time on {growth_mb:+.0f} MB an hour, if it went on so")


if __name__ == "__main__":
    main()
