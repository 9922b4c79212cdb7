"""Lines of a recorded feed that are not in the exchange's usual form: read one by one, or left out and counted."""

import json
import math
from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from ..quant.feed_rows import BREAK, BUY, CLEAR, DEPTH, SELL, SNAPSHOT, TRADE, FeedRows
from .findings import Finding

Ids = npt.NDArray[np.int64]
_NS_PER_MS = 1_000_000

_SAID = {
    "malformed": "lines that are no message",
    "unknown_message": "messages of another kind",
    "negative_size": "messages with a level or print of negative size",
    "bad_price": "messages with a price that is not above 0",
    "gap": "times messages are missing",
    "duplicated": "messages came twice",
    "out_of_order": "messages came after a later one",
    "clock_back": "lines whose own clock goes back",
    "old_snapshot": "snapshots older than the level changes before them",
}
NO_MESSAGE = (
    ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError
)  # fmt: skip
"""What a line raises that is not JSON, is nested deeper than can be read, or lacks what its kind of message has."""
_TALLIED = ("gap", "duplicated", "out_of_order", "clock_back", "old_snapshot")


class OddLines:
    """Reads what the kernel leaves, with the kernel's own memory of ids, and says what all lines together had."""

    def __init__(self, rows: FeedRows, ids: Ids, tally: Ids) -> None:
        self._rows, self._ids, self._tally = rows, ids, tally
        self._seen: Counter[str] = Counter()
        self._first: dict[str, int] = {}
        self.left_out = 0

    def read(self, line: bytes, number: int, n_rows: int) -> int:
        """The number of rows after this line."""
        from ..quant.feed_sequence_kernel import note_local_time

        stamp, _, rest = line.partition(b" ")
        try:
            message = json.loads(rest)
            local_ns = int(stamp)
            if not isinstance(message, dict) or not 0 < local_ns < 2**62:
                raise ValueError(line)
            found = self._rows_of(message, local_ns, number)
        except NO_MESSAGE:
            self._note("malformed", number)
            self.left_out += 1
            return n_rows
        for row in found:
            self._rows[n_rows] = row
            n_rows += 1
        note_local_time(self._ids, self._tally, number, local_ns)
        return n_rows

    def findings(self) -> list[Finding]:
        """One finding for each kind."""
        found = [self._finding(code, self._seen[code], self._first[code], "") for code in self._seen]
        for code, (times, first, got, expected) in zip(_TALLIED, self._tally.tolist(), strict=True):
            if times:
                found.append(self._finding(code, times, first, f": found {got}, expected after {expected}"))
        return found

    def _finding(self, code: str, times: int, first: int, what: str) -> Finding:
        return Finding(code, None, first, None, f"{times} {_SAID[code]}, the first in line {first}{what}.")

    def _note(self, code: str, number: int) -> None:
        self._seen[code] += 1
        self._first.setdefault(code, number)

    def _rows_of(self, message: dict[str, Any], local_ns: int, number: int) -> list[tuple[Any, ...]]:
        if "lastUpdateId" in message:
            return self._snapshot(message, local_ns, number)
        event = message.get("data", message)
        kind = event.get("e")
        if kind == "depthUpdate":
            return self._depth(event, local_ns, number)
        if kind == "trade":
            return self._trade(event, local_ns, number)
        if kind != "bookTicker":
            self._note("unknown_message", number)
        elif min(float(event[name]) for name in ("B", "A")) < 0.0:
            self._note("negative_size", number)
        return []

    def _depth(self, event: dict[str, Any], local_ns: int, number: int) -> list[tuple[Any, ...]]:
        from ..quant.feed_sequence_kernel import takes_depth

        at = (int(event["T"]) * _NS_PER_MS, local_ns)
        sides = [self._levels(event[key], (DEPTH, side), at, number) for key, side in (("b", BUY), ("a", SELL))]
        taken = takes_depth(self._ids, self._tally, number, int(event["pu"]), int(event["u"]))
        if taken == 0:
            return []
        levels = [level for side, _ in sides for level in side]
        broken = taken == 2 or not all(whole for _, whole in sides)
        return [(BREAK, 0, 0, *at, 0.0, 0.0), *levels] if broken else levels

    def _snapshot(self, message: dict[str, Any], local_ns: int, number: int) -> list[tuple[Any, ...]]:
        from ..quant.feed_sequence_kernel import takes_snapshot

        at = (int(message["T"]) * _NS_PER_MS, local_ns)
        found: list[tuple[Any, ...]] = []
        for key, side in (("bids", BUY), ("asks", SELL)):
            levels, whole = self._levels(message[key], (SNAPSHOT, side), at, number)
            if not whole:
                # A snapshot that cannot be believed does not mend a book.
                return [(BREAK, 0, 0, *at, 0.0, 0.0)]
            if levels:
                found += [(CLEAR, side, 0, *at, levels[-1][5], 0.0), *levels]
        takes_snapshot(self._ids, self._tally, number, int(message["lastUpdateId"]))
        return found

    def _trade(self, event: dict[str, Any], local_ns: int, number: int) -> list[tuple[Any, ...]]:
        from ..quant.feed_sequence_kernel import takes_trade

        price, size = _number(event["p"]), _number(event["q"])
        side = SELL if event["m"] else BUY
        # Prints of the insurance fund or of a liquidation by decree are not trades of the book.
        if not takes_trade(self._ids, self._tally, number, int(event["t"])) or event.get("X", "MARKET") != "MARKET":
            return []
        if price <= 0.0 or size <= 0.0:
            self._note("bad_price" if price <= 0.0 else "negative_size", number)
            return []
        return [(TRADE, side, 0, int(event["T"]) * _NS_PER_MS, local_ns, price, size)]

    def _levels(
        self, pairs: list[list[str]], what: tuple[int, int], at: tuple[int, int], number: int
    ) -> tuple[list[tuple[Any, ...]], bool]:
        """The rows of the levels that can be believed, and whether all of them can."""
        read = [(_number(price), _number(size)) for price, size in pairs]
        for code, bad in (
            ("bad_price", min((p for p, _ in read), default=1.0) <= 0.0),
            ("negative_size", any(s < 0.0 for _, s in read)),
        ):
            if bad:
                self._note(code, number)
        good = [(*what, 0, *at, price, size) for price, size in read if price > 0.0 and size >= 0.0]
        return good, len(good) == len(read)


def _number(text: Any) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value
