"""The suite `faults`: the fault laboratory's runs, their summary, and a counter-example for each that breaks."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..evals.faults.faults import faults_json
from ..evals.faults.scenarios import NOT_COVERED, ROWS, SCENARIOS
from ..evals.faults.shrink import save_case
from ..evals.faults.suite import CaseResult
from ..evals.suites.faults import result_of
from .console import Console
from .suites import Told

MAX_FAILURES_SHOWN = 10


def tell_results(told: Told) -> dict[str, Any]:
    """By scenario, each counter-example in a file, and how to run it again."""
    results = [result_of(item) for item in told.evaluated.scored]
    failed = [result for result in results if not result.ok]
    files = _saved(failed, told.options.out)
    _print(told.console, results, failed, files, told.evaluated.seconds)
    document = _document(results, files)
    return {**told.document, **document, "ok": document["ok"] and told.document["ok"]}


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


def _document(results: Sequence[CaseResult], files: Mapping[int, Path]) -> dict[str, Any]:
    return {
        "ok": all(result.ok for result in results),
        "runs": len(results),
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
