"""Quotes as moments: all that carry one time, in time order, and what was not looked at any more."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain

from ..domain.events import QuotesDropped
from ..domain.market import Quote
from .hours import SessionHours


class Moments:
    """Iterates over (time, its quotes); a moment is known to be whole once the first quote of the next is there.

    A quote from before the moment in hand came too late: nothing can be done at its time any more. It is dropped
    and counted. One from outside the session says nothing of the session's time, and is passed over.
    """

    def __init__(self, quotes: Iterable[Quote], hours: SessionHours) -> None:
        self._quotes, self._hours = iter(quotes), hours
        self._ahead: list[Quote] = []
        self._late: dict[str, QuotesDropped] = {}

    def __iter__(self) -> Iterator[tuple[datetime, list[Quote]]]:
        for quote in self._quotes:
            if not self._hours.contains(quote.ts_event):
                continue
            now = self._ahead[0].ts_event if self._ahead else quote.ts_event
            if quote.ts_event < now:
                self._drop(quote, now)
            elif quote.ts_event == now:
                self._ahead.append(quote)
            else:
                batch, self._ahead = self._ahead, [quote]
                yield now, batch
        if self._ahead:
            batch, self._ahead = self._ahead, []
            yield batch[0].ts_event, batch

    def unread(self) -> Iterator[Quote]:
        """The quotes of the moments that were not iterated over, for whoever goes on with them."""
        return chain(self._ahead, self._quotes)

    @property
    def dropped(self) -> tuple[QuotesDropped, ...]:
        """What came too late so far, a finding for each symbol."""
        return tuple(self._late[symbol] for symbol in sorted(self._late))

    def _drop(self, quote: Quote, now: datetime) -> None:
        behind_s = (now - quote.ts_event).total_seconds()
        before = self._late.get(quote.symbol)
        self._late[quote.symbol] = QuotesDropped(
            symbol=quote.symbol,
            count=1 if before is None else before.count + 1,
            first=quote.ts_event if before is None else before.first,
            most_behind_s=behind_s if before is None else max(before.most_behind_s, behind_s),
        )
