"""A simulated venue: matches approved orders against quotes, and never flatters them.

What it models: the touch and the displayed size, which own orders use up; square-root impact that builds up
over all of a side's fills in the session and does not fade (so that slicing alone earns nothing); a cap on
the share of the recorded volume; limit orders that rest until the market trades through them; fees; expiry
at the close. What it does not: latency, queues, hidden size, halts, auctions. Each fill carries the tier of
its data and whether the quote was synthetic.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal

from ...domain.canonical import short_id
from ...domain.market import Quote
from ...domain.orders import ChildOrder, Fill, Side
from ...gate.approval import ApprovedOrder, genuine_order
from ...quant.impact import impact_frac
from ..errors import OrderIdReused
from ..hours import SessionHours
from .fees import FeeModel
from .venue import Accepted, Canceled, CancelRefused, Expired, Filled, Rejected, Report

Tier = Literal["T0", "T1", "T2"]


@dataclass(frozen=True, slots=True)
class Liquidity:
    """What is known of one instrument's day: its grid, daily volatility, and volume in shares.

    A volume that is only assumed (close-only data) still prices impact, but caps nothing.
    """

    tick: Decimal
    lot: int
    daily_vol_frac: float
    volume: float
    is_recorded: bool


@dataclass(slots=True)
class _Book:
    """The current quote and what own orders have left of its sizes."""

    quote: Quote
    bid_left: int
    ask_left: int


@dataclass(slots=True)
class _Working:
    """An order at the venue. `takes` is settled on arrival: it crossed, or had no limit."""

    child: ChildOrder
    remaining: int
    takes: bool = True
    is_open: bool = True
    filled: int = 0
    notional: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    executions: int = 0
    reports: list[Report] = field(default_factory=list)


class PaperVenue:
    """One session of the simulated venue; see the module for what it models."""

    def __init__(
        self,
        hours: SessionHours,
        liquidity: Mapping[str, Liquidity],
        fees: FeeModel,
        *,
        participation_frac: float = 0.1,
        tier: Tier = "T0",
        name: str = "paper",
    ) -> None:
        self._hours = hours
        self._liquidity = liquidity
        self._fees = fees
        self._participation_frac = participation_frac
        self._tier: Tier = tier
        self._name = name
        self._books: dict[str, _Book] = {}
        self._orders: dict[str, _Working] = {}
        self._open: dict[str, list[_Working]] = defaultdict(list)
        self._pushed: dict[tuple[str, Side], int] = defaultdict(int)

    @property
    def name(self) -> str:
        return self._name

    def worst_fee(self, quantity: int, price: Decimal) -> Decimal:
        return self._fees.fee(quantity, price * quantity)

    def submit(self, order: ApprovedOrder) -> tuple[Report, ...]:
        """Takes a genuine approved order; the same client order id again is the same order."""
        child = genuine_order(order)
        known = self._orders.get(child.client_order_id)
        if known is not None:
            if known.child != child:
                raise OrderIdReused(
                    f"{child.client_order_id}: already used for another order at {self._name}",
                    remedy="Derive the id from decision, leg and sequence, and send each sequence once.",
                )
            return tuple(known.reports)
        working = _Working(child, child.quantity)
        self._orders[child.client_order_id] = working
        reason = self._refusal(child)
        if reason:
            working.is_open = False
            working.reports.append(Rejected(child.client_order_id, child.created_at, reason))
            return tuple(working.reports)
        working.reports.append(Accepted(child.client_order_id, child.created_at))
        book = self._books.get(child.symbol)
        working.takes = book is None or _crosses(child, book.quote)
        self._open[child.symbol].append(working)
        if book is not None:
            self._match(working, book, max(child.created_at, book.quote.ts_event))
        return tuple(working.reports)

    def cancel(self, client_order_id: str, at: datetime) -> tuple[Report, ...]:
        working = self._orders.get(client_order_id)
        if working is None or not working.is_open:
            reason = "no such order" if working is None else "the order is no longer open"
            return (CancelRefused(client_order_id, at, reason),)
        report = Canceled(client_order_id, at, "canceled on request")
        self._end(working, report)
        return (report,)

    def on_quote(self, quote: Quote) -> tuple[Report, ...]:
        """Replaces the symbol's quote and gives its open orders, oldest first, what they can get of it."""
        old = self._books.get(quote.symbol)
        if not self._hours.contains(quote.ts_event) or (old and quote.ts_event < old.quote.ts_event):
            return ()
        if not 0 < quote.bid <= quote.ask:
            # Crossed or one-sided: nobody can be filled on it, and the quote before it is gone.
            self._books.pop(quote.symbol, None)
            return ()
        book = _Book(quote, quote.bid_size, quote.ask_size)
        self._books[quote.symbol] = book
        reports: list[Report] = []
        for working in list(self._open[quote.symbol]):
            reports.extend(self._match(working, book, quote.ts_event))
        return tuple(reports)

    def close(self, at: datetime) -> tuple[Report, ...]:
        reports: list[Report] = []
        for symbol in sorted(self._open):
            for working in list(self._open[symbol]):
                report = Expired(working.child.client_order_id, at, "day order at the close")
                self._end(working, report)
                reports.append(report)
        return tuple(reports)

    def _refusal(self, child: ChildOrder) -> str:
        if child.symbol not in self._liquidity:
            return f"{child.symbol} is not traded here"
        if child.created_at <= self._hours.decided_at:
            return "sent before its decision could be known"
        if not self._hours.contains(child.created_at):
            return f"outside the session {self._hours.opens_at} to {self._hours.closes_at}"
        return ""

    def _match(self, working: _Working, book: _Book, at: datetime) -> tuple[Report, ...]:
        """Fill what the quote allows, if anything; at most one execution per quote and order."""
        child, quote = working.child, book.quote
        buys = child.side is Side.BUY
        touch = quote.ask if buys else quote.bid
        if not _is_fillable(child, touch, working.takes):
            return ()
        quantity = self._available(working, book)
        if working.takes:
            quantity, price = self._taken(child, touch, quantity)
        else:
            price = child.limit_price or touch
        if quantity <= 0:
            return ()
        if buys:
            book.ask_left -= quantity
        else:
            book.bid_left -= quantity
        self._pushed[child.symbol, child.side] += quantity
        report = Filled(self._fill(working, quantity, price, quote, at), touch)
        working.reports.append(report)
        if working.remaining == 0:
            working.is_open = False
            self._open[child.symbol].remove(working)
        return (report,)

    def _available(self, working: _Working, book: _Book) -> int:
        """Displayed size that own orders have left, within the cap, in whole lots unless it completes the order."""
        symbol = working.child.symbol
        terms = self._liquidity[symbol]
        if not terms.volume > 0:
            return 0
        shown = book.ask_left if working.child.side is Side.BUY else book.bid_left
        quantity = min(working.remaining, shown)
        if terms.is_recorded:
            traded = self._pushed[symbol, Side.BUY] + self._pushed[symbol, Side.SELL]
            quantity = min(quantity, int(self._participation_frac * terms.volume) - traded)
        if quantity >= working.remaining:
            return working.remaining
        return max(quantity, 0) // terms.lot * terms.lot

    def _taken(self, child: ChildOrder, touch: Decimal, quantity: int) -> tuple[int, Decimal]:
        """The most that can be taken without the price, impact included, passing the limit; and that price."""
        price = self._impacted(child, touch, quantity)
        if quantity <= 0 or _within_limit(child, price):
            return quantity, price
        lot = self._liquidity[child.symbol].lot
        low, high = 0, quantity // lot
        while high - low > 1:
            middle = (low + high) // 2
            if _within_limit(child, self._impacted(child, touch, middle * lot)):
                low = middle
            else:
                high = middle
        return low * lot, self._impacted(child, touch, low * lot)

    def _impacted(self, child: ChildOrder, touch: Decimal, quantity: int) -> Decimal:
        """Average price of taking this much now: the touch moved by this slice's part of the side's total
        square-root cost, rounded to the tick against the order."""
        terms = self._liquidity[child.symbol]
        before = self._pushed[child.symbol, child.side]
        move = 0.0
        if quantity > 0:
            after = before + quantity
            cost_after = after * impact_frac(after / terms.volume, terms.daily_vol_frac)
            cost_before = before * impact_frac(before / terms.volume, terms.daily_vol_frac)
            move = max(cost_after - cost_before, 0.0) / quantity
        raw = touch * (1 + child.side.sign * Decimal(repr(round(move, 12))))
        rounding = ROUND_CEILING if child.side is Side.BUY else ROUND_FLOOR
        return max((raw / terms.tick).to_integral_value(rounding), Decimal(1)) * terms.tick

    def _fill(self, working: _Working, quantity: int, price: Decimal, quote: Quote, at: datetime) -> Fill:
        child = working.child
        working.remaining -= quantity
        working.filled += quantity
        working.notional += price * quantity
        # Fees are per order: each fill pays what the order owes by now beyond what it has paid.
        fee = self._fees.fee(working.filled, working.notional) - working.fees
        working.fees += fee
        working.executions += 1
        return Fill(
            execution_id=short_id("exe", self._name, child.client_order_id, working.executions),
            client_order_id=child.client_order_id,
            order_id=child.order_id,
            symbol=child.symbol,
            side=child.side,
            quantity=quantity,
            price=price,
            fee=fee,
            mid_price=quote.mid,
            venue=self._name,
            ts_event=at,
            synthetic=quote.synthetic,
            tier=self._tier,
        )

    def _end(self, working: _Working, report: Report) -> None:
        working.is_open = False
        working.reports.append(report)
        self._open[working.child.symbol].remove(working)


def _crosses(child: ChildOrder, quote: Quote) -> bool:
    return _within_limit(child, quote.ask if child.side is Side.BUY else quote.bid)


def _within_limit(child: ChildOrder, price: Decimal) -> bool:
    limit = child.limit_price
    return limit is None or (price <= limit if child.side is Side.BUY else price >= limit)


def _is_fillable(child: ChildOrder, touch: Decimal, takes: bool) -> bool:
    """A taker needs the touch within its limit; a resting order needs the market beyond it, since with the
    market only at its limit nobody knows its place in the queue."""
    return _within_limit(child, touch) and (takes or touch != child.limit_price)
