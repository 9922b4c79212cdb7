"""What the terminal and the JSON document say of any evaluation: figures, gates, failures, and why it stopped."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..evals.harness.gates import Judged
from ..evals.harness.runner import Evaluated
from ..evals.harness.suite import Suite
from ..evals.harness.task import Figure
from .console import Console
from .pages.numbers import shown

MAX_SHOWN = 10
NOTHING = "–"


def document_of(suite: Suite, evaluated: Evaluated, judged: Sequence[Judged], html: Path) -> dict[str, Any]:
    """The document of `parley eval run`. A gate with too few observations is told of, and fails `eval gates` alone."""
    failed = [item for item in judged if not item.passed and not item.is_short]
    return {
        "suite": suite.name,
        "id": evaluated.record.id,
        "ok": not (evaluated.failures or evaluated.stopped or failed),
        "stopped": evaluated.stopped,
        "asked": evaluated.asked,
        "done": evaluated.done,
        "cached": evaluated.cached,
        "passed": evaluated.passed,
        "errors": evaluated.errors,
        "cost_usd": evaluated.cost_usd,
        "seconds": round(evaluated.seconds, 3),
        "figures": [_figure_row(item) for item in evaluated.summary.figures],
        "failures": [
            {"sample": item.sample, "epoch": item.epoch, "reason": item.reason, "error": item.is_error}
            for item in evaluated.failures
        ],
        "gates": [gate_row(item) for item in judged],
        "notes": list(evaluated.summary.notes),
        "folder": str(evaluated.record.folder),
        "html": str(html),
    }


def gate_row(item: Judged) -> dict[str, Any]:
    gate = item.gate
    return {
        "suite": gate.suite,
        "gate": gate.text,
        "value": item.value,
        "n": item.n,
        "passed": item.passed,
        "reason": item.reason,
        "why": gate.why,
    }


def say_evaluation(
    console: Console, suite: Suite, evaluated: Evaluated, judged: Sequence[Judged], html: Path, *, with_figures: bool
) -> None:
    """Figures first, then what failed and why, then what it costs to believe it."""
    if with_figures:
        console.say(f"{suite.name}: {suite.text}")
        header = ("figure", "value", "95 % interval", "of", "")
        console.table(
            "", header, [figure_cells(item) for item in first_then_rest(evaluated.summary.figures, suite.first)]
        )
        for note in evaluated.summary.notes:
            console.say(note)
    told = evaluated.failures if with_figures else [item for item in evaluated.failures if item.is_error]
    for item in told[:MAX_SHOWN]:
        epoch = f" epoch {item.epoch}" if item.epoch else ""
        console.say(f"{'error' if item.is_error else 'failed'} {item.sample}{epoch}: {item.reason}")
    if len(told) > MAX_SHOWN:
        console.say(f"and {len(told) - MAX_SHOWN} more, in the page")
    tell_gates(console, [(evaluated.record.id, item) for item in judged])
    if evaluated.stopped:
        console.say(f"stopped: {evaluated.stopped}; the same command without the bound goes on")
    cached = f", {evaluated.cached} of them from the record (--refresh asks anew)" if evaluated.cached else ""
    error = f", {evaluated.errors} ended in an error" if evaluated.errors else ""
    console.say(f"{evaluated.record.id}: {evaluated.done} of {evaluated.asked} samples{cached}{error}")
    console.say(f"Page: {html}")


def tell_gates(console: Console, rows: Sequence[tuple[str, Judged]]) -> None:
    if not rows:
        return
    shown_rows = [
        (
            f"{item.gate.suite}: {item.gate.text}",
            NOTHING if item.value is None else f"{item.value:g}",
            str(item.n or 0),
            "holds" if item.passed else "too few" if item.is_short else "FAILS",
        )
        for _, item in rows
    ]
    console.table("Gates", ("gate", "is", "of", ""), shown_rows)


def first_then_rest(figures: Sequence[Figure], first: Sequence[str]) -> list[Figure]:
    """The figures that the suite's file wants first, in its order, then the others in theirs."""
    order = {name: place for place, name in enumerate(first)}
    return sorted(figures, key=lambda item: order.get(item.name, len(order)))


def figure_cells(figure: Figure) -> tuple[str, str, str, str, str]:
    value = NOTHING if figure.value is None else shown(figure.value, figure.unit)
    span = ""
    if figure.low is not None and figure.high is not None:
        span = f"{shown(figure.low, figure.unit)} to {shown(figure.high, figure.unit)}"
    return figure.name, value, span, "" if figure.n is None else f"{figure.n:,}", figure.note


def _figure_row(figure: Figure) -> dict[str, Any]:
    return {
        "name": figure.name,
        "value": figure.value,
        "unit": figure.unit,
        "low": figure.low,
        "high": figure.high,
        "n": figure.n,
        "note": figure.note,
    }
