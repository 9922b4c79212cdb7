"""The clock as the desk sees it: jumps of an hour, either way, and times at which it stands still."""

from datetime import datetime, timedelta

from .faults import Schedule

JUMP = timedelta(hours=1)


class SimulatedClock:
    """Turns a moment's true time into what its stamp says."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule

    def stamp(self, moment: int, times: list[datetime], first: int) -> datetime:
        """The stamp of a moment of the session whose true times these are; `first` is the session's first moment."""
        true = times[moment - first]
        frozen = self._schedule.during("clock_frozen", moment)
        if frozen:
            true = times[max(frozen.at - first, 0)]
        if self._schedule.during("clock_forward", moment):
            return true + JUMP
        if self._schedule.during("clock_back", moment):
            return true - JUMP
        return true
