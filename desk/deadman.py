"""The dead-man switch: a file the running desk touches, and the check that raises the flag when it goes cold."""

import os
from dataclasses import dataclass
from pathlib import Path

from ..storage.errors import StoreUnwritable
from ..storage.flag import FlagNote, KillFlag
from .clock import elapsed_s, file_age_s, wall_time

BEAT_S = 1.0
"""How often the desk touches its file while it runs."""


class Heartbeat:
    """Touched from the loop that trades, and from nowhere else: a thread of its own would beat over a dead loop."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last = -BEAT_S

    def beat(self) -> None:
        """Touch the file when a second has passed since the last time."""
        now = elapsed_s()
        if now - self._last < BEAT_S:
            return
        self._last = now
        try:
            self.path.write_text(f"{os.getpid()} {wall_time()}\n", encoding="utf-8")
        except OSError as error:
            raise StoreUnwritable(
                f"{self.path}: the heartbeat can't be written ({error.strerror})",
                remedy="Free space or get the right to write there: without it the watchdog halts the desk.",
            ) from error

    def end(self) -> None:
        """The desk ended in order: nobody has to miss it."""
        self.path.unlink(missing_ok=True)

    def age_s(self) -> float | None:
        """Seconds since the last beat; None when no desk runs or the last one ended in order."""
        return file_age_s(self.path)


@dataclass(frozen=True, slots=True)
class Finding:
    """What the watchdog saw at one look."""

    age_s: float | None
    is_raised: bool
    raised_now: bool


def look(heartbeat: Heartbeat, flag: KillFlag, max_age_s: float, by: str) -> Finding:
    """One look of the watchdog: a heartbeat older than `max_age_s` raises the flag, once."""
    age = heartbeat.age_s()
    if flag.is_raised:
        return Finding(age, True, False)
    if age is None or age <= max_age_s:
        return Finding(age, False, False)
    flag.hoist(FlagNote(by, f"no heartbeat for {age:.1f} s, {max_age_s:g} s are allowed", wall_time()))
    return Finding(age, True, True)
