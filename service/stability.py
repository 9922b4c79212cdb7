"""The suite `determinism`: how often the same question gets another decision, by a wavering model and by the rules."""

from typing import Any

from ..desk.clock import elapsed_s
from ..evals.attacks.ground import SETTINGS, stretch
from ..evals.determinism import FlipCount, count_flips, epochs_of
from ..gate.limits import load_limits
from ..quant.side_record import wilson_interval
from .console import Console
from .suites import EvalRequest

EPOCHS = 5
DAYS = 8
DAYS_APART = 15
"""Three weeks: decisions that have little in common."""
MODELS = ("stochastic", "rules")


def perform_determinism(request: EvalRequest, console: Console) -> bool:
    """False when the rules decide the same question in two ways; of a language model it is a measure, no fault."""
    began, days = elapsed_s(), min(request.cases or DAYS, DAYS)
    data = stretch(DAYS * DAYS_APART)
    sessions = data.history().sessions_between()[-DAYS * DAYS_APART :: DAYS_APART][:days]
    counts: list[FlipCount] = []
    with console.progress("models") as bar:
        for done, name in enumerate(MODELS):
            bar(done, len(MODELS))
            counts.append(count_flips(data, sessions, epochs_of(name, EPOCHS), SETTINGS, load_limits()))
    ok = all(count.flipped == count.other_sizes == 0 for count in counts if count.model == "rules")
    rows = [_measured(count) for count in counts]
    console.result({"suite": "determinism", "ok": ok, "seconds": round(elapsed_s() - began, 3), "models": rows})
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
    console.table(f"{days} decisions, {EPOCHS} epochs each", header, shown)
    console.say("A leg flips when its side, or whether it is traded at all, is not the same in every epoch.")
    return ok


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
