"""Which cash a buy of today may be paid with, in an account that settles a day after the trade (T+1).

A buy of today is paid tomorrow, and the proceeds of a sale of today arrive tomorrow too: such a sale pays for such
a buy. What can't is the sale of shares that were themselves bought today: they would be paid for with their own
proceeds (free riding, Regulation T, 12 CFR 220.8). Older shares count as sold first.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from ..domain.orders import SELL, Fill


class Settlement:
    """The unsettled proceeds of one day, fill by fill."""

    def __init__(self, held: Mapping[str, int], earlier: Iterable[Fill] = (), day: date | None = None) -> None:
        """`held` is after the fills of `earlier`, of which those of the day count; without a day, all do."""
        self._fills = [fill for fill in earlier if day is None or fill.ts_event.date() == day]
        self._at_open = dict(held)
        for fill in self._fills:
            self._at_open[fill.symbol] = self._at_open.get(fill.symbol, 0) - fill.side.sign * fill.quantity
        self._fold()

    def fill(self, fill: Fill) -> None:
        self._fills.append(fill)
        self._take(fill)

    def bust(self, fill: Fill) -> None:
        """As if it had never been."""
        self._fills = [kept for kept in self._fills if kept.execution_id != fill.execution_id]
        self._fold()

    def _fold(self) -> None:
        self.unsettled = Decimal(0)
        self._older = dict(self._at_open)
        for fill in self._fills:
            self._take(fill)

    def _take(self, fill: Fill) -> None:
        f = fill.__dict__
        if f["side"] is SELL:
            symbol, quantity = f["symbol"], f["quantity"]
            older = max(self._older.get(symbol, 0), 0)
            self._older[symbol] = max(older - quantity, 0)
            self.unsettled += f["price"] * max(quantity - older, 0)
