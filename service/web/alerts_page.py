"""The page of alerts: what stands first, each with its answer; then what was, and who was told."""

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from ...desk.alert_book import AlertBook
from ...desk.alert_records import Alert
from ...desk.clock import wall_now
from ...desk.errors import AlertUnknown
from ..alerting.acknowledging import acknowledge_alert
from ..api.callers import CursorQuery, Desk, IdPath, RunQuery
from ..api.errors import BadCall, NotFound
from .parts import Asked, Part
from .rendering import fragment
from .shell import page
from .who import OperatorSent, PageViewer

alerts_page = APIRouter()

ROWS_SHOWN = 30


@dataclass(frozen=True, slots=True)
class OpenView:
    """What stands, the most urgent first; `blocking` of it keep the desk from opening."""

    alerts: tuple[Alert, ...]
    blocking: int
    now: datetime


@dataclass(frozen=True, slots=True)
class HistoryView:
    """Alerts of every state, the newest first."""

    alerts: tuple[Alert, ...]
    newer: int | None
    older: int | None


def open_view(asked: Asked) -> OpenView:
    book = alert_book(asked)
    found = book.open()
    blocking = sum(alert.severity == "critical" and alert.state == "open" for alert in found)
    return OpenView(found, blocking, book.now())


def history_view(asked: Asked) -> HistoryView:
    said = asked.query.get("cursor", "0")
    begin = int(said) if said.isdecimal() and len(said) < 10 else 0
    found = alert_book(asked).recent(ROWS_SHOWN + 1, begin)
    return HistoryView(
        alerts=found[:ROWS_SHOWN],
        newer=max(begin - ROWS_SHOWN, 0) if begin else None,
        older=begin + ROWS_SHOWN if len(found) > ROWS_SHOWN else None,
    )


def alert_book(asked: Asked) -> AlertBook:
    return AlertBook(asked.desk.settings.book, wall_now)


ALERTS_PARTS = (
    Part("alerts_open", "Open", "alerts_open.html", open_view, frozenset({"alerts"})),
    Part("alerts_history", "All alerts", "alerts_history.html", history_view, frozenset({"alerts"}), takes=("cursor",)),
)


@alerts_page.get("/alerts", include_in_schema=False)
async def show_alerts(request: Request, caller: PageViewer, run: RunQuery = None, cursor: CursorQuery = 0) -> Response:
    """What a person has to look at now, and what was."""
    return await page(request, caller, "alerts.html", title="Alerts", active="alerts", run=run)


@alerts_page.post("/alerts/{alert_id}/ack", include_in_schema=False)
def acknowledge(alert_id: IdPath, desk: Desk, sent: OperatorSent) -> Response:
    """Say that you look after it, and why it may rest: nobody else is woken."""
    reason = sent.text("reason")
    if not reason:
        raise BadCall("an answer to an alert needs a reason", remedy="Say what is done about it.")
    try:
        done = acknowledge_alert(desk.settings.book, alert_id, sent.caller.user, reason)
    except AlertUnknown as error:
        raise NotFound(f"there is no alert {alert_id!r}", remedy="Load the page again.") from error
    desk.changed()
    return HTMLResponse(fragment("alert_answered.html", alert=done.alert, how=done.how))
