"""The only way to the lessons of a log: what was known at a moment, and nothing after it.

Decisions ask here, and not the vector index: this is an exact scan of the log's own rows, since the answers of an
approximate one would depend on how it came about, and a replay has to see the very lessons that were seen.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ..domain.events import Event, Payload, ReflectionWritten
from ..domain.reflections import Reflection, Setup
from .lesson_words import SYMBOL_WEIGHT, WORDS, lesson_tokens, setup_tokens, vectors_of

LEAST_LIKENESS = 6.0
"""Of 9: two thirds of what makes setups alike. One in another regime may differ in one word more."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_ROOM = 256
"""Rows that are kept free at first; the room doubles whenever it is full."""
TIES_BITS = 24
"""A log of 16 million lessons still has a number for each."""


class LessonSource(Protocol):
    """The part of the log that is folded."""

    def read(self, after: int = 0, *, types: Sequence[type[Payload]] = ()) -> Iterable[Event]: ...

    def head(self) -> tuple[int, str]: ...


class Recall:
    """Lessons by the likeness of their setups. There is no way to ask without a moment, and none to what came later."""

    def __init__(self, log: LessonSource) -> None:
        self._log = log
        self._seq = 0
        self._lessons: list[Reflection] = []
        self._seqs = np.zeros(FIRST_ROOM, dtype=np.int64)
        self._known_at = np.zeros(FIRST_ROOM, dtype=np.int64)
        self._symbols: dict[str, int] = {}
        self._symbol_of = np.zeros(FIRST_ROOM, dtype=np.int64)
        self._vectors = np.zeros((FIRST_ROOM, WORDS), dtype=np.float32)

    def known(self, *, as_of: datetime) -> tuple[Reflection, ...]:
        """Every lesson that was available at a moment, in the order of the log."""
        self._fold()
        return tuple(self._lessons[row] for row in np.flatnonzero(self._is_known(as_of)).tolist())

    def similar(self, setups: Mapping[str, Setup], *, as_of: datetime, limit: int) -> dict[str, tuple[Reflection, ...]]:
        """By symbol, the lessons most like its setup, the newest of equals first, and one of a decision at most.

        The legs of one decision lived through the same weeks: they are one occasion, not twenty.
        """
        self._fold()
        rows = np.flatnonzero(self._is_known(as_of))
        if not len(rows) or not setups:
            return {}
        wanted = vectors_of([setup_tokens(symbol, setup) for symbol, setup in setups.items()], weighted=True)
        likeness = wanted[:, :WORDS] @ self._vectors[rows].T
        numbers = np.array([self._symbols.get(symbol, -1) for symbol in setups])
        likeness += np.float32(SYMBOL_WEIGHT) * (numbers[:, np.newaxis] == self._symbol_of[rows])
        found = {symbol: self._nearest(rows, likeness[place], limit) for place, symbol in enumerate(setups)}
        return {symbol: lessons for symbol, lessons in found.items() if lessons}

    def _nearest(
        self, rows: npt.NDArray[np.int64], likeness: npt.NDArray[np.float32], limit: int
    ) -> tuple[Reflection, ...]:
        near = np.flatnonzero(likeness >= LEAST_LIKENESS)
        # Twice a likeness is a whole number: with the row behind it every lesson has a number of its own.
        keys = ((2.0 * likeness[near]).astype(np.int64) << TIES_BITS) + rows[near]
        chosen: dict[str, Reflection] = {}
        for key in np.sort(keys)[::-1].tolist():
            lesson = self._lessons[key & ((1 << TIES_BITS) - 1)]
            chosen.setdefault(lesson.decision_id, lesson)
            if len(chosen) == limit:
                break
        return tuple(chosen.values())

    def _is_known(self, as_of: datetime) -> npt.NDArray[np.bool_]:
        """Available by then, and not behind the place where the log is written or walked again."""
        n, (head, _) = len(self._lessons), self._log.head()
        return (self._known_at[:n] <= _micros(as_of)) & (self._seqs[:n] <= head)

    def _fold(self) -> None:
        """Read what was added to the log. What was read once stays, also while the log is walked again."""
        head, _ = self._log.head()
        if head <= self._seq:
            return
        for event in self._log.read(self._seq, types=(ReflectionWritten,)):
            payload = event.decoded()
            assert isinstance(payload, ReflectionWritten), "read by its type"
            self._add(event.seq, payload.reflection)
        self._seq = head

    def _add(self, seq: int, lesson: Reflection) -> None:
        row = len(self._lessons)
        if row == len(self._seqs):
            self._seqs, self._known_at, self._symbol_of = (
                np.concatenate([old, np.zeros_like(old)]) for old in (self._seqs, self._known_at, self._symbol_of)
            )
            self._vectors = np.concatenate([self._vectors, np.zeros_like(self._vectors)])
        self._lessons.append(lesson)
        self._seqs[row], self._known_at[row] = seq, _micros(lesson.available_at)
        self._symbol_of[row] = self._symbols.setdefault(lesson.symbol, len(self._symbols))
        self._vectors[row] = vectors_of([lesson_tokens(lesson)], weighted=False)[0, :WORDS]


def _micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)
