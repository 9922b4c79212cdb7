"""P1: no long position is for long without its stop at the venue, an order at work in its name, or word to a person.

Looked at by what is true at the venue, at every moment at which a process of the desk is there, and at every close.
Where the market has reached a stop nothing is asked: an exit is on its way, or the desk says that there is none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from ...domain.control_events import BookReconciled, NotificationRaised
from ...domain.events import Payload, StopArmed
from ...domain.market import Quote
from ...domain.trading import TradingState
from ...execution.standing import UNPROTECTED
from .exchange import Exchange
from .witness import Bench, DoorWitness, Violation

GRACE = 3
"""Moments: a lost order is found, given up, and placed again, each at a moment of its own."""
AT_CLOSE = 1


@dataclass(slots=True)
class BareWitness:
    """Counts for each name the moments in a row that it was bare at."""

    exchange: Exchange
    witness: DoorWitness
    is_there: bool = False
    """Whether a process works the session."""
    _prices: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    _told: set[str] = field(default_factory=set[str])
    _bare: dict[str, int] = field(default_factory=dict[str, int])
    _there: int = 0
    _differs: bool = False

    def take(self, payload: Payload) -> None:
        """A fact that is durable in the log."""
        match payload:
            case StopArmed():
                self._prices[payload.symbol] = payload.stop_price
            case NotificationRaised() if payload.code == UNPROTECTED:
                self._told.add(payload.text.split(" ")[1])
            case BookReconciled():
                self._differs |= not payload.is_explained
            case _:
                pass

    def begins(self) -> None:
        """A process works the session from now on."""
        self.is_there, self._there = True, 0
        self._bare.clear()

    def ends(self) -> None:
        self.is_there = False
        self._bare.clear()

    def session(self) -> None:
        """A new one: what a person was told of the one before does not count."""
        self._told.clear()
        self._differs = False

    def at_moment(self, moment: int, quotes: Mapping[str, Quote]) -> None:
        """Before the desk looks at this moment: what it left of the one before."""
        bench = self.witness.bench
        if bench is None or not self.is_there or moment <= bench.began_at:
            return
        self._there += 1
        for symbol in self._uncovered(quotes):
            self._bare[symbol] = self._bare.get(symbol, 0) + 1
            if self._bare[symbol] == GRACE and not self._is_worked(symbol, bench):
                self._say(symbol, f"for {GRACE} moments")

    def at_close(self, quotes: Mapping[str, Quote]) -> None:
        """The session is over; where the desk came too late for it nothing is asked."""
        if self._there > AT_CLOSE and not self._differs:
            for symbol in self._uncovered(quotes):
                self._say(symbol, "at the close")

    def _uncovered(self, quotes: Mapping[str, Quote]) -> list[str]:
        """Names of which fewer shares stand on stops than are held, and nobody has said why."""
        stops = self.exchange.stops
        held = {name: count for name, count in self.exchange.held.items() if count > 0}
        found = [name for name, count in held.items() if stops.shares(name) < count and name not in self._told]
        for name in self._bare.keys() - set(found):
            del self._bare[name]
        return [name for name in found if name in quotes and not self._is_reached(quotes[name])]

    def _is_reached(self, quote: Quote) -> bool:
        price = self._prices.get(quote.symbol)
        return price is not None and quote.bid <= price

    def _is_worked(self, symbol: str, bench: Bench) -> bool:
        """Whether the plan may still trade the name."""
        is_halted = self.witness.records.states.of(symbol) is TradingState.HALTED
        return not is_halted and any(leg.symbol == symbol for leg in bench.terms.legs.values())

    def _say(self, symbol: str, when: str) -> None:
        held, on_stops = self.exchange.held[symbol], self.exchange.stops.shares(symbol)
        text = f"{held} {symbol} are held, {on_stops} of them on stops at the venue, {when}"
        self.witness.violations.append(Violation("P1", text))
