"""Measures a session at each of its moments, for whoever watches it: equity, values, counts, costs, quote age."""

from datetime import datetime

from .board import Board
from .known_orders import KnownOrders
from .session_book import SessionBook
from .slippage import SlippageMonitor
from .watching import Reading


class Readings:
    """A session measured from its board, its orders and its running costs."""

    def __init__(self, orders: KnownOrders, book: SessionBook, board: Board, costs: SlippageMonitor) -> None:
        self._orders, self._book, self._board, self._costs = orders, book, board, costs
        self._counted = self._busted = 0
        self._unknown: frozenset[str] = frozenset()

    def read(self, now: datetime) -> Reading:
        self._follow()
        self._costs.count()
        board, orders, costs = self._board, self._orders, self._costs
        board.revalue()
        # Now rather than in the next order's way to the gate.
        self._book.revalue()
        oldest = board.oldest()
        # By place, which costs half of what names do.
        return Reading(
            now, self._book.cash + board.value, board.values, orders.sent, orders.rejected, orders.denied,
            self._still_unknown(), costs.realized_bps, costs.expected_bps,
            None if oldest is None else (now - oldest).total_seconds(),
        )  # fmt: skip

    def _still_unknown(self) -> int:
        """Orders that were UNKNOWN at the last reading and are so yet: the venue has been asked in between."""
        before, unknown = self._unknown, self._orders.unresolved
        if not before and not unknown:
            return 0
        self._unknown = frozenset(unknown)
        return len(before & self._unknown)

    def _follow(self) -> None:
        """Tell the board what was filled since the last reading; a bust makes it look at everything anew."""
        if len(self._orders.busted) != self._busted:
            self._busted, self._counted = len(self._orders.busted), self._orders.n_standing
            for symbol in tuple(self._book.held):
                self._board.changed(symbol)
        elif self._counted < self._orders.n_standing:
            for fill in self._orders.standing(self._counted):
                self._board.changed(fill.__dict__["symbol"])
            self._counted = self._orders.n_standing
