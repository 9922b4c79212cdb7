"""What is said of a desk that can write nothing: by whoever watches over it, since it can't say so itself."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from ...desk.alert_book import AlertBook
from ...desk.alert_records import Alert
from ...domain.canonical import short_id
from ...storage.errors import StoreError
from ...watch.rules import AlertRules
from ..alerting.channels import channels_of
from ..alerting.messages import Notice, message_of
from ..alerting.watcher import BookWatcher, sole_watch
from .desks import DeskTerms
from .status_file import StatusFile, read_status

UNWRITABLE, LOG = "log_unwritable", "log"
"""The rule, and what it is about."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One process that could write nothing."""

    why: str
    market: datetime
    """Where the market's clock stood."""
    count: int
    """The how manieth in a row it was."""
    pause_s: float
    """After how many seconds the next one is started."""


def tell_unable(terms: DeskTerms, refusal: Refusal) -> None:
    """In the status file, as an alert, and to people at once, even where the alert can't be written either."""
    book, settings = terms.folder.book.path, terms.prepared.settings
    unable = {"why": refusal.why, "tries": refusal.count, "next_try_s": refusal.pause_s}
    said = f"can't write, so nothing is sent: tried {refusal.count} times, again in {refusal.pause_s:.1f} s"
    with suppress(StoreError):
        StatusFile(book).write({**(read_status(book) or {}), "doing": said, "unable": unable})
    rules = settings.alerts.rules()
    if settings.alerts.watch == "off" or UNWRITABLE in rules.off:
        return
    try:
        with sole_watch(book, settings.alerts) as is_ours:
            watcher = BookWatcher(book, settings, lambda: refusal.market)
            raise_unable(watcher.alerts, rules, refusal.why, terms.folder.run_id)
            if is_ours:
                watcher.tell()
    except StoreError:
        if refusal.count == 1:
            _send(terms, refusal)


def raise_unable(alerts: AlertBook, rules: AlertRules, why: str, run_id: str) -> None:
    """The alert itself; raises StoreError where it can't be written either."""
    rule = rules[UNWRITABLE]
    if UNWRITABLE not in rules.off:
        alerts.raise_alert(UNWRITABLE, rule.severity, LOG, f"{rule.what}: {why}", run_id=run_id)


def tell_able(alerts: AlertBook) -> None:
    """It writes again."""
    alerts.clear(UNWRITABLE, LOG)


def _send(terms: DeskTerms, refusal: Refusal) -> None:
    """Straight to those who hear of it first: no book can hold that they were told, so it is done once."""
    settings, at = terms.prepared.settings.alerts, refusal.market
    rules = settings.rules()
    rule = rules[UNWRITABLE]
    alert = Alert(
        alert_id=short_id("alt", UNWRITABLE, LOG, at.isoformat()),
        code=UNWRITABLE,
        severity=rule.severity,
        subject=LOG,
        text=f"{rule.what}: {refusal.why}",
        figure=None,
        limit=None,
        run_id=terms.folder.run_id,
        raised_at=at,
        last_at=at,
        happened_at=at,
        count=1,
        state="open",
        acknowledged_by="",
        reason="",
        acknowledged_at=None,
        cleared_at=None,
        level=0,
        notification_id="",
        is_moment=False,
        is_end_told=False,
    )
    message = message_of((Notice(alert, f"{rule.severity} 0"),), rules)
    kinds = {told.kind for told in settings.ladder().reached(rule.severity, at, at)}
    for channel in channels_of(terms.folder.book.path, settings):
        if channel.kind in kinds:
            channel.send(message, at.isoformat())
