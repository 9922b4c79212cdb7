"""Suites as tasks of inspect_ai: `inspect eval parley/suite -T name=veto --model none/none`.

Nothing is asked of inspect's model: a sample is answered by our task as it always is, and scored by its outcome. So
the record, the gates and the page stay ours; what is gained is inspect's log and its viewer.
"""

# pyright: reportMissingImports=false
# inspect_ai is an extra, `pip install "parley[inspect]"`, and brings eighty packages that the checks do without.

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from anyio.to_thread import run_sync
from inspect_ai import Task as InspectTask
from inspect_ai import task
from inspect_ai.dataset import MemoryDataset
from inspect_ai.dataset import Sample as InspectSample
from inspect_ai.model import ModelOutput, ModelUsage
from inspect_ai.scorer import NOANSWER, Score, Scorer, Target, mean, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, solver

from ...desk.settings import load_settings
from ...domain.canonical import canonical_text
from ...gate.limits import load_limits
from ..harness.options import SuiteOptions
from ..harness.task import Sample, Task
from ..suites.table import builder_of, chosen

OUTCOME = "outcome"


@task
def suite(name: str = "veto", model: str | None = None, cases: int | None = None, epochs: int | None = None) -> Any:
    """A suite of the evaluation floor; those that look at pages run by `parley eval run` alone."""
    (found,) = chosen((name,))
    settings = load_settings()
    limits = load_limits(settings.limits_file)
    options = SuiteOptions(model=model, cases=cases, settings=settings, limits=limits, parameters=found.parameters)
    return inspect_task(builder_of(found, {})(options), epochs or found.epochs)


def inspect_task(ours: Task, epochs: int = 1) -> InspectTask:
    """Any of our tasks; a sample that ends in an error is one of inspect's, and the others go on."""
    samples = {sample.id: sample for sample in ours.samples()}
    dataset = MemoryDataset(
        [
            InspectSample(id=item.id, input=canonical_text(dict(item.input)), target=canonical_text(item.target))
            for item in samples.values()
        ]
    )
    return InspectTask(
        name=ours.name,
        dataset=dataset,
        solver=answered_by(ours, samples),
        scorer=by_outcome(),
        epochs=epochs,
        fail_on_error=False,
    )


@solver
def answered_by(ours: Task, samples: Mapping[str, Sample]) -> Solver:
    """Asks our task in a thread of its own, since many of them have an event loop of their own."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        outcome = await run_sync(partial(ours.run, samples[str(state.sample_id)], state.epoch - 1))
        state.output = ModelOutput.from_content("none/none", canonical_text(outcome.transcript))
        # Without a usage inspect counts tokens itself, for which it would download a tokenizer.
        state.output.usage = ModelUsage(input_tokens=outcome.tokens, total_tokens=outcome.tokens)
        state.metadata[OUTCOME] = {"passed": outcome.passed, "reason": outcome.reason, "scores": dict(outcome.scores)}
        return state

    return solve


@scorer(metrics=[mean(), stderr()])
def by_outcome() -> Scorer:
    """1 where a sample passed, 0 where it did not, no answer where it tests nothing; our scores lie beside it."""

    async def score(state: TaskState, target: Target) -> Score:
        found = state.metadata[OUTCOME]
        value = NOANSWER if found["passed"] is None else float(found["passed"])
        return Score(value=value, explanation=found["reason"] or json.dumps(found["scores"]), metadata=found)

    return score
