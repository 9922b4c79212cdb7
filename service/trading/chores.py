"""What is done beside the day loop: is the desk able to act safely, is its log sound, would the open be refused."""

from contextlib import suppress
from datetime import date, datetime

from ... import ParleyError
from ...desk.alert_book import AlertBook
from ...desk.desk import Desk
from ...domain.trading import TradingState
from ...execution.standing import Standing
from ...storage.errors import StoreError
from .feed import Feed
from .preflight import Preflight, reasons
from .schedule import Job
from .scheduler import Result
from .unable import raise_unable, tell_able

ABLE, HALTED, STALE, UNWRITABLE = "able", "halted", "stale feed", "log not writable"


class Chores:
    """The short work of one desk; each leaves nothing half done."""

    def __init__(self, desk: Desk, standing: Standing, feed: Feed, preflight: Preflight, alerts: AlertBook) -> None:
        self._desk, self._standing, self._feed, self._preflight = desk, standing, feed, preflight
        self._alerts, self._is_unable = alerts, False

    def run(self, job: Job, now: datetime, before: date | None) -> Result:
        """`before` is the last session that has closed."""
        if job.kind == "health":
            return Result("done", self._health(now))
        if job.kind == "verify":
            complaint = self._preflight.log()
            return Result("failed" if complaint else "done", complaint or f"sound to event {self._desk.log.head()[0]}")
        checks = self._preflight.checks(now, before)
        why = reasons(checks)
        told = [check.said for check in checks if check.said and not check.refuses]
        return Result("refused" if why else "done", "; ".join([*why, *told]))

    def _health(self, now: datetime) -> str:
        """Why the desk could not act safely now, or that it could: first what even a halt would need."""
        try:
            self._desk.log.try_write()
        except ParleyError as error:
            self._is_unable = True
            with suppress(StoreError):
                raise_unable(self._alerts, self._desk.settings.alerts.rules(), error.message, self._desk.run_id)
            return UNWRITABLE
        if self._is_unable:
            self._is_unable = False
            tell_able(self._alerts)
        if not self._feed.is_fresh(now):
            return STALE
        return HALTED if self._standing.account is TradingState.HALTED else ABLE
