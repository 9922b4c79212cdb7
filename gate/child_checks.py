"""The checks of one child order at the instant of sending: measured in one pass, put into words only when read."""

from datetime import datetime
from decimal import Decimal

from ..domain.market import Quote
from ..domain.orders import ChildOrder, Side
from ..domain.trading import TradingState
from .approval import LegTerms, PlanTerms
from .limits import Limits
from .results import Number, exact
from .state import OrderContext

Measure = tuple[Number | None, Number | None]
"""What was measured and its bound, as in `results.result`; they line up with CHILD_CHECKS."""

CHILD_CHECKS: tuple[tuple[str, str, str], ...] = (
    ("plan_match", "fields", "fields that differ from the approved leg:"),
    ("lot", "shares", "quantity beyond whole lots is"),
    ("created", "seconds", "time since the child was made is"),
    ("children_sum", "shares", "all children of this parent come to"),
    ("children_count", "orders", "children of this parent, this one included:"),
    ("order_quantity", "shares", "order quantity is"),
    ("order_notional", "money", "order value at worst is"),
    ("restricted", "flag", "on the restricted list:"),
    ("trading_state", "orders", "orders the desk's state forbids:"),
    ("quote_age", "seconds", "age of the quote is"),
    ("spread", "fraction", "spread over the mid is"),
    ("price_collar", "fraction", "distance of the limit price from the mid is"),
    ("price_move", "fraction", "distance of the mid from the plan's mark is"),
    ("participation", "fraction", "share of the usual daily volume is"),
    ("short", "shares", "shares sold beyond what is held:"),
    ("cash", "money", "worst cost, open buys and fee included, is"),
    ("instrument_weight", "fraction", "weight once filled is"),
    ("sector_weight", "fraction", "weight of the sector once filled is"),
    ("gross", "fraction", "gross exposure once filled is"),
)

UNKNOWN: tuple[Measure, ...] = tuple((None, 0) for _ in CHILD_CHECKS)
"""Nothing could be measured: every line fails."""

ONE = Decimal(1)


def measure_child(
    child: ChildOrder, terms: PlanTerms, context: OrderContext, limits: Limits, now: datetime
) -> tuple[Measure, ...]:
    """Every measurement of a child beside its bound; all UNKNOWN when leg, quote or numbers are unusable."""
    leg = terms.legs.get(child.order_id) if is_well_formed(child) else None
    quote = context.quote
    if leg is None or quote is None:
        return UNKNOWN
    try:
        # A crossed or empty quote prices nothing.
        if not (_is_finite(context) and 0 < quote.bid <= quote.ask):
            return UNKNOWN
        return (
            *_identity(child, leg, terms, context, limits, now),
            *_market(child, leg, quote, context, limits, now),
            *_capital(child, leg, terms, context, limits),
        )
    except ArithmeticError:
        # Decimal signals on NaN comparisons and on infinity minus infinity: an input was not finite.
        return UNKNOWN


def is_well_formed(child: ChildOrder) -> bool:
    """What the type promises, checked again: a model built without validation can hold anything."""
    try:
        limit = child.limit_price
        price_is_real = limit is None or (type(limit) is Decimal and limit.is_finite() and limit > 0)
        count_is_real = type(child.quantity) is int and child.quantity > 0
        texts = (child.client_order_id, child.order_id, child.decision_id, child.symbol)
        texts_are_real = all(type(text) is str and text for text in texts)
        rest_is_real = type(child.side) is Side and type(child.sequence) is int
        made_at = child.created_at
    except AttributeError:
        return False
    time_is_real = type(made_at) is datetime and made_at.tzinfo is not None
    return price_is_real and count_is_real and texts_are_real and rest_is_real and time_is_real


def _is_finite(context: OrderContext) -> bool:
    """One sum instead of five tests: it is finite only if every part is."""
    amounts = context.cash + context.reserved + context.worst_fee + context.gross_value + context.sector_value
    return amounts.is_finite()


def _identity(
    child: ChildOrder,
    leg: LegTerms,
    terms: PlanTerms,
    context: OrderContext,
    limits: Limits,
    now: datetime,
) -> tuple[Measure, ...]:
    differing = (child.symbol != leg.symbol) + (child.side is not leg.side) + (child.decision_id != terms.decision_id)
    rest = leg.quantity - context.committed
    odd = 0 if child.quantity == rest else child.quantity % leg.lot
    since = (now - child.created_at).total_seconds()
    return (
        (differing, 0),
        (odd, 0),
        (since if since >= 0 else None, limits.max_quote_age_s),
        (context.committed + child.quantity, leg.quantity),
        (context.children + 1, limits.max_children),
    )


def _market(
    child: ChildOrder, leg: LegTerms, quote: Quote, context: OrderContext, limits: Limits, now: datetime
) -> tuple[Measure, ...]:
    reduces = _reduces(child, context)
    state, quantity = context.trading_state, child.quantity
    mid, limit = quote.mid, child.limit_price
    age = (now - quote.ts_event).total_seconds()
    stopped = state is TradingState.HALTED or (state is not TradingState.ACTIVE and not reduces)
    # Without a limit nothing bounds the price: only an order that takes risk off may go like that.
    collar: Measure = (None, None if reduces else 0)
    if limit is not None:
        collar = (abs(limit / mid - ONE), exact(limits.price_collar_frac))
    volume = leg.daily_volume
    share = None if not volume else (context.traded + quantity) / volume
    return (
        (quantity, None if reduces else limits.max_order_quantity),
        ((mid if limit is None else max(mid, limit)) * quantity, None if reduces else limits.max_order_notional),
        (int(leg.symbol in limits.restricted_symbols), None if reduces else 0),
        (int(stopped), 0),
        (age if age >= 0 and quote.symbol == leg.symbol else None, limits.max_quote_age_s),
        ((quote.ask - quote.bid) / mid, exact(limits.max_spread_frac)),
        collar,
        (abs(mid / leg.mark - ONE), exact(limits.max_price_move_frac)),
        (share, None if volume is None else limits.max_participation_frac),
    )


def _capital(
    child: ChildOrder, leg: LegTerms, terms: PlanTerms, context: OrderContext, limits: Limits
) -> tuple[Measure, ...]:
    quantity, sign, equity = child.quantity, child.side.sign, terms.equity
    buys = child.side is Side.BUY
    reduces = _reduces(child, context)
    opened = context.open_buys if buys else context.open_sells
    value = leg.mark * quantity
    limit = child.limit_price
    # Not a price above the ask that limits could set: then a tighter limit would make the order cheaper.
    cost = None if limit is None else limit * quantity + context.reserved + context.worst_fee
    uncovered = 0 if buys else max(opened + quantity - max(context.held, 0), 0)
    weight = leg.mark * abs(sign * context.held + opened + quantity) / equity
    weight_limit = exact(limits.max_instrument_weight.of(leg.asset_class))
    sector_limit = exact(limits.max_sector_weight.of(leg.asset_class))
    added = 0 if reduces else value
    return (
        (uncovered, None if limits.allow_short else 0),
        (cost, context.cash - exact(limits.min_cash) if buys else None),
        (weight, None if reduces else weight_limit),
        ((context.sector_value + added) / equity, None if reduces else sector_limit),
        ((context.gross_value + added) / equity, None if reduces else exact(limits.max_gross)),
    )


def all_within(measures: tuple[Measure, ...]) -> bool:
    """`results.is_within` for all of them, without its tests for what `measure_child` has already ruled out."""
    return not any(limit is not None and (value is None or not value <= limit) for value, limit in measures)


def _reduces(child: ChildOrder, context: OrderContext) -> bool:
    """Goes against the position and, with open orders on its side, not through zero."""
    against = context.held * child.side.sign < 0
    opened = context.open_buys if child.side is Side.BUY else context.open_sells
    return against and child.quantity + opened <= abs(context.held)
