"""The volume that others traded, from prints as they come: what a schedule follows and is capped by."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime


class ObservedVolume:
    """Prints of many instruments, asked for by span; a print must not be one of our own executions.

    A recorded tape may be told whole: no answer looks past the moment it is asked for. `symbols` are those whose
    prints are told: before the first one comes, nothing of them was traded.
    """

    def __init__(self, symbols: Iterable[str]) -> None:
        self._times: dict[str, list[datetime]] = {symbol: [] for symbol in symbols}
        self._totals = {symbol: [0] for symbol in self._times}

    def on_trade(self, symbol: str, ts_event: datetime, size: int) -> None:
        """One print; one that comes late counts from the latest on, since nobody could know of it before."""
        if symbol not in self._times:
            return
        times, totals = self._times[symbol], self._totals[symbol]
        times.append(max(ts_event, times[-1]) if times else ts_event)
        totals.append(totals[-1] + size)

    def traded(self, symbol: str, since: datetime, until: datetime) -> int | None:
        """Shares printed after one moment and up to another; None for an instrument whose prints are not told."""
        times = self._times.get(symbol)
        if times is None:
            return None
        totals = self._totals[symbol]
        return totals[bisect_right(times, until)] - totals[bisect_right(times, since)]
