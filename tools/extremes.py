"""The far tail of a book: which threshold its Pareto law starts at, what argues for it, and what lies beyond."""

from collections.abc import Mapping

import numpy as np

from ..quant.errors import QuantError
from ..quant.extremes import MIN_EXCESSES, ParetoTail, hill, mean_excess, pareto_tail_risk, threshold_scan
from .ledger import Ledger, figure
from .long_history import long_history
from .scene import FloatArray, Scene

LEVELS = np.round(np.arange(0.80, 0.98, 0.01), 2)
"""Thresholds that are tried, as quantiles of the losses."""
FAR_LEVEL = 0.995
MEAN_EXCESS_POINTS = 40
LEAST_BEYOND = 10
HILL_FROM, HILL_TO_FRAC = 15, 0.15
RULE = "the lowest threshold whose shape all higher ones share, as far as fits on nested days can tell"


def extreme_tail(ledger: Ledger, scene: Scene, weights: Mapping[str, float]) -> tuple[str, dict[str, object]]:
    """Peaks over threshold on up to 1000 days of the book: mean excess, shape by threshold, Hill, and the choice.

    The losses are taken as they came, not at today's volatility: this is the tail of a day without a date.
    """
    history = long_history(scene, weights).book
    output: dict[str, object]
    try:
        fits = _fits(history)
        chosen = _chosen([fit for _, fit in fits])
        rows = [_row(level, fit) for level, fit in fits]
        output = {
            "days": len(history),
            "rule": RULE,
            "chosen": rows[chosen] | {"excesses": fits[chosen][1].n_excesses},
            "scan": rows,
            "mean_excess": _mean_excess(history),
            "hill": _hill(history),
        }
    except QuantError as error:
        output = {"refused": error.message}
    inputs = {"weights": dict(weights), "days": len(history)}
    return ledger.record("extreme_tail", 1, "fraction of equity", inputs, output).id, output


def _fits(history: FloatArray) -> list[tuple[float, ParetoTail]]:
    """A fit for each threshold that leaves enough losses beyond it; when none fits, the refusal of the last."""
    found: list[tuple[float, ParetoTail]] = []
    refusal: QuantError | None = None
    for level in LEVELS.tolist():
        try:
            (fit,) = threshold_scan(history, np.array([level]))
            found.append((level, fit))
        except QuantError as error:
            refusal = error
    if not found and refusal is not None:
        raise refusal
    return found


def _chosen(fits: list[ParetoTail]) -> int:
    """Place of the lowest fit that every higher one agrees with within one standard error of their difference.

    A higher threshold sees a part of the same days, so the variance of the difference is the difference of the
    variances (Hausman 1978, Econometrica 46, lemma 2.1).
    """
    for place, fit in enumerate(fits):
        higher = [(each.shape - fit.shape, each.shape_error**2 - fit.shape_error**2) for each in fits[place + 1 :]]
        if all(gap**2 <= max(variance, 0.0) for gap, variance in higher):
            return place
    raise AssertionError("the highest threshold agrees with all above it, there being none")


def _row(level: float, fit: ParetoTail) -> dict[str, float | None]:
    row: dict[str, float | None] = {
        "level": figure(level),
        "threshold": figure(fit.threshold),
        "shape": figure(fit.shape),
        "shape_error": figure(fit.shape_error),
        "modified_scale": figure(fit.modified_scale),
    }
    try:
        tail = pareto_tail_risk(fit, FAR_LEVEL)
    except QuantError:
        return row | {"var": None, "es": None}
    return row | {"var": figure(tail.var), "es": figure(tail.es)}


def _mean_excess(history: FloatArray) -> list[dict[str, float]]:
    losses = np.sort(-history)
    first = int(np.searchsorted(losses, 0.0, side="right"))
    places = np.unique(np.linspace(first, len(losses) - 1 - LEAST_BEYOND, MEAN_EXCESS_POINTS).astype(int))
    thresholds = losses[places]
    beyond = mean_excess(history, thresholds)
    return [{"threshold": figure(x), "mean": figure(y)} for x, y in zip(thresholds.tolist(), beyond, strict=True)]


def _hill(history: FloatArray) -> list[dict[str, float]]:
    losing = int((history < 0.0).sum())
    last = min(int(HILL_TO_FRAC * len(history)), losing - 1)
    rows = ((k, hill(history, k)) for k in range(HILL_FROM, max(last, MIN_EXCESSES) + 1))
    return [{"tail": k, "alpha": figure(fit.alpha), "error": figure(fit.standard_error)} for k, fit in rows]
