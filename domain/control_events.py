"""Facts about what the desk may do: restrictions, people's commands, reconciliation, notifications, incidents."""

from typing import Literal

from pydantic import Field, JsonValue

from .model import Model, Payload
from .trading import Cause, Scope, TradingState


class BookDifference(Model):
    """One thing on which our book and the venue's differed; unexplained ones halt the desk."""

    kind: Literal["position", "missing_fill", "unknown_fill", "missing_order", "unknown_order", "order_state", "cash"]
    subject: str
    """The symbol, order or execution it is about."""
    ours: str
    theirs: str
    explained: bool
    text: str


class BookReconciled(Payload):
    """Our book beside the venue's: what differed, what explained it, and what could not be explained."""

    venue: str
    orders_checked: int = Field(ge=0)
    executions_checked: int = Field(ge=0)
    differences: tuple[BookDifference, ...]

    @property
    def is_explained(self) -> bool:
        return all(item.explained for item in self.differences)


class TradingStateChanged(Payload):
    """A part of the desk was restricted, or given free again by a person; `figure` crossed `limit`."""

    scope: Scope
    before: TradingState
    after: TradingState
    cause: Cause
    name: str
    """The breaker, command or check that did it."""
    reason: str
    figure: float | None = None
    limit: float | None = None


class OperatorAsked(Payload):
    """What a person asked the desk to do, as it was taken in; what came of it is told by other events."""

    command: Literal["halt", "resume", "reduce", "flatten", "cancel", "tighten", "acknowledge", "approve", "reject"]
    user: str
    reason: str
    scope: Scope
    detail: dict[str, JsonValue] = {}


class NotificationRaised(Payload):
    """Something a person should know. A critical one that nobody acknowledges keeps the desk from opening."""

    notification_id: str
    severity: Literal["info", "warning", "critical"]
    code: str
    text: str


class NotificationAcknowledged(Payload):
    notification_id: str
    user: str
    reason: str


class IncidentRecorded(Payload):
    """A bundle of log, state and versions was written for a person to look into."""

    incident_id: str
    cause: str
    bundle_hash: str
