"""The compiled strategies of a replay: a market maker around a leaning mid, and the step of one written in Python."""

from __future__ import annotations

import math

from .arrays import FloatArray
from .compiler import compiled
from .desk_kernel import advance, cancel, measure, send
from .feed_kernel import ASK, BID, is_sound
from .feed_rows import BUY, SELL
from .replay_state import DESK_ROW, EXCHANGE_ROW, FREE, IS_FULL, NOW, POSITION, POST_ONLY, WORKING, Replay

HALF_SPREAD, SKEW, SIZE, MOST = range(4)
"""Places in the maker's terms: ticks from the mid, ticks of lean per order's size held, size, and most to hold."""


@compiled
def make_market(replay: Replay, step_ns: int, terms: FloatArray, positions: FloatArray) -> int:
    """Quote after every step until the feed ends, and keep what was held at each; gives the number of steps.

    The mid leans against what is held. Each side has one order, never better than the touch, replaced once its price
    is no longer the wanted one; nothing is quoted on a book that is not sound.
    """
    steps = 0
    while not has_ended(replay) and not replay.counts[IS_FULL] and steps < len(positions):
        advance(replay, replay.counts[NOW] + step_ns)
        held = replay.sums[POSITION]
        positions[steps] = held
        steps += 1
        if not is_sound(replay.at_desk):
            cancel(replay, 0)
            cancel(replay, 1)
            continue
        bid, ask = replay.at_desk.state[BID], replay.at_desk.state[ASK]
        center = (bid + ask) / 2.0 - terms[SKEW] * held / terms[SIZE]
        want_bid = min(math.floor(center - terms[HALF_SPREAD]), bid)
        want_ask = max(math.ceil(center + terms[HALF_SPREAD]), ask)
        quote(replay, BUY, want_bid, terms[SIZE], POST_ONLY, held + terms[SIZE] <= terms[MOST] + 1e-9)
        quote(replay, SELL, want_ask, terms[SIZE], POST_ONLY, held - terms[SIZE] >= -terms[MOST] - 1e-9)
    return steps


@compiled
def quote(replay: Replay, side: int, place: int, size: float, lasts: int, wanted: bool) -> None:
    """Keep one order of a side at a place, or none; a new one goes out once the old one is known to be over."""
    slot = 0 if side == BUY else 1
    order = replay.orders[slot]
    if order["desk_state"] == WORKING and (order["place"] != place or not wanted):
        cancel(replay, slot)
    elif order["desk_state"] == FREE and wanted:
        send(replay, slot, side, place, size, lasts)


@compiled
def hooked_step(
    replay: Replay,
    want_bid: int,
    want_ask: int,
    size: float,
    lasts: int,
    step_ns: int,
    memory: float,
    features: FloatArray,
) -> bool:
    """Quote the places wanted (below 0 for none), go on by one step, and measure; whether the book there is sound."""
    quote(replay, BUY, want_bid, size, lasts, want_bid >= 0)
    quote(replay, SELL, want_ask, size, lasts, want_ask >= 0)
    advance(replay, replay.counts[NOW] + step_ns)
    return measure(replay, step_ns * 1e-9, memory, features)


@compiled
def has_ended(replay: Replay) -> bool:
    """Whether both the exchange and the desk have seen every row."""
    return replay.counts[EXCHANGE_ROW] == len(replay.rows) == replay.counts[DESK_ROW]
