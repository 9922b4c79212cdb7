"""Closing prices around a decision, cut to the window that a page draws."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from ...domain.sessions import session_of

SESSIONS_BEFORE = 60
SESSIONS_AFTER = 20


@dataclass(frozen=True, slots=True)
class PriceHistory:
    """Closing prices by symbol over the same ascending sessions; None where a symbol had no bar.

    With `is_restated` they are all in the shares of the last session, splits and dividends before it taken out.
    """

    sessions: Sequence[date]
    closes: Mapping[str, Sequence[float | None]]
    is_restated: bool = False

    def around(self, symbol: str, session: str, seen: float | None = None) -> "PriceWindow | None":
        """Sixty sessions up to the decision's and what came in the twenty after; None without any close.

        `seen` is the price that the decision saw: restated closes are shown in its shares, so that they compare with
        what was filled.
        """
        line = self.closes.get(symbol)
        at = bisect_right(self.sessions, session_of(session)) - 1
        if line is None or at < 0:
            return None
        first, last = max(0, at - SESSIONS_BEFORE), min(len(self.sessions), at + SESSIONS_AFTER + 1)
        closes = list(line[first:last])
        if all(value is None for value in closes):
            return None
        window = PriceWindow([day.isoformat() for day in self.sessions[first:last]], closes, at - first)
        return window.in_shares_of(seen) if self.is_restated and seen and window.known else window

    def returns_after(self, session: str, count: int) -> dict[str, float] | None:
        """What each name returned over that many sessions from the decision's close; None before they are over."""
        at = bisect_right(self.sessions, session_of(session)) - 1
        if at < 0 or at + count >= len(self.sessions):
            return None
        pairs = ((symbol, line[at], line[at + count]) for symbol, line in self.closes.items())
        return {symbol: after / before - 1.0 for symbol, before, after in pairs if before and after is not None}

    def session_after(self, session: str, count: int) -> date:
        """The session that many after the decision's, which `returns_after` found to be there."""
        return self.sessions[bisect_right(self.sessions, session_of(session)) - 1 + count]


@dataclass(frozen=True, slots=True)
class PriceWindow:
    """One symbol's closes around a decision; `decided_at` is the row of the decision's session."""

    sessions: list[str]
    closes: list[float | None]
    decided_at: int

    @property
    def known(self) -> list[float]:
        """The closes that the decision could see."""
        return [value for value in self.closes[: self.decided_at + 1] if value is not None]

    def in_shares_of(self, seen: float) -> "PriceWindow":
        """The same window, its last known close being the price that was seen."""
        scale = seen / self.known[-1]
        return replace(self, closes=[None if value is None else value * scale for value in self.closes])
