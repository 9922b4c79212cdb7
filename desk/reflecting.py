"""Writes lessons at the horizon, from the log and from prices known by then, and keeps the index beside the log."""

from bisect import bisect_right
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Protocol

import numpy as np

from ..domain.events import DecisionMade, OrderClosed
from ..domain.reflections import Reflection
from ..graph.run import scheduled_id
from ..memory.errors import IndexLost
from ..memory.history import written_lessons
from ..memory.lesson_index import REMEDY, LessonIndex, caught_up, rebuilt
from ..memory.log import EventLog
from ..memory.reflections import Measured, reflections_of
from ..quant.calibration import HORIZON_DAYS
from .desk import Desk

MADE_AGAIN = "the index of lessons was lost or held others than the log; it was made again from the log"
GIVEN_UP = (
    "the index of lessons can't be kept; decisions go on from the log, and `parley memory rebuild` makes it again"
)


class LessonKeeper(Protocol):
    """Whoever keeps lessons findable beside the log."""

    def keep(self, fresh: Sequence[Reflection]) -> str: ...


class Reflecting:
    """One run's lessons. What is due at a close is a function of the log before it and of the run's closes."""

    def __init__(self, desk: Desk, closes: Sequence[datetime], horizon_bars: int = HORIZON_DAYS) -> None:
        self._desk, self._closes, self._horizon_bars = desk, tuple(closes), horizon_bars
        self._rows = [len(desk.history.as_of(close).close) - 1 for close in self._closes] if desk.has_memory else []

    def due(self, place: int) -> tuple[Reflection, ...]:
        """The lessons that this close is the first to know, of every decision whose horizon ended since the last one.

        A horizon runs from the close after the decision, when it could first be traded, over `horizon_bars` closes.
        """
        if not self._rows or place == 0:
            return ()
        ends = self._horizon_bars + 1
        first, last = (bisect_right(self._rows, self._rows[item] - ends) for item in (place - 1, place))
        return tuple(lesson for earlier in range(first, last) for lesson in self._reflected(earlier, place))

    def _reflected(self, earlier: int, place: int) -> tuple[Reflection, ...]:
        decision_id = scheduled_id(self._desk.run_id, self._closes[earlier])
        events = self._desk.log.read(decision_id=decision_id, types=(DecisionMade, OrderClosed))
        payloads = [event.decoded() for event in events]
        decision = next((payload.decision for payload in payloads if isinstance(payload, DecisionMade)), None)
        if decision is None or decision.plan is None:
            return ()
        closed = [payload for payload in payloads if isinstance(payload, OrderClosed)]
        return reflections_of(decision, closed, self._measured(self._rows[earlier] + 1, self._closes[place]))

    def _measured(self, first: int, now: datetime) -> Measured:
        """Both prices as they stand now, in the shares of now."""
        view = self._desk.history.as_of(now)
        returns = view.close[first + self._horizon_bars] / view.close[first] - 1.0
        known = {
            symbol: float(value) for symbol, value in zip(view.symbols, returns, strict=True) if np.isfinite(value)
        }
        return Measured(now, self._horizon_bars, known)


class KeptIndex:
    """The index of one run's lessons. Where it fails it is made again once, and after that the run does without it."""

    def __init__(self, path: Path, log: EventLog) -> None:
        """Made before the log is taken back for a walk over its end: what stands there is indexed already."""
        self._path = path
        self._lessons = {lesson.reflection_id: lesson for lesson in written_lessons(log)}
        self._is_expected = bool(self._lessons)
        self._index: LessonIndex | None = None
        self._failures = 0

    def keep(self, fresh: Sequence[Reflection]) -> str:
        """Take in what was just written to the log; what to tell a person, if anything.

        An index from before this start is looked at the first time, whether or not there is anything to take in.
        """
        is_due = bool(fresh) or (self._is_expected and self._index is None)
        if self._failures > 1 or not is_due:
            return ""
        self._lessons |= {lesson.reflection_id: lesson for lesson in fresh}
        try:
            if self._index is None:
                self._index = self._opened()
            else:
                self._index.add(fresh)
        except IndexLost:
            return self._make_again()
        return ""

    def close(self) -> None:
        index, self._index = self._index, None
        if index is not None:
            with suppress(IndexLost):
                index.close()

    def _opened(self) -> LessonIndex:
        if self._is_expected and not self._path.exists():
            raise IndexLost(f"{self._path}: the index is gone", remedy=REMEDY)
        return caught_up(self._path, tuple(self._lessons.values()))

    def _make_again(self) -> str:
        self._failures += 1
        self.close()
        if self._failures == 1:
            with suppress(IndexLost):
                self._index = rebuilt(self._path, tuple(self._lessons.values()))
                return MADE_AGAIN
            self._failures += 1
        return GIVEN_UP
