"""The index of lessons as it is found after a death: gone, damaged or empty; and whether it was mended in the end."""

import shutil
from pathlib import Path

from ...memory.errors import IndexLost
from ...memory.history import written_lessons
from ...memory.lesson_index import LessonIndex
from ...memory.log import EventLog
from ...storage.sql import open_sqlite
from .faults import KINDS, Fault
from .witness import Violation

RECALL_KINDS = tuple(name for name, rule in KINDS.items() if rule.port == "recall")
HORIZON_BARS = 1
"""The laboratory's days are few: lessons come at the second close after a decision."""


def damage(path: Path, fault: Fault) -> None:
    """What a fault leaves of the index; where there is none yet there is nothing to damage."""
    if not path.exists():
        return
    if fault.kind == "recall_corrupt":
        for file in sorted(item for item in path.rglob("*") if item.is_file()):
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 3])
        return
    shutil.rmtree(path)
    if fault.kind == "recall_empty":
        path.mkdir()


def index_violations(path: Path, log_path: Path) -> list[Violation]:
    """The index at the end of a world that remembers, against a fold of its log."""
    database = open_sqlite(log_path, readonly=True)
    try:
        lessons = written_lessons(EventLog(database))
    finally:
        database.close()
    if not lessons:
        return [Violation("I5", "a world that remembers wrote no lesson")]
    try:
        index = LessonIndex(path)
        is_equal = index.equals(lessons)
        index.close()
    except IndexLost as error:
        return [Violation("I5", f"the index was not mended: {error.message}")]
    return [] if is_equal else [Violation("I5", "the index of lessons is not a fold of the log")]
