"""Resuming a run: known events are compared, new ones written, different ones named."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.memory.errors import ConcurrentWrite, DivergedLog, UnknownPosition
from parley.memory.history import last_session_boundary, portfolio_at
from parley.memory.log import EventLog
from parley.memory.verify import verify_log
from parley.memory.views import ReadModels
from parley.storage.sql import open_in_memory


def test_the_same_events_again_are_accepted_and_not_doubled(story: Any, open_log: Any, log_path: Path) -> None:
    log, views = open_log(log_path)
    first = tuple(log.append([story.started(), *story.session(1), *story.session(2)]))
    digest = views.digest()
    log.rewind(9)

    again = tuple(log.append(story.session(2)))

    assert again == first[9:]
    assert not log.is_rewalking
    assert log.head() == (17, first[-1].hash)
    assert views.digest() == digest
    log.close()
    assert verify_log(log_path).events == 17


def test_past_the_old_head_the_log_writes_again(story: Any, open_log: Any, log_path: Path) -> None:
    log, views = open_log(log_path)
    log.append([story.started(), *story.session(1), *story.session(2)[:4]])
    log.rewind(9)

    with log.batch():
        for fact in [*story.session(2), *story.session(3)]:
            log.append([fact])
    log.close()

    whole = EventLog(database := open_in_memory(), expected := ReadModels(database))
    whole.append([story.started(), *story.session(1), *story.session(2), *story.session(3)])
    report = verify_log(log_path)
    log, views = open_log(log_path)
    assert report.ok, report
    assert report.head_hash == whole.head()[1]
    assert views.digest() == expected.digest()


def test_one_append_may_cross_the_old_head(story: Any) -> None:
    log = EventLog(open_in_memory())
    log.append([story.started(), *story.session(1)])
    log.rewind(5)

    log.append([*story.session(1)[4:], *story.session(2)])

    assert log.head()[0] == 17
    assert [event.seq for event in log.read()] == list(range(1, 18))


def test_a_different_event_is_named_with_its_first_different_field(story: Any) -> None:
    log = EventLog(open_in_memory())
    log.append([story.started(), story.decided(1, summary="buy a little")])
    log.rewind(1)

    with pytest.raises(DivergedLog) as caught:
        log.append([story.decided(1, summary="buy a lot")])

    assert caught.value.message == (
        "event 2 (DecisionMade) differs from the recorded one at payload.decision.summary: "
        "'buy a little' is recorded, 'buy a lot' came now"
    )
    assert log.head()[0] == 1


def test_a_different_length_of_a_list_is_named_by_place(story: Any) -> None:
    log = EventLog(open_in_memory())
    log.append([story.started(), story.decided(1, "trade")])
    log.rewind(1)
    other = story.decided(1, "trade")
    decision = other.payload.decision
    longer = decision.model_copy(update={"verdicts": decision.verdicts * 2})

    with pytest.raises(DivergedLog, match=r"payload\.decision\.verdicts\[1\]: 1 items is recorded, 2 items came"):
        log.append([other.model_copy(update={"payload": other.payload.model_copy(update={"decision": longer})})])


def test_a_different_kind_of_event_is_a_divergence(story: Any) -> None:
    log = EventLog(open_in_memory())
    log.append([story.started(), story.marked(1)])
    log.rewind(1)

    with pytest.raises(DivergedLog, match=r"event 2 \(DecisionMade\)"):
        log.append([story.decided(1)])


def test_reading_during_a_rewalk_stops_at_the_writers_place(story: Any) -> None:
    log = EventLog(open_in_memory())
    log.append([story.started(), *story.session(1), *story.session(2)])

    log.rewind(9)

    assert [event.seq for event in log.read(after=7)] == [8, 9]
    assert last_session_boundary(log) == 9
    assert log.version("order-2") == 0
    assert log.is_rewalking


def test_expected_versions_hold_at_the_writers_place(story: Any) -> None:
    log = EventLog(open_in_memory())
    log.append([story.started(), *story.session(1)])
    log.rewind(1)

    with pytest.raises(ConcurrentWrite):
        log.append([story.decided(1)], expected={"run": 3})
    log.append([story.decided(1)], expected={"run": 1})

    assert log.head()[0] == 2


def test_rewind_to_before_the_first_event_walks_everything_again(story: Any) -> None:
    log = EventLog(open_in_memory())
    facts = [story.started(), *story.session(1)]
    head = tuple(log.append(facts))[-1].hash

    log.rewind(0)
    log.append(facts)

    assert log.head() == (9, head)


@pytest.mark.parametrize("seq", [-1, 10])
def test_a_place_the_log_does_not_have_is_refused(story: Any, seq: int) -> None:
    log = EventLog(open_in_memory())
    log.append([story.started(), *story.session(1)])

    with pytest.raises(UnknownPosition, match=r"holds events 1 to 9"):
        log.rewind(seq)


def test_rewind_inside_a_batch_is_refused(story: Any) -> None:
    log = EventLog(open_in_memory())
    log.append([story.started()])

    with pytest.raises(UnknownPosition, match="inside a batch"), log.batch():
        log.rewind(0)


def test_an_error_during_a_rewalk_leaves_the_place_of_the_last_commit(story: Any) -> None:
    log = EventLog(open_in_memory())
    log.append([story.started(), *story.session(1)])
    log.rewind(1)

    with pytest.raises(RuntimeError), log.batch():
        log.append(story.session(1)[:3])
        log.commit()
        log.append(story.session(1)[3:5])
        raise RuntimeError("again")

    assert log.head()[0] == 4
    log.append(story.session(1)[3:])
    assert log.head()[0] == 9


@settings(max_examples=30, deadline=None)
@given(cut=st.integers(0, 25), back=st.integers(0, 25), chunk=st.integers(1, 6))
def test_a_resumed_run_ends_with_the_bytes_of_an_unbroken_one(story: Any, cut: int, back: int, chunk: int) -> None:
    facts = [story.started(), *story.session(1), *story.session(2), *story.session(3)]
    unbroken = EventLog(database := open_in_memory(), views := ReadModels(database))
    unbroken.append(facts)
    resumed = EventLog(other := open_in_memory(), other_views := ReadModels(other))
    resumed.append(facts[:cut])

    resumed.rewind(min(back, cut))
    for start in range(min(back, cut), len(facts), chunk):
        resumed.append(facts[start : start + chunk])

    assert resumed.head() == unbroken.head()
    assert other_views.digest() == views.digest()
    assert other_views.cursors() == views.cursors()
    assert portfolio_at(resumed, 25) == views.portfolio()
