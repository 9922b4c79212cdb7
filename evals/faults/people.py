"""The people around a simulated desk: who halts it, who raises the flag, who frees it once a thing is understood."""

from contextlib import suppress
from datetime import datetime

from ...desk.control_log import ControlLog
from ...desk.operator import BookPost
from ...desk.operator import Operator as Desktop
from ...domain.trading import ACCOUNT, Scope, TradingState
from ...execution.controls import DRIFT, Controls
from ...execution.errors import RearmRefused
from ...memory.log import EventLog
from ..steering import RESTART
from .faults import Fault, Schedule
from .venue import FaultyVenue


class Operator:
    """A person at the desk's controls: `Controls` asks for what came in at every moment."""

    def __init__(self, schedule: Schedule, symbols: tuple[str, ...], post: BookPost) -> None:
        self._schedule, self._symbols, self._post = schedule, symbols, post
        self._desktop: Desktop | None = None
        self.venue: FaultyVenue | None = None
        self.killed_at: int | None = None
        """The moment at which the kill flag went up."""
        self.asked_at = -1
        """The last moment at which the desk asked what it may do."""

    def attends(self, log: EventLog, run_id: str) -> None:
        """A process of the desk has started: its own operator reads the flag and the inbox for it."""
        self._desktop = Desktop(ControlLog(log, run_id, log.head()[0]), self._post, is_running=False)

    def take(self, controls: Controls, now: datetime) -> None:
        moment = self.asked_at = self.venue.moment if self.venue else -1
        for fault in self._asked_by(moment):
            controls.tighten(self._scope(fault), _asked(fault), "operator", "halt", "a person asked", now)
        if self._desktop is not None:
            self._desktop.take(controls, now)

    def frees(self, controls: Controls, now: datetime) -> bool:
        """A person has looked into a difference with the venue or a start in mid-session, and gives the account free;
        of nothing else."""
        held = controls.standing.in_force.get(ACCOUNT)
        if held is None or held.name not in (DRIFT, RESTART):
            return False
        for name in tuple(controls.standing.unacknowledged):
            controls.acknowledge(name, "a person", "seen", now)
        why = "the venue kept orders past the close; cancel them" if held.name == DRIFT else "looked into it"
        with suppress(RearmRefused):  # what a breaker still holds it does not give free
            controls.rearm(ACCOUNT, "a person", why, now)
        return controls.standing.account is not TradingState.HALTED

    def is_killed(self, moment: int) -> bool:
        """Whether the flag was up by a moment."""
        return self.killed_at is not None and self.killed_at <= moment

    def ordered(self, moment: int, symbol: str) -> TradingState:
        """What was asked for a symbol by a moment."""
        if self.is_killed(moment):
            return TradingState.HALTED
        asked = [_asked(item) for item in self._asked_by(moment) if self._scope(item).name in ("", symbol)]
        return max(asked, key=lambda state: state.severity, default=TradingState.ACTIVE)

    def _asked_by(self, moment: int) -> list[Fault]:
        asked = (*self._schedule.of("operator_halts"), *self._schedule.of("operator_reduces"))
        return [fault for fault in asked if fault.at <= moment]

    def _scope(self, fault: Fault) -> Scope:
        name = self._symbols[fault.which % len(self._symbols)]
        return Scope(kind="instrument", name=name) if fault.which % 2 else ACCOUNT


def _asked(fault: Fault) -> TradingState:
    return TradingState.HALTED if fault.kind == "operator_halts" else TradingState.REDUCING
