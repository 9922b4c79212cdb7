"""The thread that watches a book: one for each book, whichever of its processes it runs in."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread

from ... import ParleyError
from ...desk.alert_book import AlertBook
from ...desk.alert_settings import AlertSettings
from ...desk.clock import elapsed_s, wall_now
from ...desk.settings import Settings
from .channels import Channel, channels_of
from .courier import Courier
from .following import RunFollower
from .host import HostWatch
from .seat import Holder, Seat

LOOK_S = 0.5
UNUSED_AFTER = 10
"""Looks at a place that another process keeps, until that is said."""
HOST_LOOK_S = 30.0
WATCH, WATCH_FAILED, CHANNELS_UNUSED = "watch", "watch_failed", "channels_unused"
"""What such an alert is about, and its rules."""
GOODBYE_S = 5.0
"""How long the end of a process waits for a message on its way."""

logger = logging.getLogger(__name__)


def alert_book(book: Path, settings: AlertSettings, now: Callable[[], datetime] = wall_now) -> AlertBook:
    """The book's alerts under these settings."""
    return AlertBook(book, now, timedelta(minutes=settings.quiet_minutes))


class BookWatcher:
    """All that is done at a look: read the log, measure the machine, tell people."""

    def __init__(
        self,
        book: Path,
        settings: Settings,
        now: Callable[[], datetime] = wall_now,
        *,
        from_start: bool = False,
        channels: tuple[Channel, ...] | None = None,
    ) -> None:
        """Raises RuleUnknown, ChannelInvalid and AlertsMissing: what is set wrong is said before anything runs."""
        rules, quiet = settings.alerts.rules(), timedelta(minutes=settings.alerts.quiet_minutes)
        self.alerts = alert_book(book, settings.alerts, now)
        self._rules = rules
        self._follower = RunFollower(book, self.alerts, rules, from_start=from_start)
        self._host = HostWatch(book, self.alerts, rules, settings)
        made = channels_of(book, settings.alerts) if channels is None else channels
        self._courier = Courier(self.alerts, made, settings.alerts.ladder(), rules, now, quiet)
        self._host_looked_s: float | None = None
        self._has_failed = self._is_unused = False

    def look(self) -> int:
        """Events that were new. A watch that fails says so as an alert, and goes on at the next look."""
        try:
            count = self._follower.look()
            if self._host_looked_s is None or elapsed_s() - self._host_looked_s >= HOST_LOOK_S:
                self._host.look()
                self._host_looked_s = elapsed_s()
        except ParleyError as error:
            self._fail(error)
            return 0
        if self._has_failed:
            self.alerts.clear(WATCH_FAILED, WATCH)
            self._has_failed = False
        return count

    def tell(self) -> int:
        """Messages that were taken."""
        return self._courier.deliver()

    def note_unused(self, other: Holder | None) -> None:
        """Say, where everybody looks, that another process watches with other settings; None when none does."""
        rule = self._rules[CHANNELS_UNUSED]
        if other is not None and not self._is_unused and CHANNELS_UNUSED not in self._rules.off:
            text = f"{rule.what}: process {other.pid} watches, not process {os.getpid()}"
            self.alerts.raise_alert(CHANNELS_UNUSED, rule.severity, WATCH, text, is_moment=True)
            logger.warning("alerts go by the settings of process %d, and not by those given here", other.pid)
        elif other is None and self._is_unused:
            self.alerts.clear(CHANNELS_UNUSED, WATCH)
        self._is_unused = other is not None

    def _fail(self, error: ParleyError) -> None:
        rule = self._rules[WATCH_FAILED]
        if not self._has_failed and WATCH_FAILED not in self._rules.off:
            self.alerts.raise_alert(WATCH_FAILED, rule.severity, WATCH, f"{rule.what}: {error.code}")
        self._has_failed = True


@contextmanager
def alert_watcher(
    book: Path, settings: Settings, now: Callable[[], datetime] = wall_now, *, from_start: bool = False
) -> Iterator[None]:
    """A watch over the book for as long as the context is open; it does nothing while another process watches that
    brings as much as these settings do."""
    if settings.alerts.watch == "off":
        yield
        return
    watcher, ended = BookWatcher(book, settings, now, from_start=from_start), Event()
    seat = Seat(book, settings.alerts)
    thread = Thread(target=_watch, args=(seat, watcher, ended), name="parley-alerts", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(GOODBYE_S)


@contextmanager
def sole_watch(book: Path, settings: AlertSettings | None = None) -> Iterator[bool]:
    """Whether this process is the one that watches; with settings it asks whoever brings less to let it."""
    seat = Seat(book, settings)
    try:
        yield seat.take_in_time()
    finally:
        seat.leave()


def _watch(seat: Seat, watcher: BookWatcher, ended: Event) -> None:
    """The thread: it never ends the process, whatever it meets."""
    waits = 0
    try:
        while not ended.is_set():
            try:
                if seat.take():
                    watcher.note_unused(None)
                    waits = 0
                    if _look_on(seat, watcher, ended):
                        return
                elif waits == UNUSED_AFTER:
                    watcher.note_unused(seat.holder() if seat.is_unused else None)
                else:
                    waits += 1
            except Exception as error:
                # Its name and no more: what a library says of a message that failed may hold an address.
                logger.error("the watch over alerts failed", extra={"kind": type(error).__name__})
                seat.rise()
                ended.wait(HOST_LOOK_S)
            ended.wait(LOOK_S)
        watcher.note_unused(None)
    finally:
        seat.leave()


def _look_on(seat: Seat, watcher: BookWatcher, ended: Event) -> bool:
    """Until the end, which is True, or until another process is given the place."""
    while not seat.is_wanted:
        is_last = ended.is_set()  # asked first: what was written before the end is seen after it
        watcher.look()
        watcher.tell()
        if is_last:
            return True
        ended.wait(LOOK_S)
    seat.rise()
    return False
