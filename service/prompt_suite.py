"""The suite `prompts`: how a model's answers to each prompt are distributed, beside those of before."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from ..agents.ask import Asking
from ..agents.llm.rules import RulesModel
from ..desk.models import build_model
from ..desk.settings import load_settings
from ..evals.errors import CaseUnreadable
from ..evals.prompt_regression import N_CASES, PromptResult, Stored, answers_of, compared
from .console import Console
from .suites import EvalRequest


@checked(frozen=True, config=ConfigDict(extra="forbid", strict=True))
class Recorded:
    """A file of answers: whose they are, and by prompt which."""

    model: str
    prompts: dict[str, Stored]


def perform_prompts(request: EvalRequest, console: Console) -> bool:
    """Ask the seeded questions; false when a prompt's answers moved or collapsed."""
    settings = load_settings()
    name = request.model or settings.llm.model or RulesModel.name
    stored = _read(request.replay, name) if request.replay else None
    model = build_model(name, settings.llm)
    asking = Asking(model, timeout_s=settings.llm.timeout_s, max_tokens=settings.llm.max_tokens)
    results = compared(asyncio.run(answers_of(asking, request.cases or N_CASES)), stored)
    if request.out:
        request.out.write_text(_recorded(name, results), encoding="utf-8")
    _tell(name, results, console)
    return not any(result.faults for result in results)


def _read(path: Path, model: str) -> Mapping[str, Stored]:
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


def _recorded(model: str, results: tuple[PromptResult, ...]) -> str:
    prompts = {
        result.prompt: {"version": result.version, "hash": result.hash, "answers": result.answers} for result in results
    }
    return json.dumps({"model": model, "prompts": prompts}, indent=2) + "\n"


def _tell(model: str, results: tuple[PromptResult, ...], console: Console) -> None:
    console.result(
        {
            "model": model,
            "ok": not any(result.faults for result in results),
            "prompts": [
                {
                    "prompt": result.prompt,
                    "version": result.version,
                    "answers": result.answers,
                    "stored": result.stored,
                    "distance": result.distance,
                    "faults": list(result.faults),
                }
                for result in results
            ],
        }
    )
    rows = [
        (
            f"{result.prompt} {result.version}",
            _shares(result.answers),
            _shares(result.stored),
            "; ".join(result.faults) or "as before",
        )
        for result in results
    ]
    console.table(f"Answers of {model}", ("prompt", "now", "before", ""), rows)


def _shares(answers: Mapping[str, int]) -> str:
    total = sum(answers.values())
    return " ".join(f"{name} {count / total:.0%}" for name, count in answers.items()) if total else "none"
