"""The plan checks that ask whether this is an order at all: identity, marks, grid, size, timing."""

from decimal import Decimal

from ..domain.decisions import CheckResult
from ..domain.orders import Side
from ..domain.trading import TradingState
from .context import LegContext, PlanContext, mark
from .results import LegMeasure, exact, per_leg, result
from .state import GateState

SECONDS_PER_DAY = 86_400.0


def check_plan_identity(context: PlanContext) -> list[CheckResult]:
    """The plan has legs, not too many, all of its own decision, and none twice."""
    legs = context.plan.legs
    foreign = sum(leg.decision_id != context.plan.decision_id for leg in legs)
    repeated = 2 * len(legs) - len({leg.symbol for leg in legs}) - len({leg.order_id for leg in legs})
    return [
        result("legs", len(legs) or None, context.limits.max_legs, "legs", "the plan has"),
        result("decision", foreign, 0, "legs", "legs of another decision:"),
        result("unique_legs", repeated, 0, "legs", "symbols and order ids that appear again:"),
    ]


def check_plan_age(context: PlanContext) -> list[CheckResult]:
    """The plan is neither old nor from the future."""
    age = (context.now - context.plan.as_of).total_seconds() / SECONDS_PER_DAY
    return [
        result("plan_age", age if age >= 0 else None, context.limits.max_plan_age_days, "days", "the plan's age is")
    ]


def check_trading_state(context: PlanContext) -> list[CheckResult]:
    """REDUCING lets only legs through that take risk off, HALTED only those of them that protect a position."""
    state = context.state
    legs = [(item, allowed_state(state, item.leg.symbol)) for item in context.legs]
    stopped = sum(not _may_pass(item, allowed) for item, allowed in legs)
    strictest = max((allowed for _, allowed in legs), key=lambda each: each.severity, default=allowed_state(state))
    return [result("trading_state", stopped, 0, "legs", f"the strictest state is {strictest}; legs it forbids:")]


def _may_pass(item: LegContext, allowed: TradingState) -> bool:
    if allowed is TradingState.ACTIVE:
        return True
    if allowed is TradingState.REDUCING:
        return item.reduces
    return item.reduces and item.leg.protects is True and item.leg.side is Side.SELL


def allowed_state(state: GateState, symbol: str = "") -> TradingState:
    """The strictest over the account, the strategy and venue of the plan, and the instrument."""
    return state.trading_states.of(symbol, venue=state.venue, strategy=state.strategy)


def check_instruments(context: PlanContext) -> list[CheckResult]:
    """Every leg names a known instrument, in the account's currency, on its grid of prices, in whole lots
    (or closes an odd position)."""
    currency = context.state.portfolio.currency
    known: list[LegMeasure] = []
    lots: list[LegMeasure] = []
    ticks: list[LegMeasure] = []
    for item in context.legs:
        symbol, instrument = item.leg.symbol, item.instrument
        tradable = instrument is not None and instrument.symbol == symbol and instrument.currency == currency
        known.append((symbol, 0 if tradable else 1, 0))
        closes = item.reduces and item.leg.quantity == abs(item.held)
        odd = None if instrument is None else item.leg.quantity % instrument.lot
        lots.append((symbol, odd, None if closes else 0))
        ticks.append((symbol, None if instrument is None else item.leg.reference_price % instrument.tick, 0))
    return [
        *per_leg("known_instrument", "flag", "not a known instrument in the account's currency:", known),
        *per_leg("lot", "shares", "quantity beyond whole lots is", lots),
        *per_leg("tick", "money", "reference price beyond whole ticks is", ticks),
    ]


def check_marks(context: PlanContext) -> list[CheckResult]:
    """Every leg has a fresh mark, and its reference price agrees with it."""
    limits = context.limits
    ages = [(item.leg.symbol, _fresh_age(item), limits.max_price_age_days) for item in context.legs]
    gaps = [(item.leg.symbol, _reference_gap(item), limits.price_collar_frac) for item in context.legs]
    return [
        *per_leg("price_age", "days", "age of the last price is", ages),
        *per_leg("reference_price", "fraction", "reference price differs from the mark by", gaps),
    ]


def check_book(context: PlanContext) -> list[CheckResult]:
    """All that is held can be valued, and the equity given is that value; no bar to legs that only reduce."""
    state, limits = context.state, context.limits
    total: Decimal | None = state.portfolio.cash if state.portfolio.cash.is_finite() else None
    unusable = 0
    for symbol, quantity in state.portfolio.holdings().items():
        price, age = mark(state, symbol), state.price_ages_days.get(symbol)
        fresh = age is not None and 0 <= age <= limits.max_price_age_days
        unusable += price is None or not fresh or symbol not in state.instruments
        total = None if total is None or price is None else total + price * quantity
    equity = context.equity
    gap = None if equity is None or total is None else abs(equity - total) / equity
    bound = 0 if context.adds_risk else None
    # Marks and equity come from the same snapshot; a basis point covers a sum taken in floats.
    tolerance = Decimal("0.0001") if context.adds_risk else None
    return [
        result("held_marks", unusable, bound, "names", "held instruments unknown or without a fresh price:"),
        result("equity", gap, tolerance, "fraction", "equity differs from cash and positions by"),
    ]


def check_size(context: PlanContext) -> list[CheckResult]:
    """No leg is absurdly large in shares, in money or against the usual volume; reducing legs are bounded
    by the position they reduce, and by participation when their children are sent."""
    limits = context.limits
    quantities: list[LegMeasure] = []
    notionals: list[LegMeasure] = []
    dust: list[LegMeasure] = []
    shares_of_volume: list[LegMeasure] = []
    for item in context.legs:
        leg = item.leg
        dearest = None if item.price is None else max(item.price, leg.reference_price) * leg.quantity
        volume = context.state.daily_volumes.get(leg.symbol)
        exempt = item.reduces
        quantities.append((leg.symbol, leg.quantity, None if exempt else limits.max_order_quantity))
        notionals.append((leg.symbol, dearest, None if exempt else limits.max_order_notional))
        missing = None if item.price is None else exact(limits.min_order_notional) - item.price * leg.quantity
        dust.append((leg.symbol, missing, None if exempt else 0))
        no_bound = exempt or (volume is None and not limits.needs("volume"))
        shares_of_volume.append(
            (leg.symbol, _participation(item, volume), None if no_bound else limits.max_participation_frac)
        )
    return [
        *per_leg("order_quantity", "shares", "order quantity is", quantities),
        *per_leg("order_notional", "money", "order value is", notionals),
        *per_leg("min_notional", "money", "missing to the smallest order value:", dust),
        *per_leg("participation", "fraction", "share of the usual daily volume is", shares_of_volume),
    ]


def _fresh_age(item: LegContext) -> float | None:
    """The age of the leg's mark; unknown without a mark, or when it claims to come from the future."""
    if item.price is None or item.age_days is None or not item.age_days >= 0:
        return None
    return item.age_days


def _reference_gap(item: LegContext) -> Decimal | None:
    return None if item.price is None else abs(item.leg.reference_price / item.price - 1)


def _participation(item: LegContext, volume: float | None) -> Decimal | None:
    """None also for a volume of zero or NaN: recorded, and not to be traded against."""
    if volume is None or not volume > 0 or volume == float("inf"):
        return None
    return Decimal(item.leg.quantity + item.open_same_side) / Decimal(repr(float(volume)))
