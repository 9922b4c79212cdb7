"""Counts wrong passwords, by user and by address, and shuts the door for longer each time."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from .errors import LockedOut

FREE_TRIES = {"user at address": 5, "user": 20, "address": 30}
"""Wrong ones before the door shuts. One address shuts a user out for itself first, and not for everybody."""
FIRST_WAIT_S, LONGEST_WAIT_S = 30.0, 3_600.0
FORGOTTEN_S = 3_600.0
"""After so long without a try nothing is remembered."""
MOST_KEPT = 10_000

Key = tuple[str, str]


@dataclass(slots=True)
class _Tries:
    count: int = 0
    last_s: float = 0.0
    until_s: float = 0.0


class Lockout:
    """Tries are counted before the password is looked at, so that many at once count as many."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._lock = Lock()
        self._kept: OrderedDict[Key, _Tries] = OrderedDict()

    def begin(self, user: str, address: str) -> None:
        """Count a try as a wrong one. Raises LockedOut, and then it was not tried."""
        now = self._now_s()
        with self._lock:
            found = {key: self._tries(key, now) for key in _keys(user, address)}
            wait_s = max(tries.until_s for tries in found.values()) - now
            if wait_s > 0:
                raise LockedOut(
                    f"too many wrong passwords; the door stays shut for {wait_s:.0f} s",
                    retry_after_s=wait_s,
                    remedy="Wait, or let an admin set a new password with `parley user password`.",
                )
            for (kind, _), tries in found.items():
                tries.count, tries.last_s = tries.count + 1, now
                over = tries.count - FREE_TRIES[kind]
                if over >= 0:
                    tries.until_s = now + min(FIRST_WAIT_S * 2.0 ** min(over, 20), LONGEST_WAIT_S)

    def succeed(self, user: str, address: str) -> None:
        """It was the right one: the user's count starts over, and an address keeps its other wrong ones."""
        with self._lock:
            for key in _keys(user, address):
                tries = self._kept.get(key)
                if tries is None:
                    continue
                if key[0] == "address":
                    tries.count = max(tries.count - 1, 0)
                    tries.until_s = 0.0
                else:
                    del self._kept[key]

    def _tries(self, key: Key, now: float) -> _Tries:
        tries = self._kept.get(key)
        if tries is None or now - tries.last_s > FORGOTTEN_S:
            tries = self._kept[key] = _Tries()
        self._kept.move_to_end(key)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return tries


def _keys(user: str, address: str) -> tuple[Key, ...]:
    return ("user at address", f"{user}\n{address}"), ("user", user), ("address", address)
