"""What a replay keeps while it runs: orders, what is on its way, fills, counters: arrays that the kernels share."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, IntArray
from .feed_kernel import Book
from .feed_rows import FeedRows

Records = npt.NDArray[Any]

SLOTS = 2
"""One order a side, buys in slot 0 and sells in slot 1, until the desk knows that it is over."""

POST_ONLY, LIMIT, IMMEDIATE = 0, 1, 2
"""How long an order lasts: rests or is refused; takes and rests; takes and is gone."""

FREE, SENT, WORKING, CANCELING = 0, 1, 2, 3
"""What the desk knows of a slot."""

NEW, CANCEL = 0, 1
ACCEPTED, FILLED, OVER = 0, 1, 2

ORDER = np.dtype(
    [
        ("number", np.int64),
        ("desk_state", np.uint8),
        ("is_live", np.uint8),
        ("side", np.int8),
        ("lasts", np.uint8),
        ("place", np.int64),
        ("leaves", np.float64),
        ("ahead", np.float64),
        ("traded", np.float64),
        ("decided_ns", np.int64),
        ("arrived_ns", np.int64),
    ],
    align=True,
)
"""`ahead` is the displayed size that must trade first; `traded` what printed at the level since it last changed."""

REQUEST = np.dtype([("due_ns", np.int64), ("kind", np.uint8), ("slot", np.int64), ("number", np.int64)], align=True)
REPORT = np.dtype(
    [
        ("due_ns", np.int64),
        ("kind", np.uint8),
        ("slot", np.int64),
        ("quantity", np.float64),
        ("price", np.float64),
        ("fee", np.float64),
    ],
    align=True,
)
FILL = np.dtype(
    [
        ("order", np.int64),
        ("side", np.int64),
        ("is_maker", np.int64),
        ("decided_ns", np.int64),
        ("arrived_ns", np.int64),
        ("exchange_ns", np.int64),
        ("local_ns", np.int64),
        ("price", np.float64),
        ("touch", np.float64),
        ("quantity", np.float64),
        ("shown", np.float64),
        ("fee", np.float64),
    ],
    align=True,
)
"""`touch` is the best opposite price at that instant (NaN for none), `shown` the size that printed or stood there.
All fields are eight bytes wide: between narrower ones a copy would leave bytes to chance."""

(
    NOW,
    EXCHANGE_ROW,
    DESK_ROW,
    FIRST_REQUEST,
    NEXT_REQUEST,
    FIRST_REPORT,
    NEXT_REPORT,
    LAST_ARRIVAL,
    LAST_REPORT,
    N_ORDERS,
    N_LIVE,
    N_FILLS,
    IS_FULL,
    BASE,
    WATCHES,
    N_COUNTS,
) = range(16)
"""Places in `counts`: the desk's time, cursors into rows and rings, latest due times, totals, and two settings."""

TICKS_PER_UNIT, TICK, MAKER_FEE, TAKER_FEE, QUEUE_POWER, N_RULES = range(6)
"""Places in `rules`; a queue power of 0 means that nobody ahead ever cancels (averse to risk)."""

POSITION, CASH, FEES, FLOW, TAKEN, LAST_BID, LAST_BID_SIZE, LAST_ASK, LAST_ASK_SIZE, LAST_MID, VARIANCE, N_SUMS = range(
    12
)
"""Places in `sums`: what the desk knows it holds, and what it measures between two decisions."""

RING = 4096
"""Requests or reports that may be on their way at once."""


class Replay(NamedTuple):
    """One replay. `at_exchange` is the truth that orders meet, `at_desk` the later picture that decisions see."""

    rows: FeedRows
    at_exchange: Book
    at_desk: Book
    orders: Records
    requests: Records
    reports: Records
    fills: Records
    order_latency_ns: IntArray
    report_latency_ns: IntArray
    own: IntArray
    none: IntArray
    counts: IntArray
    rules: FloatArray
    sums: FloatArray
