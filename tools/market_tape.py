"""What the market did around an order, from what was recorded; a figure that can't be had is a `Lack` that says why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

import numpy as np

from ..domain.market import Quote
from ..market.cards import DataSet
from ..market.history import History
from ..market.order_books import Times, instant
from ..market.recordings import Recording
from ..market.sessions import utc_moment
from ..quant.arrays import FloatArray

CLOSE_TOLERANCE = timedelta(minutes=5)
"""A recording that ends earlier than this before the close does not tell the close."""


class Lack(StrEnum):
    """Why a figure of the market can't be had."""

    DAILY_BARS = "daily_bars"
    NOT_RECORDED = "not_recorded"
    NO_PRINTS = "no_prints"
    NO_SPAN = "no_span"
    NO_FILLS = "no_fills"
    NO_CLOSE = "no_close"
    NO_NEXT_BAR = "no_next_bar"
    WITHIN_DAY = "within_day"
    AFTER_SESSION = "after_session"
    AFTER_RECORDING = "after_recording"
    AFTER_RUN = "after_run"
    BEFORE_RECORDING = "before_recording"


LACK_SAYS = {
    Lack.DAILY_BARS: "the data are daily bars, which say nothing of what happened within a day",
    Lack.NOT_RECORDED: "nothing of the symbol was recorded on that day",
    Lack.NO_PRINTS: "no trade was recorded while the order was worked, or the source has none",
    Lack.NO_SPAN: "the order began and ended at one moment",
    Lack.NO_FILLS: "nothing was filled",
    Lack.NO_CLOSE: "the market never closes",
    Lack.NO_NEXT_BAR: "the next session has no bar of the symbol",
    Lack.WITHIN_DAY: "the run decides within the day: minutes are looked at, not the next close",
    Lack.AFTER_SESSION: "the session had ended by then",
    Lack.AFTER_RECORDING: "the recording had ended by then",
    Lack.AFTER_RUN: "it lies after the last moment that the run knew",
    Lack.BEFORE_RECORDING: "the recording begins later",
}


@dataclass(frozen=True, slots=True, eq=False)
class MarketTape:
    """One symbol's recorded day, in the units that orders are in: `price` (n,) is the mid, or a bar's close.

    Prints (m,) are single trades where `span_s` is 0, else bars of that many seconds at their close.
    """

    made_from: str
    price_ts: Times
    price: FloatArray
    print_ts: Times
    print_price: FloatArray
    print_size: FloatArray
    span_s: int
    closes_at: datetime | None

    def traded(self, start: datetime, end: datetime) -> tuple[float, float] | Lack:
        """Volume-weighted price and volume of what was printed after `start`, up to `end`; whole bars only."""
        first = instant(start) + np.timedelta64(self.span_s, "s")
        rows = (self.print_ts >= first if self.span_s else self.print_ts > first) & (self.print_ts <= instant(end))
        volume = float(self.print_size[rows].sum())
        if not volume > 0.0:
            return Lack.NO_PRINTS
        return float(self.print_price[rows] @ self.print_size[rows]) / volume, volume

    def mean_price(self, start: datetime, end: datetime) -> float | Lack:
        """The mean from `start` to `end`, each price weighing as long as it stood."""
        if end <= start:
            return Lack.NO_SPAN
        first, last = instant(start), instant(end)
        begins, ends = (int(np.searchsorted(self.price_ts, moment, side="right")) for moment in (first, last))
        if begins == 0:
            return Lack.BEFORE_RECORDING
        edges = np.concatenate([[first], self.price_ts[begins:ends], [last]])
        stood = np.diff(edges) / np.timedelta64(1, "ns")
        return float(self.price[begins - 1 : ends] @ stood / stood.sum())

    def price_at(self, moment: datetime, known_until: datetime) -> float | Lack:
        """The price in force at a moment; nothing past `known_until` is looked at."""
        if moment > known_until:
            return Lack.AFTER_RUN
        if self.closes_at is not None and moment > self.closes_at:
            return Lack.AFTER_SESSION
        if not len(self.price) or instant(moment) > self.price_ts[-1]:
            return Lack.AFTER_RECORDING
        row = int(np.searchsorted(self.price_ts, instant(moment), side="right")) - 1
        return Lack.BEFORE_RECORDING if row < 0 else float(self.price[row])

    def close(self, known_until: datetime) -> float | Lack:
        """The last trade of the session, or the last price where no trade was recorded."""
        if self.closes_at is None:
            return Lack.NO_CLOSE
        if self.closes_at > known_until:
            return Lack.AFTER_RUN
        ts, price = (self.print_ts, self.print_price) if len(self.print_ts) else (self.price_ts, self.price)
        row = int(np.searchsorted(ts, instant(self.closes_at), side="right")) - 1
        if row < 0 or ts[row] < instant(self.closes_at - CLOSE_TOLERANCE):
            return Lack.AFTER_RECORDING
        return float(price[row])


def market_tape(data: DataSet, history: History, symbol: str, day: date) -> MarketTape | Lack:
    """The recorded day of a symbol from the best that the data set has: books, quotes, bars within the day."""
    if data.recordings is not None:
        recording = data.recordings.recording(symbol, day)
        if recording is None:
            return Lack.NOT_RECORDED
        return _of_recording(recording, float(data.recordings.grid(symbol).unit))
    if data.panel.interval is not None:
        return _of_bars(data, symbol, day)
    if data.recorded is None:
        return Lack.DAILY_BARS
    return _of_quotes(list(data.recorded_quotes(symbol, day)), history.close_time(day))


def _of_recording(recording: Recording, unit: float) -> MarketTape:
    """Prices and sizes of `unit`s of what was recorded."""
    books, trades, bars = recording.books, recording.trades, recording.bars
    parts = ["" if books is None else "depth" if books.n_levels > 1 else "quotes"]
    ts, price, size = _no_times(), np.empty(0), np.empty(0)
    if trades is not None:
        ts, price, size = trades.ts, trades.price, trades.size
        parts.append("prints")
    elif bars is not None:
        ts, price, size = bars.ts, bars.close, bars.volume
        parts.append("bars")
    return MarketTape(
        made_from=" and ".join(filter(None, parts)),
        price_ts=ts if books is None else books.ts,
        price=(price if books is None else books.mid) * unit,
        print_ts=ts,
        print_price=price * unit,
        print_size=size / unit,
        span_s=bars.span_s if trades is None and bars is not None else 0,
        closes_at=None if recording.session is None else utc_moment(recording.session[1]),
    )


def _of_bars(data: DataSet, symbol: str, day: date) -> MarketTape | Lack:
    """Bars alone: a bar's close stands until the next one ends."""
    panel = data.panel
    assert panel.interval is not None, "asked for bars within the day"
    column, today = panel.symbols.index(symbol), panel.sessions == np.datetime64(day, "D")
    rows = np.flatnonzero(today & np.isfinite(panel.close[:, column]))
    if not len(rows):
        return Lack.NOT_RECORDED
    ts, price = panel.close_times[rows].astype("datetime64[ns]"), panel.close[rows, column]
    size = np.zeros(len(rows)) if panel.volume is None else np.nan_to_num(panel.volume[rows, column])
    closes_at = utc_moment(panel.close_times[today][-1])
    return MarketTape("bars", ts, price, ts, price, size, panel.interval.bar_s, closes_at)


def _of_quotes(quotes: Sequence[Quote], closes_at: datetime) -> MarketTape | Lack:
    """Quotes that a daily run was filled against: mids, and no trade."""
    if not quotes:
        return Lack.NOT_RECORDED
    ts = np.array([instant(quote.ts_event) for quote in quotes])
    price = np.array([float(quote.bid + quote.ask) / 2.0 for quote in quotes])
    return MarketTape("quotes", ts, price, _no_times(), np.empty(0), np.empty(0), 0, closes_at)


def _no_times() -> Times:
    return np.empty(0, dtype="datetime64[ns]")
