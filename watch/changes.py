"""What a watch takes in and what it gives: events and figures, and alerts that begin, go on, end or were seen."""

from dataclasses import dataclass
from datetime import datetime

from ..domain.events import Event, Payload
from .rules import Severity


@dataclass(frozen=True, slots=True)
class Seen:
    """One event of a log, with its payload and the wall time that stands beside it, where there is one."""

    event: Event
    payload: Payload
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """One rule's figure at a moment; `subject` tells apart what one rule looks at several times."""

    code: str
    subject: str
    figure: float
    at: datetime
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert begins, or goes on where its code and subject stand already. `at` is the time of the event."""

    code: str
    severity: Severity
    subject: str
    text: str
    at: datetime
    figure: float | None = None
    limit: float | None = None
    event_id: str = ""
    notification_id: str = ""
    is_moment: bool = False
    """It happened and is over: nothing but a person, or time, ends its alert."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """What an alert was about is no more."""

    code: str
    subject: str
    at: datetime
    figure: float | None = None
    event_id: str = ""
    is_left: bool = False
    """Nothing got better, the run is over: what was critical still needs a person's answer."""


@dataclass(frozen=True, slots=True)
class Linked:
    """A notification of the log says what a standing alert says: a person who has seen one has seen both."""

    code: str
    subject: str
    notification_id: str


@dataclass(frozen=True, slots=True)
class Noticed:
    """A person has acknowledged a notification in the log."""

    notification_id: str
    user: str
    reason: str


Change = Raised | Cleared | Linked | Noticed
