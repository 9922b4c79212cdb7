"""One pass over all that the table of child checks measures: a yes saves the measuring, a no says nothing.

It is for the order of every day: a limit order of the day, every field of its type, with its figures known. Each
comparison is that of the table's line for it, on the same expression. Whatever is not clear, or is odd and raises
here, the table decides; `tests/gate/test_clear.py` holds that nothing is clear which the table would refuse.
"""

from datetime import datetime
from decimal import Decimal
from types import NoneType

from ..domain.orders import BUY, ChildOrder, OrderType, Side, TimeInForce
from ..domain.trading import TradingState
from .approval import LegTerms, PlanTerms
from .bounds import ChildBounds
from .child_view import TWO, ZERO
from .state import OrderContext

ONE = Decimal(1)
LIMIT, DAY = OrderType.LIMIT, TimeInForce.DAY
ACTIVE, REDUCING = TradingState.ACTIVE, TradingState.REDUCING
FIELDS = tuple(ChildOrder.model_fields)
KINDS = [str, str, str, str, Side, int, Decimal, int, datetime, OrderType, TimeInForce, NoneType, NoneType]
"""The types of a child's fields, in their order, where it has a limit price, no stop price and no end."""


def is_clear(child: ChildOrder, terms: PlanTerms, context: OrderContext, bounds: ChildBounds, now: datetime) -> bool:
    """Whether this child surely passes every line of the table."""
    f, b = child.__dict__, bounds
    if tuple(f) != FIELDS or list(map(type, f.values())) != KINDS or type(context) is not OrderContext:
        return False
    # All taken out at once: a look into the model or the named tuple costs more than most of the comparisons.
    name, order_id, decision_id, symbol, side, quantity, limit, _, made_at, kind, force, _, _ = f.values()
    (
        quote, held, buys_open, sells_open, committed, children, traded, cash, reserved, gross, sector, fee, state,
        met_at, in_session, is_halted, band, skew_s, twin_age_s, repeated, unexecuted, settled, net, _,
        sent, canceled, today, messages, fills, queue_age_s, connected, reconciled, writable, state_age_s,
    ) = context  # fmt: skip
    leg, required = terms.legs.get(order_id), b.required_figures
    if (
        leg is None or quote is None or unexecuted is None or settled is None or net is None or twin_age_s is None
        or repeated is None or canceled is None or today is None or sent is None or messages is None or fills is None
        or state_age_s is None
    ):  # fmt: skip
        return False
    buys, bid, ask, volume = side is BUY, quote.bid, quote.ask, leg.daily_volume
    opened, facing, shown = (buys_open, sells_open, quote.ask_size) if buys else (sells_open, buys_open, quote.bid_size)
    mid, cost = (bid + ask) / TWO, limit * quantity
    reduces = (held < 0 if buys else held > 0) and quantity + opened <= abs(held)
    completes = quantity == leg.quantity - committed
    return (
        # It is what was approved, new, and of a kind and size that a venue takes.
        kind is LIMIT and force is DAY and not leg.protects
        and "" not in (name, order_id, decision_id) and decision_id == terms.decision_id
        and symbol == leg.symbol and side is leg.side
        and quantity > 0 and (completes or not quantity % leg.lot) and limit > ZERO and limit % leg.tick <= ZERO
        and 0 <= (now - made_at).total_seconds() <= b.max_quote_age_s
        # What the book counts is whole and not below nothing, and its money is finite.
        and type(held + buys_open + sells_open + committed + children + traded) is int
        and buys_open >= 0 and sells_open >= 0 and committed >= 0 and children >= 0 and traded >= 0
        and cash.is_finite() and reserved.is_finite() and fee.is_finite() and gross.is_finite()
        and sector.is_finite() and net.is_finite() and unexecuted.is_finite() and unexecuted >= ZERO
        # It is within its leg, is sent once, and meets no order of our own.
        and committed + quantity <= leg.quantity and children + 1 <= b.max_children
        and b.duplicate_window_s - twin_age_s <= 0
        and (not facing or (met_at is not None and (limit < met_at if buys else limit > met_at)))
        # Desk, venue and log are ready.
        and (state is ACTIVE or (state is REDUCING and reduces))
        and connected is True and reconciled is True and writable is True and 0 <= state_age_s <= b.max_state_age_s
        # The market is open, is where it was thought to be, and has the size.
        and in_session is True and is_halted is False
        and quote.symbol == symbol and 0 <= (now - quote.ts_event).total_seconds() <= b.max_quote_age_s
        and bid > ZERO and ask >= bid and (ask - bid) / mid <= b.max_spread_frac
        and ((shown > 0 and quantity / shown <= b.max_depth_multiple) or quote.synthetic or reduces)
        and abs(limit / mid - ONE) <= b.price_collar_frac and abs(mid / leg.mark - ONE) <= b.max_price_move_frac
        and ("volume" not in required if volume is None
             else volume > 0 and (traded + quantity) / volume <= b.max_participation_frac)
        and ("price_band" not in required if band is None else _is_inside(limit, *band))
        and ("clock_skew" not in required if skew_s is None else abs(skew_s) <= b.max_clock_skew_s)
        and ("queue_age" not in required if queue_age_s is None else 0 <= queue_age_s <= b.max_queue_age_s)
        # Cash pays for a buy, and what is held covers a sale.
        and not b.pattern_day_rule and terms.equity > ZERO
        and (cost + fee <= settled - b.min_cash and cost + reserved + fee <= cash - b.min_cash if buys
             else opened + quantity <= (held if held > 0 else 0))
        and (leg.shortable or 0) >= 0
        and _pace_is_kept(b, reduces, sent, canceled, repeated, today, messages, fills)
        # What only takes risk off is spared the bounds of size and exposure.
        and (reduces or _book_bears_it(
            b, leg, terms.equity, quantity, completes, limit if limit > mid else mid,
            (held if buys else -held) + opened, unexecuted, sector, gross, net if buys else -net,
        ))
    )  # fmt: skip


def _pace_is_kept(
    b: ChildBounds, reduces: bool, sent: int, canceled: int, repeated: int, today: int, messages: int, fills: int
) -> bool:
    return (
        sent >= 0 and canceled >= 0 and repeated >= 0 and today >= 0 and messages >= 0 and fills >= 0
        and sent + 1 <= b.max_submits_per_s
        and (reduces or (
            canceled <= b.max_cancels_per_s
            and repeated <= b.max_repeated_legs
            and today + 1 <= b.max_orders_per_day
            and messages / (fills + 1) <= b.max_messages_per_fill
        ))
    )  # fmt: skip


def _book_bears_it(
    b: ChildBounds,
    leg: LegTerms,
    equity: Decimal,
    quantity: int,
    completes: bool,
    worst_price: Decimal,
    held: int,
    unexecuted: Decimal,
    sector: Decimal,
    gross: Decimal,
    net: Decimal,
) -> bool:
    """`held` and `net` as seen from the child's side: what lies on it counts up, open orders included."""
    kind, value, worst_value = leg.asset_class, leg.mark * quantity, worst_price * quantity
    return (
        leg.symbol not in b.restricted_symbols
        and (b.allowed_symbols is None or leg.symbol in b.allowed_symbols)
        and (completes or b.min_order_notional - value <= ZERO)
        and quantity <= b.max_order_quantity
        and worst_value <= b.max_order_notional
        and unexecuted + worst_value <= b.max_unexecuted_notional
        and leg.mark * abs(held + quantity) / equity <= b.max_instrument_weight[kind]
        and (sector + value) / equity <= b.max_sector_weight[kind]
        and (gross + value) / equity <= b.max_gross
        and (net + value) / equity <= b.max_net
    )


def _is_inside(price: Decimal, low: Decimal, high: Decimal) -> bool:
    return ZERO < low <= high and low - price <= ZERO and price - high <= ZERO
