"""What was recorded of each symbol and day of an intraday data set, for the venue that plays it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Protocol

import numpy as np

from .errors import DataFileError
from .findings import Finding
from .grids import Grid, decimal_step
from .intraday_files import bar_span_s, has_quotes
from .recordings import Recording, session_recording
from .sessions import SessionCalendar
from .tables import Table, with_rows


class RecordedSessions(Protocol):
    """Only a venue may ask, and only while the session runs: a recording holds its whole day."""

    def recording(self, symbol: str, day: date) -> Recording | None:
        """None where nothing of the symbol was recorded on that day."""
        ...

    def grid(self, symbol: str) -> Grid: ...


@dataclass(frozen=True, eq=False)
class TableSessions:
    """The sessions of a file of minute, second or tick rows with quotes, in dollars and shares."""

    table: Table
    calendar: SessionCalendar
    found: dict[tuple[str, date], Recording | None] = field(default_factory=dict)

    def recording(self, symbol: str, day: date) -> Recording | None:
        key = symbol, day
        if key not in self.found:
            self.found[key] = self._recording(symbol, day)
        return self.found[key]

    def grid(self, symbol: str) -> Grid:
        return Grid()

    def _recording(self, symbol: str, day: date) -> Recording | None:
        table = self.table
        if symbol not in table.symbol_names:
            return None
        mine = table.symbol_codes == table.symbol_names.index(symbol)
        rows = np.flatnonzero(mine & (table.days == np.datetime64(day, "D")))
        try:
            span_s = 0 if table.kind == "ticks" else bar_span_s(table)
            return session_recording(with_rows(table, rows), rows, symbol, self.calendar, span_s, None)
        except DataFileError:
            return None  # of that day there are only rows outside of the session


@dataclass(frozen=True, eq=False)
class BookSessions:
    """The one recording of each symbol's order book, in whole units of the finest size that was traded or shown."""

    recordings: Mapping[str, Recording]
    grids: Mapping[str, Grid]

    def recording(self, symbol: str, day: date) -> Recording | None:
        return self.recordings.get(symbol)

    def grid(self, symbol: str) -> Grid:
        return self.grids[symbol]


def table_sessions(table: Table, calendar: SessionCalendar) -> TableSessions | None:
    """None where the file has no quotes: its bars are all there is, and a path has to be drawn."""
    return TableSessions(table, calendar) if has_quotes(table) else None


def book_grid(recording: Recording) -> Grid:
    """Prices and sizes as finely as they were written."""
    books, trades = recording.books, recording.trades
    assert books is not None, "asked for a recording of books"
    sizes, prices = [books.bid_size.ravel(), books.ask_size.ravel()], [books.bid.ravel(), books.ask.ravel()]
    if trades is not None:
        sizes, prices = [*sizes, trades.size], [*prices, trades.price]
    return Grid(decimal_step(np.concatenate(prices)), min(decimal_step(np.concatenate(sizes)), Decimal(1)))


def recording_findings(sessions: RecordedSessions, symbols: tuple[str, ...], days: list[date]) -> list[Finding]:
    """What was left out of every recording, or is doubtful in it: crossed, locked and one-sided books, silences."""
    found: dict[int, tuple[Finding, ...]] = {}
    for symbol in symbols:
        for day in days:
            recording = sessions.recording(symbol, day)
            if recording is not None:
                found[id(recording)] = recording.findings
    return [finding for findings in found.values() for finding in findings]
