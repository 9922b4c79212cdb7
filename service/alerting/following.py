"""Follows the run that a book's desk works, from where it was left, and writes what it finds into the alert book."""

from collections.abc import Sequence
from pathlib import Path

from ...desk.alert_book import AlertBook
from ...desk.book import Book, RunFolder
from ...desk.errors import RunUnknown
from ...storage.errors import StoreMissing
from ...watch.changes import Change, Cleared, Linked, Noticed, Raised
from ...watch.rules import AlertRules
from ...watch.watch import Watch
from .tail import LogTail, Place

CHAIN_BROKEN, LOG = "chain_broken", "log"


class RunFollower:
    """A watch over the book's run that outlives its process: the place it came to stands in the alert book.

    After a restart the events up to there are folded again and raise nothing; what comes after raises what it would
    have. A run that nobody watched from its beginning is folded to its end first: what stands there is raised, and
    what came and went before is history.
    """

    def __init__(self, book: Path, alerts: AlertBook, rules: AlertRules, *, from_start: bool = False) -> None:
        """`from_start` raises all that a run has to say that was never watched."""
        self._book, self._alerts, self._rules, self._from_start = Book(book), alerts, rules, from_start
        self._run = ""
        self._begin()

    def look(self) -> int:
        """Read what is new; the number of events. A book without a run has none."""
        try:
            folder = self._book.operated()
        except RunUnknown:
            return 0
        if folder.run_id != self._run:
            self._leave()
            self._run = folder.run_id
            self._begin()
        try:
            return self._follow(folder)
        except StoreMissing:  # between the folder and its log
            return 0
        except BaseException:
            # What was folded and not written is folded again at the next look.
            self._begin()
            raise

    def _begin(self) -> None:
        self._watch, self._read = Watch(self._rules), Place()
        self._is_broken = False

    def _leave(self) -> None:
        """Another run is worked now: what was said of the one before is over, but for what a person must answer."""
        if self._run:
            for alert in self._alerts.open():
                if alert.run_id == self._run:
                    self._alerts.leave(alert.code, alert.subject)

    def _follow(self, folder: RunFolder) -> int:
        tail = LogTail(folder, frozenset(kind.__name__ for kind in self._watch.kinds))
        if not tail.holds(self._read):
            self._begin()
        told = self._alerts.place(self._run)
        is_history = told is None and not self._from_start
        told_until = told[0] if told is not None and tail.holds(Place(*told)) else 0
        if told is not None and self._read.seq < told_until and tail.is_over_at(Place(*told)):
            self._read = Place(*told)
        begun_at, count = self._read, 0
        news: list[Change] = []
        for read in () if self._is_broken else tail.read(self._read, told_until):
            if read.fault:
                self._is_broken = True
                news.append(self._broken(read.fault))
                break
            count += 1
            self._read = read.place
            if read.seen is not None:
                changes = self._watch.take(read.seen)
                news += changes if read.place.seq > told_until and not is_history else []
        if is_history:
            news = [*self._watch.standing(), *(item for item in news if isinstance(item, Raised))]
        if news or is_history or self._read != begun_at:
            self._write(news)
        return count

    def _write(self, news: Sequence[Change]) -> None:
        """What was found and how far it was looked for, in one transaction."""
        with self._alerts.batch():
            for change in news:
                self._apply(change)
            self._alerts.set_place(self._run, self._read.seq, self._read.hash)

    def _apply(self, change: Change) -> None:
        match change:
            case Raised():
                self._alerts.raise_alert(
                    *(change.code, change.severity, change.subject, change.text, change.figure, change.limit),
                    self._run,
                    at=change.at,
                    notification_id=change.notification_id,
                    is_moment=change.is_moment,
                )
            case Cleared():
                end = self._alerts.leave if change.is_left else self._alerts.clear
                end(change.code, change.subject)
            case Linked():
                self._alerts.link(change.code, change.subject, change.notification_id)
            case Noticed():
                alert = self._alerts.of_notification(change.notification_id)
                if alert is not None:
                    self._alerts.acknowledge(alert.alert_id, change.user, change.reason)

    def _broken(self, fault: str) -> Raised:
        rule = self._rules[CHAIN_BROKEN]
        return Raised(CHAIN_BROKEN, rule.severity, LOG, f"{rule.what}: {fault}", self._alerts.now())
