"""The journal: records survive the process, torn ones do not count, and the two files take turns."""

import os
import resource
from pathlib import Path

import pytest
from parley.storage.errors import StoreUnwritable
from parley.storage.journal import Journal, sync_file


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
    os.truncate(file, file.stat().st_size - 1)

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


def test_half_a_record_is_taken_back_so_that_the_next_one_stands_alone(beside: Path) -> None:
    journal, room = Journal(beside), resource.getrlimit(resource.RLIMIT_FSIZE)
    journal.write(b"one")
    resource.setrlimit(resource.RLIMIT_FSIZE, (6, room[1]))  # of a disk that has two bytes left
    try:
        with pytest.raises(StoreUnwritable, match="2 of 4 bytes"):
            journal.write(b"two")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, room)
    journal.write(b"three")
    journal.close()

    assert Journal(beside).records() == [b"one", b"three"]
