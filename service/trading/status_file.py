"""What `parley trade` is doing now, as a file of the book that others read: written whole, a few times a second."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...desk.clock import elapsed_s, wall_time
from ...storage.errors import StoreUnwritable

STATUS_FILE = "trading.json"
WRITTEN_EVERY_S = 0.2


class StatusFile:
    """One writer; what comes faster than it is written is left out, unless it is the last."""

    def __init__(self, book: Path) -> None:
        self._path, self._written_s = book / STATUS_FILE, -WRITTEN_EVERY_S

    @property
    def is_due(self) -> bool:
        return elapsed_s() - self._written_s >= WRITTEN_EVERY_S

    def write(self, document: Mapping[str, Any]) -> None:
        self._written_s = elapsed_s()
        temporary = self._path.with_name(f".{self._path.name}")
        try:
            temporary.write_text(json.dumps({**document, "written_at": wall_time()}) + "\n", encoding="utf-8")
            temporary.replace(self._path)
        except OSError as error:
            raise StoreUnwritable(
                f"{self._path}: cannot be written ({error.strerror or error})",
                remedy="Free space or get the right to write there.",
            ) from error


def read_status(book: Path) -> dict[str, Any] | None:
    """What was written last; None where nothing was, or it can't be read."""
    try:
        found = json.loads((book / STATUS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
