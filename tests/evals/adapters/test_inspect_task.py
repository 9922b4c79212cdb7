"""Suites as tasks of inspect_ai: the same samples, the same outcomes, and an error that stays one sample's."""
# pyright: reportMissingImports=false

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inspect_ai import eval as evaluated
from parley.evals.adapters.inspect_task import inspect_task, suite
from parley.evals.harness.options import SuiteOptions
from parley.evals.harness.task import Outcome, Sample, Scored, Summary
from parley.evals.suites import veto


@dataclass(frozen=True)
class Odd:
    """Passes on even numbers, fails on odd ones, and has no answer to three."""

    name: str = "odd"

    def samples(self) -> Sequence[Sample]:
        return [Sample(f"n{k}", {"k": k}) for k in range(4)]

    def run(self, sample: Sample, epoch: int) -> Outcome:
        k = int(str(sample.input["k"]))
        if k == 3:
            raise ZeroDivisionError("by nothing")
        return Outcome({"epoch": float(epoch)}, k % 2 == 0, "it is odd" if k % 2 else "")

    def summarize(self, scored: Sequence[Scored]) -> Summary:
        return Summary(())


def run(task: Any, folder: Path) -> Any:
    return evaluated(task, model="none/none", display="none", log_dir=str(folder))[0]


def test_each_sample_is_answered_in_each_epoch_and_an_error_is_its_own(tmp_path: Path) -> None:
    log = run(inspect_task(Odd(), epochs=2), tmp_path)

    assert log.status == "success"
    found = {(item.id, item.epoch): item for item in log.samples}
    assert len(found) == 8
    assert found["n0", 1].scores["by_outcome"].value == 1.0
    assert found["n1", 2].scores["by_outcome"].explanation == "it is odd"
    assert found["n2", 2].scores["by_outcome"].metadata["scores"] == {"epoch": 1.0}
    assert "by nothing" in found["n3", 1].error.message


def test_a_suite_of_the_table_comes_to_what_it_comes_to_here(tmp_path: Path) -> None:
    log = run(suite(name="robustness"), tmp_path)

    assert log.results.scores[0].metrics["mean"].value == 1.0
    assert log.results.total_samples == 36
    assert len(suite(name="veto").dataset) == len(veto.build(SuiteOptions()).samples())
