"""The child checks of money and exposure: what the book would be if this child and all open orders filled."""

from .child_view import NO_BOUND, ZERO, ChildView, Measure, untold


def cash(v: ChildView) -> Measure:
    """Open buys and this one at worst, fees included, are paid from cash that is there.

    Not at a price above the ask that limits could set: then a tighter limit would make the order cheaper.
    """
    cost = None if v.limit_price is None else v.limit_price * v.quantity + v.context.reserved + v.context.worst_fee
    return cost, v.context.cash - v.bounds.min_cash if v.buys else None


def settled_cash(v: ChildView) -> Measure:
    """A cash account buys with money that has settled."""
    settled = v.context.settled_cash
    if not v.buys:
        return NO_BOUND
    if settled is None:
        return untold(v, "settled_cash")
    cost = None if v.limit_price is None else v.limit_price * v.quantity + v.context.worst_fee
    return cost, settled - v.bounds.min_cash


def unexecuted_value(v: ChildView) -> Measure:
    """All own open orders and this one, at worst price."""
    opened = v.context.unexecuted
    bound = None if v.reduces else v.bounds.max_unexecuted_notional
    if opened is None:
        return untold(v, "unexecuted_value", bound)
    return (opened + v.worst_value if opened >= ZERO else None), bound


def short(v: ChildView) -> Measure:
    """Nothing is sold that is not held, open sells counted."""
    return uncovered_shares(v), None if v.bounds.allow_short else 0


def shortable(v: ChildView) -> Measure:
    """What is sold short was located first."""
    uncovered = uncovered_shares(v)
    located = v.leg.shortable
    return (uncovered if located is not None or not uncovered else None), located or 0


def instrument_weight(v: ChildView) -> Measure:
    held = v.context.held if v.buys else -v.context.held
    weight = v.leg.mark * abs(held + v.opened + v.quantity) / v.terms.equity
    return weight, None if v.reduces else v.bounds.max_instrument_weight[v.leg.asset_class]


def sector_weight(v: ChildView) -> Measure:
    added = ZERO if v.reduces else v.value
    weight = (v.context.sector_value + added) / v.terms.equity
    return weight, None if v.reduces else v.bounds.max_sector_weight[v.leg.asset_class]


def gross(v: ChildView) -> Measure:
    added = ZERO if v.reduces else v.value
    total = (v.context.gross_value + added) / v.terms.equity
    return total, None if v.reduces else v.bounds.max_gross


def net(v: ChildView) -> Measure:
    """Long less short, on the side this child adds to."""
    known = v.context.net_value
    if known is None:
        return untold(v, "net", None if v.reduces else v.bounds.max_net)
    after = (known if v.buys else -known) + v.value
    return after / v.terms.equity, None if v.reduces else v.bounds.max_net


def day_trades(v: ChildView) -> Measure:
    """In a small margin account nothing is opened that could not be closed again the same day (FINRA 4210)."""
    bounds, done = v.bounds, v.context.day_trades
    if not bounds.pattern_day_rule or v.reduces or v.terms.equity >= bounds.min_day_trade_equity:
        return NO_BOUND
    return (done + 1 if done is not None and done >= 0 else None), bounds.max_day_trades


def uncovered_shares(v: ChildView) -> int:
    """Shares of a sell beyond what is held, open sells counted."""
    if v.buys:
        return 0
    held = v.context.held
    return max(v.opened + v.quantity - (held if held > 0 else 0), 0)
