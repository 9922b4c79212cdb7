"""What waits for a person, and what the clock will do next: approvals, alerts, notifications, the schedule."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ...desk.alert_book import AlertBook
from ...desk.alert_records import Alert
from ...desk.clock import wall_now
from ..trading.status_file import read_status
from .parts import Asked
from .standing_view import StandingView, operated, standing_view

ALERTS_SHOWN = 4
CLOCK_ROWS = {"clock": "Clock", "accelerate": "Speed", "doing": "Doing", "next": "Next", "state": "State"}
"""What the scheduler says of itself, in the words of the page."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A plan that waits for a person."""

    decision_id: str
    reasons: tuple[str, ...]
    turnover_frac: float
    until: str


@dataclass(frozen=True, slots=True)
class WaitingView:
    """The desk's state, and all that somebody has to look at."""

    standing: StandingView
    approvals: tuple[Asking, ...]
    alerts: tuple[Alert, ...]
    """Those without an answer that no waiting plan or notification says already."""
    more_alerts: int

    @property
    def count(self) -> int:
        return len(self.approvals) + len(self.standing.waiting) + len(self.alerts) + self.more_alerts


@dataclass(frozen=True, slots=True)
class ClockView:
    """What `parley trade` says of itself, and how old the desk's last sign of life is."""

    rows: tuple[tuple[str, str], ...]
    uptime_frac: float | None
    beat_age_s: float | None
    last_session: date | None


def waiting_view(asked: Asked) -> WaitingView:
    with operated(asked) as reading:
        waiting = tuple(
            Asking(
                item.decision_id, tuple(why.text for why in item.reasons), item.turnover_frac, item.until.isoformat()
            )
            for item in reading.standing.awaiting.values()
        )
    standing = standing_view(asked)
    notes, plans = {item.ident for item in standing.waiting}, {item.decision_id for item in waiting}
    alerts = [
        alert
        for alert in AlertBook(asked.desk.settings.book, wall_now).open()
        if alert.state == "open"
        and alert.severity != "info"
        and alert.notification_id not in notes
        and alert.subject not in plans
    ]
    return WaitingView(standing, waiting, tuple(alerts[:ALERTS_SHOWN]), max(len(alerts) - ALERTS_SHOWN, 0))


def clock_view(asked: Asked) -> ClockView:
    sessions = asked.reading.sessions
    status = read_status(asked.desk.settings.book) or {}
    rows = tuple((title, _said(status[name])) for name, title in CLOCK_ROWS.items() if status.get(name) is not None)
    uptime: Any = status.get("uptime")
    frac = uptime.get("frac") if isinstance(uptime, dict) and uptime.get("session_minutes") else None
    return ClockView(
        rows=rows,
        uptime_frac=frac if isinstance(frac, int | float) else None,
        beat_age_s=asked.reading.post.heartbeat.age_s(),
        last_session=sessions[-1].session if sessions else None,
    )


def _said(value: Any) -> str:
    """A value of the status in words: a job that is due is its name and its time."""
    if isinstance(value, Mapping):
        return ", ".join(str(item) for item in value.values() if item is not None)
    return str(value)
