"""Works replies out in threads: each once for a state of the record, the heavy apart from the light ones."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, TypeVar

from ...desk.clock import elapsed_s

LIGHT_THREADS, HEAVY_THREADS = 4, 2
"""More would only wait for one another, and the event loop for all of them."""
HEAVY_S = 0.1
"""What took longer than that lately waits among its like; so does what was never asked before."""
FORGIVEN = 0.8
"""How much of its longest time a kind of work still counts as having taken after a quicker one."""
REPLIES_KEPT, LONG_BYTES = 1_024, 1_000_000
"""Results that are kept; a long one only as long as somebody waits for it."""

Value = TypeVar("Value")
Key = tuple[str, ...]


class Works:
    """Results by key. Who asks for one that is being worked out waits for it, and holds no thread meanwhile."""

    def __init__(self, most: int = REPLIES_KEPT) -> None:
        self._most = most
        self._lock = Lock()
        self._kept: OrderedDict[Key, Future[Any]] = OrderedDict()
        self._took_s: dict[str, float] = {}
        self._light = ThreadPoolExecutor(LIGHT_THREADS, "light")
        self._heavy = ThreadPoolExecutor(HEAVY_THREADS, "heavy")

    async def once(self, key: Key, what: str, make: Callable[[], Value]) -> Value:
        """The result for this key. `what` names its kind of work, by which heavy is told from light."""
        future, is_mine = self._begin(key)
        if is_mine:
            self._pool(what, HEAVY_S).submit(self._work, key, what, make, future)
        return await _of(future)

    def wait(self, key: Key, what: str, make: Callable[[], Value]) -> Value:
        """The same from a thread of one's own, which does the work if nobody does it already."""
        future, is_mine = self._begin(key)
        if is_mine:
            self._work(key, what, make, future)
        return future.result()

    async def alone(self, what: str, make: Callable[[], Value]) -> Value:
        """Work that is nobody else's: a request that changes something, or is about one caller."""
        return await _of(self._pool(what, 0.0).submit(self._timed, what, make))

    def close(self) -> None:
        """What has not begun is not begun any more."""
        for pool in (self._light, self._heavy):
            pool.shutdown(wait=False, cancel_futures=True)

    def _pool(self, what: str, unknown_s: float) -> ThreadPoolExecutor:
        return self._heavy if self._took_s.get(what, unknown_s) >= HEAVY_S else self._light

    def _begin(self, key: Key) -> tuple[Future[Any], bool]:
        """What comes or came of this key, and whether it is the caller's to work out."""
        with self._lock:
            future = self._kept.get(key)
            if future is not None:
                self._kept.move_to_end(key)
                return future, False
            future = self._kept[key] = Future()
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return future, True

    def _work(self, key: Key, what: str, make: Callable[[], Any], future: Future[Any]) -> None:
        """An error goes to all who wait, and is not kept: the next one tries again."""
        try:
            made = self._timed(what, make)
            if isinstance(made, bytes) and len(made) > LONG_BYTES:
                with self._lock:
                    self._kept.pop(key, None)
            future.set_result(made)
        except BaseException as error:
            with self._lock:
                self._kept.pop(key, None)
            # A bare StopIteration can't be passed on to whoever awaits it.
            is_bare = isinstance(error, StopIteration)
            future.set_exception(RuntimeError("nothing was left to take") if is_bare else error)

    def _timed(self, what: str, make: Callable[[], Value]) -> Value:
        started_s = elapsed_s()
        try:
            return make()
        finally:
            took_s = elapsed_s() - started_s
            self._took_s[what] = max(took_s, self._took_s.get(what, 0.0) * FORGIVEN)


async def _of(future: Future[Value]) -> Value:
    """Shielded: whoever hangs up does not take the result from others that wait for it."""
    return future.result() if future.done() else await asyncio.shield(asyncio.wrap_future(future))
