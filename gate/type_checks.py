"""The child checks of what kind of order it is: do type, prices and lifetime go together, and is each usable now."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from ..domain.orders import OrderType, TimeInForce
from .child_view import FINE, NO_BOUND, ZERO, ChildView, Measure

LEAST_LIFE_S = 1.0

_T, _F = OrderType, TimeInForce

_HAS_PRICES: Mapping[OrderType, tuple[bool, bool]] = {
    _T.MARKET: (False, False),
    _T.LIMIT: (True, False),
    _T.STOP: (False, True),
    _T.STOP_LIMIT: (True, True),
}
"""Whether a type has a limit price, and whether it has a stop price."""

_STANDS: Mapping[OrderType, frozenset[TimeInForce]] = {
    # A market order that stands for days is an order for whatever tomorrow brings.
    _T.MARKET: frozenset({_F.DAY, _F.IOC, _F.FOK, _F.OPG, _F.CLS}),
    _T.LIMIT: frozenset(_F),
    _T.STOP: frozenset({_F.DAY, _F.GTC, _F.GTD}),
    _T.STOP_LIMIT: frozenset({_F.DAY, _F.GTC, _F.GTD}),
}


def order_type(v: ChildView) -> Measure:
    """Type, prices and time in force are a combination that venues take."""
    f = v.child.__dict__
    kind, force = f["order_type"], f["time_in_force"]
    has_limit, has_stop = _HAS_PRICES[kind]
    wrong = ((v.limit_price is not None) is not has_limit) + ((f["stop_price"] is not None) is not has_stop)
    wrong += force not in _STANDS[kind]
    return wrong + ((f["expires_at"] is not None) is not (force is _F.GTD)), 0


def stop_price(v: ChildView) -> Measure:
    """The stop is on the grid, and the market has yet to reach it: a buy's above the mid, a sell's below."""
    stop = v.child.stop_price
    if stop is None:
        return FINE
    passed = v.mid - stop if v.buys else stop - v.mid
    return stop % v.leg.tick + max(passed, ZERO), ZERO


def expiry(v: ChildView) -> Measure:
    """An order good till a date has a while to go."""
    expires_at = v.child.expires_at
    if expires_at is None:
        return NO_BOUND
    missing_s = LEAST_LIFE_S - (expires_at - v.now).total_seconds()
    return (missing_s if missing_s > 0 else 0), 0


def kind_is_real(fields: Mapping[str, Any]) -> bool:
    """What the type of an order promises of the fields read here, checked again for one built without validation."""
    stop, expires_at = fields["stop_price"], fields["expires_at"]
    stop_is_real = stop is None or (type(stop) is Decimal and stop.is_finite() and stop > 0)
    end_is_real = expires_at is None or (type(expires_at) is datetime and expires_at.tzinfo is not None)
    kinds_are_real = type(fields["order_type"]) is OrderType and type(fields["time_in_force"]) is TimeInForce
    return stop_is_real and end_is_real and kinds_are_real
