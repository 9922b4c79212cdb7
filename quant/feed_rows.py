"""The rows of a recorded market feed as one array: what happened, when at the exchange, when it was known here."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

DEPTH, TRADE, CLEAR, SNAPSHOT, BREAK = 1, 2, 3, 4, 5
"""Kinds: a level's new size; a print; every level from the best to this price is void; a level of a snapshot; and
the feed lost something, so that no level can be believed until the next snapshot."""

BUY, SELL = 1, -1
"""Sides: of the book for a level, of who took liquidity for a print."""

AT_EXCHANGE, AT_DESK = 1, 2
"""Flags of `seen`: which of the two orders of events a row stands in; most stand in both."""

FEED_ROW = np.dtype(
    [
        ("kind", np.uint8),
        ("side", np.int8),
        ("seen", np.uint8),
        ("exchange_ns", np.int64),
        ("local_ns", np.int64),
        ("price", np.float64),
        ("quantity", np.float64),
    ],
    align=True,
)
"""Rows flagged AT_EXCHANGE are in order of `exchange_ns`, those flagged AT_DESK in order of `local_ns`."""

FeedRows = npt.NDArray[Any]


def repeated(rows: FeedRows, times: int) -> FeedRows:
    """The feed ``times`` over, each copy starting one second after the last row of the one before."""
    if not len(rows):
        return rows.copy()
    first = min(int(rows["exchange_ns"].min()), int(rows["local_ns"].min()))
    last = max(int(rows["exchange_ns"].max()), int(rows["local_ns"].max()))
    copies = np.tile(rows, times)
    shift = np.repeat(np.arange(times, dtype=np.int64) * (last - first + 1_000_000_000), len(rows))
    copies["exchange_ns"] += shift
    copies["local_ns"] += shift
    return copies
