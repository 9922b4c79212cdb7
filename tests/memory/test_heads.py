"""Signed heads: each close once, without a trace in the log, and a log rewritten as a whole is found."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from parley.memory.heads import HEADS, HeadAudit, HeadSigner, SignedHead, head_at, read_heads
from parley.memory.log import EventLog
from parley.storage.errors import StoreUnwritable
from parley.storage.signing import SigningKey, own_key
from parley.storage.sql import open_in_memory


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return own_key(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def signer(tmp_path: Path, key: SigningKey) -> Callable[[], HeadSigner]:
    """A signer over one file, as each start of a run makes one."""
    return lambda: HeadSigner(tmp_path / HEADS, lambda: key, lambda: "2024-01-02T21:00:00Z")


def log_of(*facts: Any) -> EventLog:
    log = EventLog(open_in_memory())
    log.append(list(facts))
    return log


def audit(log: EventLog, path: Path, key: SigningKey | None, *, every_close: bool = False) -> list[str]:
    heads, unreadable = read_heads(path)
    keys = {key.public.key_id: key.public} if key else {}
    found = HeadAudit(heads, unreadable, keys, every_close=every_close)
    for event in log.read():
        found.take(event, event.decoded())
    return [finding.code for finding in found.findings()]


@pytest.fixture
def log(story: Any) -> EventLog:
    """RunStarted and two sessions: the closes are events 9 and 17."""
    return log_of(story.started(), *story.session(1), *story.session(2))


def test_each_close_is_signed_once(log: EventLog, signer: Callable[[], HeadSigner], tmp_path: Path) -> None:
    before = log.head()

    heads = signer().sign_new(log)

    assert [(head.seq, str(head.session), head.kind) for head in heads] == [
        (9, "2024-01-03", "close"),
        (17, "2024-01-04", "close"),
    ]
    assert heads[-1].head_hash == log.head()[1]
    assert log.head() == before
    assert signer().sign_new(log) == ()
    assert read_heads(tmp_path / HEADS) == (heads, 0)


def test_a_rewalk_signs_nothing_twice_and_goes_on_behind_it(
    story: Any, log: EventLog, signer: Callable[[], HeadSigner], tmp_path: Path, key: SigningKey
) -> None:
    signer().sign_new(log)
    log.rewind(9)
    again = signer()

    assert again.sign_new(log) == ()
    log.append(story.session(2))
    assert again.sign_new(log) == ()
    log.append(story.session(3))
    assert [head.seq for head in again.sign_new(log)] == [25]
    assert audit(log, tmp_path / HEADS, key, every_close=True) == []


def test_no_key_is_asked_for_before_the_first_close(story: Any, tmp_path: Path) -> None:
    def asked() -> SigningKey:
        raise AssertionError("asked for a key")

    assert HeadSigner(tmp_path / HEADS, asked, lambda: "now").sign_new(log_of(story.started())) == ()
    assert not (tmp_path / HEADS).exists()


def test_sound_heads_are_found_sound(
    log: EventLog, signer: Callable[[], HeadSigner], tmp_path: Path, key: SigningKey
) -> None:
    signer().sign_new(log)

    assert audit(log, tmp_path / HEADS, key, every_close=True) == []


def test_a_log_rewritten_as_a_whole_is_found(
    story: Any, log: EventLog, signer: Callable[[], HeadSigner], tmp_path: Path, key: SigningKey
) -> None:
    signer().sign_new(log)
    rewritten = log_of(story.started(), *story.session(1), *story.session(2)[:-1], story.marked(2, "99999.66"))

    assert audit(rewritten, tmp_path / HEADS, key) == ["head_not_on_chain"]


def test_a_log_cut_off_and_gone_on_is_found(
    story: Any, log: EventLog, signer: Callable[[], HeadSigner], tmp_path: Path, key: SigningKey
) -> None:
    signer().sign_new(log)

    assert audit(log_of(story.started(), *story.session(1)), tmp_path / HEADS, key) == ["head_beyond_log"]


def test_a_close_without_a_head_is_tolerated_only_at_the_end(
    story: Any, log: EventLog, signer: Callable[[], HeadSigner], tmp_path: Path, key: SigningKey
) -> None:
    signer().sign_new(log)
    lines = (tmp_path / HEADS).read_text().splitlines(keepends=True)

    (tmp_path / HEADS).write_text(lines[0])
    assert audit(log, tmp_path / HEADS, key) == []
    assert audit(log, tmp_path / HEADS, key, every_close=True) == ["head_missing"]
    (tmp_path / HEADS).write_text(lines[1])
    assert audit(log, tmp_path / HEADS, key) == ["head_missing"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"signature": "00" * 64}, "head_forged"),
        ({"signed_at": "2023-01-01T00:00:00Z"}, "head_forged"),
        ({"key_id": "0" * 16}, "head_key_unknown"),
        ({"session": "2024-01-05"}, "head_not_on_chain"),
        ({"head_hash": "0" * 64}, "head_not_on_chain"),
        ({"run_id": "run-2"}, "head_not_on_chain"),
        ({"seq": 8}, "head_not_on_chain"),
        ({"extra": 1}, "head_unreadable"),
        ({"seq": 0}, "head_unreadable"),
    ],
)
def test_a_changed_head_is_found(
    change: dict[str, Any],
    code: str,
    log: EventLog,
    signer: Callable[[], HeadSigner],
    tmp_path: Path,
    key: SigningKey,
) -> None:
    signer().sign_new(log)
    first, last = (tmp_path / HEADS).read_text().splitlines()
    (tmp_path / HEADS).write_text(json.dumps(json.loads(first) | change) + "\n" + last + "\n")

    assert code in audit(log, tmp_path / HEADS, key)


def test_the_same_head_twice_and_another_desks_key_are_found(
    log: EventLog, signer: Callable[[], HeadSigner], tmp_path: Path, key: SigningKey
) -> None:
    signer().sign_new(log)
    assert audit(log, tmp_path / HEADS, own_key(tmp_path / "other")) == ["head_key_unknown"] * 2

    content = (tmp_path / HEADS).read_text()
    (tmp_path / HEADS).write_text(content + content)
    assert audit(log, tmp_path / HEADS, key) == ["head_repeated"] * 2


def test_a_half_written_line_is_no_head_and_is_replaced(
    story: Any, log: EventLog, signer: Callable[[], HeadSigner], tmp_path: Path, key: SigningKey
) -> None:
    signer().sign_new(log)
    whole = (tmp_path / HEADS).read_bytes()
    for left in range(len(whole.splitlines()[0]) + 1, len(whole)):
        (tmp_path / HEADS).write_bytes(whole[:left])
        signer().sign_new(log)

        assert (tmp_path / HEADS).read_bytes() == whole


def test_a_folder_that_takes_no_writes_is_named(log: EventLog, tmp_path: Path, key: SigningKey) -> None:
    signer = HeadSigner(tmp_path / "absent" / HEADS, lambda: key, lambda: "now")

    with pytest.raises(StoreUnwritable, match="signed head can't be written"):
        signer.sign_new(log)


def test_the_head_that_covers_an_event_is_the_first_at_or_after_it(
    log: EventLog, signer: Callable[[], HeadSigner]
) -> None:
    heads: tuple[SignedHead, ...] = signer().sign_new(log)

    covering = [head_at(heads, seq) for seq in (1, 9, 10, 17, 18)]

    assert [head.seq if head else None for head in covering] == [9, 9, 17, 17, None]
