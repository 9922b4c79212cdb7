"""Ways to take risk off a book without selling it, each with its cost and what it leaves."""

from collections.abc import Mapping

import numpy as np

from ..quant.errors import QuantError
from ..quant.hedging import beta_hedge, min_variance_hedge
from ..quant.option_hedges import OptionHedge, collar, protective_put, zero_cost_call_strike
from .ledger import Ledger, figure
from .scene import Scene

OTM_FRAC = 0.05
YEARS = 0.25
VOL_FLOOR = 0.05


def hedge_book(ledger: Ledger, scene: Scene, weights: Mapping[str, float]) -> tuple[str, list[dict[str, object]]]:
    """Index beta hedge, and a three-month put, collar and collar without cost on the book's index part.

    Strikes stand five percent out of the money; the last collar's call stands where it pays for the put.

    Options are priced by Black-Scholes at the market's realized volatility, with no interest and no skew: a
    dealer asks more. Without a benchmark the equal-weighted names stand in for the index.
    """
    equity = float(scene.equity)
    history, market = scene.returns @ scene.vector(weights), scene.market_returns
    fit = min_variance_hedge(history, market)
    market_vol = max(float(market.std(ddof=1) * np.sqrt(252.0)), VOL_FLOOR)
    specific = fit.residual_vol * np.sqrt(252.0)
    cost_frac = (scene.costs.half_spread_bps + scene.costs.fee_bps) / 1e4
    index = beta_hedge(equity, fit.ratio, 1.0, market_vol=market_vol, specific_vol=float(specific), cost_frac=cost_frac)
    notional = abs(fit.ratio) * equity
    rows: list[dict[str, object]] = [
        {
            "hedge": "sell the index",
            "notional": figure(-index.hedge_value),
            "cost": figure(index.cost / equity),
            "residual_vol": figure(index.residual_vol),
            "floor": None,
            "ceiling": None,
            "note": f"removes {fit.effectiveness:.0%} of the variance",
        }
    ]
    if notional > 0.0 and fit.ratio > 0.0:
        rows += [_option_row(name, hedge, notional, equity) for name, hedge in _options(notional, market_vol)]
    output = {"hedge_ratio": figure(fit.ratio), "rows": rows}
    return ledger.record("hedges", 2, "fraction of equity", {"weights": dict(weights)}, output).id, rows


def _options(notional: float, vol: float) -> list[tuple[str, OptionHedge]]:
    low, high = 1.0 - OTM_FRAC, 1.0 + OTM_FRAC
    found = [
        ("three-month index put", protective_put(notional, 1.0, low, YEARS, 0.0, vol)),
        ("three-month index collar", collar(notional, 1.0, low, high, YEARS, 0.0, vol, vol)),
    ]
    try:
        free = zero_cost_call_strike(1.0, low, YEARS, 0.0, vol, vol)
    except QuantError:
        # In a market this calm the put is worth next to nothing, and there is no premium to pay for.
        return found
    return [*found, ("three-month collar without cost", collar(notional, 1.0, low, free, YEARS, 0.0, vol, vol))]


def _option_row(name: str, hedge: OptionHedge, notional: float, equity: float) -> dict[str, object]:
    ceiling = hedge.best_return_frac
    note = f"index part loses at most {-hedge.worst_return_frac:.1%}"
    return {
        "hedge": name,
        "notional": figure(notional),
        # What a root finder leaves of a premium of nothing is nothing.
        "cost": figure(round(hedge.premium / equity, 12)) + 0.0,
        "residual_vol": None,
        "floor": figure(hedge.worst_return_frac),
        "ceiling": figure(ceiling) if np.isfinite(ceiling) else None,
        "note": note if not np.isfinite(ceiling) else f"{note}, gains at most {ceiling:.1%}",
    }
