"""Levels and what was measured against them: in what, as the log records it, and in a person's words."""

import math
import re
from collections.abc import Mapping
from typing import Literal

Unit = Literal["", "frac", "of limit", "bps", "ms", "s", "count", "corr", "psi"]
"""frac: a fraction, of equity or of a whole; of limit: a fraction of a bound; corr and psi have no unit."""

BREAKER_UNITS: Mapping[str, Unit] = {
    "daily_loss": "frac",
    "concentration": "of limit",
    "correlation": "corr",
    "confidence": "frac",
    "drawdown_alert": "frac",
    "drawdown": "frac",
    "reject_rate": "frac",
    "slippage": "bps",
    "stale_data": "s",
    "drift": "count",
    "unresolved": "count",
    "unacknowledged": "count",
}
"""What each circuit breaker measures in, by its name."""

_FIGURE = r"(?P<figure>[-+]?(?:\d[\d.]*(?:e[-+]?\d+)?|inf|nan)) (?P<unit>frac|of limit|bps|s|count|corr)"
_PAST = re.compile(rf"\bis {_FIGURE}, the level is (?P<level>\d[\d.]*(?:e[-+]?\d+)?)")
_BACK = re.compile(rf"\bis back at {_FIGURE}(?!\S)")


def measured_text(figure: float, unit: str) -> str:
    """A figure as people read it."""
    if not math.isfinite(figure):
        return "no finite figure"
    match unit:
        case "frac" | "of limit":
            return f"{round(100 * figure, 2) + 0.0:.2f} %"  # no minus before a zero
        case "bps":
            return f"{figure:.1f} bp"
        case "ms":
            return f"{figure:.0f} ms" if figure < 10_000 else f"{figure / 1000:.1f} s"
        case "s":
            return f"{figure:.0f} s"
        case "count":
            return f"{figure:.0f}"
        case _:
            return f"{figure:.3g}"


def past_text(what: str, figure: float, unit: Unit, level: float) -> str:
    """As the log records it: the same in every version, so that a run that was made again has the same bytes."""
    return f"{what} is {figure:.4g} {unit}, the level is {level:.4g}"


def back_text(what: str, figure: float, unit: Unit) -> str:
    """As the log records it, like the other."""
    return f"{what} is back at {figure:.4g} {unit}"


def in_words(recorded: str) -> str:
    """A text of the log for a person: each figure that it sets against a level has its unit, and the level too."""
    text = _PAST.sub(
        lambda found: (
            f"is {measured_text(float(found['figure']), found['unit'])}, "
            f"the level is {measured_text(float(found['level']), found['unit'])}"
        ),
        recorded,
    )
    return _BACK.sub(lambda found: f"is back at {measured_text(float(found['figure']), found['unit'])}", text)
