"""The only way to read market data: everything known at a moment, and nothing after it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from ..domain.instruments import Universe
from ..domain.market import TextItem
from ..domain.sessions import day_of, session_text
from .errors import IntervalRefused, NaiveMoment, NoSessions, PanelError, UnknownSymbol
from .intervals import BarInterval
from .panel import FloatArray, Panel, TimeArray
from .sessions import session_calendar, utc_moment
from .texts import TextLog
from .unsound_books import UnsoundBooks

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
    interval: BarInterval | None
    """How long the bars are where a session holds many; None where a row is a session."""
    fingerprint: str
    """Names the data of every row up to `as_of`, and nothing after it."""
    _last_rows: npt.NDArray[np.int64]
    _columns: Mapping[str, int]
    _texts: TextLog
    unsound: frozenset[str] = frozenset()
    """Symbols whose newest recorded quote is locked or crossed: nobody could trade on it."""

    @property
    def session(self) -> date:
        """The exchange's day of the last bar that is known."""
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
    which are published in advance, and no price. A session is the exchange's day, or, where the data set is decided on
    within the day, the moment at which a span of it ends.
    """

    def __init__(
        self,
        panel: Panel,
        universe: Universe,
        card: "DataCard",
        texts: Iterable[TextItem] = (),
        unsound: UnsoundBooks | None = None,
    ) -> None:
        if universe.symbols != panel.symbols:
            raise PanelError(
                f"the universe lists {', '.join(universe.symbols)}, the panel {', '.join(panel.symbols)}.",
                remedy="Build both from the same symbols in the same order.",
            )
        self.universe = universe
        self.card = card
        self._panel = panel
        self._texts, self._unsound = TextLog(texts), unsound
        self._columns = {symbol: column for column, symbol in enumerate(panel.symbols)}
        self._close_epochs: list[int] = panel.close_times.astype(np.int64).tolist()
        self._sessions: list[date] = panel.sessions.tolist()
        rows = np.arange(len(panel.sessions))[:, np.newaxis]
        # Row i looks back only: the latest row up to i with a bar, -1 before the first one.
        self._last_rows = np.maximum.accumulate(np.where(np.isnan(panel.close), -1, rows), axis=0)
        self._last_rows.setflags(write=False)
        self._fingerprints = panel.row_fingerprints()
        self._calendar = session_calendar(panel.calendar, self._sessions[0], self._sessions[-1])
        if panel.is_decision is not None:
            ends = panel.close_times[panel.is_decision]
            self._sessions = [_on_clock(utc_moment(end), self._calendar.zone) for end in ends]

    def as_of(self, moment: datetime) -> MarketView:
        """Everything known at `moment`: bars whose close time is not after it, texts that had arrived."""
        if moment.tzinfo is None:
            raise NaiveMoment(f"{moment} has no time zone.", remedy="Pass an aware datetime, in UTC.")
        panel = self._panel
        known = bisect_right(self._close_epochs, moment.timestamp())
        if known == 0:
            raise NoSessions(
                f"no bar is known at {moment.isoformat()}; the first is known at "
                f"{utc_moment(panel.close_times[0]).isoformat()}.",
                remedy=f"Ask for a moment after that; {self._range()}",
            )
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
            interval=panel.interval,
            fingerprint=self._fingerprints[known - 1],
            _last_rows=self._last_rows[known - 1],
            _columns=self._columns,
            _texts=self._texts,
            unsound=frozenset() if self._unsound is None else self._unsound.at(moment),
        )

    @property
    def first_session(self) -> date:
        return self._sessions[0]

    @property
    def last_session(self) -> date:
        return self._sessions[-1]

    @property
    def interval(self) -> BarInterval | None:
        """The bars' length and the decision times; None where a session is a day."""
        return self._panel.interval

    def require_daily(self, what: str) -> None:
        """Raises IntervalRefused where bars are of within the day, for what is worked out on daily closes."""
        if self.interval is not None:
            raise IntervalRefused(
                f"{self.card.name} holds {self.interval.text}, and {what} is worked out on daily closes",
                remedy="Give daily data, or the recording by its plain path: its daily closes are taken then.",
            )

    def sessions_between(self, start: date | None = None, end: date | None = None) -> tuple[date, ...]:
        """Sessions of the data set from `start` to `end`, both included; an open end means all there is.

        Either may be a day, all of which is meant, or a moment, which is on the exchange's clock unless it says more.
        """
        first, last = self._bound(start), self._bound(end)
        found = tuple(
            session
            for session in self._sessions
            if (first is None or self._reaches(session, first)) and (last is None or not self._passes(session, last))
        )
        if not found:
            raise NoSessions(
                f"no session of {self.card.name} lies between {start or self.first_session} and "
                f"{end or self.last_session}.",
                remedy=self._range(),
            )
        return found

    def session_at(self, moment: datetime) -> date:
        """The last session that had ended at a moment, on the exchange's clock unless it says more."""
        at = self.on_clock(moment)
        place = bisect_right(self._sessions, at, key=self.close_time)
        if place == 0:
            raise NoSessions(
                f"no session had ended at {moment.isoformat()}; the first ends at "
                f"{self.close_time(self.first_session).isoformat()}.",
                remedy=f"Ask for a moment after that; {self._range()}",
            )
        return self._sessions[place - 1]

    def close_time(self, session: date) -> datetime:
        """When the session's last bar becomes known, in UTC; early closes included."""
        return session.astimezone(UTC) if isinstance(session, datetime) else self._calendar.close_time(session)

    def opening_time(self, session: date) -> datetime:
        """When the session opens, in UTC (09:30 in New York for XNYS); a span in a day, when the one before ends."""
        if not isinstance(session, datetime):
            return self._calendar.opening_time(session)
        place = bisect_left(self._sessions, session)
        before = self._sessions[place - 1] if place else None
        is_same_day = before is not None and day_of(before) == day_of(session)
        return self.close_time(before) if before and is_same_day else self._calendar.opening_time(day_of(session))

    def next_session(self, session: date) -> date:
        """The next session of the data set; after its last one, the next day of the exchange's calendar."""
        place = bisect_right(self._sessions, session)
        if place < len(self._sessions):
            return self._sessions[place]
        return self._calendar.next_session(day_of(session))

    def row_sessions(self) -> list[date]:
        """What each row of a view is called: its day, or the moment its bar ends, on the exchange's clock."""
        panel = self._panel
        if panel.interval is None:
            return panel.sessions.tolist()
        return [_on_clock(utc_moment(end), self._calendar.zone) for end in panel.close_times]

    def rows_of(self, sessions: Iterable[date]) -> npt.NDArray[np.int64]:
        """The place of each session's last bar among the rows of a view."""
        ends = [int(self.close_time(session).timestamp()) for session in sessions]
        return np.searchsorted(np.array(self._close_epochs), np.array(ends, dtype=np.int64))

    def _bound(self, given: date | None) -> date | None:
        return self.on_clock(given) if isinstance(given, datetime) else given

    def on_clock(self, moment: datetime) -> datetime:
        """The moment; one without a zone is on the exchange's clock."""
        return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(self._calendar.zone))

    def _reaches(self, session: date, bound: date) -> bool:
        return self.close_time(session) >= bound if isinstance(bound, datetime) else day_of(session) >= bound

    def _passes(self, session: date, bound: date) -> bool:
        return self.close_time(session) > bound if isinstance(bound, datetime) else day_of(session) > bound

    def _range(self) -> str:
        first, last = session_text(self.first_session), session_text(self.last_session)
        return f"{self.card.name} runs from {first} to {last}."


def _on_clock(moment: datetime, zone: str) -> datetime:
    """The moment on a market's own clock, with its plain offset: the same text wherever it is written or read."""
    local = moment.astimezone(ZoneInfo(zone))
    return local.replace(tzinfo=timezone(local.utcoffset() or timedelta(0)))
