"""The index beside a running desk: what happens to it is told, and stops nothing. The vector store down, fault 18."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from parley.desk.reflecting import GIVEN_UP, MADE_AGAIN, KeptIndex
from parley.domain.events import Actor, NewEvent, ReflectionWritten
from parley.domain.orders import Side
from parley.domain.reflections import Reflection, Setup, lesson_id
from parley.memory.lesson_index import LessonIndex
from parley.memory.log import EventLog
from parley.storage.sql import open_in_memory

BEGIN = datetime(2024, 1, 2, 21, 0, tzinfo=UTC)
SETUP = Setup.model_validate(
    {"regime": "calm", "trend": "UP", "outlook": "GAIN", "oscillator": "LOW", "level": "EVEN"}
    | {"sentiment": "SILENT", "flow": "SILENT", "macro": "GOOD"}
)


def lesson(number: int) -> Reflection:
    decided_at, decision_id = BEGIN + timedelta(days=number), f"dec-{number:x}"
    return Reflection(
        reflection_id=lesson_id(decision_id, "KO"),
        decision_id=decision_id,
        symbol="KO",
        decided_at=decided_at,
        available_at=decided_at + timedelta(days=31),
        horizon_bars=21,
        setup=SETUP,
        action=Side.BUY,
        said=None,
        return_frac=0.0,
        relative_return=0.0,
        cost_bps=1.0,
    )


@pytest.fixture
def log() -> Iterator[EventLog]:
    database = open_in_memory()
    yield EventLog(database)
    database.close()


def write(log: EventLog, *lessons: Reflection) -> tuple[Reflection, ...]:
    actor = Actor(kind="desk", name="test")
    payloads = [ReflectionWritten(reflection=item) for item in lessons]
    log.append(
        [NewEvent(stream="memory", event_time=BEGIN, actor=actor, payload=payload, run_id="r") for payload in payloads]
    )
    return lessons


def holds(path: Path, *lessons: Reflection) -> bool:
    index = LessonIndex(path)
    try:
        return index.equals(lessons)
    finally:
        index.close()


def test_an_index_kept_along_holds_every_lesson_of_the_log(log: EventLog, tmp_path: Path):
    kept = KeptIndex(tmp_path / "recall", log)

    told = [kept.keep(write(log, lesson(1), lesson(2))), kept.keep(()), kept.keep(write(log, lesson(3)))]
    kept.close()

    assert told == ["", "", ""]
    assert holds(tmp_path / "recall", lesson(1), lesson(2), lesson(3))


def test_an_index_that_is_lost_while_the_desk_runs_is_made_again_once_and_then_given_up(log: EventLog, tmp_path: Path):
    path = tmp_path / "recall"
    kept = KeptIndex(path, log)
    kept.keep(write(log, lesson(1)))

    shutil.rmtree(path)
    assert kept.keep(write(log, lesson(2))) == MADE_AGAIN
    assert kept.keep(write(log, lesson(3))) == ""

    shutil.rmtree(path)
    assert kept.keep(write(log, lesson(4))) == GIVEN_UP
    assert kept.keep(write(log, lesson(5))) == ""
    kept.close()


@pytest.mark.slow
def test_a_start_after_a_kill_finds_the_index_behind_or_gone_and_mends_it(log: EventLog, tmp_path: Path):
    path = tmp_path / "recall"
    first = KeptIndex(path, log)
    first.keep(write(log, lesson(1)))
    first.close()
    # The process dies after the log took lesson 2 and before the index did.
    write(log, lesson(2))

    behind = KeptIndex(path, log)
    assert behind.keep(write(log, lesson(3))) == ""
    behind.close()
    assert holds(path, lesson(1), lesson(2), lesson(3))

    shutil.rmtree(path)
    gone = KeptIndex(path, log)
    assert gone.keep(write(log, lesson(4))) == MADE_AGAIN
    gone.close()
    assert holds(path, *map(lesson, range(1, 5)))


def test_where_no_index_can_be_made_the_desk_says_so_once_and_goes_on(log: EventLog, tmp_path: Path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    kept = KeptIndex(blocked / "recall", log)

    assert kept.keep(write(log, lesson(1))) == GIVEN_UP
    assert kept.keep(write(log, lesson(2))) == ""
    kept.close()


def test_a_walk_over_the_logs_end_finds_later_lessons_indexed_and_nothing_wrong(log: EventLog, tmp_path: Path):
    path = tmp_path / "recall"
    first = KeptIndex(path, log)
    first.keep(write(log, lesson(1)))
    first.keep(write(log, lesson(2)))
    first.close()

    again = KeptIndex(path, log)
    log.rewind(1)
    assert again.keep(write(log, lesson(2))) == ""
    again.close()
    assert holds(path, lesson(1), lesson(2))
