"""An exchange's sessions as plain arrays: which days trade, and when they open and close in UTC."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from .errors import NoCalendar, NoSessions

Days = npt.NDArray[np.datetime64]
Seconds = npt.NDArray[np.datetime64]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class SessionCalendar:
    """Sessions of one exchange over a span of years; `zone` is the exchange's time zone.

    `days` is datetime64[D]; `opens` and `closes` are datetime64[s] in UTC, with daylight saving
    and early closes already in them.
    """

    name: str
    zone: str
    days: Days
    opens: Seconds
    closes: Seconds

    def rows_of(self, days: Days) -> npt.NDArray[np.int64]:
        """The row of each day, and -1 for a day without a session."""
        rows = np.searchsorted(self.days, days)
        inside = np.minimum(rows, len(self.days) - 1)
        return np.where(self.days[inside] == days, inside, -1)

    def opening_time(self, session: date) -> datetime:
        return utc_moment(self.opens[self._row(session)])

    def close_time(self, session: date) -> datetime:
        return utc_moment(self.closes[self._row(session)])

    def next_session(self, session: date) -> date:
        """The first session after a day, which need not be a session itself."""
        row = int(np.searchsorted(self.days, np.datetime64(session, "D"), side="right"))
        if row >= len(self.days):
            raise NoSessions(
                f"{self.name}: no session after {session} is known; the calendar ends on {self.days[-1]}.",
                remedy="Ask for an earlier day.",
            )
        return self.days[row].item()

    def _row(self, session: date) -> int:
        row = int(self.rows_of(np.array([session], dtype="datetime64[D]"))[0])
        if row < 0:
            raise NoSessions(
                f"{self.name}: {session} is not a session between {self.days[0]} and {self.days[-1]}.",
                remedy="Pass a trading day of the exchange.",
            )
        return row


def session_calendar(name: str, first: date, last: date) -> SessionCalendar:
    """The exchange's sessions from the year of `first` to the end of the year after `last`."""
    # Whole years, so that data sets of the same years share one calendar; explicit ends, because the
    # library's defaults depend on today's date and would make a replay depend on when it runs.
    return _calendar_of_years(name, first.year, last.year + 1)


def utc_moment(value: np.datetime64) -> datetime:
    """The aware datetime of a numpy instant in UTC."""
    return _EPOCH + timedelta(microseconds=int(value.astype("datetime64[us]").astype(np.int64)))


@lru_cache(maxsize=16)
def _calendar_of_years(name: str, first_year: int, last_year: int) -> SessionCalendar:
    from exchange_calendars import get_calendar
    from exchange_calendars.errors import CalendarError

    try:
        source = get_calendar(name, start=f"{first_year}-01-01", end=f"{last_year}-12-31")
    except (CalendarError, ValueError) as error:
        raise NoCalendar(
            f"no exchange calendar {name!r} for the years {first_year} to {last_year}: {error}",
            remedy="Use a code of the exchange_calendars package, such as XNYS, and check the years.",
        ) from error
    if not np.isnat(source.schedule["break_start"].dt.tz_localize(None).to_numpy()).all():
        raise NoCalendar(
            f"{name} closes for lunch: two sessions in one day, which this desk does not know how to trade.",
            remedy="Use an exchange that trades through the day, such as XNYS.",
        )
    arrays = (
        source.sessions.to_numpy().astype("datetime64[D]"),
        source.schedule["open"].dt.tz_localize(None).to_numpy().astype("datetime64[s]"),
        source.schedule["close"].dt.tz_localize(None).to_numpy().astype("datetime64[s]"),
    )
    for array in arrays:
        array.setflags(write=False)
    return SessionCalendar(name, str(source.tz), *arrays)
