"""Percentage of volume: a schedule that follows what others trade, and may therefore not complete."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime

from ...quant.schedules import pov_quantity
from .schedule import ScheduleState


@dataclass(frozen=True, slots=True)
class FollowingSchedule:
    """At each slice a fraction of what others have traded is due, and never more.

    Where no volume is told, the usual one stands for it, as the costs were predicted; where neither is known,
    nothing is due. What is not owed when the session ends is left unfilled.
    """

    starts: tuple[datetime, ...]
    quantity: int
    share_by: tuple[float, ...]
    """Share of the span's volume before each slice, and 1 at the end."""
    rate_frac: float
    lot: int

    @property
    def completes(self) -> bool:
        return False

    def due(self, now: datetime, state: ScheduleState) -> int:
        begun, sent = bisect_right(self.starts, now), state.committed
        traded = self._traded(begun, state)
        if not begun or not self.rate_frac or sent >= self.quantity:
            return sent
        return sent + pov_quantity(traded, sent, self.quantity - sent, self.rate_frac, self.lot)

    def _traded(self, begun: int, state: ScheduleState) -> int:
        if state.market_volume is not None:
            return state.market_volume
        return int((state.usual_volume or 0.0) * self.share_by[max(begun - 1, 0)])
