"""A person's answer to an alert, and to the notification in the run's log that says the same."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ... import ParleyError
from ...desk.alert_book import AlertBook
from ...desk.alert_records import Alert
from ...desk.book import Book
from ...desk.clock import wall_now
from ...desk.errors import SettingsInvalid
from ...evals.book_at_rest import standing_of
from ...watch.texts import MAX_NAME_CHARS, cleaned
from ..console import Console
from ..controlling import Request, perform_request

MAX_REASON_CHARS = 300


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of it. `how` is where the run's own notification was acknowledged: `log`, `inbox`, or `none` waited."""

    alert: Alert
    how: str


def acknowledge_alert(
    book: Path, alert_id: str, user: str, reason: str, now: Callable[[], datetime] = wall_now
) -> Answered:
    """The alert first, so that nobody else is woken; then the log's notification, where one waits.

    Raises AlertUnknown, and SettingsInvalid without a reason.
    """
    if not reason.strip():
        raise SettingsInvalid(
            "an answer to an alert needs a reason", remedy="Say what is done about it, with --reason."
        )
    alerts = AlertBook(book, now)
    alert = alerts.acknowledge(alert_id, cleaned(user, MAX_NAME_CHARS), cleaned(reason, MAX_REASON_CHARS))
    return Answered(alert, _acknowledge_note(book, alert.notification_id, user, reason))


def _acknowledge_note(book: Path, notification_id: str, user: str, reason: str) -> str:
    """Through the inbox of a running desk, or into the log of a book at rest."""
    try:
        is_waiting = bool(notification_id) and notification_id in standing_of(Book(book).operated()).unacknowledged
    except ParleyError:
        return "none"  # a log that can't be read takes no answer; the alert has it
    if not is_waiting:
        return "none"
    console = _Heard()
    perform_request(Request("acknowledge", book, reason, user, None, {"notification_id": notification_id}), console)
    return console.how


class _Heard(Console):
    """Keeps how the request went instead of printing it."""

    def __init__(self) -> None:
        super().__init__(as_json=True)
        self.how = "none"

    def result(self, document: object) -> None:
        self.how = str(document["how"]) if isinstance(document, dict) else "none"
