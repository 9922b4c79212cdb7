"""The child checks of the desk itself: what it may do now, and whether venue, log and book are there to do it."""

from ..domain.trading import TradingState
from .child_view import BROKEN, FINE, ChildView, Measure, told, untold
from .order_checks import is_protective


def trading_state(v: ChildView) -> Measure:
    """REDUCING lets through what takes risk off, HALTED only the stop that a position is protected by; anything else
    than ACTIVE is a restriction."""
    state = v.context.trading_state
    if state is TradingState.ACTIVE:
        return FINE
    if state is TradingState.HALTED:
        return FINE if _protects(v) else BROKEN
    return FINE if state is TradingState.REDUCING and v.reduces else BROKEN


def _protects(v: ChildView) -> bool:
    """A stop of a leg approved as one, that can only close: of a venue that answers and knows the same book. In HALTED
    nothing of that is taken on trust where it is not known."""
    c = v.context
    is_known = c.venue_connected is True and c.venue_reconciled is True and c.log_writable is True
    return is_known and v.leg.protects and is_protective(v) and v.reduces and not v.buys


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
