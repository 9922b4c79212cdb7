"""Ways to take risk off a book without selling it, each with its cost and what it leaves."""

from collections.abc import Mapping

import numpy as np

from ..quant.hedging import beta_hedge, min_variance_hedge
from ..quant.option_hedges import collar, protective_put
from .ledger import Ledger, figure
from .scene import Scene

OTM_FRAC = 0.05
YEARS = 0.25
VOL_FLOOR = 0.05


def hedge_book(ledger: Ledger, scene: Scene, weights: Mapping[str, float]) -> tuple[str, list[dict[str, object]]]:
    """Index beta hedge, minimum-variance hedge, and a three-month put and collar five percent out of the money.

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
            "note": f"removes {fit.effectiveness:.0%} of the variance",
        }
    ]
    if notional > 0.0 and fit.ratio > 0.0:
        put = protective_put(notional, 1.0, 1.0 - OTM_FRAC, YEARS, 0.0, market_vol)
        both = collar(notional, 1.0, 1.0 - OTM_FRAC, 1.0 + OTM_FRAC, YEARS, 0.0, market_vol, market_vol)
        for name, hedge in (("three-month index put", put), ("three-month index collar", both)):
            rows.append(
                {
                    "hedge": name,
                    "notional": figure(notional),
                    "cost": figure(hedge.premium / equity),
                    "residual_vol": None,
                    "note": f"index part loses at most {-hedge.worst_return_frac:.1%}",
                }
            )
    output = {"hedge_ratio": figure(fit.ratio), "rows": rows}
    return ledger.record("hedges", 1, "fraction of equity", {"weights": dict(weights)}, output).id, rows
