"""The one place at a book's watch: who has it, with which settings, and how a process with channels comes to it."""

import fcntl
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event

from ...desk.alert_settings import AlertSettings
from ...domain.canonical import content_hash
from ...storage.errors import StoreUnwritable

LOCK, CLAIM = "alerts.lock", "alerts.claim"
MOST_NOTE_BYTES = 1_000
HIGHEST = 2
TAKE_OVER_S, ASK_S = 3.0, 0.05
"""How long the one who was asked to get up is waited for, and how often it is looked for meanwhile."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who watches. `rank` counts what its settings bring: 2 with an address to send to, 1 with rules of its own."""

    pid: int
    settings: str
    """Hash of the alert settings, addresses and all; nothing can be read out of it."""
    rank: int


class Seat:
    """Held by the kernel's lock on a file, so that it is free when its process dies.

    Whoever brings more than the one who sits there lays a claim, which is a lock too; the other gets up at its next
    look, and stays away as long as the claim stands. Between equals the first one keeps it.
    """

    def __init__(self, book: Path, settings: AlertSettings | None) -> None:
        """Without settings the place is only held: whoever comes, it is kept to the end."""
        self._book = book
        known = ("", HIGHEST) if settings is None else (settings_hash(settings), _rank(settings))
        self.mine = Holder(os.getpid(), *known)
        self._lock: int | None = None
        self._claim: int | None = None

    def take(self) -> bool:
        """Whether the place is ours now. Raises StoreUnwritable where the book can't be written."""
        if self._claim is None and self.is_wanted:
            return False
        if (taken := _lock(_opened(self._book / LOCK))) is None:
            holder = self.holder()
            if self._claim is None and self.mine.rank > (holder.rank if holder else self.mine.rank):
                self._claim = _lock(_opened(self._book / CLAIM))
                _note(self._claim, self.mine)
            return False
        self._lock = taken
        _note(taken, self.mine)
        self._claim = _closed(self._claim)
        return True

    def take_in_time(self) -> bool:
        """The same, and where a claim was laid the place is waited for."""
        waiting, left = Event(), TAKE_OVER_S
        while not self.take():
            if self._claim is None or left <= 0:
                return False
            waiting.wait(ASK_S)
            left -= ASK_S
        return True

    @property
    def is_wanted(self) -> bool:
        """Whether another process that brings more waits for the place."""
        claim = self._book / CLAIM
        if not claim.exists():
            return False
        try:
            file = os.open(claim, os.O_RDWR)
        except OSError:
            return False
        if _lock(file) is not None:
            os.close(file)
            return False
        other = _noted(claim)
        return other is not None and other.rank > self.mine.rank

    def holder(self) -> Holder | None:
        """Who has, or had, the place; None where nothing says so."""
        return _noted(self._book / LOCK)

    @property
    def is_unused(self) -> bool:
        """Whether what these settings bring is left out, as the one who has the place has others."""
        other = self.holder()
        return self.mine.rank > 0 and other is not None and other.settings not in ("", self.mine.settings)

    def rise(self) -> None:
        """Give the place free; a claim goes on."""
        self._lock = _closed(self._lock)

    def leave(self) -> None:
        self._lock, self._claim = _closed(self._lock), _closed(self._claim)


def settings_hash(settings: AlertSettings) -> str:
    """The same for the same settings, passwords included."""
    plain = settings.model_dump(mode="json", exclude={"webhook", "email", "sms", "everyone"})
    urls = {kind: [url.get_secret_value() for url in found] for kind, found in settings.urls().items()}
    return content_hash({**plain, **urls})


def _rank(settings: AlertSettings) -> int:
    if any(settings.urls().values()):
        return HIGHEST
    return int(settings != AlertSettings())


def _opened(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreUnwritable(
            f"{path}: can't be made ({error.strerror})", remedy="Choose a book that you may write to."
        ) from error


def _lock(file: int) -> int | None:
    """The file with its lock; None, and the file closed, where another has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return None
    return file


def _closed(file: int | None) -> None:
    if file is not None:
        os.close(file)


def _note(file: int | None, holder: Holder) -> None:
    """On a full disk nothing is noted, and the lock holds all the same."""
    if file is not None:
        with suppress(OSError):
            os.ftruncate(file, 0)
            os.pwrite(file, json.dumps(asdict(holder)).encode("ascii"), 0)


def _noted(path: Path) -> Holder | None:
    try:
        with path.open(encoding="ascii") as file:
            found = json.loads(file.read(MOST_NOTE_BYTES))
        return Holder(int(found["pid"]), str(found["settings"]), int(found["rank"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
