"""How many session minutes the desk could act safely in, from the rows of its health job alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from ...desk.job_book import JobRow
from ...market.job_times import JobTime, outcome
from ...market.sessions import SessionCalendar
from .chores import ABLE

UNSEEN = "no check in time"
DEFINITION = (
    "A session minute counts when the last check due by then was made in time and found the log writable, every "
    "closed session's bar there and the account not HALTED: the desk could at least reduce and halt."
)
GOAL = 0.999


@dataclass(frozen=True, slots=True)
class Uptime:
    """Minutes of the sessions looked at, those the desk was able in, and the rest by what was the matter."""

    session_minutes: float
    able_minutes: float
    lost: Mapping[str, float]

    @property
    def frac(self) -> float:
        return self.able_minutes / self.session_minutes if self.session_minutes else 1.0

    def plain(self) -> dict[str, object]:
        return {
            "session_minutes": round(self.session_minutes, 1),
            "able_minutes": round(self.able_minutes, 1),
            "frac": self.frac,
            "lost": {cause: round(minutes, 1) for cause, minutes in sorted(self.lost.items())},
        }


def measure_uptime(
    rows: Iterable[JobRow], when: JobTime, calendar: SessionCalendar, sessions: Iterable[date], until: datetime
) -> Uptime:
    """`rows` are those of the health job, which is due at `when`; minutes after `until` are not looked at.

    A due time stands for the minutes up to the next one, or to the close; without a row that was made in time its
    minutes are lost.
    """
    said = {row.due: row.said for row in rows if row.state in ("done", "late")}
    lost: dict[str, float] = {}
    total = 0.0
    for session in sessions:
        found = outcome(when, calendar, session)
        dues = [due.at for due in found if due.at < until] if isinstance(found, tuple) else []
        if not dues:
            continue
        ends = [*dues[1:], min(calendar.close_time(session), until)]
        for due, end in zip(dues, ends, strict=True):
            minutes, cause = (end - due).total_seconds() / 60, said.get(due, UNSEEN)
            total += minutes
            lost[cause] = lost.get(cause, 0.0) + minutes
    able = lost.pop(ABLE, 0.0)
    return Uptime(total, able, {cause: minutes for cause, minutes in lost.items() if minutes})
