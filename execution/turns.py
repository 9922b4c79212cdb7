"""Whose turn it is: the orders that a session works, in the order in which each moment looks at them."""

from collections.abc import Iterable, Mapping, Sequence

from ..domain.market import Quote
from ..domain.orders import Side
from ..domain.trading import TradingState
from .session_book import SessionBook
from .working import WorkingParent


class Turns:
    """The parents of one session. A moment of one quote looks at its own name only."""

    def __init__(self, parents: Iterable[WorkingParent], book: SessionBook) -> None:
        """Sells first at each moment, so that the cash they bring is there for the buys."""
        self._book = book
        self._take(sorted(parents, key=lambda parent: parent.order.side is Side.BUY))

    def due(self, latest: Mapping[str, Quote]) -> Sequence[WorkingParent]:
        """Those that these quotes may concern."""
        return self._in_turn if len(latest) > 1 else self._of.get(next(iter(latest), ""), ())

    def put_first(self, parents: Iterable[WorkingParent]) -> None:
        """From now on these come before all others."""
        self._take([*parents, *self._in_turn])

    def is_left(self, symbol: str, state: TradingState) -> bool:
        """Whether anything is still to be sent in a name, and may be."""
        if state is TradingState.HALTED:
            return False
        return any(
            not parent.stopped
            and self._book.committed(parent.order.order_id) < parent.order.quantity
            and (state is TradingState.ACTIVE or parent.order.side is Side.SELL)
            for parent in self._of.get(symbol, ())
        )

    def stop(self, symbol: str, why: str) -> None:
        """Nothing more is sent in a name."""
        for parent in self._of.get(symbol, ()):
            parent.stopped = parent.stopped or why

    def _take(self, turns: list[WorkingParent]) -> None:
        self._in_turn = turns
        self._of: dict[str, list[WorkingParent]] = {}
        for parent in turns:
            self._of.setdefault(parent.order.symbol, []).append(parent)
