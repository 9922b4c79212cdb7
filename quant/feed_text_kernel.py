"""The compiled reader of a recorded feed's lines: bytes of exchange JSON to feed rows, at memory speed.

It knows the four messages in the exact form the exchange sends them, and stops at any line that differs in a byte:
the caller reads that one with a real JSON parser and lets the kernel go on behind it.
"""

from __future__ import annotations

from typing import Any

from .arrays import IntArray
from .compiler import compiled
from .feed_rows import BREAK, BUY, CLEAR, DEPTH, SELL, SNAPSHOT, TRADE, FeedRows
from .feed_sequence_kernel import (
    DUPLICATED,
    LAST_TICKER,
    OUT_OF_ORDER,
    note,
    note_local_time,
    takes_depth,
    takes_snapshot,
    takes_trade,
)
from .text_scan_kernel import Bytes, as_bytes, decimal, integer, literal, skip_string

NANOSECONDS_PER_MS = 1_000_000
_STREAM, _DATA = as_bytes('{"stream":"'), as_bytes('","data":{"e":"')
_DEPTH_E, _T, _S = as_bytes('depthUpdate","E":'), as_bytes(',"T":'), as_bytes(',"s":"')
_FIRST, _LAST, _BEFORE = as_bytes('","U":'), as_bytes(',"u":'), as_bytes(',"pu":')
_BIDS, _ASKS, _END = as_bytes(',"b":['), as_bytes(',"a":['), as_bytes("}}\n")
_TRADE_E, _ID, _PRICE = as_bytes('trade","E":'), as_bytes('","t":'), as_bytes(',"p":"')
_SIZE, _TAKER = as_bytes('","q":"'), as_bytes('","X":"MARKET","m":')
_TRUE, _FALSE = as_bytes("true}}\n"), as_bytes("false}}\n")
_TICKER_U, _TICKER_S = as_bytes('bookTicker","u":'), as_bytes(',"s":"')
_BID, _BID_SIZE, _ASK, _ASK_SIZE = (as_bytes(text) for text in ('","b":"', '","B":"', '","a":"', '","A":"'))
_TICKER_T, _TICKER_E = as_bytes('","T":'), as_bytes(',"E":')
_SNAPSHOT_ID, _SNAPSHOT_E = as_bytes('{"lastUpdateId":'), as_bytes(',"E":')
_SNAPSHOT_BIDS, _SNAPSHOT_ASKS, _SNAPSHOT_END = as_bytes(',"bids":['), as_bytes(',"asks":['), as_bytes("}\n")
_LEVEL, _AND, _LEVEL_END = as_bytes('["'), as_bytes('","'), as_bytes('"]')


@compiled
def read_lines(
    text: Bytes, position: int, line: int, rows: FeedRows, n_rows: int, ids: IntArray, tally: IntArray
) -> tuple[int, int, int]:
    """(position, line, n_rows) of the first line not understood, or of the end.

    Parameters
    ----------
    text : (n,) lines ending in a newline each, then one zero byte
    position, line, n_rows : where to start, as given back by the call before; lines count from 1
    rows : (capacity,) feed rows, filled from ``n_rows`` on; a sixth of the text's length always suffices
    ids : (N_IDS,) last ids and local time, updated
    tally : (N_CODES, 4) findings, updated
    """
    while text[position] != 0:
        local_ns, after = integer(text, position)
        if after < 0 or text[after] != 32:
            return position, line, n_rows
        after += 1
        if text[after + 2] == 108:
            after, count = _snapshot(text, after, rows, n_rows, local_ns, line, ids, tally)
        else:
            after = literal(text, skip_string(text, literal(text, after, _STREAM)), _DATA)
            letter = text[after] if after >= 0 else 0
            if letter == 98:
                after, count = _ticker(text, after, line, ids, tally)
            elif letter == 100:
                after, count = _depth(text, after, rows, n_rows, local_ns, line, ids, tally)
            elif letter == 116:
                after, count = _trade(text, after, rows, n_rows, local_ns, line, ids, tally)
            else:
                after, count = -1, 0
        if after < 0:
            return position, line, n_rows
        note_local_time(ids, tally, line, local_ns)
        position, line, n_rows = after, line + 1, n_rows + count
    return position, line, n_rows


@compiled
def put(
    rows: FeedRows, place: int, kind: int, side: int, exchange_ns: int, local_ns: int, price: float, size: float
) -> None:
    """Write one row."""
    row: Any = rows[place]
    row["kind"], row["side"], row["seen"] = kind, side, 0
    row["exchange_ns"], row["local_ns"] = exchange_ns, local_ns
    row["price"], row["quantity"] = price, size


@compiled
def _depth(
    text: Bytes, at: int, rows: FeedRows, n_rows: int, local_ns: int, line: int, ids: IntArray, tally: IntArray
) -> tuple[int, int]:
    _, at = integer(text, literal(text, at, _DEPTH_E))
    exchange_ms, at = integer(text, literal(text, at, _T))
    at = skip_string(text, literal(text, at, _S))
    _, at = integer(text, literal(text, at, _FIRST))
    last, at = integer(text, literal(text, at, _LAST))
    before, at = integer(text, literal(text, at, _BEFORE))
    exchange_ns = exchange_ms * NANOSECONDS_PER_MS
    # The first place is left for a break, which goes before the levels if one is due.
    at, place = _levels(text, literal(text, at, _BIDS), rows, n_rows + 1, DEPTH, BUY, exchange_ns, local_ns)
    at, place = _levels(text, literal(text, at, _ASKS), rows, place, DEPTH, SELL, exchange_ns, local_ns)
    at = literal(text, at, _END)
    if at < 0:
        return -1, 0
    taken = takes_depth(ids, tally, line, before, last)
    count = place - n_rows
    if taken == 2:
        put(rows, n_rows, BREAK, 0, exchange_ns, local_ns, 0.0, 0.0)
    elif taken == 1:
        count -= 1
        for k in range(n_rows, n_rows + count):
            rows[k] = rows[k + 1]
    else:
        count = 0
    return at, count


@compiled
def _snapshot(
    text: Bytes, at: int, rows: FeedRows, n_rows: int, local_ns: int, line: int, ids: IntArray, tally: IntArray
) -> tuple[int, int]:
    last, at = integer(text, literal(text, at, _SNAPSHOT_ID))
    _, at = integer(text, literal(text, at, _SNAPSHOT_E))
    exchange_ms, at = integer(text, literal(text, at, _T))
    exchange_ns = exchange_ms * NANOSECONDS_PER_MS
    start = literal(text, at, _SNAPSHOT_BIDS)
    at, bids = _levels(text, start, rows, n_rows + 1, SNAPSHOT, BUY, exchange_ns, local_ns)
    start = literal(text, at, _SNAPSHOT_ASKS)
    at, asks = _levels(text, start, rows, bids + 1, SNAPSHOT, SELL, exchange_ns, local_ns)
    at = literal(text, at, _SNAPSHOT_END)
    if at < 0 or bids == n_rows + 1 or asks == bids + 1:
        return -1, 0
    put(rows, n_rows, CLEAR, BUY, exchange_ns, local_ns, rows[bids - 1]["price"], 0.0)
    put(rows, bids, CLEAR, SELL, exchange_ns, local_ns, rows[asks - 1]["price"], 0.0)
    takes_snapshot(ids, tally, line, last)
    return at, asks - n_rows


@compiled
def _trade(
    text: Bytes, at: int, rows: FeedRows, n_rows: int, local_ns: int, line: int, ids: IntArray, tally: IntArray
) -> tuple[int, int]:
    _, at = integer(text, literal(text, at, _TRADE_E))
    exchange_ms, at = integer(text, literal(text, at, _T))
    at = skip_string(text, literal(text, at, _S))
    trade_id, at = integer(text, literal(text, at, _ID))
    price, at = decimal(text, literal(text, at, _PRICE))
    size, at = decimal(text, literal(text, at, _SIZE))
    at = literal(text, at, _TAKER)
    sold, bought = literal(text, at, _TRUE), literal(text, at, _FALSE)
    at = max(sold, bought)
    if at < 0 or price <= 0.0 or size <= 0.0:
        return -1, 0
    if not takes_trade(ids, tally, line, trade_id):
        return at, 0
    # `m` says that the buyer was the maker: the seller took.
    put(rows, n_rows, TRADE, SELL if sold >= 0 else BUY, exchange_ms * NANOSECONDS_PER_MS, local_ns, price, size)
    return at, 1


@compiled
def _ticker(text: Bytes, at: int, line: int, ids: IntArray, tally: IntArray) -> tuple[int, int]:
    """A best bid and offer is checked and gives no row: the levels say the same."""
    last, at = integer(text, literal(text, at, _TICKER_U))
    at = skip_string(text, literal(text, at, _TICKER_S))
    _, at = decimal(text, literal(text, at, _BID))
    _, at = decimal(text, literal(text, at, _BID_SIZE))
    _, at = decimal(text, literal(text, at, _ASK))
    _, at = decimal(text, literal(text, at, _ASK_SIZE))
    _, at = integer(text, literal(text, at, _TICKER_T))
    _, at = integer(text, literal(text, at, _TICKER_E))
    at = literal(text, at, _END)
    if at >= 0 and last <= ids[LAST_TICKER]:
        note(tally, DUPLICATED if last == ids[LAST_TICKER] else OUT_OF_ORDER, line, last, ids[LAST_TICKER])
    if at >= 0:
        ids[LAST_TICKER] = max(last, ids[LAST_TICKER])
    return at, 0


@compiled
def _levels(
    text: Bytes, at: int, rows: FeedRows, place: int, kind: int, side: int, exchange_ns: int, local_ns: int
) -> tuple[int, int]:
    """Rows for `["price","size"],...]`, and the position behind the closing bracket."""
    if at < 0:
        return -1, place
    while text[at] == 91:
        price, at = decimal(text, literal(text, at, _LEVEL))
        size, at = decimal(text, literal(text, at, _AND))
        at = literal(text, at, _LEVEL_END)
        if at < 0 or price <= 0.0:
            return -1, place
        put(rows, place, kind, side, exchange_ns, local_ns, price, size)
        place += 1
        if text[at] == 44:
            at += 1
    return (at + 1 if text[at] == 93 else -1), place
