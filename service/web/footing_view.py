"""Whose time a page's figures are of: a desk that trades now, one that replays recorded days, or a record."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from ...desk.clock import wall_now
from ...domain.events import PortfolioMarked, RunFinished
from ..trading.status_file import read_status
from .parts import Asked

Footing = Literal["trading", "replaying", "stopped", "recorded"]

ALIVE_S = 5.0
"""A desk says that it lives every second; after so many without a word it is not taken to run."""
NOW = timedelta(days=1)
"""A desk whose clock is this close to the wall's trades now; of recorded days the clock is far behind."""


@dataclass(frozen=True, slots=True)
class FootingView:
    """`at` is the session that closed last; `speed` how many times the wall's pace a replay goes, where it is told."""

    footing: Footing
    at: date | None
    speed: float | None


def footing_view(asked: Asked) -> FootingView:
    """Of the run that is looked at; raises RunUnknown while there is none."""
    reading = asked.reading
    mark = reading.last_mark
    payload = mark.decoded() if mark else None
    at = payload.session if isinstance(payload, PortfolioMarked) else None
    finished = reading.once("finished", lambda: reading.last(RunFinished), of=(RunFinished,))
    if (finished and finished.seq == reading.seq) or not _is_worked(asked):
        return FootingView("recorded" if finished else "stopped", at, None)
    status = read_status(asked.desk.settings.book) or {}
    if status.get("run") != reading.run_id:
        return FootingView("replaying", at, None)
    if _is_now(status.get("clock")):
        return FootingView("trading", at, None)
    speed = status.get("accelerate")
    return FootingView("replaying", at, float(speed) if isinstance(speed, int | float) else None)


def _is_worked(asked: Asked) -> bool:
    """Whether a living desk works the run that is looked at."""
    age_s = asked.reading.post.heartbeat.age_s()
    is_alive = age_s is not None and age_s <= ALIVE_S
    return is_alive and asked.desk.book.operated().run_id == asked.reading.run_id


def _is_now(clock: Any) -> bool:
    try:
        return abs(wall_now() - datetime.fromisoformat(clock)) < NOW
    except (TypeError, ValueError):  # not told, or not a moment with its zone
        return False
