"""A simulated venue: matches approved orders against quotes, and never flatters them.

What it models: the touch and the displayed size, which own orders use up; square-root impact that builds up
over all of a side's fills in the session and does not fade (so that slicing alone earns nothing); a cap on
the share of the recorded volume; limit orders that rest until the market trades through them; fees; expiry
at the close. What it does not, `exchange.py` does: latency, queues, depth, stops, halts, auctions. Each fill
carries the tier of its data, T1 for a quote that was recorded, and whether the quote was synthetic.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from ...domain.canonical import short_id
from ...domain.made import whole
from ...domain.market import Quote
from ...domain.orders import BUY, Fill, OrderState, TimeInForce
from ...domain.portfolio import Portfolio
from ...gate.approval import ApprovedOrder, genuine_order
from ..errors import OrderIdReused
from ..hours import SessionHours
from ..working import is_tradable
from .fees import FeeModel
from .impact import Liquidity, SessionImpact
from .paper_orders import PaperOrder, crosses
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

DAY = TimeInForce.DAY
TRADED_HERE, NOT_TRADED_HERE = VenueTerms(), VenueTerms(is_open=False)


@dataclass(slots=True)
class _Book:
    """The current quote and what own orders have left of its sizes."""

    quote: Quote
    bid_left: int
    ask_left: int


class PaperVenue:
    """One session of the simulated venue; see the module for what it models."""

    def __init__(
        self,
        hours: SessionHours,
        liquidity: Mapping[str, Liquidity],
        fees: FeeModel,
        *,
        participation_frac: float = 0.1,
        name: str = "paper",
        portfolio: Portfolio | None = None,
    ) -> None:
        """With a `portfolio` it keeps cash and positions from there on, as a broker does."""
        self._hours = hours
        self._liquidity = liquidity
        self._fees = fees
        self._participation_frac = participation_frac
        self._name = name
        self._books: dict[str, _Book] = {}
        self._orders: dict[str, PaperOrder] = {}
        self._open: dict[str, list[PaperOrder]] = defaultdict(list)
        self._impacts = {symbol: SessionImpact(terms) for symbol, terms in liquidity.items()}
        self._executions: list[Filled] = []
        self._worst_fee: tuple[int, Decimal | None, Decimal] = (0, None, Decimal(0))
        self._cash = portfolio.cash if portfolio else None
        self._held = portfolio.holdings() if portfolio else None

    @property
    def name(self) -> str:
        return self._name

    def worst_fee(self, quantity: int, price: Decimal) -> Decimal:
        asked, at, fee = self._worst_fee
        # Asked for twice on an order's way: for its size, and for its review.
        if asked != quantity or at is not price:
            fee = self._fees.fee(quantity, price * quantity)
            self._worst_fee = quantity, price, fee
        return fee

    def terms(self, symbol: str) -> VenueTerms:
        """Never halted and without a band; an instrument it does not trade is closed."""
        return TRADED_HERE if symbol in self._liquidity else NOT_TRADED_HERE

    def submit(self, order: ApprovedOrder) -> tuple[Report, ...]:
        """Takes a genuine approved order; the same client order id again is the same order."""
        child = genuine_order(order)
        # Read once, from the dictionary: a model's own attribute access costs twice that.
        f = child.__dict__
        name, symbol, made_at = f["client_order_id"], f["symbol"], f["created_at"]
        known = self._orders.get(name)
        if known is not None:
            if known.child != child:
                raise OrderIdReused(
                    f"{name}: already used for another order at {self._name}",
                    remedy="Derive the id from decision, leg and sequence, and send each sequence once.",
                )
            return tuple(known.reports)
        working = self._orders[name] = PaperOrder(child, f["quantity"])
        reason = self._refusal(f)
        if reason:
            working.state = OrderState.REJECTED
            working.reports.append(Rejected(name, made_at, reason))
            return tuple(working.reports)
        working.reports.append(Accepted(name, made_at))
        book = self._books.get(symbol)
        self._open[symbol].append(working)
        if book is not None:
            seen_at = book.quote.ts_event
            working.takes = crosses(child, book.quote)
            if working.takes:
                self._match(working, book, made_at if made_at > seen_at else seen_at)
        return tuple(working.reports)

    def cancel(self, client_order_id: str, at: datetime) -> tuple[Report, ...]:
        working = self._orders.get(client_order_id)
        if working is None or not working.is_open:
            reason = "no such order" if working is None else "the order is no longer open"
            return (CancelRefused(client_order_id, at, reason),)
        report = Canceled(client_order_id, at, "canceled on request", working.filled)
        self._end(working, report, OrderState.CANCELED)
        return (report,)

    def cancel_all(self, at: datetime) -> tuple[Report, ...]:
        return tuple(report for order in self.open_orders() for report in self.cancel(order.client_order_id, at))

    def on_quote(self, quote: Quote) -> tuple[Report, ...]:
        """Replaces the symbol's quote and gives its open orders, oldest first, what they can get of it."""
        old = self._books.get(quote.symbol)
        if not self._hours.contains(quote.ts_event) or (old and quote.ts_event < old.quote.ts_event):
            return ()
        if old and quote.ts_event == old.quote.ts_event and quote == old.quote:
            # Told again, after a reconnect perhaps: the sizes that own orders used up do not come back.
            return ()
        if not is_tradable(quote):
            # Crossed or one-sided: nobody can be filled on it, and the quote before it is gone.
            self._books.pop(quote.symbol, None)
            return ()
        book = _Book(quote, quote.bid_size, quote.ask_size)
        self._books[quote.symbol] = book
        reports: list[Report] = []
        for working in tuple(self._open[quote.symbol]):
            if working.is_fillable(quote):
                reports.extend(self._match(working, book, quote.ts_event))
        return tuple(reports)

    def close(self, at: datetime) -> tuple[Report, ...]:
        reports: list[Report] = []
        for symbol in sorted(self._open):
            for working in list(self._open[symbol]):
                name = working.child.client_order_id
                report = Expired(name, at, "day order at the close", working.filled)
                self._end(working, report, OrderState.EXPIRED)
                reports.append(report)
        return tuple(reports)

    def order(self, client_order_id: str) -> VenueOrder | None:
        working = self._orders.get(client_order_id)
        return None if working is None else working.seen()

    def open_orders(self) -> tuple[VenueOrder, ...]:
        return tuple(working.seen() for symbol in sorted(self._open) for working in self._open[symbol])

    def executions(self) -> tuple[Filled | Busted, ...]:
        return tuple(self._executions)

    def positions(self) -> Mapping[str, int] | None:
        return None if self._held is None else {name: held for name, held in self._held.items() if held}

    def cash(self) -> Decimal | None:
        return self._cash

    def _refusal(self, f: Mapping[str, Any]) -> str:
        hours = self._hours
        if f["symbol"] not in self._liquidity:
            return f"{f['symbol']} is not traded here"
        if f["stop_price"] is not None or f["time_in_force"] is not DAY:
            return f"{f['order_type']} {f['time_in_force']} is not taken here: only market and limit orders of the day"
        if f["created_at"] <= hours.decided_at:
            return "sent before its decision could be known"
        if not hours.contains(f["created_at"]):
            return f"outside the session {self._hours.opens_at} to {self._hours.closes_at}"
        return ""

    def _match(self, working: PaperOrder, book: _Book, at: datetime) -> tuple[Report, ...]:
        """Fill what the quote has for it, if anything; at most one execution per quote and order."""
        f, quote = working.child.__dict__, book.quote
        symbol, side, limit = f["symbol"], f["side"], f["limit_price"]
        buys, impact = side is BUY, self._impacts[symbol]
        touch = quote.ask if buys else quote.bid
        quantity = self._available(working, symbol, book.ask_left if buys else book.bid_left)
        if working.takes:
            quantity, price = impact.most(side, touch, quantity, limit)
        else:
            price = limit or touch
        if quantity <= 0:
            return ()
        if buys:
            book.ask_left -= quantity
        else:
            book.bid_left -= quantity
        impact.push(side, quantity)
        report = Filled(self._fill(working, quantity, price, quote, at))
        working.reports.append(report)
        self._executions.append(report)
        if not working.remaining:
            self._open[symbol].remove(working)
        return (report,)

    def _available(self, working: PaperOrder, symbol: str, shown: int) -> int:
        """Displayed size that own orders have left, within the cap, in whole lots unless it completes the order."""
        terms = self._liquidity[symbol]
        if not terms.volume > 0:
            return 0
        quantity = min(working.remaining, shown)
        if terms.is_recorded:
            quantity = min(quantity, int(self._participation_frac * terms.volume) - self._impacts[symbol].traded)
        if quantity >= working.remaining:
            return working.remaining
        return max(quantity, 0) // terms.lot * terms.lot

    def _fill(self, working: PaperOrder, quantity: int, price: Decimal, quote: Quote, at: datetime) -> Fill:
        f = working.child.__dict__
        name, symbol, side = f["client_order_id"], f["symbol"], f["side"]
        working.remaining -= quantity
        working.filled += quantity
        working.notional += price * quantity
        # Fees are per order: each fill pays what the order owes by now beyond what it has paid.
        fee = self._fees.fee(working.filled, working.notional) - working.fees
        working.fees += fee
        working.executions += 1
        working.state = OrderState.PARTIALLY_FILLED if working.remaining else OrderState.FILLED
        if self._held is not None and self._cash is not None:
            self._held[symbol] = self._held.get(symbol, 0) + side.sign * quantity
            self._cash -= side.sign * price * quantity + fee
        fields = {
            "execution_id": short_id("exe", self._name, name, working.executions),
            "client_order_id": name,
            "order_id": f["order_id"],
            "symbol": symbol,
            "side": side,
            "quantity": quantity,
            "price": price,
            "fee": fee,
            "mid_price": quote.mid,
            "touch_price": quote.ask if side is BUY else quote.bid,
            "venue": self._name,
            "ts_event": at,
            "synthetic": quote.synthetic,
            "tier": "T0" if quote.synthetic else "T1",
        }
        return whole(Fill, fields)

    def _end(self, working: PaperOrder, report: Report, state: OrderState) -> None:
        working.state = state
        working.reports.append(report)
        self._open[working.child.symbol].remove(working)
