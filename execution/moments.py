"""Quotes as moments: all that carry one time, in time order, and what was not looked at any more."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain

from ..domain.market import Quote
from .errors import SessionRefused


class Moments:
    """Iterates over (time, its quotes); a moment is known to be whole once the first quote of the next is there."""

    def __init__(self, quotes: Iterable[Quote]) -> None:
        self._quotes = iter(quotes)
        self._ahead: list[Quote] = []

    def __iter__(self) -> Iterator[tuple[datetime, list[Quote]]]:
        for quote in self._quotes:
            if self._ahead and quote.ts_event != self._ahead[0].ts_event:
                now = self._ahead[0].ts_event
                if quote.ts_event < now:
                    raise SessionRefused(
                        f"a quote of {quote.ts_event} came after one of {now}", remedy="Sort the quotes by time."
                    )
                batch, self._ahead = self._ahead, [quote]
                yield now, batch
            else:
                self._ahead.append(quote)
        if self._ahead:
            batch, self._ahead = self._ahead, []
            yield batch[0].ts_event, batch

    def unread(self) -> Iterator[Quote]:
        """The quotes of the moments that were not iterated over, for whoever goes on with them."""
        return chain(self._ahead, self._quotes)
