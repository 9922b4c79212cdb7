"""The compiled memory of a feed's ids: what is new, what came twice or late, and where something is missing."""

from __future__ import annotations

from .arrays import IntArray
from .compiler import compiled
from .feed_rows import AT_DESK, AT_EXCHANGE, FeedRows

N_CODES = 5
GAP, DUPLICATED, OUT_OF_ORDER, CLOCK_BACK, OLD_SNAPSHOT = range(N_CODES)
"""Rows of a tally: (times seen, line of the first, what was found there, what was expected)."""

N_IDS = 5
LAST_DEPTH, LAST_TRADE, LAST_TICKER, LAST_LOCAL_NS, FROM_SNAPSHOT = range(N_IDS)
"""Places in the memory of ids, -1 where none was seen yet; the last is 1 while a snapshot set the depth's."""


@compiled
def note(tally: IntArray, code: int, line: int, found: int, expected: int) -> None:
    """Count a finding, and keep the first of its kind."""
    if tally[code, 0] == 0:
        tally[code, 1], tally[code, 2], tally[code, 3] = line, found, expected
    tally[code, 0] += 1


@compiled
def note_local_time(ids: IntArray, tally: IntArray, line: int, local_ns: int) -> None:
    """Lines are written as they come in, so their own clock may not go back."""
    if local_ns < ids[LAST_LOCAL_NS]:
        note(tally, CLOCK_BACK, line, local_ns, ids[LAST_LOCAL_NS])
    ids[LAST_LOCAL_NS] = max(local_ns, ids[LAST_LOCAL_NS])


@compiled
def takes_depth(ids: IntArray, tally: IntArray, line: int, before: int, last: int) -> int:
    """0 for a message to leave out, 1 for the next one, 2 for one behind a gap."""
    known, bridging = ids[LAST_DEPTH], ids[FROM_SNAPSHOT] == 1
    if known >= 0 and last <= known:
        if bridging:
            return 0
        note(tally, DUPLICATED if last == known else OUT_OF_ORDER, line, last, known)
        return 0
    ids[LAST_DEPTH], ids[FROM_SNAPSHOT] = last, 0
    # The first message after a snapshot may begin inside it: the exchange's rule is that it may not begin later.
    if known >= 0 and before != known and not (bridging and before < known):
        note(tally, GAP, line, before, known)
        return 2
    return 1


@compiled
def takes_snapshot(ids: IntArray, tally: IntArray, line: int, last: int) -> None:
    """One older than the messages before it is used all the same, and noted: it takes levels back in time."""
    if last < ids[LAST_DEPTH]:
        note(tally, OLD_SNAPSHOT, line, last, ids[LAST_DEPTH])
    elif last > ids[LAST_DEPTH]:
        ids[LAST_DEPTH], ids[FROM_SNAPSHOT] = last, 1


@compiled
def takes_trade(ids: IntArray, tally: IntArray, line: int, trade_id: int) -> bool:
    """Whether a print is a new one; skipped ids are noted, the print counts all the same."""
    known = ids[LAST_TRADE]
    if known >= 0 and trade_id <= known:
        note(tally, DUPLICATED if trade_id == known else OUT_OF_ORDER, line, trade_id, known)
        return False
    if known >= 0 and trade_id != known + 1:
        note(tally, GAP, line, trade_id, known + 1)
    ids[LAST_TRADE] = trade_id
    return True


@compiled
def merge_orders(raw: FeedRows, by_exchange: IntArray, by_local: IntArray, merged: FeedRows) -> int:
    """Number of rows of ``merged``: each event once where both orders agree on its place, else once for each.

    Parameters
    ----------
    raw : (n,) rows as they were recorded
    by_exchange, by_local : (n,) their places in stable order of ``exchange_ns`` and of ``local_ns``
    merged : (2 n,) filled
    """
    n, count, i, j = len(raw), 0, 0, 0
    while i < n or j < n:
        seen = AT_EXCHANGE | AT_DESK
        if i < n and j < n and by_exchange[i] != by_local[j]:
            first, second = raw[by_exchange[i]], raw[by_local[j]]
            earlier = first["exchange_ns"] < second["exchange_ns"]
            tied = first["exchange_ns"] == second["exchange_ns"] and first["local_ns"] < second["local_ns"]
            seen = AT_EXCHANGE if earlier or tied else AT_DESK
        elif j >= n:
            seen = AT_EXCHANGE
        elif i >= n:
            seen = AT_DESK
        merged[count] = raw[by_exchange[i]] if seen & AT_EXCHANGE else raw[by_local[j]]
        merged[count]["seen"] = seen
        count += 1
        i += seen & AT_EXCHANGE
        j += (seen & AT_DESK) >> 1
    return count
