"""Outcomes as lines and files: what one sample came to, in one canonical line, and its transcript beside it."""

import json
from dataclasses import dataclass

from pydantic import JsonValue

from ...domain.canonical import canonical_text
from ..errors import RecordUnreadable
from .task import Outcome, Sample


@dataclass(frozen=True, slots=True)
class Kept:
    """One line of a record: an outcome without its transcript, or the error that a sample ended in."""

    sample: str
    epoch: int
    outcome: Outcome
    error: str

    @property
    def key(self) -> tuple[str, int]:
        return self.sample, self.epoch


def outcome_line(sample: str, epoch: int, outcome: Outcome | None, error: str) -> str:
    """One canonical line, without the transcript; raises CanonicalError for a NaN and what else is no JSON."""
    found = outcome or Outcome({}, passed=False, reason=error)
    if outcome is not None:
        canonical_text(outcome.transcript)
    return canonical_text(
        {
            "sample": sample,
            "epoch": epoch,
            "scores": dict(found.scores),
            "passed": found.passed,
            "reason": found.reason,
            "calls": found.calls,
            "tokens": found.tokens,
            "cost_usd": found.cost_usd,
            "error": error,
        }
    )


def kept_of(line: str) -> Kept:
    """The outcome of a line."""
    try:
        row = json.loads(line)
        outcome = Outcome(
            scores=row["scores"],
            passed=row["passed"],
            reason=row["reason"],
            calls=row["calls"],
            tokens=row["tokens"],
            cost_usd=row["cost_usd"],
        )
        return Kept(row["sample"], row["epoch"], outcome, row["error"])
    except (ValueError, KeyError, TypeError) as error:
        raise RecordUnreadable(
            f"a line of outcomes is none: {line:.80}", remedy="Run the evaluation anew with --refresh."
        ) from error


def transcript_text(sample: Sample, epoch: int, transcript: JsonValue) -> str:
    """The file of one sample: what was asked, and everything that a reader would ask for."""
    return canonical_text(
        {
            "sample": sample.id,
            "epoch": epoch,
            "input": dict(sample.input),
            "target": sample.target,
            "metadata": dict(sample.metadata),
            "transcript": transcript,
        }
    )
