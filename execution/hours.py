"""When one plan may trade: after it was decided, inside the session it is meant for."""

from dataclasses import dataclass
from datetime import datetime

from .errors import SessionRefused


@dataclass(frozen=True, slots=True)
class SessionHours:
    """One session and the decision it works: a decision at bar t trades in t + 1 at the earliest."""

    decided_at: datetime
    opens_at: datetime
    closes_at: datetime

    def __post_init__(self) -> None:
        if any(moment.tzinfo is None for moment in (self.decided_at, self.opens_at, self.closes_at)):
            raise SessionRefused("a session time has no zone", remedy="Pass aware datetimes in UTC.")
        if not (self.opens_at < self.closes_at and self.decided_at < self.closes_at):
            raise SessionRefused(
                f"session from {self.opens_at} to {self.closes_at} can't work a decision of {self.decided_at}",
                remedy="Pass the first session that ends after the decision.",
            )

    def contains(self, moment: datetime) -> bool:
        """Whether an order may be sent or filled at this moment."""
        return self.decided_at < moment and self.opens_at <= moment <= self.closes_at
