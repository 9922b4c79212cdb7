"""The book's alerts as a list, one by one, and a person's answer to one."""

from typing import Annotated

from fastapi import APIRouter, Body, Request
from pydantic import Field
from starlette.responses import Response

from ...desk.alert_book import AlertBook
from ...desk.clock import wall_now
from ...desk.errors import AlertUnknown
from ...domain.model import Model
from ..alerting.acknowledging import acknowledge_alert
from ..alerting.documents import AlertDocument, alert_document
from .callers import Actor, CursorQuery, Desk, IdPath, LimitQuery, Viewer
from .desk import ServedDesk
from .errors import BadCall, NotFound
from .replies import Page, answer_at

alerts = APIRouter(tags=["alerts"])


class AlertAnswer(Model):
    """What is done about it."""

    reason: Annotated[str, Field(min_length=1, max_length=300, examples=["Looking into the feed."])]


class AlertAnswered(Model):
    """The alert as it stands now, and how the run's own notification was acknowledged: log, inbox or none."""

    alert: AlertDocument
    how: str


@alerts.get("/alerts", response_model=Page[AlertDocument])
def list_alerts(
    request: Request, desk: Desk, _caller: Viewer, cursor: CursorQuery = 0, limit: LimitQuery = 100
) -> Response:
    """What the desk has told people, the newest first."""
    book = _book(desk)
    total = book.count()
    items = tuple(alert_document(alert) for alert in book.recent(limit, cursor))
    more = cursor + limit < total
    made = Page[AlertDocument](items=items, next=cursor + limit if more else None, total=total)
    return answer_at(request, made.model_dump_json(), lambda: made)


@alerts.get("/alerts/{alert_id}", response_model=AlertDocument)
def show_alert(request: Request, desk: Desk, _caller: Viewer, alert_id: IdPath) -> Response:
    """One alert with every message about it."""
    made = _found(desk, alert_id)
    return answer_at(request, made.model_dump_json(), lambda: made)


@alerts.post("/alerts/{alert_id}/ack", response_model=AlertAnswered)
def answer_alert(desk: Desk, caller: Actor, alert_id: IdPath, answer: Annotated[AlertAnswer, Body()]) -> AlertAnswered:
    """Say that you look after it: nobody else is told, and a critical one no longer keeps the desk from opening."""
    _found(desk, alert_id)
    if not answer.reason.strip():
        raise BadCall("reason: it says nothing", remedy="Say what is done about it.")
    done = acknowledge_alert(desk.settings.book, alert_id, caller.user, answer.reason)
    desk.changed()
    return AlertAnswered(alert=alert_document(done.alert), how=done.how)


def _book(desk: ServedDesk) -> AlertBook:
    return AlertBook(desk.settings.book, wall_now)


def _found(desk: ServedDesk, alert_id: str) -> AlertDocument:
    try:
        return alert_document(_book(desk).find(alert_id))
    except AlertUnknown as error:
        raise NotFound(f"there is no alert {alert_id!r}", remedy="GET /api/v1/alerts lists them.") from error
