"""The suite `faults`: the fault laboratory's runs, their summary, and a counter-example for each that breaks."""

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..desk.clock import elapsed_s
from ..evals.faults.faults import faults_json
from ..evals.faults.scenarios import NOT_COVERED, ROWS, SCENARIOS, scenario_named
from ..evals.faults.shrink import load_case, save_case
from ..evals.faults.suite import CaseResult, run_case, run_seeds
from .console import Console
from .suites import EvalRequest

MAX_FAILURES_SHOWN = 10


def perform_faults(request: EvalRequest, console: Console) -> bool:
    if request.scenario is not None:
        scenario_named(request.scenario)
    began = elapsed_s()
    results = [run_case(load_case(request.replay))] if request.replay else _seeds_run(request, console)
    took_s = elapsed_s() - began
    failed = [result for result in results if not result.ok]
    files = _saved(failed, request.out)
    console.result(_document(results, files, took_s))
    _print(console, results, failed, files, took_s)
    return not failed


def _seeds_run(request: EvalRequest, console: Console) -> list[CaseResult]:
    seeds = range(request.seeds) if request.seed is None else range(request.seed, request.seed + 1)
    found: list[CaseResult] = []
    with console.progress("faults") as bar:
        bar(0, len(seeds))
        for result in run_seeds(seeds, request.scenario, processes=request.processes or os.cpu_count() or 1):
            found.append(result)
            bar(len(found), len(seeds))
    return found


def _saved(failed: Sequence[CaseResult], out: Path | None) -> dict[int, Path]:
    """Each counter-example in a file, by its seed."""
    if out is None:
        return {}
    files: dict[int, Path] = {}
    for result in failed:
        case = result.shrunk or result.case
        files[result.seed] = out / f"{case.scenario}-{result.seed}.json"
        save_case(files[result.seed], case, result.violations)
    return files


def _document(results: Sequence[CaseResult], files: Mapping[int, Path], took_s: float) -> dict[str, Any]:
    return {
        "suite": "faults",
        "ok": all(result.ok for result in results),
        "runs": len(results),
        "seconds": round(took_s, 3),
        "scenarios": [
            {"name": name, "runs": len(rows), "failed": sum(not row.ok for row in rows), **_sums(rows)}
            for name, rows in _by_scenario(results).items()
        ],
        "failures": [
            {
                "seed": result.seed,
                "scenario": result.case.scenario,
                "violations": [{"invariant": item.invariant, "text": item.text} for item in result.violations],
                "faults": faults_json((result.shrunk or result.case).faults),
                "file": str(files[result.seed]) if result.seed in files else None,
            }
            for result in results
            if not result.ok
        ],
    }


def _print(
    console: Console,
    results: Sequence[CaseResult],
    failed: Sequence[CaseResult],
    files: Mapping[int, Path],
    took_s: float,
) -> None:
    rows = [
        (
            name,
            str(len(found)),
            *(str(count) for count in _sums(found).values()),
            str(sum(not item.ok for item in found)),
        )
        for name, found in _by_scenario(results).items()
    ]
    header = ("scenario", "runs", "starts", "orders", "fills", "halted", "reducing", "broken")
    console.table("", header, rows)
    for result in failed[:MAX_FAILURES_SHOWN]:
        first = result.violations[0]
        console.say(f"seed {result.seed} ({result.case.scenario}) breaks {first.invariant}: {first.text}")
        for fault in (result.shrunk or result.case).faults:
            console.say(f"    {fault}")
        if result.seed in files:
            console.say(f"    again: parley eval run faults --replay {files[result.seed]}")
    if len(failed) > MAX_FAILURES_SHOWN:
        console.say(f"and {len(failed) - MAX_FAILURES_SHOWN} more")
    verdict = "no invariant broken" if not failed else f"{len(failed)} broke an invariant"
    console.say(f"{len(results)} runs in {took_s:.1f} s: {verdict}")


def _sums(results: Sequence[CaseResult]) -> dict[str, int]:
    return {
        "starts": sum(item.lives for item in results),
        "orders": sum(item.orders for item in results),
        "fills": sum(item.fills for item in results),
        "halted": sum(item.state == "HALTED" for item in results),
        "reducing": sum(item.state == "REDUCING" for item in results),
    }


def _by_scenario(results: Sequence[CaseResult]) -> dict[str, list[CaseResult]]:
    found: dict[str, list[CaseResult]] = defaultdict(list)
    for result in results:
        found[result.case.scenario].append(result)
    order = [scenario.name for scenario in SCENARIOS]
    return dict(sorted(found.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order)))


def tell_faults(console: Console) -> None:
    """The scenarios, and which row of the fault list each one covers."""
    console.say("Scenarios of `faults`:")
    for item in SCENARIOS:
        asked = "" if item.weight else " (only when asked for)"
        console.say(f"  {item.name:15s} {item.text}{asked}")
    console.say("\nRows of the fault list:")
    for row, text in ROWS.items():
        console.say(f"  {row:2d} {text}: {', '.join(_covering(row)) or 'not here, ' + NOT_COVERED[row]}")


def faults_document() -> dict[str, Any]:
    rows = [
        {"row": row, "text": text, "scenarios": _covering(row), "instead": NOT_COVERED.get(row)}
        for row, text in ROWS.items()
    ]
    scenarios = [{"name": item.name, "text": item.text, "rows": list(item.rows)} for item in SCENARIOS]
    return {"scenarios": scenarios, "rows": rows}


def _covering(row: int) -> list[str]:
    return [item.name for item in SCENARIOS if row in item.rows]
