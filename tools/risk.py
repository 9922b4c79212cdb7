"""The risk agent's tools: tail risk of any weights, caps per name, a hedge, the worst scenario and the way out."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..domain.instruments import AssetClass
from ..domain.views import Hedge, RiskMetrics
from ..quant.errors import SampleError
from ..quant.filtered_history import rescaled_returns
from ..quant.stress import Scenario, StressResult, historical_scenarios, stress_table
from ..quant.var import annual_volatility, beta, historical_var, portfolio_var
from .exits import exit_costs
from .ledger import Ledger, figure, figures
from .scene import FloatArray, Scene
from .stress import MARKET

NAME_VAR_BUDGET_FRAC = 0.01
"""No single name may be expected to cost more than this share of equity on one day in a hundred."""

HEADROOM_FRAC = 0.95
"""Caps stand this far inside the limits, so that an overnight move does not turn a plan into a breach."""

MIN_HEDGE_BETA = 0.05

SUDDEN_DAYS = 14
"""Calendar days, ten sessions: the half-life of the policy's fast volatility forecast. In a fall that is over by
then the targets have hardly begun to shrink, so the book meets it at nearly its whole size."""


@dataclass(frozen=True, slots=True)
class WayOut:
    """How long the held book would take to sell at the participation limit; no evidence where no volume is known."""

    evidence: tuple[str, ...] = ()
    days: float = 0.0
    """Trading days until the last recorded name is gone, in an ordinary market."""
    unknown: tuple[str, ...] = ()
    """Names held that the source has no traded volume for, though it has it for others."""


def measure(ledger: Ledger, scene: Scene, weights: Mapping[str, float], name: str) -> tuple[str, RiskMetrics]:
    """VaR, ES, volatility and beta of weights over the last 252 days; `name` says whose weights they are.

    The filtered VaR looks at the same days as they would be at today's volatility: plain history is late both into
    a storm and out of it.
    """
    vector = scene.vector(weights)
    tail = portfolio_var(vector, scene.returns, 0.99)
    shortfall = portfolio_var(vector, scene.returns, 0.975)
    history = scene.returns @ vector
    metrics = RiskMetrics(
        var_99_historical=figure(tail.historical_var),
        var_99_filtered=_filtered_var(scene, vector),
        var_99_parametric=figure(tail.normal_var),
        es_975_historical=figure(shortfall.historical_es),
        es_975_parametric=figure(shortfall.normal_es),
        volatility_annual=figure(annual_volatility(history)),
        beta=_beta(history, scene.market_returns),
        gross=figure(float(np.abs(vector).sum())),
    )
    output = metrics.model_dump(mode="json") | {
        "weights": figures(scene.symbols, vector.tolist()),
        "component_var_99": figures(scene.symbols, tail.component_var.tolist()),
    }
    inputs = {"book": name, "weights": figures(scene.symbols, vector.tolist()), "days": len(scene.returns)}
    return ledger.record("portfolio_risk", 2, "fraction of equity", inputs, output).id, metrics


def position_caps(ledger: Ledger, scene: Scene) -> tuple[str, dict[str, float]]:
    """The largest weight of each tradable name: its class limit less headroom, or less if it is wild.

    A bad regime is in the limits of the scene already (`gate/dynamic.py`), and is not counted twice.
    """
    losses = np.sort(-scene.returns, axis=0)
    worst = losses[int(np.ceil(0.99 * len(losses))) - 1]
    caps: dict[str, float] = {}
    for place, instrument in enumerate(scene.instruments):
        limit = scene.limits.max_instrument_weight.of(instrument.asset_class) * HEADROOM_FRAC
        single = float(worst[place])
        budget = NAME_VAR_BUDGET_FRAC / single if single > 0 else limit
        # The budget is for single names; a fund is a portfolio, and the portfolio VaR limit covers it.
        is_single = instrument.asset_class is AssetClass.STOCK
        caps[instrument.symbol] = figure(min(limit, budget) if is_single else limit)
    inputs = {
        "limits": scene.limits.hash(),
        "headroom_frac": HEADROOM_FRAC,
        "var_budget_frac": NAME_VAR_BUDGET_FRAC,
    }
    return ledger.record("position_caps", 2, "fraction of equity", inputs, caps).id, caps


def suggest_hedge(ledger: Ledger, scene: Scene, metrics: RiskMetrics) -> tuple[str, Hedge] | None:
    """The short amount of the benchmark that would take the beta out; None without one worth hedging."""
    benchmark = scene.universe.benchmark
    if benchmark is None or metrics.beta is None or abs(metrics.beta) < MIN_HEDGE_BETA:
        return None
    notional = figure(-metrics.beta * float(scene.equity))
    output = {"instrument": benchmark, "notional": notional}
    inputs = {"beta": metrics.beta, "equity": str(scene.equity)}
    evidence = ledger.record("beta_hedge", 1, scene.portfolio.currency, inputs, output)
    text = f"{'Sell' if notional < 0 else 'Buy'} {benchmark} to take the market's part out; a suggestion, not an order"
    return evidence.id, Hedge(instrument=benchmark, notional=notional, text=text)


def worst_scenarios(ledger: Ledger, scene: Scene, metrics: RiskMetrics) -> tuple[str, float] | None:
    """The return of the book held in the worst sudden scenario, through its beta; None where there is no beta.

    The entry also holds the worst scenario of any length. Only scenarios that were over by the last close count:
    a decision of 2005 knows nothing of 2008.
    """
    if metrics.beta is None or metrics.gross == 0.0:
        return None
    past = [item for item in _market_scenarios() if item.last_day <= scene.view.session]
    sudden = [item for item in past if (item.last_day - item.first_day).days <= SUDDEN_DAYS]
    if not sudden:
        return None
    exposures = {MARKET: metrics.beta}
    worst, worst_sudden = stress_table(exposures, past)[0], stress_table(exposures, sudden)[0]
    output = {"beta": metrics.beta, "any_length": _scenario_row(worst), "sudden": _scenario_row(worst_sudden)}
    inputs = {"beta": metrics.beta, "sudden_days": SUDDEN_DAYS}
    evidence = ledger.record("worst_scenarios", 1, "fraction of equity", inputs, output)
    return evidence.id, worst_sudden.return_frac


def way_out(ledger: Ledger, scene: Scene, weights: Mapping[str, float]) -> WayOut:
    """Days to sell the weights where volume is recorded; nothing is assumed, and names without volume are named."""
    volume, tradable = scene.daily_volume, set(scene.symbols)
    held = [symbol for symbol, weight in weights.items() if weight]
    if not volume or not held:
        return WayOut()
    known = {symbol: weights[symbol] for symbol in held if symbol in tradable and volume.get(symbol, 0.0) > 0.0}
    unknown = tuple(sorted(set(held) - set(known)))
    if not known:
        return WayOut(unknown=unknown)
    evidence_id, output = exit_costs(ledger, scene, known)
    now = output["now"]
    assert isinstance(now, dict), "exit_costs describes each market in a table"
    return WayOut((evidence_id,), now["last_day"], unknown)


@cache
def _market_scenarios() -> tuple[Scenario, ...]:
    return tuple(item for item in historical_scenarios() if MARKET in item.moves)


def _scenario_row(result: StressResult) -> dict[str, object]:
    return {"scenario": result.scenario, "return": figure(result.return_frac)}


def _filtered_var(scene: Scene, vector: FloatArray) -> float | None:
    """The VaR over the same days at today's volatility of every name; None when one stood still too long to scale."""
    try:
        rows = scene.once("rescaled_returns", lambda: rescaled_returns(scene.returns))
    except SampleError:
        return None
    return figure(historical_var(rows @ vector, 0.99))


def _beta(history: FloatArray, market: FloatArray) -> float | None:
    """The book's slope on the market; None when the market did not move, as an index file of one level has it."""
    try:
        return figure(float(beta(history[:, None], market)[0]))
    except SampleError:
        return None
