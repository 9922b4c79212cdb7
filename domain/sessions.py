"""What a span of trading is called: the exchange's day, or the moment at which a span within the day ends."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated

from pydantic import Field

from .model import UtcTime

Session = Annotated[UtcTime | date, Field(union_mode="left_to_right")]
"""The exchange's day where a desk decides once a day, at the close. Where it decides within the day, the moment at
which the span ends and the desk decides, on the exchange's own clock, so that its date is the exchange's day."""


def day_of(session: date) -> date:
    """The exchange's day that a session is, or lies in."""
    # A span that ends at midnight, where a market never closes, belongs to the day that ends with it.
    return (session - timedelta(microseconds=1)).date() if isinstance(session, datetime) else session


def first_of_days(sessions: Sequence[date], n_days: int) -> date:
    """The first session of the last so many days of some sessions in order, or of as many as there are."""
    first, left = sessions[-1], n_days
    for session in reversed(sessions):
        left -= day_of(session) < day_of(first)
        if left == 0:
            break
        first = session
    return first


def session_of(text: str) -> date:
    """A session from the text of its `isoformat`."""
    return date.fromisoformat(text) if len(text) == len("YYYY-MM-DD") else datetime.fromisoformat(text)


def session_text(session: date) -> str:
    """As people read it: the day, and the time of day on the exchange's clock where there is one."""
    if not isinstance(session, datetime):
        return session.isoformat()
    clock = f"{session:%Y-%m-%d %H:%M:%S}".removesuffix(":00")
    return f"{clock} {session.tzname()}"
