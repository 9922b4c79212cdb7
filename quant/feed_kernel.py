"""The compiled order book: levels in arrays indexed by price, built from feed rows one at a time."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .arrays import FloatArray, IntArray
from .compiler import compiled, inlined
from .feed_rows import AT_DESK, AT_EXCHANGE, BREAK, BUY, CLEAR, DEPTH, SNAPSHOT, TRADE, FeedRows

BID, ASK, N_BIDS, N_ASKS, IS_TRUSTED, N_STATE = range(6)
"""Places in a book's state: the best places (-1 and the length where there is none), levels with size, and whether a
snapshot came since the feed last lost something."""


FAR = int(np.iinfo(np.int64).max)
"""A place, or a time, that is never reached."""


class Book(NamedTuple):
    """Sizes by place, a price's distance in ticks from the lowest price of the feed; 0 where nobody stands."""

    bids: FloatArray
    asks: FloatArray
    state: IntArray


def empty_book(n_places: int) -> Book:
    """A book without levels. Untouched places cost no memory, as the system gives zeros only when they are written."""
    state = np.zeros(N_STATE, dtype=np.int64)
    state[BID], state[ASK] = -1, n_places
    return Book(np.zeros(n_places), np.zeros(n_places), state)


@compiled
def place_of(price: float, ticks_per_unit: float, base: int) -> int:
    """The place nearest to a price; `base` is the lowest price in ticks."""
    return int(price * ticks_per_unit + 0.5) - base


@compiled
def apply_row(book: Book, kind: int, side: int, place: int, size: float) -> None:
    """Put one feed row into the book; a print leaves it as it is."""
    if kind == TRADE:
        return
    if kind == BREAK:
        _forget(book)
    elif kind == CLEAR:
        _clear(book, side, place)
        book.state[IS_TRUSTED] = 1
    else:
        set_level(book, side, place, size)


@inlined
def put_level(bids: FloatArray, asks: FloatArray, state: IntArray, side: int, place: int, size: float) -> None:
    """A level's new size; the best of its side moves with it.

    Most rows change a level behind the best one: for those there is one branch, which the processor foresees.
    """
    if side == BUY:
        state[N_BIDS] += int(size > 0.0) - int(bids[place] > 0.0)
        bids[place] = size
        if place >= state[BID]:
            if size > 0.0:
                state[BID] = place
            elif place == state[BID]:
                state[BID] = _next_bid(bids, place) if state[N_BIDS] else -1
    else:
        state[N_ASKS] += int(size > 0.0) - int(asks[place] > 0.0)
        asks[place] = size
        if place <= state[ASK]:
            if size > 0.0:
                state[ASK] = place
            elif place == state[ASK]:
                state[ASK] = _next_ask(asks, place) if state[N_ASKS] else len(asks)


@compiled
def set_level(book: Book, side: int, place: int, size: float) -> None:
    """A level's new size, where speed does not matter."""
    put_level(book.bids, book.asks, book.state, side, place, size)


@compiled
def pass_rows(
    rows: FeedRows, book: Book, at: int, until_ns: int, flag: int, ticks_per_unit: float, base: int, own: IntArray
) -> int:
    """Put rows into the book up to a time, included; the place of the first row that is later, or reaches `own`.

    Parameters
    ----------
    flag : AT_EXCHANGE or AT_DESK, which order of events and which clock to go by
    own : (4,) lowest and highest place of resting buys, then of sells, as ``nothing_rests`` has them for none
    """
    bids, asks, state = book
    buy_low, buy_high, sell_low, sell_high = own[0], own[1], own[2], own[3]
    n_rows = len(rows)
    while at < n_rows:
        row: Any = rows[at]
        if not row["seen"] & flag:
            at += 1
            continue
        if (row["exchange_ns"] if flag == AT_EXCHANGE else row["local_ns"]) > until_ns:
            break
        kind, side = row["kind"], row["side"]
        place = int(row["price"] * ticks_per_unit + 0.5) - base
        if kind in (DEPTH, SNAPSHOT):
            if side == BUY:
                if place >= sell_low or buy_low <= place <= buy_high:
                    break
            elif place <= buy_high or sell_low <= place <= sell_high:
                break
            put_level(bids, asks, state, side, place, row["quantity"])
        elif kind == TRADE:
            if place >= sell_low if side == BUY else place <= buy_high:
                break
        else:
            if kind == BREAK and (buy_high >= 0 or sell_high >= 0):
                break
            apply_row(book, kind, side, place, 0.0)
        at += 1
    return at


@compiled
def nothing_rests() -> IntArray:
    """Bounds that no row reaches."""
    return np.array([FAR, -1, FAR, -1], dtype=np.int64)


@compiled
def is_sound(book: Book) -> bool:
    """Whether there is a bid below an ask, from a feed that lost nothing since its last snapshot."""
    state = book.state
    return state[IS_TRUSTED] == 1 and 0 <= state[BID] < state[ASK] < len(book.asks)


@compiled
def find_crossed(rows: FeedRows, book: Book, ticks_per_unit: float, base: int, found: IntArray) -> None:
    """Count in `found` the times messages left a trusted book crossed, then locked, and each kind's first row or -1.

    Rows of one message share their times, so a book is judged where the local time changes.
    """
    found[2] = found[3] = -1
    for i in range(len(rows)):
        row: Any = rows[i]
        if not row["seen"] & AT_DESK:
            continue
        if row["kind"] != TRADE:
            place = place_of(row["price"], ticks_per_unit, base) if row["kind"] != BREAK else 0
            apply_row(book, row["kind"], row["side"], place, row["quantity"])
        state = book.state
        ends = i + 1 == len(rows) or rows[i + 1]["local_ns"] != row["local_ns"]
        if ends and row["kind"] != TRADE and state[IS_TRUSTED] == 1 and state[BID] >= 0 and state[BID] >= state[ASK]:
            kind = 0 if state[BID] > state[ASK] else 1
            found[kind] += 1
            if found[2 + kind] < 0:
                found[2 + kind] = i


@compiled
def count_steps(
    rows: FeedRows,
    at_exchange: Book,
    at_desk: Book,
    start_ns: int,
    step_ns: int,
    ticks_per_unit: float,
    base: int,
    found: IntArray,
) -> None:
    """Build both books and read the desk's best bid and ask after every step that ends before the feed does.

    `found` is filled with steps, those with both sides, and over these the sums of the best places.
    """
    none, state, n_places, n_rows = nothing_rests(), at_desk.state, len(at_desk.asks), len(rows)
    steps = two_sided = bids = asks = 0
    i = pass_rows(rows, at_exchange, 0, start_ns, AT_EXCHANGE, ticks_per_unit, base, none)
    j = pass_rows(rows, at_desk, 0, start_ns, AT_DESK, ticks_per_unit, base, none)
    until_ns = start_ns
    while True:
        until_ns += step_ns
        # Most steps are empty where they are short: a look is cheaper than a call.
        if i < n_rows and rows[i]["exchange_ns"] <= until_ns:
            i = pass_rows(rows, at_exchange, i, until_ns, AT_EXCHANGE, ticks_per_unit, base, none)
        if j < n_rows and rows[j]["local_ns"] <= until_ns:
            j = pass_rows(rows, at_desk, j, until_ns, AT_DESK, ticks_per_unit, base, none)
        if i == n_rows and j == n_rows:
            break
        steps += 1
        if state[BID] >= 0 and state[ASK] < n_places:
            two_sided += 1
            bids += state[BID]
            asks += state[ASK]
    found[0], found[1], found[2], found[3] = steps, two_sided, bids, asks


@compiled
def top_levels(
    rows: FeedRows,
    book: Book,
    ticks_per_unit: float,
    base: int,
    times_ns: IntArray,
    places: IntArray,
    sizes: FloatArray,
) -> None:
    """The best levels as known at each time: bids in the first half of a row of `places`, asks in the second.

    Parameters
    ----------
    times_ns : (n_times,) rising
    places, sizes : (n_times, 2 n_levels) filled; -1 and 0 where the book has no such level
    """
    at = 0
    for k in range(len(times_ns)):
        while at < len(rows) and (not rows[at]["seen"] & AT_DESK or rows[at]["local_ns"] <= times_ns[k]):
            row: Any = rows[at]
            if row["seen"] & AT_DESK and row["kind"] != TRADE:
                place = place_of(row["price"], ticks_per_unit, base) if row["kind"] != BREAK else 0
                apply_row(book, row["kind"], row["side"], place, row["quantity"])
            at += 1
        _copy_top(book, places[k], sizes[k])


@compiled
def _copy_top(book: Book, places: IntArray, sizes: FloatArray) -> None:
    n_levels = len(places) // 2
    bid, ask = book.state[BID], book.state[ASK]
    for level in range(n_levels):
        places[level] = places[n_levels + level] = -1
        sizes[level] = sizes[n_levels + level] = 0.0
        while bid >= 0 and book.bids[bid] == 0.0:
            bid -= 1
        if bid >= 0:
            places[level], sizes[level] = bid, book.bids[bid]
            bid -= 1
        while ask < len(book.asks) and book.asks[ask] == 0.0:
            ask += 1
        if ask < len(book.asks):
            places[n_levels + level], sizes[n_levels + level] = ask, book.asks[ask]
            ask += 1


@compiled
def _clear(book: Book, side: int, place: int) -> None:
    """Void every level from the best to this place."""
    if side == BUY:
        while 0 <= place <= book.state[BID]:
            set_level(book, BUY, book.state[BID], 0.0)
    else:
        while book.state[ASK] <= place:
            set_level(book, -BUY, book.state[ASK], 0.0)


@compiled
def _forget(book: Book) -> None:
    _clear(book, BUY, 0)
    _clear(book, -BUY, len(book.asks) - 1)
    book.state[IS_TRUSTED] = 0


@compiled
def _next_bid(bids: FloatArray, place: int) -> int:
    while bids[place] == 0.0:
        place -= 1
    return place


@compiled
def _next_ask(asks: FloatArray, place: int) -> int:
    while asks[place] == 0.0:
        place += 1
    return place
