"""The inbox: every message whole, in order, and settled once; what is none is set aside and told."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.storage.errors import StoreUnwritable
from parley.storage.inbox import MAX_BYTES, Inbox


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "inbox")


def test_an_inbox_that_nobody_wrote_to_is_empty_and_makes_no_folder(inbox: Inbox) -> None:
    assert inbox.waiting() == ((), ())
    assert not inbox.folder.exists()


def test_messages_come_in_the_order_they_were_put_and_until_they_are_settled(inbox: Inbox) -> None:
    ids = [inbox.put({"number": number}) for number in range(12)]

    assert [note.content["number"] for note in inbox.waiting()[0]] == list(range(12))
    for note_id in ids[:11]:
        inbox.settle(note_id)
    inbox.settle(ids[0])
    assert [note.note_id for note in inbox.waiting()[0]] == ids[11:]


def test_an_id_is_never_given_twice_even_when_the_inbox_is_empty_again(inbox: Inbox) -> None:
    first = inbox.put({})
    inbox.settle(first)
    second = inbox.put({})
    inbox.reject(second, "no")

    assert len({first, second, inbox.put({})}) == 3


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"7", b"\xff", b" " * (MAX_BYTES + 1), b"[" * 50_000])
def test_a_bad_file_is_set_aside_with_the_reason_and_told_once(inbox: Inbox, content: bytes) -> None:
    inbox.put({"good": 1})
    (inbox.folder / "new" / "00000009.json").write_bytes(content)

    notes, bad = inbox.waiting()

    assert [note.content for note in notes] == [{"good": 1}]
    assert [(item.note_id, item.kept_at.read_bytes()) for item in bad] == [("00000009", content)]
    assert bad[0].reason
    assert inbox.waiting()[1] == ()


def test_a_file_that_is_still_being_written_is_not_seen(inbox: Inbox) -> None:
    inbox.put({})
    (inbox.folder / "new" / ".half").write_text("{")

    assert len(inbox.waiting()[0]) == 1
    assert inbox.waiting()[1] == ()


def test_an_inbox_that_cannot_be_written_says_that_the_flag_still_works(tmp_path: Path) -> None:
    (tmp_path / "book").write_text("a file where a folder is expected")

    with pytest.raises(StoreUnwritable) as caught:
        Inbox(tmp_path / "book" / "inbox").put({})

    assert "parley halt" in caught.value.remedy


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["put", "settle", "reject"]), max_size=25))
def test_nothing_is_lost_and_nothing_comes_twice(tmp_path_factory: pytest.TempPathFactory, steps: list[str]) -> None:
    inbox, model, number = Inbox(tmp_path_factory.mktemp("inbox")), list[int](), 0

    for step in steps:
        if step == "put":
            number += 1
            inbox.put({"number": number})
            model.append(number)
        elif model:
            note = inbox.waiting()[0][0]
            model.pop(0)
            inbox.settle(note.note_id) if step == "settle" else inbox.reject(note.note_id, "no")

    assert [note.content["number"] for note in inbox.waiting()[0]] == model
