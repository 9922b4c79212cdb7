"""What trading costs now, by a recording: spreads quoted, paid and kept, and how far volume moves the price."""

from collections.abc import Mapping

import numpy as np

from ..market.order_books import NANOSECONDS, Books
from ..market.recordings import Recording
from ..market.ticks import Trades
from ..quant.arrays import FloatArray
from ..quant.errors import SampleError
from ..quant.order_book import quoted_spread
from ..quant.tape import amihud_illiquidity, roll_spread
from ..quant.trades import effective_spread, kyle_lambda, realized_spread, trade_impact
from .errors import NotEnoughData
from .ledger import Ledger, figure
from .readings import costs_reading
from .recorded_flow import LEAST_INTERVALS, WINDOWS, SignedTrades, fit_row, intervals, signed_trades, stated, summed

HORIZONS = (1, 10, 60)
"""Units after a trade at which the mid is looked at again."""
AMIHUD_UNITS = 10
MILLION = 1e6


def trading_costs_now(ledger: Ledger, recording: Recording) -> Mapping[str, object]:
    """Quoted, effective and realized spread, Roll, Amihud and Kyle's lambda with its fit; fractions of the mid.

    What a recording cannot tell is an object with `refused` that says why.
    """
    output: dict[str, object] = {"quoted": _quoted(recording.books)}
    output |= _paid(recording)
    price = _prices(recording)
    output["roll"] = _roll(price)
    output["amihud"] = _amihud(recording)
    output["reading"] = costs_reading(output)
    ledger.record("trading_costs_now", 1, "fraction of mid", {"symbol": recording.symbol}, output)
    return output


def _quoted(books: Books | None) -> dict[str, object]:
    """The quoted spread now, by time (each quote weighs as long as it stood), in the middle and at its widest."""
    if books is None:
        return {"refused": "no quotes were recorded"}
    bid, _, ask, _ = books.top
    spread = quoted_spread(bid, ask)
    stood = np.diff(books.ts.astype(np.int64)).astype(np.float64)
    by_time = float(spread[:-1] @ stood / stood.sum()) if stood.sum() > 0.0 else float(spread[-1])
    return {
        "now": figure(float(spread[-1])),
        "by_time": figure(by_time),
        "median": figure(float(np.median(spread))),
        "widest": figure(float(spread.max())),
    }


def _paid(recording: Recording) -> dict[str, object]:
    """Effective spread, its split at each horizon, and Kyle's lambda, from trades with a side and a quote before."""
    books, trades = recording.books, recording.trades
    try:
        signed = signed_trades(recording)
        if books is None or trades is None:
            raise NotEnoughData("no quotes were recorded beside the trades", remedy="Give the books as well.")
        before = books.before(trades.ts[signed.rows])
        quoted = before >= 0
        if not quoted.any():
            raise NotEnoughData("no trade has a quote before it", remedy="Give books from before the trades.")
    except NotEnoughData as error:
        return {"effective": stated(error), "horizons": [], "kyle": []}
    with_quote = SignedTrades(signed.rows[quoted], signed.sign[quoted], signed.source)
    return {
        "effective": _effective(books, trades, with_quote, len(trades.ts)),
        "horizons": [_horizon(books, trades, with_quote, units * recording.unit_s) for units in HORIZONS],
        "kyle": [_kyle(books, trades, signed, window * recording.unit_s) for window in WINDOWS],
    }


def _effective(books: Books, trades: Trades, signed: SignedTrades, n_trades: int) -> dict[str, object]:
    price, size, sign = trades.price[signed.rows], trades.size[signed.rows], signed.sign
    before = books.before(trades.ts[signed.rows])
    spread = effective_spread(price, books.mid[before], sign)
    age_s = (trades.ts[signed.rows] - books.ts[before]).astype(np.int64) / NANOSECONDS
    sides = {"buys": spread[sign > 0], "sells": spread[sign < 0]}
    return {
        "signs": signed.source,
        "trades": len(sign),
        "left_out": n_trades - len(sign),
        "median_quote_age_s": figure(float(np.median(age_s))),
        "mean": figure(float(spread.mean())),
        "by_volume": figure(float(spread @ size / size.sum())),
        **{name: figure(float(part.mean())) if len(part) else None for name, part in sides.items()},
    }


def _horizon(books: Books, trades: Trades, signed: SignedTrades, horizon_s: int) -> dict[str, object]:
    """The spread of the trades whose horizon had passed by the last book: what was kept, and what the price took."""
    row: dict[str, object] = {"horizon_s": horizon_s}
    ts = trades.ts[signed.rows]
    later = ts + np.timedelta64(horizon_s * NANOSECONDS, "ns")
    ripe = later <= books.ts[-1]
    if not ripe.any():
        return row | {"refused": f"no trade has a book {horizon_s} s after it"}
    price, sign = trades.price[signed.rows][ripe], signed.sign[ripe]
    mid, mid_later = books.mid[books.before(ts[ripe])], books.mid[books.at(later[ripe])]
    return row | {
        "trades": len(sign),
        "effective": figure(float(effective_spread(price, mid, sign).mean())),
        "realized": figure(float(realized_spread(price, mid, mid_later, sign).mean())),
        "impact": figure(float(trade_impact(mid, mid_later, sign).mean())),
    }


def _kyle(books: Books, trades: Trades, signed: SignedTrades, window_s: int) -> dict[str, object]:
    """Moves of the mid on net buying over even windows; `move_per_million` is the move by one million of value."""
    row: dict[str, object] = {"window_s": window_s}
    try:
        spans = intervals(books, window_s)
        net = summed(trades.ts[signed.rows], trades.size[signed.rows] * signed.sign, spans.edges)
        mid = float(books.mid[-1])
        fit = kyle_lambda(spans.moves, net)
    except (NotEnoughData, SampleError) as error:
        return row | stated(error)
    return row | {
        "windows": len(net),
        **fit_row(fit, mid),
        "move_per_million": figure(fit.price_per_size * MILLION / mid**2),
    }


def _prices(recording: Recording) -> FloatArray | None:
    if recording.trades is not None:
        return recording.trades.price
    return None if recording.bars is None else recording.bars.close


def _roll(price: FloatArray | None) -> dict[str, object]:
    if price is None:
        return {"refused": "neither trades nor bars were recorded"}
    try:
        spread = roll_spread(price)
    except SampleError as error:
        return stated(error)
    return {"price": figure(spread), "fraction": figure(spread / float(price.mean())), "prices": len(price)}


def _amihud(recording: Recording) -> dict[str, object]:
    """Mean of ``|return| / value`` over intervals in which something traded, per million of value."""
    unit_s = recording.unit_s
    if recording.bars is not None:
        window_s = unit_s
        price, value = recording.bars.close, recording.bars.close * recording.bars.volume
    elif recording.trades is not None:
        window_s = AMIHUD_UNITS * unit_s
        trades = recording.trades
        bucket = (trades.ts - trades.ts[0]).astype(np.int64) // (window_s * NANOSECONDS)
        lasts = np.flatnonzero(np.append(np.diff(bucket) > 0, True))
        price = trades.price[lasts]
        value = np.add.reduceat(trades.price * trades.size, np.append(0, lasts[:-1] + 1))
    else:
        return {"refused": "neither trades nor bars were recorded"}
    if len(price) <= LEAST_INTERVALS:
        return {"refused": f"{len(price)} intervals of {window_s} s with a trade, {LEAST_INTERVALS + 1} are needed"}
    traded = value[1:] > 0.0
    returns = (price[1:] / price[:-1] - 1.0)[traded]
    try:
        illiquidity = amihud_illiquidity(returns, value[1:][traded])
    except SampleError as error:
        return stated(error)
    return {"per_million": figure(illiquidity * MILLION), "interval_s": window_s, "intervals": int(traded.sum())}
