"""Where the desk's restrictions, requests and notifications stand: a fold of the control facts in the log."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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

FROM_OUTSIDE: frozenset[Cause] = frozenset({"operator", "kill_flag", "dead_man", "restart", "preflight"})
"""Causes that no fold of the market can make again: a replay takes them from the log."""
UNTOUCHED: frozenset[Cause] = frozenset({"kill_flag", "dead_man", "reconciliation"})
"""Causes of a halt in which not even a position's stop is sent: a person said that nothing at all is, nobody is there
to say so, or what is held is not known."""
BACK = "back: "
FLATTEN_ENDED = "flatten_ended"
UNPROTECTED = "unprotected"
"""Of a notification: a position has no stop. In a request: the shares, by name, that it leaves without one."""


@dataclass(frozen=True, slots=True)
class FlattenAsked:
    """A standing request to sell; no symbols means everything, `keep` the shares of a name that stay."""

    symbols: tuple[str, ...]
    by: str
    reason: str
    keep: Mapping[str, int] = field(default_factory=dict[str, int])


class Standing:
    """What is in force now."""

    def __init__(self, rules: BreakerRules) -> None:
        self._rules = rules
        self._cancelled: frozenset[str] = frozenset()
        self.waived: frozenset[str] = frozenset()
        """Names whose protective order a person has taken back in this session."""
        self.restrictions: TradingStates = UNRESTRICTED
        self.in_force: dict[Scope, TradingStateChanged] = {}
        """Why each restricted scope is."""
        self.unacknowledged: dict[str, NotificationRaised] = {}
        self.asked: set[str] = set()
        """Ids of the operator's requests that were taken in."""
        self.alerted: set[str] = set()
        self.unexplained = 0
        self.incidents = self.bundled = 0
        """Halts and flattens so far, and for how many of them there is a bundle."""
        self.last_incident = ""
        self.flatten: FlattenAsked | None = None
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
    def in_session(self) -> TradingStates:
        """The restrictions, and what only ends the plan in hand: cancelled orders, a flatten that waits, and limits
        that are tighter than when it was approved, under which it may only take risk off."""
        states = self.restrictions
        if self.planned_under not in (None, self.tightened) and states.of() is TradingState.ACTIVE:
            states = states.with_state(ACCOUNT, TradingState.REDUCING)
        if self.flatten is not None:
            states = states.with_state(ACCOUNT, TradingState.HALTED)
        for symbol in sorted(self._cancelled):
            states = states.with_state(Scope(kind="instrument", name=symbol), TradingState.HALTED)
        return states

    @property
    def waits_for(self) -> TradingStateChanged | None:
        """The halt from outside that only a person ends, if one is in force."""
        held = self.in_force.get(ACCOUNT)
        is_halt = held is not None and held.after is TradingState.HALTED and held.cause in FROM_OUTSIDE
        return held if is_halt else None

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

    def is_worsened_by(self, scope: Scope, state: TradingState, cause: Cause) -> bool:
        """Whether a restriction adds to the one in force: a graver state, or in a halt that not even stops are sent."""
        held = self.in_force.get(scope)
        if held is None or state.severity > held.after.severity:
            return state is not TradingState.ACTIVE
        return state is held.after is TradingState.HALTED and cause in UNTOUCHED and held.cause not in UNTOUCHED

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
        """Orders that were cancelled one by one may be sent again by the next plan, and stops be placed anew."""
        self._cancelled = self.waived = frozenset()

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
        if change.after is TradingState.ACTIVE:
            self.in_force.pop(change.scope, None)
            if change.scope == ACCOUNT:
                self.unexplained = 0  # a person has looked into it
            return
        self.in_force[change.scope] = change
        if change.after is TradingState.HALTED:
            self._count_incident(f"{change.cause} {change.name}")
        is_breaker = change.cause == "breaker" and change.name in BreakerRules.model_fields
        if is_breaker and rule_of(self._rules, change.name).action == "flatten":
            symbols = (change.scope.name,) if change.scope.kind == "instrument" else ()
            self.flatten = FlattenAsked(symbols, change.name, change.reason)

    def _count_incident(self, cause: str) -> None:
        self.incidents += 1
        self.last_incident = cause

    def _fold_notification(self, raised: NotificationRaised) -> None:
        if raised.severity == "critical":
            self.unacknowledged[raised.notification_id] = raised
        if raised.code == FLATTEN_ENDED:
            self.flatten = None
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
            self.flatten = FlattenAsked(names, asked.user, asked.reason, _shares(asked.detail.get("keep")))
        elif asked.command == "tighten":
            self.tightened = merged(self.tightened, read_tightened(asked.detail.get("limits")))
        elif asked.command == "cancel":
            self._cancelled |= frozenset(names)
            self.waived |= frozenset(_shares(asked.detail.get(UNPROTECTED)))


def _shares(found: JsonValue) -> dict[str, int]:
    """Whole shares by symbol; anything else is none."""
    rows = found.items() if isinstance(found, dict) else ()
    return {name: held for name, held in rows if isinstance(held, int) and not isinstance(held, bool) and held > 0}
