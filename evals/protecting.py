"""The protective stops of a recorded session, where the settings ask for them: how an exit is approved at once, and
what a session without a plan is worked under.

An exit is a decision like any other, on an intent: snapshot, gate, log. Only the graph's machinery is left out, so that
nothing it waits for can keep a position from being closed.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from ..desk.desk import Desk
from ..domain.canonical import short_id
from ..domain.decisions import Decision, Intent, IntentKind
from ..domain.events import DecisionMade, PortfolioMarked
from ..domain.market import Quote
from ..domain.portfolio import Portfolio
from ..domain.trading import TradingState, TradingStates
from ..execution.controls import Controls
from ..execution.flatten_requests import FlattenAsked
from ..execution.protection import ExitAsked, ProtectionTerms, RestingDesk, first_reached
from ..execution.standing import UNPROTECTED
from ..gate.approval import ApprovedPlan
from ..memory.sent_orders import SentOrders
from ..memory.sent_orders import rests as is_protective
from .session_walk import SessionWalk
from .steering import Steering

STOP = "protective stop"
RESTING = "to rest at the venue as a protective order"
FOR_NIGHT = "to rest at the venue over night as a protective order"
KEPT = "to be kept, with its stop at the venue, for the rest of the session"


@dataclass(frozen=True, slots=True)
class StopDay:
    """What a session's exits are decided from: the last close, and the equities it is counted from."""

    previous_session: date
    peak: Decimal
    previous: Decimal


class Protecting:
    """How the stops of one session are decided, and what holds them up: the session's desk at rest."""

    def __init__(
        self,
        desk: Desk,
        controls: Controls,
        ask: Callable[[datetime], TradingStates],
        day: StopDay,
        sent: SentOrders,
        *,
        worked: FlattenAsked | None = None,
    ) -> None:
        """`ask` says what the session may do; where the log says that a process died, it decides nothing new. `worked`
        is what a flatten's own session sells."""
        self._desk, self._controls, self._ask, self._day, self._sent = desk, controls, ask, day, sent
        self._worked = worked

    @property
    def terms(self) -> ProtectionTerms | None:
        frac = self._desk.settings.stop_loss_frac
        resting: RestingDesk | None = self if self._desk.settings.stop_orders == "resting" else None
        return None if frac is None else ProtectionTerms(frac, self.approve, resting, cut_off=self._cut_off)

    @property
    def _cut_off(self) -> frozenset[str]:
        """Names of which a stop began an exit in this session: what is left of one was cut off, by a flatten of other
        names or the end of the process."""
        marked = self._desk.log.last(PortfolioMarked)
        since = self._desk.log.read(marked.seq if marked is not None else 0, types=(DecisionMade,))
        decisions = (payload.decision for event in since if isinstance(payload := event.decoded(), DecisionMade))
        return frozenset(symbol for decision in decisions for symbol in _exited(decision))

    @property
    def barred(self) -> str:
        return self._controls.standing.bars_stops

    @property
    def waived(self) -> Collection[str]:
        return self._controls.standing.waived

    @property
    def clears_last(self) -> bool:
        return self._worked is not None or self._desk.settings.as_live

    @property
    def hands_over(self) -> bool:
        """A flatten works what is left of the session, and takes stops back in step with what it sells; one in hand
        does so anew where more was asked meanwhile."""
        asked = self._controls.standing.flatten
        return asked is not None and (self._worked is None or not asked.sells_as(self._worked))

    def warn(self, text: str, now: datetime, *, is_passing: bool) -> None:
        self._controls.notify("warning" if is_passing else "critical", UNPROTECTED, text, now)

    def approve(self, asked: ExitAsked, portfolio: Portfolio) -> ApprovedPlan | str:
        self._ask(asked.decided_at)
        decision = self.decide(asked, portfolio)
        return self._desk.approved(decision) or decision.summary

    def approve_resting(
        self, symbols: tuple[str, ...], now: datetime, portfolio: Portfolio, *, for_night: bool
    ) -> ApprovedPlan | str:
        """The orders that would close these positions, to rest at the venue. Where anything is halted the gate has to
        know that they do nothing else."""
        states = self._ask(now)
        is_halted = any(state is TradingState.HALTED for _, state in states.restricted)
        held = [portfolio.quantity(symbol) for symbol in symbols]
        reason = FOR_NIGHT if for_night else RESTING
        intent_id = short_id("int", self._desk.run_id, now.isoformat(), *symbols, *held, reason)
        kind = IntentKind.PROTECT if is_halted else IntentKind.FLATTEN
        decision = self._decided(intent_id, kind, symbols, reason, now, portfolio)
        return self._desk.approved(decision) or decision.summary

    def closed_at(self, now: datetime) -> datetime:
        history = self._desk.history
        return history.close_time(history.session_at(now))

    def keep(self, symbols: tuple[str, ...], portfolio: Portfolio, at: datetime) -> Decision:
        """To sell nothing more of these positions: what their stops are followed under for the rest of a session."""
        intent_id = short_id("int", self._desk.run_id, at.isoformat(), *symbols, KEPT)
        return self._decided(intent_id, IntentKind.REDUCE, symbols, KEPT, at, portfolio, keep_frac=1.0)

    def decide(self, asked: ExitAsked, portfolio: Portfolio) -> Decision:
        at, held = asked.decided_at, portfolio.quantity(asked.symbol)
        intent_id = short_id("int", self._desk.run_id, at.isoformat(), asked.symbol, held, STOP)
        return self._decided(intent_id, IntentKind.FLATTEN, (asked.symbol,), asked.reason, at, portfolio)

    def _decided(
        self,
        intent_id: str,
        kind: IntentKind,
        symbols: tuple[str, ...],
        reason: str,
        at: datetime,
        portfolio: Portfolio,
        keep_frac: float = 0.0,
    ) -> Decision:
        desk, day = self._desk, self._day
        intent = Intent(intent_id=intent_id, kind=kind, symbols=symbols, keep_frac=keep_frac, by=STOP, reason=reason)
        states = self._controls.standing.restrictions
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


class Stops:
    """The exits of one session; without a stop in the settings there are none."""

    def __init__(self, desk: Desk, steering: Steering, walk: SessionWalk, day: StopDay, sent: SentOrders) -> None:
        self._desk, self._steering, self._walk, self._day, self._sent = desk, steering, walk, day, sent

    @property
    def terms(self) -> ProtectionTerms | None:
        return self._protecting.terms

    @property
    def _protecting(self) -> Protecting:
        return Protecting(self._desk, self._steering.controls, self._walk.states, self._day, self._sent)

    def session_plan(
        self, pending: Decision, portfolio: Portfolio, quotes: Iterable[Quote], closes_at: datetime
    ) -> tuple[Decision, ApprovedPlan] | None:
        """What a session is worked under: the plan; without one the first exit, or where stops rest at the venue,
        an approval of nothing, so that they are followed. None where there is nothing to do."""
        rests = self._desk.settings.stop_orders == "resting"
        if rests:
            self._steering.operator.protective = self._standing
        decision = pending if pending.plan is not None or rests else self.first_exit(portfolio, quotes, closes_at)
        if decision is None:
            return None
        approved = self._desk.approved(decision)
        if approved is None and rests and (portfolio.holdings() or self._sent.open):
            approved = self._desk.approved_nothing(decision)
        return None if approved is None else (decision, approved)

    def rest_plan(
        self, symbols: Collection[str], portfolio: Portfolio, at: datetime, quotes: Iterable[Quote], closes_at: datetime
    ) -> tuple[Decision, ApprovedPlan] | None:
        """What the rest of a session is worked under once a flatten is over: nothing is sold but what a stop closes.
        None where no stop rests at the venue, and its quotes reach none."""
        if self._desk.settings.stop_orders != "resting" and self._reached(portfolio, quotes, closes_at) is None:
            return None
        decision = self._protecting.keep(tuple(sorted(symbols)), portfolio, at)
        return decision, self._desk.approved_nothing(decision)

    def _standing(self) -> dict[str, tuple[str, int]]:
        """The protective orders at the venue: name and shares, by order id."""
        found = (sent for sent in self._sent.open if is_protective(sent.child))
        return {sent.child.order_id: (sent.child.symbol, sent.open_quantity) for sent in found}

    def first_exit(self, portfolio: Portfolio, quotes: Iterable[Quote], closes_at: datetime) -> Decision | None:
        """On a day without a plan: the first exit that its quotes ask for, while one can still be worked."""
        asked = self._reached(portfolio, quotes, closes_at)
        if asked is None:
            return None
        decision = self._protecting.decide(asked, portfolio)
        return decision if decision.kind == "trade" else None

    def _reached(self, portfolio: Portfolio, quotes: Iterable[Quote], closes_at: datetime) -> ExitAsked | None:
        """The first exit that quotes ask for in time."""
        terms = self.terms
        in_time = (quote for quote in quotes if quote.ts_event < closes_at)
        return None if terms is None else first_reached(portfolio, terms, in_time)


def _exited(decision: Decision) -> tuple[str, ...]:
    """The name of which a stop began an exit by this decision, if it did."""
    intent = decision.intent
    is_exit = (
        intent is not None
        and intent.by == STOP
        and intent.kind is IntentKind.FLATTEN
        and intent.reason not in (RESTING, FOR_NIGHT)
    )
    return intent.symbols if intent is not None and is_exit and decision.kind == "trade" else ()
