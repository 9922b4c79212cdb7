"""The memory commands on a run's book: what is known by a day, what words find, and an index made again."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from parley.desk.book import Book, open_log
from parley.desk.errors import SettingsInvalid
from parley.domain.events import Actor, NewEvent, ReflectionWritten
from parley.domain.orders import Side
from parley.domain.reflections import Reflection, Setup, lesson_id
from parley.service.console import Console
from parley.service.remembering import (
    index_state,
    perform_memory_list,
    perform_memory_rebuild,
    perform_memory_search,
)

BEGIN = datetime(2024, 1, 2, 21, 0, tzinfo=UTC)
WORDS = {"regime": "calm", "outlook": "GAIN", "oscillator": "LOW", "level": "EVEN"} | dict.fromkeys(
    ("sentiment", "flow", "macro"), "SILENT"
)


def lesson(number: int) -> Reflection:
    decided_at, decision_id = BEGIN + timedelta(days=number), f"dec-{number:x}"
    symbol, trend = ("KO", "UP") if number % 2 else ("PG", "DOWN")
    return Reflection(
        reflection_id=lesson_id(decision_id, symbol),
        decision_id=decision_id,
        symbol=symbol,
        decided_at=decided_at,
        available_at=decided_at + timedelta(days=30),
        horizon_bars=21,
        setup=Setup.model_validate({**WORDS, "trend": trend}),
        action=Side.BUY,
        said=None,
        return_frac=0.01,
        relative_return=0.01,
        cost_bps=1.0,
    )


LESSONS = tuple(map(lesson, range(1, 7)))


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A run of six lessons and no index."""
    folder = Book(tmp_path / "book").create("run-lessons")
    with open_log(folder) as (log, _):
        actor = Actor(kind="desk", name="test")
        log.append(
            [
                NewEvent(
                    stream="memory",
                    event_time=item.available_at,
                    actor=actor,
                    payload=ReflectionWritten(reflection=item),
                    run_id="run-lessons",
                )
                for item in LESSONS
            ]
        )
    return tmp_path / "book"


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_the_list_is_of_what_was_known_by_the_end_of_a_day(book: Path, capsys: pytest.CaptureFixture[str]):
    perform_memory_list(None, "2024-02-03", book, Console(True))
    by_day = told(capsys)
    perform_memory_list(None, "2024-02-03T20:59:59+00:00", book, Console(True))
    a_moment_before = told(capsys)
    perform_memory_list(None, None, book, Console(True))

    assert [row["decision_id"] for row in by_day["lessons"]] == ["dec-1", "dec-2"]
    assert [row["decision_id"] for row in a_moment_before["lessons"]] == ["dec-1"]
    assert (by_day["written"], by_day["known"]) == (6, 2)
    assert told(capsys)["known"] == 6
    assert by_day["lessons"][0]["text"] == LESSONS[0].text and by_day["lessons"][0]["result"] == "RIGHT"


@pytest.mark.parametrize("text", ["yesterday", "2024-13-01", "2024-01-01T25:00"])
def test_a_day_that_is_none_is_refused(book: Path, text: str):
    with pytest.raises(SettingsInvalid, match="as-of"):
        perform_memory_list(None, text, book, Console(True))


@pytest.mark.slow
def test_a_search_makes_a_lost_index_again_and_keeps_to_its_day(book: Path, capsys: pytest.CaptureFixture[str]):
    folder = Book(book).latest()
    assert index_state(folder) == "absent"

    perform_memory_search("PG down", None, "2024-02-05", 10, book, Console(True))
    found = told(capsys)["lessons"]

    assert [(row["decision_id"], row["likeness"]) for row in found] == [("dec-4", 2.0), ("dec-2", 2.0)]
    assert index_state(folder) == "equal"

    shutil.rmtree(folder.recall_path)
    folder.recall_path.mkdir()
    assert index_state(folder) == "differs"
    perform_memory_rebuild(None, book, Console(True))
    assert told(capsys)["equal"] is True and index_state(folder) == "equal"


def test_people_are_told_how_a_desk_without_lessons_comes_by_some(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with open_log(Book(tmp_path).create("run-none")):
        pass

    perform_memory_list(None, None, tmp_path, Console(False))

    assert 'memory = "on"' in capsys.readouterr().out
