"""What keeps a log from being written, made real for a drill: no room for a byte, or another program that holds it."""

import resource
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Literal

from ...storage import write_hold
from .errors import OutageFailed

OutageKind = Literal["full_disk", "locked_log"]


class Outages:
    """One at a time; over at the latest when this context is, or its process dead, however it died."""

    def __init__(self, log_path: Path) -> None:
        self._log_path = log_path
        self._room: tuple[int, int] | None = None
        self._holder: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Outages":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def begin(self, kind: OutageKind) -> None:
        """Raises OutageFailed where it can't be made: a drill that drills nothing would say that all is well."""
        self.end()
        if kind == "full_disk":
            self._fill()
        else:
            self._hold()

    def end(self) -> None:
        """There is room again, and nobody holds the log."""
        if self._room is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, self._room)
            self._room = None
        if self._holder is not None:
            with suppress(BrokenPipeError):
                self._holder.communicate()
            self._holder = None

    def _fill(self) -> None:
        """Of this process alone, as a quota would: every write to a file fails, of the system's own accord."""
        self._room = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, self._room[1]))

    def _hold(self) -> None:
        command = [sys.executable, "-m", write_hold.__name__, str(self._log_path)]
        pipe = subprocess.PIPE
        self._holder = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
        assert self._holder.stdout is not None, "it was asked for"
        if self._holder.stdout.readline() != f"{write_hold.HELD}\n":
            raise OutageFailed(
                f"{self._log_path}: the drill's other program could not hold it",
                remedy="See what else has the log open, or leave locked_log out of the faults.",
            )
