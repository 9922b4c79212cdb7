"""The `bench` command: times the desk on this machine and prints each figure beside its goal."""

import os
import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..desk.errors import SettingsInvalid
from .console import Console
from .fast_path_bench import bench_fast_path
from .gate_timing import bench_gate_child, bench_gate_plan
from .replay_bench import bench_replay
from .timing import Row, bench_decisions

BENCHES = {
    "decision": bench_decisions,
    "fast-path": bench_fast_path,
    "gate-child": bench_gate_child,
    "gate-plan": bench_gate_plan,
}


NAMED_ONLY = "replay"
"""Needs a recorded feed, so it runs only when asked for."""


def perform_bench(what: str | None, console: Console, feed: Path | None = None) -> bool:
    """False when a figure misses its goal."""
    if what is not None and what not in (*BENCHES, NAMED_ONLY):
        raise SettingsInvalid(f"no bench {what!r}", remedy=f"Use one of: {', '.join((*BENCHES, NAMED_ONLY))}.")
    about: dict[str, Any] = {}
    if what == NAMED_ONLY:
        replayed = bench_replay(console, feed)
        rows, about = replayed.rows, {"feed": replayed.feed, "peer": replayed.peer}
    else:
        rows = [row for name, bench in BENCHES.items() if what in (None, name) for row in bench(console)]
    console.result({"machine": machine(), **about, "rows": [asdict(row) for row in rows]})
    console.say(", ".join(f"{name} {value}" for name, value in machine().items()))
    console.table("", ("what", "p50", "p90", "p99", "p99.9", "max", "unit", "goal", "met"), list(map(_cells, rows)))
    return all(row.ok for row in rows)


def _cells(row: Row) -> tuple[str, ...]:
    figures = ("" if value is None else f"{value:.3f}" for value in (row.p50, row.p90, row.p99, row.p999, row.most))
    goal, met = ("", "") if row.goal is None else (f"{row.goal:g}", "yes" if row.ok else "NO")
    return row.name, *figures, row.unit, goal, met


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


def _cpu_name() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else "unknown"
