"""Where a desk is among the sessions of its run, and the moments that follow from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from ...evals.days import BEFORE_OPEN
from ...market.history import History
from .desks import AFTER_LAST


@dataclass(slots=True)
class Whereabouts:
    """One session in hand: before it, in it, or after it."""

    history: History
    sessions: Sequence[date]
    place: int = 0
    following: int = 0
    """The session that is traded next: the one in hand until it is over, then the one after."""
    is_in_session: bool = False

    def go_to(self, place: int) -> None:
        self.place = self.following = place

    def session_is_over(self) -> None:
        self.following = self.place + 1

    @property
    def session(self) -> date:
        return self.sessions[self.place]

    @property
    def open(self) -> datetime:
        return self.history.opening_time(self.session)

    @property
    def close(self) -> datetime:
        return self.history.close_time(self.session)

    @property
    def eve(self) -> datetime:
        """The last moment before the next open; after the last close of the run, some hours later."""
        if self.following >= len(self.sessions):
            return self.close + AFTER_LAST
        return self.history.opening_time(self.sessions[self.following]) - BEFORE_OPEN

    @property
    def next_step(self) -> datetime:
        """When the next session opens; while one is open, when it closes."""
        return self.close if self.is_in_session else self.eve

    def dated(self, now: datetime) -> datetime:
        """What comes from outside is dated within the session that is open, or in the night before the next."""
        return min(now, self.next_step)

    def before(self, now: datetime) -> date | None:
        """The last session of the run that had closed by then."""
        near = reversed(self.sessions[max(self.place - 2, 0) : self.place + 1])
        return next((session for session in near if self.history.close_time(session) <= now), None)
