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
from typing import Any

from ... import ParleyError
from ...desk.clock import elapsed_s, wall_s
from .desks import DeskTerms
from .errors import ClockLeapt, DeskGaveUp, DeskUnable
from .unable import Refusal
from .worker import Ending, Start, trade_desk

DONE, ENDED, FAILED, GROWN = 0, 3, 4, 5
CODES: dict[Ending, int] = {"finished": DONE, "ended": ENDED, "grown": GROWN}
BACKOFF_S, LONGEST_BACKOFF_S = 0.5, 30.0
QUICK_S = 5.0
"""A process that died sooner than this had hardly begun."""
MOST_QUICK_DEATHS = 8
GOODBYE_S = 20.0
TRANSIENT = frozenset({"desk_unable", "store_locked", "store_unwritable"})
"""Errors after which a new start may do better, however often it did not: nothing can be written now."""


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
    refused: int = 0
    """How many of its processes in a row could write nothing."""
    gone_at_s: float | None = None
    has_grown: bool = False
    """Whether its data have more than they had when they were loaded."""
    ending: Ending | None = None


@dataclass(slots=True)
class Supervisor:
    """All desks of one command."""

    terms: Sequence[DeskTerms]
    factor: float | None
    market: Sequence[datetime]
    """Where the market's clock of each desk begins."""
    on_look: Callable[[], None] = lambda: None
    on_refused: Callable[[DeskTerms, Refusal], None] = lambda terms, refusal: None
    renewed: Callable[[DeskTerms], DeskTerms] = lambda terms: terms
    """The same desk with the data there are now."""
    _children: list[_Child] = field(default_factory=list[_Child])

    def run(self, wait: Callable[[float], object]) -> tuple[Ending, ...]:
        """Until every desk is done or asked to end; `wait` sleeps between two looks."""
        self._children = [_Child(*pair) for pair in zip(self.terms, self.market, strict=True)]
        asked = {number: signal.signal(number, self._on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
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
            for number, before in asked.items():
                signal.signal(number, before)
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
        if child.has_grown:
            with suppress(ParleyError):  # with what it had, its process finds the same fault, and tells people of it
                child.terms = self.renewed(child.terms)
        sys.stdout.flush()
        sys.stderr.flush()
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            _live(child, self.factor, writing)
        os.close(writing)
        child.pid, child.pipe, child.started_s, child.has_grown = pid, reading, elapsed_s(), False

    def _ended(self, child: _Child, code: int) -> None:
        """What to do about a process that is gone: nothing, a new one, or a person has to see its error."""
        with os.fdopen(child.pipe, encoding="utf-8") as pipe:
            told = pipe.read()
        child.pid = None
        if code in (DONE, ENDED):
            child.ending = "finished" if code == DONE else "ended"
            return
        if code == GROWN:
            child.has_grown, child.died_at_s, child.quick_deaths = True, wall_s(), 0
            return
        error = json.loads(told) if told else {}
        if code == FAILED and error.get("code") == ClockLeapt.code:
            child.market, child.died_at_s = datetime.fromisoformat(error["market"]), wall_s()
            return
        if code == FAILED and error.get("code") not in TRANSIENT:
            raise _Failed(error)
        if code == FAILED:
            self._refused(child, error)
            return
        child.died_at_s, child.refused, child.gone_at_s = wall_s(), 0, None
        is_quick = elapsed_s() - child.started_s < QUICK_S
        child.quick_deaths = child.quick_deaths + 1 if is_quick else 0
        if child.quick_deaths > MOST_QUICK_DEATHS:
            last = error.get("message") or f"exit {code}"
            raise DeskGaveUp(
                f"{child.terms.folder.book.path}: its process died {child.quick_deaths} times in a row, the last with "
                f"{last}",
                remedy="Look into what it said, and start `parley trade` again; it goes on where it was.",
            )
        child.not_before_s = elapsed_s() + pause_after(child.quick_deaths)

    def _refused(self, child: _Child, error: dict[str, Any]) -> None:
        """A disk that is full and a log that is held are tried again until they are not: nothing is given up."""
        now_s = wall_s()
        child.quick_deaths, child.refused = 0, 1 if error.get("was_able") else child.refused + 1
        child.gone_at_s = now_s if child.refused == 1 or child.gone_at_s is None else child.gone_at_s
        if "market" in error:
            child.market, child.died_at_s = datetime.fromisoformat(error["market"]), now_s
        child.died_at_s = child.died_at_s or now_s
        pause_s = pause_after(child.refused)
        child.not_before_s = elapsed_s() + pause_s
        self.on_refused(child.terms, Refusal(str(error.get("message")), child.market, child.refused, pause_s))

    def _on_signal(self, number: int, frame: object) -> None:
        """Asked once, the desks come to an end; asked by the terminal again, they are ended."""
        self._ask_to_end()
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)

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


def pause_after(deaths: int) -> float:
    """Seconds before a new start after so many deaths in a row: none at first, and ever more."""
    return 0.0 if deaths <= 1 else min(BACKOFF_S * 2.0 ** min(deaths - 2, 10), LONGEST_BACKOFF_S)


class _Failed(ParleyError):
    """The error of a desk's process, as it was raised there."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error.get("message", "a desk's process failed"), remedy=error.get("remedy", ""))
        self.code = error.get("code", "internal_error")


def _live(child: _Child, factor: float | None, pipe: int) -> None:
    """The whole life of a desk's process; it never returns."""
    code = FAILED
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal tells all; the one that watches tells us
        start = Start(factor, child.market, child.died_at_s, child.refused, child.gone_at_s, child.has_grown)
        code = CODES[trade_desk(child.terms, start)]
    except DeskUnable as error:
        _tell(pipe, error.code, error.message, error.remedy, market=error.market.isoformat(), was_able=error.was_able)
    except ClockLeapt as error:
        _tell(pipe, error.code, error.message, error.remedy, market=error.market.isoformat())
    except ParleyError as error:
        _tell(pipe, error.code, error.message, error.remedy)
    except Exception as error:  # The outermost edge of a process: told to the one that watches.
        _tell(pipe, "internal_error", f"{type(error).__name__}: {error}", "Set PARLEY_DEBUG=1 and run it again.")
        if os.environ.get("PARLEY_DEBUG"):
            import traceback

            traceback.print_exc()
    finally:
        os._exit(code)


def _tell(pipe: int, code: str, message: str, remedy: str, **more: str | bool) -> None:
    os.write(pipe, json.dumps({"code": code, "message": message, "remedy": remedy, **more}).encode())
