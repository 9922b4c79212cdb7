"""Whose book nobody could trade on at a moment: bid at or above ask in the newest quote that was known by then."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from .intraday_files import best_quotes, has_quotes
from .tables import Table

Stamps = npt.NDArray[np.datetime64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class UnsoundBooks:
    """Of each symbol the moments of its recorded quotes, oldest first, and which of them were locked or crossed."""

    quotes: Mapping[str, tuple[Stamps, Mask]]

    def at(self, moment: datetime) -> frozenset[str]:
        """The symbols whose newest quote by then is locked or crossed; nothing later is looked at."""
        stamp = np.datetime64(int(moment.timestamp() * 1_000_000), "us")
        found = ((symbol, int(np.searchsorted(times, stamp, "right"))) for symbol, (times, _) in self.quotes.items())
        return frozenset(symbol for symbol, known in found if known and self.quotes[symbol][1][known - 1])


def unsound_books(table: Table) -> UnsoundBooks | None:
    """Those of a file of minutes, seconds or ticks; None where it has no quotes, or all of them are sound."""
    if not has_quotes(table):
        return None
    quotes: dict[str, tuple[Stamps, Mask]] = {}
    for code, symbol in enumerate(table.symbol_names):
        times, bids, asks, _, _ = best_quotes(table, np.flatnonzero(table.symbol_codes == code))
        unsound = (bids > 0) & (asks > 0) & (bids >= asks)
        if unsound.any():
            quotes[symbol] = times, unsound
    return UnsoundBooks(quotes) if quotes else None
