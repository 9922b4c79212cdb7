"""Counts wrong passwords, by user and by address, and shuts the door for longer each time."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple

from ...storage.sql import Database
from .errors import LockedOut

FREE_TRIES = {"user at address": 5, "user": 20, "address": 30}
"""Wrong ones before the door shuts. One address shuts a user out for itself first, and not for everybody."""
FIRST_WAIT_S, LONGEST_WAIT_S = 30.0, 3_600.0
FORGOTTEN_S = 3_600.0
"""After so long without a try nothing is remembered."""
MOST_KEPT = 10_000

Key = tuple[str, str]
Changing = Callable[[], AbstractContextManager[Database]]
_GONE = "DELETE FROM tries WHERE last_s < ?"
_BEYOND = "DELETE FROM tries WHERE rowid IN (SELECT rowid FROM tries ORDER BY last_s DESC LIMIT -1 OFFSET ?)"
_ONE_LESS = "UPDATE tries SET wrong = max(wrong - 1, 0), until_s = 0 WHERE kind = ? AND name = ?"
_KEEP = "INSERT OR REPLACE INTO tries VALUES (?, ?, ?, ?, ?)"


class _Tries(NamedTuple):
    wrong: int = 0
    last_s: float = 0.0
    until_s: float = 0.0


class Lockout:
    """Tries are counted before the password is looked at, so that many at once count as many; and in a database, so
    that neither a restart nor another process forgets them."""

    def __init__(self, now_s: Callable[[], float], changing: Changing) -> None:
        """`now_s` is a clock that goes on over a restart; `changing` opens a transaction on the table of tries."""
        self._now_s, self._changing = now_s, changing

    def begin(self, user: str, address: str) -> None:
        """Count a try as a wrong one. Raises LockedOut, and then it was not tried."""
        now = self._now_s()
        with self._changing() as database:
            database.execute(_GONE, (now - FORGOTTEN_S,))
            found = {key: _tries(database, key) for key in _keys(user, address)}
            # A clock that was set back shuts nobody out for longer than the longest wait.
            wait_s = min(max(tries.until_s for tries in found.values()) - now, LONGEST_WAIT_S)
            if wait_s > 0:
                raise LockedOut(
                    f"too many wrong passwords; the door stays shut for {wait_s:.0f} s",
                    retry_after_s=wait_s,
                    remedy="Wait, or let an admin set a new password with `parley user password`.",
                )
            for (kind, name), tries in found.items():
                over = tries.wrong + 1 - FREE_TRIES[kind]
                shut_s = now + min(FIRST_WAIT_S * 2.0 ** min(over, 20), LONGEST_WAIT_S) if over >= 0 else tries.until_s
                database.execute(_KEEP, (kind, name, tries.wrong + 1, now, shut_s))
            database.execute(_BEYOND, (MOST_KEPT,))

    def succeed(self, user: str, address: str) -> None:
        """It was the right one: the user's count starts over, and an address keeps its other wrong ones."""
        with self._changing() as database:
            for kind, name in _keys(user, address):
                if kind == "address":
                    database.execute(_ONE_LESS, (kind, name))
                else:
                    database.execute("DELETE FROM tries WHERE kind = ? AND name = ?", (kind, name))


def _tries(database: Database, key: Key) -> _Tries:
    rows = database.rows("SELECT wrong, last_s, until_s FROM tries WHERE kind = ? AND name = ?", key)
    return _Tries(*rows[0]) if rows else _Tries()


def _keys(user: str, address: str) -> tuple[Key, ...]:
    return ("user at address", f"{user}\n{address}"), ("user", user), ("address", address)
