"""One symbol's recorded session up to a moment: its order books, its trades or its short bars."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .errors import NoSessions, UnknownSymbol
from .file_checks import file_findings, refuse_first
from .findings import Finding
from .intraday_files import bar_span_s, best_quotes, has_quotes, in_session, is_trade
from .order_books import Books, Mask, Rows, Times, counted, instant, read_books, read_frame, refused, top_books
from .panel import FloatArray
from .sessions import SessionCalendar, session_calendar, utc_moment
from .tables import Table, read_table, with_rows
from .ticks import Trades, read_trades, usable_trades

SUFFIXES = (".parquet", ".pq", ".csv")
CALENDAR = "XNYS"


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Short bars with a trade in them, oldest first: `ts` (n,) is the bar's end in UTC, when it was known."""

    ts: Times
    close: FloatArray
    volume: FloatArray
    span_s: int


@dataclass(frozen=True, eq=False)
class Recording:
    """What was known of one symbol at `as_of`, of one session where the market has sessions.

    `utc_offset_s` leads from UTC to the market's own clock; `session` are the open and close, None for a market
    that never closes.
    """

    symbol: str
    as_of: datetime
    files: tuple[str, ...]
    books: Books | None
    trades: Trades | None
    bars: Bars | None
    utc_offset_s: int = 0
    session: tuple[np.datetime64, np.datetime64] | None = None
    notes: tuple[Finding, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was left out or is doubtful, of every part."""
        parts = (part.findings for part in (self.books, self.trades) if part is not None)
        return (*self.notes, *(finding for part in parts for finding in part))

    @property
    def unit_s(self) -> int:
        """Seconds in the smallest interval that figures are taken over: a bar, or else one second."""
        return self.bars.span_s if self.bars else 1

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over every number that was known."""
        digest = hashlib.sha256(f"{self.symbol}/{self.utc_offset_s}/{self.session}".encode())
        for part, names in (
            (self.books, ("ts", "bid", "bid_size", "ask", "ask_size")),
            (self.trades, ("ts", "price", "size", "side")),
            (self.bars, ("ts", "close", "volume")),
        ):
            arrays = [getattr(part, name) for name in names] if part is not None else []
            for name, array in zip(names, arrays, strict=False):
                digest.update(name.encode())
                digest.update(b"" if array is None else np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def read_recording(path: Path, symbol: str | None = None, as_of: datetime | None = None) -> Recording:
    """The recording of one symbol in a file, or in a folder that holds its books and its trades in separate files.

    Nothing after `as_of` is looked at but the file's form; without it, everything is. Raises DataFileError for a
    file that cannot be trusted, UnknownSymbol, and NoSessions where nothing was known yet.
    """
    books, trades, tables = _parts(path, as_of)
    chosen = _chosen(path, symbol, sorted({*books, *trades, *tables}), as_of)
    if len(tables.get(chosen, ())) + bool(chosen in books or chosen in trades) > 1:
        raise refused(path, f"{chosen} is recorded in more than one file.", "Give the one file that is meant.", "twice")
    if chosen in tables:
        return _from_table(tables[chosen][0], chosen, as_of)
    return _joined(books.get(chosen), trades.get(chosen), as_of)


def read_book_recordings(path: Path) -> tuple[Recording, ...]:
    """Everything of every symbol whose order books are in a file or a folder, by symbol.

    Raises DataFileError for a file that cannot be trusted, and where there is no order book of a symbol.
    """
    books, trades, tables = _parts(path, None)
    bare = sorted(({*trades} | {*tables}) - {*books})
    if bare or not books:
        what = f"no order book of {', '.join(bare) or 'any symbol'} was recorded."
        remedy = "Give a file of order books, or a folder that holds nothing else."
        if path.is_dir() and tables:
            files = sorted({str(table.path) for found in tables.values() for table in found})
            remedy = f"Each file with quotes and trades is a recording by itself: give one of {', '.join(files)}."
        raise refused(path, what, remedy, "no_rows")
    return tuple(_joined(books[name], trades.get(name), None) for name in sorted(books))


def _parts(
    path: Path, as_of: datetime | None
) -> tuple[dict[str, tuple[str, Books]], dict[str, tuple[str, Trades]], dict[str, list[Table]]]:
    """What is in a file, or in the files of a folder: books and trades with their file, and tables of rows."""
    books: dict[str, tuple[str, Books]] = {}
    trades: dict[str, tuple[str, Trades]] = {}
    tables: dict[str, list[Table]] = {}
    for file in _files(path):
        frame = read_frame(file)
        if "bid1_px" in frame.columns:
            _add(books, file, read_books(file, frame, as_of))
        elif "ts" in frame.columns and "event" not in frame.columns and {"price", "size"} <= set(frame.columns):
            _add(trades, file, read_trades(file, frame, as_of))
        else:
            table = read_table(file)
            for name in table.symbol_names:
                tables.setdefault(name, []).append(table)
    return books, trades, tables


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(item for item in path.iterdir() if item.suffix.lower() in SUFFIXES)
    if not found:
        raise refused(path, "holds no Parquet or CSV file.", "Give a file, or a folder with recordings.", "no_rows")
    return found


def _add(parts: dict[str, tuple[str, Books]] | dict[str, tuple[str, Trades]], file: Path, read: dict[str, Any]) -> None:
    for name, part in read.items():
        if name in parts:
            what = f"{name} was already read from {parts[name][0]}."
            raise refused(file, what, "Keep one file of books and one of trades per symbol.", "twice")
        parts[name] = (file.name, part)


def _chosen(path: Path, symbol: str | None, names: list[str], as_of: datetime | None) -> str:
    if not names:
        raise NoSessions(f"{path.name}: nothing was recorded by {as_of}.", remedy="Ask for a later moment.")
    if symbol is None and len(names) == 1:
        return names[0]
    if symbol not in names:
        found = "no symbol was chosen" if symbol is None else f"{symbol!r} is not in it"
        raise UnknownSymbol(f"{path.name}: {found}.", remedy=f"Name one of {', '.join(names)}.")
    return symbol


def _joined(books: tuple[str, Books] | None, trades: tuple[str, Trades] | None, as_of: datetime | None) -> Recording:
    parts = [part for part in (books, trades) if part is not None]
    lasts = [part.ts[-1] for _, part in parts if len(part.ts)]
    if not lasts:
        raise NoSessions(f"{parts[0][0]}: no row is fit to use.", remedy="Check the file: `symbol`, prices and sizes.")
    return Recording(
        parts[0][1].symbol,
        as_of or known_at(max(lasts)),
        tuple(name for name, _ in parts),
        books[1] if books and len(books[1].ts) else None,
        trades[1] if trades and len(trades[1].ts) else None,
        None,
    )


def known_at(ts: np.datetime64) -> datetime:
    """The first whole microsecond at which something of a nanosecond was known."""
    return utc_moment((ts + np.timedelta64(999, "ns")).astype("datetime64[us]"))


def _from_table(table: Table, symbol: str, as_of: datetime | None) -> Recording:
    if table.kind == "daily":
        what = "holds daily bars, which say nothing about what happened within a day."
        raise refused(table.path, what, "Give order books, trades, ticks, or minute or second bars.", "daily")
    mine = table.symbol_codes == table.symbol_names.index(symbol)
    rows = np.flatnonzero(mine & _is_known(table, as_of))
    if not len(rows):
        raise NoSessions(f"{table.path.name}: nothing of {symbol} is known by {as_of}.", remedy="Ask for later.")
    known = with_rows(table, rows)
    span_s = 0 if table.kind == "ticks" else bar_span_s(known)
    if as_of is not None and span_s:
        ended = known.utc + np.timedelta64(span_s, "s") <= instant(as_of)
        known, rows = with_rows(known, np.flatnonzero(ended)), rows[ended]
    calendar = session_calendar(CALENDAR, table.days.min().item(), table.days.max().item())
    found = file_findings(known, calendar)
    refuse_first(known, [replace(item, row=int(rows[item.row - 1]) + 1) if item.row else item for item in found])
    return session_recording(known, rows, symbol, calendar, span_s, as_of)


def _is_known(table: Table, as_of: datetime | None) -> Mask:
    return np.ones(len(table), dtype=np.bool_) if as_of is None else table.utc <= instant(as_of)


def session_recording(
    known: Table, rows: Rows, symbol: str, calendar: SessionCalendar, span_s: int, as_of: datetime | None
) -> Recording:
    """The last session of one symbol's rows, which have these 0-based places in their file."""
    inside = in_session(known, calendar)
    if not inside.any():
        what = f"no row of {symbol} falls into a regular session of {calendar.name}."
        raise refused(known.path, what, "Check that ts is in the exchange's own zone.", "no_rows")
    day = known.days[inside][-1]
    place = int(calendar.rows_of(np.array([day]))[0])
    opens, closes = (moment[place].astype("datetime64[ns]") for moment in (calendar.opens, calendar.closes))
    today = known.days == day
    books = _top_of_book(known, symbol, np.flatnonzero(today), opens, closes) if has_quotes(known) else None
    printed = today & inside & is_trade(known)
    ts = known.utc.astype("datetime64[ns]")
    trades = bars = None
    notes = counted("off_session", symbol, ~(today & inside), rows + 1, "rows outside of the last session left out")
    if known.kind == "ticks":
        price, size = known.numbers["price"][printed], known.numbers["size"][printed]
        trades = usable_trades(symbol, ts[printed], price, size, None, rows[printed] + 1)
        doubted = today & inside & (known.texts["event"].astype(str) == "trade") & ~printed
        notes += counted("suspicious", symbol, doubted, rows + 1, "trades that the exchange itself doubts left out")
    else:
        ends = (ts[printed] + np.timedelta64(span_s, "s")).astype("datetime64[ns]")
        bars = Bars(ends, known.numbers["close"][printed], known.numbers["volume"][printed], span_s)
    lasts = [part.ts[-1] for part in (books, trades, bars) if part is not None and len(part.ts)]
    # What is wholly unusable is no part of the recording, and what was wrong with it is told all the same.
    notes += [finding for part in (books, trades) if part is not None and not len(part.ts) for finding in part.findings]
    offset_s = int((known.wall[-1] - known.utc[-1]) / np.timedelta64(1, "s"))
    return Recording(
        symbol,
        as_of or known_at(max(lasts)),
        (known.path.name,),
        books if books is not None and len(books.ts) else None,
        trades if trades is not None and len(trades.ts) else None,
        bars if bars is not None and len(bars.ts) else None,
        offset_s,
        (opens, closes),
        tuple(notes),
    )


def _top_of_book(known: Table, symbol: str, rows: Rows, opens: np.datetime64, closes: np.datetime64) -> Books:
    """Quotes in force within the session; what was shown before it leads up to its first."""
    times, bid, ask, bid_size, ask_size = best_quotes(known, rows)
    ts = times.astype("datetime64[ns]")
    inside = (ts >= opens) & (ts <= closes)
    return top_books(symbol, ts[inside], (bid[inside], bid_size[inside], ask[inside], ask_size[inside]))
