"""How much index to sell against a book, by a fixed ratio and by two that move, judged on days they had not seen."""

from collections.abc import Mapping

import numpy as np

from ..quant.errors import QuantError
from ..quant.hedging import ewma_hedge_ratios, fit_hedge_noise, kalman_hedge, min_variance_hedge
from .ledger import Ledger, figure
from .long_history import LongHistory, long_history
from .scene import WINDOW_DAYS, FloatArray, Scene

HALF_LIFE_DAYS = 42.0
TRIAL_DAYS = 252
STEP_DAYS = 5


def hedge_ratios(ledger: Ledger, scene: Scene, weights: Mapping[str, float]) -> tuple[str, dict[str, object]]:
    """The least-squares ratio of the last year, an exponentially weighted one and a Kalman filter's, side by side.

    Each evening's ratio hedges the next day, over the last year: what is left of the volatility is out of sample,
    and so is what turning the hedge would have cost.
    """
    long = long_history(scene, weights)
    output: dict[str, object]
    if len(long.book) < WINDOW_DAYS + TRIAL_DAYS:
        output = {"refused": f"{len(long.book)} days of common history, {WINDOW_DAYS + TRIAL_DAYS} are needed"}
    else:
        cost_frac = (scene.costs.half_spread_bps + scene.costs.fee_bps) / 1e4
        try:
            output = _judged(long, cost_frac)
        except QuantError as error:
            output = {"refused": error.message}
    return ledger.record("hedge_ratios", 1, "ratio", {"weights": dict(weights)}, output).id, output


def _judged(long: LongHistory, cost_frac: float) -> dict[str, object]:
    book, market = long.book, long.market
    ratios = {
        "one year, fixed weights": _rolling(book, market),
        "exponentially weighted": ewma_hedge_ratios(book, market, HALF_LIFE_DAYS)[-TRIAL_DAYS - 1 :],
        "Kalman filter": _kalman(book, market),
    }
    unhedged = _annual(book[-TRIAL_DAYS:])
    rows = {"no hedge": {"ratio": 0.0, "residual_vol": figure(unhedged), "removed": 0.0, "cost": 0.0}}
    for name, path in ratios.items():
        left = _annual(book[-TRIAL_DAYS:] - path[:-1] * market[-TRIAL_DAYS:])
        rows[name] = {
            "ratio": figure(float(path[-1])),
            "residual_vol": figure(left),
            "removed": figure(1.0 - (left / unhedged) ** 2),
            "cost": figure(cost_frac * float(np.abs(np.diff(path)).sum())),
        }
    shown = sorted({*range(0, TRIAL_DAYS + 1, STEP_DAYS), TRIAL_DAYS})
    days = long.days[-TRIAL_DAYS - 1 :]
    return {
        "days": TRIAL_DAYS,
        "half_life_days": HALF_LIFE_DAYS,
        "rows": rows,
        "best": min(ratios, key=lambda name: float(rows[name]["residual_vol"])),
        "path": {
            "day": [days[k] for k in shown],
            "ratio": {name: [figure(float(path[k])) for k in shown] for name, path in ratios.items()},
        },
    }


def _rolling(book: FloatArray, market: FloatArray) -> FloatArray:
    """(TRIAL_DAYS + 1,) ratios of the year that ends at each evening."""
    ends = range(len(book) - TRIAL_DAYS, len(book) + 1)
    found = [min_variance_hedge(book[end - WINDOW_DAYS : end], market[end - WINDOW_DAYS : end]).ratio for end in ends]
    return np.array(found)


def _kalman(book: FloatArray, market: FloatArray) -> FloatArray:
    """Noise fitted on the days before the trial, then filtered through all of them."""
    noise = fit_hedge_noise(book[:-TRIAL_DAYS], market[:-TRIAL_DAYS])
    return kalman_hedge(book, market, noise).betas[-TRIAL_DAYS - 1 :]


def _annual(returns: FloatArray) -> float:
    return float(returns.std(ddof=1) * np.sqrt(252.0))
