"""Records that were written but not yet stored: two plain files that take turns, each record one line.

The files are mapped into memory and hold zeros where nothing was written yet, so that a record is with the operating
system as soon as it was copied there, with no call into it: it outlives a killed process and not a power cut. While the
records of one file are brought into the database, new ones go to the other.
"""

import mmap
import os
from contextlib import suppress
from pathlib import Path

from .errors import StoreUnwritable

ROOM_BYTES = 1 << 16
"""What a file has at first; it doubles when that is not enough."""


class Journal:
    """The tail of one database, beside it; made when first written to, and gone once all of it is stored."""

    def __init__(self, database: Path) -> None:
        self._tail, self._other = (_Tail(Path(f"{database}-tail{number}")) for number in range(2))

    def records(self) -> list[bytes]:
        """What a process that died has left, file by file; a last line without its end was never written."""
        found: list[bytes] = []
        for path in sorted((self._tail.path, self._other.path)):
            with suppress(FileNotFoundError):
                found += path.read_bytes().split(b"\n")[:-1]
        return found

    def write(self, record: bytes) -> None:
        """Add a record, which holds no line break."""
        self._tail.put(record + b"\n")

    def turn(self) -> None:
        """From now on write to the other file, which must have been cleared."""
        self._tail, self._other = self._other, self._tail

    def clear_other(self) -> None:
        """All records of the other file are stored."""
        self._other.clear()

    def remove(self) -> None:
        """Nothing is left to store."""
        self.close()
        for tail in (self._tail, self._other):
            tail.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the files and leave them as they are."""
        self._tail.close()
        self._other.close()


class _Tail:
    """One of the two files: whole lines up to `end`, zeros from there to `room`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bytes: mmap.mmap | None = None
        self.end = self.room = 0

    def put(self, line: bytes) -> None:
        end = self.end + len(line)
        if end > self.room:
            self._make_room(len(line))
            end = self.end + len(line)
        assert self.bytes is not None, "there is room"
        self.bytes[self.end : end] = line
        self.end = end

    def clear(self) -> None:
        if self.bytes is not None:
            self.bytes[: self.end] = bytes(self.end)
            self.end = 0

    def close(self) -> None:
        if self.bytes is not None:
            self.bytes.close()
        self.bytes, self.room = None, 0

    def _make_room(self, count: int) -> None:
        """For so many bytes more, which the disk has set aside before one of them is promised."""
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                if self.bytes is None:
                    self.end = self.path.read_bytes().rfind(b"\n") + 1
                room = max(self.room, ROOM_BYTES)
                while room < self.end + count:
                    room *= 2
                _lengthen(file, room)
                self.close()
                self.bytes, self.room = mmap.mmap(file, room), room
            finally:
                os.close(file)
        except OSError as error:
            raise StoreUnwritable(
                f"{self.path}: can't write here ({error.strerror or error})",
                remedy="Free some disk space, or give yourself the right to write there; then start again.",
            ) from error


def _lengthen(file: int, room: int) -> None:
    """By zeros that are written and not by a hole: into a hole of a full disk nothing can be copied."""
    length = os.fstat(file).st_size
    try:
        while (at := os.fstat(file).st_size) < room:
            os.pwrite(file, bytes(room - at), at)
    except OSError:
        os.ftruncate(file, length)
        raise


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
