"""The suite `determinism` in its own words: how often the same question gets another decision, model by model."""

from typing import Any

from ..agents.llm.rules import RulesModel
from ..evals.determinism import FlipCount
from ..evals.suites.determinism import build
from ..quant.side_record import wilson_interval
from .suites import Told


def tell_flips(told: Told) -> dict[str, Any]:
    """Not content when the rules decide the same question in two ways; of a language model it is no fault."""
    counts = build(told.options).counts(told.evaluated.scored)
    ok = all(count.flipped == count.other_sizes == 0 for count in counts if count.model == RulesModel.name)
    rows = [_measured(count) for count in counts]
    shown = [
        (
            row["model"],
            str(row["legs"]),
            str(row["flipped"]),
            f"{row['flip_rate']:.1%}",
            _span(row),
            str(row["other_sizes"]),
        )
        for row in rows
    ]
    header = ("model", "legs", "flipped", "flip rate", "95 % interval", "other size")
    epochs = max(count.epochs for count in counts)
    told.console.table(f"{counts[0].decisions} decisions, {epochs} epochs each", header, shown)
    told.console.say("A leg flips when its side, or whether it is traded at all, is not the same in every epoch.")
    return {**told.document, "ok": ok and told.document["ok"], "models": rows}


def _measured(count: FlipCount) -> dict[str, Any]:
    interval = wilson_interval(count.flipped, count.legs) if count.legs else (0.0, 1.0)
    return {
        "model": count.model,
        "decisions": count.decisions,
        "epochs": count.epochs,
        "legs": count.legs,
        "flipped": count.flipped,
        "flip_rate": count.flipped / count.legs if count.legs else 0.0,
        "interval_95": list(interval),
        "other_sizes": count.other_sizes,
    }


def _span(row: dict[str, Any]) -> str:
    low, high = row["interval_95"]
    return f"{low:.1%} to {high:.1%}"
