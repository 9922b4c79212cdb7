"""The journal: records survive the process, torn ones do not count, and the two files take turns."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from parley.storage.errors import StoreUnwritable
from parley.storage.journal import ROOM_BYTES, Journal, sync_file


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


def test_records_are_there_for_the_next_process_as_soon_as_they_are_written(beside: Path) -> None:
    journal = Journal(beside)

    journal.write(b"one")
    journal.write("zwei ☂".encode())

    assert Journal(beside).records() == [b"one", "zwei ☂".encode()]


def test_a_last_line_without_its_end_was_never_written(beside: Path) -> None:
    journal = Journal(beside)
    journal.write(b"whole")
    journal.write(b"torn")
    file = next(path for path in beside.parent.iterdir() if path.stat().st_size)
    os.truncate(file, len(b"whole\ntorn"))

    assert Journal(beside).records() == [b"whole"]


def test_clearing_the_other_file_leaves_what_came_after_the_turn(beside: Path) -> None:
    journal = Journal(beside)
    journal.write(b"before")
    journal.turn()
    journal.write(b"after")

    journal.clear_other()

    assert Journal(beside).records() == [b"after"]


def test_a_journal_that_was_stored_leaves_no_file(beside: Path) -> None:
    journal = Journal(beside)
    journal.write(b"one")

    journal.remove()

    assert list(beside.parent.iterdir()) == []
    assert journal.records() == []


def test_a_folder_that_is_not_there_is_unwritable_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreUnwritable, match="can't write here"):
        Journal(tmp_path / "nowhere" / "log.db").write(b"one")


def test_syncing_what_is_not_there_has_nothing_to_lose(tmp_path: Path) -> None:
    sync_file(tmp_path / "nothing")

    assert list(tmp_path.iterdir()) == []


@contextmanager
def disk_that_ends_at(size: int) -> Iterator[None]:
    room = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, room[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, room)


def test_a_disk_without_room_takes_no_record_and_what_was_written_stays(beside: Path) -> None:
    journal = Journal(beside)
    journal.write(b"one")
    file = next(path for path in beside.parent.iterdir())

    with disk_that_ends_at(ROOM_BYTES + 100):
        with pytest.raises(StoreUnwritable, match="can't write here"):
            journal.write(b"x" * ROOM_BYTES)
        journal.write(b"two")
        assert file.stat().st_size == ROOM_BYTES
    journal.write(b"x" * ROOM_BYTES)
    journal.close()

    assert Journal(beside).records() == [b"one", b"two", b"x" * ROOM_BYTES]


def test_a_disk_that_is_full_from_the_start_is_told_at_the_first_record(beside: Path) -> None:
    with disk_that_ends_at(ROOM_BYTES - 1), pytest.raises(StoreUnwritable, match="can't write here"):
        Journal(beside).write(b"one")

    assert Journal(beside).records() == []
    assert all(path.stat().st_size == 0 for path in beside.parent.iterdir())


def test_what_a_record_may_fill_is_on_the_disk_and_no_hole(beside: Path) -> None:
    Journal(beside).write(b"one")

    file = next(path for path in beside.parent.iterdir())
    assert file.stat().st_blocks * 512 >= file.stat().st_size == ROOM_BYTES


def test_a_journal_goes_on_behind_the_whole_lines_that_another_left(beside: Path) -> None:
    journal = Journal(beside)
    journal.write(b"whole")
    journal.write(b"torn and long")
    journal.close()
    os.truncate(next(path for path in beside.parent.iterdir()), len(b"whole\ntorn and"))

    journal.write(b"new")

    assert Journal(beside).records() == [b"whole", b"new"]


def test_a_file_that_was_cleared_is_written_again_from_its_start(beside: Path) -> None:
    journal = Journal(beside)
    for number in range(4):
        journal.write(b"a long one, number %d" % number)
        journal.turn()
        journal.clear_other()
    journal.write(b"short")

    assert Journal(beside).records() == [b"short"]
