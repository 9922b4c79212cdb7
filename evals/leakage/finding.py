"""What a probe came to, and the ground it is made on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from ...market.cards import DataSet
from .futures import recent
from .playing import Rig
from .worlds import with_headlines

HISTORY_DAYS, FUTURE_DAYS = 900, 30
"""Enough before the cut for a regime model of the years before, and enough after it for a horizon to end in."""
PLAYED_DAYS, GOING_ON_DAYS = 4, 2
TEXT_DAYS = 8


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether something was wrong, the first thing that was, and how much was looked at."""

    is_clean: bool
    text: str
    looked_at: int


@dataclass(frozen=True, slots=True)
class Ground:
    """A stretch of a data set around a cut; what is decided at its close is what must not know more."""

    data: DataSet
    cut: date
    days: tuple[date, ...]
    """The sessions that are played: some up to the cut, and some after it."""


Probe = Callable[[Ground, Rig], Finding]


def ground(data: DataSet, cut: date) -> Ground:
    """The sessions around a cut; a data set without texts gets made headlines, or nothing would test their clock."""
    near = recent(data, cut, HISTORY_DAYS, FUTURE_DAYS)
    sessions = near.history().sessions_between()
    place = sessions.index(cut)
    if not near.texts:
        near = with_headlines(near, sessions[max(0, place - TEXT_DAYS) : place + TEXT_DAYS])
    return Ground(near, cut, sessions[max(0, place + 1 - PLAYED_DAYS) : place + 1 + GOING_ON_DAYS])


def clean(text: str, looked_at: int) -> Finding:
    return Finding(True, text, looked_at)


def caught(text: str, looked_at: int) -> Finding:
    return Finding(False, text, looked_at)
