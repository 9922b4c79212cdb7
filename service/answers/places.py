"""Where a log's last events of some kinds lie: what depends on these alone holds until there is another of them."""

from collections.abc import Iterable

from ...domain.events import GENESIS_HASH, Payload
from ...memory.performance_view import PERFORMANCE
from ...memory.portfolio_view import PORTFOLIO
from ...memory.stored_events import StoredEvents

Kinds = Iterable[type[Payload]]

BOOK: tuple[type[Payload], ...] = tuple({**PERFORMANCE.handlers, **PORTFOLIO.handlers})
"""What moves the book as the tools look at it: a session's close, and whatever was booked since."""


class Places:
    """Of one state of a log."""

    def __init__(self, stored: StoredEvents, stop: int) -> None:
        self._stored, self._stop = stored, stop
        self._found: dict[type[Payload], int] = {}

    def of(self, kinds: Kinds) -> str:
        """The hash of the last event of any of these kinds; zeros before there is one."""
        seq = max((self._last(kind) for kind in kinds), default=0)
        return self._stored.hash_at(seq) if seq else GENESIS_HASH

    def _last(self, kind: type[Payload]) -> int:
        if kind not in self._found:
            self._found[kind] = self._stored.last_seq_of(kind, self._stop)
        return self._found[kind]
