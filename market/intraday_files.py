"""Minute, second and tick rows: summed up to daily bars for decisions, replayed as quotes for the venue."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from ..domain.market import Quote
from .panel import BAR_FIELDS, FloatArray
from .sessions import SessionCalendar, utc_moment
from .tables import Table

MICROSECONDS = 1_000_000
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class DayRows:
    """One bar per symbol and day, in long form; `fields` holds close and whatever else the file has."""

    symbol_codes: npt.NDArray[np.int64]
    days: npt.NDArray[np.datetime64]
    fields: dict[str, FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class RecordedQuotes:
    """The recorded best bid and offer of each symbol.

    A bar's closing quote is known at the bar's end, so that is its time. A tick row holds one side
    of the national best, whichever exchange set it, and stays in force until the next row of that
    side. A locked or crossed instant (bid at or above ask) is left out: rule 610 of Regulation NMS
    forbids displaying one, and it lasts only as long as one exchange's quote is late.
    """

    table: Table
    calendar: SessionCalendar
    tick: Decimal

    def quotes(self, symbol: str, session: date) -> Iterator[Quote]:
        """Quotes of the regular session, both ends included, oldest first."""
        row = int(self.calendar.rows_of(np.array([session], dtype="datetime64[D]"))[0])
        if row < 0 or symbol not in self.table.symbol_names:
            return
        mine = np.flatnonzero(
            (self.table.symbol_codes == self.table.symbol_names.index(symbol))
            & (self.table.days == np.datetime64(session, "D"))
        )
        times, bids, asks, bid_sizes, ask_sizes = best_quotes(self.table, mine)
        opens, closes = self.calendar.opens[row], self.calendar.closes[row]
        shown = (times >= opens) & (times <= closes) & (bids > 0) & (bids < asks)
        ticks_per_unit = float(1 / self.tick)
        for index in np.flatnonzero(shown).tolist():
            yield Quote(
                symbol,
                utc_moment(times[index]),
                self.tick * round(bids[index] * ticks_per_unit),
                self.tick * round(asks[index] * ticks_per_unit),
                int(bid_sizes[index]),
                int(ask_sizes[index]),
                synthetic=False,
            )


def day_rows(table: Table, calendar: SessionCalendar) -> DayRows:
    """Bars of the regular session (09:30 to 16:00 in New York); pre- and post-market rows are left out.

    The closing auction prints after 16:00:00 and is therefore not in the close.
    """
    rows = np.flatnonzero(in_session(table, calendar) & is_trade(table))
    keys = np.stack([table.symbol_codes[rows], table.days[rows].astype(np.int64)], axis=1)
    order = np.lexsort((rows, keys[:, 1], keys[:, 0]))
    rows, keys = rows[order], keys[order]
    starts = np.flatnonzero(np.r_[True, (keys[1:] != keys[:-1]).any(axis=1)][: len(rows)])
    values = {name: column[rows] for name, column in trade_columns(table).items()}
    fields = {name: summed_up(name, column, starts) for name, column in values.items()}
    return DayRows(keys[starts, 0], keys[starts, 1].astype("datetime64[D]"), fields)


def has_quotes(table: Table) -> bool:
    """Whether the file recorded a bid and an offer with their sizes."""
    return all(name in table.numbers for name in ("bid", "ask", "bid_size", "ask_size"))


def bar_span_s(table: Table) -> int:
    """Length of one bar in seconds: the smallest step between two bars of a symbol."""
    order = np.lexsort((table.utc, table.symbol_codes))
    steps = np.diff(table.utc[order].astype(np.int64))
    same = np.diff(table.symbol_codes[order]) == 0
    steps = steps[same & (steps > 0)]
    # A file of single rows says nothing about their length; a minute is the shortest common bar.
    return int(steps.min() // MICROSECONDS) if len(steps) else 60


def summed_up(name: str, values: FloatArray, starts: npt.NDArray[np.int64]) -> FloatArray:
    """One field of bars over each run of rows that begins at `starts`."""
    if len(starts) == 0 or name == "open":
        return values[starts]
    if name == "close":
        return values[np.r_[starts[1:], len(values)] - 1]
    fold = {"high": np.maximum, "low": np.minimum, "volume": np.add}[name]
    return fold.reduceat(values, starts)


def in_session(table: Table, calendar: SessionCalendar) -> Mask:
    """Which rows start inside a regular session."""
    rows = calendar.rows_of(table.days)
    return (rows >= 0) & (table.utc >= calendar.opens[rows]) & (table.utc < calendar.closes[rows])


def is_trade(table: Table) -> Mask:
    """Which rows hold a trade, or a bar with one, that the exchange does not doubt."""
    if table.kind == "bars":
        return np.isfinite(table.numbers["close"])
    trades = table.texts["event"].astype(str) == "trade"
    # The exchange itself doubts prints marked suspicious (out of sequence, canceled later).
    return trades & ~(table.numbers.get("suspicious", np.zeros(len(table))) > 0)


def trade_columns(table: Table) -> dict[str, FloatArray]:
    """Close, and whatever else bars have, of every row; a tick is a bar of one price."""
    if table.kind == "ticks":
        price = table.numbers["price"]
        return {"open": price, "high": price, "low": price, "close": price, "volume": table.numbers["size"]}
    return {
        "close": table.numbers["close"],
        **{name: table.numbers[name] for name in BAR_FIELDS if name in table.numbers},
    }


def best_quotes(
    table: Table, rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.datetime64], FloatArray, FloatArray, FloatArray, FloatArray]:
    """Times at which quotes are known, oldest first, with bid, ask and their sizes, of one symbol's rows."""
    if table.kind == "ticks":
        return _joined_sides(table, rows)
    rows = rows[np.isfinite(table.numbers["bid"][rows]) & np.isfinite(table.numbers["ask"][rows])]
    ends = table.utc[rows] + np.timedelta64(bar_span_s(table), "s")
    bid, ask, bid_size, ask_size = (table.numbers[name][rows] for name in ("bid", "ask", "bid_size", "ask_size"))
    return ends, bid, ask, np.nan_to_num(bid_size), np.nan_to_num(ask_size)


def _joined_sides(
    table: Table, rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.datetime64], FloatArray, FloatArray, FloatArray, FloatArray]:
    rows = rows[table.texts["event"].astype(str)[rows] == "quote"]
    bid, bid_size = _carried_on(table.numbers["bid"][rows], table.numbers["bid_size"][rows])
    ask, ask_size = _carried_on(table.numbers["ask"][rows], table.numbers["ask_size"][rows])
    # Several updates may share a timestamp; only the last one was the market at that time.
    times = table.utc[rows]
    last = np.flatnonzero(np.r_[times[1:] != times[:-1], True][: len(rows)])
    best = np.stack([bid, ask, bid_size, ask_size])[:, last]
    moved = np.r_[True, (best[:, 1:] != best[:, :-1]).any(axis=0)][: len(last)]
    kept = best[:, moved]
    return times[last][moved], kept[0], kept[1], kept[2], kept[3]


def _carried_on(prices: FloatArray, sizes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """One side after each update: a row about the other side leaves it as it was."""
    seen = np.maximum.accumulate(np.where(prices > 0, np.arange(len(prices)), -1))
    known = seen >= 0
    return np.where(known, prices[seen], np.nan), np.where(known, sizes[seen], 0.0)
