"""What the alert book holds: an alert, and what came of each message about it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from ..storage.sql import Row
from ..watch.escalation import ChannelKind
from ..watch.rules import Severity

AlertState = Literal["open", "acknowledged", "cleared"]
SentState = Literal["sent", "failed"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one channel: `notice` says of what, such as `critical 1` or `cleared`."""

    notice: str
    kind: ChannelKind
    channel: str
    state: SentState
    tries: int
    at: datetime
    next_at: datetime | None
    """When a failed one is tried again."""
    said: str


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that a person should know, from its beginning to its end."""

    alert_id: str
    code: str
    severity: Severity
    subject: str
    text: str
    figure: float | None
    limit: float | None
    run_id: str
    raised_at: datetime
    last_at: datetime
    happened_at: datetime
    """The time of the event behind it: on recorded days that of the market."""
    count: int
    state: AlertState
    acknowledged_by: str
    reason: str
    acknowledged_at: datetime | None
    cleared_at: datetime | None
    level: int
    """How far up its ladder it has come: 0 at first."""
    notification_id: str
    """Of the log's notification that says the same; empty where there is none."""
    is_moment: bool
    is_end_told: bool
    deliveries: tuple[Delivery, ...] = ()


ALERT_COLUMNS = (
    "alert_id, code, severity, subject, text, figure, bound, run_id, raised_at, last_at, happened_at, count, state, "
    "acknowledged_by, reason, acknowledged_at, cleared_at, level, notification_id, is_moment, is_end_told"
)
_MOMENTS = ("raised_at", "last_at", "happened_at", "acknowledged_at", "cleared_at")
_BOOLEANS = ("is_moment", "is_end_told")
TABLES = (
    "CREATE TABLE IF NOT EXISTS alerts (number INTEGER PRIMARY KEY, alert_id TEXT NOT NULL UNIQUE, code TEXT NOT NULL, "
    "severity TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL, figure REAL, bound REAL, run_id TEXT NOT NULL, "
    "raised_at TEXT NOT NULL, last_at TEXT NOT NULL, happened_at TEXT NOT NULL, count INTEGER NOT NULL, "
    "state TEXT NOT NULL, acknowledged_by TEXT NOT NULL, reason TEXT NOT NULL, acknowledged_at TEXT, cleared_at TEXT, "
    "level INTEGER NOT NULL, notification_id TEXT NOT NULL, is_moment INTEGER NOT NULL, is_end_told INTEGER NOT NULL)",
    # What stands is asked for at every look; of one code and subject there is one at a time.
    "CREATE UNIQUE INDEX IF NOT EXISTS alerts_standing ON alerts (code, subject) WHERE state <> 'cleared'",
    "CREATE TABLE IF NOT EXISTS deliveries (alert_id TEXT NOT NULL, notice TEXT NOT NULL, kind TEXT NOT NULL, "
    "channel TEXT NOT NULL, state TEXT NOT NULL, tries INTEGER NOT NULL, at TEXT NOT NULL, next_at TEXT, "
    "said TEXT NOT NULL, PRIMARY KEY (alert_id, notice, channel))",
    "CREATE TABLE IF NOT EXISTS places (run_id TEXT PRIMARY KEY, seq INTEGER NOT NULL, hash TEXT NOT NULL)",
)


def alert_of(row: Row) -> Alert:
    """An alert from its row of ALERT_COLUMNS, before its deliveries are looked up."""
    found: dict[str, Any] = dict(zip(ALERT_COLUMNS.split(", "), row, strict=True))
    found["limit"] = found.pop("bound")
    found |= {name: _moment(found[name]) for name in _MOMENTS} | {name: bool(found[name]) for name in _BOOLEANS}
    return Alert(**found)


def delivery_of(row: Row) -> Delivery:
    """A delivery from its row, the alert's id left out."""
    notice, kind, channel, state, tries, at, next_at, said = row
    return Delivery(notice, kind, channel, state, tries, datetime.fromisoformat(at), _moment(next_at), said)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
