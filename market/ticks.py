"""Recorded trades: reads single prints with or without their aggressor, checks them, and shows none from the future.

One row per trade: `ts` (with its zone), `symbol`, `price`, `size`, and, where the exchange tells it, `aggressor`: who
took liquidity, `buy` or `sell`.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from .findings import Finding
from .order_books import Frame, Mask, Rows, Times, check_order, counted, known_rows, moments, numbers, refused, require
from .panel import FloatArray

AGGRESSORS = {"buy": 1.0, "b": 1.0, "sell": -1.0, "s": -1.0}


@dataclass(frozen=True, slots=True, eq=False)
class Trades:
    """Prints of one symbol, oldest first: `ts` (n,) in UTC, price and size above 0.

    `side` is 1 where a buyer took liquidity and -1 where a seller did; None where the exchange does not tell.
    """

    symbol: str
    ts: Times
    price: FloatArray
    size: FloatArray
    side: FloatArray | None
    findings: tuple[Finding, ...]


def read_trades(path: Path, frame: Frame, as_of: datetime | None) -> dict[str, Trades]:
    """The trades of each symbol in a frame, none of them later than `as_of`.

    Raises DataFileError for a missing column, a time without a zone, a row out of order, a number that is none, a
    negative price or size, or an aggressor that is neither.
    """
    require(path, frame, ("ts", "symbol", "price", "size"))
    ts = moments(path, frame)
    known = known_rows(ts, as_of)
    price, size = numbers(path, frame, "price", known), numbers(path, frame, "size", known)
    rows = np.flatnonzero(known)
    side = _sides(path, frame, rows) if "aggressor" in frame.columns else None
    names = frame["symbol"].astype(str).to_numpy()[known]
    found = {}
    for symbol in sorted(set(names.tolist())):
        mine = names == symbol
        check_order(path, symbol, ts[rows[mine]], rows[mine] + 1)
        sides = None if side is None else side[mine]
        found[symbol] = usable_trades(symbol, ts[rows[mine]], price[mine], size[mine], sides, rows[mine] + 1)
    return found


def usable_trades(
    symbol: str,
    ts: Times,
    price: FloatArray,
    size: FloatArray,
    side: FloatArray | None,
    rows: Rows,
) -> Trades:
    """The prints with a price and a size; equal ones in a row are kept and found, for a sweep prints such rows too."""
    empty: Mask = ~((price > 0.0) & (size > 0.0))
    given = rows
    ts, price, size, rows = ts[~empty], price[~empty], size[~empty], rows[~empty]
    same = (ts[1:] == ts[:-1]) & (price[1:] == price[:-1]) & (size[1:] == size[:-1])
    repeated = np.append(False, same)[: len(ts)]
    findings = (
        *counted("no_trade", symbol, empty, given, "trades without a price or a size left out"),
        *counted("repeated", symbol, repeated, rows, "trades kept that repeat the time, price and size before"),
    )
    return Trades(symbol, ts, price, size, None if side is None else side[~empty], findings)


def _sides(path: Path, frame: Frame, rows: Rows) -> FloatArray:
    words = frame["aggressor"].astype(str).str.strip().str.lower().to_numpy()[rows]
    sides = np.array([AGGRESSORS.get(word, 0.0) for word in words.tolist()])
    if (sides == 0.0).any():
        row = int(rows[int((sides == 0.0).argmax())]) + 1
        what = f"row {row}: aggressor {frame['aggressor'].iloc[row - 1]!r} is neither buy nor sell."
        raise refused(path, what, "Write buy or sell, or leave the whole column out.", "aggressor", row)
    return sides
