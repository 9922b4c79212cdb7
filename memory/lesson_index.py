"""ChromaDB's index of the lessons, for questions in words. It is made from the log, and can be made from it again.

Decisions do not ask it (`recall.py` says why), so that losing it loses nothing. Its vectors are ours: Chroma's own
embedding function, which would download a model, is never called.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ..domain.canonical import content_hash
from ..domain.reflections import Reflection
from .errors import IndexLost
from .lesson_words import VERSION, asked_tokens, lesson_tokens, likeness, vectors_of

if TYPE_CHECKING:
    from .chroma import Row

NAME = f"lessons-v{VERSION}"
BATCH = 1_000
SPARE, LEAST_CANDIDATES = 4, 50
"""How many more candidates than asked for are weighed exactly: the index finds neighbours, the order is ours."""
PROBE_TIMEOUT_S = 60.0
REMEDY = "Make it again with `parley memory rebuild`; the lessons themselves are in the log."
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Found:
    """A lesson's id, and how much it has of what was asked for."""

    reflection_id: str
    likeness: float


class LessonIndex:
    """One index, open. Its only question takes the moment it is asked at."""

    def __init__(self, path: Path) -> None:
        """Opens or makes the index in a folder; raises IndexLost where that can't be done."""
        self._path = path
        with _lost_if_broken(path):
            from .chroma import Table

            self._table = Table(path, NAME)

    def search(self, words: str, *, as_of: datetime, limit: int) -> tuple[Found, ...]:
        """The lessons with most of these words among those available at a moment, the newest of equals first."""
        asked = asked_tokens(words)
        with _lost_if_broken(self._path):
            rows = self._table.nearest(
                vectors_of([asked], weighted=True)[0],
                available_by=_seconds(as_of),
                limit=max(SPARE * limit, LEAST_CANDIDATES),
            )
        found = [(likeness(asked, row.text.split()), row.available_at, row.ident) for row in rows]
        ranked = sorted(found, key=lambda item: (-item[0], -item[1], item[2]))
        return tuple(Found(ident, value) for value, _, ident in ranked[:limit] if value > 0)

    def add(self, lessons: Iterable[Reflection]) -> None:
        """Take lessons in; one that is there already is written over with the same."""
        rows = _rows(lessons)
        with _lost_if_broken(self._path):
            for first in range(0, len(rows), BATCH):
                self._table.put(rows[first : first + BATCH])

    def catch_up(self, lessons: Sequence[Reflection]) -> None:
        """Add what is missing of the log's lessons; raises IndexLost for an index that holds anything else."""
        stored, wanted = self._stored(), {row.ident: row for row in _rows(lessons)}
        if any(wanted.get(ident) != row for ident, row in stored.items()):
            raise IndexLost(f"{self._path}: the index holds other lessons than the log", remedy=REMEDY)
        self.add(lesson for lesson in lessons if lesson.reflection_id not in stored)

    def equals(self, lessons: Sequence[Reflection]) -> bool:
        """Whether it is exactly what a fold of these lessons would make, vectors included."""
        return self._stored() == {row.ident: row for row in _rows(lessons)}

    def close(self) -> None:
        with _lost_if_broken(self._path):
            self._table.close()

    def _stored(self) -> "dict[str, Row]":
        with _lost_if_broken(self._path):
            return {row.ident: row for row in self._table.all()}


@contextmanager
def opened_index(path: Path, lessons: Sequence[Reflection]) -> Iterator[LessonIndex]:
    """The index brought up to these lessons; what is broken or holds anything else is made again."""
    index = open_or_rebuild(path, lessons)
    try:
        yield index
    finally:
        index.close()


def open_or_rebuild(path: Path, lessons: Sequence[Reflection]) -> LessonIndex:
    try:
        return caught_up(path, lessons)
    except IndexLost:
        return rebuilt(path, lessons)


def caught_up(path: Path, lessons: Sequence[Reflection]) -> LessonIndex:
    """The index of a folder with the lessons that it lacked; raises IndexLost, and leaves the folder as it was."""
    if path.exists() and not is_sound(path):
        raise IndexLost(f"{path}: the index can't be read", remedy=REMEDY)
    index = LessonIndex(path)
    try:
        index.catch_up(lessons)
    except IndexLost:
        index.close()
        raise
    return index


def rebuilt(path: Path, lessons: Sequence[Reflection]) -> LessonIndex:
    """A new index of these lessons in the place of whatever is there."""
    with _lost_if_broken(path):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    index = LessonIndex(path)
    index.add(lessons)
    return index


def is_sound(path: Path) -> bool:
    """Whether another process could read the index through: a damaged one can end the process that opens it."""
    command = [sys.executable, "-m", f"{__package__}.index_probe", str(path)]
    try:
        return subprocess.run(command, capture_output=True, timeout=PROBE_TIMEOUT_S, check=False).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


@contextmanager
def _lost_if_broken(path: Path) -> Iterator[None]:
    """Whatever Chroma, its database or its native part raise means that this index can't be used."""
    try:
        yield
    except IndexLost:
        raise
    except Exception as error:
        raise IndexLost(f"{path}: the index of lessons failed ({type(error).__name__})", remedy=REMEDY) from error
    except BaseException as error:
        # A panic of its native part arrives as this, and is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise IndexLost(f"{path}: the index of lessons panicked", remedy=REMEDY) from error


def _rows(lessons: Iterable[Reflection]) -> "list[Row]":
    from .chroma import Row

    kept = list(lessons)
    documents = [lesson_tokens(lesson) for lesson in kept]
    vectors: list[list[float]] = vectors_of(documents, weighted=False).tolist()
    return [
        Row(
            lesson.reflection_id,
            " ".join(tokens),
            _seconds(lesson.available_at, up=True),
            content_hash(lesson),
            tuple(vector),
        )
        for lesson, tokens, vector in zip(kept, documents, vectors, strict=True)
    ]


def _seconds(moment: datetime, *, up: bool = False) -> int:
    """Whole seconds: a lesson's are rounded up and a question's down, so that none is found too early."""
    return -((EPOCH - moment) // timedelta(seconds=1)) if up else (moment - EPOCH) // timedelta(seconds=1)
