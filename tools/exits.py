"""What it would take to leave a book: days, spread and impact, in an ordinary market and in a bad one."""

from collections.abc import Mapping

import numpy as np

from ..quant.covariance import ewma_vol
from ..quant.liquidity import LiquidityShock, liquidation, liquidity_var
from .ledger import Ledger, figure, figures
from .scene import Scene


def exit_costs(ledger: Ledger, scene: Scene, weights: Mapping[str, float]) -> tuple[str, dict[str, object]]:
    """Days and cost of selling everything at the participation limit, now and with spreads x3 and volume / 3.

    Where the source records no volume the assumed daily value stands in, and `volume_is_assumed` says so.
    """
    equity, costs = float(scene.equity), scene.costs
    held = [symbol for symbol in scene.symbols if weights.get(symbol)]
    places = [scene.symbols.index(symbol) for symbol in held]
    prices = np.array([float(scene.prices[symbol]) for symbol in held])
    quantities = equity * np.array([weights[symbol] for symbol in held]) / prices
    assumed = costs.assumed_daily_volume / prices
    volumes = np.array([scene.daily_volume.get(symbol, usual) for symbol, usual in zip(held, assumed, strict=True)])
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
