"""The protective stops of a recorded session, where the settings ask for them: how an exit is approved at once.

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
from ..execution.protection import ExitAsked, ProtectionTerms, first_reached
from ..gate.approval import ApprovedPlan
from ..memory.sent_orders import SentOrders
from .session_walk import SessionWalk
from .steering import Steering

STOP = "protective stop"


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
        return None if frac is None else ProtectionTerms(frac, self.approve)

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

    def _decide(self, asked: ExitAsked, portfolio: Portfolio) -> Decision:
        desk, day, held = self._desk, self._day, portfolio.quantity(asked.symbol)
        intent = Intent(
            intent_id=short_id("int", desk.run_id, asked.decided_at.isoformat(), asked.symbol, held, STOP),
            kind=IntentKind.FLATTEN,
            symbols=(asked.symbol,),
            by=STOP,
            reason=asked.reason,
        )
        states = self._steering.controls.standing.restrictions
        snapshot = desk.snapshot(
            day.previous_session,
            portfolio,
            day.peak,
            day.previous,
            states,
            at=asked.decided_at,
            working=self._sent.open,
        )
        return desk.decide_at_once(snapshot, intent)
