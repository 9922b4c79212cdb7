"""The feed of a derivatives exchange as it was recorded, line by line, made one array of events in order.

A line is the local time in nanoseconds, a space and the exchange's JSON: level changes, prints, best quotes or a
snapshot. What a recording can suffer is found and said: lost, doubled or late messages, lines that are no message, a
file cut off. Behind a loss the feed has a row that says so, and no level counts until the next snapshot.
"""

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..quant.feed_rows import FEED_ROW, FeedRows
from .errors import DataFileError
from .findings import Finding, in_order
from .odd_lines import OddLines

_LEAST_BYTES_PER_ROW = 6
"""A level is at least `[1,1],` long, so a sixth of the text's length holds the rows of any text."""

_PAD = bytes(8)


@dataclass(frozen=True, slots=True, eq=False)
class RawFeed:
    """A recording fit for replay. `clock_shift_ns` was added to local times, so that nothing is known before it was."""

    rows: FeedRows
    lines: int
    messages: int
    clock_shift_ns: int
    findings: tuple[Finding, ...]


def read_raw_feed(path: Path, *, base_latency_ns: int = 0) -> RawFeed:
    """Events of a recorded feed (plain or gzip), each in its place at the exchange and here.

    Clocks differ: where an event seems known before it happened, all local times are moved by the largest such lead
    and `base_latency_ns`.

    Raises DataFileError for a file that cannot be read or holds no event.
    """
    text, cut_off = _text(path)
    raw, odd, lines = _raw_rows(text)
    findings = [*odd.findings(), *cut_off]
    if not len(raw):
        what = f"{path.name}: has no event in {lines} lines."
        remedy = "Give lines of `local_ns {json}` as the exchange's combined stream sends them."
        raise DataFileError(what, remedy=remedy, reason="no_rows")
    shift = _clock_shift_ns(raw, base_latency_ns)
    if shift:
        raw["local_ns"] += shift
        text_of = f"local times were {shift / 1e6:.3f} ms too early and are moved by that."
        findings.append(Finding("clock_behind", None, None, None, text_of))
    return RawFeed(_ordered(raw), lines, lines - odd.left_out, shift, in_order(findings))


def book_findings(rows: FeedRows, tick: float) -> tuple[Finding, ...]:
    """What only building the book shows: messages that left it crossed or locked. Rows count from 1."""
    from ..quant.event_replay import crossed_books

    crossed, locked, first_crossed, first_locked = crossed_books(rows, tick).tolist()
    found = (("crossed", crossed, first_crossed), ("locked", locked, first_locked))
    return tuple(
        Finding(code, None, first + 1, None, f"{times} messages left the book {code}, the first at row {first + 1}.")
        for code, times, first in found
        if times
    )


def _raw_rows(text: bytes) -> tuple[FeedRows, OddLines, int]:
    """Rows in the order of their lines, what was odd, and the number of lines."""
    from ..quant.feed_sequence_kernel import N_CODES, N_IDS
    from ..quant.feed_text_kernel import read_lines

    end = len(text) - len(_PAD)
    characters = np.frombuffer(text, dtype=np.uint8)
    rows = np.empty(end // _LEAST_BYTES_PER_ROW + 4, dtype=FEED_ROW)
    ids, tally = np.full(N_IDS, -1, dtype=np.int64), np.zeros((N_CODES, 4), dtype=np.int64)
    odd = OddLines(rows, ids, tally)
    position, line, n_rows = read_lines(characters, 0, 1, rows, 0, ids, tally)
    while position < end:
        newline = text.index(b"\n", position)
        n_rows = odd.read(text[position:newline], line, n_rows)
        position, line, n_rows = read_lines(characters, newline + 1, line + 1, rows, n_rows, ids, tally)
    return rows[:n_rows].copy(), odd, line - 1


def _clock_shift_ns(raw: FeedRows, base_latency_ns: int) -> int:
    lead = int((raw["exchange_ns"] - raw["local_ns"]).max())
    return lead + base_latency_ns if lead > 0 else 0


def _ordered(raw: FeedRows) -> FeedRows:
    from ..quant.feed_sequence_kernel import merge_orders

    by_exchange, by_local = (np.argsort(raw[name], kind="stable") for name in ("exchange_ns", "local_ns"))
    merged = np.empty(2 * len(raw), dtype=FEED_ROW)
    return merged[: merge_orders(raw, by_exchange, by_local, merged)].copy()


def _text(path: Path) -> tuple[bytes, list[Finding]]:
    """The file's whole lines and their padding; a finding where the file ends before its end."""
    try:
        content = path.read_bytes()
        text, whole = _unzipped(content) if content[:2] == b"\x1f\x8b" else (content, True)
    except (OSError, zlib.error) as error:
        what = f"{path.name}: cannot be read: {error}"
        raise DataFileError(what, remedy="Give a feed as text or gzip.", reason="unreadable") from error
    if whole:
        return text + (b"" if text.endswith(b"\n") else b"\n") + _PAD, []
    kept = text.rfind(b"\n") + 1
    row = text.count(b"\n", 0, kept)
    said = f"the gzip file ends early; the {row} whole lines before that are used."
    return text[:kept] + _PAD, [Finding("truncated_gzip", None, row, None, said)]


def _unzipped(content: bytes) -> tuple[bytes, bool]:
    """Every member's text, and whether the last one was complete."""
    parts: list[bytes] = []
    while content:
        member = zlib.decompressobj(wbits=31)
        parts.append(member.decompress(content))
        if not member.eof:
            return b"".join(parts), False
        # Zeros may follow the last member, as tapes were padded with them.
        content = member.unused_data.lstrip(b"\0")
    return parts[0] if len(parts) == 1 else b"".join(parts), True
