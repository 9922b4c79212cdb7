"""A file of bars that gains a session's rows while the desk trades: when the bar that is waited for is there."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import numpy as np

from ... import ParleyError
from ...desk.clock import elapsed_s, file_age_s
from ...desk.growth import is_recorded
from ...market.cards import DataSet
from ...market.history import History

LOOK_EVERY_S = 0.2
SETTLED_S = 1.0
"""A file that was written to a moment ago may still be written to."""
INCOMPLETE_S = 600.0
"""How long the rows of names are waited for that had one the session before: then they are halted, or gone."""

Tell = Callable[[str, str], object]
"""Told a code and a sentence, each finding once."""


class GrowingFile:
    """Looks after the file of a run's data. All ages are the wall's own: files know no other time."""

    def __init__(
        self,
        path: Path,
        load: Callable[[], DataSet],
        history: History,
        awaited: date,
        now: Callable[[], datetime],
        tell: Tell,
    ) -> None:
        """`history` is what the process has of the file; `awaited` the session after its last."""
        self._path, self._load, self._history, self._awaited = path, load, history, awaited
        self._now, self._tell = now, tell
        self._seen: tuple[tuple[str, int, int], ...] = ()
        self._looked_s = -LOOK_EVERY_S
        self._grown: History | None = None
        self._is_there = False
        self._told: set[str] = set()

    def awaits(self, session: date) -> bool:
        """Whether this session's bar is not there."""
        return not is_recorded(self._history, session)

    def has_grown(self) -> bool:
        """Whether the session that is waited for is over, and its rows are there to stay; they are, once they were."""
        is_soon = elapsed_s() - self._looked_s < LOOK_EVERY_S
        if self._is_there or is_soon or self._now() < self._history.close_time(self._awaited):
            return self._is_there
        self._looked_s = elapsed_s()
        age_s, stamp = file_age_s(self._path), _stamp(self._path)
        if age_s is None or age_s < SETTLED_S:
            return False
        if stamp != self._seen:
            self._seen, self._grown = stamp, self._read()
        found = self._grown
        self._is_there = found is not None and (not self._lacks(found) or age_s >= INCOMPLETE_S)
        return self._is_there

    def _read(self) -> History | None:
        """The file as it is now; None where it has not the session, or can't be what it grew from."""
        try:
            found = self._load().history()
        except ParleyError as error:
            self._say("data_refused", f"{error.message} {error.remedy}".strip())
            return None
        last = self._history.last_session
        at = self._history.close_time(last)
        if found.first_session > last or found.as_of(at).fingerprint != self._history.as_of(at).fingerprint:
            text = f"{self._path.name} was changed behind the desk: what it holds up to {last} is not what was known"
            self._say("data_changed", f"{text}. Put it back: decisions were made on that.")
            return None
        return found if is_recorded(found, self._awaited) else None

    def _lacks(self, found: History) -> bool:
        """Whether a name that had a bar the session before has none now."""
        before, now = (
            found.as_of(found.close_time(session)).close[-1] for session in (self._history.last_session, self._awaited)
        )
        gone = np.isnan(now) & ~np.isnan(before)
        if gone.any():
            names = ", ".join(name for name, is_gone in zip(found.universe.symbols, gone, strict=True) if is_gone)
            text = f"{self._path.name} has no row of {names} for {self._awaited}: waited for"
            self._say("data_incomplete", f"{text} {INCOMPLETE_S / 60:.0f} minutes")
        return bool(gone.any())

    def _say(self, code: str, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._tell(code, text)


def _stamp(path: Path) -> tuple[tuple[str, int, int], ...]:
    """Size and time of the file, and of what lies beside it under its name: actions, symbols, texts."""
    found = sorted(path.parent.glob(f"{path.stem}*"))
    return tuple((item.name, (stat := item.stat()).st_size, stat.st_mtime_ns) for item in found if item.is_file())
