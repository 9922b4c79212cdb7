"""Mean-reverting spreads of the names: pairs and residuals, their fits, and the band that is best after costs."""

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from ..quant.errors import QuantError
from ..quant.reversion import OuBand, OuFit, band_return_per_year, best_band, fit_ou
from ..quant.scores import reversion_score
from ..quant.spreads import (
    cointegration_critical_t,
    half_life_interval,
    pair_weights,
    residual_weights,
    spread_paths,
)
from .book_costs import linear_cost_frac
from .errors import NotEnoughData
from .ledger import Ledger, figure, figures
from .scene import WINDOW_DAYS, FloatArray, Scene

Kind = Literal["pair", "residual"]

COMPONENTS = 3
MOST_HALF_LIFE_DAYS = 42.0
MOST_NAMES = 100
"""Pairs grow with the square of the names: beyond this many the pairs of the first ones only would be a choice."""


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """A book of gross 1 whose summed return reverted over a year, and the band that is best for it after costs."""

    kind: Kind
    label: str
    places: tuple[int, ...]
    weights: FloatArray
    """(n_names,)"""
    fit: OuFit
    critical_t: float
    band: OuBand
    path: FloatArray
    """(252,) the spread over the year it was fitted on."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What one year of returns offered: the spreads that passed, best first, and how many were tried."""

    spreads: tuple[Spread, ...]
    tried: dict[Kind, int]


def reverting_spreads(ledger: Ledger, scene: Scene, top: int) -> tuple[str, list[dict[str, object]]]:
    """The spreads that look best at this close by their own fit: half-life, score, band, and what the fit promises.

    Pairs by cointegration, and each name's residual against the leading components; a unit root must be rejected
    at 5 %, the half-life must be short, and the band must promise something after costs. Among so many tries some
    pass by chance: the record of the rule is in `reversion_record`.
    """
    returns, columns = spread_returns(scene, WINDOW_DAYS)
    symbols = tuple(scene.view.symbols[column] for column in columns)
    found = spreads_of(returns, symbols, priced_cost_frac(scene))
    scores = reversion_score(returns)
    rows = [_described(spread, symbols, scores, priced_cost_frac(scene)) for spread in found.spreads[:top]]
    output = {
        "sessions": [str(day) for day in scene.view.sessions[-len(returns) :]],
        "tried": dict(found.tried),
        "passed": {kind: sum(item.kind == kind for item in found.spreads) for kind in found.tried},
        "by_chance": {kind: figure(0.05 * count) for kind, count in found.tried.items()},
        "rows": rows,
    }
    inputs = {
        "names": list(symbols),
        "top": top,
        "components": COMPONENTS,
        "cost_frac": priced_cost_frac(scene),
        "most_half_life_days": MOST_HALF_LIFE_DAYS,
    }
    return ledger.record("reverting_spreads", 1, "fraction of gross value", inputs, output).id, rows


def spread_returns(scene: Scene, days: int) -> tuple[FloatArray, list[int]]:
    """Up to `days` latest returns of the tradable names that have every one of them."""
    closes = scene.view.close[-(days + 1) :]
    columns = [column for column in scene.tradable if np.isfinite(closes[:, column]).all()]
    if not 2 <= len(columns) <= MOST_NAMES:
        raise NotEnoughData(
            f"{len(columns)} names have all of the last {len(closes) - 1} days, spreads need from 2 to {MOST_NAMES}",
            remedy="Use a data set with more whole histories, or a smaller one.",
        )
    chosen = closes[:, columns]
    return chosen[1:] / chosen[:-1] - 1.0, columns


def priced_cost_frac(scene: Scene) -> float:
    """Of one unit traded; what is not priced cannot be: a band without a cost would be zero wide."""
    return max(linear_cost_frac(scene), 1e-5)


def spreads_of(returns: FloatArray, symbols: tuple[str, ...], cost_frac: float) -> Found:
    """Every pair and every residual of a year, those that pass the tests in the order of what they promise."""
    books: list[tuple[Kind, str, tuple[int, ...], FloatArray]] = []
    for one, other in combinations(range(len(symbols)), 2):
        try:
            left, right = pair_weights(returns[:, one], returns[:, other])
        except QuantError:
            continue
        weights = np.zeros(len(symbols))
        weights[one], weights[other] = left, right
        books.append(("pair", f"{symbols[one]} against {symbols[other]}", (one, other), weights))
    if len(symbols) > COMPONENTS + 1:
        for place, weights in enumerate(residual_weights(returns, COMPONENTS)):
            books.append(("residual", f"{symbols[place]} against the market", (place,), weights))
    tried: dict[Kind, int] = {"pair": 0, "residual": 0}
    spreads = []
    paths = spread_paths(returns, np.array([book[3] for book in books])) if books else np.zeros((len(returns), 0))
    for (kind, label, places, weights), path in zip(books, paths.T, strict=True):
        tried[kind] += 1
        spread = _fitted(kind, label, places, weights, path, cost_frac)
        if spread is not None:
            spreads.append(spread)
    spreads.sort(key=lambda item: (-item.band.return_per_year, item.label))
    return Found(tuple(spreads), tried)


def _fitted(
    kind: Kind, label: str, places: tuple[int, ...], weights: FloatArray, path: FloatArray, cost_frac: float
) -> Spread | None:
    """The spread when its fit passes every test; None when it does not."""
    try:
        fit = fit_ou(path, test_unit_root=kind == "residual")
        critical = cointegration_critical_t(len(path) - 1) if kind == "pair" else fit.unit_root_critical_t
        if fit.unit_root_t > critical or fit.process.half_life_days > MOST_HALF_LIFE_DAYS:
            return None
        band = best_band(fit.process, 2.0 * cost_frac)
    except QuantError:
        return None
    if band.return_per_year <= 0.0:
        return None
    return Spread(kind, label, places, weights, fit, critical, band, path)


def _described(spread: Spread, symbols: tuple[str, ...], scores: FloatArray, cost_frac: float) -> dict[str, object]:
    process, band = spread.fit.process, spread.band
    low, high = half_life_interval(spread.fit)
    first = spread.places[0]
    score = process.s_score(float(spread.path[-1]))
    entry = process.s_score(band.entry)
    near = band_return_per_year(process, process.level - process.stationary_std, process.level, 2.0 * cost_frac)
    return {
        "label": spread.label,
        "kind": spread.kind,
        "weights": figures(
            [symbols[place] for place in spread.places], [float(spread.weights[place]) for place in spread.places]
        ),
        "half_life_days": figure(process.half_life_days),
        "half_life_low": figure(low),
        "half_life_high": None if high is None else figure(high),
        "unit_root_t": figure(spread.fit.unit_root_t),
        "critical_t": figure(spread.critical_t),
        "s_score": figure(score),
        "entry_score": figure(entry),
        "exit_score": figure(process.s_score(band.exit)),
        "says": "buy" if score <= entry else "sell" if score >= -entry else "wait",
        "cycle_days": figure(band.cycle_days),
        "promised_annual": figure(2.0 * band.return_per_year),
        "promised_one_sigma": figure(near),
        "sixty_day_score": figure(-float(scores[first])) if spread.kind == "residual" else None,
        "level": figure(process.level),
        "entry": figure(band.entry),
        "exit": figure(band.exit),
        "path": [figure(float(value)) for value in spread.path],
    }
