"""A recorded feed becomes events in order, and everything wrong with it is found and said."""

from __future__ import annotations

import gzip
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.market.errors import DataFileError
from parley.market.raw_feed import RawFeed, book_findings, read_raw_feed
from parley.quant.feed_rows import AT_DESK, AT_EXCHANGE, BREAK, BUY, CLEAR, DEPTH, SELL, SNAPSHOT, TRADE

RECORDED = "orderbook/btcusdt_perp_20240808_raw_feed.gz"
T0 = 1_700_000_000_000


def line(message: dict[str, Any], local_ms: int, *, plain: bool = True) -> bytes:
    """A line as the recorder writes it; not `plain`: with the blanks that only a real JSON parser takes."""
    text = json.dumps(message, separators=(",", ":") if plain else (", ", ": "))
    return f"{local_ms * 1_000_000} {text}\n".encode()


def depth(ids: tuple[int, int, int], bids: list[list[str]], asks: list[list[str]], at: int = 0, **how: Any) -> bytes:
    """ids: (first, last, last of the message before)."""
    first, last, before = ids
    data = {"e": "depthUpdate", "E": T0 + at, "T": T0 + at, "s": "X", "U": first, "u": last, "pu": before}
    return line({"stream": "x@depth@0ms", "data": {**data, "b": bids, "a": asks}}, T0 + at + 1, **how)


def trade(number: int, price: str, size: str, *, sold: bool, at: int = 0, **how: Any) -> bytes:
    data = {"e": "trade", "E": T0 + at, "T": T0 + at, "s": "X", "t": number, "p": price, "q": size}
    return line({"stream": "x@trade", "data": {**data, "X": "MARKET", "m": sold}}, T0 + at + 1, **how)


def snapshot(last: int, bids: list[list[str]], asks: list[list[str]], at: int = 0, **how: Any) -> bytes:
    message = {"lastUpdateId": last, "E": T0 + at, "T": T0 + at, "bids": bids, "asks": asks}
    return line(message, T0 + at + 1, **how)


def read(folder: Path, *lines: bytes) -> RawFeed:
    path = folder / "feed.txt"
    path.write_bytes(b"".join(lines))
    return read_raw_feed(path)


def kinds(feed: RawFeed) -> list[int]:
    return feed.rows["kind"].tolist()


def codes(feed: RawFeed) -> list[str]:
    return [finding.code for finding in feed.findings]


LEVELS = ([["10.0", "1"]], [["11.0", "2"]])


def test_the_recorded_feed_gives_the_known_number_of_events(shared_data: Path) -> None:
    feed = read_raw_feed(shared_data / RECORDED)

    # 466,836 events, 25,137 of which stand at two places: notes of the peer's converter count the same 491,973.
    assert (feed.lines, feed.messages, len(feed.rows)) == (93_954, 93_954, 491_973)
    assert codes(feed) == ["clock_behind", "old_snapshot"]
    assert feed.clock_shift_ns == 1_272_156_851


@pytest.mark.skipif(find_spec("hftbacktest") is None, reason="hftbacktest is not installed")
def test_the_recorded_feed_equals_the_peers_conversion_record_for_record(shared_data: Path) -> None:
    from parley.service.replay_peer import Peer

    ours, theirs = read_raw_feed(shared_data / RECORDED).rows, Peer().convert(shared_data / RECORDED)
    flags = ours["kind"].astype(np.uint64) | np.where(ours["side"] == BUY, 1 << 29, 1 << 28).astype(np.uint64)
    for flag, bit in ((AT_EXCHANGE, 31), (AT_DESK, 30)):
        flags |= np.where(ours["seen"] & flag, 1 << bit, 0).astype(np.uint64)

    assert np.array_equal(flags, theirs["ev"])
    for mine, their in (("exchange_ns", "exch_ts"), ("local_ns", "local_ts"), ("price", "px"), ("quantity", "qty")):
        assert np.array_equal(ours[mine], theirs[their])


def test_messages_become_rows(tmp_path: Path) -> None:
    feed = read(
        tmp_path,
        snapshot(5, [["10.0", "1"], ["9.5", "3"]], [["11.0", "2"]]),
        depth((4, 6, 3), [["9.5", "0"]], [["10.5", "0.25"]], 1),
        trade(1, "10.5", "0.1", sold=False, at=2),
    )

    assert feed.findings == ()
    assert feed.rows[["kind", "side", "price", "quantity"]].tolist() == [
        (CLEAR, BUY, 9.5, 0.0),
        (SNAPSHOT, BUY, 10.0, 1.0),
        (SNAPSHOT, BUY, 9.5, 3.0),
        (CLEAR, SELL, 11.0, 0.0),
        (SNAPSHOT, SELL, 11.0, 2.0),
        (DEPTH, BUY, 9.5, 0.0),
        (DEPTH, SELL, 10.5, 0.25),
        (TRADE, BUY, 10.5, 0.1),
    ]
    assert (feed.rows["local_ns"] - feed.rows["exchange_ns"] == 1_000_000).all()


def test_a_gap_breaks_the_book(tmp_path: Path) -> None:
    feed = read(tmp_path, depth((1, 2, 0), *LEVELS), depth((4, 5, 3), *LEVELS, 1))

    assert kinds(feed) == [DEPTH, DEPTH, BREAK, DEPTH, DEPTH]
    assert codes(feed) == ["gap"]
    assert feed.findings[0].row == 2


def test_a_snapshot_bridges_to_the_message_that_begins_inside_it(tmp_path: Path) -> None:
    feed = read(
        tmp_path,
        depth((1, 2, 0), *LEVELS),
        snapshot(8, *LEVELS, 1),
        depth((5, 7, 4), *LEVELS, 2),
        depth((8, 9, 7), *LEVELS, 3),
    )

    assert codes(feed) == []
    assert kinds(feed).count(DEPTH) == 4


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (depth((1, 2, 0), *LEVELS, 1), "duplicated"),
        (depth((0, 1, 0), *LEVELS, 1), "out_of_order"),
        (b'1700000000001000000 {"stream":"x","da\n', "malformed"),
        (b"not a line\n", "malformed"),
        (b"\0\0\0\n", "malformed"),
        (line({"stream": "x", "data": {"e": "markPriceUpdate"}}, T0 + 1), "unknown_message"),
        (trade(1, "-10.0", "1", sold=True, at=1), "bad_price"),
        (trade(1, "10.0", "-1", sold=True, at=1), "negative_size"),
        (trade(1, "nan", "1", sold=True, at=1), "malformed"),
    ],
)
def test_a_bad_line_adds_no_event_and_is_found(tmp_path: Path, second: bytes, code: str) -> None:
    feed = read(tmp_path, depth((1, 2, 0), *LEVELS), second, trade(7, "10.0", "1", sold=True, at=2))

    assert kinds(feed) == [DEPTH, DEPTH, TRADE]
    assert code in codes(feed)
    assert next(finding for finding in feed.findings if finding.code == code).row == 2


def test_a_negative_size_breaks_the_book(tmp_path: Path) -> None:
    feed = read(tmp_path, depth((1, 2, 0), [["10.0", "-1"], ["9.0", "1"]], []))

    assert kinds(feed) == [BREAK, DEPTH]
    assert codes(feed) == ["negative_size"]


def test_a_clock_that_goes_back_is_found(tmp_path: Path) -> None:
    feed = read(tmp_path, trade(1, "10", "1", sold=True, at=5), trade(2, "10", "1", sold=True, at=1))

    assert "clock_back" in codes(feed)
    assert (np.diff(feed.rows["exchange_ns"]) >= 0).all()


def test_a_file_cut_off_keeps_its_whole_lines(tmp_path: Path) -> None:
    lines = [trade(number, "10.5", f"0.{number:04d}", sold=False, at=number) for number in range(1, 3000)]
    packed = gzip.compress(b"".join(lines))
    path = tmp_path / "feed.gz"
    path.write_bytes(packed[: len(packed) // 2])

    feed = read_raw_feed(path)

    assert codes(feed) == ["truncated_gzip"]
    assert 100 < len(feed.rows) < 2999


@pytest.mark.parametrize("content", [b"", b"no feed at all\n", b"\x1f\x8b\x08\x00broken gzip here"])
def test_a_file_without_events_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DataFileError):
        read(tmp_path, content)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="cannot be read"):
        read_raw_feed(tmp_path / "none.gz")


def test_a_book_left_crossed_or_locked_is_found(tmp_path: Path) -> None:
    feed = read(
        tmp_path,
        snapshot(1, *LEVELS),
        depth((2, 2, 1), [["11.0", "1"]], [], 1),
        depth((3, 3, 2), [["11.5", "1"]], [], 2),
        depth((4, 4, 3), [["11.5", "0"], ["11.0", "0"]], [], 3),
    )

    found = book_findings(feed.rows, 0.5)

    assert [(finding.code, finding.row) for finding in found] == [("crossed", 6), ("locked", 5)]


decimals = st.decimals("0.01", "99999.99", places=2).map(str)
levels = st.lists(st.tuples(decimals, decimals).map(list), min_size=1, max_size=4)


@settings(max_examples=40, deadline=None)
@given(messages=st.lists(st.tuples(st.sampled_from("dst"), levels, levels, st.integers(0, 20)), min_size=1, max_size=8))
def test_the_kernel_and_the_json_parser_read_the_same(tmp_path_factory: pytest.TempPathFactory, messages: Any) -> None:
    folder = tmp_path_factory.mktemp("feed")

    def written(*, plain: bool) -> RawFeed:
        lines, last = [], 1
        for number, (kind, bids, asks, at) in enumerate(messages):
            if kind == "d":
                lines.append(depth((last + 1, last + 2, last), bids, asks, at, plain=plain))
                last += 2
            elif kind == "s":
                lines.append(snapshot(last, bids, asks, at, plain=plain))
            else:
                lines.append(trade(number + 1, *bids[0], sold=at % 2 == 0, at=at, plain=plain))
        return read(folder, *lines)

    fast, slow = written(plain=True), written(plain=False)

    assert fast.rows.tolist() == slow.rows.tolist()
    assert fast.findings == slow.findings
    at_exchange, at_desk = (fast.rows[fast.rows["seen"] & flag > 0] for flag in (AT_EXCHANGE, AT_DESK))
    assert len(at_exchange) == len(at_desk)
    assert (np.diff(at_exchange["exchange_ns"]) >= 0).all()
    assert (np.diff(at_desk["local_ns"]) >= 0).all()
