"""The suite `faults`: a sample is a seed of the fault laboratory, or a counter-example that is run again."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from ..faults.faults import faults_json, faults_of
from ..faults.scenarios import SCENARIOS, Case, scenario_named
from ..faults.shrink import load_case
from ..faults.suite import CaseResult, run_case, run_seed
from ..faults.witness import Violation
from ..harness.options import SuiteOptions
from ..harness.task import Figure, Outcome, Sample, Scored, Summary, Table
from .shares import share


@dataclass(frozen=True)
class Faults:
    """Seeds, all of one scenario if asked; or one case."""

    seeds: tuple[int, ...]
    scenario: str | None = None
    replay: Path | None = None
    name: str = "faults"

    def samples(self) -> Sequence[Sample]:
        if self.replay is not None:
            return [Sample("replay", {"case": _case_json(load_case(self.replay))})]
        return [Sample(f"seed-{seed}", {"seed": seed, "scenario": self.scenario}) for seed in self.seeds]

    def run(self, sample: Sample, epoch: int) -> Outcome:
        if "case" in sample.input:
            return _outcome(run_case(_case_of(sample.input["case"])))
        return _outcome(run_seed(int(str(sample.input["seed"])), self.scenario))

    def summarize(self, scored: Sequence[Scored]) -> Summary:
        results = [result_of(item) for item in scored]
        broken = sum(not result.ok for result in results)
        sums = ("lives", "orders", "fills")
        figures = [
            Figure("broken", broken, "count", n=len(results)),
            share("held", len(results) - broken, len(results)),
        ]
        figures += [
            Figure(name, sum(getattr(item, name) for item in results), "count", n=len(results)) for name in sums
        ]
        order = [item.name for item in SCENARIOS]
        names = sorted({item.case.scenario for item in results}, key=lambda name: (name not in order, name))
        rows = [_row(name, [item for item in results if item.case.scenario == name]) for name in names]
        header = ("scenario", "runs", "starts", "orders", "fills", "halted", "reducing", "broken")
        table = Table("By scenario", header, ("", *["count"] * 7), tuple(rows))
        note = "That none broke says that a break is rare in these worlds: the interval of what held says how rare."
        return Summary(tuple(figures), (table,), notes=(note,))


def build(options: SuiteOptions) -> Faults:
    if options.scenario is not None:
        scenario_named(options.scenario)
    seeds = range(options.count("seeds")) if options.seed is None else (options.seed,)
    return Faults(tuple(seeds), options.scenario, options.replay)


def result_of(scored: Scored) -> CaseResult:
    """The laboratory's result, from what was kept of it."""
    found: Any = scored.outcome.transcript
    scores = {name: int(value or 0) for name, value in scored.outcome.scores.items()}
    return CaseResult(
        seed=found["seed"],
        case=_case_of(found["case"]),
        violations=tuple(Violation(**item) for item in found["violations"]),
        state=found["state"],
        reason=found["reason"],
        head_hash=found["head_hash"],
        shrunk=_case_of(found["shrunk"]) if found["shrunk"] else None,
        **scores,
    )


def _outcome(result: CaseResult) -> Outcome:
    scores = {name: float(getattr(result, name)) for name in ("lives", "orders", "fills", "events")}
    first = result.violations[0] if result.violations else None
    return Outcome(
        scores=scores,
        passed=result.ok,
        reason="" if first is None else f"{first.invariant}: {first.text}",
        transcript={
            "seed": result.seed,
            "case": _case_json(result.case),
            "violations": [{"invariant": item.invariant, "text": item.text} for item in result.violations],
            "state": result.state,
            "reason": result.reason,
            "head_hash": result.head_hash,
            "shrunk": _case_json(result.shrunk) if result.shrunk else None,
        },
    )


def _case_json(case: Case) -> dict[str, JsonValue]:
    faults: list[JsonValue] = json.loads(json.dumps(faults_json(case.faults)))
    return {"scenario": case.scenario, "world_seed": case.world_seed, "sessions": case.sessions, "faults": faults}


def _case_of(document: Any) -> Case:
    return Case(document["scenario"], document["world_seed"], document["sessions"], faults_of(document["faults"]))


def _row(name: str, results: Sequence[CaseResult]) -> tuple[str | float | int | None, ...]:
    return (
        name,
        len(results),
        sum(item.lives for item in results),
        sum(item.orders for item in results),
        sum(item.fills for item in results),
        sum(item.state == "HALTED" for item in results),
        sum(item.state == "REDUCING" for item in results),
        sum(not item.ok for item in results),
    )
