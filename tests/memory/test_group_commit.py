"""Appends in groups: the same bytes as one by one, nothing lost with the process, and a failure that is told."""

import os
import signal
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.events import Actor, ChildAccepted, NewEvent, OrderFilled, chain_hash
from parley.memory.errors import UnknownPosition
from parley.memory.event_table import body_of, row_of, seal
from parley.memory.group_commit import entry_of
from parley.memory.log import EventLog
from parley.memory.verify import verify_log
from parley.memory.views import ReadModels
from parley.storage.errors import StoreUnwritable
from parley.storage.journal import Journal
from parley.storage.sql import SqliteDatabase, open_in_memory, open_sqlite


def opened(path: Path) -> tuple[EventLog, ReadModels]:
    database = open_sqlite(path)
    views = ReadModels(database)
    return EventLog(database, views, recorded_at=lambda: "noted", journal=Journal(path)), views


def facts_of(story: Any) -> list[NewEvent]:
    return [story.started(), *story.session(1), *story.session(2)]


def test_a_group_gives_the_hashes_and_read_models_of_single_appends(story: Any, log_path: Path) -> None:
    facts = facts_of(story)
    single = EventLog(database := open_in_memory(), expected := ReadModels(database))
    for fact in facts:
        single.append([fact])
    log, views = opened(log_path)

    with log.grouped():
        for fact in facts:
            log.append([fact])

    assert log.head() == single.head()
    assert list(log.read()) == list(single.read())
    assert views.digest() == expected.digest()
    log.close()
    assert verify_log(log_path).ok
    assert {path.name for path in log_path.parent.iterdir()} == {log_path.name, f"{log_path.name}.lock"}


def test_inside_a_group_the_log_reads_what_was_appended(story: Any, log_path: Path) -> None:
    log, _ = opened(log_path)

    with log.grouped():
        log.append(facts_of(story)[:9])
        log.append([])

        assert [event.seq for event in log.read()] == list(range(1, 10))
        assert log.last(OrderFilled) is not None


def test_a_batch_inside_a_group_is_undone_alone(story: Any, log_path: Path) -> None:
    facts = facts_of(story)
    log, _ = opened(log_path)

    with log.grouped():
        log.append(facts[:2])
        with pytest.raises(ZeroDivisionError), log.batch():
            log.append(facts[2:4])
            raise ZeroDivisionError
        log.append(facts[2:3])

    assert [event.seq for event in log.read()] == [1, 2, 3]
    log.close()
    assert verify_log(log_path).ok


def test_a_log_in_a_group_is_not_rewound(story: Any, log_path: Path) -> None:
    log, _ = opened(log_path)
    with log.grouped(), pytest.raises(UnknownPosition):
        log.rewind(0)


def test_a_rewalk_in_a_group_is_compared_and_not_doubled(story: Any, log_path: Path) -> None:
    facts = facts_of(story)
    log, _ = opened(log_path)
    log.append(facts[:9])
    log.rewind(4)

    with log.grouped():
        for fact in facts[4:]:
            log.append([fact])

    assert [event.seq for event in log.read()] == list(range(1, len(facts) + 1))


@pytest.mark.parametrize("count", [1, 2, 9, 17])
def test_a_process_killed_in_a_group_loses_no_append(story: Any, log_path: Path, count: int) -> None:
    facts = facts_of(story)
    child = os.fork()
    if child == 0:
        try:
            log, _ = opened(log_path)
            with log.grouped():
                for fact in facts[:count]:
                    log.append([fact])
                os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL

    log, views = opened(log_path)

    assert log.head()[0] == count
    log.append(facts[count:])
    whole = EventLog(database := open_in_memory(), expected := ReadModels(database))
    whole.append(facts)
    assert (log.head(), views.digest()) == (whole.head(), expected.digest())
    log.close()
    assert verify_log(log_path).ok


@pytest.mark.parametrize("kept_bytes", [0, 1, 500, 1500, 2500])
def test_of_a_torn_journal_whole_appends_are_taken_in_and_the_chain_stays_whole(
    story: Any, log_path: Path, kept_bytes: int
) -> None:
    facts = facts_of(story)
    log, _ = opened(log_path)
    log.append(facts[:1])
    journal = Journal(log_path)
    previous = log.head()[1]
    with_causes = EventLog(open_in_memory())
    for event, fact in zip(list(with_causes.append(facts))[1:], facts[1:], strict=True):
        row, body = seal(fact, event.id, event.cause_id, event.seq, event.version, previous)
        previous = row[-1]
        journal.write(b"noted %b %b" % (previous.encode(), body))
    log.close()
    tail = Path(f"{log_path}-tail0")
    os.truncate(tail, kept_bytes)
    whole_lines = tail.read_bytes().count(b"\n")

    log, _ = opened(log_path)

    assert log.head()[0] == 1 + whole_lines
    log.close()
    assert verify_log(log_path).ok


def test_a_record_that_was_changed_is_not_taken_in(story: Any, log_path: Path) -> None:
    log, _ = opened(log_path)
    with log.grouped():
        log.append(facts_of(story)[:3])
        kept = {path: path.read_bytes() for path in log_path.parent.glob("*-tail*")}
    log.close()
    log_path.unlink()
    for path, content in kept.items():
        assert b"story" in content
        path.write_bytes(content.replace(b"story", b"stery"))

    log, _ = opened(log_path)

    assert log.head()[0] == 0


def test_a_record_that_follows_another_head_is_not_taken_in(story: Any, log_path: Path) -> None:
    facts = facts_of(story)
    log, _ = opened(log_path)
    log.append(facts[:1])
    log.close()
    row, body = seal(facts[1], "evt-2", None, 2, 1, "f" * 64)
    Journal(log_path).write(entry_of(row, body, "noted"))

    log, _ = opened(log_path)

    assert log.head()[0] == 1


def test_a_disk_that_fails_is_told_to_the_next_append_and_the_journal_keeps_it(
    story: Any, log_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = facts_of(story)
    log, _ = opened(log_path)

    def fails(self: SqliteDatabase) -> None:
        raise StoreUnwritable("the disk is full")

    with pytest.raises(StoreUnwritable, match="could not be stored"), log.grouped():
        log.append(facts[:3])
        monkeypatch.setattr(SqliteDatabase, "commit", fails)
        with pytest.raises(StoreUnwritable):
            list(log.read())
        with pytest.raises(StoreUnwritable, match="could not be stored"):
            log.append(facts[3:4])
    monkeypatch.undo()
    assert log.head()[0] == 0
    log.close()

    log, _ = opened(log_path)

    assert log.head()[0] == 3


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(1, 16), max_size=4), text=st.text(min_size=1, max_size=8))
def test_any_division_into_appends_gives_the_same_chain(story: Any, cuts: list[int], text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    facts = [story.fact(fact.payload, stream=text) for fact in facts_of(story)]
    whole = EventLog(open_in_memory())
    whole.append(facts)
    log = EventLog(open_in_memory())

    with log.grouped():
        places = [0, *sorted(cuts), len(facts)]
        for start, stop in pairwise(places):
            log.append(facts[start:stop])

    assert log.head() == whole.head()


def test_a_sealed_body_gives_its_row_back(story: Any) -> None:
    for number, fact in enumerate(facts_of(story), 1):
        row, body = seal(fact, f"evt-{number}", "evt-cause", number, 1, "0" * 64)

        assert row_of(body, row[-1]) == row


ODD_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(["%s", "100 %", "%%d", '"'])


@settings(max_examples=50, deadline=None)
@given(ODD_TEXT, ODD_TEXT, st.none() | ODD_TEXT, st.none() | ODD_TEXT, st.none() | ODD_TEXT, ODD_TEXT)
def test_a_fact_is_sealed_with_the_hash_of_its_definition_whatever_its_names(
    stream: str, run_id: str, decision_id: str | None, order_id: str | None, cause_id: str | None, detail: str
) -> None:
    fact = NewEvent(
        stream=stream,
        event_time=datetime(2024, 1, 2, 9, 30, tzinfo=timezone(timedelta(hours=-5))),
        actor=Actor(kind="user", name=stream, detail=detail),
        payload=ChildAccepted(client_order_id=run_id, order_id=stream),
        run_id=run_id,
        decision_id=decision_id,
        order_id=order_id,
    )

    row, _ = seal(fact, "evt-1", cause_id, 7, 3, "0" * 64)

    body = body_of(row)
    assert row[-1] == chain_hash("0" * 64, {name: body[name] for name in body if name != "prev_hash"})
    assert (body["event_time"], body["stream"], body["cause_id"]) == ("2024-01-02T14:30:00Z", stream, cause_id)
    assert body["actor"] == {"kind": "user", "name": stream, "detail": detail}
