"""The compiled desk of a replay: what it knows by when, what it measures, and its requests on their way."""

from __future__ import annotations

import math
from typing import Any

from .arrays import FloatArray
from .compiler import compiled
from .feed_kernel import ASK, BID, Book, apply_row, is_sound, pass_rows, place_of
from .feed_rows import AT_DESK, BREAK, TRADE
from .matching_kernel import run_exchange, serve
from .replay_state import (
    ACCEPTED,
    BASE,
    CANCEL,
    CANCELING,
    CASH,
    DESK_ROW,
    FEES,
    FILLED,
    FIRST_REPORT,
    FIRST_REQUEST,
    FLOW,
    FREE,
    LAST_ARRIVAL,
    LAST_ASK,
    LAST_ASK_SIZE,
    LAST_BID,
    LAST_BID_SIZE,
    LAST_MID,
    N_ORDERS,
    NEW,
    NEXT_REPORT,
    NEXT_REQUEST,
    NOW,
    POSITION,
    RING,
    SENT,
    TAKEN,
    TICK,
    TICKS_PER_UNIT,
    VARIANCE,
    WATCHES,
    WORKING,
    Replay,
)

DEEP_LEVELS = 5
"""Levels with size of each side that the deep imbalance counts."""


@compiled
def advance(replay: Replay, until_ns: int) -> None:
    """Let everything up to a time happen: market, orders that arrive in it, news and reports that come back."""
    counts = replay.counts
    while counts[FIRST_REQUEST] < counts[NEXT_REQUEST]:
        request: Any = replay.requests[counts[FIRST_REQUEST] % RING]
        if request["due_ns"] > until_ns:
            break
        # What the market did in the same nanosecond came first.
        run_exchange(replay, request["due_ns"])
        serve(replay, request["due_ns"], request["kind"], request["slot"], request["number"])
        counts[FIRST_REQUEST] += 1
    run_exchange(replay, until_ns)
    _learn(replay, until_ns)
    _hear(replay, until_ns)
    counts[NOW] = until_ns


@compiled
def send(replay: Replay, slot: int, side: int, place: int, size: float, lasts: int) -> bool:
    """Send an order in a free slot; False where the slot is taken, or the price lies outside of the feed's."""
    order, counts = replay.orders[slot], replay.counts
    if order["desk_state"] != FREE or size <= 0.0 or not 0 <= place < len(replay.at_desk.asks):
        return False
    counts[N_ORDERS] += 1
    order["number"], order["desk_state"], order["is_live"] = counts[N_ORDERS], SENT, 0
    order["side"], order["lasts"], order["place"] = side, lasts, place
    order["leaves"], order["ahead"], order["traded"] = size, 0.0, 0.0
    order["decided_ns"], order["arrived_ns"] = counts[NOW], 0
    _request(replay, NEW, slot)
    return True


@compiled
def cancel(replay: Replay, slot: int) -> None:
    """Ask for the end of an order that is known to rest."""
    order: Any = replay.orders[slot]
    if order["desk_state"] == WORKING:
        order["desk_state"] = CANCELING
        _request(replay, CANCEL, slot)


@compiled
def measure(replay: Replay, step_s: float, memory: float, out: FloatArray) -> bool:
    """Fill `out` with the features of this instant, in the order of `FEATURES`; False while the book is not sound.

    Flow and taken volume count from the call before. The variance is an exponential mean of squared log returns from
    one call to the next, `memory` being the weight of what was before.
    """
    book, sums = replay.at_desk, replay.sums
    if not is_sound(book):
        sums[FLOW] = sums[TAKEN] = sums[LAST_MID] = 0.0
        return False
    bid, ask = book.state[BID], book.state[ASK]
    bid_size, ask_size = book.bids[bid], book.asks[ask]
    tick, base = replay.rules[TICK], replay.counts[BASE]
    best_bid, best_ask = (bid + base) * tick, (ask + base) * tick
    mid = (best_bid + best_ask) / 2.0
    if sums[LAST_MID] > 0.0:
        change = math.log(mid / sums[LAST_MID])
        sums[VARIANCE] = memory * sums[VARIANCE] + (1.0 - memory) * change * change / step_s
    sums[LAST_MID] = mid
    out[0], out[1], out[2], out[3] = best_bid, bid_size, best_ask, ask_size
    out[4] = (best_ask * bid_size + best_bid * ask_size) / (bid_size + ask_size)
    out[5] = (best_ask - best_bid) / mid
    out[6] = (bid_size - ask_size) / (bid_size + ask_size)
    out[7] = _deep_imbalance(book)
    out[8], out[9] = sums[FLOW], sums[TAKEN]
    out[10] = math.sqrt(sums[VARIANCE])
    out[11], out[12], out[13] = sums[POSITION], sums[CASH], sums[FEES]
    sums[FLOW] = sums[TAKEN] = 0.0
    return True


@compiled
def _deep_imbalance(book: Book) -> float:
    bids, asks, levels = 0.0, 0.0, 0
    place: int = book.state[BID]
    while place >= 0 and levels < DEEP_LEVELS:
        bids += book.bids[place]
        levels += book.bids[place] > 0.0
        place -= 1
    place, levels = int(book.state[ASK]), 0
    while place < len(book.asks) and levels < DEEP_LEVELS:
        asks += book.asks[place]
        levels += book.asks[place] > 0.0
        place += 1
    return float((bids - asks) / (bids + asks))


@compiled
def _learn(replay: Replay, until_ns: int) -> None:
    """Feed rows reach the desk."""
    rows, counts, book = replay.rows, replay.counts, replay.at_desk
    ticks_per_unit, base, watches = replay.rules[TICKS_PER_UNIT], counts[BASE], counts[WATCHES]
    at, n_rows = counts[DESK_ROW], len(rows)
    if not watches:
        counts[DESK_ROW] = pass_rows(rows, book, at, until_ns, AT_DESK, ticks_per_unit, base, replay.none)
        return
    while at < n_rows:
        row: Any = rows[at]
        if row["seen"] & AT_DESK:
            if row["local_ns"] > until_ns:
                break
            if row["kind"] != TRADE:
                place = place_of(row["price"], ticks_per_unit, base) if row["kind"] != BREAK else 0
                apply_row(book, row["kind"], row["side"], place, row["quantity"])
                # A message is one instant: its rows share their times, and only its end is a market.
                if at + 1 == n_rows or rows[at + 1]["local_ns"] != row["local_ns"]:
                    _note_flow(replay)
            else:
                replay.sums[TAKEN] += row["side"] * row["quantity"]
        at += 1
    counts[DESK_ROW] = at


@compiled
def _note_flow(replay: Replay) -> None:
    """Add what the last message did to the best bid and ask.

    Source: Cont, Kukanov and Stoikov (2014), J. Financial Econometrics 12(1), section 2.1.
    """
    book, sums = replay.at_desk, replay.sums
    if not is_sound(book):
        sums[LAST_BID_SIZE] = 0.0
        return
    bid, ask = book.state[BID], book.state[ASK]
    bid_size, ask_size = book.bids[bid], book.asks[ask]
    if sums[LAST_BID_SIZE] > 0.0:
        sums[FLOW] += bid_size if bid >= sums[LAST_BID] else 0.0
        sums[FLOW] -= sums[LAST_BID_SIZE] if bid <= sums[LAST_BID] else 0.0
        sums[FLOW] -= ask_size if ask <= sums[LAST_ASK] else 0.0
        sums[FLOW] += sums[LAST_ASK_SIZE] if ask >= sums[LAST_ASK] else 0.0
    sums[LAST_BID], sums[LAST_BID_SIZE] = bid, bid_size
    sums[LAST_ASK], sums[LAST_ASK_SIZE] = ask, ask_size


@compiled
def _hear(replay: Replay, until_ns: int) -> None:
    """Reports reach the desk: only now does it know what it holds."""
    counts, sums = replay.counts, replay.sums
    while counts[FIRST_REPORT] < counts[NEXT_REPORT]:
        report: Any = replay.reports[counts[FIRST_REPORT] % RING]
        if report["due_ns"] > until_ns:
            return
        order: Any = replay.orders[report["slot"]]
        if report["kind"] == ACCEPTED:
            order["desk_state"] = WORKING
        elif report["kind"] == FILLED:
            sums[POSITION] += order["side"] * report["quantity"]
            sums[CASH] -= order["side"] * report["quantity"] * report["price"] + report["fee"]
            sums[FEES] += report["fee"]
        else:
            order["desk_state"] = FREE
        counts[FIRST_REPORT] += 1


@compiled
def _request(replay: Replay, kind: int, slot: int) -> None:
    """Put a request on its way; none overtakes another, as they share one connection."""
    counts, latencies = replay.counts, replay.order_latency_ns
    place = counts[NEXT_REQUEST]
    counts[LAST_ARRIVAL] = max(counts[LAST_ARRIVAL], counts[NOW] + latencies[place % len(latencies)])
    request: Any = replay.requests[place % RING]
    request["due_ns"], request["kind"], request["slot"] = counts[LAST_ARRIVAL], kind, slot
    request["number"] = replay.orders[slot]["number"]
    counts[NEXT_REQUEST] = place + 1
