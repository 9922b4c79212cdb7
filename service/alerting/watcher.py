"""The thread that watches a book: one for each book, whichever of its processes it runs in."""

import fcntl
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
from ...storage.errors import StoreUnwritable
from .channels import Channel, channels_of
from .courier import Courier
from .following import RunFollower
from .host import HostWatch

LOCK = "alerts.lock"
LOOK_S = 0.5
HOST_LOOK_S = 30.0
WATCH_FAILED = "watch_failed"
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
        self._has_failed = False

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
            self.alerts.clear(WATCH_FAILED, "watch")
            self._has_failed = False
        return count

    def tell(self) -> int:
        """Messages that were taken."""
        return self._courier.deliver()

    def _fail(self, error: ParleyError) -> None:
        rule = self._rules[WATCH_FAILED]
        if not self._has_failed and WATCH_FAILED not in self._rules.off:
            self.alerts.raise_alert(WATCH_FAILED, rule.severity, "watch", f"{rule.what}: {error.code}")
        self._has_failed = True


@contextmanager
def alert_watcher(
    book: Path, settings: Settings, now: Callable[[], datetime] = wall_now, *, from_start: bool = False
) -> Iterator[None]:
    """A watch over the book for as long as the context is open; it does nothing while another process watches."""
    if settings.alerts.watch == "off":
        yield
        return
    watcher, ended = BookWatcher(book, settings, now, from_start=from_start), Event()
    thread = Thread(target=_watch, args=(book, watcher, ended), name="parley-alerts", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(GOODBYE_S)


@contextmanager
def sole_watch(book: Path) -> Iterator[bool]:
    """Whether this process is the one that watches; the kernel gives the place back when it dies."""
    path = book / LOCK
    try:
        book.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreUnwritable(
            f"{path}: can't be made ({error.strerror})", remedy="Choose a book that you may write to."
        ) from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True
    finally:
        os.close(file)


def _watch(book: Path, watcher: BookWatcher, ended: Event) -> None:
    """The thread: it never ends the process, whatever it meets."""
    while not ended.is_set():
        try:
            with sole_watch(book) as is_ours:
                while is_ours:
                    watcher.look()
                    watcher.tell()
                    if ended.is_set():
                        return
                    ended.wait(LOOK_S)
        except Exception as error:
            # Its name and no more: what a library says of a message that failed may hold an address.
            logger.error("the watch over alerts failed", extra={"kind": type(error).__name__})
            ended.wait(HOST_LOOK_S)
        ended.wait(LOOK_S)
