"""The audit of calls: whole, chained, shared by several writers, and mended after a torn line."""

import json
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
