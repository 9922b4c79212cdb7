"""Which sessions' bars the desk has by now: a recorded bar is there at its close, unless a drill withholds it."""

from collections.abc import Mapping
from datetime import date, datetime

from ...market.history import History


class Feed:
    """What has arrived of a data set's daily bars."""

    def __init__(self, history: History, sessions: tuple[date, ...], arrivals: Mapping[date, datetime]) -> None:
        """`arrivals` are those that come later than their close."""
        self._history, self._sessions, self._arrivals = history, sessions, arrivals

    def arrives_at(self, session: date) -> datetime:
        return max(self._arrivals.get(session, self._history.close_time(session)), self._history.close_time(session))

    def has(self, session: date, now: datetime) -> bool:
        return self.arrives_at(session) <= now

    def newest(self, now: datetime) -> date | None:
        """The last session of the run whose bar is there; None before the first close."""
        return next((session for session in reversed(self._sessions) if self.has(session, now)), None)

    def is_fresh(self, now: datetime) -> bool:
        """Whether the bar of every session that has closed is there."""
        return all(self.has(session, now) for session in self._arrivals if self._history.close_time(session) <= now)
