"""When jobs are due: phrases such as `open+15m` or `every 30m in session`, turned into times by an exchange's calendar.

`open` and `close` are those of each session, so a job moves with an early close and with daylight saving. `at 18:00` is
on the exchange's clock, on session days only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np

from .errors import JobTimeInvalid
from .sessions import SessionCalendar, utc_moment

OUTSIDE = timedelta(hours=8)
"""How far before an open or after a close a job may lie: further away it would be nearer to another session."""
LONGEST = timedelta(hours=24)
REACH = np.timedelta64(3, "D")
"""No job of a session lies further from it than this."""
GRAMMAR = "open, close, open+15m, close-10m, every 30m in session, every 1h from open+15m to close-10m, or at 18:00"

_OFFSET = re.compile(r"(open|close)(?:([+-])((?:\d+[hms])+))?")
_PARTS = re.compile(r"(\d+)([hms])")
_EVERY = re.compile(r"every ((?:\d+[hms])+)(?: in session| from (\S+) to (\S+))")
_AT = re.compile(r"at (\d{1,2}):(\d{2})")
_UNITS = {"h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}


@dataclass(frozen=True, slots=True)
class Edge:
    """The open or the close of a session, and so far from it."""

    base: Literal["open", "close"]
    offset: timedelta = timedelta(0)

    def __str__(self) -> str:
        sign = "+" if self.offset > timedelta(0) else "-"
        return f"{self.base}{sign}{span_text(abs(self.offset))}" if self.offset else self.base


@dataclass(frozen=True, slots=True)
class Every:
    """Again and again within a session, from one edge to another, both included."""

    step: timedelta
    first: Edge = Edge("open")
    last: Edge = Edge("close")

    def __str__(self) -> str:
        within = "in session" if (self.first, self.last) == (Edge("open"), Edge("close")) else None
        return f"every {span_text(self.step)} {within or f'from {self.first} to {self.last}'}"


@dataclass(frozen=True, slots=True)
class AtClock:
    """A time of day on the exchange's clock."""

    clock: time

    def __str__(self) -> str:
        return f"at {self.clock:%H:%M}"


JobTime = Edge | Every | AtClock


@dataclass(frozen=True, slots=True)
class Due:
    """One time, and the session it belongs to."""

    session: date
    at: datetime


@dataclass(frozen=True, slots=True)
class NotDue:
    """A session in which a job does not happen, and why."""

    session: date
    reason: str


def parse_job_time(text: str) -> JobTime:
    """Raises JobTimeInvalid for a phrase that is none, or that can never be due."""
    words = " ".join(text.split()).lower()
    if found := _EVERY.fullmatch(words):
        step = _span(found[1], text)
        if not step:
            raise JobTimeInvalid(f"{text!r}: a step of nothing", remedy="Write a step such as 30m.")
        if found[2] is None:
            return Every(step)
        return _ordered(Every(step, _inside(found[2], text), _inside(found[3], text)), text)
    if found := _AT.fullmatch(words):
        hour, minute = int(found[1]), int(found[2])
        if hour > 23 or minute > 59:
            raise JobTimeInvalid(f"{text!r} is no time of day", remedy="Write it as at 18:00, on the exchange's clock.")
        return AtClock(time(hour, minute))
    return _edge(words, text)


def outcome(when: JobTime, calendar: SessionCalendar, session: date) -> tuple[Due, ...] | NotDue:
    """The times of a job in one session, in order; or why it has none."""
    opens_at, closes_at = calendar.opening_time(session), calendar.close_time(session)
    if isinstance(when, AtClock):
        return (Due(session, _on_clock(when, calendar.zone, session)),)
    if isinstance(when, Edge):
        at = _of(when, opens_at, closes_at)
        if _leaves(when, at, opens_at, closes_at):
            length = span_text(closes_at - opens_at)
            return NotDue(session, f"{when} is not due: the session of {session} lasts {length}")
        return (Due(session, at),)
    first, last = (_of(edge, opens_at, closes_at) for edge in (when.first, when.last))
    count = (last - first) // when.step + 1
    if count <= 0 or first < opens_at or last > closes_at:
        return NotDue(session, f"{when} is not due: the session of {session} is too short")
    return tuple(Due(session, first + place * when.step) for place in range(count))


def due_times(when: JobTime, calendar: SessionCalendar, after: datetime, until: datetime) -> Iterator[Due]:
    """Every time with after < time <= until, in order; spans asked one behind the other give each time once."""
    first, last = (np.datetime64(moment.replace(tzinfo=None), "s") for moment in (after, until))
    near = (calendar.opens >= first - REACH) & (calendar.opens <= last + REACH)
    for day in calendar.days[near].tolist():
        found = outcome(when, calendar, day)
        if isinstance(found, tuple):
            yield from (due for due in found if after < due.at <= until)


def not_due(when: JobTime, calendar: SessionCalendar, first: date, last: date) -> tuple[NotDue, ...]:
    """The sessions between two days, both included, in which a job does not happen."""
    days = calendar.days[(calendar.days >= np.datetime64(first, "D")) & (calendar.days <= np.datetime64(last, "D"))]
    found = (outcome(when, calendar, day) for day in days.tolist())
    return tuple(item for item in found if isinstance(item, NotDue))


def span_text(span: timedelta) -> str:
    """As the grammar takes it: 6h30m."""
    hours, rest = divmod(int(span.total_seconds()), 3600)
    minutes, seconds = divmod(rest, 60)
    parts = ((hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0m"


def _edge(words: str, text: str) -> Edge:
    found = _OFFSET.fullmatch(words)
    if found is None:
        raise JobTimeInvalid(f"{text!r} says no time of a session", remedy=f"Write {GRAMMAR}.")
    base: Literal["open", "close"] = "open" if found[1] == "open" else "close"
    offset = _span(found[3], text) if found[3] else timedelta(0)
    edge = Edge(base, -offset if found[2] == "-" else offset)
    is_outside = (base == "open") == (found[2] == "-")
    if is_outside and offset > OUTSIDE:
        raise JobTimeInvalid(
            f"{text!r} is {span_text(offset)} away from its session, {span_text(OUTSIDE)} are allowed",
            remedy="Name it by the session that is nearer, or by the clock: at 03:00.",
        )
    return edge


def _inside(words: str, text: str) -> Edge:
    edge = _edge(words, text)
    if (edge.base == "open" and edge.offset < timedelta(0)) or (edge.base == "close" and edge.offset > timedelta(0)):
        raise JobTimeInvalid(f"{text!r}: {words} lies outside of the session", remedy="Stay between open and close.")
    return edge


def _ordered(every: Every, text: str) -> Every:
    first, last = every.first, every.last
    if (first.base == last.base and first.offset > last.offset) or (first.base, last.base) == ("close", "open"):
        raise JobTimeInvalid(f"{text!r} ends before it begins", remedy="Give the earlier time first.")
    return every


def _span(words: str, text: str) -> timedelta:
    span = sum((int(count) * _UNITS[unit] for count, unit in _PARTS.findall(words)), timedelta(0))
    if span > LONGEST:
        raise JobTimeInvalid(f"{text!r}: {words} is longer than a day", remedy="No session lasts that long.")
    return span


def _of(edge: Edge, opens_at: datetime, closes_at: datetime) -> datetime:
    return (opens_at if edge.base == "open" else closes_at) + edge.offset


def _leaves(edge: Edge, at: datetime, opens_at: datetime, closes_at: datetime) -> bool:
    """Whether a time meant to lie inside the session does not."""
    if edge.base == "open":
        return edge.offset > timedelta(0) and at > closes_at
    return edge.offset < timedelta(0) and at < opens_at


def _on_clock(when: AtClock, zone: str, session: date) -> datetime:
    local = datetime.combine(session, when.clock, ZoneInfo(zone))
    return utc_moment(np.datetime64(int(local.timestamp()), "s"))
