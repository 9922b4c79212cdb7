"""The book: where runs are found, what is set aside, and what is never touched."""

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from parley.desk.book import Book, RunFolder, has_begun, is_finished, open_log
from parley.desk.errors import BookError, RunUnknown
from parley.domain.events import Actor, NewEvent, Payload, RunFinished
from parley.storage.errors import StoreCorrupt, StoreLocked


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path / "book")


def begin(book: Book, run_id: str, *payloads: Payload) -> RunFolder:
    folder = book.create(run_id)
    now = datetime(2020, 1, 2, tzinfo=UTC)
    with open_log(folder) as (log, _):
        for payload in payloads:
            actor = Actor(kind="desk", name="test")
            log.append([NewEvent(stream="run", event_time=now, actor=actor, payload=payload, run_id=run_id)])
    return folder


def finished(run_id: str) -> RunFinished:
    counts = dict.fromkeys(("sessions", "decisions", "orders", "fills", "vetoes", "abstentions", "llm_calls"), 0)
    return RunFinished.model_validate({"run_id": run_id, "equity": 1, **counts})


def test_looking_creates_nothing(book: Book) -> None:
    assert book.runs() == ()
    with pytest.raises(RunUnknown, match="no run in"):
        book.latest()
    with pytest.raises(RunUnknown):
        book.find("run-1")

    assert not book.path.exists()


def test_the_latest_run_is_the_one_begun_last(book: Book) -> None:
    begin(book, "run-b", finished("run-b"))
    begin(book, "run-a", finished("run-a"))

    assert book.latest().run_id == "run-a"
    assert book.find(None).run_id == "run-a"
    assert [folder.run_id for folder in book.runs()] == ["run-a", "run-b"]


def test_a_run_is_found_by_the_beginning_of_its_name_when_only_one_has_it(book: Book) -> None:
    for name in ("run-abc", "run-abd", "run-ab"):
        begin(book, name, finished(name))

    assert book.find("run-abc").run_id == "run-abc"
    assert book.find("run-ab").run_id == "run-ab"
    with pytest.raises(RunUnknown, match="names 3 runs") as caught:
        book.find("run")
    assert "run-abd" in caught.value.remedy


def test_an_earlier_start_of_the_same_run_is_kept_under_a_number(book: Book) -> None:
    begin(book, "run-1", finished("run-1"))
    (book.run_folder("run-1").path / "note").write_text("mine")

    begin(book, "run-1")
    book.create("run-1")

    assert (book.path / "runs" / "run-1.1" / "note").read_text() == "mine"
    assert (book.path / "runs" / "run-1.2" / "log.db").exists()
    assert not book.run_folder("run-1").exists


def test_a_damaged_log_is_set_aside_as_it_is(book: Book) -> None:
    folder = begin(book, "run-1")
    folder.log_path.write_bytes(b"not a database at all")

    book.create("run-1")

    assert (book.path / "runs" / "run-1.1" / "log.db").read_bytes() == b"not a database at all"


@pytest.fixture
def writer_elsewhere(book: Book) -> Iterator[int]:
    """Another process that holds the log of run-1 open."""
    begin(book, "run-1", finished("run-1"))
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        with open_log(book.run_folder("run-1")):
            os.write(writing, b"!")
            signal.pause()
    os.read(reading, 1)
    yield child
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(reading)
    os.close(writing)


def test_a_log_is_never_moved_away_from_under_its_writer(book: Book, writer_elsewhere: int) -> None:
    with pytest.raises(StoreLocked, match=str(writer_elsewhere)):
        book.create("run-1")

    assert [folder.run_id for folder in book.runs()] == ["run-1"]


def test_no_second_desk_takes_the_place_of_one_that_works(book: Book, writer_elsewhere: int) -> None:
    with pytest.raises(StoreLocked, match=str(writer_elsewhere)) as begun:
        book.create("run-2")
    with pytest.raises(StoreLocked):
        book.take_up(book.run_folder("run-2"))
    book.create("run-3", is_desk=False)
    book.take_up(book.run_folder("run-1"))

    assert "another with --book" in begun.value.remedy
    assert book.operated().run_id == "run-1"
    assert not book.run_folder("run-2").path.exists()


def test_when_the_desk_has_ended_another_run_takes_its_place(book: Book) -> None:
    begin(book, "run-1", finished("run-1"))
    begin(book, "run-2", finished("run-2"))

    assert book.operated().run_id == "run-2"


def test_a_book_under_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(BookError, match="cannot be written") as caught:
        Book(tmp_path / "file" / "book").create("run-1")

    assert "--book" in caught.value.remedy
    assert (tmp_path / "file").read_text() == "x"


def test_a_run_has_begun_with_its_first_event_and_ended_with_its_last(book: Book) -> None:
    folder = book.create("run-1")
    assert (has_begun(folder), is_finished(folder)) == (False, False)

    folder.log_path.touch()
    assert (has_begun(folder), is_finished(folder)) == (False, False)

    folder = begin(book, "run-2", finished("run-2"))
    assert (has_begun(folder), is_finished(folder)) == (True, True)


def test_a_file_that_is_no_log_is_no_run_that_merely_has_not_begun(book: Book) -> None:
    folder = book.create("run-1")
    folder.log_path.write_bytes(b"not a database at all" * 100)

    with pytest.raises(StoreCorrupt):
        has_begun(folder)


def test_reading_a_closed_log_leaves_no_trace_beside_it(book: Book) -> None:
    folder = begin(book, "run-1", finished("run-1"))
    before = {path.name: path.read_bytes() for path in folder.path.iterdir()}

    with open_log(folder, readonly=True) as (log, _):
        assert log.head()[0] == 1

    assert {path.name: path.read_bytes() for path in folder.path.iterdir()} == before
    assert set(before) == {"log.db", "log.db.lock"}
