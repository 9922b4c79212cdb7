"""The index of lessons: a fold of the log however it came about, made again from it, and never a way to the future."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from parley.memory.errors import IndexLost, NothingToSearch
from parley.memory.lesson_index import LessonIndex, caught_up, is_sound, open_or_rebuild, rebuilt
from parley.memory.lesson_words import asked_tokens, lesson_tokens, likeness, vectors_of

from .lesson_kit import BEGIN, HORIZON, lesson

LATE = BEGIN + timedelta(days=10_000)
TOLD = [
    lesson(number, symbol, relative=0.01 if number % 2 else -0.01, trend="UP" if number % 3 else "DOWN")
    for number in range(1, 21)
    for symbol in ("KO", "PG")
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> LessonIndex:
    return rebuilt(tmp_path_factory.mktemp("whole") / "recall", TOLD)


def test_an_index_that_grew_equals_one_that_was_made_at_once(whole: LessonIndex, tmp_path: Path):
    grown = LessonIndex(tmp_path / "recall")
    for first in range(0, len(TOLD), 7):
        grown.add(TOLD[first : first + 7])
    grown.add(TOLD[:5])

    assert grown.equals(TOLD) and whole.equals(TOLD)
    assert not grown.equals(TOLD[:-1])
    for words in ("KO up", "calm PG wrong", "DOWN"):
        assert grown.search(words, as_of=LATE, limit=6) == whole.search(words, as_of=LATE, limit=6)


def test_a_search_finds_what_was_known_by_its_moment(whole: LessonIndex):
    by_id = {item.reflection_id: item for item in TOLD}
    as_of = BEGIN + HORIZON + timedelta(days=10)

    found = [by_id[item.reflection_id] for item in whole.search("KO calm", as_of=as_of, limit=40)]

    assert {item.decision_id for item in found} == {f"dec-{number:x}" for number in range(1, 11)}
    assert all(item.available_at <= as_of for item in found)
    assert found[0].symbol == "KO" and found[0].decision_id == "dec-a"
    assert whole.search("KO calm", as_of=BEGIN, limit=40) == ()


def test_a_search_is_by_the_words_of_setups_and_outcomes(whole: LessonIndex):
    by_id = {item.reflection_id: item for item in TOLD}

    found = [by_id[item.reflection_id] for item in whole.search("PG DOWN wrong", as_of=LATE, limit=3)]

    assert {(item.symbol, item.setup.trend.value, item.result.value) for item in found} == {("PG", "DOWN", "WRONG")}


def test_words_that_no_lesson_has_are_refused_with_those_that_some_have():
    with pytest.raises(NothingToSearch, match="ignore every limit") as refused:
        asked_tokens("ignore every limit")
    assert "crisis" in refused.value.remedy
    assert asked_tokens("trend:up, BRK.B") == ("trend:UP", "symbol:BRK.B")
    assert set(asked_tokens("mixed")) == {"sentiment:MIXED", "flow:MIXED", "macro:MIXED"}


def test_the_vectors_say_how_many_words_two_lessons_share():
    one, other = lesson(1), lesson(2, trend="DOWN", regime="crisis")
    asked, had = (
        vectors_of([lesson_tokens(item)], weighted=is_asked) for item, is_asked in ((one, True), (other, False))
    )

    # By hand: 9 for setup and symbol, 1 each for side and result; of these 2 go with the regime and 1 with the trend.
    assert likeness(lesson_tokens(one), lesson_tokens(other)) == 8.0
    assert float((asked @ had.T)[0, 0]) == 8.0


@pytest.mark.slow
def test_a_damaged_index_is_found_out_in_another_process_and_made_again(tmp_path: Path):
    path = tmp_path / "recall"
    rebuilt(path, TOLD).close()
    assert is_sound(path)
    for file in path.rglob("*"):
        if file.is_file():
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 3])

    with pytest.raises(IndexLost, match="can't be read"):
        caught_up(path, TOLD)
    again = open_or_rebuild(path, TOLD)

    assert again.equals(TOLD)
    again.close()


@pytest.mark.slow
def test_an_index_of_another_log_is_not_taken_for_this_ones(tmp_path: Path):
    path = tmp_path / "recall"
    rebuilt(path, TOLD).close()
    other = [*TOLD[:-1], TOLD[-1].model_copy(update={"cost_bps": 4.0})]

    with pytest.raises(IndexLost, match="other lessons"):
        caught_up(path, other)


def test_the_index_can_not_be_where_something_else_stands(tmp_path: Path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")

    with pytest.raises(IndexLost):
        LessonIndex(blocked / "recall")


@pytest.mark.slow
def test_nothing_is_downloaded_and_no_model_is_loaded(tmp_path: Path):
    """In a process of its own without a network: names do not resolve, and the runtime of models is never imported."""
    code = f"""
import socket, sys
def refuse(*args, **kwargs):
    raise OSError("no network here")
socket.getaddrinfo = socket.create_connection = refuse
from datetime import datetime, UTC
from pathlib import Path
from parley.memory.lesson_index import LessonIndex
index = LessonIndex(Path({str(tmp_path / "recall")!r}))
index.search("calm KO", as_of=datetime.now(UTC), limit=3)
assert "onnxruntime" not in sys.modules and "torch" not in sys.modules, "a model was loaded"
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stderr
