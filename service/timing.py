"""The timed runs behind `bench`: what a row is, and whole decisions with their log."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ..desk.book import Book, open_log
from ..desk.clock import cpu_s, elapsed_s
from ..desk.desk import Desk, build_desk, run_started
from ..desk.models import build_model
from ..domain.decisions import Decision, Intent, Snapshot
from ..evals.days import RecordedDays
from ..graph.run import DecisionGraph
from .console import Console
from .preparing import Prepared, RunRequest, prepare

START, END = "2021-06-01", "2022-06-30"
WARM_UP = 5
"""Sessions left out: the first decision fits thirty years of calibration, which later ones only carry on."""

ROUNDS = 2000


@dataclass(frozen=True, slots=True)
class Row:
    """One timed thing. `ok` compares the median with the goal; without one it is told and nothing more. Raw percentiles
    past the 99th where many were timed."""

    name: str
    p50: float
    p99: float
    unit: str
    goal: float | None
    ok: bool
    p90: float | None = None
    p999: float | None = None
    most: float | None = None


class TimedGraph(DecisionGraph):
    """A decision graph that notes what each decision cost; it decides as the one it wraps."""

    def __init__(self, inner: DecisionGraph) -> None:
        self._inner = inner
        self.cpu_ms: list[float] = []
        self.wall_ms: list[float] = []
        self.ended_cpu_ms: list[float] = []

    async def decide(self, snapshot: Snapshot, intent: Intent | None = None) -> Decision:
        cpu, wall = cpu_s(), elapsed_s()
        decision = await self._inner.decide(snapshot, intent)
        self.ended_cpu_ms.append(1e3 * cpu_s())
        self.cpu_ms.append(self.ended_cpu_ms[-1] - 1e3 * cpu)
        self.wall_ms.append(1e3 * (elapsed_s() - wall))
        return decision


def bench_decisions(console: Console) -> list[Row]:
    """Every decision of thirteen months on 20 names, with the log, without a language model."""
    with _desk(START, END) as (desk, prepared), console.progress("decisions") as bar:
        timed = TimedGraph(desk.graph)
        first = run_started(prepared.settings, prepared.limits, prepared.data, prepared.plan)
        days = RecordedDays(replace(desk, graph=timed), prepared.plan.sessions, prepared.plan.seed, first)
        asyncio.run(days.run(bar))
    whole_days = np.diff(timed.ended_cpu_ms[WARM_UP - 1 :]).tolist()
    return [
        timed_row("decision, 20 names, with log, CPU", timed.cpu_ms[WARM_UP:], 15.0),
        timed_row("decision, 20 names, with log, wall", timed.wall_ms[WARM_UP:], 100.0),
        timed_row("whole day incl. trading and marks, CPU", whole_days, 21.0),
    ]


def timed_row(name: str, values_ms: Sequence[float], goal_ms: float) -> Row:
    p50, p99 = (float(np.percentile(values_ms, level)) for level in (50, 99))
    return Row(name, p50, p99, "ms", goal_ms, p50 <= goal_ms)


@contextmanager
def _desk(start: str, end: str) -> Iterator[tuple[Desk, Prepared]]:
    """A desk of its own, by the rules, in a folder that is gone afterwards."""
    with TemporaryDirectory() as scratch:
        prepared = prepare(RunRequest("us20", start, end, "rules", seed=7, book=Path(scratch)))
        folder = Book(Path(scratch)).create(prepared.run_id)
        with open_log(folder) as (log, _):
            model = build_model("rules", prepared.settings.llm)
            yield (
                build_desk(prepared.settings, prepared.limits, prepared.data, prepared.plan, log, model, None),
                prepared,
            )


def timed(work: Callable[[], object]) -> list[float]:
    taken_ms: list[float] = []
    for _ in range(ROUNDS):
        began = elapsed_s()
        work()
        taken_ms.append(1e3 * (elapsed_s() - began))
    return taken_ms[ROUNDS // 10 :]
