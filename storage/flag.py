"""The kill flag: a file whose presence alone halts a desk, so that it works when nothing else does."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from .errors import StoreUnwritable

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class FlagNote:
    """Who raised it, why and when; `unknown` where the file does not say, which lowers nothing."""

    by: str
    reason: str
    at: str


class KillFlag:
    """One file. To look costs one `stat`; what can't be looked at counts as raised."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._name = os.fspath(path)

    @property
    def is_raised(self) -> bool:
        try:
            os.stat(self._name)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return True

    def hoist(self, note: FlagNote) -> FlagNote:
        """Raise it; the note that stands, which is the first one's when it was up already."""
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _write(temporary, json.dumps(asdict(note)))
        except OSError:
            self._hoist_bare()
            return note
        try:
            os.link(temporary, self.path)
        except FileExistsError:
            return self.read() or note
        except OSError:
            self._hoist_bare()
        finally:
            temporary.unlink(missing_ok=True)
        return note

    def read(self) -> FlagNote | None:
        """What it says; None when it is down."""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            return FlagNote(str(found["by"]), str(found["reason"]), str(found["at"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            return FlagNote(UNKNOWN, "the flag file can't be read", UNKNOWN) if self.is_raised else None

    def lower(self, shown: FlagNote | None = None) -> bool:
        """Take it down; one that is down already stays so. With the note that a person was shown only the flag that
        says this, and False where another is up.

        Who lowers one holds its folder meanwhile, and nobody writes over a flag that is up: what is read is what goes.
        """
        try:
            with _holding(self.path.parent):
                if shown is not None and (found := self.read()) != shown:
                    return found is None  # one that is raised from now on was never shown
                self.path.unlink(missing_ok=True)
                return True
        except OSError as error:
            raise StoreUnwritable(
                f"{self.path}: the kill flag can't be taken down ({error.strerror})",
                remedy="Remove the file by hand, with rights to its folder.",
            ) from error

    def _hoist_bare(self) -> None:
        """On a full disk an empty file still fits, and its presence is what counts."""
        with suppress(OSError):
            self.path.with_name(f".{self.path.name}.{os.getpid()}").unlink(missing_ok=True)
        try:
            os.close(os.open(self._name, os.O_CREAT | os.O_WRONLY, 0o644))
        except OSError as error:
            raise StoreUnwritable(
                f"{self.path}: the kill flag can't be raised ({error.strerror})",
                remedy="Stop the process itself: its id is in the .lock file beside the run's log.",
            ) from error


@contextmanager
def _holding(folder: Path) -> Iterator[None]:
    """The kernel's lock on a folder, which needs no file; of one that is not there nothing has to be held."""
    try:
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        yield
        return
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _write(path: Path, text: str) -> None:
    """The whole text on the disk, or an error."""
    with path.open("w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
