"""The suite `prompts` in its own words: how a model's answers to each prompt are distributed, now and before."""

from typing import Any

from ..evals.prompt_regression import PromptResult
from ..evals.suites.prompts import Prompts, answers_text, build, shares
from .suites import Told


def tell_prompts(told: Told) -> dict[str, Any]:
    """Not content when a prompt's answers moved or collapsed."""
    task: Prompts = build(told.options)
    results = task.compared(told.evaluated.scored)
    if told.options.out is not None:
        told.options.out.write_text(answers_text(task.model, results), encoding="utf-8")
    rows = [
        (
            f"{result.prompt} {result.version}",
            shares(result.answers),
            shares(result.stored),
            "; ".join(result.faults) or "as before",
        )
        for result in results
    ]
    told.console.table(f"Answers of {task.model}", ("prompt", "now", "before", ""), rows)
    ok = told.document["ok"] and not any(result.faults for result in results)
    return {**told.document, "model": task.model, "ok": ok, "prompts": [_row(result) for result in results]}


def _row(result: PromptResult) -> dict[str, Any]:
    return {
        "prompt": result.prompt,
        "version": result.version,
        "answers": result.answers,
        "stored": result.stored,
        "distance": result.distance,
        "faults": list(result.faults),
    }
