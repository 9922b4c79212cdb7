"""The tool that asks the desk's memory: what came of setups like these, from lessons that were known by the moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ..domain.reflections import Setup
from ..memory.recall import Recall
from .ledger import Ledger, figure

SHOWN = 5
"""Lessons of one instrument, each of another decision."""
LEAST_LESSONS = 3
"""Fewer tell nothing, and are not shown."""


@dataclass(frozen=True, slots=True)
class Similar:
    """What became of the instruments of similar lessons, whatever the desk had done with them."""

    ids: tuple[str, ...]
    beat_share: float
    """Of the lessons, those whose instrument did better than the average name."""
    relative_return: float
    """The mean return beyond the average name's."""


def similar_lessons(
    ledger: Ledger, recall: Recall, as_of: datetime, setups: Mapping[str, Setup]
) -> tuple[str, Mapping[str, Similar]] | None:
    """By symbol, where there are enough lessons like its setup; None, and no entry, where no symbol has them."""
    found = recall.similar(setups, as_of=as_of, limit=SHOWN)
    similar: dict[str, Similar] = {}
    for symbol, lessons in found.items():
        if len(lessons) >= LEAST_LESSONS:
            returns = [lesson.relative_return for lesson in lessons]
            beat = sum(value > 0 for value in returns) / len(returns)
            ids = tuple(lesson.reflection_id for lesson in lessons)
            similar[symbol] = Similar(ids, figure(beat), figure(sum(returns) / len(returns)))
    if not similar:
        return None
    output = {
        symbol: {"beat_share": item.beat_share, "relative_return": item.relative_return, "lessons": list(item.ids)}
        for symbol, item in similar.items()
    }
    # The lessons are inputs like the setups: the data's fingerprint does not know the log.
    inputs = {
        "setups": {symbol: setups[symbol].model_dump(mode="json") for symbol in similar},
        "lessons": {symbol: list(item.ids) for symbol, item in similar.items()},
    }
    return ledger.record("similar_lessons", 1, "fraction", inputs, output).id, similar
