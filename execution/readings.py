"""Measures a session at each of its moments, for whoever watches it: equity, values, counts, costs, quote age."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from itertools import islice

from ..domain.market import Quote
from ..gate.approval import PlanTerms
from .order_manager import OrderManager
from .session_book import SessionBook
from .shortfall import BPS
from .watching import Reading
from .working import WorkingParent

ZERO = Decimal(0)


class Readings:
    """The latest quotes of a session and its running costs."""

    def __init__(
        self, terms: PlanTerms, orders: OrderManager, book: SessionBook, parents: Mapping[str, WorkingParent]
    ) -> None:
        self._terms, self._orders, self._book, self._parents = terms, orders, book, parents
        self.quotes: dict[str, Quote] = {}
        self._counted = self._busted = 0
        self._paid = self._expected = self._base = ZERO

    def read(self, now: datetime) -> Reading:
        values = {symbol: quantity * self._mid(symbol) for symbol, quantity in self._book.held.items() if quantity}
        self._count_costs()
        oldest = min((quote.ts_event for quote in self.quotes.values()), default=None)
        base = self._base
        return Reading(
            now=now,
            equity=self._book.cash + sum(values.values(), ZERO),
            values=values,
            sent=self._orders.sent,
            rejected=self._orders.rejected,
            denied=self._orders.denied,
            unresolved=len(self._orders.unresolved),
            slippage_bps=float(self._paid / base * BPS) if base else None,
            expected_bps=float(self._expected / base) if base else None,
            oldest_quote_age_s=None if oldest is None else (now - oldest).total_seconds(),
        )

    def _mid(self, symbol: str) -> Decimal:
        """The latest mid; the plan's mark where no quote came, since then nothing newer is known."""
        quote = self.quotes.get(symbol)
        return self._terms.marks[symbol] if quote is None else quote.mid

    def _count_costs(self) -> None:
        """What was paid past arrival so far, beside what the plan expected; a bust makes it count anew."""
        if len(self._orders.busted) != self._busted:
            self._busted, self._counted = len(self._orders.busted), 0
            self._paid = self._expected = self._base = ZERO
        for fill in islice(self._orders.standing(), self._counted, None):
            self._counted += 1
            parent = self._parents.get(fill.order_id)
            if parent is None:
                continue  # A late fill of an earlier plan's order: this session worked at no price for it.
            arrival = parent.arrival_price or fill.mid_price
            base = arrival * fill.quantity
            self._base += base
            self._paid += fill.side.sign * (fill.notional - base)
            self._expected += base * Decimal(repr(parent.order.advice.expected_cost_bps))
