"""The protective stops of a recorded session, where the settings ask for them: how an exit is approved at once, and
what a session without a plan is worked under.

An exit is a decision like any other, on an intent: snapshot, gate, log. Only the graph's machinery is left out, so that
nothing it waits for can keep a position from being closed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from ..desk.desk import Desk
from ..domain.canonical import short_id
from ..domain.decisions import Decision, Intent, IntentKind
from ..domain.market import Quote
from ..domain.portfolio import Portfolio
from ..execution.protection import ApproveResting, ExitAsked, ProtectionTerms, first_reached
from ..gate.approval import ApprovedPlan
from ..memory.sent_orders import SentOrders
from .session_walk import SessionWalk
from .steering import Steering

STOP = "protective stop"
RESTING = "to rest at the venue as a protective order"


@dataclass(frozen=True, slots=True)
class StopDay:
    """What a session's exits are decided from: the last close, and the equities it is counted from."""

    previous_session: date
    peak: Decimal
    previous: Decimal


class Stops:
    """The exits of one session; without a stop in the settings there are none."""

    def __init__(self, desk: Desk, steering: Steering, walk: SessionWalk, day: StopDay, sent: SentOrders) -> None:
        self._desk, self._steering, self._walk, self._day, self._sent = desk, steering, walk, day, sent

    @property
    def terms(self) -> ProtectionTerms | None:
        frac = self._desk.settings.stop_loss_frac
        return None if frac is None else ProtectionTerms(frac, self.approve, self._approve_resting)

    @property
    def _approve_resting(self) -> ApproveResting | None:
        return self.approve_resting if self._desk.settings.stop_orders == "resting" else None

    def session_plan(
        self, pending: Decision, portfolio: Portfolio, quotes: Iterable[Quote], closes_at: datetime
    ) -> tuple[Decision, ApprovedPlan] | None:
        """What a session is worked under: the plan; without one the first exit, or where stops rest at the venue,
        an approval of nothing, so that they are followed. None where there is nothing to do."""
        rests = self._approve_resting is not None
        decision = pending if pending.plan is not None or rests else self.first_exit(portfolio, quotes, closes_at)
        if decision is None:
            return None
        approved = self._desk.approved(decision)
        if approved is None and rests and (portfolio.holdings() or self._sent.open):
            approved = self._desk.approved_nothing(decision)
        return None if approved is None else (decision, approved)

    def first_exit(self, portfolio: Portfolio, quotes: Iterable[Quote], closes_at: datetime) -> Decision | None:
        """On a day without a plan: the first exit that its quotes ask for, while one can still be worked."""
        frac = self._desk.settings.stop_loss_frac
        in_time = (quote for quote in quotes if quote.ts_event < closes_at)
        asked = None if frac is None else first_reached(portfolio, frac, in_time)
        if asked is None:
            return None
        decision = self._decide(asked, portfolio)
        return decision if decision.kind == "trade" else None

    def approve(self, asked: ExitAsked, portfolio: Portfolio) -> ApprovedPlan | str:
        # Where the log says that a process died, nothing new is decided.
        self._walk.states(asked.decided_at)
        decision = self._decide(asked, portfolio)
        return self._desk.approved(decision) or decision.summary

    def approve_resting(self, symbols: tuple[str, ...], now: datetime, portfolio: Portfolio) -> ApprovedPlan | str:
        """The orders that would close these positions, to rest at the venue."""
        self._walk.states(now)
        held = [portfolio.quantity(symbol) for symbol in symbols]
        intent_id = short_id("int", self._desk.run_id, now.isoformat(), *symbols, *held, RESTING)
        decision = self._decided(intent_id, symbols, RESTING, now, portfolio)
        return self._desk.approved(decision) or decision.summary

    def _decide(self, asked: ExitAsked, portfolio: Portfolio) -> Decision:
        at, held = asked.decided_at, portfolio.quantity(asked.symbol)
        intent_id = short_id("int", self._desk.run_id, at.isoformat(), asked.symbol, held, STOP)
        return self._decided(intent_id, (asked.symbol,), asked.reason, at, portfolio)

    def _decided(
        self, intent_id: str, symbols: tuple[str, ...], reason: str, at: datetime, portfolio: Portfolio
    ) -> Decision:
        desk, day = self._desk, self._day
        intent = Intent(intent_id=intent_id, kind=IntentKind.FLATTEN, symbols=symbols, by=STOP, reason=reason)
        states = self._steering.controls.standing.restrictions
        snapshot = desk.snapshot(
            day.previous_session,
            portfolio,
            day.peak,
            day.previous,
            states,
            at=at,
            working=self._sent.open,
        )
        return desk.decide_at_once(snapshot, intent)
