"""The plan checks that ask what the book would be afterwards: cash, weights, gross, net, loss and liquidity."""

from decimal import Decimal

from ..domain.decisions import CheckResult
from ..domain.instruments import AssetClass
from ..domain.orders import Side
from .context import Exposure, Group, PlanContext
from .results import LegMeasure, exact, per_leg, result


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


def check_net(context: PlanContext) -> list[CheckResult]:
    """Long less short, if of all open orders and adding legs only the buys fill, or only the sells."""
    high: Decimal | None = Decimal(0)
    low: Decimal | None = Decimal(0)
    for exposure in context.exposures.values():
        high = None if high is None or exposure.highest is None else high + exposure.highest
        low = None if low is None or exposure.lowest is None else low + exposure.lowest
    worst = None if high is None or low is None else max(high, -low)
    limit = exact(context.limits.max_net) if context.adds_risk else None
    return [result("net", _over(worst, context.equity), limit, "fraction", "net exposure after the plan is")]


def check_concentration(context: PlanContext) -> list[CheckResult]:
    """The sum of squared weights of single names; one over it is the effective number of names."""
    total: Decimal | None = Decimal(0)
    for exposure in context.exposures.values():
        if is_single(exposure):
            weight = _over(exposure.value, context.equity)
            total = None if total is None or weight is None else total + weight * weight
    limit = exact(context.limits.max_concentration_hhi) if context.adds_risk else None
    return [result("concentration", total, limit, "fraction", "sum of squared weights after the plan is")]


def check_unexecuted(context: PlanContext) -> list[CheckResult]:
    """All orders that are open and all legs of the plan, at worst price, as if sent at once."""
    total: Decimal | None = sum((item.worst_price * item.quantity for item in context.state.working), Decimal(0))
    for item in context.legs:
        worst = None if item.price is None else max(item.price, item.leg.reference_price) * item.leg.quantity
        total = None if total is None or worst is None else total + worst
    limit = exact(context.limits.max_unexecuted_notional) if context.adds_risk else None
    return [result("unexecuted_value", total, limit, "money", "open orders and the plan are worth")]


def check_liquidation(context: PlanContext) -> list[CheckResult]:
    """Days to sell what an adding leg leaves of its instrument, at the participation bound.

    Not asked where no volume is recorded, unless volume is a required figure.
    """
    limits, rows = context.limits, list[LegMeasure]()
    for item in context.legs:
        symbol = item.leg.symbol
        volume = context.state.daily_volumes.get(symbol)
        a_day = usable_volume(volume)
        tradable = None if a_day is None else a_day * exact(limits.max_participation_frac)
        days = abs(context.exposures[symbol].quantity) / tradable if tradable else None
        no_bound = item.reduces or (volume is None and not limits.needs("volume"))
        rows.append((symbol, days, None if no_bound else exact(limits.max_liquidation_days)))
    return per_leg("liquidation_days", "days", "days to sell it again are", rows)


def usable_volume(volume: float | None) -> Decimal | None:
    """Shares per day as a decimal; None also for zero, NaN and infinity: recorded, and not to be traded against."""
    if volume is None or not 0 < volume < float("inf"):
        return None
    return Decimal(repr(float(volume)))


def is_single(exposure: Exposure) -> bool:
    """Not a fund or a bond, which are spread over many names or owed by a state; an unknown name is single."""
    return exposure.group is None or exposure.group[0] not in (AssetClass.FUND, AssetClass.BOND)


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


def _over(value: Decimal | None, equity: Decimal | None) -> Decimal | None:
    return None if value is None or equity is None else value / equity
