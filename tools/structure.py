"""What drives a book: the market, common components and its own names; and what just changed."""

from collections.abc import Mapping

from ..quant.change_points import RunPrior, detect_changes
from ..quant.factor_models import decompose_risk, fit_factor_model, statistical_factors
from ..quant.policy import vix_regime
from .ledger import Ledger, figure
from .scene import Scene

COMPONENTS = 3
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


def recent_break(ledger: Ledger, scene: Scene) -> tuple[str, dict[str, object]]:
    """Chance that the market's mean or volatility changed within the last month, by a causal run-length filter.

    Beside it the label of the volatility index, where the data set has one.
    """
    market = scene.market_returns
    path = detect_changes(RunPrior(vol=float(market[:126].std(ddof=1)) or 0.01), market, RECENT_DAYS)
    output: dict[str, object] = {
        "probability": figure(float(path.recent_change[-1])),
        "likeliest_run_days": int(path.likeliest_run_days[-1]),
        "vix": None if scene.vix is None else figure(scene.vix),
        "vix_regime": None if scene.vix is None else vix_regime(scene.vix),
    }
    inputs = {"days": len(market), "recent_days": RECENT_DAYS}
    return ledger.record("recent_break", 2, "probability", inputs, output).id, output
