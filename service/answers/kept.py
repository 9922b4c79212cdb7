"""Results kept by key: worked out once however many ask at the same time, and bounded in number."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, NamedTuple, TypeVar, cast

from ...desk.clock import elapsed_s

KEPT = 128
"""Results that are remembered: of one state of the log, a question is worked out once."""
RENEWED_S = 1.0
"""After so long it is asked again what came of a renewal that is going on."""
REST = 100.0
"""What is worked out seldom rests for so many times as long as it took: one percent of one core at most."""

Value = TypeVar("Value")


class Seldom(NamedTuple, Generic[Value]):
    """A value that may be of an earlier state: then `again_s` is when it is worth asking again."""

    value: Value
    again_s: float | None


class Kept:
    """Results by key, worked out once however many ask at the same time; the oldest go first."""

    def __init__(self, most: int = KEPT) -> None:
        self._most = most
        self._lock = Lock()
        self._found: OrderedDict[tuple[str, ...], object] = OrderedDict()
        self._working: dict[tuple[str, ...], Lock] = {}
        self._seldom: OrderedDict[tuple[str, ...], _Rested] = OrderedDict()

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

    def seldom(
        self,
        key: tuple[str, ...],
        state: str,
        compute: Callable[[], Value],
        now_s: Callable[[], float] = elapsed_s,
    ) -> Seldom[Value]:
        """What takes long, for a state that moves on: the earlier value stands while a new one is worked out, and
        until it has rested. Only the first is waited for."""
        with self._lock:
            found = self._seldom.get(key)
            is_same = found is not None and found.state == state
            is_good = found is not None and (is_same or found.is_renewed or now_s() < found.again_s)
            if found is not None and not is_good:
                found.is_renewed = True
        if found is None:
            return Seldom(self.once((*key, state), lambda: self._rested(key, state, compute, now_s)), None)
        if is_good:
            return Seldom(
                cast(Value, found.value),
                None if is_same else max(found.again_s, now_s() + RENEWED_S * found.is_renewed),
            )
        return Seldom(self._rested(key, state, compute, now_s), None)

    def _rested(
        self, key: tuple[str, ...], state: str, compute: Callable[[], Value], now_s: Callable[[], float]
    ) -> Value:
        began = now_s()
        try:
            value = compute()
        except BaseException:
            with self._lock:
                if key in self._seldom:
                    self._seldom[key].is_renewed = False
            raise
        ended = now_s()
        with self._lock:
            self._seldom[key] = _Rested(state, value, ended + REST * (ended - began))
            while len(self._seldom) > self._most:
                self._seldom.popitem(last=False)
        return value


class _Rested:
    """A value of some state, and when it may be worked out anew."""

    __slots__ = ("again_s", "is_renewed", "state", "value")

    def __init__(self, state: str, value: object, again_s: float) -> None:
        self.state, self.value, self.again_s, self.is_renewed = state, value, again_s, False
