"""What is doubtful in a recording, as `parley data check` asks: a raw feed, order books and trades, or quoted bars."""

import gzip
import re
from pathlib import Path

from .errors import CANNOT_READ, DataFileError, MarketError
from .findings import Finding, QualityReport, in_order
from .grids import decimal_step
from .intraday_checks import EXPECTED, LEAST_BARS, intraday_findings
from .intraday_sets import column_names, set_of_table
from .order_books import Books, read_books, read_frame
from .raw_feed import book_findings, read_raw_feed
from .recordings import SUFFIXES
from .sessions import SessionCalendar
from .tables import Table
from .ticks import Trades, read_trades

FEED_LINE = re.compile(rb"\d{10,} \{")
"""A line of a feed begins with its local time and a message."""
TRADES, BARS = {"ts", "price", "size"}, {"event", "close"}


def is_raw_feed(path: Path) -> bool:
    """By its first bytes, packed or not."""
    try:
        with path.open("rb") as plain:
            head = plain.read(64)
        if head[:2] == b"\x1f\x8b":
            with gzip.open(path) as packed:
                head = packed.read(64)
    except CANNOT_READ:
        return False
    return FEED_LINE.match(head) is not None


def check_feed(path: Path) -> QualityReport:
    """Messages lost, doubled, late or unreadable, and books that the messages left crossed or locked."""
    feed = read_raw_feed(path)
    prices = feed.rows["price"][feed.rows["price"] > 0.0]
    tick = float(decimal_step(prices)) if len(prices) else 1.0
    return QualityReport(path.stem, feed.lines, (), in_order([*feed.findings, *book_findings(feed.rows, tick)]))


def check_books(path: Path) -> QualityReport | None:
    """Of a file of order books or of trades, or a folder of them; None for any other file."""
    files = sorted(item for item in path.iterdir() if item.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
    found: list[Finding] = []
    rows, symbols = 0, set[str]()
    for file in files:
        columns = set(column_names(file))
        read = read_books if "bid1_px" in columns else read_trades if columns >= TRADES and not columns & BARS else None
        if read is None:
            return None
        try:
            frame = read_frame(file)
            rows += len(frame)
            parts = read(file, frame, None)
        except DataFileError as error:
            found.append(Finding(error.reason, None, error.row, None, error.message))
            continue
        symbols |= set(parts)
        found += [finding for part in parts.values() for finding in (*part.findings, *_lone(part))]
    return QualityReport(path.stem, rows, tuple(sorted(symbols)), in_order(found))


def played_findings(table: Table, calendar: SessionCalendar) -> list[Finding]:
    """Of sound rows within the day, in time order: what a venue that plays them leaves out, silences, lone trades."""
    try:
        found = intraday_findings(set_of_table(table, calendar, None))
    except MarketError:
        return []  # Nothing of it can be played: the checks of its rows say why.
    return [item for item in found if item.code not in EXPECTED]


def _lone(part: Books | Trades) -> list[Finding]:
    if len(part.ts) >= LEAST_BARS:
        return []
    text = f"{len(part.ts) or 'no'} row is fit to use: the recording says nothing about how the price moved."
    return [Finding("one_trade", part.symbol, None, None, text)]
