"""What the desk is put on: one world's market, venue, model, files and operator, which go on when the desk dies."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from ...agents.llm.port import ChatModel
from ...desk.book import RECALL
from ...desk.desk import Desk
from ...desk.operator import book_post
from ...desk.watchman import Watchman
from ...domain.events import Payload
from ...execution.breaker_rules import BreakerRules, Rule
from ...execution.controls import Controls
from ...execution.hours import SessionHours
from ...storage.errors import StoreLocked
from ...storage.flag import FlagNote
from ...storage.sql import open_sqlite
from .bareness import BareWitness
from .disk import DiskCounters
from .exchange import Exchange
from .faults import MOMENTS, Crash, Fault, Schedule
from .feed import SessionFeed, session_feed
from .files import ConfigFiles, due_change
from .model import FaultyModel
from .people import Operator
from .recall import RECALL_KINDS, damage
from .tools import ToolFaults
from .venue import FaultyVenue
from .versions import LOG_KINDS, PROGRAM, OtherVersion
from .witness import DoorWitness, Violation
from .world import World, market_day

RULES = BreakerRules(slippage=Rule(trip=500.0, rearm=250.0, action="reduce"))
"""As the desk's own, save for slippage: in a market this thin it would end most first sessions by itself."""

LYING_QUOTES = ("feed_", "clock_", "symbol_", "disconnects")
"""Faults after which the desk can't know its loss."""
KILL = FlagNote("a person", "smoke in the room", "")


class Stage:
    """Everything that is not the desk."""

    def __init__(self, world: World, faults: Iterable[Fault], path: Path) -> None:
        self.world, self.schedule, self.path = world, Schedule(faults), path
        self.post = book_post(path.parent)
        self.operator = Operator(self.schedule, world.symbols, self.post)
        self.exchange = Exchange(world.settings.cash)
        self.witness = DoorWitness(self.exchange, self.operator.ordered, self.operator.is_killed)
        self.bareness = BareWitness(self.exchange, self.witness)
        self.venue = FaultyVenue(self.schedule, self.exchange, self.witness)
        self.venue.at_moment = self._at_moment
        self.model: ChatModel = FaultyModel(self.schedule, self._in_call)
        self.counters = DiskCounters(path)
        self.files, self.versions = ConfigFiles(path.parent, world.settings_text), OtherVersion(path.parent, path)
        self.tools = ToolFaults(self.schedule)
        self.operator.venue = self.venue
        self.witness.told_busts = self.venue.told_busts
        self.watchman = Watchman(self.post.flag, self.post.heartbeat)
        """The one of the process that runs now."""
        self.recall_path = path.parent / RECALL
        self.worked: set[int] = set()
        """Places of the sessions that a plan was worked in, to their end."""
        self._place = 0
        self._feed: SessionFeed | None = None
        self._probed: set[int] = set()
        self._met: set[Fault] = set()
        self._dies_at: int | None = None
        self._visitor: Fault | None = None
        self._blocked_starts = 0

    def starts(self) -> str:
        """A process is about to start; why it has to refuse to, if it has to."""
        self.watchman = Watchman(self.post.flag, self.post.heartbeat)
        self.bareness.ends()
        if self._visitor is not None:
            if self._visitor.kind in RECALL_KINDS:
                damage(self.recall_path, self._visitor)
            else:
                self.versions.visit(self._visitor)
            self._visitor = None
        self.counters.is_blocked = self._blocked_starts > 0
        self._blocked_starts = max(self._blocked_starts - 1, 0)
        # A settings file that was cut off may still say the same, or something else that can be read.
        return self.versions.wrong or ("" if self.files.wrong == "settings_cut" else self.files.wrong)

    def recorded(self, payload: Payload) -> None:
        """One more fact is durable in the log."""
        self.witness.recorded(payload)
        self.bareness.take(payload)

    def refused(self) -> None:
        """A start ended in a typed error: a person reads it and does what it says."""
        if self.versions.wrong and not self.versions.is_untouched():
            self.witness.violations.append(Violation("I5", f"a start over {self.versions.wrong} changed the log"))
        if not self.counters.is_blocked:
            self.versions.leave()
            self.files.put_back()

    def session_opens(self, place: int, desk: Desk, hours: SessionHours) -> SessionFeed:
        """The market of a session, opened once however often the desk is started in it."""
        if self._place == place and self._feed is not None:
            return self._feed
        quotes, liquidity = market_day(self.world, desk, place)
        first = (place - 1) * MOMENTS
        differs, outlives = (self.schedule.at(kind, place - 1) for kind in ("positions_differ", "order_outlives"))
        if differs:
            self.exchange.held[self.world.symbols[differs.which % len(self.world.symbols)]] += differs.size
        self._place, self._feed = place, session_feed(self.schedule, quotes, self.world.symbols, first)
        lost, traded = (self.schedule.at(kind, place - 1) for kind in ("stops_lost", "stops_traded"))
        if lost:
            self.exchange.lose_stops()
        self.exchange.open(hours, liquidity, desk.limits.max_participation_frac, traded.size if traded else 0)
        self.bareness.session()
        self.exchange.keeps = outlives.which if outlives else None
        self.venue.begin(self._feed)
        return self._feed

    def starts_at(self, feed: SessionFeed) -> int:
        """The moment from which on the desk is there: late by a slow model or tool, or after it was away."""
        slow = [self.schedule.at(kind, self._place - 1) for kind in ("model_slow", "tool_slow")]
        late = max((fault.size for fault in slow if fault), default=0)
        return max(self.venue.moment, feed.first + late, self.venue.away_until)

    def session_closes(self, at: datetime) -> None:
        self.bareness.ends()
        self.venue.advance((self._place - 1) * MOMENTS + MOMENTS - 1)
        if self.world.rests and self._feed is not None:
            self.bareness.at_close(self._feed.truth[-1])
        self.exchange.end(at)
        self.exchange.settle()

    def frees(self, controls: Controls, subjects: set[str], now: datetime) -> bool:
        """Whether a person frees the halted account: all that differs is orders of plans that are over, or nothing
        does and a process died in a session."""
        left = {order.client_order_id for order in self.exchange.left.open_orders()}
        is_understood = subjects <= left if left else self.world.rests and not subjects
        return is_understood and self.operator.frees(controls, now)

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

    def _at_moment(self, moment: int) -> None:
        if self.world.rests and self._feed is not None:
            self.bareness.at_moment(moment, self._feed.truth[moment - self._feed.first])
        for kind in ("asked_to_end", "kill_in_session", PROGRAM, *LOG_KINDS, *RECALL_KINDS):
            self._meet(self.schedule.at(kind, moment))
        change = due_change(self.schedule, moment)
        if change is not None and change not in self._met:
            self._met.add(change)
            self.files.change(change)
            self._dies_at = moment + change.size
        if self._dies_at is not None and moment >= self._dies_at:
            self._dies_at = None
            raise Crash

    def _meet(self, fault: Fault | None) -> None:
        if fault is None or fault in self._met:
            return
        self._met.add(fault)
        if fault.kind == "asked_to_end":
            self.watchman.is_asked_to_end = True
        elif fault.kind == "kill_in_session":
            self._kill(fault)
        else:
            self._visitor = fault
            raise Crash

    def _in_call(self, fault: Fault) -> None:
        """What happens while the model is asked."""
        if fault.kind == "asked_in_model":
            self.watchman.is_asked_to_end = True
        elif fault.kind == "kill_in_model":
            self._kill(fault)
        else:
            self._visitor = fault
            raise Crash

    def _kill(self, fault: Fault) -> None:
        """A person raises the flag; from now on, and for some starts, the log takes nothing."""
        self.post.flag.hoist(KILL)
        self.operator.killed_at = self.venue.moment
        self.counters.is_blocked, self._blocked_starts = True, fault.size
