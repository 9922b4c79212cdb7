"""One process of the desk from its start to its end or death; what the log says is all it starts from."""

import asyncio
from contextlib import nullcontext
from datetime import datetime
from decimal import Decimal

from ...desk.desk import build_desk, run_started
from ...desk.reflecting import KeptIndex, Reflecting
from ...domain.decisions import Decision
from ...domain.events import (
    Actor,
    BookReconciled,
    DecisionMade,
    NewEvent,
    OrderOpened,
    Payload,
    PlanApproved,
    PortfolioMarked,
    ReflectionWritten,
)
from ...domain.portfolio import Portfolio
from ...domain.trading import ACCOUNT, TradingState
from ...execution.breakers import BREAKERS, DayFacts
from ...execution.controls import Controls
from ...execution.hours import SessionHours
from ...execution.protection import ProtectionTerms
from ...execution.session import work_session
from ...execution.watching import Reading
from ...memory.history import portfolio_at, sent_orders, written_lessons
from ...memory.log import EventLog
from ...memory.sent_orders import SentOrders
from ..protecting import Protecting, StopDay
from ..steering import RESTART
from .disk import FaultyDisk
from .guarded import is_begun, session_events
from .recall import HORIZON_BARS
from .stage import RULES, Stage
from .tools import with_faulty_tools
from .versions import PROGRAM
from .witness import Bench, Records, Violation


class Life:
    """One process of the desk: what the log says is all it starts from."""

    def __init__(self, stage: Stage, disk: FaultyDisk, log: EventLog) -> None:
        self._stage, self._disk, self._log = stage, disk, log
        self._world, self._witness = stage.world, stage.witness
        world, operator = stage.world, stage.operator
        settings, limits = stage.files.load()
        desk = build_desk(settings, limits, world.data, world.plan, log, stage.model, None)
        self._desk = with_faulty_tools(desk, stage.tools, str(stage.versions.checkpoints))
        self._sent = SentOrders()
        self._begin()
        closes = [desk.history.close_time(session) for session in world.sessions]
        self._reflecting = Reflecting(self._desk, closes, HORIZON_BARS)
        self._keeper = KeptIndex(stage.recall_path, log)
        operator.attends(log, desk.run_id)
        self._controls = Controls(desk.run_id, self._record, operator, rules=RULES, breakers=BREAKERS)
        self._witness.records = Records()
        told = [event.decoded() for event in log.read()]
        self._controls.standing.resume(told)
        for payload in told:
            self._witness.records.take(payload)
        self._sent = sent_orders(log)

    def run(self) -> bool:
        """False when it ended before there was nothing left to do, because it was asked to."""
        place = sum(1 for _ in self._log.read(types=(PortfolioMarked,)))
        while place < len(self._world.sessions) - 1:
            self._reflect(place)
            # A session that was begun is worked to its end, halted or not: then its orders are taken back and settled.
            decision = self._recorded(place)
            if decision is None:
                if self._is_halted(place):
                    return True
                if self._stage.watchman.is_asked_to_end:
                    self._check_drained()
                    return False
                decision = self._decide(place)
            if decision is not None:
                place += 1
                self._work(place, decision)
                self._mark(place)
        return True

    def close(self) -> None:
        """The process is over, however it ended."""
        self._keeper.close()

    def _reflect(self, place: int) -> None:
        """The lessons of a close, once, however often the desk is started after it."""
        written = set(written_lessons(self._log)) if self._desk.has_memory else set()
        fresh = [lesson for lesson in self._reflecting.due(place) if lesson not in written]
        now = self._desk.history.close_time(self._world.sessions[place])
        with self._log.batch() if fresh else nullcontext():
            for lesson in fresh:
                self._append("memory", ReflectionWritten(reflection=lesson), now)
        if complaint := self._keeper.keep(fresh):
            self._controls.notify("warning", "memory_index", complaint, now)

    def _begin(self) -> None:
        """The first event, or a walk over the recorded one: another version, settings or limits make another."""
        desk, world, head = self._desk, self._world, self._log.head()[0]
        started = run_started(desk.settings, desk.limits, world.data, world.plan)
        if self._stage.versions.wrong == PROGRAM:
            started = started.model_copy(update={"parley_version": "0.0.1"})
        if head:
            self._log.rewind(0)
        self._append("run", started, desk.history.close_time(world.sessions[0]))
        if head:
            self._log.rewind(head)

    def _is_halted(self, place: int) -> bool:
        """Whether the account may open no session, and no person frees it; what waits outside is taken in first."""
        now = self._desk.history.close_time(self._world.sessions[place])
        self._controls.states(now)
        if self._controls.standing.account is not TradingState.HALTED:
            return False
        told = [event.decoded() for event in self._log.read(types=(BookReconciled,))]
        differences = (item for payload in told if isinstance(payload, BookReconciled) for item in payload.differences)
        subjects = {item.subject for item in differences if not item.explained}
        return not self._stage.frees(self._controls, subjects, now)

    def _check_drained(self) -> None:
        """Who was asked to end in order leaves nothing at the venue, and nothing without an outcome."""
        names = [sent.child.client_order_id for sent in sent_orders(self._log).open]
        names += [order.client_order_id for order in self._stage.exchange.open_orders()]
        self._witness.violations += [Violation("I7", f"asked to end, and left {name} open") for name in names]

    def _recorded(self, place: int) -> Decision | None:
        """The decision at a session's close that the log holds."""
        session = self._world.sessions[place]
        for event in self._log.read(types=(DecisionMade,)):
            made = event.decoded()
            if isinstance(made, DecisionMade) and made.decision.snapshot.session == session:
                return made.decision
        return None

    def _decide(self, place: int) -> Decision | None:
        """A decision at a session's close; None when the desk had to stop meanwhile."""
        portfolio, peak, equity, previous = self._book()
        snapshot = self._desk.snapshot(
            self._world.sessions[place],
            portfolio,
            peak,
            previous if place else equity,
            self._controls.standing.restrictions,
            working=sent_orders(self._log).open,
        )
        decision = asyncio.run(self._stage.watchman.guard(self._desk.decide(snapshot)))
        if decision is None:
            return None
        for event in self._log.read(decision_id=decision.decision_id):
            self._stage.recorded(event.decoded())
        return decision

    def _book(self) -> tuple[Portfolio, Decimal, Decimal, Decimal]:
        """Portfolio, peak, equity and the equity before it, as of the last close that was marked."""
        marks = list(self._log.read(types=(PortfolioMarked,)))
        cash = self._world.settings.cash
        if not marks:
            return Portfolio(cash=cash), cash, cash, cash
        last = PortfolioMarked.model_validate(marks[-1].payload)
        before = PortfolioMarked.model_validate(marks[-2].payload).equity if len(marks) > 1 else cash
        return portfolio_at(self._log, marks[-1].seq), last.peak_equity, last.equity, before

    def _work(self, place: int, decision: Decision) -> None:
        desk, world = self._desk, self._world
        session = world.sessions[place]
        hours = SessionHours(decision.as_of, desk.history.opening_time(session), desk.history.close_time(session))
        feed = self._stage.session_opens(place, desk, hours)
        approved = desk.approved(decision)
        if approved is None and world.rests and (decision.snapshot.portfolio.holdings() or self._sent.open):
            approved = desk.approved_nothing(decision)
        if approved is not None:
            terms = approved.terms
            _, peak, equity, _ = self._book()
            self._open_day(hours.opens_at, terms.portfolio, equity, peak)
            start = self._stage.starts_at(feed)
            resume = session_events(self._log, decision.decision_id, rests=world.rests)
            if world.rests and is_begun(resume):
                self._halt_restarted(max(resume[-1].event_time, hours.opens_at))
                # As a walk through the log does: a moment that it asked about is not worked twice.
                start = max(start, self._stage.operator.asked_at + 1)
            loss_limit = self._stage.loss_limit()
            self._witness.bench = Bench(
                terms,
                desk.limits_of(decision),
                (desk.settings.hash(), desk.limits.hash()),
                feed,
                decision.as_of,
                start,
                equity,
                loss_limit,
                lambda: self._disk.is_open_transaction,
            )
            self._stage.probe()
            self._stage.bareness.begins()
            work_session(
                approved,
                feed.since(start),
                self._stage.venue,
                hours,
                terms.portfolio,
                desk.limits_of(decision),
                self._emit,
                run_id=desk.run_id,
                watch=self._controls,
                resume=resume,
                before=sent_orders(self._log).all,
                on_unexplained=self._controls.on_unexplained,
                protection=self._protection(decision, peak, equity),
            )
            self._stage.worked.add(place)
        self._stage.session_closes(hours.closes_at)
        self._controls.standing.end_session()

    def _protection(self, decision: Decision, peak: Decimal, equity: Decimal) -> ProtectionTerms | None:
        """The stops of a session, where the settings have any."""
        day = StopDay(decision.snapshot.session, peak, equity)
        return Protecting(self._desk, self._controls, self._controls.states, day, self._sent).terms

    def _halt_restarted(self, now: datetime) -> None:
        """As live, a process that died in a session is followed by one that sends nothing but stops."""
        reason = "the process ended in mid-session and was started again"
        self._controls.tighten(ACCOUNT, TradingState.HALTED, RESTART, RESTART, reason, now)

    def _open_day(self, now: datetime, portfolio: Portfolio, equity: Decimal, peak: Decimal) -> None:
        """The facts of the day for the breakers; nothing has been sent yet as far as they know."""
        weights = {
            item.symbol: self._desk.limits.max_instrument_weight.of(item.asset_class)
            for item in self._world.data.universe.instruments
        }
        facts = DayFacts(float(equity), float(peak), weights)
        self._controls.begin_day(facts, Reading(now, equity, {}, 0, 0, 0, 0, None, None, None))

    def _mark(self, place: int) -> None:
        portfolio = portfolio_at(self._log, self._log.head()[0])
        _, peak, equity, _ = self._book()
        session = self._world.sessions[place]
        snapshot = self._desk.snapshot(session, portfolio, peak, equity)
        held = portfolio.holdings()
        values = [float(snapshot.prices[symbol] * quantity) for symbol, quantity in held.items()]
        marked = PortfolioMarked(
            session=session,
            equity=snapshot.equity,
            peak_equity=snapshot.peak_equity,
            cash=portfolio.cash,
            gross=sum(map(abs, values)) / float(snapshot.equity),
            net=sum(values) / float(snapshot.equity),
            prices={symbol: snapshot.prices[symbol] for symbol in held},
            benchmark=None,
            traded=Decimal(0),
            fees=Decimal(0),
        )
        self._append("book", marked, self._desk.history.close_time(session))

    def _emit(self, event: NewEvent) -> None:
        self._log.append([event])
        self._sent.fold(event.payload)
        self._stage.recorded(event.payload)
        bench = self._witness.bench
        if isinstance(event.payload, OrderOpened) and bench is not None and event.order_id not in bench.terms.legs:
            self._admit(bench, event.decision_id)

    def _admit(self, bench: Bench, decision_id: str | None) -> None:
        """What was approved while the session runs stands in the log before it is opened: an exit, or a stop that
        rests."""
        for event in self._log.read(types=(PlanApproved,), decision_id=decision_id):
            approved = event.decoded()
            self._stage.recorded(approved)
            if isinstance(approved, PlanApproved):
                bench.beside |= {leg.order_id: leg.quantity for leg in approved.plan.legs}

    def _record(self, payload: Payload, now: datetime, *, outside: bool) -> None:
        self._append("controls", payload, now)

    def _append(self, stream: str, payload: Payload, at: datetime) -> None:
        actor = Actor(kind="desk", name="laboratory")
        self._emit(NewEvent(stream=stream, event_time=at, actor=actor, payload=payload, run_id=self._desk.run_id))
