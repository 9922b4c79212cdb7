"""The plan checks against lists and permissions: who and what may trade, halts, located shares, protection."""

from ..domain.decisions import CheckResult
from ..domain.orders import Side
from .context import LegContext, PlanContext
from .results import LegMeasure, exact, per_leg, result


def check_lists(context: PlanContext) -> list[CheckResult]:
    """Nothing restricted and, where there is an allow-list, nothing off it; what is held may be sold."""
    limits = context.limits
    allowed = limits.allowed_symbols
    restricted = [_flag(item, item.leg.symbol in limits.restricted_symbols) for item in context.legs]
    off_list = [_flag(item, allowed != "all" and item.leg.symbol not in allowed) for item in context.legs]
    return [
        *per_leg("restricted", "flag", "on the restricted list:", restricted),
        *per_leg("allowed", "flag", "not on the list of allowed names:", off_list),
    ]


def check_halts(context: PlanContext) -> list[CheckResult]:
    """Nothing is planned in a name that is halted; an exit may wait for it to open."""
    halted, is_needed = context.state.halted, context.limits.needs("halted")
    rows: list[LegMeasure] = []
    for item in context.legs:
        value = None if halted is None else int(item.leg.symbol in halted)
        rows.append((item.leg.symbol, value, None if item.reduces or (halted is None and not is_needed) else 0))
    return per_leg("halted", "flag", "the instrument is halted:", rows)


def check_versions(context: PlanContext) -> list[CheckResult]:
    """The model and the settings that made the plan were approved by a person."""
    approved, made_by = context.limits.approved_versions, context.state.versions
    unknown = None if approved == "all" or not made_by else sum(name not in approved for name in made_by)
    bound = None if approved == "all" or not context.adds_risk else 0
    return [result("versions", unknown, bound, "versions", "models or settings nobody approved:")]


def check_protection(context: PlanContext) -> list[CheckResult]:
    """Where the limits ask for it, nothing is bought for which no protective order stands ready."""
    protected = context.state.protected
    rows: list[LegMeasure] = []
    for item in context.legs:
        value = None if protected is None else int(item.leg.symbol not in protected)
        no_bound = item.reduces or not context.limits.require_protective_stop
        rows.append((item.leg.symbol, value, None if no_bound else 0))
    return per_leg("protective_stop", "flag", "no protective order stands ready:", rows)


def check_short(context: PlanContext) -> list[CheckResult]:
    """Nothing is sold that is not held, open sells counted; where it may be, only what was located, and not dear."""
    beyond: list[LegMeasure] = []
    located: list[LegMeasure] = []
    fees: list[LegMeasure] = []
    for item in context.legs:
        if item.leg.side is Side.SELL:
            symbol = item.leg.symbol
            uncovered = max(item.leg.quantity + item.open_same_side - max(item.held, 0), 0)
            shares, rate = _borrowable(context, symbol)
            beyond.append((symbol, uncovered, None if context.limits.allow_short else 0))
            located.append((symbol, uncovered if shares is not None or not uncovered else None, shares or 0))
            fees.append((symbol, rate, exact(context.limits.max_borrow_rate_frac) if uncovered else None))
    return [
        *per_leg("short", "shares", "shares sold beyond what is held:", beyond),
        *per_leg("shortable", "shares", "shares sold short, against those located:", located),
        *per_leg("borrow_rate", "fraction", "the yearly fee for borrowing it is", fees),
    ]


def _borrowable(context: PlanContext, symbol: str) -> tuple[int | None, float | None]:
    """Shares located and their yearly fee; None where nobody looked, or the figure is none."""
    borrow = context.state.borrow.get(symbol)
    if borrow is None:
        return None, None
    return (
        borrow.shortable if borrow.shortable >= 0 else None,
        borrow.rate_frac if borrow.rate_frac >= 0 else None,
    )


def _flag(item: LegContext, is_bad: bool) -> LegMeasure:
    return item.leg.symbol, int(is_bad), None if item.reduces else 0
