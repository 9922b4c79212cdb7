"""What the desk may do now: tightened by breakers and people, given free by a person alone, and told to the log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from ..domain.approval_events import ApprovalAnswered, ApprovalAsked
from ..domain.canonical import short_id
from ..domain.control_events import (
    BookReconciled,
    NotificationAcknowledged,
    NotificationRaised,
    OperatorAsked,
    TradingStateChanged,
)
from ..domain.events import Payload
from ..domain.levels import back_text, past_text
from ..domain.trading import ACCOUNT, Cause, Scope, TradingState, TradingStates
from .breaker_rules import STATE_OF, USUAL_RULES, BreakerRules
from .breakers import BREAKERS, Breaker, DayFacts, Figure, Gauge, is_back, outside_band_text, rule_of, trips
from .errors import RearmRefused
from .restrictions import FLATTEN, FROM_OUTSIDE, RESUME, by_breakers, deciding
from .standing import BACK, Standing
from .watching import Reading

CRITICAL_CAUSES: frozenset[Cause] = frozenset({"breaker", "dead_man", "reconciliation", "restart"})
"""A halt for one of these must be acknowledged before the next session; the others a person asked for."""
UNACKNOWLEDGED, DRIFT = "unacknowledged", "drift"
APPROVAL_ASKED = "approval_asked"

Severity = Literal["info", "warning", "critical"]


class Outside(Protocol):
    """Whoever brings in what people and files ask for."""

    def take(self, controls: "Controls", now: datetime) -> None: ...


class Record(Protocol):
    """Puts one control fact into the log; `outside` marks what the desk did not work out by itself."""

    def __call__(self, payload: Payload, now: datetime, *, outside: bool) -> None: ...


class Controls:
    """The restrictions in force, the breakers that add to them, and the people who add and take away.

    It is a session's watch. A restriction counts from the moment it is decided, recorded or not: a log that
    takes no more writes must not keep the desk trading. A release counts only once it is recorded.
    """

    def __init__(
        self,
        run_id: str,
        record: Record,
        outside: Outside,
        rules: BreakerRules = USUAL_RULES,
        breakers: tuple[Breaker, ...] = BREAKERS,
    ) -> None:
        self._run_id, self._record, self._outside = run_id, record, outside
        self._rules, self._breakers = rules, breakers
        self._day = DayFacts(0.0, 0.0)
        self._now: datetime | None = None
        self._second: datetime | None = None
        self._figures: dict[tuple[str, str, str], float] = {}
        """What each breaker measured last, by its name and the kind and name of the scope."""
        self.standing = Standing(rules)

    def states(self, now: datetime) -> TradingStates:
        """What the session may do; what waits outside is taken in first."""
        self._now = now
        self._outside.take(self, now)
        if self.standing.awaiting and self._time_out(now):
            # A replay finds what people did after it behind it.
            self._outside.take(self, now)
        return self.standing.in_session

    def observe(self, reading: Reading) -> None:
        self._judge(reading, at_open=False)

    def begin_day(self, day: DayFacts, reading: Reading) -> None:
        """The facts of a new session, judged at once; breakers that only count at the open are judged here."""
        self._day = day
        self._figures.clear()
        self._judge(reading, at_open=True)

    def look(self, day: DayFacts, reading: Reading) -> None:
        """Measure without judging: what a book at rest is compared with before it is armed again."""
        gauge = Gauge(reading, day, self.standing.unexplained, len(self.standing.unacknowledged))
        for breaker in self._breakers:
            self._figures.update({_key(breaker.name, item.scope): item.value for item in breaker.measure(gauge)})

    def on_unexplained(self, reconciled: BookReconciled) -> None:
        """The venue's book differs from ours, and nothing explains it."""
        self.standing.unexplained += sum(not item.explained for item in reconciled.differences)
        for breaker in self._breakers:
            if breaker.name == DRIFT and self._now is not None:
                self._weigh(breaker, Figure(float(self.standing.unexplained)), self._now)

    def tighten(
        self,
        scope: Scope,
        state: TradingState,
        cause: Cause,
        name: str,
        reason: str,
        now: datetime,
        figure: float | None = None,
        limit: float | None = None,
    ) -> bool:
        """Restrict a part of the desk; False, and nothing happens, when it is as restricted already."""
        before = self.standing.of_scope(scope)
        if not self.standing.is_worsened_by(scope, state, cause, name):
            return False
        change = TradingStateChanged(
            scope=scope,
            before=before,
            after=max(before, state, key=lambda item: item.severity),
            cause=cause,
            name=name,
            reason=reason,
            figure=figure,
            limit=limit,
        )
        self.standing.fold(change)
        outside = cause in FROM_OUTSIDE
        self._record(change, now, outside=outside)
        is_news = cause in CRITICAL_CAUSES and name != UNACKNOWLEDGED
        severity: Severity = "critical" if state is TradingState.HALTED and is_news else "warning"
        self.notify(severity, name, f"{scope} is {change.after}: {reason}", now, outside=outside)
        return True

    def rearm(self, scope: Scope, by: str, reason: str, now: datetime, *, anyway: bool = False) -> bool:
        """A person gives a scope free; False when it was not restricted.

        Raises RearmRefused without a reason, and while a breaker is not back inside its band: what else restricted the
        scope is taken back even then. `anyway` is a person's word that it may trade all the same.
        """
        held = self.standing.in_force.get(scope)
        if held is None:
            return False
        if not reason.strip():
            raise RearmRefused(f"{scope}: no reason was given", remedy="Say why it may trade again, with --reason.")
        told, breakers = f"{by}: {reason}", by_breakers(self.standing.causes[scope])
        outside_band = [] if anyway else [item for item in breakers if not self._is_back(item)]
        if outside_band and held.cause != "breaker":
            self._free(held, deciding(breakers).after, RESUME, told, now)
        if outside_band:
            raise self._refusal(scope, outside_band)
        self._free(held, TradingState.ACTIVE, RESUME, told, now)
        return True

    def rearm_reduced(self, by: str, reason: str, now: datetime) -> None:
        """What recorded days do where nobody attends them: breakers that only reduced, and are back, are armed.

        A halt stays until a person ends it.
        """
        for scope, held in tuple(self.standing.in_force.items()):
            is_armed = all(item.cause == "breaker" and self._is_back(item) for item in self.standing.causes[scope])
            if is_armed and held.after is TradingState.REDUCING:
                self._free(held, TradingState.ACTIVE, RESUME, f"{by}: {reason}", now, outside=False)

    def loosen_to_reduce(self, by: str, reason: str, now: datetime) -> None:
        """A person's flatten in a halted account: what takes risk off may pass, and nothing else."""
        held = self.standing.in_force.get(ACCOUNT)
        if held is not None and held.after is TradingState.HALTED:
            self._free(held, TradingState.REDUCING, FLATTEN, f"{by}: {reason}", now)

    def notify(self, severity: Severity, code: str, text: str, now: datetime, *, outside: bool = False) -> None:
        """Something a person should know."""
        ident = short_id("ntf", self._run_id, code, text, now.isoformat())
        raised = NotificationRaised(notification_id=ident, severity=severity, code=code, text=text)
        self.standing.fold(raised)
        self._record(raised, now, outside=outside)

    def ask(self, asked: OperatorAsked, now: datetime) -> None:
        """Take in a person's request."""
        self._record(asked, now, outside=True)
        self.standing.fold(asked)

    def acknowledge(self, notification_id: str, by: str, reason: str, now: datetime) -> bool:
        """A person has seen it; False when it does not wait for that."""
        if notification_id not in self.standing.unacknowledged:
            return False
        seen = NotificationAcknowledged(notification_id=notification_id, user=by, reason=reason)
        self._record(seen, now, outside=True)
        self.standing.fold(seen)
        return True

    def _free(
        self,
        held: TradingStateChanged,
        after: TradingState,
        name: str,
        reason: str,
        now: datetime,
        *,
        outside: bool = True,
    ) -> None:
        figure = self._figure_of(held)
        freed = TradingStateChanged(
            scope=held.scope,
            before=held.after,
            after=after,
            cause="operator",
            name=name,
            reason=reason,
            figure=None if figure is None else _finite(figure),
            limit=held.limit,
        )
        self._record(freed, now, outside=outside)
        self.standing.fold(freed)

    def ask_approval(self, asked: ApprovalAsked, now: datetime) -> None:
        """A plan waits for a person from now on, and one is told."""
        self.standing.fold(asked)
        self._record(asked, now, outside=False)
        why = "; ".join(reason.text for reason in asked.reasons)
        text = f"the plan of {asked.decision_id} waits for approval until {asked.until.isoformat()}: {why}"
        self.notify("warning", APPROVAL_ASKED, text, now)

    def answer_approval(self, answered: ApprovalAnswered, now: datetime) -> str:
        """A person's yes or no to a plan; why it does not count, or an empty text."""
        standing, decision_id = self.standing, answered.decision_id
        refusal = standing.refusal_of(answered.answer, decision_id, answered.plan_hash, now)
        if not refusal:
            self._record(answered, now, outside=True)
            standing.fold(answered)
        return refusal

    def _time_out(self, now: datetime) -> bool:
        """Plans that nobody answered for in time are not worked. It is dated by the time itself, whoever looks when."""
        late = self.standing.approvals.overdue(now)
        for asked in late:
            answered = ApprovalAnswered(
                decision_id=asked.decision_id,
                plan_hash=asked.plan_hash,
                answer="timed_out",
                reason="nobody answered in time",
            )
            self.standing.fold(answered)
            self._record(answered, asked.until, outside=False)
        return bool(late)

    def _judge(self, reading: Reading, *, at_open: bool) -> None:
        self._now = now = reading.now
        standing, second = self.standing, now.replace(microsecond=0)
        is_first, self._second = at_open or second != self._second, None if at_open else second
        gauge = Gauge(reading, self._day, standing.unexplained, len(standing.unacknowledged))
        for breaker in self._breakers:
            if at_open or (not breaker.at_open_only and (is_first or not breaker.each_second)):
                for figure in breaker.measure(gauge):
                    self._weigh(breaker, figure, now)

    def _weigh(self, breaker: Breaker, figure: Figure, now: datetime) -> None:
        rule, name, scope = rule_of(self._rules, breaker.name), breaker.name, figure.scope
        self._figures[_key(name, scope)] = figure.value
        is_tripped = trips(rule, figure.value)
        if not is_tripped and rule.action != "alert":
            return
        code = name if scope == ACCOUNT else f"{name} {scope.name}"
        if is_tripped:
            text = past_text(breaker.what, figure.value, breaker.unit, rule.trip)
            if rule.action != "alert":
                cause: Cause = "reconciliation" if name == DRIFT else "breaker"
                state = STATE_OF[rule.action]
                self.tighten(scope, state, cause, name, text, now, _finite(figure.value), rule.trip)
            elif code not in self.standing.alerted:
                self.notify("warning", code, text, now)
        elif code in self.standing.alerted and is_back(rule, figure.value):
            self.notify("info", f"{BACK}{code}", back_text(breaker.what, figure.value, breaker.unit), now)

    def _figure_of(self, held: TradingStateChanged) -> float | None:
        """What the breaker behind a restriction measures now; None before anything was. What waits to be acknowledged
        is counted anew: its breaker looks at opens only, and people answer after them."""
        if held.name == UNACKNOWLEDGED:
            return float(len(self.standing.unacknowledged))
        found = self._figures.get(_key(held.name, held.scope))
        fades = any(breaker.name == held.name and breaker.fades for breaker in self._breakers)
        return 0.0 if found is None and fades and self._figures else found

    def _is_back(self, held: TradingStateChanged) -> bool:
        figure = self._figure_of(held)
        return figure is not None and is_back(rule_of(self._rules, held.name), figure)

    def _refusal(self, scope: Scope, outside_band: Sequence[TradingStateChanged]) -> RearmRefused:
        told = (outside_band_text(self._rules, item.name, item.figure, self._figure_of(item)) for item in outside_band)
        remedy = "Wait until it is back, or say with --anyway and a --reason that it may trade all the same."
        return RearmRefused(f"{scope}: {'; '.join(told)}", remedy=remedy)


def _key(breaker: str, scope: Scope) -> tuple[str, str, str]:
    return breaker, scope.kind, scope.name


def _finite(value: float) -> float | None:
    """NaN and infinity have no place in the log; the text says what they were."""
    return value if abs(value) < float("inf") else None
