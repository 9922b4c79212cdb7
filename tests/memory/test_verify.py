"""Verification: a sound log passes, and whatever was changed is found and named."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from parley import ParleyError
from parley.domain.events import GENESIS_HASH, Event
from parley.memory.errors import EmptyLog
from parley.memory.event_table import COLUMNS
from parley.memory.log import EventLog
from parley.memory.verify import verify_log
from parley.storage.errors import StoreCorrupt, StoreMissing
from parley.storage.sql import open_sqlite

_NAMES = COLUMNS.split(", ")


@dataclass(frozen=True, repr=False)
class Sound:
    """The file of a small closed log, and its events."""

    content: bytes
    events: tuple[Event, ...]


@pytest.fixture(scope="module")
def sound(story: Any, open_log: Any, tmp_path_factory: pytest.TempPathFactory) -> Sound:
    path = tmp_path_factory.mktemp("sound") / "book.db"
    log, _ = open_log(path)
    events = tuple(log.append([story.started(), *story.session(1), *story.session(2)]))
    log.close()
    return Sound(path.read_bytes(), events)


@pytest.fixture
def copied(sound: Sound, log_path: Path) -> Path:
    log_path.write_bytes(sound.content)
    return log_path


def _tampered(path: Path, *statements: str) -> None:
    """Change the file as someone with an SQL shell would, past the triggers."""
    raw = sqlite3.connect(path, isolation_level=None)
    for statement in ("DROP TRIGGER events_no_update", "DROP TRIGGER events_no_delete", *statements):
        raw.execute(statement)
    raw.close()


def test_a_sound_log_passes_with_its_head_and_its_read_models(copied: Path, sound: Sound) -> None:
    report = verify_log(copied)

    assert report.ok
    assert (report.events, report.head_hash) == (17, sound.events[-1].hash)
    assert report.first_bad is None
    names = ("portfolio", "orders", "decisions", "performance", "agent_scores")
    assert report.views == dict.fromkeys(names, True)
    assert report.damage == ""


def test_a_log_without_events_passes(open_log: Any, log_path: Path) -> None:
    open_log(log_path)[0].close()

    report = verify_log(log_path)

    assert (report.ok, report.events, report.head_hash) == (True, 0, GENESIS_HASH)


def test_verifying_does_not_change_the_file(copied: Path, sound: Sound) -> None:
    verify_log(copied)

    assert copied.read_bytes() == sound.content


def test_verifying_works_beside_a_writer(story: Any, open_log: Any, log_path: Path) -> None:
    log, _ = open_log(log_path)
    log.append([story.started(), *story.session(1)])
    with log.batch():
        log.append(story.session(2))
        report = verify_log(log_path)

    assert (report.ok, report.events) == (True, 9)


def test_progress_is_reported_up_to_the_total(copied: Path) -> None:
    calls: list[tuple[int, int]] = []

    verify_log(copied, on_progress=lambda done, total: calls.append((done, total)))

    assert calls[-1] == (17, 17)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE events SET payload = replace(payload, '10.05', '10.04') WHERE seq = 6", "does not hash"),
        ("UPDATE events SET payload = payload || ' ' WHERE seq = 6", "not in canonical form"),
        ("UPDATE events SET payload = '{' WHERE seq = 6", "not JSON"),
        ("UPDATE events SET payload = '{\"x\":NaN}' WHERE seq = 6", "not JSON"),
        ("UPDATE events SET actor = replace(actor, 'story', 'glory') WHERE seq = 6", "does not hash"),
        ("UPDATE events SET type = 'OrderOpened' WHERE seq = 6", "does not hash"),
        ("UPDATE events SET event_time = '2024-01-02T21:00:01Z' WHERE seq = 6", "does not hash"),
        ("UPDATE events SET hash = prev_hash WHERE seq = 6", "does not hash"),
        ("UPDATE events SET prev_hash = hash WHERE seq = 6", "hash of the event before"),
        ("UPDATE events SET decision_id = NULL WHERE seq = 6", "does not hash"),
        ("UPDATE events SET payload = x'00' WHERE seq = 6", "holds bytes, expected str"),
        ("UPDATE events SET payload = CAST(x'ff' AS TEXT) WHERE seq = 6", "can't be read"),
        ("DELETE FROM events WHERE seq = 6", "seq is 7, expected 6"),
    ],
)
def test_a_changed_event_is_the_first_bad_one(copied: Path, change: str, reason: str) -> None:
    _tampered(copied, change)

    report = verify_log(copied)

    assert not report.ok
    assert report.first_bad is not None
    assert report.first_bad.seq == 6
    assert reason in report.first_bad.reason
    assert report.events == 5


def test_wall_time_is_no_part_of_what_is_verified(copied: Path) -> None:
    _tampered(copied, "UPDATE events SET recorded_at = 'some other time'")

    assert verify_log(copied).ok


def test_a_cut_off_tail_shows_in_the_read_models(copied: Path) -> None:
    _tampered(copied, "DELETE FROM events WHERE seq > 9")

    report = verify_log(copied)

    assert not report.ok
    assert report.first_bad is None
    assert set(report.views.values()) == {False}


def test_a_changed_read_model_is_named(copied: Path) -> None:
    _tampered(copied, "UPDATE view_orders SET filled = 99 WHERE order_id = 'ord-1'")

    report = verify_log(copied)

    assert not report.ok
    names = ("portfolio", "orders", "decisions", "performance", "agent_scores")
    assert report.views == {**dict.fromkeys(names, True), "orders": False}


def test_a_lost_read_model_is_not_ok(copied: Path) -> None:
    _tampered(copied, "DROP TABLE view_orders")

    report = verify_log(copied)

    assert not report.ok
    assert report.first_bad is None


def test_a_fill_recorded_twice_is_a_bad_event(story: Any, open_log: Any, log_path: Path) -> None:
    log, _ = open_log(log_path)
    log.append([story.started(), story.filled(1), story.filled(1)])
    log.close()

    report = verify_log(log_path)

    assert report.first_bad is not None
    assert report.first_bad.seq == 3
    assert report.first_bad.reason == "fill exec-1 was already recorded by event 2"


def test_a_fill_before_the_cash_is_a_bad_event(story: Any, log_path: Path) -> None:
    log = EventLog(open_sqlite(log_path))
    log.append([story.filled(1)])
    log.close()

    report = verify_log(log_path)

    assert report.first_bad is not None
    assert "can't be folded" in report.first_bad.reason


@settings(max_examples=120, deadline=None)
@given(seq=st.integers(1, 17), column=st.sampled_from(_NAMES[1:]), place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_any_flipped_bit_of_an_event_makes_it_the_first_bad_one(
    sound: Sound, tmp_path_factory: pytest.TempPathFactory, seq: int, column: str, place: int, bit: int
) -> None:
    # A folder of its own: a new file under an old write-ahead log is no file anybody wrote.
    path = tmp_path_factory.mktemp("flip") / "book.db"
    path.write_bytes(sound.content)
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("DROP TRIGGER events_no_update")
    raw.text_factory = bytes
    (value,) = raw.execute(f"SELECT {column} FROM events WHERE seq = ?", (seq,)).fetchone()
    try:
        assume(value is not None)
        if isinstance(value, int):
            raw.execute(f"UPDATE events SET {column} = ? WHERE seq = ?", (value ^ (1 << bit), seq))
        else:
            flipped = bytearray(value)
            flipped[place % len(flipped)] ^= 1 << bit
            raw.execute(f"UPDATE events SET {column} = CAST(? AS TEXT) WHERE seq = ?", (bytes(flipped), seq))
    except sqlite3.IntegrityError:
        assume(False)  # the database itself refused a second event of that stream and version
    finally:
        raw.close()

    report = verify_log(path)

    assert not report.ok
    assert report.first_bad is not None
    assert report.first_bad.seq == seq


@pytest.mark.parametrize("to", [-3, 0, 18, 4_000_000])
def test_a_moved_event_is_noticed(copied: Path, to: int) -> None:
    _tampered(copied, f"UPDATE events SET seq = {to} WHERE seq = 7")

    report = verify_log(copied)

    assert not report.ok
    assert report.first_bad is not None


def _is_found_or_harmless(path: Path, events: tuple[Event, ...]) -> None:
    try:
        report = verify_log(path)
    except ParleyError as error:
        assert error.remedy
        return
    if report.ok:
        # Unused room in a page, or a header field that no reader minds: every fact is still what it was.
        reader = EventLog(open_sqlite(path, readonly=True))
        assert tuple(reader.read()) == events
        reader.close()


@settings(max_examples=60, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255))
def test_a_flipped_byte_anywhere_in_the_file_is_found_or_harmless(
    sound: Sound, tmp_path_factory: pytest.TempPathFactory, place: float, change: int
) -> None:
    flipped = bytearray(sound.content)
    flipped[int(place * len(flipped))] ^= change
    path = tmp_path_factory.mktemp("flip") / "book.db"
    path.write_bytes(flipped)

    _is_found_or_harmless(path, sound.events)


def test_damaged_pages_are_reported_at_the_first_event_that_cannot_be_read(
    story: Any, open_log: Any, log_path: Path
) -> None:
    log, _ = open_log(log_path)
    log.append([story.started(), *(story.decided(number, summary="x" * 3000) for number in range(40))])
    log.close()
    content = bytearray(log_path.read_bytes())
    # The last pages that hold the log's payloads: everything before them stays readable.
    start = content.rindex(b'"decision_id":"dec-39"') // 4096 * 4096
    content[start : start + 4096] = b"\xa5" * 4096
    log_path.write_bytes(content)

    report = verify_log(log_path)

    assert not report.ok
    assert report.first_bad is not None
    assert report.first_bad.seq > 1


def test_a_truncated_file_is_found_or_harmless_and_never_a_traceback(sound: Sound, tmp_path: Path) -> None:
    whole = len(sound.content)
    for size in range(1, whole, whole // 23):
        path = tmp_path / f"{size}.db"
        path.write_bytes(sound.content[:size])

        _is_found_or_harmless(path, sound.events)


def test_a_file_cut_in_half_is_found(copied: Path) -> None:
    content = copied.read_bytes()
    copied.write_bytes(content[: len(content) // 2])

    with pytest.raises(StoreCorrupt, match="malformed"):
        verify_log(copied)


def test_a_file_that_is_no_database_is_named(log_path: Path) -> None:
    log_path.write_bytes(b"dear diary, today the desk bought " * 100)

    with pytest.raises(StoreCorrupt, match="file is not a database"):
        verify_log(log_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing, match=r"absent\.db"):
        verify_log(tmp_path / "absent.db")


def test_a_database_of_something_else_is_named(tmp_path: Path) -> None:
    open_sqlite(tmp_path / "other.db").close()

    with pytest.raises(EmptyLog, match="holds no event log"):
        verify_log(tmp_path / "other.db")
