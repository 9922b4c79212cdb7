"""Keeps the desks alive: a process for each, started again when it dies, at once at first and then ever more slowly.

The process that watches does nothing but watch. Everything is loaded in it once, so that a new process is a fork of it
and there in a fraction of a second, from the log on: nothing of what the dead one had in hand is used again.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from ... import ParleyError
from ...desk.clock import elapsed_s, wall_s
from .desks import DeskTerms
from .errors import DeskGaveUp
from .worker import Start, trade_desk

DONE, ENDED, FAILED = 0, 3, 4
BACKOFF_S, LONGEST_BACKOFF_S = 0.5, 30.0
QUICK_S = 5.0
"""A process that died sooner than this had hardly begun."""
MOST_QUICK_DEATHS = 8
GOODBYE_S = 20.0
TRANSIENT = frozenset({"store_locked", "store_unwritable"})
"""Errors after which a new start may do better."""

Ending = Literal["finished", "ended"]


@dataclass(slots=True)
class _Child:
    """One desk's process, or the wait for its next one."""

    terms: DeskTerms
    market: datetime
    pid: int | None = None
    pipe: int = -1
    started_s: float = 0.0
    died_at_s: float | None = None
    not_before_s: float = 0.0
    quick_deaths: int = 0
    ending: Ending | None = None


@dataclass(slots=True)
class Supervisor:
    """All desks of one command."""

    terms: Sequence[DeskTerms]
    factor: float | None
    market: Sequence[datetime]
    """Where the market's clock of each desk begins."""
    on_look: Callable[[], None] = lambda: None
    _children: list[_Child] = field(default_factory=list[_Child])

    def run(self, wait: Callable[[float], object]) -> tuple[Ending, ...]:
        """Until every desk is done or asked to end; `wait` sleeps between two looks."""
        self._children = [_Child(*pair) for pair in zip(self.terms, self.market, strict=True)]
        previous = signal.signal(signal.SIGTERM, lambda number, frame: self._ask_to_end())
        try:
            while any(child.ending is None for child in self._children):
                for child in self._children:
                    self._look(child)
                self.on_look()
                wait(0.02)
        except BaseException:
            self._end_all(wait)
            raise
        finally:
            signal.signal(signal.SIGTERM, previous)
        return tuple(child.ending or "ended" for child in self._children)

    def _look(self, child: _Child) -> None:
        if child.ending is not None:
            return
        if child.pid is None:
            if elapsed_s() >= child.not_before_s:
                self._start(child)
            return
        pid, status = os.waitpid(child.pid, os.WNOHANG)
        if pid:
            self._ended(child, os.waitstatus_to_exitcode(status))

    def _start(self, child: _Child) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            _live(child, self.factor, writing)
        os.close(writing)
        child.pid, child.pipe, child.started_s = pid, reading, elapsed_s()

    def _ended(self, child: _Child, code: int) -> None:
        """What to do about a process that is gone: nothing, a new one, or a person has to see its error."""
        with os.fdopen(child.pipe, encoding="utf-8") as pipe:
            told = pipe.read()
        child.pid, child.died_at_s = None, wall_s()
        if code in (DONE, ENDED):
            child.ending = "finished" if code == DONE else "ended"
            return
        error = json.loads(told) if told else {}
        if code == FAILED and error.get("code") not in TRANSIENT:
            raise _Failed(error)
        is_quick = elapsed_s() - child.started_s < QUICK_S
        child.quick_deaths = child.quick_deaths + 1 if is_quick else 0
        if child.quick_deaths > MOST_QUICK_DEATHS:
            last = error.get("message") or f"exit {code}"
            raise DeskGaveUp(
                f"{child.terms.folder.book.path}: its process died {child.quick_deaths} times in a row, the last with "
                f"{last}",
                remedy="Look into what it said, and start `parley trade` again; it goes on where it was.",
            )
        pause = 0.0 if child.quick_deaths <= 1 else min(BACKOFF_S * 2 ** (child.quick_deaths - 2), LONGEST_BACKOFF_S)
        child.not_before_s = elapsed_s() + pause

    def _ask_to_end(self) -> None:
        for child in self._children:
            if child.pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGTERM)
            elif child.ending is None:
                child.ending = "ended"

    def _end_all(self, wait: Callable[[float], object]) -> None:
        """No process outlives this one: they are asked, and killed where they do not listen."""
        self._ask_to_end()
        began = elapsed_s()
        while any(child.pid is not None for child in self._children):
            is_over = elapsed_s() - began > GOODBYE_S
            for child in self._children:
                if child.pid is not None:
                    if is_over:
                        os.kill(child.pid, signal.SIGKILL)
                    if os.waitpid(child.pid, 0 if is_over else os.WNOHANG)[0]:
                        os.close(child.pipe)
                        child.pid = None
            wait(0.02)


class _Failed(ParleyError):
    """The error of a desk's process, as it was raised there."""

    def __init__(self, error: dict[str, str]) -> None:
        super().__init__(error.get("message", "a desk's process failed"), remedy=error.get("remedy", ""))
        self.code = error.get("code", "internal_error")


def _live(child: _Child, factor: float | None, pipe: int) -> None:
    """The whole life of a desk's process; it never returns."""
    code = FAILED
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal tells all; the one that watches tells us
        is_done = trade_desk(child.terms, Start(factor, child.market, child.died_at_s))
        code = DONE if is_done else ENDED
    except ParleyError as error:
        _tell(pipe, error.code, error.message, error.remedy)
    except Exception as error:  # The outermost edge of a process: told to the one that watches.
        _tell(pipe, "internal_error", f"{type(error).__name__}: {error}", "Set PARLEY_DEBUG=1 and run it again.")
        if os.environ.get("PARLEY_DEBUG"):
            import traceback

            traceback.print_exc()
    finally:
        os._exit(code)


def _tell(pipe: int, code: str, message: str, remedy: str) -> None:
    os.write(pipe, json.dumps({"code": code, "message": message, "remedy": remedy}).encode())
