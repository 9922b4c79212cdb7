"""Small tasks for tests of the harness: sums, crashes, costs; importable by worker processes."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from parley.evals.errors import CaseUnreadable
from parley.evals.harness.task import Figure, Outcome, Sample, Scored, Summary


@dataclass(frozen=True)
class Sums:
    """Squares its sample; what a sample's `does` names goes wrong."""

    count: int = 6
    does: tuple[tuple[int, str], ...] = ()
    log: Path | None = None
    name: str = "sums"

    def samples(self) -> Sequence[Sample]:
        return [Sample(f"n{k}", {"k": k}, k * k) for k in range(self.count)]

    def run(self, sample: Sample, epoch: int) -> Outcome:
        k = int(str(sample.input["k"]))
        if self.log is not None:
            with self.log.open("a") as file:
                file.write(f"{sample.id}.{epoch}\n")
        what = dict(self.does).get(k)
        if what == "refuse":
            raise CaseUnreadable("the sample is refused")
        if what == "crash":
            raise ZeroDivisionError("by nothing")
        if what == "die":
            os.kill(os.getpid(), 9)
        if what == "hang":
            time.sleep(60)
        if what == "nan":
            return Outcome({"square": float("nan")})
        passed = what != "fail"
        return Outcome(
            {"square": float(k * k + epoch)}, passed, "" if passed else "it is wrong", {"k": k}, cost_usd=0.25
        )

    def summarize(self, scored: Sequence[Scored]) -> Summary:
        total = sum(item.outcome.scores["square"] or 0.0 for item in scored)
        return Summary((Figure("total", total, "num", n=len(scored)),))
