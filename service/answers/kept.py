"""Results kept by key: worked out once however many ask at the same time, and bounded in number."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import TypeVar, cast

KEPT = 128
"""Results that are remembered: of one state of the log, a question is worked out once."""

Value = TypeVar("Value")


class Kept:
    """Results by key, worked out once however many ask at the same time; the oldest go first."""

    def __init__(self, most: int = KEPT) -> None:
        self._most = most
        self._lock = Lock()
        self._found: OrderedDict[tuple[str, ...], object] = OrderedDict()
        self._working: dict[tuple[str, ...], Lock] = {}

    def once(self, key: tuple[str, ...], compute: Callable[[], Value]) -> Value:
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return cast(Value, self._found[key])
            mine = self._working.setdefault(key, Lock())
        with mine:
            with self._lock:
                if key in self._found:
                    return cast(Value, self._found[key])
            try:
                value = compute()
            finally:
                with self._lock:
                    self._working.pop(key, None)
            with self._lock:
                self._found[key] = value
                while len(self._found) > self._most:
                    self._found.popitem(last=False)
            return value
