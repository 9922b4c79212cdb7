"""Schedules that are known before the session: a quantity for each slice, held back only by the market's volume."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime

from .schedule import ScheduleState, participation_cap


@dataclass(frozen=True, slots=True)
class PlannedSchedule:
    """At each slice the planned quantity is due, the last one's being the whole.

    Where the market's volume is told, no more is due than the cap lets through: a slice that the cap held back is
    caught up with later, and what is still held back in the last one is left unfilled.
    """

    starts: tuple[datetime, ...]
    planned: tuple[int, ...]
    """Shares due from the start of each slice on, all slices before it included."""
    share_by: tuple[float, ...]
    """Share of the span's volume before each slice, and 1 at the end."""
    cap_frac: float
    lot: int

    @property
    def completes(self) -> bool:
        return True

    def due(self, now: datetime, state: ScheduleState) -> int:
        begun = bisect_right(self.starts, now)
        if not begun:
            return state.committed
        planned = self.planned[begun - 1]
        before, after = self.share_by[begun - 1 : begun + 1]
        cap = participation_cap(state, before, after - before, self.cap_frac, self.lot)
        return max(planned if cap is None else min(planned, cap), state.committed)
