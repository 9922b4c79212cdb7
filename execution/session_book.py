"""What the desk holds and has at risk while a session runs, ready for the review of the next child."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from ..domain.instruments import AssetClass
from ..domain.market import Quote
from ..domain.orders import BUY, SELL, ChildOrder, Fill, Side
from ..domain.trading import TradingState
from ..gate.approval import PlanTerms
from ..gate.state import OrderContext
from ..memory.sent_orders import SentOrder, standing_fills
from .counts import Counts
from .settlement import Settlement
from .venues.venue import VenueTerms

Group = tuple[AssetClass, str]

ZERO = Decimal(0)
NOTHING_HELD = 0, 0, ZERO


class Surroundings(NamedTuple):
    """What is around a child at the instant of its review that no book knows; `terms` is None if nobody answered."""

    now: datetime
    in_session: bool
    terms: VenueTerms | None
    is_connected: bool
    is_reconciled: bool
    is_log_writable: bool
    state_age_s: float


@dataclass(slots=True)
class _Open:
    """An order that may still fill: what it can cost at worst, per share and in fees."""

    symbol: str
    side: Side
    order_id: str
    quantity: int
    worst_price: Decimal
    worst_fee: Decimal

    def worst(self) -> tuple[Decimal, Decimal]:
        """What it reserves of the cash, and what it is worth."""
        value = self.worst_price * self.quantity
        if not self.quantity:
            return ZERO, value
        return (value + self.worst_fee if self.side is BUY else self.worst_fee), value


class SessionBook:
    """Cash, positions and open orders of one session, exposures at the plan's marks.

    A working copy for the gate. The portfolio that counts is the fold over fills. `before` are the account's
    orders of the same day, of the days that day trades are counted over, and those still open from any day.
    """

    def __init__(self, terms: PlanTerms, before: Iterable[SentOrder] = (), day: date | None = None) -> None:
        earlier = tuple(before)
        self.terms = terms
        self._marks, self._groups = dict(terms.marks), dict(terms.groups)
        self.cash = terms.portfolio.cash
        self.held: dict[str, int] = defaultdict(int, terms.portfolio.holdings())
        self.reserved = self.unexecuted = ZERO
        self.counts = Counts(earlier, day)
        self._settlement = Settlement(self.held, standing_fills(earlier), day)
        self._open: dict[str, _Open] = {}
        self._open_quantity: dict[tuple[str, Side], int] = defaultdict(int)
        self._traded: dict[str, int] = defaultdict(int)
        self._committed: dict[str, int] = defaultdict(int)
        self._children: dict[str, int] = defaultdict(int)
        self._exposure: dict[str, tuple[int, int, Decimal]] = {}
        self._sectors: dict[Group, Decimal] = defaultdict(Decimal)
        self._gross = self._highest = self._lowest = ZERO
        for order in terms.working:
            # Sent before this session and never heard of again, perhaps: still at worst case.
            left = _Open(order.symbol, order.side, "", order.quantity, order.worst_price, ZERO)
            self._hold(order.client_order_id, left)
        for sent in earlier:
            if sent.concerns(day) and sent.child.client_order_id not in self._open:
                self._hold(sent.child.client_order_id, self._left_of(sent))
        for symbol in tuple(self.held):
            self._revalue(symbol)

    def committed(self, order_id: str) -> int:
        """What this parent's children have filled or may still fill."""
        return self._committed[order_id]

    def context(
        self,
        child: ChildOrder,
        quote: Quote,
        worst_fee: Decimal,
        trading_state: TradingState,
        around: Surroundings | None = None,
    ) -> OrderContext:
        """The instant this child is reviewed in; without its surroundings the figures from outside are not known."""
        f = child.__dict__
        symbol, order_id, buys = f["symbol"], f["order_id"], f["side"] is BUY
        group, counts, opened = self._groups.get(symbol), self.counts, self._open_quantity
        at, connected, reconciled, writable, state_age_s = f["created_at"], None, None, None, None
        is_open = is_halted = band = skew_s = queue_age_s = None
        if around is not None:
            at, in_session, terms, connected, reconciled, writable, state_age_s = around
            if terms is not None:
                is_open, is_halted, band = in_session and terms.is_open, terms.is_halted, terms.price_band
                skew_s, queue_age_s = terms.clock_skew_s, terms.queue_age_s
        open_buys, open_sells, cash, reserved = opened[symbol, BUY], opened[symbol, SELL], self.cash, self.reserved
        # By place, which costs half of what 34 names do: the fields of the context, in its order, row by row.
        return OrderContext(
            quote, self.held[symbol], open_buys, open_sells, self._committed[order_id], self._children[order_id],
            self._traded[symbol], cash, reserved, self._gross, self._sectors[group] if group else ZERO,
            worst_fee, trading_state,
            self._opposite_price(symbol, buys) if (open_sells if buys else open_buys) else None,
            is_open, is_halted, band, skew_s,
            counts.twin_age_s(child, at), counts.repeated_legs(child),
            self.unexecuted, cash - reserved - self._settlement.unsettled, self._highest if buys else self._lowest,
            counts.day_trades, counts.submits_last_s(at), counts.cancels_last_s(at),
            counts.orders, counts.orders + counts.cancels, counts.fills,
            queue_age_s, connected, reconciled, writable, state_age_s,
        )  # fmt: skip

    def send(self, child: ChildOrder, worst_price: Decimal, worst_fee: Decimal) -> None:
        """From now on the child counts as filled wherever that is the worse case."""
        f = child.__dict__
        order_id = f["order_id"]
        self._children[order_id] += 1
        opened = _Open(f["symbol"], f["side"], order_id, f["quantity"], worst_price, worst_fee)
        self._hold(f["client_order_id"], opened)

    def fill(self, fill: Fill) -> None:
        """Money and shares change hands. A fill after the cancel was confirmed is taken in as well."""
        # Read once, from the dictionary: a model's own attribute access costs twice that.
        f = fill.__dict__
        symbol, side, quantity, fee = f["symbol"], f["side"], f["quantity"], f["fee"]
        opened, signed = self._open[f["client_order_id"]], quantity if side is BUY else -quantity
        late = quantity - opened.quantity if quantity > opened.quantity else 0
        reserved, value = opened.worst()
        opened.quantity -= quantity - late
        opened.worst_fee = max(opened.worst_fee - fee, ZERO)
        reserved_after, value_after = opened.worst()
        self.reserved += reserved_after - reserved
        self.unexecuted += value_after - value
        self._open_quantity[symbol, side] -= quantity - late
        if late:
            self._committed[f["order_id"]] += late
            self._traded[symbol] += late
        self.cash -= f["price"] * signed + fee
        self.held[symbol] += signed
        self.counts.filled(fill)
        self._settlement.fill(fill)
        self._revalue(symbol)

    def bust(self, fill: Fill) -> None:
        """Money and shares go back; the quantity is due again, under another child."""
        self.cash += fill.price * fill.side.sign * fill.quantity + fill.fee
        self.held[fill.symbol] -= fill.side.sign * fill.quantity
        self._committed[fill.order_id] -= fill.quantity
        self._settlement.bust(fill)
        self._revalue(fill.symbol)

    def withdraw(self, client_order_id: str) -> None:
        """As if the order had never been sent: the venue has proved that it never came."""
        self.release(client_order_id)
        self._children[self._open[client_order_id].order_id] -= 1

    def release(self, client_order_id: str) -> int:
        """The order is over; what it left unfilled is free again, and returned."""
        opened = self._open[client_order_id]
        unfilled = opened.quantity
        if not unfilled:
            return 0  # All of it filled: nothing is held back for it any more.
        reserved, value = opened.worst()
        self.reserved -= reserved
        self.unexecuted -= value
        opened.quantity = 0
        self._open_quantity[opened.symbol, opened.side] -= unfilled
        self._committed[opened.order_id] -= unfilled
        self._traded[opened.symbol] -= unfilled
        self._revalue(opened.symbol)
        return unfilled

    def _hold(self, client_order_id: str, opened: _Open) -> None:
        self._open[client_order_id] = opened
        symbol, quantity = opened.symbol, opened.quantity
        reserved, value = opened.worst()
        self._committed[opened.order_id] += quantity
        self._traded[symbol] += quantity
        self._open_quantity[symbol, opened.side] += quantity
        self.reserved += reserved
        self.unexecuted += value
        self._revalue(symbol)

    def _left_of(self, sent: SentOrder) -> _Open:
        child = sent.child
        worst = child.limit_price or self.terms.marks.get(child.symbol, ZERO)
        return _Open(child.symbol, child.side, child.order_id, sent.open_quantity, worst, ZERO)

    def _opposite_price(self, symbol: str, buys: bool) -> Decimal | None:
        """The best price of own open orders that a child of this side could meet."""
        facing = SELL if buys else BUY
        rows = self._open.values()
        prices = [row.worst_price for row in rows if row.quantity and row.symbol == symbol and row.side is facing]
        return (min(prices) if buys else max(prices)) if prices else None

    def _revalue(self, symbol: str) -> None:
        mark = self._marks.get(symbol)
        if mark is None:
            return
        held, opened, exposure = self.held[symbol], self._open_quantity, self._exposure
        most, least = held + opened[symbol, BUY], held - opened[symbol, SELL]
        before = exposure.get(symbol)
        # The first time even nothing counts: it gives the sums the mark's decimals, and a review is hashed with them.
        if before is None:
            old_most, old_least, old_value = NOTHING_HELD
        else:
            old_most, old_least, old_value = before
            if most == old_most and least == old_least:
                return
        # `least` is never above `most`: the one end is the farther one above zero, the other one below it.
        value = mark * (most if most > -least else -least)
        exposure[symbol] = most, least, value
        if before is None or most != old_most:
            self._highest += mark * (most - old_most)
        if before is None or least != old_least:
            self._lowest += mark * (least - old_least)
        if before is None or value != old_value:
            self._gross += value - old_value
            group = self._groups.get(symbol)
            if group is not None:
                self._sectors[group] += value - old_value
