"""What the desk is put on: one world's market, venue, model and operator, which go on when the desk dies."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from ...desk.desk import Desk
from ...domain.trading import ACCOUNT, Scope, TradingState
from ...execution.breaker_rules import BreakerRules, Rule
from ...execution.controls import Controls
from ...execution.hours import SessionHours
from ...storage.errors import StoreLocked
from ...storage.sql import open_sqlite
from .disk import DiskCounters
from .exchange import Exchange
from .faults import MOMENTS, Fault, Schedule
from .feed import SessionFeed, session_feed
from .model import FaultyModel
from .venue import FaultyVenue
from .witness import DoorWitness, Violation
from .world import World, market_day

RULES = BreakerRules(slippage=Rule(trip=500.0, rearm=250.0, action="reduce"))
"""As the desk's own, save for slippage: in a market this thin it would end most first sessions by itself."""

LYING_QUOTES = ("feed_", "clock_", "symbol_", "disconnects")
"""Faults after which the desk can't know its loss."""


class Operator:
    """A person at the desk's controls: `Controls` asks for what came in at every moment."""

    def __init__(self, schedule: Schedule, symbols: tuple[str, ...]) -> None:
        self._schedule, self._symbols = schedule, symbols
        self.venue: FaultyVenue | None = None

    def take(self, controls: Controls, now: datetime) -> None:
        moment = self.venue.moment if self.venue else -1
        for fault in (*self._schedule.of("operator_halts"), *self._schedule.of("operator_reduces")):
            if fault.at <= moment:
                controls.tighten(self._scope(fault), _asked(fault), "operator", "halt", "a person asked", now)

    def ordered(self, moment: int, symbol: str) -> TradingState:
        """What was asked for a symbol by a moment."""
        asked = [
            _asked(fault)
            for fault in (*self._schedule.of("operator_halts"), *self._schedule.of("operator_reduces"))
            if fault.at <= moment and self._scope(fault).name in ("", symbol)
        ]
        return max(asked, key=lambda state: state.severity, default=TradingState.ACTIVE)

    def _scope(self, fault: Fault) -> Scope:
        name = self._symbols[fault.which % len(self._symbols)]
        return Scope(kind="instrument", name=name) if fault.which % 2 else ACCOUNT


class Stage:
    """Everything that is not the desk."""

    def __init__(self, world: World, faults: Iterable[Fault], path: Path) -> None:
        self.world, self.schedule, self.path = world, Schedule(faults), path
        self.operator = Operator(self.schedule, world.symbols)
        self.exchange = Exchange(world.settings.cash)
        self.witness = DoorWitness(self.exchange, self.operator.ordered)
        self.venue = FaultyVenue(self.schedule, self.exchange, self.witness)
        self.model, self.counters = FaultyModel(self.schedule), DiskCounters()
        self.operator.venue = self.venue
        self.witness.told_busts = self.venue.told_busts
        self.worked: set[int] = set()
        """Places of the sessions that a plan was worked in, to their end."""
        self._place = 0
        self._feed: SessionFeed | None = None
        self._probed: set[int] = set()

    def session_opens(self, place: int, desk: Desk, hours: SessionHours) -> SessionFeed:
        """The market of a session, opened once however often the desk is started in it."""
        if self._place == place and self._feed is not None:
            return self._feed
        quotes, liquidity = market_day(self.world, desk, place)
        first = (place - 1) * MOMENTS
        differs = self.schedule.at("positions_differ", place - 1)
        if differs:
            self.exchange.held[self.world.symbols[differs.which % len(self.world.symbols)]] += differs.size
        self._place, self._feed = place, session_feed(self.schedule, quotes, self.world.symbols, first)
        self.exchange.open(hours, liquidity, desk.limits.max_participation_frac)
        self.venue.begin(self._feed)
        return self._feed

    def starts_at(self, feed: SessionFeed) -> int:
        """The moment from which on the desk is there: late by a slow model, or after it was away."""
        slow = self.schedule.at("model_slow", self._place - 1)
        return max(self.venue.moment, feed.first + (slow.size if slow else 0), self.venue.away_until)

    def session_closes(self, at: datetime) -> None:
        self.venue.advance((self._place - 1) * MOMENTS + MOMENTS - 1)
        self.exchange.end(at)
        self.exchange.settle()

    def probe(self) -> None:
        """A second process on the same book has to be turned away."""
        fault = self.schedule.during("second_instance", self.venue.moment)
        if fault and fault.at not in self._probed:
            self._probed.add(fault.at)
            try:
                open_sqlite(self.path).close()
            except StoreLocked:
                return
            self.witness.violations.append(Violation("I2", "a second process could open the log for writing"))

    def loss_limit(self) -> Decimal | None:
        """The daily loss breaker's level, where the desk can be held to it: its quotes show the truth."""
        if any(fault.kind.startswith(LYING_QUOTES) for fault in self.schedule.faults):
            return None
        return Decimal(repr(RULES.daily_loss.trip))


def _asked(fault: Fault) -> TradingState:
    return TradingState.HALTED if fault.kind == "operator_halts" else TradingState.REDUCING
