"""Decision times within a session: how long the bars are, how often the desk decides, and when each ends."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .errors import IntervalRefused
from .sessions import Days, Seconds, SessionCalendar

UNITS_S = {"s": 1, "m": 60, "h": 3600}
MARK = "@"
"""Between the path of a recording and how often to decide on it: `minutes.parquet@30m`."""
DEFAULT_BAR_S = {"minute": 60, "second": 60, "tick": 60, "book": 1}
DEFAULT_EVERY_S = {"minute": 1800, "second": 900, "tick": 900, "book": 15}
"""Where nobody says: bars long enough that nearly each has a trade, and a window of them before the recording ends."""


@dataclass(frozen=True, slots=True)
class BarInterval:
    """Bars of `bar_s` seconds, a decision every `every_s`; a whole session lasts `session_s`."""

    bar_s: int
    every_s: int
    session_s: int

    @property
    def bars_per_session(self) -> float:
        return self.session_s / self.bar_s

    @property
    def spans_per_session(self) -> float:
        """Decisions in a whole session."""
        return self.session_s / self.every_s

    @property
    def text(self) -> str:
        return f"bars of {span_text(self.bar_s)}, a decision every {span_text(self.every_s)}"


def interval_of(frequency: str, source_s: int, every_s: int | None, session_s: int) -> BarInterval:
    """The bars and decision times of a recording; without `every_s`, what is usual for its frequency.

    `source_s` is the length of the source's own bars, 0 where it has none: no bar can be shorter.
    """
    every_s = every_s or max(DEFAULT_EVERY_S[frequency], source_s)
    bar_s = max(min(DEFAULT_BAR_S[frequency], every_s), source_s)
    if every_s < bar_s or every_s % bar_s or every_s > session_s:
        raise IntervalRefused(
            f"a decision every {span_text(every_s)} on bars of {span_text(bar_s)} in sessions of "
            f"{span_text(session_s)}",
            remedy=f"Use a whole number of bars, from {span_text(bar_s)} to a session, such as --every "
            f"{span_text(max(DEFAULT_EVERY_S[frequency], bar_s))}.",
        )
    return BarInterval(bar_s, every_s, session_s)


def parse_every(text: str) -> int:
    """Seconds in a span such as 30m, 15s or 1h."""
    found = re.fullmatch(r"([1-9]\d{0,5})([smh])", text)
    if found is None:
        raise IntervalRefused(f"{text!r} is no span of time", remedy="Write it as 15s, 5m or 1h.")
    return int(found[1]) * UNITS_S[found[2]]


def span_text(seconds: int) -> str:
    """The span as `parse_every` reads it, in the largest unit that fits."""
    unit = next(name for name in ("h", "m", "s") if seconds % UNITS_S[name] == 0)
    return f"{seconds // UNITS_S[unit]}{unit}"


def split_name(name: str) -> tuple[str, str | None]:
    """The path of a recording and what was written behind the mark; None where the name has none."""
    path, mark, every = name.rpartition(MARK)
    if not mark or "/" in every or Path(name).exists():
        return name, None
    return path, every


@dataclass(frozen=True, slots=True, eq=False)
class BarGrid:
    """The ends of all bars of some sessions: `days` (n,) datetime64[D], `ends` (n,) datetime64[s] UTC, increasing.

    `is_decision` (n,) marks the ends at which the desk decides: each whole span from the open, and the close.
    """

    days: Days
    ends: Seconds
    is_decision: npt.NDArray[np.bool_]

    def rows_of(self, times: npt.NDArray[np.datetime64], bar_s: int) -> npt.NDArray[np.int64]:
        """The first bar that ends at or after each time, -1 where the time is in none of them."""
        rows = np.searchsorted(self.ends, np.asarray(times), side="left")
        inside = np.minimum(rows, len(self.ends) - 1)
        starts = self.ends[inside] - np.timedelta64(bar_s, "s")
        return np.where((rows < len(self.ends)) & (times >= starts), inside, -1)


def bar_grid(
    calendar: SessionCalendar,
    days: Days,
    interval: BarInterval,
    within: tuple[np.datetime64, np.datetime64] | None = None,
) -> BarGrid:
    """Every bar from the open to the close of each day; the last one ends with the session, however short it is.

    `within` cuts the bars to a recording that began and ended in mid-session.
    """
    ends: list[Seconds] = []
    marks: list[npt.NDArray[np.bool_]] = []
    owners: list[Days] = []
    for row in calendar.rows_of(days).tolist():
        opens, closes = calendar.opens[row], calendar.closes[row]
        length_s = int((closes - opens) / np.timedelta64(1, "s"))
        steps = np.minimum(np.arange(1, math.ceil(length_s / interval.bar_s) + 1) * interval.bar_s, length_s)
        ends.append(opens + steps.astype("timedelta64[s]"))
        marks.append((steps % interval.every_s == 0) | (steps == length_s))
        owners.append(np.full(len(steps), calendar.days[row]))
    end, mark, owner = np.concatenate(ends), np.concatenate(marks), np.concatenate(owners)
    if within is not None:
        kept = (end - np.timedelta64(interval.bar_s, "s") >= within[0]) & (end <= within[1])
        end, mark, owner = end[kept], mark[kept], owner[kept]
    return BarGrid(owner, end, mark)
