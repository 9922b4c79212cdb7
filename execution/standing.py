"""Where the desk's restrictions, requests and notifications stand: a fold of the control facts in the log."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from pydantic import JsonValue

from ..domain.approval_events import ApprovalAnswered, ApprovalAsked
from ..domain.control_events import (
    BookReconciled,
    IncidentRecorded,
    NotificationAcknowledged,
    NotificationRaised,
    OperatorAsked,
    TradingStateChanged,
)
from ..domain.events import Payload
from ..domain.trading import ACCOUNT, UNRESTRICTED, Cause, Scope, TradingState, TradingStates
from ..gate.tightening import merged, read_tightened
from .approvals import Approvals
from .breaker_rules import BreakerRules
from .breakers import rule_of
from .flatten_requests import FlattenAsked, FlattenLine, is_end
from .restrictions import FROM_OUTSIDE, RESUME, UNTOUCHED, Causes, causes_after, deciding, is_further_cause

BACK = "back: "
UNPROTECTED = "unprotected"
"""Of a notification: a position has no stop. In a request: the shares, by name, that it leaves without one."""


class Standing:
    """What is in force now."""

    def __init__(self, rules: BreakerRules) -> None:
        self._rules = rules
        self._cancelled: frozenset[str] = frozenset()
        self.waived: frozenset[str] = frozenset()
        """Names whose protective order a person has taken back in this session."""
        self.restrictions: TradingStates = UNRESTRICTED
        self.in_force: dict[Scope, TradingStateChanged] = {}
        """Why each restricted scope is: the cause that decides."""
        self.causes: dict[Scope, Causes] = {}
        """All that restricts each of them."""
        self.unacknowledged: dict[str, NotificationRaised] = {}
        self.asked: set[str] = set()
        """Ids of the operator's requests that were taken in."""
        self.alerted: set[str] = set()
        self.unexplained = 0
        self.incidents = self.bundled = 0
        """Halts and flattens so far, and for how many of them there is a bundle."""
        self.last_incident = ""
        self.flattens = FlattenLine()
        """The requests to sell that stand."""
        self.tightened: dict[str, float] = {}
        """Limits that people made tighter, by name; nobody makes one looser again while the run lasts."""
        self.planned_under: Mapping[str, float] | None = None
        """Those that the plan in hand was approved under; None while there is none."""
        self.approvals = Approvals()
        self.awaiting: Mapping[str, ApprovalAsked] = self.approvals.awaiting
        """Plans that wait for a person, by their decision's id."""

    @property
    def account(self) -> TradingState:
        return self.restrictions.of()

    @property
    def flatten(self) -> FlattenAsked | None:
        """What is to be sold in this session, whoever asked for it; None where nothing is."""
        return self.flattens.joined

    @property
    def in_session(self) -> TradingStates:
        """The restrictions, and what only ends the plan in hand: cancelled orders, a flatten that waits, and limits
        that are tighter than when it was approved, under which it may only take risk off."""
        states = self.restrictions
        if self.planned_under not in (None, self.tightened) and states.of() is TradingState.ACTIVE:
            states = states.with_state(ACCOUNT, TradingState.REDUCING)
        if self.flattens.due:
            states = states.with_state(ACCOUNT, TradingState.HALTED)
        for symbol in sorted(self._cancelled):
            states = states.with_state(Scope(kind="instrument", name=symbol), TradingState.HALTED)
        return states

    @property
    def waits_for(self) -> TradingStateChanged | None:
        """The halt from outside that only a person ends, if one is in force."""
        halts = (item for item in self.causes.get(ACCOUNT, ()) if item.after is TradingState.HALTED)
        asked = tuple(item for item in halts if item.cause in FROM_OUTSIDE)
        return deciding(asked) if asked else None

    @property
    def all_causes(self) -> Causes:
        """Every cause of every restriction, by scope, the deciding one of each first."""
        found = [
            (self.in_force[scope], *(item for item in causes if item is not self.in_force[scope]))
            for scope, causes in sorted(self.causes.items(), key=lambda pair: str(pair[0]))
        ]
        return tuple(item for causes in found for item in causes)

    @property
    def bars_stops(self) -> str:
        """Why not even a protective order may be sent; an empty text where one may."""
        held = self.in_force.get(ACCOUNT)
        if held is None or held.after is not TradingState.HALTED or held.cause not in UNTOUCHED:
            return ""
        return f"nothing at all is sent while the account is HALTED for {held.cause} ({held.reason})"

    def of_scope(self, scope: Scope) -> TradingState:
        """The state of exactly this scope, whatever holds for what it is part of."""
        held = self.in_force.get(scope)
        return held.after if held else TradingState.ACTIVE

    def is_worsened_by(self, scope: Scope, state: TradingState, cause: Cause, name: str) -> bool:
        """Whether a restriction adds to what is in force: a graver state, something to be sold, or a cause that has to
        be known of."""
        before, causes = self.of_scope(scope), self.causes.get(scope, ())
        if state.severity > before.severity:
            return True
        if before is TradingState.REDUCING and self._sells(cause, name):
            return all((item.cause, item.name) != (cause, name) for item in causes)
        return bool(causes) and is_further_cause(causes, state, cause)

    def refusal_of(self, answer: str, decision_id: str, plan_hash: str, now: datetime) -> str:
        """Why an answer to a plan that waits does not count; an empty text where it does. A no always may be said."""
        refusal = self.approvals.refusal(decision_id, plan_hash, now)
        if refusal or answer != "approved":
            return refusal
        if self.account is TradingState.HALTED:
            return "the account is HALTED: nothing is approved before it is given free"
        if self.approvals.is_under_other_limits(decision_id, self.tightened):
            return "limits were made tighter since it was decided: the next decision is made under them"
        return ""

    def end_session(self) -> None:
        """Orders that were cancelled one by one may be sent again by the next plan, stops be placed anew, and what the
        session had no time to sell is due again."""
        self._cancelled = self.waived = frozenset()
        self.flattens = self.flattens.in_next_session()

    def resume(self, payloads: Iterable[Payload]) -> None:
        """Where the log says the desk stood between two sessions."""
        for payload in payloads:
            self.fold(payload)
        self.end_session()

    def fold(self, payload: Payload) -> None:
        """One control fact; anything else changes nothing."""
        match payload:
            case TradingStateChanged():
                self._fold_state(payload)
            case NotificationRaised():
                self._fold_notification(payload)
            case NotificationAcknowledged():
                self.unacknowledged.pop(payload.notification_id, None)
            case OperatorAsked():
                self._fold_request(payload)
            case IncidentRecorded():
                self.bundled = self.incidents
            case ApprovalAsked():
                self.approvals.ask(payload, self.tightened)
            case ApprovalAnswered():
                self.approvals.answer(payload)
            case BookReconciled():
                self.unexplained += sum(not item.explained for item in payload.differences)
            case _:
                pass

    def _fold_state(self, change: TradingStateChanged) -> None:
        self.restrictions = self.restrictions.with_state(change.scope, change.after)
        causes = causes_after(self.causes.get(change.scope, ()), change, self._rules)
        if change.name == RESUME and change.scope == ACCOUNT:
            self.unexplained = 0  # a person has looked into it
        if not causes:
            self.in_force.pop(change.scope, None)
            self.causes.pop(change.scope, None)
            return
        self.causes[change.scope], self.in_force[change.scope] = causes, deciding(causes)
        if change.after is TradingState.HALTED and change.name != RESUME:
            self._count_incident(f"{change.cause} {change.name}")
        if self._sells(change.cause, change.name):
            symbols = (change.scope.name,) if change.scope.kind == "instrument" else ()
            self.flattens = self.flattens.with_request(FlattenAsked(symbols, change.name, change.reason))

    def _sells(self, cause: Cause, name: str) -> bool:
        """Whether a restriction is a breaker's that is set to sell."""
        is_breaker = cause == "breaker" and name in BreakerRules.model_fields
        return is_breaker and rule_of(self._rules, name).action == "flatten"

    def _count_incident(self, cause: str) -> None:
        self.incidents += 1
        self.last_incident = cause

    def _fold_notification(self, raised: NotificationRaised) -> None:
        if raised.severity == "critical":
            self.unacknowledged[raised.notification_id] = raised
        self.flattens = self.flattens.after(raised.code)
        if is_end(raised.code):
            self._count_incident("flatten")
        elif raised.code.startswith(BACK):
            self.alerted.discard(raised.code.removeprefix(BACK))
        else:
            self.alerted.add(raised.code)

    def _fold_request(self, asked: OperatorAsked) -> None:
        self.asked.add(str(asked.detail.get("note_id", "")))
        symbols = asked.detail.get("symbols")
        names = tuple(map(str, symbols)) if isinstance(symbols, list) else ()
        if asked.command == "flatten":
            kept = _shares(asked.detail.get("keep"))
            self.flattens = self.flattens.with_request(FlattenAsked(names, asked.user, asked.reason, kept))
        elif asked.command == "tighten":
            self.tightened = merged(self.tightened, read_tightened(asked.detail.get("limits")))
        elif asked.command == "cancel":
            self._cancelled |= frozenset(names)
            self.waived |= frozenset(_shares(asked.detail.get(UNPROTECTED)))


def _shares(found: JsonValue) -> dict[str, int]:
    """Whole shares by symbol; anything else is none."""
    rows = found.items() if isinstance(found, dict) else ()
    return {name: held for name, held in rows if isinstance(held, int) and not isinstance(held, bool) and held > 0}
