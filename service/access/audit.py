"""The audit of calls: one line each in a file that only grows, chained so that a line can't be changed unseen."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path
from threading import Lock
from typing import Any

from ...domain.canonical import content_hash
from ...storage.errors import StoreUnwritable
from .errors import AuditBroken
from .owned import OWNER_ONLY, OWNER_ONLY_DIR
from .store import ACCESS

CALLS = "calls.jsonl"
FIRST = "0" * 64
TAIL_BYTES = 8_192
"""More than a line can have: the last one is found in it."""
MAX_TEXT_CHARS = 300


@dataclass(frozen=True, slots=True)
class Call:
    """Who did what, when, from where, and what came of it. A path is without its query, and nothing of a body."""

    at: str
    user: str
    role: str
    via: str
    address: str
    action: str
    status: int
    code: str
    request_id: str


class Audit:
    """Appends to the book's file of calls; several processes may."""

    def __init__(self, book: Path) -> None:
        self._path = book / ACCESS / CALLS
        self._lock = Lock()
        self._end, self._hash = -1, FIRST
        self._open: FileIO | None = None

    def record(self, call: Call) -> None:
        """One line, written before the caller gets the answer."""
        said = {
            name: value[:MAX_TEXT_CHARS] if isinstance(value, str) else value for name, value in asdict(call).items()
        }
        with self._lock, self._file() as file:
            end = os.fstat(file).st_size
            # As long as it was, it can still be another one: put in its place, or cut and written again by another.
            if end != self._end or not _ends_in(file, end, self._hash):
                self._hash, end = _last_hash(file, end)
            line = said | {"previous": self._hash}
            made = content_hash(line)
            text = json.dumps(line, ensure_ascii=True, separators=(",", ":")).encode("ascii")[:-1] + _closing(made)
            os.write(file, text)
            self._end, self._hash = end + len(text), made

    def close(self) -> None:
        with self._lock:
            if self._open is not None:
                self._open.close()
            self._open = None

    @contextmanager
    def _file(self) -> Iterator[int]:
        """Kept open from call to call, and opened again where the file was moved away."""
        try:
            file = self._opened().fileno()
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            raise StoreUnwritable(
                f"{self._path}: calls can't be recorded ({error.strerror})", remedy="Free space, or mend the rights."
            ) from error
        try:
            yield file
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)

    def _opened(self) -> FileIO:
        if self._open is not None and not _is_same(self._open.fileno(), self._path):
            self._open.close()
            self._open = None
        if self._open is None:
            self._path.parent.mkdir(mode=OWNER_ONLY_DIR, parents=True, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, OWNER_ONLY)
            self._open = FileIO(file, "r+")
        return self._open


def read_calls(book: Path) -> Iterator[Mapping[str, Any]]:
    """All lines in their order, each held to its hash and to the line before. Raises AuditBroken."""
    path, previous = book / ACCESS / CALLS, FIRST
    if not path.exists():
        return
    with path.open(encoding="ascii", errors="replace") as file:
        for number, text in enumerate(file, start=1):
            line = _parsed(text)
            if line is None and not text.endswith("\n"):
                return  # torn by a power cut while it was written: the next call starts after it
            made = {} if line is None else {name: value for name, value in line.items() if name != "hash"}
            if line is None or line.get("previous") != previous or line.get("hash") != content_hash(made):
                raise AuditBroken(
                    f"{path}: line {number} is not what was written", remedy="Compare it with a copy; keep both."
                )
            previous = line["hash"]
            yield line


def _is_same(file: int, path: Path) -> bool:
    """Whether the file of this name is still the one that is open."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _ends_in(file: int, end: int, made: str) -> bool:
    """Whether the last line is the one of this hash."""
    text = _closing(made)
    return os.pread(file, len(text), max(end - len(text), 0)) == text


def _closing(made: str) -> bytes:
    """How a line of this hash ends."""
    return f',"hash":"{made}"}}\n'.encode("ascii")


def _last_hash(file: int, end: int) -> tuple[str, int]:
    """The hash of the last whole line; what was torn off after it is cut away."""
    start = max(end - TAIL_BYTES, 0)
    tail = os.pread(file, end - start, start)
    whole = tail[: tail.rfind(b"\n") + 1]
    if len(whole) != len(tail):
        end = start + len(whole)
        os.ftruncate(file, end)
    lines = whole.splitlines()
    line = _parsed(lines[-1].decode("ascii", "replace")) if lines else None
    return (str(line.get("hash", FIRST)) if line else FIRST), end


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
