"""What is true at the simulated venue: orders, executions, shares and cash; it outlives every crash of the desk."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from ...domain.market import Quote
from ...domain.orders import ChildOrder, Fill, OrderState, Side
from ...domain.portfolio import Portfolio, Position
from ...execution.hours import SessionHours
from ...execution.orders import TERMINAL
from ...execution.venues.fees import FeeModel
from ...execution.venues.paper import Liquidity, PaperVenue
from ...execution.venues.venue import Accepted, Busted, Filled, Rejected, Report, VenueOrder
from ...gate.approval import ApprovedOrder
from ...memory.sent_orders import rests
from .leftover import LeftOrders
from .standing import StandingStops

NAME = "simulated"
FOREIGN = "foreign"
"""What the client order ids of orders begin with that this desk never sent."""

OVERNIGHT = timedelta(hours=1)
"""How long before the open an order that was kept may trade."""


class Exchange:
    """Matching is the paper venue's; busts, strangers' executions, refusals and odd holdings are its own."""

    def __init__(self, cash: Decimal) -> None:
        self.held: dict[str, int] = defaultdict(int)
        self.cash = cash
        self.orders: dict[str, ChildOrder] = {}
        """Every order that ever arrived, by our id."""
        self.day: list[Filled | Busted] = []
        """The executions of the session, and those taken back."""
        self.fills: list[Fill] = []
        """Every execution of an order of ours, of all sessions."""
        self.busted: set[str] = set()
        self.foreign: list[Fill] = []
        self._refused: dict[str, VenueOrder] = {}
        self._final: dict[str, VenueOrder] = {}
        self._paper: PaperVenue | None = None
        self.left, self.stops = LeftOrders(NAME), StandingStops(NAME)
        self.keeps: int | None = None
        """What becomes of the orders that are open at this session's close; None when they expire, as they should."""
        self.is_over = True

    def open(
        self, hours: SessionHours, liquidity: Mapping[str, Liquidity], participation_frac: float, stops_done: int = 0
    ) -> None:
        """A new session over what is held; one part in `stops_done` of each stop traded over night, or none at 0."""
        self.day = []
        if stops_done:
            self._noted(self.stops.overnight(hours.opens_at - OVERNIGHT, stops_done))
        positions = tuple(
            Position(symbol=symbol, quantity=quantity, average_price=Decimal(1))
            for symbol, quantity in sorted(self.held.items())
            if quantity
        )
        portfolio = Portfolio(cash=self.cash, positions=positions)
        self._paper = PaperVenue(
            hours, liquidity, FeeModel(), participation_frac=participation_frac, name=NAME, portfolio=portfolio
        )
        self.is_over = False
        self._noted(self.left.overnight(hours.opens_at - OVERNIGHT))

    @property
    def paper(self) -> PaperVenue:
        assert self._paper is not None, "a session was opened"
        return self._paper

    def submit(self, order: ApprovedOrder, refusal: str) -> tuple[Report, ...]:
        """Take an order, or refuse it for a reason; a resend is the same order."""
        child = order.child
        name = child.client_order_id
        self.orders.setdefault(name, child)
        if self.left.order(name) is not None:
            return (Accepted(name, child.created_at),)
        refusal = refusal or ("the session is over" if self.is_over else "")
        if name not in self._refused and rests(child) and (not refusal or self.stops.order(name)):
            return self.stops.take(child)
        if name not in self._refused and (not refusal or self.paper.order(name)):
            return self._noted(self.paper.submit(order))
        at = child.created_at
        seen = VenueOrder(name, child.symbol, child.side, child.quantity, OrderState.REJECTED, 0, at, refusal)
        return (Rejected(name, at, self._refused.setdefault(name, seen).reason),)

    def cancel(self, client_order_id: str, at: datetime) -> tuple[Report, ...]:
        holders = (self.left, self.stops)
        holder = next((item for item in holders if item.order(client_order_id) is not None), self.paper)
        return self._noted(holder.cancel(client_order_id, at))

    def match(self, quote: Quote) -> tuple[Report, ...]:
        if self.is_over:
            return ()
        return self._noted((*self.left.match(quote), *self.stops.match(quote), *self.paper.on_quote(quote)))

    def lose_stops(self) -> None:
        """The venue forgets those that stand."""
        for name in self.stops.lose():
            self._final.pop(name, None)

    def race(self, client_order_id: str, quote: Quote | None) -> tuple[Report, ...]:
        """The order gets all it still wants, if there is a market at all."""
        order = self.paper.order(client_order_id)
        if order is None or order.state in TERMINAL or quote is None or self.is_over:
            return ()
        deep = order.quantity * 20
        return self.match(replace(quote, bid_size=deep, ask_size=deep + 1))

    def end(self, at: datetime) -> tuple[Report, ...]:
        """The venue closes: what is open expires, or is kept and not told; nothing more is taken."""
        if self.is_over:
            return ()
        self.is_over = True
        if self.keeps is not None:
            self.left.keep(((self.orders[seen.client_order_id], seen) for seen in self.paper.open_orders()), self.keeps)
        return tuple(report for report in self.paper.close(at) if self.left.order(report.client_order_id) is None)

    def settle(self) -> None:
        """After the close: the orders of the day can still be asked for."""
        for name in self.orders:
            order = self.order(name)
            if order is not None:
                self._final[name] = order

    def bust(self, fill: Fill, at: datetime) -> Busted:
        report = Busted(fill, at, "clearly erroneous")
        self.day.append(report)
        self.busted.add(fill.execution_id)
        self._book(fill, -1)
        return report

    def execute_foreign(self, symbol: str, quantity: int, quote: Quote, number: int) -> Filled:
        """An execution on this account of an order that the desk never sent."""
        fill = Fill(
            execution_id=f"{FOREIGN}-execution-{number}",
            client_order_id=f"{FOREIGN}-order-{number}",
            order_id=f"{FOREIGN}-parent-{number}",
            symbol=symbol,
            side=Side.BUY,
            quantity=quantity,
            price=quote.ask,
            mid_price=quote.mid,
            touch_price=quote.ask,
            venue=NAME,
            ts_event=quote.ts_event,
            synthetic=True,
        )
        report = Filled(fill)
        self.foreign.append(fill)
        self.day.append(report)
        self._book(fill, 1)
        return report

    def order(self, client_order_id: str) -> VenueOrder | None:
        found = self._refused.get(client_order_id) or self.left.order(client_order_id)
        found = found or self.stops.order(client_order_id) or self.paper.order(client_order_id)
        return found or self._final.get(client_order_id)

    def open_orders(self) -> tuple[VenueOrder, ...]:
        standing = (*self.left.open_orders(), *self.stops.open_orders())
        return (*standing, *(() if self.is_over else self.paper.open_orders()))

    def positions(self) -> dict[str, int]:
        return {symbol: quantity for symbol, quantity in self.held.items() if quantity}

    def standing(self, order_id: str) -> int:
        """What the children of a parent have executed and not had taken back, or may still execute."""
        open_now = sum(
            item.quantity - item.executed
            for item in self.open_orders()
            if self.orders[item.client_order_id].order_id == order_id
        )
        done = (fill for fill in self.fills if fill.order_id == order_id and fill.execution_id not in self.busted)
        return open_now + sum(fill.quantity for fill in done)

    def _noted(self, reports: tuple[Report, ...]) -> tuple[Report, ...]:
        known = {report.fill.execution_id for report in self.day if isinstance(report, Filled)}
        for report in reports:
            if isinstance(report, Filled) and report.fill.execution_id not in known:
                self.day.append(report)
                self.fills.append(report.fill)
                self._book(report.fill, 1)
        return reports

    def _book(self, fill: Fill, sign: int) -> None:
        self.held[fill.symbol] += sign * fill.side.sign * fill.quantity
        self.cash -= sign * (fill.side.sign * fill.notional + fill.fee)
