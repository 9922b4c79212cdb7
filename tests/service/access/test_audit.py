"""The audit of calls: whole, chained, shared by several writers, and mended after a torn line."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from parley.service.access.audit import Audit, Call, read_calls
from parley.service.access.errors import AuditBroken


def _call(action: str) -> Call:
    return Call("2026-01-02T03:04:05.000+00:00", "ada", "admin", "token", "127.0.0.1", action, 200, "", "r1")


def _file(book: Path) -> Path:
    return book / "access" / "calls.jsonl"


def test_calls_come_back_in_their_order_from_two_writers(tmp_path: Path) -> None:
    first, second = Audit(tmp_path), Audit(tmp_path)

    for number in range(6):
        (first, second)[number % 2].record(_call(f"GET /{number}"))

    assert [call["action"] for call in read_calls(tmp_path)] == [f"GET /{number}" for number in range(6)]
    assert _file(tmp_path).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("change", ["edit", "drop", "swap"])
def test_a_line_that_was_changed_is_found(tmp_path: Path, change: str) -> None:
    audit = Audit(tmp_path)
    for number in range(4):
        audit.record(_call(f"GET /{number}"))
    lines = _file(tmp_path).read_text().splitlines()
    if change == "edit":
        lines[1] = json.dumps({**json.loads(lines[1]), "user": "eve"}, separators=(",", ":"))
    elif change == "drop":
        del lines[1]
    else:
        lines[1], lines[2] = lines[2], lines[1]
    _file(tmp_path).write_text("\n".join(lines) + "\n")

    with pytest.raises(AuditBroken):
        list(read_calls(tmp_path))


def test_a_line_torn_by_a_power_cut_is_cut_away_and_the_rest_goes_on(tmp_path: Path) -> None:
    Audit(tmp_path).record(_call("GET /0"))
    with _file(tmp_path).open("a") as file:
        file.write('{"at": "2026')

    assert len(list(read_calls(tmp_path))) == 1
    Audit(tmp_path).record(_call("GET /1"))
    assert [call["action"] for call in read_calls(tmp_path)] == ["GET /0", "GET /1"]


def test_what_a_caller_writes_can_neither_end_a_line_nor_fill_the_disk(tmp_path: Path) -> None:
    Audit(tmp_path).record(_call('GET /\n{"user": "eve"}\u2028' + "x" * 10_000))

    (call,) = read_calls(tmp_path)
    assert call["user"] == "ada" and len(call["action"]) == 300
    assert _file(tmp_path).read_text().count("\n") == 1


def _moved(book: Path, old: Path) -> list[str]:
    """The actions of a file that was put elsewhere, held to its chain."""
    (old / "access").mkdir(parents=True)
    _file(book).rename(_file(old))
    return [call["action"] for call in read_calls(old)]


def test_the_file_is_opened_once_for_many_calls(tmp_path: Path) -> None:
    audit = Audit(tmp_path)

    opened = set[int]()
    for number in range(5):
        audit.record(_call(f"GET /{number}"))
        opened |= {int(name) for name in os.listdir("/proc/self/fd") if _is_file_at(int(name), _file(tmp_path))}

    assert len(opened) == 1
    audit.close()
    audit.record(_call("GET /5"))
    assert len(list(read_calls(tmp_path))) == 6


def _is_file_at(number: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(number), path.stat())
    except OSError:
        return False


@pytest.mark.parametrize("fate", ["moved", "deleted", "cut"])
def test_a_file_moved_away_deleted_or_cut_under_the_writer_loses_no_later_call(tmp_path: Path, fate: str) -> None:
    book, audit = tmp_path / "book", Audit(tmp_path / "book")
    for number in range(3):
        audit.record(_call(f"GET /{number}"))

    if fate == "moved":
        assert _moved(book, tmp_path / "old") == ["GET /0", "GET /1", "GET /2"]
    elif fate == "deleted":
        _file(book).unlink()
    else:
        os.truncate(_file(book), 0)
    audit.record(_call("GET /3"))
    audit.record(_call("GET /4"))

    assert [call["action"] for call in read_calls(book)] == ["GET /3", "GET /4"]


@pytest.mark.parametrize("is_cut", [False, True])
def test_another_file_of_the_same_length_is_not_taken_for_the_one_that_was(tmp_path: Path, is_cut: bool) -> None:
    book, audit = tmp_path / "book", Audit(tmp_path / "book")
    audit.record(_call("GET /0"))
    length = _file(book).stat().st_size
    if is_cut:
        os.truncate(_file(book), 0)
    else:
        _moved(book, tmp_path / "old")
    Audit(book).record(_call("GET /1"))
    assert _file(book).stat().st_size == length

    audit.record(_call("GET /2"))

    assert [call["action"] for call in read_calls(book)] == ["GET /1", "GET /2"]


def test_while_many_threads_write_and_the_file_is_rotated_every_call_is_in_one_of_the_files(tmp_path: Path) -> None:
    book, audits = tmp_path / "book", (Audit(tmp_path / "book"), Audit(tmp_path / "book"))
    found = list[str]()

    def write(writer: int) -> None:
        for number in range(40):
            audits[writer % 2].record(_call(f"GET /{writer}/{number}"))

    with ThreadPoolExecutor(6) as pool:
        done = [pool.submit(write, writer) for writer in range(6)]
        rotation = 0
        while not all(one.done() for one in done):
            if _file(book).exists():
                rotation += 1
                # A call that was under way goes into the file where it lies now.
                (tmp_path / f"old{rotation}" / "access").mkdir(parents=True)
                _file(book).rename(_file(tmp_path / f"old{rotation}"))
        for one in done:
            one.result()
    for place in (book, *(tmp_path / f"old{number}" for number in range(1, rotation + 1))):
        found += [call["action"] for call in read_calls(place)]

    assert rotation > 0
    assert sorted(found) == sorted(f"GET /{writer}/{number}" for writer in range(6) for number in range(40))
