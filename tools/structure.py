"""What drives a book: the market, common components and its own names; what falls together; and what just changed."""

from collections.abc import Mapping

import numpy as np

from ..quant.change_points import RunPrior, detect_changes
from ..quant.copulas import copula_tail, fit_t_copula, tail_dependence
from ..quant.errors import QuantError
from ..quant.factor_models import decompose_risk, fit_factor_model, statistical_factors
from .ledger import Ledger, figure
from .scene import Scene

COMPONENTS = 3
COPULA_SEED = 20_080_915
COPULA_PATHS = 50_000
RECENT_DAYS = 21


def risk_drivers(ledger: Ledger, scene: Scene, weights: Mapping[str, float]) -> tuple[str, dict[str, object]]:
    """Shares of the book's variance: the market's and its own, then by the leading common components."""
    vector = scene.vector(weights)
    market = decompose_risk(vector, fit_factor_model(scene.returns, scene.market_returns[:, None], ("market",)))
    n_factors = min(COMPONENTS, len(scene.symbols))
    model, explained = statistical_factors(scene.returns, n_factors)
    common = decompose_risk(vector, model)
    output: dict[str, object] = {
        "market_beta": figure(float(market.exposures[0])),
        "market_share": figure(market.systematic / market.total),
        "own_share": figure(market.specific / market.total),
        "component_shares": [figure(float(part) / common.total) for part in common.by_factor],
        "component_explains": [figure(float(part)) for part in explained],
    }
    return ledger.record("risk_drivers", 1, "share of variance", {"weights": dict(weights)}, output).id, output


def joint_tail(
    ledger: Ledger, scene: Scene, weights: Mapping[str, float], level: float
) -> tuple[str, dict[str, object]]:
    """VaR and ES when names keep their own histories and crash together as a t copula says; and the closest pair.

    A book of one name has nothing to fall together with, and says so.
    """
    held = [symbol for symbol in scene.symbols if weights.get(symbol)]
    places = [scene.symbols.index(symbol) for symbol in held]
    output: dict[str, object]
    try:
        if len(held) < 2:
            output = {"refused": "one name has no joint tail"}
        else:
            returns = scene.returns[:, places]
            copula = fit_t_copula(returns)
            rng = np.random.default_rng(COPULA_SEED)
            sizes = np.array([weights[symbol] for symbol in held])
            tail = copula_tail(copula, sizes, returns, rng, level=level, n_paths=COPULA_PATHS)
            between = copula.correlation - 2.0 * np.eye(len(held))
            one, other = np.unravel_index(int(np.argmax(between)), between.shape)
            closest = float(copula.correlation[one, other])
            output = {
                "var": figure(tail.var),
                "es": figure(tail.es),
                "degrees_of_freedom": figure(copula.dof) if copula.dof is not None else None,
                "closest_pair": f"{held[one]} and {held[other]}",
                "tail_dependence": figure(tail_dependence(closest, copula.dof)),
            }
    except QuantError as error:
        output = {"refused": error.message}
    inputs = {"weights": dict(weights), "level": level}
    return ledger.record("joint_tail", 1, "fraction of equity", inputs, output).id, output


def recent_break(ledger: Ledger, scene: Scene) -> tuple[str, dict[str, object]]:
    """Chance that the market's mean or volatility changed within the last month, by a causal run-length filter."""
    market = scene.market_returns
    path = detect_changes(RunPrior(vol=float(market[:126].std(ddof=1)) or 0.01), market, RECENT_DAYS)
    output: dict[str, object] = {
        "probability": figure(float(path.recent_change[-1])),
        "likeliest_run_days": int(path.likeliest_run_days[-1]),
    }
    inputs = {"days": len(market), "recent_days": RECENT_DAYS}
    return ledger.record("recent_break", 1, "probability", inputs, output).id, output
