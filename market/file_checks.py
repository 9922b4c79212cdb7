"""What in the rows of a market file cannot be trusted: the strict loader refuses it, a report lists it."""

import re
from collections.abc import Iterator
from datetime import date

import numpy as np
import numpy.typing as npt

from .errors import DataFileError
from .findings import Finding
from .sessions import SessionCalendar
from .tables import Table

PRICES = ("open", "high", "low", "close", "adj_close", "adj_factor")
QUOTES = ("bid", "ask")
SIZES = ("volume", "bid_size", "ask_size")
SYMBOL_FORM = re.compile(r"[A-Z0-9][A-Z0-9.\-=^/]{0,23}")

REMEDIES = {
    "bad_symbol": "Write symbols in upper case, such as AAPL or BRK.B.",
    "wrong_type": "Write plain numbers, with a point and without separators.",
    "nan_price": "Leave out the row of a symbol that did not trade; do not write NaN.",
    "non_positive": "Remove the row, or correct the value at the source.",
    "duplicate": "Keep one row per symbol and time; `parley data import --sort` drops exact repeats, and only those.",
    "unsorted": "Sort the rows by symbol and time, or let `parley data import --sort` do it.",
    "wrong_zone": "Convert ts to the exchange's own time zone before writing the file.",
    "not_a_session": "Remove the row, or pass the exchange's calendar (XNYS is the default).",
}

Mask = npt.NDArray[np.bool_]


def file_findings(table: Table, calendar: SessionCalendar) -> list[Finding]:
    """Every reason to refuse the file, in order of row, causes before consequences."""
    found = list(table.findings)
    known = {(item.row, item.code) for item in found}
    for code, mask, text in _masks(table, calendar):
        # A word in a number column reads as NaN afterwards: one finding for it is enough.
        rows = np.flatnonzero(mask).tolist()
        found += [
            _finding(table, code, row, text)
            for row in rows
            if not (code == "nan_price" and (row + 1, "wrong_type") in known)
        ]
    return sorted(found, key=lambda item: item.row or 0)


def refuse_first(table: Table, findings: list[Finding]) -> None:
    """Raises DataFileError for the first offending row; says how many more there are."""
    if not findings:
        return
    first, more = findings[0], len(findings) - 1
    whose = " ".join(str(part) for part in (first.symbol, first.session) if part is not None)
    raise DataFileError(
        f"{table.path.name}: row {first.row}: {whose + ': ' if whose else ''}{first.text}"
        + (f" {more} more findings follow." if more else ""),
        remedy=f"{REMEDIES[first.code]} `parley data check` lists every such row.",
        reason=first.code,
        row=first.row,
    )


def _masks(table: Table, calendar: SessionCalendar) -> Iterator[tuple[str, Mask, str]]:
    # The wrong zone comes first: it is the cause of whatever else is wrong with its row.
    if table.kind != "daily":
        yield (
            "wrong_zone",
            exchange_wall(table.utc, calendar.zone) != table.wall,
            f"ts is not in the exchange's zone, {calendar.zone}.",
        )
    well_formed = np.array([SYMBOL_FORM.fullmatch(name) is not None for name in table.symbol_names] + [False])
    yield "bad_symbol", ~well_formed[table.symbol_codes], "the symbol is empty or not in the house's form."
    if table.kind == "ticks":
        yield from _tick_masks(table)
    else:
        yield from _bar_masks(table)
        yield "duplicate", _repeats(table), "a second row for the same symbol and time."
    yield "unsorted", _steps_back(table), "the time is earlier than in the symbol's previous row."
    yield "not_a_session", calendar.rows_of(table.days) < 0, f"the day is not a session of {calendar.name}."


def _bar_masks(table: Table) -> Iterator[tuple[str, Mask, str]]:
    close = table.numbers["close"]
    # Minute files join trades and quotes: a minute with quotes only has no bar, and that is no fault.
    has_bar = np.isfinite(close) | ~_has_quote(table)
    for name in PRICES:
        if name in table.numbers:
            values = table.numbers[name]
            yield "nan_price", ~np.isfinite(values) & has_bar, f"{name} is NaN or infinite."
            yield "non_positive", values <= 0, f"{name} is zero or negative."
    for name in QUOTES:
        if name in table.numbers:
            yield "non_positive", table.numbers[name] <= 0, f"{name} is zero or negative."
    for name in SIZES:
        if name in table.numbers:
            yield "non_positive", table.numbers[name] < 0, f"{name} is negative."
    if "volume" in table.numbers:
        yield "nan_price", ~np.isfinite(table.numbers["volume"]) & has_bar, "volume is NaN or infinite."


def _tick_masks(table: Table) -> Iterator[tuple[str, Mask, str]]:
    event = table.texts["event"].astype(str)
    is_trade, is_quote = event == "trade", event == "quote"
    yield "wrong_type", ~(is_trade | is_quote), "event is neither trade nor quote."
    for name in ("price", "size"):
        values = table.numbers[name]
        yield "nan_price", ~np.isfinite(values) & is_trade, f"{name} of a trade is NaN or infinite."
        yield "non_positive", (values <= 0) & is_trade, f"{name} of a trade is zero or negative."
    for name in (*QUOTES, "bid_size", "ask_size"):
        if name in table.numbers:
            # Zero is how a one-sided quote writes its absent side.
            yield "non_positive", (table.numbers[name] < 0) & is_quote, f"{name} is negative."


def _has_quote(table: Table) -> Mask:
    if not all(name in table.numbers for name in QUOTES):
        return np.zeros(len(table), dtype=bool)
    return np.isfinite(table.numbers["bid"]) & np.isfinite(table.numbers["ask"])


def exchange_wall(utc: npt.NDArray[np.datetime64], zone: str) -> npt.NDArray[np.datetime64]:
    """The exchange's wall clock, datetime64[us], at each UTC instant."""
    import pandas as pd

    local = pd.DatetimeIndex(utc).tz_localize("UTC").tz_convert(zone).tz_localize(None)
    return local.to_numpy().astype("datetime64[us]")


def _repeats(table: Table) -> Mask:
    order = np.lexsort((table.utc, table.symbol_codes))
    codes, times = table.symbol_codes[order], table.utc[order]
    later = order[1:][(codes[1:] == codes[:-1]) & (times[1:] == times[:-1])]
    return _at(table, later)


def _steps_back(table: Table) -> Mask:
    order = np.argsort(table.symbol_codes, kind="stable")
    codes, times = table.symbol_codes[order], table.utc[order]
    later = order[1:][(codes[1:] == codes[:-1]) & (times[1:] < times[:-1])]
    return _at(table, later)


def _at(table: Table, rows: npt.NDArray[np.int64]) -> Mask:
    mask = np.zeros(len(table), dtype=bool)
    mask[rows] = True
    return mask


def _finding(table: Table, code: str, row: int, text: str) -> Finding:
    symbol_code = int(table.symbol_codes[row])
    session: date = table.days[row].item()
    symbol = table.symbol_names[symbol_code] if symbol_code >= 0 else None
    return Finding(code, symbol, row + 1, session, text)
