"""What the desk holds and has at risk while a session runs, ready for the review of the next child."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from ..domain.instruments import AssetClass
from ..domain.market import Quote
from ..domain.orders import ChildOrder, Fill, Side
from ..domain.trading import TradingState
from ..gate.approval import PlanTerms
from ..gate.state import OrderContext

Group = tuple[AssetClass, str]


@dataclass(slots=True)
class _Open:
    """An order that may still fill: what it can cost at worst, per share and in fees."""

    child: ChildOrder
    quantity: int
    worst_price: Decimal
    worst_fee: Decimal

    @property
    def reserved(self) -> Decimal:
        if not self.quantity:
            return Decimal(0)
        price = self.worst_price if self.child.side is Side.BUY else Decimal(0)
        return price * self.quantity + self.worst_fee


class SessionBook:
    """Cash, positions and open orders of one session, exposures at the plan's marks.

    A working copy for the gate. The portfolio that counts is the fold over fills.
    """

    def __init__(self, terms: PlanTerms) -> None:
        self._terms = terms
        self.cash = terms.portfolio.cash
        self.held: dict[str, int] = defaultdict(int, terms.portfolio.holdings())
        self.reserved = Decimal(0)
        self._open: dict[str, _Open] = {}
        self._open_quantity: dict[tuple[str, Side], int] = defaultdict(int)
        self._traded: dict[str, int] = defaultdict(int)
        self._committed: dict[str, int] = defaultdict(int)
        self._children: dict[str, int] = defaultdict(int)
        self._exposure: dict[str, Decimal] = {}
        self._sectors: dict[Group, Decimal] = defaultdict(Decimal)
        self._gross = Decimal(0)
        for order in terms.working:
            # Sent before this session and never heard of again, perhaps: still at worst case.
            self._open_quantity[order.symbol, order.side] += order.quantity
            if order.side is Side.BUY:
                self.reserved += order.worst_price * order.quantity
        for symbol in {*self.held, *(order.symbol for order in terms.working)}:
            self._revalue(symbol)

    def committed(self, order_id: str) -> int:
        """What this parent's children have filled or may still fill."""
        return self._committed[order_id]

    def context(self, child: ChildOrder, quote: Quote, worst_fee: Decimal, trading_state: TradingState) -> OrderContext:
        """The instant this child is reviewed in."""
        symbol = child.symbol
        group = self._terms.groups.get(symbol)
        return OrderContext(
            quote=quote,
            held=self.held[symbol],
            open_buys=self._open_quantity[symbol, Side.BUY],
            open_sells=self._open_quantity[symbol, Side.SELL],
            committed=self._committed[child.order_id],
            children=self._children[child.order_id],
            traded=self._traded[symbol],
            cash=self.cash,
            reserved=self.reserved,
            gross_value=self._gross,
            sector_value=self._sectors[group] if group else Decimal(0),
            worst_fee=worst_fee,
            trading_state=trading_state,
        )

    def send(self, child: ChildOrder, worst_price: Decimal, worst_fee: Decimal) -> None:
        """From now on the child counts as filled wherever that is the worse case."""
        opened = _Open(child, child.quantity, worst_price, worst_fee)
        self._open[child.client_order_id] = opened
        self._committed[child.order_id] += child.quantity
        self._children[child.order_id] += 1
        self._traded[child.symbol] += child.quantity
        self._open_quantity[child.symbol, child.side] += child.quantity
        self.reserved += opened.reserved
        self._revalue(child.symbol)

    def fill(self, fill: Fill) -> None:
        """Money and shares change hands. A fill after the cancel was confirmed is taken in as well."""
        opened = self._open[fill.client_order_id]
        late = max(fill.quantity - opened.quantity, 0)
        before = opened.reserved
        opened.quantity -= fill.quantity - late
        opened.worst_fee = max(opened.worst_fee - fill.fee, Decimal(0))
        self.reserved += opened.reserved - before
        self._open_quantity[fill.symbol, fill.side] -= fill.quantity - late
        self._committed[fill.order_id] += late
        self._traded[fill.symbol] += late
        self.cash -= fill.price * fill.side.sign * fill.quantity + fill.fee
        self.held[fill.symbol] += fill.side.sign * fill.quantity
        self._revalue(fill.symbol)

    def release(self, client_order_id: str) -> int:
        """The order is over; what it left unfilled is free again, and returned."""
        opened = self._open[client_order_id]
        unfilled, child = opened.quantity, opened.child
        self.reserved -= opened.reserved
        opened.quantity = 0
        self._open_quantity[child.symbol, child.side] -= unfilled
        self._committed[child.order_id] -= unfilled
        self._traded[child.symbol] -= unfilled
        self._revalue(child.symbol)
        return unfilled

    def _revalue(self, symbol: str) -> None:
        mark = self._terms.marks.get(symbol)
        if mark is None:
            return
        high = self.held[symbol] + self._open_quantity[symbol, Side.BUY]
        low = self.held[symbol] - self._open_quantity[symbol, Side.SELL]
        value = mark * max(abs(high), abs(low))
        change = value - self._exposure.get(symbol, Decimal(0))
        self._exposure[symbol] = value
        self._gross += change
        group = self._terms.groups.get(symbol)
        if group is not None:
            self._sectors[group] += change
