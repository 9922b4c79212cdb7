"""Lessons and a log of them, for the tests of what a desk remembers."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from parley.domain.events import Payload, ReflectionWritten
from parley.domain.orders import Side
from parley.domain.reflections import Reflection, Setup, lesson_id
from parley.domain.views import Stance

BEGIN = datetime(2024, 1, 2, 21, 0, tzinfo=UTC)
HORIZON = timedelta(days=31)
WORDS = {
    "regime": "calm", "trend": "UP", "outlook": "GAIN", "oscillator": "MIDDLE", "level": "FIRM",
    "sentiment": "SILENT", "flow": "SILENT", "macro": "GOOD",
}  # fmt: skip


def setup(**words: str) -> Setup:
    return Setup.model_validate(WORDS | words)


def lesson(
    number: int, symbol: str = "KO", *, day: int | None = None, relative: float = 0.01, **words: str
) -> Reflection:
    """The lesson of decision `number` on a symbol, decided `day` days (default `number`) after the beginning."""
    decision_id = f"dec-{number:x}"
    decided_at = BEGIN + timedelta(days=number if day is None else day)
    return Reflection(
        reflection_id=lesson_id(decision_id, symbol),
        decision_id=decision_id,
        symbol=symbol,
        decided_at=decided_at,
        available_at=decided_at + HORIZON,
        horizon_bars=21,
        setup=setup(**words),
        action=Side.BUY,
        said=Stance.BUY,
        return_frac=0.02,
        relative_return=relative,
        cost_bps=3.5,
    )


class LessonLog:
    """A log that holds lessons alone, one an event; `place` is where its writer stands."""

    def __init__(self, lessons: Iterable[Reflection]) -> None:
        self.lessons = list(lessons)
        self.place = len(self.lessons)

    def head(self) -> tuple[int, str]:
        return self.place, ""

    def read(self, after: int = 0, *, types: Sequence[type[Payload]] = ()) -> Iterator[Any]:
        assert types == (ReflectionWritten,)
        for seq in range(after + 1, self.place + 1):
            payload = ReflectionWritten(reflection=self.lessons[seq - 1])
            yield SimpleNamespace(seq=seq, decoded=lambda payload=payload: payload)
