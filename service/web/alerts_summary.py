"""The alerts of the book in a few figures: how many stand, and what blocks the next session."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import JsonValue

from ...desk.alert_book import AlertBook
from ...desk.clock import wall_s
from ..pages.twin import Fact, Twin
from .parts import Asked

ROWS_SHOWN = 8


@dataclass(frozen=True, slots=True)
class AlertsSummary:
    """What the template lays out."""

    twin: Twin
    counts: Fact
    rows: list[Fact]


def alerts_summary(asked: Asked) -> AlertsSummary:
    """What nobody has answered comes first."""
    book = AlertBook(asked.desk.settings.book, lambda: datetime.fromtimestamp(wall_s(), UTC))
    standing, total = book.open(), book.count()
    draft = asked.reading.draft("alerts_summary", {})
    severities = Counter(alert.severity for alert in standing if alert.state == "open")
    counts: dict[str, JsonValue] = {
        "open": sum(severities.values()),
        "acknowledged": sum(alert.state == "acknowledged" for alert in standing),
        "critical": severities["critical"],
        "warning": severities["warning"],
        "info": severities["info"],
        "total": total,
    }
    rows: list[JsonValue] = [
        {
            "severity": alert.severity,
            "state": alert.state,
            "code": alert.code,
            "subject": alert.subject,
            "text": alert.text,
            "at": alert.last_at.isoformat(),
            "count": alert.count,
        }
        for alert in standing[:ROWS_SHOWN]
    ]
    return AlertsSummary(draft.twin, draft.derive("alerts_counted", counts), draft.derive("alerts", rows).rows())
