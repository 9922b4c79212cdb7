"""What the tools on recordings share: even intervals of the mid, and each trade with its side and the quote before."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..market.order_books import NANOSECONDS, Books, Rows, Times
from ..market.recordings import Recording
from ..quant.arrays import FloatArray
from ..quant.errors import SampleError
from ..quant.order_book import FlowFit
from ..quant.trades import lee_ready_signs, tick_rule_signs
from .errors import NotEnoughData
from .ledger import figure

SignSource = Literal["recorded", "lee_ready", "tick_rule"]

WINDOWS = (1, 5, 10)
"""Lengths of the intervals in a regression, in units of the recording: seconds, or its bars."""
LEAST_INTERVALS = 20
PATH_POINTS = 240


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """Even intervals from the first book on: their edges, the book in force at each, and its mid; (n + 1,) each."""

    window_s: int
    edges: Times
    places: Rows
    mid: FloatArray

    @property
    def moves(self) -> FloatArray:
        """(n,) change of the mid over each interval."""
        return np.diff(self.mid)


@dataclass(frozen=True, slots=True, eq=False)
class SignedTrades:
    """The trades whose side is known: their rows, 1 for a buyer's and -1 for a seller's, and who says so."""

    rows: Rows
    sign: FloatArray
    source: SignSource


def intervals(books: Books, window_s: int) -> Intervals:
    """The intervals that a recording fills; NotEnoughData for fewer than a regression can use."""
    n_whole = int((books.ts[-1] - books.ts[0]).astype(np.int64) // (window_s * NANOSECONDS))
    if n_whole < LEAST_INTERVALS:
        raise NotEnoughData(
            f"{n_whole} intervals of {window_s} s, {LEAST_INTERVALS} are needed", remedy="Give a longer recording."
        )
    edges = books.ts[0] + np.arange(n_whole + 1) * np.timedelta64(window_s, "s").astype("timedelta64[ns]")
    places = books.at(edges)
    return Intervals(window_s, edges, places, books.mid[places])


def summed(ts: Times, values: FloatArray, edges: Times) -> FloatArray:
    """(n,) sum of the values after each edge, up to the next and with it."""
    total = np.append(0.0, np.cumsum(values))
    return np.diff(total[np.searchsorted(ts, edges, side="right")])


def signed_trades(recording: Recording) -> SignedTrades:
    """By the exchange's word; else by Lee and Ready where a quote came before; else by the tick rule."""
    trades, books = recording.trades, recording.books
    if trades is None:
        raise NotEnoughData("no single trades were recorded", remedy="Give trades or ticks; bars hide who traded.")
    rows = np.arange(len(trades.ts))
    source: SignSource = "recorded"
    if trades.side is not None:
        sign = trades.side
    elif books is not None:
        source, before = "lee_ready", books.before(trades.ts)
        rows = rows[before >= 0]
        bid, _, ask, _ = books.top
        quotes = before[rows]
        sign = lee_ready_signs(trades.price[rows], bid[quotes], ask[quotes]) if len(rows) else np.zeros(0)
    else:
        source, sign = "tick_rule", tick_rule_signs(trades.price)
    known = sign != 0.0
    if not known.any():
        raise NotEnoughData("the side of no trade is known", remedy="Give quotes from before the first trade.")
    return SignedTrades(rows[known], sign[known], source)


def fit_row(fit: FlowFit, mid: float) -> dict[str, object]:
    """A regression as the ledger keeps it; a perfect fit has no t statistic."""
    t_stat = figure(fit.t_stat) if np.isfinite(fit.t_stat) else None
    return {
        "price_per_size": figure(fit.price_per_size),
        "move_per_size": figure(fit.price_per_size / mid),
        "t_stat": t_stat,
        "r_squared": figure(max(fit.r_squared, 0.0)),
    }


def path_edges(books: Books) -> Times:
    """At most 240 even moments from the first book to the last, for drawing."""
    first, span = books.ts[0], (books.ts[-1] - books.ts[0]).astype(np.int64)
    return first + np.linspace(0, span, min(PATH_POINTS, len(books.ts))).astype(np.int64).astype("timedelta64[ns]")


def clocks(recording: Recording, ts: Times) -> list[str]:
    """Times by the market's own clock, to the second."""
    local = ts + np.timedelta64(recording.utc_offset_s, "s").astype("timedelta64[ns]")
    return np.datetime_as_string(local, unit="s").tolist()


def stated(error: SampleError | NotEnoughData) -> dict[str, object]:
    """Why a figure cannot be had, in the figure's place."""
    return {"refused": error.message}
