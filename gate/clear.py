"""One pass over all that the table of child checks measures: a yes saves the measuring, a no says nothing.

It is for the order of every day: a limit order of the day, with its figures known. Each comparison is that of the
table's line beside it, on the same expression, so that what is odd raises here as it does there; whatever is not clear
the table decides. `tests/gate/test_clear.py` holds that nothing is clear which the table would refuse.
"""

from decimal import Decimal

from ..domain.orders import OrderType, TimeInForce
from ..domain.trading import TradingState
from .child_view import ZERO, ChildView
from .limits import Figure

ONE = Decimal(1)
LIMIT, DAY, ACTIVE = OrderType.LIMIT, TimeInForce.DAY, TradingState.ACTIVE


def is_clear(v: ChildView) -> bool:
    """Whether this child surely passes every line of the table."""
    return _order_fits(v) and _desk_is_ready(v) and _market_takes_it(v) and _book_bears_it(v) and _pace_is_kept(v)


def _order_fits(v: ChildView) -> bool:
    f, leg, c, b, limit, quantity = v.child.__dict__, v.leg, v.context, v.bounds, v.limit_price, v.quantity
    if limit is None or f["order_type"] is not LIMIT or f["time_in_force"] is not DAY:
        return False
    if leg.protects:
        return False
    facing, met_at, twin_age_s, repeated = (
        c.open_sells if v.buys else c.open_buys, c.opposite_price, c.twin_age_s, c.repeated_legs,
    )  # fmt: skip
    return (
        f["stop_price"] is None
        and f["expires_at"] is None
        and f["symbol"] == leg.symbol
        and f["side"] is leg.side
        and f["decision_id"] == v.terms.decision_id
        and (v.completes or not quantity % leg.lot)
        and limit % leg.tick <= ZERO
        and 0 <= (v.now - f["created_at"]).total_seconds() <= b.max_quote_age_s
        and c.committed + quantity <= leg.quantity
        and c.children + 1 <= b.max_children
        and twin_age_s is not None
        and twin_age_s >= 0
        and b.duplicate_window_s - twin_age_s <= 0
        and (not facing or (met_at is not None and (limit < met_at if v.buys else limit > met_at)))
        and repeated is not None
        and repeated >= 0
        and (v.reduces or repeated <= b.max_repeated_legs)
    )


def _desk_is_ready(v: ChildView) -> bool:
    c, b, symbol = v.context, v.bounds, v.leg.symbol
    listed, age_s = b.allowed_symbols, c.state_age_s
    return (
        (c.trading_state is ACTIVE or (c.trading_state is TradingState.REDUCING and v.reduces))
        and (v.reduces or (symbol not in b.restricted_symbols and (listed is None or symbol in listed)))
        and c.venue_connected is True
        and c.venue_reconciled is True
        and c.log_writable is True
        and age_s is not None
        and 0 <= age_s <= b.max_state_age_s
    )


def _market_takes_it(v: ChildView) -> bool:
    quote, leg, c, b, limit, mid = v.quote, v.leg, v.context, v.bounds, v.limit_price or ZERO, v.mid
    shown, volume, band, skew_s = (
        quote.ask_size if v.buys else quote.bid_size, leg.daily_volume, c.price_band, c.clock_skew_s,
    )  # fmt: skip
    return (
        quote.symbol == leg.symbol
        and 0 <= (v.now - quote.ts_event).total_seconds() <= b.max_quote_age_s
        and (gap := quote.ask - quote.bid) >= ZERO
        and gap / mid <= b.max_spread_frac
        and ((shown > 0 and v.quantity / shown <= b.max_depth_multiple) or quote.synthetic or v.reduces)
        and abs(limit / mid - ONE) <= b.price_collar_frac
        and abs(mid / leg.mark - ONE) <= b.max_price_move_frac
        and (_is_spared(v, "volume") if volume is None else _is_small(v, volume))
        and c.in_session is True
        and c.is_halted is False
        and (_is_spared(v, "price_band") if band is None else _is_inside(limit, *band))
        and (_is_spared(v, "clock_skew") if skew_s is None else abs(skew_s) <= b.max_clock_skew_s)
    )


def _book_bears_it(v: ChildView) -> bool:
    c, b, limit, quantity = v.context, v.bounds, v.limit_price or ZERO, v.quantity
    equity, opened, net = v.terms.equity, c.unexecuted, c.net_value
    if opened is None or net is None or not equity > ZERO or b.pattern_day_rule:
        return False
    if v.buys:
        settled, cost = c.settled_cash, limit * quantity
        if settled is None or not cost + c.worst_fee <= settled - b.min_cash:
            return False
        if not cost + c.reserved + c.worst_fee <= c.cash - b.min_cash:
            return False
    elif v.opened + quantity > (c.held if c.held > 0 else 0) or (v.leg.shortable or 0) < 0:
        return False
    open_value, net_after = opened + v.worst_value, (net if v.buys else -net) + v.value
    return opened >= ZERO and (v.reduces or _adding_fits(v, open_value, net_after, equity))


def _adding_fits(v: ChildView, open_value: Decimal, net_after: Decimal, equity: Decimal) -> bool:
    """The bounds that an order which only takes risk off is spared."""
    c, b, kind, quantity = v.context, v.bounds, v.leg.asset_class, v.quantity
    held = c.held if v.buys else -c.held
    return (
        quantity <= b.max_order_quantity
        and v.worst_value <= b.max_order_notional
        and (v.completes or b.min_order_notional - v.value <= ZERO)
        and open_value <= b.max_unexecuted_notional
        and v.leg.mark * abs(held + v.opened + quantity) / equity <= b.max_instrument_weight[kind]
        and (c.sector_value + v.value) / equity <= b.max_sector_weight[kind]
        and (c.gross_value + v.value) / equity <= b.max_gross
        and net_after / equity <= b.max_net
    )


def _pace_is_kept(v: ChildView) -> bool:
    c, b, reduces = v.context, v.bounds, v.reduces
    sent, canceled, today, messages, fills, queue_s = (
        c.submits_last_s, c.cancels_last_s, c.orders_today, c.messages_today, c.fills_today, c.queue_age_s,
    )  # fmt: skip
    if sent is None or canceled is None or today is None or messages is None or fills is None:
        return False
    return (
        sent >= 0
        and sent + 1 <= b.max_submits_per_s
        and canceled >= 0
        and today >= 0
        and messages >= 0
        and fills >= 0
        and (
            reduces
            or (
                canceled <= b.max_cancels_per_s
                and today + 1 <= b.max_orders_per_day
                and messages / (fills + 1) <= b.max_messages_per_fill
            )
        )
        and (_is_spared(v, "queue_age") if queue_s is None else 0 <= queue_s <= b.max_queue_age_s)
    )


def _is_spared(v: ChildView, figure: Figure) -> bool:
    """Whether this figure may be missing."""
    return figure not in v.bounds.required_figures


def _is_inside(price: Decimal, low: Decimal, high: Decimal) -> bool:
    return ZERO < low <= high and low - price <= ZERO and price - high <= ZERO


def _is_small(v: ChildView, volume: float) -> bool:
    return bool(volume) and (v.context.traded + v.quantity) / volume <= v.bounds.max_participation_frac
