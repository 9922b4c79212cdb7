"""The child checks of the order itself: is it what was approved, of a size a venue takes, and sent only once."""

from ..domain.orders import OrderType, TimeInForce
from .child_view import FINE, ZERO, ChildView, Measure, told, untold


def plan_match(v: ChildView) -> Measure:
    """Instrument, side and decision are those of the approved leg, and what was approved to rest does."""
    child, leg = v.child, v.leg
    wrong = (child.side is not leg.side) + (leg.protects and not is_protective(v))
    return (child.symbol != leg.symbol) + wrong + (child.decision_id != v.terms.decision_id), 0


def is_protective(v: ChildView) -> bool:
    """Whether it is a stop that stands until it is taken back."""
    f = vars(v.child)
    return f["order_type"] is OrderType.STOP and f["time_in_force"] is TimeInForce.GTC


def whole_lots(v: ChildView) -> Measure:
    """Whole lots, except for the child that completes its leg."""
    return (0 if v.completes else v.quantity % v.leg.lot), 0


def on_tick(v: ChildView) -> Measure:
    """The limit price is on the instrument's grid; venues refuse others."""
    return FINE if v.limit_price is None else (v.limit_price % v.leg.tick, ZERO)


def made_just_now(v: ChildView) -> Measure:
    """The child is neither old nor from the future."""
    age_s = (v.now - v.child.created_at).total_seconds()
    return (age_s if age_s >= 0 else None), v.bounds.max_quote_age_s


def children_sum(v: ChildView) -> Measure:
    """All children of a parent never come to more than the parent."""
    return v.context.committed + v.quantity, v.leg.quantity


def children_count(v: ChildView) -> Measure:
    return v.context.children + 1, v.bounds.max_children


def order_quantity(v: ChildView) -> Measure:
    return v.quantity, None if v.reduces else v.bounds.max_order_quantity


def order_notional(v: ChildView) -> Measure:
    """The value at the mid or the limit, whichever is dearer."""
    return v.worst_value, None if v.reduces else v.bounds.max_order_notional


def smallest_notional(v: ChildView) -> Measure:
    """No dust; the end of a leg and exits are exempt, so that none gets stuck."""
    missing = v.bounds.min_order_notional - v.value
    return missing, None if v.reduces or v.completes else ZERO


def no_duplicate(v: ChildView) -> Measure:
    """No child of the same content was sent within the window."""
    age_s = v.context.twin_age_s
    if age_s is None or not age_s >= 0:
        return untold(v, "duplicate") if age_s is None else (None, 0)
    since = v.bounds.duplicate_window_s - age_s
    return (since if since > 0 else 0), 0


def no_self_match(v: ChildView) -> Measure:
    """The child can't trade with an own open order of the other side; a price that is not known might cross."""
    facing = v.context.open_sells if v.buys else v.context.open_buys
    price, limit = v.context.opposite_price, v.limit_price
    if facing and price is not None and limit is not None and (limit < price if v.buys else limit > price):
        return FINE
    return facing, 0


def repeated_legs(v: ChildView) -> Measure:
    """One instrument and side is not filled and opened again without end (RTS 6, article 15)."""
    bound = None if v.reduces else v.bounds.max_repeated_legs
    return told(v, "repeats", v.context.repeated_legs, bound)
