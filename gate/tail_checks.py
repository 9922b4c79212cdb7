"""The plan checks that look at returns: enough history, tail risk, beta, and names that move as one."""

from collections.abc import Callable

import numpy as np

from ..domain.decisions import CheckResult
from ..quant.errors import QuantError
from ..quant.filtered_history import WARMUP_DAYS, rescaled_returns
from ..quant.var import expected_shortfall, historical_var
from .context import PlanContext
from .exposure_checks import is_single
from .results import LegMeasure, as_float, per_leg, result
from .state import FloatArray, GateState

VAR_LEVEL = 0.99
ES_LEVEL = 0.975
CLUSTER_DAYS = 60
MIN_CLUSTER_DAYS = 30
"""Fewer complete days than this tell no correlation, and what may move as one is taken to do so."""

MIN_BETA_DAYS = 60


def check_history(context: PlanContext) -> list[CheckResult]:
    """A name that is bought has been seen for long enough."""
    state, wanted = context.state, context.limits.min_history_days
    columns = _columns(state) or {}
    seen: list[int] = np.isfinite(state.returns).sum(axis=0).tolist() if columns else []
    rows: list[LegMeasure] = []
    for item in context.legs:
        column = columns.get(item.leg.symbol)
        missing = None if column is None else max(wanted - seen[column], 0)
        rows.append((item.leg.symbol, missing, None if item.reduces else 0))
    return per_leg("history", "days", "days missing to the history it needs:", rows)


def check_tail(context: PlanContext) -> list[CheckResult]:
    """One-day 99 % VaR and 97.5 % expected shortfall after the plan, each day's losses added up without that
    day's gains, over a history in which every name moves as much as it does now.

    At its own volatility history forgets a calm year too slowly: over 23 years it was passed 77 times where 58 were
    due, rescaled 63 times (docs/risk-model-validation.md). No netting, for two reasons: a hedge that has not filled
    protects nothing, and a bigger order can then never look safer than a smaller one. It is an upper bound of the
    risk agent's own VaR.
    """
    limits, adds_risk = context.limits, context.adds_risk
    losses = no_netting_losses(context)
    var, shortfall = _tail(losses, historical_var, VAR_LEVEL), _tail(losses, expected_shortfall, ES_LEVEL)
    var_bound = limits.max_var_99_frac if adds_risk else None
    shortfall_bound = limits.max_es_975_frac if adds_risk else None
    return [
        result("var_99", var, var_bound, "fraction", "one-day 99 % VaR without netting is"),
        result("es_975", shortfall, shortfall_bound, "fraction", "one-day 97.5 % ES without netting is"),
    ]


def check_beta(context: PlanContext) -> list[CheckResult]:
    """Sum of weight times beta on the side of the market where it is larger, again without netting."""
    market = context.state.market_returns
    weights = signed_weights(context)
    bound = context.limits.max_beta if context.adds_risk else None
    if market is None and not context.limits.needs("beta"):
        bound = None
    value = None if market is None or weights is None else _beta(context.state, weights, market)
    return [result("beta", value, bound, "times", "beta after the plan, on its worse side, is")]


def check_clusters(context: PlanContext) -> list[CheckResult]:
    """A single name that is bought counts together with all single names that move as it does.

    Those correlated with the name itself, not those correlated with them in turn: such chains would link
    a whole market. A pair whose correlation is not known is taken to move as one.
    """
    weights = signed_weights(context)
    singles = [name for name, item in context.exposures.items() if item.quantity and is_single(item)]
    added = {item.leg.symbol for item in context.adding} & set(singles)
    rows: list[LegMeasure] = []
    bound = context.limits.max_cluster_weight
    if weights is None:
        rows = [(name, None, bound) for name in sorted(added)]
    elif added:
        sizes = np.array([weights[name] for name in singles])
        alike = _correlations(context.state, singles) * np.outer(np.sign(sizes), np.sign(sizes))
        joined = ~(alike <= context.limits.max_unclustered_correlation)
        np.fill_diagonal(joined, True)
        totals = (joined @ np.abs(sizes)).tolist()
        rows = [(name, totals[place], bound) for place, name in enumerate(singles) if name in added]
    return per_leg("correlation_cluster", "fraction", "weight of all names that move with it is", rows) or [
        result("correlation_cluster", 0, None, "fraction", "weight added to names that move as one is")
    ]


def signed_weights(context: PlanContext) -> dict[str, float] | None:
    """Worst-case weights of all names that may be held, negative for shorts; None when one can't be valued."""
    weights: dict[str, float] = {}
    for symbol, exposure in context.exposures.items():
        if exposure.quantity:
            if exposure.value is None or context.equity is None:
                return None
            weights[symbol] = as_float(exposure.value / context.equity) * (1 if exposure.quantity > 0 else -1)
    return weights


def no_netting_losses(context: PlanContext) -> FloatArray | None:
    """(n_days,) the sum of each day's losses over the book after the plan, gains left out, at today's volatility;
    None when a return, a mark or enough history is missing, or a name never moved."""
    weights = signed_weights(context)
    if not weights:
        return None if weights is None else np.zeros(0)
    returns = _returns_of(context.state, list(weights))
    # A day on which a name had no bar is left out (late listings, halts); an infinity is never data.
    if returns is None or np.isinf(returns).any():
        return None
    complete = returns[~np.isnan(returns).any(axis=1)]
    if len(complete) - WARMUP_DAYS < context.limits.min_var_days:
        return None
    try:
        rows = rescaled_returns(complete)
    except QuantError:
        return None
    return np.maximum(-rows * np.array(list(weights.values())), 0.0).sum(axis=1)


def _tail(losses: FloatArray | None, method: Callable[[FloatArray, float], float], level: float) -> float | None:
    if losses is None:
        return None
    try:
        return method(-losses, level) if len(losses) else 0.0
    except QuantError:
        return None


def _beta(state: GateState, weights: dict[str, float], market: FloatArray) -> float | None:
    if not weights:
        return 0.0
    returns = _returns_of(state, list(weights))
    if returns is None or market.shape != (len(returns),):
        return None
    complete = np.isfinite(returns).all(axis=1) & np.isfinite(market)
    if complete.sum() < MIN_BETA_DAYS:
        return None
    moves = market[complete] - market[complete].mean()
    variance = float(moves @ moves)
    if not variance > 0.0:
        return None
    betas = moves @ returns[complete] / variance
    parts = betas * np.array(list(weights.values()))
    return max(float(parts[parts > 0].sum()), float(-parts[parts < 0].sum()))


def _correlations(state: GateState, symbols: list[str]) -> FloatArray:
    """(n, n) of the last days; NaN wherever there is nothing to measure."""
    unknown = np.full((len(symbols), len(symbols)), np.nan)
    returns = _returns_of(state, symbols)
    if returns is None:
        return unknown
    recent = returns[-CLUSTER_DAYS:]
    complete = recent[np.isfinite(recent).all(axis=1)]
    if len(complete) < MIN_CLUSTER_DAYS:
        return unknown
    centered = complete - complete.mean(axis=0)
    vols = np.sqrt((centered * centered).sum(axis=0))
    with np.errstate(invalid="ignore", divide="ignore"):
        return centered.T @ centered / np.outer(vols, vols)


def _returns_of(state: GateState, symbols: list[str]) -> FloatArray | None:
    columns = _columns(state)
    if columns is None or any(symbol not in columns for symbol in symbols):
        return None
    return state.returns[:, [columns[symbol] for symbol in symbols]]


def _columns(state: GateState) -> dict[str, int] | None:
    column = {symbol: place for place, symbol in enumerate(state.return_symbols)}
    shape_is_right = state.returns.ndim == 2 and state.returns.shape[1] == len(column)
    return column if shape_is_right else None
