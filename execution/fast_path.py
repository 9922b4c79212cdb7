"""The fast path: one session seen event by event, from a quote to a checked order, with no language model near it.

`FastPath` is a session's four doors: a quote, a trade of others, a word of the venue, a moment that is whole. A feed
that tells quotes one by one calls `on_quote` and `on_timer` for each; recorded moments go through the same doors.
`without_pauses` keeps the garbage collector and the other threads from getting in the way meanwhile.
"""

import gc
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from ..domain.events import QuotesDropped
from ..domain.market import Quote
from ..domain.orders import Fill
from ..domain.portfolio import Portfolio, book_fills
from .algorithms.observed import ObservedVolume
from .known_orders import KnownOrders
from .session_loop import SessionLoop
from .shortfall import ExecutionQuality
from .venues.venue import Report

OTHER_THREADS_WAIT_S = 0.0005
"""How long a thread beside the session may hold the interpreter: a tenth of Python's usual turn."""


@dataclass(frozen=True, slots=True)
class SessionResult:
    """What a session came to. `quality` is in the order of the plan's legs.

    `stopped` says why it ended before its time, and is empty when it did not; `unread` are the quotes it left.
    """

    portfolio: Portfolio
    fills: tuple[Fill, ...]
    traded: Decimal
    fees: Decimal
    denied: int
    quality: tuple[ExecutionQuality, ...]
    stopped: str
    unread: Iterator[Quote]


class FastPath:
    """One session, open for events."""

    def __init__(self, loop: SessionLoop, orders: KnownOrders, portfolio: Portfolio, volume: ObservedVolume) -> None:
        self._loop, self._orders, self._portfolio, self._volume = loop, orders, portfolio, volume

    def on_quote(self, quote: Quote) -> None:
        """A quote, at its own time."""
        self._loop.on_quote(quote)

    def on_trade(self, symbol: str, ts_event: datetime, size: int) -> None:
        """A trade of others: what schedules follow and are capped by. Our own executions come in by `on_fill`."""
        self._volume.on_trade(symbol, ts_event, size)

    def on_fill(self, reports: Iterable[Report]) -> None:
        """What a venue says out of turn."""
        self._loop.on_fill(reports)

    def on_timer(self, now: datetime) -> bool:
        """All quotes of this moment are in: act. False when the session is over."""
        return self._loop.on_timer(now)

    def close(self, unread: Iterator[Quote], dropped: Iterable[QuotesDropped] = ()) -> SessionResult:
        """The session is over; `unread` is what it left of its quotes."""
        quality = self._loop.close(dropped)
        fills = self._orders.fills
        return SessionResult(
            portfolio=book_fills(self._portfolio, fills),
            fills=fills,
            traded=sum((fill.notional for fill in fills), Decimal(0)),
            fees=sum((fill.fee for fill in fills), Decimal(0)),
            denied=self._orders.denied,
            quality=quality,
            stopped=self._loop.stopped,
            unread=unread,
        )


@dataclass(slots=True)
class Pauses:
    """The garbage collections that came all the same, in seconds each."""

    clock: Callable[[], float]
    taken_s: list[float] = field(default_factory=list[float])
    _began: float = 0.0

    def note(self, phase: Literal["start", "stop"], info: dict[str, int]) -> None:
        if phase == "start":
            self._began = self.clock()
        else:
            self.taken_s.append(self.clock() - self._began)


@contextmanager
def without_pauses(clock: Callable[[], float] = lambda: 0.0) -> Iterator[Pauses]:
    """No automatic garbage collection, what lives now is left out of any other, and other threads wait their turn.

    Reference counts free what a session makes; `clock` times the collections that somebody asks for all the same.
    Inside another one it only counts.
    """
    pauses = Pauses(clock)
    was_enabled, turn_s = gc.isenabled(), sys.getswitchinterval()
    gc.callbacks.append(pauses.note)
    if was_enabled:
        gc.freeze()
        gc.disable()
    sys.setswitchinterval(min(turn_s, OTHER_THREADS_WAIT_S))
    try:
        yield pauses
    finally:
        gc.callbacks.remove(pauses.note)
        sys.setswitchinterval(turn_s)
        if was_enabled:
            gc.enable()
            gc.unfreeze()
