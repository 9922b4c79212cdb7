"""Messages to a running desk as files: put in whole, read in order, each settled once, bad ones set aside."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .errors import StoreUnwritable

NEW, TAKEN, BAD = "new", "taken", "bad"
SUFFIX = ".json"
MAX_BYTES = 64 * 1024
"""A command is a line or two: what is larger is none."""


@dataclass(frozen=True, slots=True)
class Note:
    """One message. `note_id` is its place in the order and stays its name for good."""

    note_id: str
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BadNote:
    """A file that is no message, where it was set aside to, and why."""

    note_id: str
    reason: str
    kept_at: Path


class Inbox:
    """A folder with one file per message. Whoever takes one acts on it first and settles it then:

    a taker that dies in between finds it again, and knows by its id whether it had acted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._new = os.fspath(folder / NEW)

    def put(self, content: Mapping[str, Any]) -> str:
        """Add a message at the end; its id. A reader sees all of it or nothing."""
        text = json.dumps(content, sort_keys=True)
        try:
            for name in (NEW, TAKEN, BAD):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
            temporary = self.folder / f".{os.getpid()}"
            with temporary.open("w", encoding="utf-8") as file:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
            note_id = self._link(temporary)
            temporary.unlink()
        except OSError as error:
            raise StoreUnwritable(
                f"{self.folder}: a message can't be left here ({error.strerror})",
                remedy="Free space or get the right to write there; `parley halt` needs neither.",
            ) from error
        return note_id

    def waiting(self) -> tuple[tuple[Note, ...], tuple[BadNote, ...]]:
        """The messages that are not settled, in order; files that are none are set aside and told once."""
        try:
            names = sorted(name for name in os.listdir(self._new) if name.endswith(SUFFIX))
        except OSError:
            return (), ()
        notes: list[Note] = []
        bad: list[BadNote] = []
        for name in names:
            found = self._read(name)
            if isinstance(found, Note):
                notes.append(found)
            else:
                bad.append(self.reject(name.removesuffix(SUFFIX), found))
        return tuple(notes), tuple(bad)

    def left_at(self, note_id: str) -> datetime | None:
        """When a message that waits was left; None of one that does not wait."""
        try:
            return datetime.fromtimestamp((self.folder / NEW / f"{note_id}{SUFFIX}").stat().st_mtime, UTC)
        except OSError:
            return None

    def settle(self, note_id: str) -> None:
        """It was acted on."""
        self._move(note_id, TAKEN)

    def reject(self, note_id: str, reason: str) -> BadNote:
        """It can't be acted on."""
        return BadNote(note_id, reason, self._move(note_id, BAD))

    def _read(self, name: str) -> Note | str:
        path = self.folder / NEW / name
        try:
            if path.stat().st_size > MAX_BYTES:
                return f"larger than {MAX_BYTES} bytes"
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            return f"not a message: {type(error).__name__}"
        return Note(name.removesuffix(SUFFIX), content) if isinstance(content, dict) else "not a JSON object"

    def _move(self, note_id: str, where: str) -> Path:
        source, target = self.folder / NEW / f"{note_id}{SUFFIX}", self.folder / where / f"{note_id}{SUFFIX}"
        try:
            source.replace(target)
        except FileNotFoundError:
            return target
        except OSError as error:
            raise StoreUnwritable(
                f"{source}: can't be moved to {where}/ ({error.strerror})", remedy="Get the right to write there."
            ) from error
        return target

    def _link(self, temporary: Path) -> str:
        """A name after every name given so far; two writers at once get two names."""
        while True:
            note_id = f"{self._last() + 1:08d}"
            try:
                os.link(temporary, self.folder / NEW / f"{note_id}{SUFFIX}")
            except FileExistsError:
                continue
            return note_id

    def _last(self) -> int:
        stems = (name.removesuffix(SUFFIX) for place in (NEW, TAKEN, BAD) for name in os.listdir(self.folder / place))
        return max((int(stem) for stem in stems if stem.isdigit()), default=0)
