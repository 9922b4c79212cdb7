"""A bucket of calls for each caller that fills up again at a steady rate."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from .errors import TooManyCalls

MOST_KEPT = 10_000


class Rates:
    """`burst` calls at once, then `per_s` each second."""

    def __init__(self, per_s: float, burst: int, elapsed_s: Callable[[], float]) -> None:
        self._per_s, self._burst, self._elapsed_s = per_s, burst, elapsed_s
        self._lock = Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, who: str) -> None:
        """One call. Raises TooManyCalls when the bucket is empty."""
        now = self._elapsed_s()
        with self._lock:
            left, seen_s = self._left.get(who, (float(self._burst), now))
            left = min(left + (now - seen_s) * self._per_s, float(self._burst))
            is_empty = left < 1.0
            self._left[who] = (left if is_empty else left - 1.0, now)
            self._left.move_to_end(who)
            while len(self._left) > MOST_KEPT:
                self._left.popitem(last=False)
        if is_empty:
            raise TooManyCalls(
                f"more than {self._per_s:g} calls a second",
                retry_after_s=(1.0 - left) / self._per_s,
                remedy="Wait a moment; read the event stream instead of asking again and again.",
            )
