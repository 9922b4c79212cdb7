"""Every speed contest of the quant core as one table: what, ours, the peer's time, the ratio, the goal, met or not.

Run it alone on an otherwise idle machine: ``python benchmarks/quant.py``, in about three minutes. Each
``benchmarks/quant_*.py`` gives its ``rows()``; times are CPU milliseconds of one thread, since wall time on a shared
machine says more about its neighbors. Ratios are the peer's time over ours: above 1, ours is faster. A goal is a
ratio (``>= 8x``) or a time (``<= 300 ms``); rows without one are there to be looked at. Exits 1 when a goal is missed.
"""

from __future__ import annotations

import os

# Before numpy loads its libraries, which read it once.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import importlib
import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any

Row = dict[str, Any]

PEERS = ("numpy", "scipy", "numba", "hmmlearn", "talipp", "TA-Lib", "skfolio", "statsmodels", "arch")
GOAL = re.compile(r"(<=|>=) ([\d.]+) ?(x|ms)")


def main() -> int:
    """Print the machine, the table row by row, and how many goals are met; 1 when one is not."""
    begin = monotonic()
    print("\n".join(machine_facts()))
    print(f"\n{'what':<54} {'ours ms':>10} {'peer ms':>10} {'ratio':>9} {'goal':>12}  {'met':<4} peer")
    found: list[bool] = []
    for row in rows():
        reached = met(row)
        said = "-" if reached is None else "yes" if reached else "NO"
        print(f"{_figures(row)}  {said:<4} {row['peer']}", flush=True)
        if reached is not None:
            found.append(reached)
    print(f"\n{sum(found)} of {len(found)} goals met, in {monotonic() - begin:.0f} s")
    return 0 if all(found) else 1


def rows() -> Iterator[Row]:
    """The rows of each ``quant_*.py`` beside this file, by name of the file."""
    for path in sorted(Path(__file__).parent.glob("quant_*.py")):
        yield from importlib.import_module(path.stem).rows()


def met(row: Row) -> bool | None:
    """Whether ours reached the row's goal; None when none is set."""
    goal = GOAL.fullmatch(goal_text(row))
    if goal is None:
        return None
    sign, bound, unit = goal[1], float(goal[2]), goal[3]
    value = row["ratio"] if unit == "x" else row["ours_ms"]
    return value >= bound if sign == ">=" else value <= bound


def goal_text(row: Row) -> str:
    """The goal in words; a bare number is the least ratio."""
    goal = row["goal"]
    return goal if isinstance(goal, str) else f">= {goal:g}x"


def machine_facts() -> list[str]:
    """Processor, cores, Python and the peers' versions: without them a time means nothing."""
    named = re.search(r"model name\s*: (.+)", _text(Path("/proc/cpuinfo")))
    processor = named[1] if named else platform.processor() or platform.machine()
    return [
        f"{processor}, {os.cpu_count()} cores, {platform.system()}; Python {platform.python_version()}; one thread",
        ", ".join(f"{name} {version(name)}" for name in PEERS),
    ]


def _figures(row: Row) -> str:
    peer = "-" if row["peer_ms"] is None else _short(row["peer_ms"])
    ratio = "-" if row["ratio"] is None else f"{row['ratio']:.1f}x"
    return f"{row['name']:<54} {_short(row['ours_ms']):>10} {peer:>10} {ratio:>9} {goal_text(row):>12}"


def _short(time_ms: float) -> str:
    """Three digits that mean something, from nanoseconds to minutes."""
    return f"{time_ms:.0f}" if time_ms >= 100.0 else f"{time_ms:.3g}"


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
