"""The question of alerts: what stands in the book and waits for an answer, and what the run itself told of."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from ...desk.alert_book import AlertBook
from ...desk.alert_records import Alert
from ...desk.clock import wall_now
from ...domain.control_events import NotificationRaised, TradingStateChanged
from ...domain.events import Event
from ...domain.levels import in_words
from ...memory.errors import EmptyLog
from .answer import Answer, Kind
from .arguments import Limit, Nothing
from .askable import Askable
from .draft import Draft, num, quote, when
from .reader import Reading

LINES_SHOWN = 8


class OfAlerts(Nothing):
    """Alerts of the last so many hours before the log's last event; all of the run without it."""

    hours: float | None = Field(default=None, gt=0, le=1e6)
    limit: Limit = 50


def alerts(reading: Reading, draft: Draft, asked: OfAlerts) -> Answer:
    """What stands first, then notifications and restrictions of the log, the newest first, and what waits."""
    until = _last_time(reading)
    since = until - timedelta(hours=asked.hours) if asked.hours else None
    events = list(reading.read(NotificationRaised, TradingStateChanged))
    rows = [_told(event) for event in reversed(events) if since is None or event.event_time > since]
    waiting = sorted(reading.standing.unacknowledged)
    first = reading.sessions[0].session.isoformat() if reading.sessions else None
    found = draft.derive(
        "alerts",
        {
            "rows": [*rows[: asked.limit]],
            "count": len(rows),
            "until": until.isoformat(),
            "waiting": len(waiting),
            "since": since.isoformat() if since else first,
        },
        events=[row["id"] for row in rows[: asked.limit]],
    )
    begin = (when(found["since"]),) if found.maybe("since") else ()
    draft.say(
        "Alerts " + ("from {} " if begin else "") + "to {}: {}. Waiting for a person: {}.",
        *(*begin, when(found["until"]), num(found["count"], "count"), num(found["waiting"], "count")),
    )
    if asked.hours:
        draft.say("Time is that of the run, up to its last event.")
    standing = AlertBook(reading.book.path, wall_now).open()
    watched = draft.derive(
        "standing",
        {
            "rows": [_standing(alert) for alert in standing[: asked.limit]],
            "count": len(standing),
            "unanswered": sum(alert.state == "open" for alert in standing),
        },
        alerts=[alert.alert_id for alert in standing[: asked.limit]],
    )
    if standing:
        draft.say(
            "Standing now by the watch over this book: {}, and {} of them nobody has answered.",
            *(num(watched["count"], "count"), num(watched["unanswered"], "count")),
        )
    table = [*watched["rows"].rows(), *found["rows"].rows()]
    for row in table[:LINES_SHOWN]:
        draft.say("{}: {}, {}: {}", when(row["at"]), quote(row["severity"]), quote(row["code"]), quote(row["text"]))
    draft.table(
        {
            "at": ("text", "at"),
            "severity": ("text", "severity"),
            "what": ("text", "code"),
            "text": ("text", "text"),
            "event": ("text", "id"),
        },
        table,
    )
    return draft.answer(Kind.TABLE, more="connection, or alerts without hours")


def _standing(alert: Alert) -> dict[str, Any]:
    return {
        "at": alert.happened_at.isoformat(),
        "severity": alert.severity,
        "code": f"{alert.code} {alert.state}",
        "text": alert.text,
        "id": alert.alert_id,
    }


def _told(event: Event) -> dict[str, Any]:
    payload = event.decoded()
    if isinstance(payload, NotificationRaised):
        said = {"severity": payload.severity, "code": payload.code, "text": in_words(payload.text)}
    else:
        assert isinstance(payload, TradingStateChanged), "asked for by type"
        code = f"{payload.scope} {payload.after.value}"
        said = {
            "severity": "state",
            "code": code,
            "text": f"{payload.cause} {payload.name}: {in_words(payload.reason)}",
        }
    return {"at": event.event_time.isoformat(), "id": event.id, **said}


def _last_time(reading: Reading) -> datetime:
    last = next(reading.read(after=reading.seq - 1), None)
    if last is None:
        raise EmptyLog("nothing of this run is in its log yet", remedy="Begin it with `parley run`.")
    return last.event_time


ALERTS = (
    Askable(
        name="alerts",
        says="Alerts that stand, restrictions, and what waits for a person.",
        parameters=OfAlerts,
        answer=alerts,
        kind=Kind.TABLE,
        examples=("Which alerts fired in the last hour?",),
        is_live=True,
    ),
)
