"""A simulated exchange behind the Venue port: matches by price and time on its own clock, and tells of it with a delay.

A request leaves when it is made and arrives after the feed's and its own delay; what happens is told after the
answer's. So a cancel races with the market, and the venue's time decides. The other side of the market is what was
recorded: the tape it is given, or the quotes of the session where the tape has none. A question travels behind the
requests made before it, so it is answered once these have arrived: with the book as it stands. Each fill carries the
tier of its data and whether they were drawn.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from ...domain.market import Quote
from ...domain.orders import ChildOrder, Fill, OrderState, Side
from ...gate.approval import ApprovedOrder, genuine_order
from ...market.corporate_actions import CorporateAction
from ..errors import ExecutionError, OrderIdReused, VenueUnreachable
from ..hours import SessionHours
from .account import Account
from .actions import act_on_order
from .instrument_market import InstrumentMarket
from .market_events import Cross, Depth, MarketEvent, depth_of
from .rules import STANDING, ExchangeRules, Listing
from .venue import (
    Accepted,
    Busted,
    Canceled,
    CancelRefused,
    Expired,
    Filled,
    Rejected,
    Report,
    VenueOrder,
    VenueTerms,
)
from .wire import Kind, Request, Wire
from .worked_order import Execution, Outcome, WorkedOrder, fill_of, worked


class Exchange:
    """One exchange over one session; `carry_over` gives the orders that stand longer to the next session's."""

    def __init__(
        self,
        hours: SessionHours,
        listings: Mapping[str, Listing],
        rules: ExchangeRules,
        account: Account,
        *,
        tape: Sequence[MarketEvent] = (),
        name: str = "exchange",
        keeps_account: bool = True,
    ) -> None:
        """`tape` is in time order; of several exchanges that settle into one account, one keeps (and tells) it."""
        if any(later.ts_event < earlier.ts_event for earlier, later in pairwise(tape)):
            raise ExecutionError("the tape goes back in time", remedy="Sort it by time, as it was received.")
        self._hours, self._rules, self._account = hours, rules, account
        self._markets = {symbol: InstrumentMarket(symbol, item, rules, name) for symbol, item in listings.items()}
        self._tape, self._place = tape, 0
        self._on_tape = {event.symbol for event in tape if isinstance(event, Depth)}
        self._closing = {event.symbol for event in tape if isinstance(event, Cross) and event.phase == "close"}
        self._name, self._keeps_account = name, keeps_account
        self._now, self._is_over = hours.decided_at, False
        self._seen: dict[str, Quote] = {}
        self._wire = Wire(rules.latency, hours.decided_at)
        self._orders: dict[str, WorkedOrder] = {}
        self._executions: list[Filled] = []

    @property
    def name(self) -> str:
        return self._name

    def worst_fee(self, quantity: int, price: Decimal) -> Decimal:
        return self._rules.fees.worst(quantity, price)

    def terms(self, symbol: str) -> VenueTerms:
        market = self._markets.get(symbol)
        if market is None:
            return VenueTerms(is_open=False)
        terms = market.terms(self._now)
        until = self._hours.closes_at - self._rules.close_cut_off
        return replace(terms, on_close_until=until) if symbol in self._closing else terms

    def submit(self, order: ApprovedOrder) -> tuple[Report, ...]:
        """Takes a genuine approved order; the same client order id again is the same order."""
        child = genuine_order(order)
        self._reach(child.created_at)
        known = self._orders.get(child.client_order_id)
        if known is not None:
            if known.child != child:
                raise OrderIdReused(
                    f"{child.client_order_id}: already used for another order at {self._name}",
                    remedy="Derive the id from decision, leg and sequence, and send each sequence once.",
                )
            return tuple(known.reports)
        arrives_at = self._wire.arrival(child.symbol, child.client_order_id, child.created_at)
        self._orders[child.client_order_id] = made = worked(child, arrives_at)
        self._send(arrives_at, "new", made)
        return self._wire.told_by(child.created_at, child.symbol)

    def cancel(self, client_order_id: str, at: datetime) -> tuple[Report, ...]:
        self._reach(at)
        order = self._orders.get(client_order_id)
        if order is None:
            return (CancelRefused(client_order_id, at, "no such order"),)
        symbol = order.child.symbol
        self._send(self._wire.arrival(symbol, f"cancel {client_order_id}", at), "cancel", order)
        return self._wire.told_by(at, symbol)

    def cancel_all(self, at: datetime) -> tuple[Report, ...]:
        return tuple(report for order in self.open_orders() for report in self.cancel(order.client_order_id, at))

    def on_quote(self, quote: Quote) -> tuple[Report, ...]:
        """The session has come to this moment: everything up to it happens, whoever watches."""
        before = self._seen.get(quote.symbol)
        if quote.ts_event >= self._now and quote != before:
            self._advance(quote.ts_event)
            if quote.symbol not in self._on_tape and quote.symbol in self._markets:
                self._seen[quote.symbol] = quote
                self._happen(depth_of(quote))
            self._arrive(quote.ts_event)
        self._reach(quote.ts_event)
        return self._wire.told_by(quote.ts_event, quote.symbol)

    def close(self, at: datetime) -> tuple[Report, ...]:
        """The session is over: the orders of the day expire, and all is told. Outages end with it."""
        self._advance(at)
        self._arrive(at)
        for order in self._open():
            if order.child.time_in_force not in STANDING:
                self._end(order, OrderState.EXPIRED, at, "day order at the close")
        for request in self._wire.take_out():
            self._process(request)
        self._is_over = True
        return self._wire.told_at_last()

    def order(self, client_order_id: str) -> VenueOrder | None:
        self._reach(self._now)
        order = self._orders.get(client_order_id)
        if order is None:
            return None
        for request in self._wire.take_out(order):
            self._process(request)
        return order.seen()

    def open_orders(self) -> tuple[VenueOrder, ...]:
        self._reach(self._now)
        return tuple(order.seen() for order in self._open())

    def executions(self) -> tuple[Filled | Busted, ...]:
        self._reach(self._now)
        return tuple(self._executions)

    def positions(self) -> Mapping[str, int] | None:
        self._reach(self._now)
        return self._account.positions() if self._keeps_account else {}

    def cash(self) -> Decimal | None:
        self._reach(self._now)
        return self._account.cash if self._keeps_account else Decimal(0)

    def carry_over(self) -> tuple[WorkedOrder, ...]:
        """What stands for another session, in the order of arrival."""
        return tuple(sorted(self._open(), key=lambda order: order.arrived_at))

    def take_over(self, orders: Iterable[WorkedOrder], actions: Sequence[CorporateAction] = ()) -> None:
        """Begin the session with what an earlier one left standing: at the end of every queue, and moved by the
        corporate actions since. What an action cancels, or no market here trades, ends at the open."""
        at = self._hours.opens_at
        for order in orders:
            order.ahead, order.arrived_at = None, at
            self._orders[order.child.client_order_id] = order
            market = self._markets.get(order.child.symbol)
            why = "" if market else f"{order.child.symbol} is not traded here"
            for action in actions:
                if market and not why and action.symbol == order.child.symbol:
                    grid = market.listing.liquidity
                    why = act_on_order(order, action, grid.tick, grid.lot)
            if market is None or why:
                order.state = OrderState.CANCELED
                self._wire.tell(order, Canceled(order.child.client_order_id, at, why, order.filled))
                continue
            self._watch_expiry(order)
            self._tell_outcomes(market.enter(order, at), at)

    def _open(self) -> list[WorkedOrder]:
        return [order for symbol in sorted(self._markets) for order in self._markets[symbol].orders()]

    def _send(self, at: datetime, kind: Kind, order: WorkedOrder) -> None:
        request = self._wire.request(max(at, self._now), kind, order)
        if at <= self._now:
            self._process(request)
        else:
            self._wire.send(request)

    def _advance(self, until: datetime) -> None:
        """Play the tape up to a moment, each request in its place: at one moment, the market comes first."""
        while self._place < len(self._tape) and self._tape[self._place].ts_event <= until:
            event = self._tape[self._place]
            self._place += 1
            self._arrive(event.ts_event, before=True)
            self._happen(event)
        self._arrive(until, before=True)
        self._now = max(self._now, until)

    def _arrive(self, until: datetime, *, before: bool = False) -> None:
        """Process the requests that have arrived by a moment, or before it."""
        for request in self._wire.arrived(until, before=before):
            self._process(request)

    def _happen(self, event: MarketEvent) -> None:
        self._now = max(self._now, event.ts_event)
        market = self._markets.get(event.symbol)
        in_hours = self._hours.opens_at <= event.ts_event <= self._hours.closes_at
        if market is None or not in_hours:
            return
        self._tell_outcomes(market.on_event(event), event.ts_event)
        if isinstance(event, Depth) and event.is_usable:
            self._wire.observe(event.symbol, (event.bids[0][0] + event.asks[0][0]) / 2)

    def _process(self, request: Request) -> None:
        order, at = request.order, request.at
        child = order.child
        match request.kind:
            case "new":
                self._take(order, at)
            case "expire" if order.is_open:
                self._end(order, OrderState.EXPIRED, at, f"good till {child.expires_at}")
            case "cancel" if not order.is_open:
                self._wire.tell(order, CancelRefused(child.client_order_id, at, "the order is no longer open"))
            case "cancel" if self._rules.is_locked(child, at, self._hours):
                self._wire.tell(order, CancelRefused(child.client_order_id, at, "the auction's book is shut"))
            case "cancel":
                self._end(order, OrderState.CANCELED, at, "canceled on request")
            case _:
                pass

    def _take(self, order: WorkedOrder, at: datetime) -> None:
        child = order.child
        market = self._markets.get(child.symbol)
        reason = f"{child.symbol} is not traded here"
        if market is not None:
            reason = self._rules.refusal(child, at, self._hours) or market.refusal(child, at) or self._uncovered(child)
        if market is None or reason:
            order.state = OrderState.REJECTED
            self._wire.tell(order, Rejected(child.client_order_id, at, reason))
            return
        order.state = OrderState.ACCEPTED
        self._wire.tell(order, Accepted(child.client_order_id, at))
        self._watch_expiry(order)
        if child.time_in_force in STANDING and not self._hours.opens_at <= at <= self._hours.closes_at:
            market.hold(order)
        else:
            self._tell_outcomes(market.enter(order, at), at)

    def _uncovered(self, child: ChildOrder) -> str:
        if child.side is Side.BUY:
            return ""
        opened = sum(item.remaining for item in self._markets[child.symbol].orders() if item.side is Side.SELL)
        missing = self._account.unlocated(child.symbol, child.quantity + opened)
        return f"{missing} of the shares sold are neither held nor located" if missing else ""

    def _watch_expiry(self, order: WorkedOrder) -> None:
        if order.child.expires_at is not None:
            self._wire.send(self._wire.request(order.child.expires_at, "expire", order))

    def _tell_outcomes(self, outcomes: Iterable[Outcome], at: datetime) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Execution):
                filled = Filled(self._fill(outcome, at))
                self._account.book(filled.fill)
                self._executions.append(filled)
                self._wire.tell(outcome.order, filled)
            else:
                self._end(outcome.order, outcome.state, at, outcome.reason)

    def _end(self, order: WorkedOrder, state: OrderState, at: datetime, reason: str) -> None:
        name = order.child.client_order_id
        self._markets[order.child.symbol].withdraw(order)
        order.state = state
        ended = Expired if state is OrderState.EXPIRED else Canceled
        self._wire.tell(order, ended(name, at, reason, order.filled))

    def _fill(self, done: Execution, at: datetime) -> Fill:
        order, child = done.order, done.order.child
        # Fees are per order: each fill pays what the order owes by now beyond what it has paid.
        fee = self._rules.fees.owed(order.side, done.taken, done.made, done.notional) - order.fees
        order.fees += fee
        return fill_of(done, at, fee, self._name, self._markets[child.symbol].listing.tier)

    def _reach(self, at: datetime) -> None:
        if self._rules.is_out(at) and not self._is_over:
            raise VenueUnreachable(f"{self._name} does not answer at {at}")
