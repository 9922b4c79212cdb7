"""What it would take to leave a book: days, spread and impact, in an ordinary market and in a bad one."""

from collections.abc import Mapping

import numpy as np

from ..quant.covariance import ewma_vol
from ..quant.liquidity import (
    LiquidityShock,
    days_to_liquidate,
    liquidated_frac,
    liquidation,
    liquidity_var,
    spread_cost,
    stressed_spread_cost,
)
from .ledger import Ledger, figure, figures
from .scene import FloatArray, Scene

HORIZONS_FRAC = (0.05, 0.1, 0.2, 0.333, 0.5, 0.75, 1.0)
"""Of the time that leaving takes in a bad market: the days at which the share sold is told."""
WIDE_DEVIATIONS = 3.0
"""Bangia et al. find the worst spread in a hundred days two to four and a half deviations wide, by market."""


def exit_costs(ledger: Ledger, scene: Scene, weights: Mapping[str, float]) -> tuple[str, dict[str, object]]:
    """Days and cost of selling everything at the participation limit, now and with spreads x3 and volume / 3.

    Where the source records no volume the assumed daily value stands in, and `volume_is_assumed` says so.
    """
    equity, costs = float(scene.equity), scene.costs
    held, places, prices, quantities, volumes = _positions(scene, weights)
    vols = ewma_vol(scene.returns)[places]
    spreads = np.full(len(held), 2.0 * costs.half_spread_bps / 1e4)
    output: dict[str, object] = {"volume_is_assumed": not scene.daily_volume}
    for name, shock in (("now", None), ("stressed", LiquidityShock())):
        left = liquidation(
            quantities,
            prices,
            spreads,
            vols,
            volumes,
            participation_frac=scene.limits.max_participation_frac,
            y=costs.impact_coefficient,
            shock=shock,
        )
        output[name] = {
            "last_day": figure(left.last_day),
            "cost": figure(left.total_cost / equity),
            "days": figures(held, left.days.tolist()),
        }
    vector = scene.vector(weights)
    history = scene.returns @ vector
    adjusted = liquidity_var(
        equity, float(history.mean()), float(history.std(ddof=1)), float(spreads.mean() * np.abs(vector).sum()), 0.0
    )
    output["liquidity_var_99"] = figure(adjusted.total / equity)
    return ledger.record("exit_costs", 1, "days, fraction of equity", {"weights": dict(weights)}, output).id, output


def liquidity_profile(ledger: Ledger, scene: Scene, weights: Mapping[str, float]) -> tuple[str, dict[str, object]]:
    """How much of the book is sold after so many days, and what a wider spread adds to its VaR.

    Spreads are the costs' assumed ones, and as no data set here records how they vary, their standard deviation is
    taken to be as large as they are.
    """
    equity, costs = float(scene.equity), scene.costs
    held, _, prices, quantities, volumes = _positions(scene, weights)
    values = quantities * prices
    spreads = np.full(len(held), 2.0 * costs.half_spread_bps / 1e4)
    usual = days_to_liquidate(quantities, volumes, scene.limits.max_participation_frac)
    needed = {"now": usual, "stressed": usual * LiquidityShock().volume_divisor}
    history = scene.returns @ scene.vector(weights)
    mean, vol, gross = float(history.mean()), float(history.std(ddof=1)), float(np.abs(values).sum()) / equity
    crossed = float(spreads.mean()) * gross
    calm = liquidity_var(equity, mean, vol, crossed, 0.0)
    wild = liquidity_var(equity, mean, vol, crossed, crossed, spread_deviations=WIDE_DEVIATIONS)
    output: dict[str, object] = {
        "volume_is_assumed": not scene.daily_volume,
        "spread_deviations": WIDE_DEVIATIONS,
        "sold": [
            {"day": figure(day)} | {name: figure(liquidated_frac(values, days, day)) for name, days in needed.items()}
            for day in (float(needed["stressed"].max()) * share for share in HORIZONS_FRAC)
        ],
        "spread_cost": figure(spread_cost(values, spreads) / equity),
        "wide_spread_cost": figure(stressed_spread_cost(values, spreads, spreads, WIDE_DEVIATIONS) / equity),
        "price_var_99": figure(calm.price_var / equity),
        "liquidity_var_99": figure(calm.total / equity),
        "wide_liquidity_var_99": figure(wild.total / equity),
    }
    inputs = {"weights": dict(weights), "participation_frac": scene.limits.max_participation_frac}
    return ledger.record("liquidity_profile", 1, "fraction of equity", inputs, output).id, output


def _positions(
    scene: Scene, weights: Mapping[str, float]
) -> tuple[list[str], list[int], FloatArray, FloatArray, FloatArray]:
    """Symbols held, their columns, prices, signed shares and daily volumes; assumed where the source has none."""
    held = [symbol for symbol in scene.symbols if weights.get(symbol)]
    places = [scene.symbols.index(symbol) for symbol in held]
    prices = np.array([float(scene.prices[symbol]) for symbol in held])
    quantities = float(scene.equity) * np.array([weights[symbol] for symbol in held]) / prices
    assumed = scene.costs.assumed_daily_volume / prices
    volumes = np.array([scene.daily_volume.get(symbol, usual) for symbol, usual in zip(held, assumed, strict=True)])
    return held, places, prices, quantities, volumes
