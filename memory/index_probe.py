"""Reads an index of lessons through in a process of its own: `python -m parley.memory.index_probe PATH`; 0 if sound."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from ..domain.views import Regime
from .lesson_index import LessonIndex


def probe(path: Path) -> None:
    """Open, read all, and ask once; a broken index raises, or takes this process with it."""
    index = LessonIndex(path)
    index.equals(())
    index.search(Regime.CALM.value, as_of=datetime.max.replace(tzinfo=UTC), limit=1)


if __name__ == "__main__":
    probe(Path(sys.argv[1]))
