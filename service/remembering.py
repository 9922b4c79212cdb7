"""The `memory` commands: the lessons of a run, as its log has them, and the index that finds them by words."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Literal

from ..desk.book import Book, RunFolder, open_log
from ..desk.errors import SettingsInvalid
from ..domain.reflections import Reflection
from ..memory.errors import IndexLost
from ..memory.history import written_lessons
from ..memory.lesson_index import LessonIndex, is_sound, opened_index, rebuilt
from ..memory.recall import Recall
from .console import Console

MOST_SHOWN = 20
END_OF_TIME = datetime.max.replace(tzinfo=UTC)
IndexState = Literal["equal", "absent", "differs"]


@dataclass(frozen=True, slots=True)
class Lessons:
    """Of one run: all that its log holds, and those known at the moment asked about."""

    folder: RunFolder
    written: tuple[Reflection, ...]
    known: tuple[Reflection, ...]
    as_of: datetime


def perform_memory_list(run_name: str | None, as_of: str | None, book: Path, console: Console) -> None:
    lessons = _lessons(run_name, as_of, book)
    console.result(_document(lessons) | {"lessons": [_row(lesson) for lesson in lessons.known]})
    _say_how_many(console, lessons)
    _print(console, lessons.known[-MOST_SHOWN:])
    if len(lessons.known) > MOST_SHOWN:
        console.say(f"  The newest {MOST_SHOWN}; --json gives all.")


def perform_memory_search(
    words: str, run_name: str | None, as_of: str | None, limit: int, book: Path, console: Console
) -> None:
    """By the index; one that is lost, damaged or behind is made again from the log first."""
    lessons = _lessons(run_name, as_of, book)
    by_id = {lesson.reflection_id: lesson for lesson in lessons.known}
    with opened_index(lessons.folder.recall_path, lessons.written) as index:
        found = index.search(words, as_of=lessons.as_of, limit=limit)
    # What the index finds is shown as the log has it.
    hits = [(by_id[item.reflection_id], item.likeness) for item in found if item.reflection_id in by_id]
    rows = [_row(lesson) | {"likeness": likeness} for lesson, likeness in hits]
    console.result(_document(lessons) | {"asked": words, "lessons": rows})
    _say_how_many(console, lessons)
    for lesson, likeness in hits:
        console.say(f"  {lesson.reflection_id} ({likeness:g}) {lesson.decided_at:%Y-%m-%d}: {lesson.text}")
    if not hits:
        console.say("  None of them has one of these words.")


def perform_memory_rebuild(run_name: str | None, book: Path, console: Console) -> None:
    lessons = _lessons(run_name, None, book)
    path = lessons.folder.recall_path
    index = rebuilt(path, lessons.written)
    try:
        is_equal = index.equals(lessons.written)
    finally:
        index.close()
    if not is_equal:
        raise IndexLost(f"{path}: what was just written can't be read back", remedy="Check the disk.")
    console.result(_document(lessons) | {"index": str(path), "equal": is_equal})
    console.say(f"Made the index of run {lessons.folder.run_id} again from its log: {len(lessons.written):,} lessons")


def index_state(folder: RunFolder) -> IndexState:
    """Whether the index beside a log equals a fold of it; an absent one is made when somebody asks."""
    if not folder.recall_path.exists():
        return "absent"
    with open_log(folder, readonly=True) as (log, _):
        lessons = written_lessons(log)
    if not is_sound(folder.recall_path):
        return "differs"
    try:
        index = LessonIndex(folder.recall_path)
        try:
            return "equal" if index.equals(lessons) else "differs"
        finally:
            index.close()
    except IndexLost:
        return "differs"


def _lessons(run_name: str | None, as_of: str | None, book: Path) -> Lessons:
    moment, folder = _moment(as_of), Book(book).find(run_name)
    with open_log(folder, readonly=True) as (log, _):
        return Lessons(folder, written_lessons(log), Recall(log).known(as_of=moment), moment)


def _moment(text: str | None) -> datetime:
    """The end of a day, or a moment with its zone; without one, everything written is known."""
    if text is None:
        return END_OF_TIME
    try:
        if len(text) == len("YYYY-MM-DD"):
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsInvalid(
            f"--as-of {text!r} is no date", remedy="Write YYYY-MM-DD, or a moment with its zone."
        ) from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _document(lessons: Lessons) -> dict[str, Any]:
    as_of = None if lessons.as_of == END_OF_TIME else lessons.as_of.isoformat()
    return {
        "run": lessons.folder.run_id,
        "as_of": as_of,
        "written": len(lessons.written),
        "known": len(lessons.known),
    }


def _row(lesson: Reflection) -> dict[str, Any]:
    return {**lesson.model_dump(mode="json"), "result": lesson.result.value, "text": lesson.text}


def _say_how_many(console: Console, lessons: Lessons) -> None:
    when = "" if lessons.as_of == END_OF_TIME else f", {len(lessons.known):,} of them known by {lessons.as_of:%Y-%m-%d}"
    console.say(f"Run {lessons.folder.run_id} wrote {len(lessons.written):,} lessons{when}")
    if not lessons.written:
        console.say('  A desk writes them with the setting memory = "on", a horizon after it traded.')


def _print(console: Console, lessons: tuple[Reflection, ...]) -> None:
    if lessons:
        console.table(
            "lessons",
            ("lesson", "decided", "known", "symbol", "regime", "did", "result", "beside average", "cost bp"),
            [
                (
                    lesson.reflection_id,
                    f"{lesson.decided_at:%Y-%m-%d}",
                    f"{lesson.available_at:%Y-%m-%d}",
                    lesson.symbol,
                    lesson.setup.regime.value,
                    lesson.action.value,
                    lesson.result.value,
                    f"{lesson.relative_return:+.2%}",
                    f"{lesson.cost_bps:.1f}",
                )
                for lesson in lessons
            ],
        )
