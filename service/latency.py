"""The suite `latency`: the rows of `parley bench` with their goals. Facts of this machine, and of how busy it is."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..evals.errors import SuiteInvalid
from ..evals.harness.options import SuiteOptions
from ..evals.harness.task import Figure, Outcome, Sample, Scored, Summary, Table
from ..evals.suites.shares import share
from .benching import BENCHES, machine
from .console import Console

HOST_NOTE = "These are facts of one machine and its load, not of the desk: another run gives other figures."


@dataclass(frozen=True)
class Latency:
    """A sample is one bench; its rows are in the transcript."""

    benches: tuple[str, ...]
    name: str = "latency"

    def samples(self) -> Sequence[Sample]:
        return [Sample(name, {"bench": name}) for name in self.benches]

    def run(self, sample: Sample, epoch: int) -> Outcome:
        rows = BENCHES[str(sample.input["bench"])](Console(as_json=True))
        missed = [row.name for row in rows if not row.ok]
        return Outcome(
            scores={"rows": float(len(rows)), "met": float(len(rows) - len(missed))},
            passed=not missed,
            reason=f"over the goal: {'; '.join(missed)}" if missed else "",
            transcript={"machine": dict(machine()), "rows": [asdict(row) for row in rows]},
        )

    def summarize(self, scored: Sequence[Scored]) -> Summary:
        rows = [(item.sample.id, row) for item in scored for row in _rows(item)]
        met = sum(row["ok"] for _, row in rows)
        header = ("bench", "what", "half under", "99 of 100 under", "unit", "goal", "met")
        cells = tuple(
            (bench, row["name"], row["p50"], row["p99"], row["unit"], row["goal"], "yes" if row["ok"] else "no")
            for bench, row in rows
        )
        table = Table("Against the goals", header, ("", "", "num", "num", "", "num", ""), cells)
        figures = (share("goals_met", met, len(rows)), Figure("rows", len(rows), "count", n=len(rows)))
        return Summary(figures, (table,), notes=(HOST_NOTE,))


def build_latency(options: SuiteOptions) -> Latency:
    named = options.parameters.get("benches")
    if not isinstance(named, list) or not named or not set(map(str, named)) <= set(BENCHES):
        raise SuiteInvalid(f"benches are {named!r}", remedy=f"Name some of {', '.join(BENCHES)} in latency.toml.")
    return Latency(tuple(map(str, named)))


def _rows(item: Scored) -> list[dict[str, Any]]:
    transcript: Any = item.outcome.transcript
    return transcript["rows"]
