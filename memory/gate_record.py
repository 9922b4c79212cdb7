"""Audits the gate's record while a log is walked: nothing was worked that the gate did not approve.

Who can write the file can also recompute its hashes, so a chain that holds proves no more than that. These are the
facts that must agree with one another in a log the desk wrote: a plan with the decision and the verdict before it,
a child with its parent, a fill with its child, the book with its fills, a submission with the state of the desk.
What one writer leaves out without a trace (a last acknowledgement, say) the signed heads show: `heads.py`.
"""

from collections.abc import Callable, Container, Iterator, Mapping

from pydantic import JsonValue

from ..domain.canonical import content_hash, short_id
from ..domain.control_events import (
    BookReconciled,
    IncidentRecorded,
    NotificationAcknowledged,
    NotificationRaised,
    OperatorAsked,
    TradingStateChanged,
)
from ..domain.decisions import Decision, Verdict
from ..domain.events import (
    ChildDenied,
    DecisionMade,
    Event,
    EvidenceRecorded,
    FillBusted,
    ModelReplied,
    OrderFilled,
    Payload,
    PlanApproved,
    PortfolioMarked,
    RunFinished,
    RunStarted,
)
from ..domain.trading import UNRESTRICTED, TradingState, TradingStates
from .approval_record import ApprovalRecord
from .book_record import BookRecord
from .findings import Finding
from .order_record import OrderRecord

LimitsRule = Callable[[RunStarted, Decision], Container[str]]
"""The hashes of limits that one decision may have been held to, besides those the log names."""

BY_KIND: dict[type[Payload], str] = {
    PlanApproved: "gate",
    ChildDenied: "gate",
    OrderFilled: "venue",
    FillBusted: "venue",
}
"""Who alone can make such a fact."""

AT_REST = (
    BookReconciled,
    TradingStateChanged,
    OperatorAsked,
    NotificationRaised,
    NotificationAcknowledged,
    IncidentRecorded,
)
"""What people and watchdogs may still do to a book whose run is over."""


def state_version(decision_id: str, snapshot: JsonValue) -> str:
    """The gate's name for the state a decision was reviewed in: it covers the decision and the whole snapshot."""
    return content_hash([decision_id, snapshot])[:16]


def named_limits_only(started: RunStarted, decision: Decision) -> Container[str]:
    """No limits besides those the log names."""
    return ()


class GateRecord:
    """An auditor for `verify_log`; one for each walk."""

    def __init__(self, limits_rule: LimitsRule = named_limits_only) -> None:
        self._limits_rule = limits_rule
        self._found: list[Finding] = []
        self._started: RunStarted | None = None
        self._limits: set[str] = set()
        self._tightened: set[tuple[str, JsonValue]] = set()
        self._ids: set[str] = set()
        self._decisions: dict[str, tuple[Verdict | None, str]] = {}
        self._plans: set[str] = set()
        self._held_to: list[Container[str]] = []
        """Limits of the decisions since the last mark: a session holds the children of an exit to those of its plan."""
        self._evidence: dict[str, set[str]] = {}
        self._calls: dict[str, tuple[int, int]] = {}
        self._states: TradingStates = UNRESTRICTED
        self._is_finished = False
        self._last_decided: Decision | None = None
        self._book, self._approvals = BookRecord(self._note), ApprovalRecord(self._note)
        self._orders = OrderRecord(self._note, self._book.held, lambda: self._states)

    def take(self, event: Event, payload: Payload) -> None:
        self._check_envelope(event, payload)
        match payload:
            case RunStarted():
                self._begin(event, payload)
            case EvidenceRecorded():
                self._evidence.setdefault(payload.decision_id, set()).update(item.id for item in payload.entries)
            case ModelReplied():
                tokens = sum(call.prompt_tokens for call in payload.calls)
                calls, before = self._calls.get(payload.decision_id, (0, 0))
                self._calls[payload.decision_id] = calls + len(payload.calls), before + tokens
            case DecisionMade():
                self._decided(event, payload.decision)
            case PlanApproved():
                self._approved(event, payload)
            case ChildDenied():
                self._check_limits(event, payload.verdict.limits_hash, "a denied child", *self._held_to)
            case TradingStateChanged():
                self._restricted(event, payload)
            case OperatorAsked():
                named = payload.detail.get("limits_hash") if payload.command == "tighten" else None
                self._limits.update([named] if isinstance(named, str) else [])
                asked = payload.detail.get("limits") if payload.command == "tighten" else None
                self._tightened.update(_scalars(asked) if isinstance(asked, dict) else [])
            case PortfolioMarked():
                self._held_to.clear()
                self._orders.check_session_over(event)
            case RunFinished():
                self._is_finished = True
            case _:
                pass
        self._orders.take(event, payload)
        self._approvals.take(event, payload)
        self._book.take(event, payload)

    def findings(self) -> tuple[Finding, ...]:
        self._orders.settle()
        return tuple(sorted(self._found, key=lambda item: item.seq))

    def _note(self, code: str, seq: int, text: str) -> None:
        self._found.append(Finding(code, seq, text))

    def _check_envelope(self, event: Event, payload: Payload) -> None:
        """The outside of an event says the same as its content, and nothing stands outside of a run."""
        seq = event.seq
        if self._started is None and not isinstance(payload, RunStarted):
            if seq == 1:
                self._note("run_not_started", seq, "the log does not begin with RunStarted")
        elif self._started is not None and event.run_id != self._started.run_id:
            self._note("envelope_differs", seq, f"event {event.id} is of run {event.run_id}")
        if event.id != short_id("evt", event.run_id, seq):
            self._note("envelope_differs", seq, f"{event.id} is not the id of event {seq} of run {event.run_id}")
        if event.cause_id is not None and event.cause_id not in self._ids:
            self._note("cause_unknown", seq, f"its cause {event.cause_id} is no event before it")
        self._ids.add(event.id)
        if self._is_finished and not isinstance(payload, AT_REST):
            self._note("run_went_on", seq, f"{event.type} follows the end of the run")
        for name, inside in _ids_inside(payload).items():
            outside = getattr(event, name)
            if outside != inside:
                self._note("envelope_differs", seq, f"{event.type} of {inside} is recorded under {name} {outside}")
        maker = BY_KIND.get(type(payload))
        if maker is not None and event.actor.kind != maker:
            text = f"{event.type} was made by {event.actor.kind} {event.actor.name}, only a {maker} can"
            self._note("actor_differs", seq, text)

    def _begin(self, event: Event, started: RunStarted) -> None:
        if event.seq != 1:
            self._note("run_not_started", event.seq, "RunStarted is not the first event")
        self._started = self._started or started
        self._limits.add(started.limits_hash)
        if content_hash(_part(event, "settings", "limits")) != started.limits_hash:
            self._note("limits_unknown", event.seq, "the limits the run began with are not those of its limits hash")

    def _decided(self, event: Event, decision: Decision) -> None:
        seq, name, snapshot = event.seq, decision.decision_id, decision.snapshot
        if name in self._decisions:
            self._note("decision_repeated", seq, f"decision {name} was made before")
        if self._last_decided is not None and decision.as_of < self._last_decided.as_of:
            self._note("decision_out_of_turn", seq, f"decision {name} is of an earlier time than the one before it")
        if decision.as_of != snapshot.as_of or event.event_time != decision.as_of:
            self._note("decision_out_of_turn", seq, f"decision {name} is not of the moment of its snapshot")
        if dict(snapshot.trading_states.restricted) != dict(self._states.restricted):
            self._note("snapshot_differs", seq, f"decision {name} takes the desk to be in another state than it is in")
        started = self._started
        if started and (snapshot.settings_hash, snapshot.model) != (started.settings_hash, started.model):
            self._note("snapshot_differs", seq, f"decision {name} has other settings or another model than the run")
        allowed = self._limits_rule(started, decision) if started else ()
        if not snapshot.tightened.items() <= self._tightened:
            self._note("snapshot_differs", seq, f"decision {name} has tighter limits that nobody asked for")
        self._check_limits(event, snapshot.limits_hash, "the snapshot", allowed if snapshot.tightened else ())
        # What was written, not what this version of Parley makes of it: a field may have been added since.
        version = state_version(name, _part(event, "decision", "snapshot"))
        self._held_to += [allowed, {verdict.limits_hash for verdict in decision.verdicts}]
        for verdict in decision.verdicts:
            self._check_limits(event, verdict.limits_hash, "a verdict", allowed)
            if verdict.state_version != version:
                text = f"a verdict of {name} is about state {verdict.state_version}, decided was in {version}"
                self._note("state_differs", seq, text)
            if verdict.as_of != decision.as_of:
                self._note("state_differs", seq, f"a verdict of {name} is of another moment")
        self._check_outcome(event, decision)
        self._check_sources(event, decision)
        verdict = decision.verdict
        approved = decision.plan is not None and verdict is not None and verdict.approved
        self._decisions[name] = verdict, content_hash(_part(event, "decision", "plan")) if approved else ""
        self._last_decided = decision

    def _check_outcome(self, event: Event, decision: Decision) -> None:
        """The kind of a decision says what its last verdict says."""
        verdict = decision.verdict
        wanted = {"trade": True, "vetoed": False}.get(decision.kind)
        if wanted is not None and (verdict is None or verdict.approved is not wanted):
            text = f"decision {decision.decision_id} is {decision.kind}, which its verdict does not say"
            self._note("outcome_differs", event.seq, text)
        if (decision.plan is not None) != (decision.kind == "trade"):
            text = f"decision {decision.decision_id} is {decision.kind} {'with' if decision.plan else 'without'} a plan"
            self._note("outcome_differs", event.seq, text)
        for item in decision.verdicts:
            if item.approved != all(check.passed for check in item.checks):
                text = f"a verdict of {decision.decision_id} does not follow from its checks"
                self._note("verdict_differs", event.seq, text)

    def _check_sources(self, event: Event, decision: Decision) -> None:
        """Evidence that is named was recorded, and so was every reply of a model that is counted."""
        name = decision.decision_id
        known = self._evidence.pop(name, set[str]())
        missing = sorted(_evidence_of(decision) - known)
        if missing:
            text = f"decision {name} rests on {len(missing)} entries never recorded, such as {missing[0]}"
            self._note("evidence_missing", event.seq, text)
        calls, tokens = self._calls.pop(name, (0, 0))
        if (calls, tokens) != (decision.llm_calls, decision.prompt_tokens):
            text = f"decision {name} counts {decision.llm_calls} calls of {decision.prompt_tokens} tokens, "
            self._note("model_calls_differ", event.seq, text + f"recorded are {calls} of {tokens}")

    def _approved(self, event: Event, payload: PlanApproved) -> None:
        """An approved plan is the plan and the verdict of a decision that came before it."""
        plan, verdict, seq = payload.plan, payload.verdict, event.seq
        digest = content_hash(_part(event, "plan"))
        known = self._decisions.get(plan.decision_id)
        if known is None:
            text = f"plan {plan.plan_id} is of decision {plan.decision_id}, which is not in the log before it"
            self._note("plan_without_decision", seq, text)
        elif known != (verdict, digest):
            text = f"plan {plan.plan_id} or its verdict is not what decision {plan.decision_id} came to"
            self._note("plan_differs", seq, text)
        if verdict.content_hash != digest:
            self._note("plan_differs", seq, f"plan {plan.plan_id} is not the content its verdict is about")
        if not verdict.approved or verdict.reasons:
            self._note("plan_not_approved", seq, f"the gate's verdict on plan {plan.plan_id} is a veto")
        if plan.plan_id in self._plans:
            self._note("plan_repeated", seq, f"plan {plan.plan_id} was approved before")
        self._plans.add(plan.plan_id)
        self._orders.approve(event, plan)

    def _restricted(self, event: Event, change: TradingStateChanged) -> None:
        known = {str(scope): state for scope, state in self._states.restricted}
        before = known.get(str(change.scope), TradingState.ACTIVE)
        if before is not change.before:
            text = f"{change.scope} goes from {change.before} to {change.after}, and was {before}"
            self._note("state_out_of_turn", event.seq, text)
        if change.after.severity < change.before.severity and change.cause != "operator":
            text = f"{change.scope} was given free by {change.cause} {change.name}: only a person can"
            self._note("rearmed_by_nobody", event.seq, text)
        self._states = self._states.with_state(change.scope, change.after)

    def _check_limits(self, event: Event, limits_hash: str, whose: str, *allowed: Container[str]) -> None:
        if limits_hash not in self._limits and not any(limits_hash in known for known in allowed):
            text = f"{whose} is held to limits {limits_hash[:16]}, which nothing in the log names"
            self._note("limits_unknown", event.seq, text)


def _scalars(asked: Mapping[str, JsonValue]) -> Iterator[tuple[str, JsonValue]]:
    return ((name, value) for name, value in asked.items() if isinstance(value, int | float))


def _part(event: Event, *path: str) -> JsonValue:
    """A piece of the payload as it is in the log."""
    found = event.payload
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _ids_inside(payload: Payload) -> dict[str, str]:
    """The decision and order ids that a payload itself gives."""
    found: dict[str, str] = {}
    inner = next(
        (getattr(payload, name) for name in ("decision", "plan", "order", "child", "fill") if hasattr(payload, name)),
        payload,
    )
    for name in ("decision_id", "order_id"):
        value = getattr(payload, name, None) or getattr(inner, name, None)
        if isinstance(value, str):
            found[name] = value
    return found


def _evidence_of(decision: Decision) -> set[str]:
    """Every ledger entry that a decision names."""
    named = [*decision.views, *decision.signals, decision.assessment, decision.targets]
    return {ident for part in named if part is not None for ident in part.evidence}
