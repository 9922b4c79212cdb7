"""The event log: order, chain, versions, batches, and what it refuses."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.errors import CanonicalError, UnknownEvent
from parley.domain.events import GENESIS_HASH, DecisionMade, OrderFilled, Payload, PortfolioMarked, chain_hash
from parley.memory.errors import BatchLost, BrokenChain, ConcurrentWrite, EmptyLog
from parley.memory.log import EventLog
from parley.memory.verify import verify_log
from parley.memory.views import ReadModels
from parley.storage.errors import StoreRefused, StoreUnwritable
from parley.storage.sql import open_in_memory, open_sqlite


def test_events_are_numbered_from_one_and_each_hashes_the_one_before(story: Any) -> None:
    log = EventLog(open_in_memory())

    first, second, third = log.append([story.started(), *story.session(1)[:2]])

    assert (first.seq, second.seq, third.seq) == (1, 2, 3)
    assert first.prev_hash == GENESIS_HASH
    assert (second.prev_hash, third.prev_hash) == (first.hash, second.hash)
    assert log.head() == (3, third.hash)


def test_the_hash_is_chain_hash_over_every_field_of_the_event_but_the_hash(story: Any) -> None:
    log = EventLog(open_in_memory())

    for event in log.append([story.started(), *story.session(1)]):
        body = event.model_dump(mode="json", exclude={"hash"})
        assert chain_hash(event.prev_hash, body) == event.hash


def test_an_event_read_back_equals_the_one_append_returned(story: Any) -> None:
    log = EventLog(open_in_memory())
    appended = tuple(log.append([story.started(), *story.session(1)]))

    assert tuple(log.read()) == appended


def test_a_payload_comes_back_as_its_own_type(story: Any) -> None:
    log = EventLog(open_in_memory())
    new = story.decided(1)

    (event,) = log.append([new])

    assert event.decoded() == new.payload


def test_versions_count_each_stream_for_itself(story: Any) -> None:
    log = EventLog(open_in_memory())

    events = log.append([story.started(), story.opened(1), story.marked(1), story.submitted(1)])

    assert [(event.stream, event.version) for event in events] == [
        ("run", 1),
        ("order-1", 1),
        ("run", 2),
        ("order-1", 2),
    ]
    assert (log.version("order-1"), log.version("nothing")) == (2, 0)


def test_a_stale_expected_version_is_refused_and_nothing_is_appended(story: Any) -> None:
    log = EventLog(open_in_memory())
    log.append([story.started(), story.opened(1)])
    before = log.head()

    with pytest.raises(ConcurrentWrite, match="order-1 is at version 1, expected 0"):
        log.append([story.marked(1), story.submitted(1)], expected={"order-1": 0})

    assert log.head() == before
    assert len(list(log.read())) == 2


def test_a_right_expected_version_is_accepted(story: Any) -> None:
    log = EventLog(open_in_memory())
    log.append([story.started()])

    log.append([story.opened(1)], expected={"run": 1, "order-1": 0})

    assert log.version("order-1") == 1


def test_reading_filters_by_place_kind_decision_and_order(story: Any) -> None:
    log = EventLog(open_in_memory())
    log.append([story.started(), *story.session(1), *story.session(2)])

    def seqs(**filters: Any) -> list[int]:
        return [event.seq for event in log.read(**filters)]

    assert seqs(after=15) == [16, 17]
    assert seqs(after=3, until=5) == [4, 5]
    assert seqs(limit=2) == [1, 2]
    assert seqs(types=(DecisionMade, PortfolioMarked)) == [2, 9, 10, 17]
    assert seqs(decision_id="dec-2", types=(DecisionMade,)) == [10]
    assert seqs(order_id="ord-1") == [3, 4, 5, 6, 7, 8]
    assert seqs(limit=0) == []


def test_reading_in_pieces_gives_every_event_once(story: Any) -> None:
    log = EventLog(open_in_memory())
    log.append([story.marked(day) for day in range(450)])

    assert [event.seq for event in log.read()] == list(range(1, 451))
    assert [event.seq for event in log.read(limit=350)] == list(range(1, 351))


def test_last_finds_the_newest_of_a_kind(story: Any) -> None:
    log = EventLog(open_in_memory())
    log.append([story.started(), *story.session(1), *story.session(2)])

    found = log.last(OrderFilled)

    assert found is not None and found.seq == 14
    assert EventLog(open_in_memory()).last(OrderFilled) is None


def test_an_event_of_an_open_batch_is_readable_here_and_not_yet_elsewhere(
    story: Any, open_log: Any, log_path: Path
) -> None:
    log, _ = open_log(log_path)
    log.append([story.started()])

    with log.batch():
        log.append([story.opened(1)])
        assert [event.seq for event in log.read()] == [1, 2]
        elsewhere = EventLog(open_sqlite(log_path, readonly=True))
        assert elsewhere.head()[0] == 1
        elsewhere.close()

    assert EventLog(open_sqlite(log_path, readonly=True)).head()[0] == 2


def test_commit_inside_a_batch_makes_its_events_durable_at_once(story: Any, open_log: Any, log_path: Path) -> None:
    log, _ = open_log(log_path)

    with log.batch():
        log.append([story.started()])
        log.commit()
        log.append([story.opened(1)])
        assert EventLog(open_sqlite(log_path, readonly=True)).head()[0] == 1


def test_an_error_inside_a_batch_undoes_what_was_not_committed(story: Any, open_log: Any, log_path: Path) -> None:
    log, views = open_log(log_path)
    log.append([story.started()])
    cash = views.portfolio().cash

    with pytest.raises(RuntimeError, match="the desk stumbled"), log.batch():
        log.append([story.filled(1)])
        log.commit()
        log.append([story.filled(2)])
        raise RuntimeError("the desk stumbled")

    assert log.head()[0] == 2
    assert log.version("order-2") == 0
    assert views.portfolio().cash == cash - 1005 - story.filled(1).payload.fill.fee
    log.append([story.filled(2)])
    log.close()
    assert verify_log(log_path).ok


def test_a_batch_whose_append_failed_takes_no_more_events(story: Any) -> None:
    database = open_in_memory()
    log = EventLog(database, ReadModels(database))

    with pytest.raises(BatchLost, match="undone"), log.batch():
        # A fill before the book has cash can't be folded, so the append fails half-way.
        with pytest.raises(EmptyLog):
            log.append([story.filled(1)])
        log.append([story.started()])

    assert log.head() == (0, GENESIS_HASH)
    assert list(log.read()) == []


def test_a_batch_that_hides_a_failed_append_still_fails(story: Any) -> None:
    database = open_in_memory()
    log = EventLog(database, ReadModels(database))

    with pytest.raises(BatchLost), log.batch(), pytest.raises(EmptyLog):
        log.append([story.filled(1)])

    log.append([story.started()])
    assert log.head()[0] == 1


def test_an_inner_batch_commits_with_the_outer_one(story: Any, open_log: Any, log_path: Path) -> None:
    log, _ = open_log(log_path)

    with log.batch():
        with log.batch():
            log.append([story.started()])
        assert EventLog(open_sqlite(log_path, readonly=True)).head()[0] == 0

    assert EventLog(open_sqlite(log_path, readonly=True)).head()[0] == 1


@pytest.mark.parametrize("verb", ["UPDATE events SET payload = '{}'", "DELETE FROM events"])
def test_the_table_refuses_changes(story: Any, verb: str) -> None:
    database = open_in_memory()
    EventLog(database).append([story.started()])

    with pytest.raises(StoreRefused, match="append-only"):
        database.execute(verb)


def test_replacing_a_row_is_refused_too(story: Any, open_log: Any, log_path: Path) -> None:
    log, _ = open_log(log_path)
    log.append([story.started()])
    log.close()
    database = open_sqlite(log_path)

    with pytest.raises(StoreRefused, match="append-only"):
        database.execute("INSERT OR REPLACE INTO events SELECT * FROM events")


def test_the_payload_is_stored_exactly_as_it_was_hashed(story: Any, open_log: Any, log_path: Path) -> None:
    log, _ = open_log(log_path)
    log.append([story.started()])
    log.close()

    (stored,) = sqlite3.connect(log_path).execute("SELECT payload FROM events").fetchone()

    assert stored.startswith('{"cash":"100000","data":"tiny"')
    assert '"note":"naïve ☂"' in stored


def test_wall_time_is_noted_beside_the_event_and_not_in_its_hash(story: Any) -> None:
    plain, timed = open_in_memory(), open_in_memory()
    ticks = iter(["2030-01-01T00:00:00Z", "2030-01-01T00:00:01Z"])

    EventLog(plain).append([story.started()])
    EventLog(timed, recorded_at=lambda: next(ticks)).append([story.started()])

    assert timed.rows("SELECT recorded_at FROM events") == [("2030-01-01T00:00:00Z",)]
    assert plain.rows("SELECT hash FROM events") == timed.rows("SELECT hash FROM events")


def test_a_log_opened_again_goes_on_where_it_was(story: Any, open_log: Any, log_path: Path) -> None:
    log, _ = open_log(log_path)
    log.append([story.started(), *story.session(1)])
    head = log.head()
    log.close()

    log, _ = open_log(log_path)

    assert log.head() == head
    assert log.version("order-1") == 6
    log.append(story.session(2))
    log.close()
    assert verify_log(log_path).ok


def test_a_damaged_last_event_is_refused_at_open(story: Any, open_log: Any, log_path: Path) -> None:
    log, _ = open_log(log_path)
    log.append([story.started()])
    log.close()
    raw = sqlite3.connect(log_path)
    raw.execute("DROP TRIGGER events_no_update")
    raw.execute("UPDATE events SET payload = 'not json'")
    raw.commit()
    raw.close()

    with pytest.raises(BrokenChain, match="event 1, the last one") as caught:
        open_log(log_path)

    assert "parley verify" in caught.value.remedy


def test_a_read_only_log_reads_and_takes_nothing(story: Any, open_log: Any, log_path: Path) -> None:
    log, _ = open_log(log_path)
    log.append([story.started()])
    log.close()
    reader = EventLog(open_sqlite(log_path, readonly=True))

    with pytest.raises(StoreUnwritable):
        reader.append([story.marked(1)])

    assert len(list(reader.read())) == 1


def test_a_read_only_database_without_a_log_is_named(tmp_path: Path) -> None:
    open_sqlite(tmp_path / "other.db").close()

    with pytest.raises(EmptyLog, match=r"other\.db: holds no event log"):
        EventLog(open_sqlite(tmp_path / "other.db", readonly=True))


def test_a_payload_nobody_could_read_back_is_refused(story: Any) -> None:
    class Rumor(Payload):
        text: str

    log = EventLog(open_in_memory())

    with pytest.raises(UnknownEvent, match="Rumor"):
        log.append([story.started(), story.fact(Rumor(text="up"))])

    assert log.head()[0] == 0


def test_a_nan_that_slipped_past_validation_is_refused_before_anything_is_written(story: Any) -> None:
    log = EventLog(open_in_memory())
    sound = story.marked(1)
    spoiled = sound.payload.model_copy(update={"gross": float("nan")})

    with pytest.raises(CanonicalError, match="no canonical JSON form"):
        log.append([story.started(), sound.model_copy(update={"payload": spoiled})])

    assert log.head()[0] == 0


def test_a_full_disk_refuses_the_append_and_keeps_the_log_sound(story: Any, log_path: Path) -> None:
    database = open_sqlite(log_path)
    log = EventLog(database, ReadModels(database))
    log.append([story.started(), *story.session(1)])
    (pages,) = database.rows("PRAGMA page_count")[0]
    database.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StoreUnwritable, match="full"):
        log.append([story.decided(number, summary="x" * 2000) for number in range(2, 20)])

    assert log.head()[0] == 9
    database.execute(f"PRAGMA max_page_count = {pages * 100}")
    log.append(story.session(2))
    log.close()
    assert verify_log(log_path).events == 17
    assert verify_log(log_path).ok


def test_an_empty_append_changes_nothing(story: Any) -> None:
    log = EventLog(open_in_memory())
    log.append([story.started()])
    head = log.head()

    assert not list(log.append([]))
    assert log.head() == head


def test_two_logs_of_the_same_facts_have_the_same_head(story: Any) -> None:
    heads = set()
    for chunk in (1, 3, 9):
        log = EventLog(open_in_memory())
        facts = [story.started(), *story.session(1)]
        for start in range(0, len(facts), chunk):
            log.append(facts[start : start + chunk])
        heads.add(log.head())

    assert len(heads) == 1


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 6), st.booleans(), st.text(max_size=20), st.integers(1, 5)), min_size=1, max_size=8
    )
)
def test_any_sequence_of_appends_gives_a_log_that_verifies(
    story: Any, open_log: Any, tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[int, bool, str, int]]
) -> None:
    path = tmp_path_factory.mktemp("any") / "book.db"
    log, _ = open_log(path)
    log.append([story.started()])
    for index, (number, in_batch, summary, quantity) in enumerate(moves):
        facts = [story.decided(number, "no_trade", summary), story.filled(index, quantity)]
        if in_batch:
            with log.batch():
                for fact in facts:
                    log.append([fact])
        else:
            log.append(facts)
    head = log.head()
    log.close()

    report = verify_log(path)

    assert report.ok, report
    assert (report.events, report.head_hash) == head
    assert report.events == 1 + 2 * len(moves)
