"""The board: what a session last saw of each instrument, kept so that one quote costs one update and no sweep."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from ..domain.market import Quote
from ..quant.errors import SampleError
from ..quant.streaming import StreamingTop
from .working import is_tradable

ZERO = Decimal(0)

USUAL_QUOTES, FLOW_QUOTES = 64, 16
"""How many quotes of a name make what is usual of it, and how many its order flow of now: choices, not measurements."""


class Board:
    """The last usable quotes, and what is held at their mids; the plan's mark where no quote came.

    A quote that is crossed, one-sided or no number says nothing of a value: the one before it counts on, and ages.
    `held` is the session's own, live: whoever changes it says so with `changed`. `followed` are the names of which
    `tops` tells what their quotes say: nobody else pays for it.
    """

    def __init__(
        self, marks: Mapping[str, Decimal], held: Mapping[str, int], worked: Iterable[str], followed: Iterable[str] = ()
    ) -> None:
        self._marks, self._held = marks, held
        self._values: dict[str, Decimal] = {}
        self._worked = frozenset(worked)
        self._seen_at: dict[str, datetime] = {}
        """Of the worked names, in the order they were last seen in."""
        self._latest: datetime | None = None
        self._is_in_order = True
        self._mids: dict[str, Decimal] = {}
        self.tops = {symbol: StreamingTop(USUAL_QUOTES, FLOW_QUOTES) for symbol in followed}
        """Of every followed name, begun anew with the session: the log holds no quotes."""
        self.values: Mapping[str, Decimal] = MappingProxyType(self._values)
        """Each position's signed value in money, as of the last `revalue`: live, and the sum of them beside it."""
        self.value = ZERO
        self._stale = dict.fromkeys(held)
        self.revalue()

    def see(self, quote: Quote) -> bool:
        """One quote: also of a name that is held and not worked. Whether it is one that can be traded on."""
        if not is_tradable(quote):
            return False
        symbol = quote.symbol
        if symbol in self._worked:
            self._note(symbol, quote.ts_event)
        if self.tops and symbol in self.tops:
            _follow(self.tops[symbol], quote)
        mid = quote.mid
        if self._mids.get(symbol) != mid:
            self._mids[symbol] = mid
            self._stale[symbol] = None
        return True

    def changed(self, symbol: str) -> None:
        """What is held of it changed."""
        self._stale[symbol] = None

    def revalue(self) -> None:
        """Value anew of what a mid or the shares changed: the sum is carried, exact to the last digit."""
        values, held, mids = self._values, self._held, self._mids
        for symbol in self._stale:
            quantity = held.get(symbol)
            if quantity:
                mid = mids.get(symbol)
                after = quantity * (self._marks[symbol] if mid is None else mid)
                self.value += after - values.get(symbol, ZERO)
                values[symbol] = after
            elif symbol in values:
                self.value -= values.pop(symbol)
        self._stale.clear()

    def oldest(self) -> datetime | None:
        """When the quote was that is the oldest among the worked names that had one."""
        moments = self._seen_at.values()
        # Quotes that came in order of time have the oldest in front.
        return next(iter(moments), None) if self._is_in_order else min(moments)

    def _note(self, symbol: str, at: datetime) -> None:
        self._seen_at.pop(symbol, None)
        self._seen_at[symbol] = at
        if self._latest is not None and at < self._latest:
            self._is_in_order = False
        self._latest = at


def _follow(top: StreamingTop, quote: Quote) -> None:
    try:
        top.update(float(quote.bid), float(quote.ask), float(quote.bid_size), float(quote.ask_size))
    except (SampleError, OverflowError):
        # Without a size, or with figures beyond floats, a quote has a mid and says nothing else.
        return
