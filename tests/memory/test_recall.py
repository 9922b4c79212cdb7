"""Lessons as decisions see them: only what was known, the most alike first, and one of a decision at most."""

import inspect
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.reflections import Level, Reflection, Setup, Trend
from parley.memory.lesson_index import LessonIndex
from parley.memory.lesson_words import likeness, setup_tokens
from parley.memory.recall import LEAST_LIKENESS, Recall

from .lesson_kit import BEGIN, HORIZON, LessonLog, lesson, setup

WRITERS = {"add", "catch_up", "close", "equals"}
"""What the index has besides its question: they take lessons in, and give none back."""

words = st.fixed_dictionaries(
    {
        "regime": st.sampled_from(["calm", "crisis"]),
        "trend": st.sampled_from([item.value for item in Trend]),
        "level": st.sampled_from([item.value for item in Level]),
    }
)
lessons = st.lists(
    st.builds(
        lambda number, symbol, day, said: lesson(number, symbol, day=day, **said),
        st.integers(1, 12),
        st.sampled_from(["KO", "PG"]),
        st.integers(0, 300),
        words,
    ),
    max_size=40,
    unique_by=lambda item: item.reflection_id,
)


def reference(told: list[Reflection], symbol: str, wanted: Setup, as_of: datetime, limit: int) -> list[Reflection]:
    """The same by plain sorting: most shared words first, then the one written last."""
    asked = setup_tokens(symbol, wanted)
    scored = [
        (likeness(asked, setup_tokens(item.symbol, item.setup)), place, item)
        for place, item in enumerate(told)
        if item.available_at <= as_of
    ]
    chosen: dict[str, Reflection] = {}
    for score, _, item in sorted(scored, key=lambda found: found[:2], reverse=True):
        if score >= LEAST_LIKENESS and len(chosen) < limit:
            chosen.setdefault(item.decision_id, item)
    return list(chosen.values())


@settings(max_examples=40, deadline=None)
@given(lessons, words, st.integers(0, 400), st.integers(1, 5))
def test_what_is_recalled_was_known_and_is_what_plain_sorting_finds(
    told: list[Reflection], said: dict[str, str], day: int, limit: int
):
    as_of, wanted = BEGIN + timedelta(days=day), setup(**said)

    found = Recall(LessonLog(told)).similar({"KO": wanted, "ZZ": wanted}, as_of=as_of, limit=limit)

    assert all(item.available_at <= as_of for group in found.values() for item in group)
    for symbol in ("KO", "ZZ"):
        assert list(found.get(symbol, ())) == reference(told, symbol, wanted, as_of, limit)


@settings(max_examples=30, deadline=None)
@given(lessons, lessons, words, st.integers(0, 300))
def test_lessons_of_the_future_change_nothing_that_was_seen_before_them(
    told: list[Reflection], others: list[Reflection], said: dict[str, str], day: int
):
    as_of, asked = BEGIN + timedelta(days=day), {"KO": setup(**said)}
    future = [item for item in others if item.available_at > as_of]

    before = Recall(LessonLog(told)).similar(asked, as_of=as_of, limit=5)

    assert Recall(LessonLog([*told, *future])).similar(asked, as_of=as_of, limit=5) == before


def test_a_lesson_is_seen_from_the_close_that_made_it_known_and_not_a_moment_earlier():
    recall = Recall(LessonLog([lesson(1, day=0)]))

    known = {
        delay: recall.similar({"KO": setup()}, as_of=BEGIN + HORIZON + timedelta(microseconds=delay), limit=1)
        for delay in (-1, 0)
    }

    assert known[-1] == {} and [item.decision_id for item in known[0]["KO"]] == ["dec-1"]
    assert recall.known(as_of=BEGIN) == () and len(recall.known(as_of=BEGIN + HORIZON)) == 1


def test_the_legs_of_one_decision_are_one_occasion():
    told = [lesson(1, symbol, day=0) for symbol in ("PG", "XOM", "WMT")] + [lesson(2, "PG", day=1)]

    found = Recall(LessonLog(told)).similar({"KO": setup()}, as_of=BEGIN + timedelta(days=60), limit=5)

    assert [item.decision_id for item in found["KO"]] == ["dec-2", "dec-1"]


def test_the_instruments_own_lesson_comes_before_a_newer_one_of_another():
    told = [lesson(1, "KO", day=0), lesson(2, "PG", day=5)]

    found = Recall(LessonLog(told)).similar({"KO": setup()}, as_of=BEGIN + timedelta(days=60), limit=2)

    assert [item.symbol for item in found["KO"]] == ["KO", "PG"]


def test_a_log_that_was_taken_back_shows_less_and_a_log_that_grew_shows_more():
    log = LessonLog([lesson(number) for number in range(1, 400)])
    recall, late = Recall(log), BEGIN + timedelta(days=1000)
    assert len(recall.known(as_of=late)) == 399

    log.place = 3
    assert len(recall.known(as_of=late)) == 3
    assert len(recall.similar({"KO": setup()}, as_of=late, limit=9)["KO"]) == 3

    log.lessons.append(lesson(400))
    log.place = 400
    assert recall.known(as_of=late)[-1] == lesson(400)


def test_there_is_no_question_without_the_moment_it_is_asked_at():
    for kind, others in ((Recall, set[str]()), (LessonIndex, WRITERS)):
        asked = {name: value for name, value in inspect.getmembers(kind, callable) if not name.startswith("_")}
        assert asked.keys() - others, "a type without any question shows nothing"
        for name in asked.keys() - others:
            moment = inspect.signature(asked[name]).parameters.get("as_of")
            assert moment is not None, f"{kind.__name__}.{name} has no as_of"
            assert moment.default is inspect.Parameter.empty, f"{kind.__name__}.{name} can be asked without one"
        open_attributes = [name for name in vars(kind) if not name.startswith("_") and name not in asked]
        assert open_attributes == [], f"{kind.__name__} shows {open_attributes}"
