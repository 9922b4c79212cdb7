"""Records that were written but not yet stored: two plain files that take turns, each record one line.

A record is with the operating system when `write` returns, so it outlives a killed process and not a power cut.
While the records of one file are brought into the database, new ones go to the other.
"""

import os
from contextlib import suppress
from pathlib import Path

from .errors import StoreUnwritable


class Journal:
    """The tail of one database, beside it; made when first written to, and gone once all of it is stored."""

    def __init__(self, database: Path) -> None:
        self._paths = tuple(Path(f"{database}-tail{number}") for number in range(2))
        self._files: list[int] = []
        self._place = 0

    def records(self) -> list[bytes]:
        """What a process that died has left, file by file; a last line without its end was never written."""
        found: list[bytes] = []
        for path in self._paths:
            with suppress(FileNotFoundError):
                found += path.read_bytes().split(b"\n")[:-1]
        return found

    def write(self, record: bytes) -> None:
        """Add a record, which holds no line break."""
        line = record + b"\n"
        try:
            if not self._files:
                self._open()
            written = os.write(self._files[self._place], line)
        except OSError as error:
            raise self._unwritable(error.strerror or str(error)) from error
        if written != len(line):
            self._take_back(written)
            raise self._unwritable(f"{written} of {len(line)} bytes were written")

    def turn(self) -> None:
        """From now on write to the other file, which must have been cleared."""
        self._place = 1 - self._place

    def clear_other(self) -> None:
        """All records of the other file are stored."""
        if self._files:
            try:
                os.ftruncate(self._files[1 - self._place], 0)
            except OSError as error:
                raise self._unwritable(error.strerror or str(error)) from error

    def remove(self) -> None:
        """Nothing is left to store."""
        self.close()
        for path in self._paths:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the files and leave them as they are."""
        for file in self._files:
            os.close(file)
        self._files = []

    def _take_back(self, count: int) -> None:
        """Half a line would become one with the next: to make a file shorter takes no room."""
        file = self._files[self._place]
        with suppress(OSError):
            os.ftruncate(file, os.fstat(file).st_size - count)

    def _open(self) -> None:
        for path in self._paths:
            self._files.append(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644))

    def _unwritable(self, why: str) -> StoreUnwritable:
        return StoreUnwritable(
            f"{self._paths[self._place]}: can't write here ({why})",
            remedy="Free some disk space, or give yourself the right to write there; then start again.",
        )


def sync_file(path: Path) -> None:
    """Wait until a file's bytes survive a power cut; one that is not there has none that could be lost."""
    try:
        file = os.open(path, os.O_RDONLY)
        try:
            os.fdatasync(file)
        finally:
            os.close(file)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreUnwritable(
            f"{path}: sync failed ({error.strerror or error})", remedy="Check the disk; then run `parley verify`."
        ) from error
