"""Days that a question means: today is the run's last session, and weeks and months end with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from pydantic import Field

from ...domain.model import Model
from ...domain.sessions import day_of
from .reader import Reading

Period = Literal["today", "week", "month", "year", "all"]


class OfPeriod(Model):
    """A period that ends with the run's last session, or days from and to, both ends in."""

    period: Period = Field(default="all", description="`today` is the last session of the run.")
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Span:
    first: date
    last: date

    def holds(self, day: date) -> bool:
        return self.first <= day <= self.last

    def holds_text(self, moment: str | None) -> bool:
        """Whether a recorded moment lies in it, by its date."""
        return moment is not None and self.holds(date.fromisoformat(moment[:10]))


def span_of(reading: Reading, asked: OfPeriod) -> Span | None:
    """The days meant; None before a session has closed."""
    days = [day_of(item.session) for item in reading.sessions]
    if not days:
        return None
    last = days[-1]
    begins = {
        "today": last,
        "week": last - timedelta(days=last.weekday()),
        "month": last.replace(day=1),
        "year": last.replace(month=1, day=1),
        "all": days[0],
    }
    return Span(asked.since or begins[asked.period], asked.until or last)


def rows_in(reading: Reading, span: Span) -> tuple[int, int]:
    """Places of the first and behind the last session of a span."""
    days: Sequence[date] = [day_of(item.session) for item in reading.sessions]
    inside = [place for place, day in enumerate(days) if span.holds(day)]
    return (inside[0], inside[-1] + 1) if inside else (0, 0)
