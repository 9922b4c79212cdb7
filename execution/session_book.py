"""What the desk holds and has at risk while a session runs, ready for the review of the next child."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

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
_tuple = tuple.__new__


@dataclass(slots=True)
class _Name:
    """One name: its mark and sector, own open orders, what was traded of it today, and its shares when last valued:
    the most it can come to, all open buys filled, the least, all open sells filled, and the farther one from zero."""

    mark: Decimal | None
    group: Group | None
    open_buys: int = 0
    open_sells: int = 0
    traded: int = 0
    is_valued: bool = False
    most: int = 0
    least: int = 0
    farthest: int = 0


@dataclass(slots=True)
class _Leg:
    """One parent order: what its children have filled or may still fill, and how many they are."""

    committed: int = 0
    children: int = 0


@dataclass(slots=True)
class _Open:
    """An order that may still fill: what it can cost at worst, per share and in fees, and what it holds back so."""

    symbol: str
    side: Side
    name: _Name
    leg: _Leg
    worst_price: Decimal
    worst_fee: Decimal
    quantity: int = 0
    reserved: Decimal = ZERO
    value: Decimal = ZERO


class _Names(dict[str, _Name]):
    def __init__(self, terms: PlanTerms) -> None:
        self._marks, self._groups = terms.marks, terms.groups

    def __missing__(self, symbol: str) -> _Name:
        name = self[symbol] = _Name(self._marks.get(symbol), self._groups.get(symbol))
        return name


class SessionBook:
    """Cash, positions and open orders of one session, exposures at the plan's marks.

    A working copy for the gate. The portfolio that counts is the fold over fills. `before` are the account's
    orders of the same day, of the days that day trades are counted over, and those still open from any day.
    """

    def __init__(self, terms: PlanTerms, before: Iterable[SentOrder] = (), day: date | None = None) -> None:
        earlier = tuple(before)
        self.terms = terms
        self.cash = terms.portfolio.cash
        self.held: dict[str, int] = defaultdict(int, terms.portfolio.holdings())
        self.reserved = self.unexecuted = ZERO
        self.counts = Counts(earlier, day)
        self._settlement = Settlement(self.held, standing_fills(earlier), day)
        self._names, self._stale = _Names(terms), dict[str, _Name]()
        """What is known of each name, and of those since whose valuing shares or open orders changed."""
        self._legs: dict[str, _Leg] = defaultdict(_Leg)
        self._open: dict[str, _Open] = {}
        self._sectors: dict[Group, Decimal] = defaultdict(Decimal)
        self._gross = self._highest = self._lowest = ZERO
        for order in terms.working:
            # Sent before this session and never heard of again, perhaps: still at worst case.
            self._hold(order.client_order_id, order.symbol, order.side, "", order.quantity, order.worst_price, ZERO)
        for sent in earlier:
            if sent.concerns(day) and sent.child.client_order_id not in self._open:
                child = sent.child
                worst = child.limit_price or terms.marks.get(child.symbol, ZERO)
                self._hold(
                    child.client_order_id, child.symbol, child.side, child.order_id, sent.open_quantity, worst, ZERO
                )
        self._stale |= {symbol: self._names[symbol] for symbol in self.held}
        self.revalue()

    def committed(self, order_id: str) -> int:
        """What this parent's children have filled or may still fill."""
        return self._legs[order_id].committed

    def context(
        self,
        child: ChildOrder,
        quote: Quote,
        worst_fee: Decimal,
        trading_state: TradingState,
        now: datetime | None = None,
        terms: VenueTerms | None = None,
        in_session: bool | None = None,
        is_connected: bool | None = None,
        is_reconciled: bool | None = None,
        is_log_writable: bool | None = None,
        state_age_s: float | None = None,
    ) -> OrderContext:
        """The instant this child is reviewed in. What is around it is told from outside, or not known: `terms` are None
        where nobody answered."""
        if self._stale:
            self.revalue()
        f = child.__dict__
        symbol, buys, name, leg = f["symbol"], f["side"] is BUY, self._names[f["symbol"]], self._legs[f["order_id"]]
        at, is_open, is_halted, band, skew_s, queue_age_s = now or f["created_at"], None, None, None, None, None
        if terms is not None:
            is_open, is_halted, band = in_session and terms.is_open, terms.is_halted, terms.price_band
            skew_s, queue_age_s = terms.clock_skew_s, terms.queue_age_s
        counts, cash, reserved = self.counts, self.cash, self.reserved
        # By place, which costs a third of what 34 names do: the fields of the context, in its order, row by row.
        return _tuple(OrderContext, (
            quote, self.held[symbol], name.open_buys, name.open_sells, leg.committed, leg.children,
            name.traded, cash, reserved, self._gross, self._sectors[name.group] if name.group else ZERO,
            worst_fee, trading_state,
            self._opposite_price(name, buys) if (name.open_sells if buys else name.open_buys) else None,
            is_open, is_halted, band, skew_s,
            counts.twin_age_s(child, at), counts.repeated_legs(child),
            self.unexecuted, cash - reserved - self._settlement.unsettled, self._highest if buys else self._lowest,
            counts.day_trades, counts.submits_last_s(at), counts.cancels_last_s(at),
            counts.orders, counts.orders + counts.cancels, counts.fills,
            queue_age_s, is_connected, is_reconciled, is_log_writable, state_age_s,
        ))  # fmt: skip

    def send(self, child: ChildOrder, worst_price: Decimal, worst_fee: Decimal) -> None:
        """From now on the child counts as filled wherever that is the worse case."""
        f = child.__dict__
        opened = self._hold(
            f["client_order_id"], f["symbol"], f["side"], f["order_id"], f["quantity"], worst_price, worst_fee
        )
        opened.leg.children += 1

    def fill(self, fill: Fill) -> None:
        """Money and shares change hands. A fill after the cancel was confirmed is taken in as well."""
        # Read once, from the dictionary: a model's own attribute access costs twice that.
        f = fill.__dict__
        quantity, fee, opened = f["quantity"], f["fee"], self._open[f["client_order_id"]]
        signed, late = quantity if f["side"] is BUY else -quantity, quantity - opened.quantity
        if late > 0:
            opened.leg.committed += late
            opened.name.traded += late
            quantity -= late
        self._reduce(opened, quantity, fee)
        self.cash -= f["price"] * signed + fee
        self.held[f["symbol"]] += signed
        self.counts.filled(fill)
        self._settlement.fill(fill)

    def bust(self, fill: Fill) -> None:
        """Money and shares go back; the quantity is due again, under another child."""
        self.cash += fill.price * fill.side.sign * fill.quantity + fill.fee
        self.held[fill.symbol] -= fill.side.sign * fill.quantity
        self._legs[fill.order_id].committed -= fill.quantity
        self._settlement.bust(fill)
        self._stale[fill.symbol] = self._names[fill.symbol]

    def withdraw(self, client_order_id: str) -> None:
        """As if the order had never been sent: the venue has proved that it never came."""
        self.release(client_order_id)
        self._open[client_order_id].leg.children -= 1

    def release(self, client_order_id: str) -> int:
        """The order is over; what it left unfilled is free again, and returned."""
        opened = self._open[client_order_id]
        unfilled = opened.quantity
        if unfilled:
            self._reduce(opened, unfilled, ZERO)
            opened.leg.committed -= unfilled
            opened.name.traded -= unfilled
        return unfilled

    def revalue(self) -> None:
        """Bring the exposures up to date with what was sent and filled."""
        for symbol, name in self._stale.items():
            mark = name.mark
            if mark is None:
                continue
            held = self.held[symbol]
            most, least = held + name.open_buys, held - name.open_sells
            # `least` is never above `most`: the one is the farther one above zero, the other one below it.
            farthest = most if most > -least else -least
            raised, lifted, widened = most - name.most, least - name.least, farthest - name.farthest
            # The first time even nothing counts: it gives the sums the mark's decimals, which a review is hashed with.
            if raised or not name.is_valued:
                self._highest += mark * raised
            if lifted or not name.is_valued:
                self._lowest += mark * lifted
            if widened or not name.is_valued:
                value = mark * widened
                self._gross += value
                if name.group is not None:
                    self._sectors[name.group] += value
            name.most, name.least, name.farthest, name.is_valued = most, least, farthest, True
        self._stale.clear()

    def _hold(
        self,
        client_order_id: str,
        symbol: str,
        side: Side,
        order_id: str,
        quantity: int,
        worst_price: Decimal,
        worst_fee: Decimal,
    ) -> _Open:
        name, leg, value, buys = self._names[symbol], self._legs[order_id], worst_price * quantity, side is BUY
        reserved = ZERO if not quantity else value + worst_fee if buys else worst_fee
        opened = self._open[client_order_id] = _Open(
            symbol, side, name, leg, worst_price, worst_fee, quantity, reserved, value
        )
        leg.committed += quantity
        name.traded += quantity
        if buys:
            name.open_buys += quantity
        else:
            name.open_sells += quantity
        self.reserved += reserved
        self.unexecuted += value
        self._stale[symbol] = name
        return opened

    def _reduce(self, opened: _Open, quantity: int, fee: Decimal) -> None:
        """So many shares of it, at this fee, cannot fill any more."""
        name, reserved, value = opened.name, opened.reserved, opened.value
        opened.quantity -= quantity
        if opened.side is BUY:
            name.open_buys -= quantity
        else:
            name.open_sells -= quantity
        if opened.quantity:
            opened.worst_fee = max(opened.worst_fee - fee, ZERO)
            opened.value = opened.worst_price * opened.quantity
            opened.reserved = opened.value + opened.worst_fee if opened.side is BUY else opened.worst_fee
            self.reserved += opened.reserved - reserved
            self.unexecuted += opened.value - value
        else:
            opened.reserved = opened.value = ZERO
            self.reserved -= reserved
            self.unexecuted -= value
        self._stale[opened.symbol] = name

    def _opposite_price(self, name: _Name, buys: bool) -> Decimal | None:
        """The best price of own open orders that a child of this side could meet."""
        facing = SELL if buys else BUY
        rows = self._open.values()
        prices = [row.worst_price for row in rows if row.quantity and row.name is name and row.side is facing]
        return (min(prices) if buys else max(prices)) if prices else None
