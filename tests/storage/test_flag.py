"""The kill flag: up when its file is there, whatever the file says."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from parley.storage.errors import StoreUnwritable
from parley.storage.flag import FlagNote, KillFlag

NOTE = FlagNote("ann", "smoke", "2026-01-02T03:04:05.000+00:00")


@pytest.fixture
def flag(tmp_path: Path) -> KillFlag:
    return KillFlag(tmp_path / "book" / "HALT")


def test_it_is_down_until_hoisted_and_up_until_lowered(flag: KillFlag) -> None:
    assert not flag.is_raised
    assert flag.read() is None

    assert flag.hoist(NOTE) == NOTE
    assert flag.is_raised
    assert flag.read() == NOTE

    flag.lower()
    flag.lower()
    assert not flag.is_raised


def test_the_first_reason_stands_when_it_is_raised_twice(flag: KillFlag) -> None:
    flag.hoist(NOTE)

    assert flag.hoist(FlagNote("bob", "also smoke", "later")) == NOTE
    assert flag.read() == NOTE
    assert [path.name for path in flag.path.parent.iterdir()] == ["HALT"], "nothing half-written stays"


def test_only_the_flag_that_was_shown_is_taken_down(flag: KillFlag) -> None:
    later = FlagNote("bob", "also smoke", "later")
    assert flag.lower(NOTE), "nothing is up, and its folder is not there"
    flag.hoist(later)

    assert not flag.lower(NOTE)
    assert flag.read() == later
    assert flag.lower(later)
    assert not flag.is_raised


def test_of_many_who_lower_the_same_flag_none_takes_down_the_next_one(flag: KillFlag) -> None:
    later = FlagNote("bob", "also smoke", "later")
    for _ in range(50):
        flag.hoist(NOTE)
        with ThreadPoolExecutor(4) as people:
            done = [people.submit(flag.lower, NOTE) for _ in range(6)]
            while flag.is_raised and not all(item.done() for item in done):
                pass
            flag.hoist(later)
        assert flag.read() == later
        flag.lower()


@pytest.mark.parametrize("content", [b"", b"garbage", b"[]", b'{"by": "ann"}', b"\xff\xfe"])
def test_a_file_that_says_nothing_is_a_raised_flag_all_the_same(flag: KillFlag, content: bytes) -> None:
    flag.path.parent.mkdir()
    flag.path.write_bytes(content)

    assert flag.is_raised
    note = flag.read()
    assert note is not None
    assert note.by == "unknown"


def test_what_cannot_be_looked_at_counts_as_raised(tmp_path: Path) -> None:
    (tmp_path / "book").write_text("a file where a folder is expected")

    assert KillFlag(tmp_path / "book" / "HALT").is_raised


def test_a_full_disk_leaves_an_empty_flag_which_counts(flag: KillFlag, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    flag.hoist(NOTE)

    assert flag.is_raised
    assert flag.path.read_bytes() == b""


def test_a_flag_that_cannot_be_raised_says_what_else_there_is(tmp_path: Path) -> None:
    (tmp_path / "book").write_text("a file where a folder is expected")

    with pytest.raises(StoreUnwritable) as caught:
        KillFlag(tmp_path / "book" / "HALT").hoist(NOTE)

    assert ".lock" in caught.value.remedy
