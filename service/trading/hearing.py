"""Requests to a desk whose data grow: when each was heard, and that it counts when its session's work comes to that."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from ...desk.job_book import JobBook
from ...desk.operator import is_timed
from ...storage.inbox import BadNote, Inbox, Note

HEARD, PASSED = "heard", "passed"


class Hearing(Inbox):
    """The inbox of such a desk. A session is worked when its bar is there, hours after it: what was heard while it was
    open waits until its quotes have come to that moment, and what came later until it is over."""

    def __init__(self, folder: Path, jobs: JobBook) -> None:
        """`jobs` keeps what was heard when: the process that works the session is another one."""
        super().__init__(folder)
        self._jobs = jobs
        self._heard = {name: datetime.fromisoformat(at) for name, at in (jobs.noted(HEARD) or {}).items()}
        self._moment: datetime | None = None
        passed = jobs.noted(PASSED)
        self.passed = datetime.fromisoformat(passed) if passed else None
        """When the pre-flight passed that had refused at the last open, if it did."""
        self.is_holding = True
        """Whether a session has opened that is not worked yet."""

    def waiting(self) -> tuple[tuple[Note, ...], tuple[BadNote, ...]]:
        """The messages whose time has come."""
        notes, bad = super().waiting()
        return tuple(note for note in notes if self._is_due(note)), bad

    def has_unheard(self) -> bool:
        """Whether one was put in since they were last heard."""
        return any(note.note_id not in self._heard for note in super().waiting()[0])

    def hear(self, now: datetime) -> list[str]:
        """Keep that what is in the inbox now, and has to wait, was heard now; what is new of it in words."""
        if not self.is_holding:
            return []
        notes = [note for note in super().waiting()[0] if is_timed(note.content)]
        new = [note for note in notes if note.note_id not in self._heard]
        if new:
            self._heard = {note.note_id: self._heard.get(note.note_id, now) for note in notes}
            self._jobs.note(HEARD, {name: at.isoformat() for name, at in self._heard.items()})
        return [_text(note, now) for note in new]

    def come_to(self, moment: datetime, look: Callable[[datetime], None], is_called: Callable[[], bool]) -> None:
        """The session's work has come to this moment: what was heard by then is looked at, each at its own time, until
        somebody is called."""
        if not self._heard:
            return
        names = {note.note_id for note in super().waiting()[0]}
        for at in sorted({at for name, at in self._heard.items() if name in names and at <= moment}):
            if is_called():
                return
            self._moment = at
            look(at)

    def preflight_refuses(self) -> None:
        self._keep_passed(None)

    def preflight_passes(self, now: datetime) -> None:
        """It refused at the open, and does not now; a session that is worked later comes to that then."""
        if self.passed is None:
            self._keep_passed(now)

    def _keep_passed(self, at: datetime | None) -> None:
        self._jobs.note(PASSED, at.isoformat() if at else None)
        self.passed = at

    def _is_due(self, note: Note) -> bool:
        if not (self.is_holding and is_timed(note.content)):
            return True
        heard = self._heard.get(note.note_id)
        return heard is not None and self._moment is not None and heard <= self._moment


def _text(note: Note, now: datetime) -> str:
    asked, when = note.content, f"{now:%Y-%m-%d %H:%M} UTC"
    return f"{asked['command']} by {asked['user']}: it counts from {when}, once the session's work has come to that"
