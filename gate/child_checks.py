"""The table of the checks of one child order at the instant of sending; put into words only when read."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from ..domain.orders import ChildOrder, Side
from . import capital_checks, desk_checks, market_checks, order_checks, rate_checks, type_checks
from .approval import PlanTerms
from .child_view import ChildView, Measure, child_view
from .clear import is_clear
from .limits import Limits
from .state import OrderContext


class ChildCheck(NamedTuple):
    """One line of the table: its name in the log, the unit, what the number is, and how it is measured."""

    name: str
    unit: str
    what: str
    measure: Callable[[ChildView], Measure]


CHILD_CHECKS: tuple[ChildCheck, ...] = (
    ChildCheck("plan_match", "fields", "fields that differ from the approved leg:", order_checks.plan_match),
    ChildCheck("lot", "shares", "quantity beyond whole lots is", order_checks.whole_lots),
    ChildCheck("tick", "money", "limit price beyond whole ticks is", order_checks.on_tick),
    ChildCheck("order_type", "fields", "fields that do not go together:", type_checks.order_type),
    ChildCheck("stop_price", "money", "stop price off the grid, or already passed, by", type_checks.stop_price),
    ChildCheck("expiry", "seconds", "missing to the shortest life of an order:", type_checks.expiry),
    ChildCheck("created", "seconds", "time since the child was made is", order_checks.made_just_now),
    ChildCheck("children_sum", "shares", "all children of this parent come to", order_checks.children_sum),
    ChildCheck("children_count", "orders", "children of this parent, this one included:", order_checks.children_count),
    ChildCheck("order_quantity", "shares", "order quantity is", order_checks.order_quantity),
    ChildCheck("order_notional", "money", "order value at worst is", order_checks.order_notional),
    ChildCheck("min_notional", "money", "missing to the smallest order value:", order_checks.smallest_notional),
    ChildCheck("duplicate", "seconds", "a copy was sent inside the window by", order_checks.no_duplicate),
    ChildCheck("self_match", "shares", "own open shares it could trade with:", order_checks.no_self_match),
    ChildCheck("repeats", "legs", "legs filled and opened again today:", order_checks.repeated_legs),
    ChildCheck("restricted", "flag", "on the restricted list:", desk_checks.restricted),
    ChildCheck("allowed", "flag", "not on the list of allowed names:", desk_checks.allowed),
    ChildCheck("trading_state", "orders", "orders the desk's state forbids:", desk_checks.trading_state),
    ChildCheck("venue_ready", "flags", "of connected and reconciled, the venue lacks", desk_checks.venue_ready),
    ChildCheck("log_writable", "flag", "the event log can't be written:", desk_checks.log_writable),
    ChildCheck("state_age", "seconds", "age of the book it is measured against is", desk_checks.state_age),
    ChildCheck("quote_age", "seconds", "age of the quote is", market_checks.quote_age),
    ChildCheck("crossed_quote", "money", "the bid is above the ask by", market_checks.not_crossed),
    ChildCheck("spread", "fraction", "spread over the mid is", market_checks.spread),
    ChildCheck("displayed_depth", "times", "quantity over the size shown is", market_checks.displayed_depth),
    ChildCheck("price_collar", "fraction", "distance of the limit price from the mid is", market_checks.price_collar),
    ChildCheck("price_move", "fraction", "distance of the mid from the plan's mark is", market_checks.price_move),
    ChildCheck("participation", "fraction", "share of the usual daily volume is", market_checks.participation),
    ChildCheck("session_hours", "flag", "the venue is not open for it:", market_checks.session_hours),
    ChildCheck("halted", "flag", "the instrument is halted:", market_checks.not_halted),
    ChildCheck("price_band", "money", "price beyond the venue's band by", market_checks.price_band),
    ChildCheck("clock_skew", "seconds", "our clock is off by", market_checks.clock_skew),
    ChildCheck("short", "shares", "shares sold beyond what is held:", capital_checks.short),
    ChildCheck("shortable", "shares", "shares sold short, against those located:", capital_checks.shortable),
    ChildCheck("cash", "money", "worst cost, open buys and fee included, is", capital_checks.cash),
    ChildCheck("settled_cash", "money", "worst cost, to be paid from settled cash, is", capital_checks.settled_cash),
    ChildCheck("unexecuted_value", "money", "open orders and this one are worth", capital_checks.unexecuted_value),
    ChildCheck("instrument_weight", "fraction", "weight once filled is", capital_checks.instrument_weight),
    ChildCheck("sector_weight", "fraction", "weight of the sector once filled is", capital_checks.sector_weight),
    ChildCheck("gross", "fraction", "gross exposure once filled is", capital_checks.gross),
    ChildCheck("net", "fraction", "net exposure once filled is", capital_checks.net),
    ChildCheck("day_trades", "trades", "day trades in five days, were it closed today:", capital_checks.day_trades),
    ChildCheck("submit_rate", "orders", "orders sent within a second, this one included:", rate_checks.submit_rate),
    ChildCheck("cancel_rate", "orders", "cancels sent within a second:", rate_checks.cancel_rate),
    ChildCheck("orders_per_day", "orders", "orders sent today, this one included:", rate_checks.orders_per_day),
    ChildCheck("message_ratio", "messages", "messages of today for each fill are", rate_checks.message_ratio),
    ChildCheck("queue_age", "seconds", "the adapter's queue is behind by", rate_checks.queue_age),
)

UNUSABLE = (ArithmeticError, TypeError, ValueError, AttributeError)
"""Decimal signals on NaN and infinity; the others are values of a type the fields don't promise."""
NOTHING_KNOWN: Measure = (None, 0)
"""Of a child, quote or number that is unusable nothing is measured, and every line fails."""


def passes(child: ChildOrder, terms: PlanTerms, context: OrderContext, limits: Limits, now: datetime) -> bool:
    """Whether the child may go: at one glance where all is clear, by the table where it is not."""
    try:
        if is_clear(child, terms, context, limits.child_bounds, now):
            return True
    except UNUSABLE:
        pass  # What is odd is for the table to say.
    return judged(view_of(child, terms, context, limits, now))[0]


def view_of(
    child: ChildOrder, terms: PlanTerms, context: OrderContext, limits: Limits, now: datetime
) -> ChildView | None:
    """The child beside all that it is measured against; None where something of it is unusable."""
    try:
        leg = terms.legs.get(child.order_id) if is_well_formed(child) else None
        quote = context.quote
        if leg is None or quote is None or not (_is_usable(context) and quote.bid > 0 and quote.ask > 0):
            return None
        return child_view(child, leg, terms, context, quote, limits.child_bounds, now)
    except UNUSABLE:
        return None


def judged(view: ChildView | None) -> tuple[bool, list[Measure]]:
    """Whether each measurement is within its bound, and all of them in the order of CHILD_CHECKS."""
    if view is None:
        return False, nothing_known()
    try:
        measures = [measure(view) for _, _, _, measure in CHILD_CHECKS]
        return all_within(measures), measures
    except UNUSABLE:
        return False, nothing_known()


def nothing_known() -> list[Measure]:
    return [NOTHING_KNOWN for _ in CHILD_CHECKS]


def is_well_formed(child: ChildOrder) -> bool:
    """What the type promises, checked again: a model built without validation can hold anything."""
    try:
        # A model's own attribute access costs twice that of its dictionary.
        fields = child.__dict__
        limit, made_at = fields["limit_price"], fields["created_at"]
        price_is_real = limit is None or (type(limit) is Decimal and limit.is_finite() and limit > 0)
        count_is_real = type(fields["quantity"]) is int and fields["quantity"] > 0
        name, order_id, decision_id, symbol = (
            fields["client_order_id"], fields["order_id"], fields["decision_id"], fields["symbol"],
        )  # fmt: skip
        rest_is_real = type(fields["side"]) is Side and type(fields["sequence"]) is int
        kind_is_real = type_checks.kind_is_real(fields)
    except (AttributeError, TypeError, KeyError):
        return False
    names_are_real = type(name) is type(order_id) is type(decision_id) is type(symbol) is str
    are_named = names_are_real and name and order_id and decision_id and symbol
    time_is_real = type(made_at) is datetime and made_at.tzinfo is not None
    return bool(price_is_real and count_is_real and are_named and rest_is_real and kind_is_real and time_is_real)


def _is_usable(context: OrderContext) -> bool:
    """Sums instead of single tests: one is finite, or a whole number, only if every part is."""
    amounts = context.cash + context.reserved + context.worst_fee + context.gross_value + context.sector_value
    buys, sells, committed = context.open_buys, context.open_sells, context.committed
    children, traded = context.children, context.traded
    whole = type(context.held + buys + sells + committed + children + traded) is int
    return whole and amounts.is_finite() and not (buys < 0 or sells < 0 or committed < 0 or children < 0 or traded < 0)


def all_within(measures: list[Measure]) -> bool:
    """`results.is_within` for all of them, without its tests for what `view_of` has already ruled out."""
    return not [bound for value, bound in measures if bound is not None and (value is None or not value <= bound)]
