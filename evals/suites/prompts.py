"""The suite `prompts`: a sample is a seeded question to every prompt; answers are counted and held against before."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from ...agents.ask import Asking
from ...agents.llm.rules import RulesModel
from ...desk.llm_settings import LlmSettings
from ...desk.models import build_model
from ..errors import CaseUnreadable
from ..harness.options import SuiteOptions
from ..harness.task import Figure, Outcome, Sample, Scored, Summary, Table
from ..prompt_regression import Answers, PromptResult, Stored, answers_of, compared


@checked(frozen=True, config=ConfigDict(extra="forbid", strict=True))
class Recorded:
    """A file of answers: whose they are, and by prompt which."""

    model: str
    prompts: dict[str, Stored]


@dataclass(frozen=True)
class Prompts:
    """So many questions to one model; `replay` are its answers of before."""

    cases: int
    model: str
    llm: LlmSettings
    replay: Path | None = None
    name: str = "prompts"

    def samples(self) -> Sequence[Sample]:
        return [Sample(f"question-{seed}", {"seed": seed, "model": self.model}) for seed in range(self.cases)]

    def run(self, sample: Sample, epoch: int) -> Outcome:
        asking = Asking(build_model(self.model, self.llm), timeout_s=self.llm.timeout_s, max_tokens=self.llm.max_tokens)
        answers = asyncio.run(answers_of(asking, (int(str(sample.input["seed"])),)))
        given = sum(sum(counts.values()) for counts in answers.values())
        return Outcome({"answers": float(given)}, transcript={name: dict(counts) for name, counts in answers.items()})

    def summarize(self, scored: Sequence[Scored]) -> Summary:
        results = self.compared(scored)
        rows = [
            (f"{item.prompt} {item.version}", shares(item.answers), shares(item.stored), item.distance, _said(item))
            for item in results
        ]
        header = ("prompt", "now", "before", "moved", "")
        moved = max((item.distance for item in results), default=0.0)
        figures = (
            Figure("faults", sum(bool(item.faults) for item in results), "count", n=len(results)),
            Figure("moved", moved, "frac", n=len(scored), note="of the prompt that moved most"),
        )
        return Summary(figures, (Table(f"Answers of {self.model}", header, ("", "", "", "frac", ""), tuple(rows)),))

    def compared(self, scored: Sequence[Scored]) -> tuple[PromptResult, ...]:
        """All answers together, prompt by prompt, against what they were."""
        counts: dict[str, Counter[str]] = {}
        for item in scored:
            given: Any = item.outcome.transcript
            for name, answers in given.items():
                counts.setdefault(name, Counter()).update(answers)
        found: dict[str, Answers] = {name: dict(sorted(given.items())) for name, given in counts.items()}
        return compared(found, read_answers(self.replay, self.model) if self.replay else None)


def build(options: SuiteOptions) -> Prompts:
    llm = options.settings.llm
    model = options.model or llm.model or RulesModel.name
    if options.replay is not None:
        read_answers(options.replay, model)
    return Prompts(options.count("cases"), model, llm, options.replay)


def read_answers(path: Path, model: str) -> Mapping[str, Stored]:
    """The answers of before; raises CaseUnreadable when they are none, or another model's."""
    try:
        found = TypeAdapter(Recorded).validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise CaseUnreadable(
            f"{path}: no record of a model's answers: {str(error).splitlines()[0]}",
            remedy="Make one with `parley eval run prompts --out FILE`.",
        ) from error
    if found.model != model:
        raise CaseUnreadable(
            f"{path} holds the answers of {found.model!r}, and {model!r} is asked",
            remedy=f"Use --model {found.model}, or a record of {model}.",
        )
    return found.prompts


def answers_text(model: str, results: Sequence[PromptResult]) -> str:
    """The file that a later run is held against."""
    prompts = {
        result.prompt: {"version": result.version, "hash": result.hash, "answers": result.answers} for result in results
    }
    return json.dumps({"model": model, "prompts": prompts}, indent=2) + "\n"


def shares(answers: Mapping[str, int]) -> str:
    total = sum(answers.values())
    return " ".join(f"{name} {count / total:.0%}" for name, count in answers.items()) if total else "none"


def _said(result: PromptResult) -> str:
    return "; ".join(result.faults) or "as before"
