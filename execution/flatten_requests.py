"""Requests to sell that stand: in the order they came, worked together, and each ended by an end of its own.

What is asked while a flatten works is worked with it from that moment on. The notification that ends one says by its
code which place in line it had: the first one's is the bare code. What a session had no time left for waits, once, for
the next one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

FLATTEN_ENDED = "flatten_ended"
"""Of a notification: the first request in line is over; with a number behind it, the one at that place."""
FLATTEN_WAITS = "flatten_waits"
"""Of a notification: the session is over before all that stands could be tried, and the next one goes on with it."""


@dataclass(frozen=True, slots=True)
class FlattenAsked:
    """A standing request to sell; no symbols means everything, `keep` the shares of a name that stay."""

    symbols: tuple[str, ...]
    by: str
    reason: str
    keep: Mapping[str, int] = field(default_factory=dict[str, int])
    has_waited: bool = False
    """Whether an earlier session had no time left for it."""

    def covers(self, symbol: str) -> bool:
        return not self.symbols or symbol in self.symbols

    def sells_as(self, other: "FlattenAsked") -> bool:
        """Whether both sell the same down to the same, whoever asked and why."""
        return (self.symbols, self.keep) == (other.symbols, other.keep)

    def __str__(self) -> str:
        return f"flatten of {', '.join(self.symbols) or 'everything'} by {self.by}"


@dataclass(frozen=True, slots=True)
class FlattenLine:
    """The requests in line; of those, the first `put_off` wait for the next session."""

    asked: tuple[FlattenAsked, ...] = ()
    put_off: int = 0

    @property
    def due(self) -> tuple[FlattenAsked, ...]:
        """What this session works."""
        return self.asked[self.put_off :]

    @property
    def joined(self) -> FlattenAsked | None:
        """All that is due as one request: each name that any of them sells, down to the fewest shares that one keeps;
        None where nothing is due."""
        due = self.due
        if len(due) < 2:
            return due[0] if due else None
        named = dict.fromkeys(symbol for item in due for symbol in item.symbols)
        kept = dict.fromkeys(symbol for item in due for symbol in item.keep)
        fewest = {name: min((item.keep.get(name, 0) for item in due if item.covers(name)), default=0) for name in kept}
        return FlattenAsked(
            tuple(named) if all(item.symbols for item in due) else (),
            ", ".join(dict.fromkeys(item.by for item in due)),
            "; ".join(dict.fromkeys(item.reason for item in due)),
            {name: shares for name, shares in fewest.items() if shares},
        )

    def with_request(self, asked: FlattenAsked) -> "FlattenLine":
        return replace(self, asked=(*self.asked, asked))

    def after(self, code: str) -> "FlattenLine":
        """What is left once a notification of this code has been raised."""
        if code == FLATTEN_WAITS:
            waiting = tuple(replace(item, has_waited=True) for item in self.asked)
            return FlattenLine(waiting, len(waiting))
        place = _place_in(code)
        if place is None or place >= len(self.asked):
            return self
        left = self.asked[:place] + self.asked[place + 1 :]
        return FlattenLine(left, self.put_off - (place < self.put_off))

    def in_next_session(self) -> "FlattenLine":
        """Nothing waits any longer."""
        return replace(self, put_off=0)


def end_code(place: int) -> str:
    """The code of the notification that ends the request at this place, counted from 0."""
    return FLATTEN_ENDED if place == 0 else f"{FLATTEN_ENDED} {place + 1}"


def is_end(code: str) -> bool:
    return _place_in(code) is not None


def _place_in(code: str) -> int | None:
    """The place in line that a code ends; None where it ends none."""
    name, _, number = code.partition(" ")
    if name != FLATTEN_ENDED:
        return None
    return int(number) - 1 if number.isdecimal() and int(number) > 0 else 0
