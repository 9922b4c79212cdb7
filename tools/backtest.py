"""Whether this very book's VaR would have held: each evening's forecast of the last years against the next day."""

from collections.abc import Callable, Mapping

import numpy as np

from ..quant.filtered_history import filtered_loss_var, filtered_var
from ..quant.var import historical_var
from ..quant.var_backtests import (
    BASEL_DAYS,
    basel_multiplier,
    christoffersen,
    cumulative_exceptions,
    exceptions,
    kupiec,
    traffic_light,
)
from .ledger import Ledger, figure
from .long_history import LongHistory, long_history
from .scene import WINDOW_DAYS, FloatArray, Scene

LEVEL = 0.99
JUDGED_DAYS = 1260
"""Five years, where the data set goes back as far."""
SHOWN_DAYS = 500
DRAWN = ("historical", "rescaled")

Measure = Callable[[FloatArray, FloatArray], float]


def _historical(weights: FloatArray, returns: FloatArray) -> float:
    return historical_var(returns @ weights, LEVEL)


def _historical_losses(weights: FloatArray, returns: FloatArray) -> float:
    return historical_var(np.minimum(returns * weights, 0.0).sum(axis=1), LEVEL)


def _rescaled(weights: FloatArray, returns: FloatArray) -> float:
    return filtered_var(weights, returns, LEVEL)


def _rescaled_losses(weights: FloatArray, returns: FloatArray) -> float:
    return filtered_loss_var(weights, returns, LEVEL)


MEASURES: Mapping[str, Measure] = {
    "historical": _historical,
    "rescaled": _rescaled,
    "historical, losses only": _historical_losses,
    "rescaled, losses only": _rescaled_losses,
}
"""Over 252 days: the past as it was, and at today's volatility; as the book nets, and as the gate counts."""


def book_backtest(ledger: Ledger, scene: Scene, weights: Mapping[str, float]) -> tuple[str, dict[str, object]]:
    """One-day 99 % VaR of today's weights by four measures over up to five years, with the supervisor's reading.

    The weights are those of today on every past day, so this judges the measure and not the desk's choices.
    """
    long = long_history(scene, weights, WINDOW_DAYS + JUDGED_DAYS)
    judged = len(long.book) - WINDOW_DAYS
    output: dict[str, object]
    if judged < BASEL_DAYS:
        output = {"refused": f"{len(long.book)} days of common history, {WINDOW_DAYS + BASEL_DAYS} are needed"}
    else:
        realized = long.book[WINDOW_DAYS:]
        paths = {name: _path(measure, long) for name, measure in MEASURES.items()}
        output = {
            "level": LEVEL,
            "days": judged,
            "first_day": long.days[WINDOW_DAYS],
            "expected": figure(judged * (1.0 - LEVEL)),
            "rows": {name: _record(realized, path) for name, path in paths.items()},
            "path": {
                "day": list(long.days[-min(SHOWN_DAYS, judged) :]),
                "return": [figure(value) for value in realized[-SHOWN_DAYS:].tolist()],
                "floor": {name: [figure(-value) for value in paths[name][-SHOWN_DAYS:].tolist()] for name in DRAWN},
            },
        }
    inputs = {"weights": dict(weights), "level": LEVEL, "window_days": WINDOW_DAYS}
    return ledger.record("book_backtest", 1, "as named", inputs, output).id, output


def _path(measure: Measure, long: LongHistory) -> FloatArray:
    ends = range(WINDOW_DAYS, len(long.book))
    return np.array([measure(long.weights, long.returns[end - WINDOW_DAYS : end]) for end in ends])


def _record(realized: FloatArray, var: FloatArray) -> dict[str, object]:
    hits = exceptions(realized, var)
    count, last_year = int(hits.sum()), int(hits[-BASEL_DAYS:].sum())
    coverage = christoffersen(hits, LEVEL)
    return {
        "exceptions": count,
        "kupiec_p": figure(kupiec(count, len(hits), LEVEL).p_value),
        "independence_p": figure(coverage.independence.p_value),
        "coverage_p": figure(coverage.conditional.p_value),
        "last_year": last_year,
        "last_year_or_fewer": figure(cumulative_exceptions(last_year, BASEL_DAYS, LEVEL)),
        "zone": traffic_light(last_year, BASEL_DAYS, LEVEL).value,
        "multiplier": basel_multiplier(last_year),
        "mean_var": figure(float(var.mean())),
    }
