"""The checks before an open: each passes or says in plain words why no new risk may be taken."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from ... import ParleyError
from ...desk.alert_book import AlertBook
from ...desk.alert_records import Alert
from ...desk.desk import Desk
from ...desk.operator import BookPost
from ...domain.control_events import BookReconciled
from ...domain.trading import TradingState
from ...execution.standing import Standing
from ...gate.limits import load_limits
from .feed import Feed
from .log_check import LogCheck
from .model_check import ModelCheck

PREFLIGHT = "preflight"
"""The cause and the name of what a refused pre-flight restricts."""


@dataclass(frozen=True, slots=True)
class Check:
    """One answer; `said` is empty where there is nothing to tell. A warning does not refuse."""

    name: str
    said: str = ""
    refuses: bool = True


def reasons(checks: Sequence[Check]) -> tuple[str, ...]:
    """Why the open is refused; nothing when it is not."""
    return tuple(check.said for check in checks if check.said and check.refuses)


class Preflight:
    """What is looked at is what the session would stand on; nothing is changed by looking."""

    def __init__(
        self,
        desk: Desk,
        standing: Standing,
        post: BookPost,
        feed: Feed,
        alerts: AlertBook,
        model: ModelCheck,
        before: Callable[[], object],
    ) -> None:
        """`before` is called ahead of the checks, and before a run ends: a watch that has to look, as its alerts are
        those of now."""
        self._desk, self._standing, self._post, self._feed, self._alerts = desk, standing, post, feed, alerts
        self._model, self._ahead, self._log = model, before, LogCheck(desk.log)

    def checks(self, now: datetime, before: date | None) -> tuple[Check, ...]:
        """Everything, for an open whose session before is this one; None before the run's first."""
        self.watch()
        return (
            Check("data", self._data(now, before)),
            Check("log", self.log()),
            Check("reconciled", self._reconciled()),
            Check("limits", self._limits()),
            Check("flag", self._flag()),
            Check("account", self._account()),
            Check("acknowledged", self._acknowledged()),
            Check("model", self._model.complaint(now), refuses=self._model.refuses),
        )

    def watch(self) -> None:
        """Have the watch look now."""
        self._ahead()

    def log(self) -> str:
        """What is wrong with the log, if anything; of what was sound before only the news are read."""
        try:
            return self._log.complaint()
        except ParleyError as error:
            return f"the log can't be read: {error.message}"

    def _data(self, now: datetime, before: date | None) -> str:
        if before is None or self._feed.has(before, now):
            return ""
        newest = self._feed.newest(now)
        return f"the newest bar is of {newest or 'no session'}, expected is {before}"

    def _reconciled(self) -> str:
        last = self._desk.log.last(BookReconciled)
        if self._standing.unexplained:
            return f"{self._standing.unexplained} differences with the venue are not explained"
        found = None if last is None else BookReconciled.model_validate(last.payload)
        is_open = found is not None and not found.is_explained and self._standing.account is not TradingState.ACTIVE
        return "the last reconciliation was not explained" if is_open else ""

    def _limits(self) -> str:
        """The file may have been changed under the running desk: it keeps what it read, and takes no new risk."""
        try:
            found = load_limits(self._desk.settings.limits_file)
        except ParleyError as error:
            return f"the limits can't be read: {error.message}"
        mine = self._desk.limits.hash()
        return "" if found.hash() == mine else f"the limits file is {found.hash()[:16]} now, the run has {mine[:16]}"

    def _flag(self) -> str:
        note = self._post.flag.read()
        return "" if note is None else f"the kill flag is up: {note.by}: {note.reason}"

    def _account(self) -> str:
        held = self._standing.waits_for
        if held is not None:
            return f"the account is {held.after}: {held.reason}"
        return "" if self._standing.account is not TradingState.HALTED else "the account is HALTED"

    def _acknowledged(self) -> str:
        notes = [item.code for _, item in sorted(self._standing.unacknowledged.items())]
        try:
            notes += [alert.code for alert in self._alerts.blocking() if not self._is_noted(alert)]
        except ParleyError as error:
            return f"the alerts can't be read: {error.message}"
        return f"critical, and nobody has acknowledged it: {', '.join(notes)}" if notes else ""

    def _is_noted(self, alert: Alert) -> bool:
        """Whether the log's own note says the same; that of the run before stands in another log."""
        return bool(alert.notification_id) and alert.run_id == self._desk.run_id
