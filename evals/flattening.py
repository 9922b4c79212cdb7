"""A flatten inside a recorded session: its decisions are asked of the graph, its sells worked on the session's tape.

Stops that rest at the venue are taken back in step with what it sells: a name's before its first order of an attempt,
and placed anew for what is left of it with the attempt's last quotes. Those of the names that it does not sell stand,
and see every quote of theirs meanwhile.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from ..desk.desk import Desk
from ..domain.canonical import short_id
from ..domain.decisions import Intent, IntentKind
from ..domain.market import Quote
from ..domain.portfolio import Portfolio
from ..domain.trading import TradingStates
from ..execution.controls import Controls
from ..execution.flatten import Attempt, FlattenResult, FlattenTerms, flatten
from ..execution.hours import SessionHours
from ..execution.recorder import Emit
from ..execution.session import SessionResult, work_session
from ..execution.standing import FLATTEN_ENDED, FlattenAsked
from ..execution.watching import Reading
from ..gate.approval import ApprovedPlan
from ..memory.sent_orders import SentOrder, SentOrders, rests
from .chosen_venue import Venues, Work
from .protecting import Protecting, StopDay
from .tape import Tape


@dataclass(frozen=True, slots=True)
class FlattenDay:
    """The session a flatten happens in, and the equities its decisions are given."""

    session: date
    since: datetime
    """The last moment that was worked: what comes after it may be traded on."""
    previous_session: date
    peak: Decimal
    previous: Decimal


class _ReducingWatch:
    """The controls without what ended the plan before: only the restrictions themselves."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls

    def states(self, now: datetime) -> TradingStates:
        self._controls.states(now)
        return self._controls.standing.restrictions

    def observe(self, reading: Reading) -> None:
        self._controls.observe(reading)


class Flattening:
    """One flatten: made for one request in one session."""

    def __init__(
        self,
        desk: Desk,
        controls: Controls,
        asked: FlattenAsked,
        day: FlattenDay,
        names: Collection[str],
        tape: Tape,
        venues: Venues,
        emit: Emit,
        sent: SentOrders,
    ) -> None:
        """Of the tape, only `names` are sold. `sent` follows what `emit` tells: every attempt knows the orders of those
        before it."""
        self._desk, self._controls, self._asked, self._day = desk, controls, asked, day
        self._tape, self._venues, self._emit, self._sent = tape, venues, emit, sent
        self._names, self._limits = frozenset(names), desk.limits
        self.until = day.since
        """The last moment that was worked."""
        stop_day = StopDay(day.previous_session, day.peak, day.previous)
        watch = _ReducingWatch(controls)
        self._protecting = Protecting(desk, controls, watch.states, stop_day, sent, is_flatten=True)

    async def run(self, portfolio: Portfolio, terms: FlattenTerms) -> FlattenResult:
        """Sell, tell how it ended, and let the desk go on; what is restricted stays so until a person frees it."""
        day = self._day
        result = await flatten(
            self._asked.symbols,
            [quote for quote in self._tape.quotes if quote.symbol in self._names],
            day.since,
            portfolio,
            self._approve,
            self._work,
            terms,
            self._asked.keep,
        )
        left = ", ".join(f"{held} {symbol}" for symbol, held in sorted(result.left.items()))
        text = f"{result.outcome} after {result.attempts} attempts" + (
            f": {left} left; {result.reason}" if left else ""
        )
        at = max([day.since, *(fill.ts_event for fill in result.fills)])
        severity = "info" if result.outcome == "flat" else "critical"
        self._controls.notify(severity, FLATTEN_ENDED, text, at)
        return result

    async def _approve(self, attempt: Attempt, portfolio: Portfolio) -> ApprovedPlan | str:
        day, asked = self._day, self._asked
        intent = Intent(
            intent_id=short_id("int", self._desk.run_id, attempt.decided_at.isoformat(), attempt.number, asked.reason),
            kind=IntentKind.REDUCE if attempt.keep_frac else IntentKind.FLATTEN,
            symbols=attempt.symbols,
            keep_frac=attempt.keep_frac,
            by=asked.by,
            reason=asked.reason,
        )
        states = self._controls.standing.restrictions
        snapshot = self._desk.snapshot(
            day.previous_session,
            portfolio,
            day.peak,
            day.previous,
            states,
            at=attempt.decided_at,
            working=self._sent.open,
            tightened=self._controls.standing.tightened,
        )
        decision = await self._desk.decide(snapshot, intent)
        self._limits = self._desk.limits_of(decision)
        return self._desk.approved(decision) or decision.summary

    def _work(
        self, approved: ApprovedPlan, quotes: Sequence[Quote], hours: SessionHours, portfolio: Portfolio
    ) -> SessionResult:
        before = known_on(self._tape, self._sent)
        quotes, hours = self._with_others(quotes, hours)
        self.until = quotes[-1].ts_event
        watch = _ReducingWatch(self._controls)
        terms = self._protecting.terms
        work = Work(approved, self._limits, self._emit, watch, before)
        return work_session(
            approved,
            quotes,
            self._venues.of(hours, self._tape, portfolio, work),
            hours,
            portfolio,
            self._limits,
            self._emit,
            run_id=self._desk.run_id,
            watch=watch,
            before=before,
            on_unexplained=self._controls.on_unexplained,
            protection=terms if terms is not None and terms.resting is not None else None,
        )

    def _with_others(self, quotes: Sequence[Quote], hours: SessionHours) -> tuple[Sequence[Quote], SessionHours]:
        """An attempt's quotes, and up to its last moment those of the names that are not sold."""
        since, until = hours.decided_at, quotes[-1].ts_event
        others = (quote for quote in self._tape.quotes if quote.symbol not in self._names)
        beside = [quote for quote in others if since < quote.ts_event <= until]
        both = sorted([*quotes, *beside], key=lambda quote: quote.ts_event)
        return both, replace(hours, opens_at=both[0].ts_event)


def known_on(tape: Tape, sent: SentOrders) -> tuple[SentOrder, ...]:
    """The orders that a part of a session has to know. What protects a name that its tape lacks stands aside: it is
    neither looked at nor taken back."""
    return tuple(item for item in sent.all if item.child.symbol in tape.liquidity or not _stands(item))


def _stands(sent: SentOrder) -> bool:
    return rests(sent.child) and sent.open_quantity > 0
