"""What trading parts of equity is expected to cost: spread, fee and impact, by the scene's parameters."""

import numpy as np

from ..quant.covariance import ewma_vol
from ..quant.impact import expected_cost_frac
from .scene import FloatArray, Scene
from .window import Window


def linear_cost_frac(scene: Scene) -> float:
    """Half spread and fee of one unit traded, a fraction."""
    return (scene.costs.half_spread_bps + scene.costs.fee_bps) / 1e4


def traded_cost(scene: Scene, window: Window, change: FloatArray) -> float:
    """Spread, fee and impact of changing weights (n_names,) in one day, whichever way, as a fraction of equity."""
    costs, equity = scene.costs, float(scene.equity)
    spread_frac, fee_frac = costs.half_spread_bps / 1e4, costs.fee_bps / 1e4
    vols = ewma_vol(window.returns).tolist()
    cost = 0.0
    for symbol, part, vol in zip(window.symbols, np.abs(change).tolist(), vols, strict=True):
        shares = scene.daily_volume.get(symbol)
        daily = shares * float(scene.prices[symbol]) if shares else costs.assumed_daily_volume
        cost += part * expected_cost_frac(spread_frac, fee_frac, vol, part * equity / daily, costs.impact_coefficient)
    return cost
