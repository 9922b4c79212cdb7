"""Shrinks a vetoed plan to what the limits allow, for the one retry that the graph may make.

This is arithmetic, not permission: the gate reviews the result like any other plan. No leg ever grows,
changes side or is added; legs that come to nothing are dropped.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

from ..domain.canonical import short_id
from ..domain.orders import ParentOrder, Plan, Side
from ..domain.trading import TradingState
from .checks import allowed_state, check_instruments, check_marks
from .context import Group, LegContext, PlanContext, group_of, plan_context
from .exposure_checks import (
    check_cash,
    check_concentration,
    check_daily_loss,
    check_gross,
    check_net,
    check_unexecuted,
    group_values,
    usable_volume,
)
from .limits import Limits
from .list_checks import check_halts, check_lists, check_protection, check_versions
from .results import exact
from .state import GateState
from .tail_checks import check_beta, check_clusters, check_history, check_tail

UNCUTTABLE = (check_marks, check_instruments, check_lists, check_halts, check_protection, check_history)
"""A leg that fails one of these fails it at any size."""

TOTALS = (
    check_gross,
    check_net,
    check_cash,
    check_unexecuted,
    check_concentration,
    check_clusters,
    check_beta,
    check_tail,
)
"""What only ever falls as all adding legs shrink together."""

BISECTIONS = 20
"""Enough to place the common factor within a millionth, which is finer than one share of a large leg."""


def scale_to_limits(plan: Plan, state: GateState, limits: Limits, now: datetime) -> Plan:
    """The plan with its legs cut to the binding limits: first each leg, then each sector, then all that add.

    Legs that reduce risk are kept whole, up to what is held. The result may have no legs at all.
    """
    cut = _with_legs(plan, _usable(plan_context(plan, state, limits, now)))
    context = plan_context(cut, state, limits, now)
    cut = _resized(cut, {item.leg.order_id: _leg_cap(item, context) for item in context.legs}, state)
    cut = _within_sectors(plan_context(cut, state, limits, now))
    cut = _within_totals(plan_context(cut, state, limits, now))
    cut = _without_dust(plan_context(cut, state, limits, now))
    if cut.legs == plan.legs:
        return plan
    return cut.model_copy(update={"plan_id": short_id("plan", plan.plan_id, "scaled", limits.hash())})


def _usable(context: PlanContext) -> list[ParentOrder]:
    """Legs that no resizing can mend are left out: foreign, repeated, unpriced, stale, halted or banned ones."""
    state, limits = context.state, context.limits
    unfit = {row.symbol for check in UNCUTTABLE for row in check(context) if not row.passed and row.check != "lot"}
    seen: set[str] = set()
    kept: list[LegContext] = []
    for item in context.legs:
        leg = item.leg
        is_known = item.instrument is not None and item.instrument.currency == state.portfolio.currency
        is_ours = leg.decision_id == context.plan.decision_id
        is_new = leg.symbol not in seen and leg.order_id not in seen
        if is_known and is_ours and is_new and not (leg.symbol in unfit and not _may_reduce(item)):
            kept.append(item)
        seen |= {leg.symbol, leg.order_id}
    # Past the number of legs allowed, what reduces goes first, then what is worth most.
    kept.sort(key=lambda item: (not item.reduces, -item.leg.notional, item.leg.symbol))
    allowed = {item.leg.order_id for item in kept[: limits.max_legs]}
    return [item.leg for item in context.legs if item in kept and item.leg.order_id in allowed]


def _may_reduce(item: LegContext) -> bool:
    return item.held * item.leg.side.sign < 0


def _leg_cap(item: LegContext, context: PlanContext) -> int:
    """The largest quantity the limits of this one leg allow, before lots."""
    leg, limits, state = item.leg, context.limits, context.state
    allowed = allowed_state(state, leg.symbol)
    if allowed is TradingState.HALTED or item.price is None or item.instrument is None:
        return 0
    if item.reduces:
        return leg.quantity
    coverable = max(abs(item.held) - item.open_same_side, 0) if _may_reduce(item) else 0
    sells_too_much = leg.side is Side.SELL and not limits.allow_short
    held_back = not all(check(context)[0].passed for check in (check_daily_loss, check_versions))
    stopped = allowed is not TradingState.ACTIVE or held_back
    if sells_too_much or stopped or context.equity is None:
        return min(leg.quantity, coverable)
    dearest = max(item.price, leg.reference_price)
    caps = [leg.quantity, limits.max_order_quantity, _whole(exact(limits.max_order_notional) / dearest)]
    worst = abs(context.exposures[leg.symbol].quantity)
    if leg.symbol in state.daily_volumes or limits.needs("volume"):
        volume = usable_volume(state.daily_volumes.get(leg.symbol)) or Decimal(0)
        tradable = volume * exact(limits.max_participation_frac)
        caps.append(_whole(tradable) - item.open_same_side)
        caps.append(leg.quantity + _whole(tradable * exact(limits.max_liquidation_days)) - worst)
    weight = exact(limits.max_instrument_weight.of(item.instrument.asset_class))
    caps.append(leg.quantity + _whole(weight * context.equity / item.price) - worst)
    return max(min(caps), 0)


def _within_sectors(context: PlanContext) -> Plan:
    """Adding legs of a sector that is too full shrink by one factor."""
    totals = group_values(context)
    added: dict[Group, Decimal] = {}
    for item in context.adding:
        group = group_of(item.instrument)
        if group is not None and item.price is not None:
            added[group] = added.get(group, Decimal(0)) + item.price * item.leg.quantity
    factors: dict[Group, Decimal] = {}
    for group, value in added.items():
        total = totals[group]
        if total is None or context.equity is None:
            factors[group] = Decimal(0)
            continue
        room = exact(context.limits.max_sector_weight.of(group[0])) * context.equity - (total - value)
        factors[group] = min(max(room / value, Decimal(0)), Decimal(1))
    caps: dict[str, int] = {}
    for item in context.adding:
        group = group_of(item.instrument)
        if group is not None:
            caps[item.leg.order_id] = _whole(item.leg.quantity * factors.get(group, Decimal(1)))
    return _resized(context.plan, caps, context.state)


def _within_totals(context: PlanContext) -> Plan:
    """All adding legs shrink by one factor until every total holds; found by bisection, since they only ever
    fall as the factor does."""
    if _totals_hold(context):
        return context.plan
    low, high = Decimal(0), Decimal(1)
    best = _scaled_down(context, low)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        candidate = _scaled_down(context, middle)
        if _totals_hold(plan_context(candidate, context.state, context.limits, context.now)):
            low, best = middle, candidate
        else:
            high = middle
    return best


def _totals_hold(context: PlanContext) -> bool:
    return all(row.passed for check in TOTALS for row in check(context))


def _without_dust(context: PlanContext) -> Plan:
    """What was cut below the smallest order worth sending is left out."""
    least = exact(context.limits.min_order_notional)
    kept = [item for item in context.legs if item.reduces or (item.price or 0) * item.leg.quantity >= least]
    return _with_legs(context.plan, [item.leg for item in kept])


def _scaled_down(context: PlanContext, factor: Decimal) -> Plan:
    caps = {item.leg.order_id: _whole(item.leg.quantity * factor) for item in context.adding}
    return _resized(context.plan, caps, context.state)


def _resized(plan: Plan, caps: Mapping[str, int], state: GateState) -> Plan:
    """The plan with each leg at most its cap, in whole lots when it was cut, and without empty legs."""
    legs: list[ParentOrder] = []
    for leg in plan.legs:
        quantity = leg.quantity
        cap = caps.get(leg.order_id, quantity)
        if cap < quantity:
            instrument = state.instruments.get(leg.symbol)
            lot = instrument.lot if instrument else 1
            quantity = cap // lot * lot
        if quantity > 0:
            legs.append(leg.model_copy(update={"quantity": quantity}))
    return _with_legs(plan, legs)


def _with_legs(plan: Plan, legs: Iterable[ParentOrder]) -> Plan:
    return plan.model_copy(update={"legs": tuple(legs)})


def _whole(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_FLOOR))
