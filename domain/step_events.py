"""The fact that a step of the day was not taken as a recorded day takes it: missed, refused, or begun late."""

from typing import Literal

from .model import Payload, UtcTime
from .sessions import Session

Step = Literal["trade", "decide"]


class StepHeld(Payload):
    """A session's work, or the decision at its close, that a desk on a schedule did not take in time.

    `until` is the moment from which the session was worked after all; without one nothing was begun: no plan was
    worked in the session, or no decision made at its close.
    """

    session: Session
    step: Step
    cause: Literal["missed", "refused", "late"]
    reason: str
    until: UtcTime | None = None
