"""The plan checks that ask what the book would be afterwards: cash, concentration, gross, loss and tail risk."""

from decimal import Decimal

import numpy as np

from ..domain.decisions import CheckResult
from ..domain.orders import Side
from ..quant.errors import QuantError
from ..quant.var import historical_var
from .context import Group, PlanContext
from .limits import Limits
from .results import LegMeasure, as_float, exact, per_leg, result
from .state import GateState

VAR_LEVEL = 0.99


def check_cash(context: PlanContext) -> list[CheckResult]:
    """Buys at worst are paid from cash and from the plan's own sells, sells at a discount.

    Own sells must count, or a fully invested book could never change hands; they count at a discount since
    they fill after the marks they are valued at. The child check later counts only cash that is there.
    """
    limits, state = context.limits, context.state
    margin = exact(limits.cash_buffer_frac)
    cost: Decimal | None = sum(
        (order.worst_price * order.quantity for order in state.working if order.side is Side.BUY), Decimal(0)
    )
    proceeds = Decimal(0)
    for item in context.legs:
        if item.leg.side is Side.SELL:
            if not item.reduces:
                continue  # The proceeds of a short sale are collateral, not money to spend.
            proceeds += item.leg.quantity * (item.price or Decimal(0)) * (1 - margin)
        elif cost is not None:
            dearest = None if item.price is None else max(item.price, item.leg.reference_price)
            cost = None if dearest is None else cost + item.leg.quantity * dearest * (1 + margin)
    available = state.portfolio.cash + proceeds - exact(limits.min_cash)
    bound = available if context.adds_risk else None
    return [result("cash", cost, bound, "money", "worst cost of all buys is")]


def check_daily_loss(context: PlanContext) -> list[CheckResult]:
    """After a loss on the day beyond the limit, only legs that reduce pass."""
    previous = context.state.previous_equity
    known = context.equity is not None and previous.is_finite() and previous > 0
    loss = max(1 - context.equity / previous, Decimal(0)) if known and context.equity is not None else None
    limit = exact(context.limits.max_daily_loss_frac) if context.adds_risk else None
    return [result("daily_loss", loss, limit, "fraction", "loss since the previous close is")]


def check_instrument_weights(context: PlanContext) -> list[CheckResult]:
    """No leg takes its instrument past the share of equity its asset class allows."""
    rows: list[LegMeasure] = []
    for item in context.legs:
        exposure = context.exposures[item.leg.symbol]
        weight = _over(exposure.value, context.equity)
        limit = None
        if not item.reduces:
            known = item.instrument
            limit = exact(context.limits.max_instrument_weight.of(known.asset_class)) if known else Decimal(0)
        rows.append((item.leg.symbol, weight, limit))
    return per_leg("instrument_weight", "fraction", "weight after the plan is", rows)


def check_sector_weights(context: PlanContext) -> list[CheckResult]:
    """No sector that a leg adds to passes its share of equity. "unclassified" counts as one sector:
    names whose sectors nobody knows can't be assumed to differ."""
    totals = group_values(context)
    touched = {context.exposures[item.leg.symbol].group for item in context.adding}
    rows: list[tuple[str, Decimal | None, Decimal]] = []
    for group in sorted(touched - {None}, key=str):
        if group is not None:
            limit = exact(context.limits.max_sector_weight.of(group[0]))
            rows.append((f"{group[0]}/{group[1]}", _over(totals[group], context.equity), limit))
    lines = [
        result("sector_weight", value, limit, "fraction", f"weight of {name} after the plan is")
        for name, value, limit in rows
    ]
    failed = [line for line in lines if not line.passed]
    tightest = max(lines, key=lambda line: (line.value or 0.0) / (line.limit or 1.0), default=None)
    if failed or tightest is None:
        return failed or [result("sector_weight", 0, None, "fraction", "weight added to any sector is")]
    return [tightest]


def check_gross(context: PlanContext) -> list[CheckResult]:
    """The sum of all exposures stays within the leverage bound."""
    total: Decimal | None = Decimal(0)
    for exposure in context.exposures.values():
        total = None if total is None or exposure.value is None else total + exposure.value
    limit = exact(context.limits.max_gross) if context.adds_risk else None
    return [result("gross", _over(total, context.equity), limit, "fraction", "gross exposure after the plan is")]


def check_var(context: PlanContext) -> list[CheckResult]:
    """One-day 99 % historical VaR after the plan, each day's losses added up without that day's gains.

    No netting, for two reasons: a hedge that has not filled protects nothing, and a bigger order can
    then never look safer than a smaller one. It is an upper bound of the risk agent's own VaR.
    """
    value = no_netting_var(context, context.limits)
    limit = context.limits.max_var_99_frac if context.adds_risk else None
    return [result("var_99", value, limit, "fraction", "one-day 99 % VaR without netting is")]


def no_netting_var(context: PlanContext, limits: Limits) -> float | None:
    """The VaR of `check_var`; None when a return, a mark or enough history is missing."""
    state, equity = context.state, context.equity
    weights: dict[str, float] = {}
    for symbol, exposure in context.exposures.items():
        if exposure.quantity:
            if exposure.value is None or equity is None:
                return None
            weights[symbol] = as_float(exposure.value / equity) * (1 if exposure.quantity > 0 else -1)
    return _loss_quantile(state, weights, limits.min_var_days)


def group_values(context: PlanContext) -> dict[Group, Decimal | None]:
    """Worst-case value by sector within asset class; None where a member has no mark."""
    totals: dict[Group, Decimal | None] = {}
    for exposure in context.exposures.values():
        if exposure.group is not None:
            total = totals.get(exposure.group, Decimal(0))
            if total is None or exposure.value is None:
                totals[exposure.group] = None
            else:
                totals[exposure.group] = total + exposure.value
    return totals


def _loss_quantile(state: GateState, weights: dict[str, float], min_days: int) -> float | None:
    if not weights:
        return 0.0
    column = {symbol: place for place, symbol in enumerate(state.return_symbols)}
    shape_is_right = state.returns.ndim == 2 and state.returns.shape[1] == len(column)
    if not shape_is_right or any(symbol not in column for symbol in weights):
        return None
    returns = state.returns[:, [column[symbol] for symbol in weights]]
    # A day on which a name had no bar is left out (late listings, halts); an infinity is never data.
    if np.isinf(returns).any():
        return None
    complete = returns[~np.isnan(returns).any(axis=1)]
    if len(complete) < min_days:
        return None
    losses = np.maximum(-complete * np.array(list(weights.values())), 0.0).sum(axis=1)
    try:
        return historical_var(-losses, VAR_LEVEL)
    except QuantError:
        return None


def _over(value: Decimal | None, equity: Decimal | None) -> Decimal | None:
    return None if value is None or equity is None else value / equity
