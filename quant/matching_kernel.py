"""The compiled exchange of a replay: the recorded book moves on, and the desk's orders meet it.

A resting order trades only behind the size that stood before it; an order that takes uses up what is displayed until
the feed says anew what stands there; and nothing trades while the feed is broken.
"""

from __future__ import annotations

from typing import Any

from .compiler import compiled
from .feed_kernel import ASK, BID, FAR, IS_TRUSTED, apply_row, pass_rows, place_of, set_level
from .feed_rows import AT_EXCHANGE, BREAK, BUY, TRADE
from .replay_state import (
    ACCEPTED,
    BASE,
    EXCHANGE_ROW,
    FILLED,
    FIRST_REPORT,
    IMMEDIATE,
    IS_FULL,
    LAST_REPORT,
    MAKER_FEE,
    N_FILLS,
    N_LIVE,
    NEW,
    NEXT_REPORT,
    OVER,
    POST_ONLY,
    QUEUE_POWER,
    RING,
    SLOTS,
    TAKER_FEE,
    TICK,
    TICKS_PER_UNIT,
    Records,
    Replay,
)

_DUST = 1e-9
"""Sizes are decimals of a few places; what is left below this came from subtracting doubles."""


@compiled
def run_exchange(replay: Replay, until_ns: int) -> None:
    """Let the recorded market go on to a time, included, and trade with the orders that rest in it."""
    rows, counts = replay.rows, replay.counts
    ticks_per_unit, base = replay.rules[TICKS_PER_UNIT], counts[BASE]
    at = counts[EXCHANGE_ROW]
    while True:
        at = pass_rows(rows, replay.at_exchange, at, until_ns, AT_EXCHANGE, ticks_per_unit, base, replay.own)
        if at == len(rows) or rows[at]["exchange_ns"] > until_ns:
            break
        row: Any = rows[at]
        place = place_of(row["price"], ticks_per_unit, base) if row["kind"] != BREAK else 0
        _meet(replay, row["exchange_ns"], row["kind"], row["side"], place, row["quantity"])
        at += 1
    counts[EXCHANGE_ROW] = at


@compiled
def serve(replay: Replay, now_ns: int, kind: int, slot: int, number: int) -> None:
    """A request of the desk arrives at the exchange."""
    order: Any = replay.orders[slot]
    if order["number"] != number:
        return
    if kind != NEW:
        if order["is_live"]:
            _end(replay, now_ns, slot)
        return
    order["arrived_ns"] = now_ns
    order["is_live"] = 1
    replay.counts[N_LIVE] += 1
    state = replay.at_exchange.state
    crosses = order["place"] >= state[ASK] if order["side"] == BUY else order["place"] <= state[BID]
    if state[IS_TRUSTED] == 0 or (crosses and order["lasts"] == POST_ONLY):
        _end(replay, now_ns, slot)
        return
    _report(replay, now_ns, ACCEPTED, slot, 0.0, 0.0, 0.0)
    if crosses:
        _take(replay, now_ns, slot)
    if order["is_live"] and order["lasts"] == IMMEDIATE:
        _end(replay, now_ns, slot)
    elif order["is_live"]:
        own = replay.at_exchange.bids if order["side"] == BUY else replay.at_exchange.asks
        order["ahead"], order["traded"] = own[order["place"]], 0.0
        _note_own(replay)


@compiled
def _take(replay: Replay, now_ns: int, slot: int) -> None:
    """Walk the other side from its best level to the order's limit; what is taken is gone from the book."""
    book, order = replay.at_exchange, replay.orders[slot]
    state = book.state
    touch = _touch(replay, order["side"])
    while order["is_live"]:
        place: int = state[ASK] if order["side"] == BUY else state[BID]
        if place < 0 or place >= len(book.asks):
            return
        if place > order["place"] if order["side"] == BUY else place < order["place"]:
            return
        shown = float(book.asks[place] if order["side"] == BUY else book.bids[place])
        size = min(shown, order["leaves"])
        left = shown - size if shown - size > _DUST else 0.0
        set_level(book, -order["side"], place, left)
        _fill(replay, now_ns, slot, place, size, shown, touch, False)


@compiled
def _meet(replay: Replay, now_ns: int, kind: int, side: int, place: int, size: float) -> None:
    """One recorded row while orders rest: their queues, their fills, then the book."""
    if kind == TRADE:
        _print(replay, now_ns, side, place, size)
        return
    book = replay.at_exchange
    before = 0.0
    if kind != BREAK:
        before = book.bids[place] if side == BUY else book.asks[place]
    apply_row(book, kind, side, place, size)
    for slot in range(SLOTS):
        order: Any = replay.orders[slot]
        if not order["is_live"]:
            continue
        if kind == BREAK:
            _end(replay, now_ns, slot)
        elif order["side"] == side:
            if order["place"] == place:
                _move_queue(order, before, size, replay.rules[QUEUE_POWER])
        elif size > 0.0 and (place <= order["place"] if side != BUY else place >= order["place"]):
            # Somebody now stands where only whoever traded through this order can: it was theirs to take.
            _run_over(replay, now_ns, slot, side, place, size)


@compiled
def _run_over(replay: Replay, now_ns: int, slot: int, side: int, place: int, size: float) -> None:
    """The other side displays size at or beyond a resting order's price: it takes what it can of that size."""
    book, order = replay.at_exchange, replay.orders[slot]
    shown = book.bids[place] if side == BUY else book.asks[place]
    taken = min(shown, order["leaves"])
    if taken <= 0.0:
        return
    left = shown - taken if shown - taken > _DUST else 0.0
    touch = _touch(replay, order["side"])
    set_level(book, side, place, left)
    _fill(replay, now_ns, slot, order["place"], taken, shown, touch, True)


@compiled
def _move_queue(order: Records, before: float, after: float, power: float) -> None:
    """How much stands ahead once a level has another size.

    With a power of 0 all that left stood behind, unless the level is now smaller than what was thought ahead. Else
    what left without a print stood ahead in the share `ahead^n / (ahead^n + behind^n)`.
    Source: Rigtorp (2013), Estimating order queue position; powers as in Moallemi and Yuan (2016), section 5.
    """
    ahead = order["ahead"]
    gone = before - after - order["traded"]
    if power > 0.0 and gone > 0.0 and ahead > 0.0:
        behind = max(before - ahead, 0.0)
        share = ahead**power / (ahead**power + behind**power)
        ahead -= max(share * gone, gone - behind)
    order["ahead"] = max(min(ahead, after), 0.0)
    order["traded"] = 0.0


@compiled
def _print(replay: Replay, now_ns: int, taker: int, place: int, size: float) -> None:
    """A print reaches the order on the side it hit: through its price at once, at its price behind the queue."""
    order: Any = replay.orders[_slot_of(-taker)]
    if not order["is_live"] or (place - order["place"]) * order["side"] > 0:
        return
    free = size
    if order["place"] == place:
        order["traded"] += size
        free = size - order["ahead"]
        order["ahead"] = max(order["ahead"] - size, 0.0)
    filled = min(free, order["leaves"])
    if filled > _DUST:
        _fill(replay, now_ns, _slot_of(-taker), order["place"], filled, size, _touch(replay, -taker), True)


@compiled
def _slot_of(side: int) -> int:
    return 0 if side == BUY else 1


@compiled
def _fill(
    replay: Replay, now_ns: int, slot: int, place: int, size: float, shown: float, touch: float, is_maker: bool
) -> None:
    order, counts, rules = replay.orders[slot], replay.counts, replay.rules
    price = (place + counts[BASE]) * rules[TICK]
    fee = price * size * (rules[MAKER_FEE] if is_maker else rules[TAKER_FEE])
    order["leaves"] = order["leaves"] - size if order["leaves"] - size > _DUST else 0.0
    due_ns = _report(replay, now_ns, FILLED, slot, size, price, fee)
    if counts[N_FILLS] == len(replay.fills):
        counts[IS_FULL] = 1
    else:
        fill = replay.fills[counts[N_FILLS]]
        fill["order"], fill["side"], fill["is_maker"] = order["number"], order["side"], is_maker
        fill["decided_ns"], fill["arrived_ns"] = order["decided_ns"], order["arrived_ns"]
        fill["exchange_ns"], fill["local_ns"] = now_ns, due_ns
        fill["price"], fill["touch"] = price, touch
        fill["quantity"], fill["shown"], fill["fee"] = size, shown, fee
        counts[N_FILLS] += 1
    if order["leaves"] == 0.0:
        _end(replay, now_ns, slot)


@compiled
def _end(replay: Replay, now_ns: int, slot: int) -> None:
    replay.orders[slot]["is_live"] = 0
    replay.counts[N_LIVE] -= 1
    _note_own(replay)
    _report(replay, now_ns, OVER, slot, 0.0, 0.0, 0.0)


@compiled
def _note_own(replay: Replay) -> None:
    """Where the desk's orders rest, so that rows which cannot reach them pass at full speed."""
    own = replay.own
    own[0] = own[2] = FAR
    own[1] = own[3] = -1
    for slot in range(SLOTS):
        order: Any = replay.orders[slot]
        if order["is_live"]:
            low = 0 if order["side"] == BUY else 2
            own[low] = min(own[low], order["place"])
            own[low + 1] = max(own[low + 1], order["place"])


@compiled
def _report(replay: Replay, now_ns: int, kind: int, slot: int, size: float, price: float, fee: float) -> int:
    """Send word to the desk; none overtakes another. Gives the time at which it is known there."""
    counts = replay.counts
    latencies = replay.report_latency_ns
    place = counts[NEXT_REPORT]
    if place - counts[FIRST_REPORT] == RING:
        counts[IS_FULL] = 1
    counts[LAST_REPORT] = max(counts[LAST_REPORT], now_ns + latencies[place % len(latencies)])
    report: Any = replay.reports[place % RING]
    report["due_ns"], report["kind"], report["slot"] = counts[LAST_REPORT], kind, slot
    report["quantity"], report["price"], report["fee"] = size, price, fee
    counts[NEXT_REPORT] = place + 1
    return counts[LAST_REPORT]


@compiled
def _touch(replay: Replay, side: int) -> float:
    """The best price an order of this side could trade at, NaN for none."""
    state = replay.at_exchange.state
    place = state[ASK] if side == BUY else state[BID]
    if place < 0 or place >= len(replay.at_exchange.asks):
        return float("nan")
    return (place + replay.counts[BASE]) * replay.rules[TICK]
