"""What the framework takes of a decision by a language model: ten names with news, replies that come at once.

Run it alone on an otherwise idle machine: ``python benchmarks/agents.py [DECISIONS]``. Everything a live run does is
in it: the graph with its checkpoints on disk, budgets, kept calls, parsing, the log; only the model's own time is not.
The second row puts the same model behind HTTP, on a loopback port, so that the wire is in it too. Times are CPU
milliseconds per decision of this process. Exits 1 when a goal is missed.
"""

from __future__ import annotations

import os

# Before numpy loads its libraries, which read it once.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import asyncio
import json
import statistics
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time, thread_time
from typing import Any

from parley.agents.llm.port import ChatModel, ChatReply, ChatRequest
from parley.agents.llm.rules import RULES, rules_reply
from parley.desk.book import Book, open_log
from parley.desk.desk import build_desk, run_started
from parley.desk.llm_settings import LlmSettings
from parley.desk.models import build_model, kept_model
from parley.domain.events import Actor, NewEvent, RunStarted
from parley.domain.market import TextItem
from parley.domain.portfolio import Portfolio
from parley.market.cards import DataSet
from parley.prompts.loader import load_prompt
from parley.service.preparing import RunRequest, prepare

NAMES, START, END, GOAL_MS = 10, "2021-06-01", "2021-12-31", 100.0
WARM_UP = 5
"""Decisions left out: the first one loads libraries and fits thirty years of calibration."""


class InstantModel:
    """Says at once what the rules would, and counts for a language model: nothing about it is repeatable."""

    name = "instant"
    is_deterministic = False

    async def complete(self, request: ChatRequest) -> ChatReply:
        text = _said(request.prompt.name, request.facts)
        return ChatReply(text, 500, len(text) // 4)


def main(decisions: int) -> int:
    print(f"{'what':<58} {'median ms':>10} {'p99 ms':>8} {'calls':>6} {'goal':>10}  met")
    with TemporaryDirectory() as scratch:
        taken, calls = decide(InstantModel(), decisions, Path(scratch))
    is_met = row("LLM decision, 10 names, instant replies, CPU", taken, calls, f"<= {GOAL_MS:g} ms")
    with TemporaryDirectory() as scratch, serving() as url:
        model = build_model("instant", LlmSettings(base_url=url))
        taken, calls = decide(model, decisions, Path(scratch))
    row("the same over HTTP on a loopback port, CPU", taken, calls, "-")
    return 0 if is_met else 1


def decide(model: ChatModel, decisions: int, scratch: Path) -> tuple[list[float], float]:
    """CPU milliseconds of each decision, and calls per decision."""
    data = ten_names(Book(scratch).load("us20"))
    prepared = prepare(RunRequest("us20", START, END, "rules", seed=7, book=scratch), data)
    folder = Book(scratch).create(prepared.run_id)
    cash, llm = prepared.settings.cash, prepared.settings.llm
    taken_ms, calls = list[float](), 0
    with open_log(folder) as (log, _), kept_model(model, llm, folder) as kept:
        desk = build_desk(
            prepared.settings,
            prepared.limits,
            data,
            prepared.plan,
            log,
            kept.model,
            str(folder.checkpoint_path),
            kept.begin_decision,
        )
        started = run_started(prepared.settings, prepared.limits, data, prepared.plan)
        log.append([_started(started, desk.history.close_time(prepared.plan.sessions[0]))])

        async def run() -> None:
            nonlocal calls
            for session in prepared.plan.sessions[: decisions + WARM_UP]:
                snapshot = desk.snapshot(session, Portfolio(cash=cash), cash, cash)
                # Of this thread, since the server of the second row runs in another one of the same process.
                began = thread_time()
                decision = await desk.decide(snapshot)
                taken_ms.append(1e3 * (thread_time() - began))
                calls += decision.llm_calls

        asyncio.run(run())
    return taken_ms[WARM_UP:], calls / len(taken_ms)


def ten_names(data: DataSet) -> DataSet:
    """The first ten names, each with a text a day, so that there is something to read."""
    panel, symbols = data.panel, data.panel.symbols[:NAMES]
    fields = ("close", "open", "high", "low", "volume")
    columns = {name: array[:, :NAMES] for name in fields if (array := getattr(panel, name)) is not None}
    universe = data.universe.model_copy(
        update={"instruments": tuple(item for item in data.universe.instruments if item.symbol in symbols)}
    )
    history = data.history()
    texts = [
        TextItem(
            id=f"{session}-{symbol}",
            symbol=symbol,
            source="made up",
            ts_event=history.close_time(session),
            available_at=history.close_time(session),
            headline=f"{symbol} says sales rose in line with what was expected",
        )
        for session in history.sessions_between(*map(date.fromisoformat, (START, END)))
        for symbol in symbols
    ]
    return replace(data, panel=replace(panel, symbols=symbols, **columns), universe=universe, texts=tuple(texts))


def row(name: str, taken_ms: list[float], calls: float, goal: str) -> bool:
    median, p99 = statistics.median(taken_ms), sorted(taken_ms)[int(0.99 * (len(taken_ms) - 1))]
    is_met = median <= GOAL_MS
    print(f"{name:<58} {median:>10.1f} {p99:>8.1f} {calls:>6.1f} {goal:>10}  {'yes' if is_met else 'NO'}", flush=True)
    return is_met


@contextmanager
def serving() -> Iterator[str]:
    """An endpoint on a loopback port that says at once what the rules would; the value is its base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()


class Handler(BaseHTTPRequestHandler):
    """Chat Completions by the rules."""

    protocol_version = "HTTP/1.1"
    prompts = {load_prompt(name).system: name for name in RULES}

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        system, user = (message["content"] for message in body["messages"])
        text = _said(self.prompts[system], user.split("```")[1].removeprefix("json\n"))
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        usage = {"prompt_tokens": 500, "completion_tokens": len(text) // 4}
        answer = json.dumps({"choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _said(prompt: str, facts: str) -> str:
    if prompt != "sentiment/read":
        return rules_reply(prompt, facts)
    items = json.loads(facts)["items"]
    return json.dumps(
        {"readings": [{"id": i["id"], "symbol": i["symbol"], "polarity": "NEUTRAL", "confidence": 50} for i in items]}
    )


def _started(payload: RunStarted, moment: datetime) -> NewEvent:
    return NewEvent(
        stream="run", event_time=moment, actor=Actor(kind="desk", name="bench"), payload=payload, run_id=payload.run_id
    )


if __name__ == "__main__":
    began = process_time()
    code = main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
    print(f"\n{process_time() - began:.0f} s of CPU in all; load {os.getloadavg()[0]:.1f}")
    sys.exit(code)
