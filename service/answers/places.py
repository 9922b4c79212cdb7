"""Where a log's last events of some kinds lie: what depends on these alone holds until there is another of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...domain.events import GENESIS_HASH, PAYLOADS, Payload
from ...memory.performance_view import PERFORMANCE
from ...memory.portfolio_view import PORTFOLIO
from ...memory.stored_events import StoredEvents

Kinds = Iterable[type[Payload]]

BOOK: tuple[type[Payload], ...] = tuple({**PERFORMANCE.handlers, **PORTFOLIO.handlers})
"""What moves the book as the tools look at it: a session's close, and whatever was booked since."""


@dataclass(frozen=True, slots=True)
class Places:
    """Of one state of a log: the last event of each kind that it has, by its number and its hash."""

    _last: Mapping[str, tuple[int, str]]

    @classmethod
    def of_log(cls, stored: StoredEvents, stop: int) -> "Places":
        """Up to a place, from nothing."""
        return cls({})._with(PAYLOADS, stored, stop)

    def further(self, stored: StoredEvents, after: int, stop: int) -> "Places":
        """The same log up to a later place; only what was added to it is looked at."""
        return self._with(stored.kinds(after, stop), stored, stop)

    def of(self, kinds: Kinds) -> str:
        """The hash of the last event of any of these kinds; zeros before there is one."""
        return max((self._last.get(kind.__name__, (0, GENESIS_HASH)) for kind in kinds), default=(0, GENESIS_HASH))[1]

    def _with(self, names: Iterable[str], stored: StoredEvents, stop: int) -> "Places":
        seqs = {name: stored.last_seq_of(PAYLOADS[name], stop) for name in names if name in PAYLOADS}
        return Places({**self._last, **{name: (seq, stored.hash_at(seq)) for name, seq in seqs.items() if seq}})
