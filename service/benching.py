"""The `bench` command: times the desk on this machine and prints each figure beside its goal."""

import asyncio
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ..desk.book import Book, open_log
from ..desk.clock import cpu_s, elapsed_s
from ..desk.desk import build_desk, build_model, run_started
from ..desk.errors import SettingsInvalid
from ..domain.decisions import Decision, Intent, Snapshot
from ..evals.days import RecordedDays
from ..graph.run import DecisionGraph
from .console import Console
from .running import RunRequest, prepare

BENCHES = ("decision",)
START, END = "2021-06-01", "2022-06-30"
WARM_UP = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One timed thing. `ok` compares the median with the goal."""

    name: str
    p50: float
    p99: float
    unit: str
    goal: float
    ok: bool


class TimedGraph(DecisionGraph):
    """A decision graph that notes what each decision cost; it decides as the one it wraps."""

    def __init__(self, inner: DecisionGraph) -> None:
        self._inner = inner
        self.cpu_ms: list[float] = []
        self.wall_ms: list[float] = []

    async def decide(self, snapshot: Snapshot, intent: Intent | None = None) -> Decision:
        cpu, wall = cpu_s(), elapsed_s()
        decision = await self._inner.decide(snapshot, intent)
        self.cpu_ms.append(1e3 * (cpu_s() - cpu))
        self.wall_ms.append(1e3 * (elapsed_s() - wall))
        return decision


def perform_bench(what: str, console: Console) -> bool:
    """False when a median misses its goal."""
    if what not in BENCHES:
        raise SettingsInvalid(f"no bench {what!r}", remedy=f"Use one of: {', '.join(BENCHES)}.")
    rows = bench_decisions(console)
    console.result({"machine": machine(), "rows": [asdict(row) for row in rows]})
    console.say(", ".join(f"{name} {value}" for name, value in machine().items()))
    cells = [(r.name, f"{r.p50:.2f}", f"{r.p99:.2f}", r.unit, f"{r.goal:g}", "yes" if r.ok else "NO") for r in rows]
    console.table("", ("what", "p50", "p99", "unit", "goal", "met"), cells)
    return all(row.ok for row in rows)


def bench_decisions(console: Console) -> list[Row]:
    """Every decision of thirteen months on 20 names, with the log, without a language model."""
    with TemporaryDirectory() as scratch:
        prepared = prepare(RunRequest("us20", START, END, "rules", 7, False, "none", Path(scratch), None))
        folder = Book(Path(scratch)).create(prepared.run_id)
        with open_log(folder) as (log, _), console.progress("decisions") as bar:
            model = build_model("rules", prepared.settings.llm)
            desk = build_desk(prepared.settings, prepared.limits, prepared.data, prepared.plan, log, model, None)
            timed = TimedGraph(desk.graph)
            first = run_started(prepared.settings, prepared.limits, prepared.data, prepared.plan)
            days = RecordedDays(replace(desk, graph=timed), prepared.plan.sessions, prepared.plan.seed, first)
            began = cpu_s()
            asyncio.run(days.run(bar))
            whole = 1e3 * (cpu_s() - began) / len(prepared.plan.sessions)
    return [
        _row("decision, 20 names, with log, CPU", timed.cpu_ms[WARM_UP:], 15.0),
        _row("decision, 20 names, with log, wall", timed.wall_ms[WARM_UP:], 100.0),
        Row("whole day incl. trading and marks, CPU", whole, whole, "ms", 21.0, whole <= 21.0),
    ]


def machine() -> dict[str, str | int | float]:
    """What a figure means nothing without."""
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count() or 0,
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "langgraph": version("langgraph"),
    }


def _row(name: str, values: Sequence[float], goal: float) -> Row:
    p50, p99 = (float(np.percentile(values, level)) for level in (50, 99))
    return Row(name, p50, p99, "ms", goal, p50 <= goal)


def _cpu_name() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else "unknown"
