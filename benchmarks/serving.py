"""Loads a served desk: 200 clients chat and read at once while a run is replayed into the same book; latencies."""

import argparse
import asyncio
import contextlib
import io
import json
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import httpx2
from parley.service.access.roles import SCOPES
from parley.service.access.store import AccessStore
from parley.service.cli import main as parley

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
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Of all clients: each would else read the machine's certificates, which takes longer than its calls."""
WARM_S = 6.0


@dataclass
class Seen:
    """What the clients saw; status 0 is a call without an answer, and its time counts with the others."""

    chats_ms: list[float] = field(default_factory=list)
    reads_ms: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)


async def client(number: int, api: str, token: str, until_s: float, think_s: float, seen: Seen) -> None:
    """One person or program: every second call is a chat, and from one call to the next it takes its time."""
    headers = {"Authorization": f"Bearer {token}"}
    await asyncio.sleep(think_s * number / 200)
    async with httpx2.AsyncClient(headers=headers, timeout=20, verify=PLAIN) as http:
        turn = number
        while perf_counter() < until_s:
            started = perf_counter()
            try:
                if turn % 2:
                    reply = await http.post(f"{api}/chat", json={"text": CHATS[turn // 2 % len(CHATS)]})
                else:
                    reply = await http.get(f"{api}/{READS[turn // 2 % len(READS)]}")
                status = reply.status_code
            except httpx2.TransportError:
                status = 0
            took_ms = (perf_counter() - started) * 1e3
            (seen.chats_ms if turn % 2 else seen.reads_ms).append(took_ms)
            seen.statuses[status] += 1
            turn += 1
            await asyncio.sleep(max(think_s - took_ms / 1e3, 0.0))


async def load(api: str, tokens: list[str], clients: int, seconds: float, think_s: float) -> Seen:
    """All clients at once; the first seconds warm the desk up and are not counted."""
    await asyncio.gather(
        *(client(n, api, tokens[n % len(tokens)], perf_counter() + WARM_S, think_s, Seen()) for n in range(20))
    )
    seen = Seen()
    until_s = perf_counter() + seconds
    await asyncio.gather(*(client(n, api, tokens[n % len(tokens)], until_s, think_s, seen) for n in range(clients)))
    return seen


def quiet(*arguments: str) -> None:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        parley(list(arguments))


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)] if values else float("nan")


def line(name: str, values: list[float]) -> str:
    shares = "  ".join(f"p{share:g} {percentile(values, share / 100):7.1f}" for share in (50, 95, 99))
    mean = statistics.fmean(values) if values else float("nan")
    return f"{name:6} {len(values):6} calls  {shares}  mean {mean:7.1f} ms"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--clients", type=int, default=200)
    options.add_argument("--seconds", type=float, default=20.0)
    options.add_argument("--think", type=float, default=1.0, help="seconds from one call of a client to its next")
    options.add_argument("--data", default="us20")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "book"
        quiet(
            "run", "--data", given.data, "--start", "2020-03-02", "--end", "2020-03-20", "--book", str(book), "--json"
        )
        run = (book / "latest").read_text(encoding="utf-8").strip()
        store, tokens = AccessStore(book), list[str]()
        for number in range(10):
            store.add_user(f"user{number}", "operator", "correct horse battery staple")
            tokens.append(store.add_token(f"user{number}", SCOPES)[1])
        command = [sys.executable, "-m", "parley"]
        serve = subprocess.Popen(
            [*command, "serve", "--port", "0", "--book", str(book), "--run", run, "--json"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert serve.stdout is not None
        said = ""
        while not said.endswith("}\n"):
            said += serve.stdout.readline()
        replay = subprocess.Popen(
            [
                *command,
                "run",
                "--data",
                given.data,
                "--book",
                str(book),
                "--start",
                "2020-01-02",
                "--end",
                "2021-12-31",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            seen = asyncio.run(load(json.loads(said)["api"], tokens, given.clients, given.seconds, given.think))
            is_replaying = replay.poll() is None
        finally:
            for process in (replay, serve):
                process.kill()
                process.wait()
    everything = seen.chats_ms + seen.reads_ms
    print(
        f"{given.clients} clients, {given.think:g} s from call to call, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}, replay {'ran throughout' if is_replaying else 'ended before'}"
    )
    for name, values in (("chats", seen.chats_ms), ("reads", seen.reads_ms), ("all", everything)):
        print(line(name, values))
    print(f"{len(everything) / given.seconds:.0f} calls a second; statuses {dict(seen.statuses)}")
    p95 = percentile(everything, 0.95)
    print(f"p95 {p95:.0f} ms, goal {GOAL_MS:.0f} ms: {'met' if p95 < GOAL_MS else 'NOT MET'}")


if __name__ == "__main__":
    main()
