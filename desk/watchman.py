"""Makes a running desk stop at once: from inside its event loop, and from beside it when that loop is blocked.

Three ways, each for when the one before does not work: the loop looks at the kill flag ten times a second while
a model is asked; a thread sends SIGUSR1 when nobody took notice, which breaks into blocked Python code; and the
thread ends the process, which the log survives, when not even that helps. SIGTERM asks for an end in good order.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from threading import Event, Thread, current_thread, main_thread
from types import FrameType, TracebackType
from typing import Any, TypeVar

from ..storage.errors import StoreError
from ..storage.flag import FlagNote, KillFlag
from .clock import elapsed_s, wall_time
from .deadman import Heartbeat
from .errors import DeskHalted

LOOK_S = 0.1
BREAK_IN_S = 0.3
"""A loop that has not noticed the flag after so long is blocked."""
GIVE_UP_S = 0.8
"""Then the process ends, so that `parley halt` holds within a second whatever it is stuck in."""
HALTED_EXIT = 75
"""The exit code of that end (EX_TEMPFAIL): the flag stays up, the log stands at its last event."""

Value = TypeVar("Value")


class Watchman:
    """Stands by while a desk runs; a context around the whole of it."""

    def __init__(self, flag: KillFlag, heartbeat: Heartbeat | None) -> None:
        """Without a heartbeat nobody misses what runs here: it trades nothing."""
        self._flag, self._heartbeat = flag, heartbeat
        self._ended, self._noticed = Event(), Event()
        self._thread = Thread(target=self._watch, name="parley-watchman", daemon=True)
        self._breaks_in = False
        self._before: dict[signal.Signals, Any] = {}
        self.is_asked_to_end = False
        """SIGTERM came: end at the next place from which the run can go on."""

    def __enter__(self) -> "Watchman":
        if current_thread() is main_thread():
            for name, handler in ((signal.SIGTERM, self._on_term), (signal.SIGUSR1, self._on_user)):
                self._before[name] = signal.signal(name, handler)
        if self._flag.is_raised:
            self.notice()  # what only begins has nothing in hand, and looks at the flag before it takes anything
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        for name, handler in self._before.items():
            signal.signal(name, handler)
        if self._heartbeat is not None:
            self._heartbeat.end()

    @property
    def must_stop(self) -> bool:
        return self.is_asked_to_end or self._flag.is_raised

    def notice(self) -> None:
        """The loop knows of the flag and deals with it."""
        self._noticed.set()

    async def guard(
        self, work: Coroutine[Any, Any, Value], is_called: Callable[[], bool] = lambda: False
    ) -> Value | None:
        """The result of `work`; None, and the work is cancelled, when the desk must stop or is called meanwhile."""
        task = asyncio.ensure_future(work)
        while not (await asyncio.wait({task}, timeout=LOOK_S))[0]:
            if self._heartbeat is not None:
                self._heartbeat.beat()
            if self.must_stop:
                self.notice()
            if self.must_stop or is_called():
                task.cancel()
                await asyncio.wait({task}, timeout=LOOK_S)
                return None
        return task.result()

    def _watch(self) -> None:
        """The thread: counts from when the flag is seen to when the loop has noticed it."""
        seen_at: float | None = None
        while not self._ended.wait(LOOK_S):
            if not self._flag.is_raised:
                seen_at, self._breaks_in = None, False
                self._noticed.clear()
            if not self._flag.is_raised or self._noticed.is_set():
                continue
            seen_at = elapsed_s() if seen_at is None else seen_at
            waited = elapsed_s() - seen_at
            if waited >= GIVE_UP_S - LOOK_S:
                os._exit(HALTED_EXIT)
            if waited >= BREAK_IN_S - LOOK_S and not self._breaks_in:
                self._breaks_in = True
                os.kill(os.getpid(), signal.SIGUSR1)

    def _on_term(self, number: int, frame: FrameType | None) -> None:
        self.is_asked_to_end = True

    def _on_user(self, number: int, frame: FrameType | None) -> None:
        """From our thread: break into what blocks. From anybody else: the same as `parley halt`."""
        if self._breaks_in and not self._noticed.is_set():
            self.notice()
            raise DeskHalted(
                "the kill flag was raised while the desk was blocked",
                remedy="Look into it, then `parley resume --reason ...` and `parley run --resume`.",
            )
        try:
            self._flag.hoist(FlagNote("SIGUSR1", "the process was sent the signal", wall_time()))
        except StoreError:
            self.is_asked_to_end = True
