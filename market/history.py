"""The only way to read market data: everything known at a moment, and nothing after it."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..domain.instruments import Universe
from ..domain.market import TextItem
from .errors import NaiveMoment, NoSessions, PanelError, UnknownSymbol
from .panel import FloatArray, Panel, TimeArray
from .sessions import session_calendar, utc_moment
from .texts import TextLog

if TYPE_CHECKING:
    from .cards import DataCard

SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, slots=True, eq=False)
class MarketView:
    """What was known at `as_of`: read-only slices of a panel, ending with the last bar closed by then.

    Arrays have the shapes of `Panel`, cut to (n_known,) or (n_known, n_symbols); n_known >= 1.
    """

    as_of: datetime
    symbols: tuple[str, ...]
    sessions: TimeArray
    close_times: TimeArray
    close: FloatArray
    open: FloatArray | None
    high: FloatArray | None
    low: FloatArray | None
    volume: FloatArray | None
    benchmark: FloatArray | None
    benchmark_name: str | None
    vix: FloatArray | None
    fingerprint: str
    """Names the data of every row up to `as_of`, and nothing after it."""
    _last_rows: npt.NDArray[np.int64]
    _columns: Mapping[str, int]
    _texts: TextLog

    @property
    def session(self) -> date:
        """The last session whose bar is known."""
        return self.sessions[-1].item()

    def last_closes(self) -> FloatArray:
        """(n_symbols,) each symbol's latest known close, NaN before its first bar."""
        rows = self._last_rows
        return np.where(rows >= 0, self.close[rows, np.arange(len(rows))], np.nan)

    def last_close(self, symbol: str) -> float | None:
        """The symbol's latest known close; None before its first bar."""
        row = self._last_row(symbol)
        return None if row < 0 else float(self.close[row, self._columns[symbol]])

    def last_time(self, symbol: str) -> datetime | None:
        """When the symbol's latest bar became known; None before its first bar."""
        row = self._last_row(symbol)
        return None if row < 0 else utc_moment(self.close_times[row])

    def age_days(self, symbol: str) -> float | None:
        """Calendar days, with fraction, from the symbol's latest bar to `as_of`; None before its first bar."""
        known_at = self.last_time(symbol)
        return None if known_at is None else (self.as_of - known_at).total_seconds() / SECONDS_PER_DAY

    def texts(self, since: datetime | None = None, symbol: str | None = None) -> tuple[TextItem, ...]:
        """Text items with `since` < arrival <= `as_of`, oldest first, of one symbol or of all."""
        return self._texts.as_of(self.as_of, since, symbol)

    def _last_row(self, symbol: str) -> int:
        if symbol not in self._columns:
            raise UnknownSymbol(
                f"{symbol!r} is not in the data set, which holds {', '.join(self.symbols)}.",
                remedy="Use one of these symbols, or load a data set that has it.",
            )
        return int(self._last_rows[self._columns[symbol]])


class History:
    """One data set behind a point-in-time door.

    `as_of(t)` is a binary search and a handful of slices; the calendar methods tell days and hours,
    which are published in advance, and no price.
    """

    def __init__(self, panel: Panel, universe: Universe, card: "DataCard", texts: Iterable[TextItem] = ()) -> None:
        if universe.symbols != panel.symbols:
            raise PanelError(
                f"the universe lists {', '.join(universe.symbols)}, the panel {', '.join(panel.symbols)}.",
                remedy="Build both from the same symbols in the same order.",
            )
        self.universe = universe
        self.card = card
        self._panel = panel
        self._texts = TextLog(texts)
        self._columns = {symbol: column for column, symbol in enumerate(panel.symbols)}
        self._close_epochs: list[int] = panel.close_times.astype(np.int64).tolist()
        self._days: list[date] = panel.sessions.tolist()
        rows = np.arange(len(panel.sessions))[:, np.newaxis]
        # Row i looks back only: the latest row up to i with a bar, -1 before the first one.
        self._last_rows = np.maximum.accumulate(np.where(np.isnan(panel.close), -1, rows), axis=0)
        self._last_rows.setflags(write=False)
        self._fingerprints = panel.row_fingerprints()
        self._calendar = session_calendar(panel.calendar, self._days[0], self._days[-1])

    def as_of(self, moment: datetime) -> MarketView:
        """Everything known at `moment`: bars whose close time is not after it, texts that had arrived."""
        if moment.tzinfo is None:
            raise NaiveMoment(f"{moment} has no time zone.", remedy="Pass an aware datetime, in UTC.")
        known = bisect_right(self._close_epochs, moment.timestamp())
        if known == 0:
            raise NoSessions(
                f"no bar is known at {moment.isoformat()}; the first is known at "
                f"{self.close_time(self._days[0]).isoformat()}.",
                remedy=f"Ask for a moment after that; {self._range()}",
            )
        panel = self._panel
        return MarketView(
            as_of=moment,
            symbols=panel.symbols,
            sessions=panel.sessions[:known],
            close_times=panel.close_times[:known],
            close=panel.close[:known],
            open=None if panel.open is None else panel.open[:known],
            high=None if panel.high is None else panel.high[:known],
            low=None if panel.low is None else panel.low[:known],
            volume=None if panel.volume is None else panel.volume[:known],
            benchmark=None if panel.benchmark is None else panel.benchmark[:known],
            benchmark_name=panel.benchmark_name,
            vix=None if panel.vix is None else panel.vix[:known],
            fingerprint=self._fingerprints[known - 1],
            _last_rows=self._last_rows[known - 1],
            _columns=self._columns,
            _texts=self._texts,
        )

    @property
    def first_session(self) -> date:
        return self._days[0]

    @property
    def last_session(self) -> date:
        return self._days[-1]

    def sessions_between(self, start: date | None = None, end: date | None = None) -> tuple[date, ...]:
        """Days of the data set from `start` to `end`, both included; an open end means all there is."""
        first = start or self._days[0]
        last = end or self._days[-1]
        found = tuple(day for day in self._days if first <= day <= last)
        if not found:
            raise NoSessions(f"no session of {self.card.name} lies between {first} and {last}.", remedy=self._range())
        return found

    def close_time(self, session: date) -> datetime:
        """When the session's bar becomes known, in UTC; early closes included."""
        return self._calendar.close_time(session)

    def opening_time(self, session: date) -> datetime:
        """When the session opens, in UTC (09:30 in New York for XNYS)."""
        return self._calendar.opening_time(session)

    def next_session(self, session: date) -> date:
        """The next day of the data set; after its last day, the next one of the exchange's calendar."""
        row = bisect_right(self._days, session)
        return self._days[row] if row < len(self._days) else self._calendar.next_session(session)

    def _range(self) -> str:
        return f"{self.card.name} runs from {self._days[0]} to {self._days[-1]}."
