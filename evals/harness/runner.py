"""Runs an evaluation: its samples and epochs, over worker processes, within bounds, from where it stopped."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from ... import ParleyError
from ...desk.clock import elapsed_s
from ..errors import SuiteInvalid
from .junit import junit_of
from .outcomes import Kept
from .pool import Done, Job, run_jobs
from .record import STATE, Record
from .task import Keeping, Outcome, Sample, Scored, Summary, Task

Told = Callable[[int, int], None]
"""Of how many samples are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How it is run: none of it changes what a sample comes to."""

    processes: int = 1
    timeout_s: float | None = None
    """Of each sample."""
    max_samples: int | None = None
    max_cost_usd: float | None = None
    refresh: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """A sample that did not pass, or that ended in an error."""

    sample: str
    epoch: int
    reason: str
    is_error: bool


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What an evaluation came to. `stopped` says why it is not whole; empty when every sample was asked."""

    record: Record
    manifest: Mapping[str, Any]
    summary: Summary
    scored: tuple[Scored, ...]
    failures: tuple[Failure, ...]
    asked: int
    done: int
    cached: int
    cost_usd: float
    stopped: str
    seconds: float

    @property
    def errors(self) -> int:
        return sum(item.is_error for item in self.failures)

    @property
    def passed(self) -> int:
        return sum(item.outcome.passed is True for item in self.scored)


def jobs_of(samples: Sequence[Sample], epochs: int) -> list[Job]:
    """Sample by sample, each in all its epochs; raises SuiteInvalid when two have one id."""
    names = {item.id for item in samples}
    if len(names) != len(samples):
        raise SuiteInvalid("two samples of a suite have the same id", remedy="Give each sample an id of its own.")
    pairs = [(sample, epoch) for sample in samples for epoch in range(epochs)]
    return [Job(place, sample, epoch) for place, (sample, epoch) in enumerate(pairs)]


def evaluate(
    task: Task, samples: Sequence[Sample], record: Record, manifest: Mapping[str, Any], bounds: Bounds, told: Told
) -> Evaluated:
    """Ask what is not answered yet, and sum up. Errors are never served from a record: they are asked again."""
    began_s = elapsed_s()
    jobs = jobs_of(samples, manifest["epochs"])
    with record.held():
        record.begin(manifest, anew=bounds.refresh)
        kept = {key: item for key, item in record.kept().items() if not item.error}
        cached = sum((job.sample.id, job.epoch) in kept for job in jobs)
        stopped = _ask(task, jobs, record, kept, bounds, told)
        record.settle(jobs, kept)
        evaluated = summed_up(task, samples, record, manifest, stopped, cached, elapsed_s() - began_s)
        record.name_latest(manifest["suite"])
    return evaluated


def summed_up(
    task: Task,
    samples: Sequence[Sample],
    record: Record,
    manifest: Mapping[str, Any],
    stopped: str,
    cached: int = 0,
    seconds: float = 0.0,
) -> Evaluated:
    """The summary of what a record holds, written beside it; nothing is run. What the task keeps is kept."""
    jobs = jobs_of(samples, manifest["epochs"])
    kept = record.kept()
    rows = [(job, kept[job.sample.id, job.epoch]) for job in jobs if (job.sample.id, job.epoch) in kept]
    scored = tuple(Scored(job.sample, job.epoch, record.outcome(item)) for job, item in rows if not item.error)
    evaluated = Evaluated(
        record=record,
        manifest=manifest,
        summary=_summary(task, scored),
        scored=scored,
        failures=failures_of(item for _, item in rows),
        asked=len(jobs),
        done=len(rows),
        cached=cached,
        cost_usd=sum(item.outcome.cost_usd for _, item in rows),
        stopped=stopped,
        seconds=seconds,
    )
    if isinstance(task, Keeping):
        task.keep(scored)
    record.write_summary(evaluated.summary)
    record.write(STATE, state_of(evaluated))
    record.write_text("junit.xml", junit_of(manifest["suite"], [item for _, item in rows]))
    return evaluated


def state_of(evaluated: Evaluated) -> dict[str, Any]:
    return {
        "state": "stopped" if evaluated.stopped else "finished",
        "reason": evaluated.stopped,
        "asked": evaluated.asked,
        "done": evaluated.done,
        "passed": evaluated.passed,
        "failed": len(evaluated.failures) - evaluated.errors,
        "errors": evaluated.errors,
        "cost_usd": evaluated.cost_usd,
    }


def failures_of(kept: Iterable[Kept]) -> tuple[Failure, ...]:
    return tuple(
        Failure(item.sample, item.epoch, item.error or item.outcome.reason, bool(item.error))
        for item in kept
        if item.error or item.outcome.passed is False
    )


def _ask(
    task: Task,
    jobs: Sequence[Job],
    record: Record,
    kept: dict[tuple[str, int], Kept],
    bounds: Bounds,
    told: Told,
) -> str:
    """Ask what is missing, keep each answer as it comes; why it stopped before the end, if it did."""
    within = jobs if bounds.max_samples is None else jobs[: bounds.max_samples]
    missing = [job for job in within if (job.sample.id, job.epoch) not in kept]
    spent = sum(item.outcome.cost_usd for item in kept.values())
    if _is_spent(spent, bounds) and missing:
        return _spent_text(spent, bounds)
    told(len(within) - len(missing), len(within))
    with closing(run_jobs(task, missing, processes=bounds.processes, timeout_s=bounds.timeout_s)) as results:
        for number, done in enumerate(results, len(within) - len(missing) + 1):
            record.add(done)
            item = _kept(done)
            kept[item.key] = item
            spent += item.outcome.cost_usd
            told(number, len(within))
            if _is_spent(spent, bounds) and number < len(jobs):
                return _spent_text(spent, bounds)
    if len(within) < len(jobs):
        return f"{len(within)} of {len(jobs)} samples were asked, which is the most allowed (--max-samples)"
    return ""


def _kept(done: Done) -> Kept:
    """Without the transcript, which lies in its file: a thousand of them need not stay in memory."""
    outcome = done.outcome or Outcome({}, passed=False, reason=done.error)
    return Kept(done.job.sample.id, done.job.epoch, replace(outcome, transcript=None), done.error)


def _is_spent(spent: float, bounds: Bounds) -> bool:
    return bounds.max_cost_usd is not None and spent >= bounds.max_cost_usd > 0.0


def _spent_text(spent: float, bounds: Bounds) -> str:
    return f"{spent:.4f} USD were spent, and {bounds.max_cost_usd:g} may be (--max-cost)"


def _summary(task: Task, scored: Sequence[Scored]) -> Summary:
    """The task's own, or the reason why there is none: a part of the samples may be too few to be summed up."""
    if not scored:
        return Summary((), notes=("No sample was answered, so there is nothing to sum up.",))
    try:
        return task.summarize(scored)
    except ParleyError as error:
        return Summary((), notes=(f"What was answered could not be summed up: {error}",))
