"""Tools on a recorded order book: which way it leans, what its flow is worth, and who began the trades."""

from collections.abc import Mapping

import numpy as np

from ..market.order_books import NANOSECONDS, Books, Rows
from ..market.recordings import Recording, known_at
from ..quant.arrays import FloatArray
from ..quant.errors import SampleError
from ..quant.order_book import book_imbalance, fit_flow, fit_micro_price, order_flow_imbalance, weighted_mid
from ..quant.trades import lee_ready_signs, tick_rule_signs
from .errors import NotEnoughData
from .ledger import Ledger, figure
from .readings import pressure_reading, signs_reading
from .recorded_flow import (
    WINDOWS,
    clocks,
    fit_row,
    intervals,
    path_edges,
    signed_trades,
    stated,
    summed,
)

DEPTHS = (1, 5, 10)
MICRO_AHEAD = 5
"""Units ahead at which the micro-price is held against the mid."""
WIDEST_TICKS = 5
SIGN_LAGS = (1, 10, 50)


def book_pressure(ledger: Ledger, recording: Recording) -> Mapping[str, object]:
    """Imbalance by depth, the micro-price against the mid, and order flow with what it says about the mid's moves."""
    books = recording.books
    if books is None or len(books.ts) < 2:
        raise NotEnoughData("no order books or quotes were recorded", remedy="Give books, or bars with quotes.")
    depths = [depth for depth in DEPTHS if depth <= books.n_levels]
    lean = {str(depth): book_imbalance(books.bid_size, books.ask_size, depth) for depth in depths}
    bid, _, ask, _ = books.top
    micro, micro_lean = _micro(books, recording.unit_s)
    output: dict[str, object] = {
        "at": clocks(recording, books.ts[-1:])[0],
        "age_s": figure((recording.as_of - known_at(books.ts[-1])).total_seconds()),
        "books": len(books.ts),
        "bid": figure(float(bid[-1])),
        "ask": figure(float(ask[-1])),
        "mid": figure(float(books.mid[-1])),
        "imbalance": {
            depth: {"now": figure(float(line[-1])), "mean": figure(float(line.mean()))} for depth, line in lean.items()
        },
        "micro": micro,
        "flow": [_flow_row(books, window * recording.unit_s) for window in WINDOWS],
        "depth": _depth(books),
        "path": _path(recording, books, lean, micro_lean),
    }
    output["reading"] = pressure_reading(output)
    ledger.record("book_pressure", 1, "as named", {"symbol": recording.symbol, "windows": list(WINDOWS)}, output)
    return output


def trade_signs(ledger: Ledger, recording: Recording) -> Mapping[str, object]:
    """Who began the trades, how long a side goes on, and how often Lee and Ready name the recorded aggressor."""
    signed = signed_trades(recording)
    trades = recording.trades
    assert trades is not None, "signed trades are trades"
    size, sign = trades.size[signed.rows], signed.sign
    output: dict[str, object] = {
        "source": signed.source,
        "trades": len(trades.ts),
        "known": len(signed.rows),
        "buy_share": figure(float((sign > 0).mean())),
        "buy_volume_share": figure(float(size[sign > 0].sum() / size.sum())),
        "net_volume": figure(float((size * sign).sum())),
        "persistence": {str(lag): _autocorrelation(sign, lag) for lag in SIGN_LAGS if lag < len(sign) // 4},
        "against_aggressor": _against_aggressor(recording),
    }
    output["reading"] = signs_reading(output)
    ledger.record("trade_signs", 1, "as named", {"symbol": recording.symbol}, output)
    return output


def _micro(books: Books, unit_s: int) -> tuple[dict[str, object], FloatArray | None]:
    """The micro-price now, learned from all books so far; and, learned from the first half, its error in the second.

    Beside it, what the one learned from the first half said of each book of the second, as a share off the mid.
    """
    top, mid, tick = books.top, books.mid, _tick(books)
    widest = int(np.clip(np.rint(np.quantile((top[2] - top[0]) / tick, 0.95)), 1, WIDEST_TICKS))
    heavy = float(weighted_mid(*(side[-1:] for side in top))[0])
    now: dict[str, object] = {"tick": figure(tick), "weighted_mid": figure(heavy)}
    half = len(mid) // 2
    try:
        price = float(fit_micro_price(*top, tick=tick, max_spread_ticks=widest).price(*(s[-1:] for s in top))[0])
        early = fit_micro_price(*(side[:half] for side in top), tick=tick, max_spread_ticks=widest)
    except SampleError as error:
        return now | stated(error), None
    foretold = early.price(*(side[half:] for side in top))
    ahead = np.timedelta64(MICRO_AHEAD * unit_s, "s").astype("timedelta64[ns]")
    rows = np.flatnonzero(books.ts[half:] + ahead <= books.ts[-1])
    later = mid[books.at(books.ts[half:][rows] + ahead)]
    plain = float(np.square(later - mid[half:][rows]).sum())
    found = now | {"price": figure(price), "lean": figure(price / float(mid[-1]) - 1.0), "tested_on": len(rows)}
    if plain > 0.0:
        found["error_ratio"] = figure(float(np.square(later - foretold[rows]).sum()) / plain)
    return found, foretold / mid[half:] - 1.0


def _tick(books: Books) -> float:
    """The smallest step between two best prices seen so far, free of the noise of floats."""
    prices = np.unique(np.concatenate((books.bid[:, 0], books.ask[:, 0])))
    steps = np.diff(prices)
    return float(f"{steps[steps > 1e-9 * prices[-1]].min():.6g}")


def _flow_row(books: Books, window_s: int) -> dict[str, object]:
    """Order flow over even windows against the mid's move in the same window and in the next."""
    row: dict[str, object] = {"window_s": window_s}
    try:
        spans = intervals(books, window_s)
        flow = summed(books.ts[1:], order_flow_imbalance(*books.top), spans.edges)
        mid = float(books.mid[-1])
        row["windows"] = len(flow)
        row["now"] = figure(float(flow[-1]))
        row["one_std"] = figure(float(flow.std(ddof=1)))
        row["same"] = fit_row(fit_flow(spans.moves, flow), mid)
        row["next"] = fit_row(fit_flow(spans.moves[1:], flow[:-1]), mid)
    except (NotEnoughData, SampleError) as error:
        row |= stated(error)
    return row


def _depth(books: Books) -> list[dict[str, float]]:
    """The last book by level: prices and sizes of both sides."""
    return [
        {
            "level": level + 1,
            "bid": figure(float(books.bid[-1, level])),
            "bid_size": figure(float(books.bid_size[-1, level])),
            "ask": figure(float(books.ask[-1, level])),
            "ask_size": figure(float(books.ask_size[-1, level])),
        }
        for level in range(books.n_levels)
        if books.bid[-1, level] > 0.0 and books.ask[-1, level] > 0.0
    ]


def _path(
    recording: Recording, books: Books, lean: Mapping[str, FloatArray], micro_lean: FloatArray | None
) -> dict[str, object]:
    """What the picture shows: the mid and what leans off it, spread and imbalances; all but prices are means."""
    edges = path_edges(books)
    places = books.at(edges)
    bid, _, ask, _ = books.top
    heavy = weighted_mid(*books.top) / books.mid - 1.0
    starts = np.append(0, places[:-1] + 1)
    counts = np.maximum(places + 1 - starts, 1)

    def averaged(line: FloatArray) -> list[float]:
        total = np.append(0.0, np.cumsum(line))
        sums = total[places + 1] - total[np.minimum(starts, places)]
        return [figure(float(value)) for value in sums / np.where(starts > places, 1, counts)]

    return {
        "time": clocks(recording, edges),
        "mid": [figure(float(value)) for value in books.mid[places]],
        "weighted_lean": averaged(heavy),
        "micro_lean": None if micro_lean is None else _sampled(micro_lean, places, len(books.ts) - len(micro_lean)),
        "spread": averaged((ask - bid) / books.mid),
        "imbalance": {depth: averaged(line) for depth, line in lean.items()},
    }


def _sampled(line: FloatArray, places: Rows, start: int) -> list[float | None]:
    """A line that begins at a book, at the books in `places`; nothing before it."""
    return [figure(float(line[place - start])) if place >= start else None for place in places.tolist()]


def _autocorrelation(sign: FloatArray, lag: int) -> float:
    """Of the signs, about their mean; 0 where all are the same."""
    centered = sign - sign.mean()
    spread = float(centered @ centered)
    return figure(float(centered[lag:] @ centered[:-lag]) / spread) if spread > 0.0 else 0.0


def _against_aggressor(recording: Recording) -> dict[str, object] | None:
    """Classified sides against the recorded ones; None where the exchange tells none, or no quote came before."""
    trades, books = recording.trades, recording.books
    if trades is None or trades.side is None or books is None:
        return None
    before = books.before(trades.ts)
    rows = np.flatnonzero(before >= 0)
    if not len(rows):
        return None
    truth, size = trades.side[rows], trades.size[rows]
    bid, _, ask, _ = (side[before[rows]] for side in books.top)
    quote = lee_ready_signs(trades.price[rows], bid, ask)
    ticks = tick_rule_signs(trades.price)[rows]
    age_s = (trades.ts[rows] - books.ts[before[rows]]).astype(np.int64) / NANOSECONDS
    return {
        "trades": len(rows),
        "lee_ready": figure(float((quote == truth).mean())),
        "lee_ready_by_volume": figure(float(size[quote == truth].sum() / size.sum())),
        "tick_rule": figure(float((ticks == truth).mean())),
        "always_the_commoner": figure(float(max((truth > 0).mean(), (truth < 0).mean()))),
        "inside_the_spread": figure(float(((trades.price[rows] > bid) & (trades.price[rows] < ask)).mean())),
        "median_quote_age_s": figure(float(np.median(age_s))),
    }
