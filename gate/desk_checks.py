"""The child checks of the desk itself: what it may do now, and whether venue, log and book are there to do it."""

from ..domain.trading import TradingState
from .child_view import BROKEN, FINE, ChildView, Measure, told, untold


def trading_state(v: ChildView) -> Measure:
    """HALTED lets nothing through, REDUCING what takes risk off; anything else than ACTIVE is a restriction."""
    state = v.context.trading_state
    if state is TradingState.ACTIVE:
        return FINE
    return FINE if state is TradingState.REDUCING and v.reduces else BROKEN


def restricted(v: ChildView) -> Measure:
    is_listed = v.leg.symbol in v.bounds.restricted_symbols
    return int(is_listed), None if v.reduces else 0


def allowed(v: ChildView) -> Measure:
    """On the allow-list, where there is one."""
    names = v.bounds.allowed_symbols
    is_missing = names is not None and v.leg.symbol not in names
    return int(is_missing), None if v.reduces else 0


def venue_ready(v: ChildView) -> Measure:
    """Connected, and its orders, fills and positions are known to be ours."""
    connected, reconciled = v.context.venue_connected, v.context.venue_reconciled
    if connected is None and reconciled is None:
        return untold(v, "venue_ready")
    return (connected is not True) + (reconciled is not True), 0


def log_writable(v: ChildView) -> Measure:
    """No order without a durable record of it."""
    if v.context.log_writable is None:
        return untold(v, "log_writable")
    return FINE if v.context.log_writable is True else BROKEN


def state_age(v: ChildView) -> Measure:
    """Positions and open orders are those of a moment ago."""
    return told(v, "state_age", v.context.state_age_s, v.bounds.max_state_age_s)
