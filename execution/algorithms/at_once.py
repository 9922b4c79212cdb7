"""A schedule for what must go now: all of it is due at every slice, each being another attempt at what is left."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from .schedule import ScheduleState


@dataclass(frozen=True, slots=True)
class AtOnceSchedule:
    starts: tuple[datetime, ...]
    quantity: int

    @property
    def completes(self) -> bool:
        return True

    def due(self, now: datetime, state: ScheduleState) -> int:
        return max(self.quantity, state.committed) if now >= self.starts[0] else state.committed


def attempts(now: datetime, until: datetime, most: int, least_apart: timedelta) -> tuple[datetime, ...]:
    """Moments of up to `most` attempts, the first one now, evenly over what is left."""
    apart = max((until - now) / most, least_apart)
    return tuple(now + apart * place for place in range(most) if place == 0 or now + apart * place < until)
