"""Recorded order books: reads snapshots of the best levels, checks them, and shows none from after a moment.

One row per snapshot: `ts` (with its zone), `symbol`, and for each level k from 1 the columns `bidk_px`, `bidk_sz`,
`askk_px`, `askk_sz`, best level first. What no market could have shown is refused; what a market can show for an
instant but nobody could trade on (a crossed, locked or one-sided book) is left out and found.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import CANNOT_READ, DataFileError, NaiveMoment
from .findings import Finding
from .panel import FloatArray

Times = npt.NDArray[np.datetime64]
Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
Frame = Any
"""What pandas reads stays untyped until it is numpy arrays: its own types do not follow a selection by name."""

SIDES = ("bid", "ask")
NANOSECONDS = 1_000_000_000
GAP_RATIO, USUAL_SHARE = 10.0, 0.99
"""A silence this many times longer than nearly every other step is a gap: the feed may have been down."""
LEAST_GAP_S = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Books:
    """Snapshots of one symbol, oldest first and fit to use: `ts` (n,) in UTC, prices and sizes (n, n_levels).

    A level that the book did not have is 0 in price and size on that side; the best level is always there.
    """

    symbol: str
    ts: Times
    bid: FloatArray
    bid_size: FloatArray
    ask: FloatArray
    ask_size: FloatArray
    findings: tuple[Finding, ...]

    @property
    def mid(self) -> FloatArray:
        return (self.bid[:, 0] + self.ask[:, 0]) / 2.0

    @property
    def n_levels(self) -> int:
        return self.bid.shape[1]

    @property
    def top(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Best bid, its size, best ask, its size: what the quant core takes for a top of book."""
        return self.bid[:, 0], self.bid_size[:, 0], self.ask[:, 0], self.ask_size[:, 0]

    def before(self, ts: Times) -> Rows:
        """The last snapshot strictly before each time, -1 where there was none yet."""
        return (np.searchsorted(self.ts, ts, side="left") - 1).astype(np.int64)

    def at(self, ts: Times) -> Rows:
        """The last snapshot at or before each time, -1 where there was none yet."""
        return (np.searchsorted(self.ts, ts, side="right") - 1).astype(np.int64)


def read_books(path: Path, frame: Frame, as_of: datetime | None) -> dict[str, Books]:
    """The books of each symbol in a frame of snapshots, none of them later than `as_of`.

    Raises DataFileError for a missing column, a time without a zone, a row out of order, a number that is none, a
    negative size or price, or levels in the wrong order.
    """
    n_levels = _n_levels(path, frame)
    columns = [f"{side}{level}_{kind}" for side in SIDES for kind in ("px", "sz") for level in range(1, n_levels + 1)]
    ts = moments(path, frame)
    known = known_rows(ts, as_of)
    values = {name: numbers(path, frame, name, known, may_miss=True) for name in columns}
    sides = [
        np.stack([values[f"{side}{level}_{kind}"] for level in range(1, n_levels + 1)], axis=1)
        for side in SIDES
        for kind in ("px", "sz")
    ]
    names = frame["symbol"].astype(str).to_numpy()[known]
    rows = np.flatnonzero(known)
    found = {}
    for symbol in sorted(set(names.tolist())):
        mine = names == symbol
        found[symbol] = _checked(path, symbol, ts[rows[mine]], rows[mine] + 1, [side[mine] for side in sides])
    return found


def top_books(symbol: str, ts: Times, top: tuple[FloatArray, FloatArray, FloatArray, FloatArray]) -> Books:
    """Books of one level from quotes: (bid, bid_size, ask, ask_size), each (n,), oldest first; NaN for no side."""
    return _usable(symbol, ts, None, [np.nan_to_num(side)[:, None] for side in top])


def read_frame(path: Path) -> Frame:
    """A Parquet or CSV file as it is written; DataFileError when it cannot be read or holds no row."""
    import pandas as pd

    try:
        frame = pd.read_parquet(path) if path.suffix.lower() in (".parquet", ".pq") else pd.read_csv(path)
    except CANNOT_READ as error:
        raise refused(path, f"cannot be read: {error}", "Give a Parquet or CSV file.", "unreadable") from error
    if not len(frame):
        raise refused(path, "has no rows.", "Give a file with at least one row.", "no_rows")
    return frame


def refused(path: Path, what: str, remedy: str, reason: str, row: int | None = None) -> DataFileError:
    return DataFileError(f"{path.name}: {what}", remedy=remedy, reason=reason, row=row)


def require(path: Path, frame: Frame, names: tuple[str, ...]) -> None:
    """Refuse a file that lacks one of these columns."""
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise refused(
            path, f"column {', '.join(missing)} is missing.", "Add the column, or rename yours.", "missing_column"
        )


def moments(path: Path, frame: Frame) -> Times:
    """(n,) the `ts` column as nanoseconds in UTC; a time that cannot be read, or has no zone, is refused."""
    import pandas as pd

    column = frame["ts"]
    if not isinstance(column.dtype, pd.DatetimeTZDtype):
        text = column.astype(str)
        naive = ~text.str.contains(r"(?:Z|[+-]\d\d:?\d\d)$").to_numpy()
        if naive.any():
            row = int(naive.argmax()) + 1
            what = f"row {row}: ts {column.iloc[row - 1]} has no time zone."
            raise refused(path, what, "Write ts with its offset, as 2024-08-08T23:54:15.1Z.", "wrong_zone", row)
        column = pd.to_datetime(text, utc=True, format="ISO8601", errors="coerce")
    ts = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype("datetime64[ns]")
    if np.isnat(ts).any():
        row = int(np.isnat(ts).argmax()) + 1
        raise refused(path, f"row {row}: ts is no time.", "Write ts in ISO form with its offset.", "wrong_type", row)
    return ts


def known_rows(ts: Times, as_of: datetime | None) -> Mask:
    """Which rows were known at a moment; all of them when none is given."""
    return np.ones(len(ts), dtype=np.bool_) if as_of is None else ts <= instant(as_of)


def instant(moment: datetime) -> np.datetime64:
    """An aware datetime as numpy has it, in UTC."""
    if moment.tzinfo is None:
        raise NaiveMoment(f"{moment} has no time zone.", remedy="Give it with its offset, such as +00:00.")
    return np.datetime64(int(moment.timestamp()), "s").astype("datetime64[ns]") + np.timedelta64(
        moment.microsecond * 1000, "ns"
    )


def numbers(path: Path, frame: Frame, name: str, known: Mask, *, may_miss: bool = False) -> FloatArray:
    """The known rows of a number column; text, an infinity, a negative number or a blank is refused.

    With `may_miss` a blank is 0: what a book has no level for.
    """
    import pandas as pd

    column = frame[name][known]
    values = pd.Series(pd.to_numeric(column, errors="coerce")).to_numpy(dtype=np.float64, na_value=np.nan)
    values = np.where(column.isna().to_numpy(), 0.0, values) if may_miss else values
    bad = ~np.isfinite(values) | (values < 0.0)
    if bad.any():
        row = int(np.flatnonzero(known)[bad.argmax()]) + 1
        what = f"row {row}: {name} is {frame[name].iloc[row - 1]!r}, expected a number of at least 0."
        raise refused(path, what, "Correct the row, or remove it.", "bad_number", row)
    return values


def check_order(path: Path, symbol: str, ts: Times, rows: Rows) -> None:
    """Refuse rows that go back in time: what came first can no longer be told."""
    back = np.diff(ts.astype(np.int64)) < 0
    if back.any():
        row = int(rows[int(back.argmax()) + 1])
        what = f"row {row}: {symbol} goes back in time."
        raise refused(path, what, "Sort the rows by ts as they were received.", "out_of_order", row)


def counted(code: str, symbol: str, bad: Mask, rows: Rows | None, what: str) -> list[Finding]:
    """One finding for all rows of a kind, naming the first where rows are those of a file; nothing for none."""
    n_bad = int(bad.sum())
    if not n_bad:
        return []
    first = None if rows is None else int(rows[int(bad.argmax())])
    where = "" if first is None else f", the first in row {first}"
    return [Finding(code, symbol, first, None, f"{n_bad} {what}{where}.")]


def gaps(symbol: str, ts: Times, rows: Rows | None) -> list[Finding]:
    """Silences far longer than the usual; books after one say nothing about what happened in it."""
    steps = np.diff(ts.astype(np.int64)) / NANOSECONDS
    if not len(steps):
        return []
    bound = max(LEAST_GAP_S, GAP_RATIO * float(np.quantile(steps, USUAL_SHARE)))
    late = np.append(False, steps > bound)
    return counted("gap", symbol, late, rows, f"silences of more than {bound:.3g} s (the longest {steps.max():.3g} s)")


def _n_levels(path: Path, frame: Frame) -> int:
    require(path, frame, ("ts", "symbol", "bid1_px", "bid1_sz", "ask1_px", "ask1_sz"))
    n_levels = 1
    while f"bid{n_levels + 1}_px" in frame.columns:
        n_levels += 1
    return n_levels if all(f"ask{k}_px" in frame.columns for k in range(1, n_levels + 1)) else 1


def _checked(path: Path, symbol: str, ts: Times, rows: Rows, sides: list[FloatArray]) -> Books:
    check_order(path, symbol, ts, rows)
    for name, prices, down in (("bid", sides[0], -1.0), ("ask", sides[2], 1.0)):
        deeper = prices[:, 1:] > 0.0
        wrong = (deeper & (down * (prices[:, 1:] - prices[:, :-1]) <= 0.0)).any(axis=1)
        if wrong.any():
            row = int(rows[int(wrong.argmax())])
            what = f"row {row}: {name} levels of {symbol} are not ordered from the best outward."
            raise refused(path, what, "Write the best level first, each price once.", "level_order", row)
    return _usable(symbol, ts, rows, sides)


def _usable(symbol: str, ts: Times, rows: Rows | None, sides: list[FloatArray]) -> Books:
    """The books somebody could have traded on, and a finding for each kind that was left out."""
    bid, bid_size, ask, ask_size = (side[:, 0] for side in sides)
    one_sided = (bid <= 0.0) | (ask <= 0.0)
    crossed, locked = ~one_sided & (bid > ask), ~one_sided & (bid == ask)
    empty = ~one_sided & ~crossed & ~locked & ((bid_size <= 0.0) | (ask_size <= 0.0))
    left = one_sided | crossed | locked | empty
    # Several updates may share a time; only the last one was the market at that time.
    repeated = ~left & np.append(ts[1:] == ts[:-1], False)[: len(ts)]
    findings = [
        *counted("one_sided", symbol, one_sided, rows, "books without a bid or an ask left out"),
        *counted("crossed", symbol, crossed, rows, "crossed books (bid above ask) left out"),
        *counted("locked", symbol, locked, rows, "locked books (bid equal to ask, no spread) left out"),
        *counted("no_size", symbol, empty, rows, "books with no size at the best price left out"),
        *counted("same_time", symbol, repeated, rows, "books replaced by a later one of the same time"),
    ]
    keep = ~(left | repeated)
    books = Books(symbol, ts[keep], *(side[keep] for side in sides), findings=())
    return replace(books, findings=(*findings, *gaps(symbol, books.ts, None if rows is None else rows[keep])))
