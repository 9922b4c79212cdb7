"""Which facts an auditor may ask for, where the desk keeps each one, and what it does not keep."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pydantic import BaseModel

from ..domain.events import PAYLOADS, Event
from ..memory.event_table import INSERT
from ..memory.heads import HEADS, SignedHead
from .attesting import HOST_FIELDS, HOSTS
from .console import Console

Status = Literal["in the chain", "beside it", "derivable", "missing"]

ROOTS: dict[str, type[BaseModel]] = {"Event": Event, "SignedHead": SignedHead, **PAYLOADS}


@dataclass(frozen=True, slots=True)
class AuditField:
    """One fact. `places` are paths into the models; `derived` says how to get what no path holds."""

    name: str
    places: tuple[str, ...] = ()
    derived: str = ""
    missing: str = ""

    @property
    def status(self) -> Status:
        if self.missing:
            return "missing"
        if self.derived:
            return "derivable"
        outside = [place for place in self.places if place.split(".")[0] in ("hosts", "events", "SignedHead")]
        return "beside it" if outside else "in the chain"


def _field(name: str, *places: str, derived: str = "", missing: str = "") -> AuditField:
    return AuditField(name, places, derived, missing)


FIELDS: tuple[AuditField, ...] = (
    _field("event id", "Event.id"),
    _field("sequence", "Event.seq", "Event.stream", "Event.version"),
    _field("previous hash", "Event.prev_hash"),
    _field("hash", "Event.hash"),
    _field("signed head", "SignedHead.head_hash", "SignedHead.signature", "SignedHead.key_id"),
    _field("event time", "Event.event_time"),
    _field("receive time", "events.recorded_at"),
    _field(
        "monotonic time", "hosts.monotonic_s", derived="order is `seq`; a process ties its steady clock to the wall"
    ),
    _field("run", "Event.run_id"),
    _field("thread", "Event.decision_id", derived="the graph runs one thread for each decision, under its id"),
    _field("decision", "Event.decision_id"),
    _field("parent order", "Event.order_id", "ChildSubmitted.child.order_id"),
    _field("child order", "ChildSubmitted.child.client_order_id"),
    _field("execution", "OrderFilled.fill.execution_id"),
    _field("actor", "Event.actor.kind", "Event.actor.name"),
    _field("model", "ModelReplied.calls.model", "RunStarted.model"),
    _field("model version", missing="an endpoint's name for its model is all it tells"),
    _field("model parameters", "RunStarted.settings", derived="time-out and token bounds are settings of the run"),
    _field("user", "OperatorAsked.user", "NotificationAcknowledged.user", "ApprovalAnswered.user"),
    _field("owner of the process", "hosts.user"),
    _field("role", missing="the desk has no roles yet: whoever may write to the book may command it"),
    _field("prompt", "ModelReplied.calls.prompt", "ModelReplied.calls.prompt_version"),
    _field("prompt hash", "ModelReplied.calls.prompt_hash", "ModelReplied.calls.request_hash"),
    _field("tool call", "EvidenceRecorded.entries.id", "EvidenceRecorded.entries.tool_version"),
    _field("tool input hash", "EvidenceRecorded.entries.inputs_hash"),
    _field("tool output hash", "EvidenceRecorded.entries.output", derived="the output itself is in the chain"),
    _field("input data", "DecisionMade.decision.snapshot.data_fingerprint", "DecisionMade.decision.snapshot.text_ids"),
    _field(
        "input data's available_at",
        "DecisionMade.decision.snapshot.as_of",
        derived="a snapshot reads nothing that was available later; the data set has each item's own time",
    ),
    _field("code commit", "hosts.commit", "hosts.code_hash"),
    _field("program version", "RunStarted.parley_version"),
    _field("configuration hash", "RunStarted.settings_hash", "DecisionMade.decision.snapshot.settings_hash"),
    _field("limits hash", "RunStarted.limits_hash", "PlanApproved.verdict.limits_hash"),
    _field("state version", "PlanApproved.verdict.state_version"),
    _field("content hash", "PlanApproved.verdict.content_hash", "ChildSubmitted.verdict_hash"),
    _field("state before and after", "TradingStateChanged.before", "TradingStateChanged.after"),
    _field("book before", "DecisionMade.decision.snapshot.portfolio"),
    _field("book after", "PortfolioMarked.equity", "PortfolioMarked.cash", derived="positions are a fold of the fills"),
    _field("reason codes", "PlanApproved.verdict.checks.check", "ChildDenied.verdict.checks.check"),
    _field("reasons in words", "ChildClosed.reason", "TradingStateChanged.reason", "OperatorAsked.reason"),
    _field("cause", "Event.cause_id"),
)

FINDINGS: dict[str, str] = {
    "run_not_started": "the log does not begin with RunStarted, or has a second one",
    "run_went_on": "an event follows RunFinished",
    "envelope_differs": "an event's run, id, decision or order is not the one its content gives",
    "actor_differs": "approvals and refusals are the gate's, fills the venue's",
    "cause_unknown": "the cause named is no earlier event",
    "limits_unknown": "limits that neither the run, a recorded tightening nor the regime of the decision explain",
    "decision_repeated": "two decisions of one id",
    "decision_out_of_turn": "a decision of another time than its snapshot, or earlier than the one before it",
    "snapshot_differs": "a decision starts from another book, state, model or settings than the log has",
    "state_differs": "a verdict about another state or moment than the decision's",
    "outcome_differs": "the kind of a decision is not what its verdict says",
    "verdict_differs": "a verdict that does not follow from its checks",
    "evidence_missing": "evidence is named that was never recorded",
    "model_calls_differ": "model calls or tokens counted are not those recorded",
    "plan_without_decision": "an approved plan of no decision before it",
    "plan_differs": "a plan or verdict that is not the decision's, or not what the verdict's hash is over",
    "plan_not_approved": "a plan is worked whose verdict is a veto",
    "plan_repeated": "one plan approved twice",
    "order_differs": "an order opened, or a leg, that is not as approved",
    "order_not_approved": "an order opened that is no leg of an approved plan",
    "order_repeated": "an order approved, opened or closed twice",
    "order_left_open": "an order without a result at the close",
    "child_without_plan": "a child of an order that no approved plan has",
    "child_differs": "a child that is not on its parent's terms",
    "child_out_of_turn": "a child before its parent was opened, or after it was closed",
    "child_repeated": "a child submitted twice",
    "child_not_submitted": "an answer to a child that was never submitted",
    "child_overfilled": "more executed than sent, and the log does not say so",
    "sequence_gap": "a child is missing between its sisters, or doubled",
    "parent_exceeded": "children come to more than their parent",
    "verdict_missing": "a child without the hash of a review",
    "verdict_reused": "two children sent under one review",
    "denial_without_reason": "a child denied without a failed check",
    "sent_while_halted": "a child that protects nothing submitted while its account, instrument or venue was HALTED",
    "added_while_reducing": "a child that adds risk submitted in REDUCING",
    "state_out_of_turn": "a change of state that does not begin where the one before it ended",
    "approval_differs": "a person's answer that is late, doubled, to another plan, or to no question",
    "worked_unapproved": "an order opened of a plan that waits for a person, or got a no",
    "rearmed_by_nobody": "a restriction lifted by anything but a person",
    "fill_without_child": "a fill of nothing that was sent, and not kept apart either",
    "fill_differs": "a fill of another instrument or side than its child",
    "bust_without_fill": "an execution taken back that was not booked like that",
    "ended_order_moved": "an order that was over leaves its state",
    "unfilled_differs": "what a child left unfilled is not what its fills leave",
    "result_differs": "an order's result is not what its fills come to",
    "result_without_order": "a result of an order that was never opened",
    "payout_differs": "more or less became cash than was held",
    "night_differs": "a dividend, a split, a new name or a borrow fee of another position than was held",
    "lesson_differs": "a lesson that its decision and its order do not bear out, or written before its horizon",
    "mark_differs": "a close's cash, equity, value traded, fees or exposure are not what the fills say",
    "session_out_of_turn": "sessions out of order",
    "count_differs": "the run's own counts are not those of the log",
    "head_not_on_chain": "a close was signed with another hash than the log has there: it was rewritten",
    "head_beyond_log": "a close was signed that the log no longer reaches: its end was cut off",
    "head_missing": "a close without a signed head",
    "head_forged": "a signature that is not genuine",
    "head_key_unknown": "a head signed by another key than the one to check with",
    "head_repeated": "one close signed twice",
    "event_malformed": "an exported proof holds something that is no event of this version",
    "event_altered": "an event of an exported proof does not hash to what it says",
    "chain_broken": "an event of an exported proof does not follow the one before it",
    "document_differs": "the readable part of an export is not what its events say",
    "head_unreadable": f"lines of {HEADS} that are no signed heads",
}


def perform_audit_fields(console: Console) -> None:
    console.result(
        {
            "fields": [{"name": item.name, "status": item.status, "where": _where(item)} for item in FIELDS],
            "findings": FINDINGS,
        }
    )
    console.table("", ("fact", "kept", "where"), [(item.name, item.status, _where(item)) for item in FIELDS])


def audit_document() -> str:
    """`docs/audit.md`; a test holds the file to this."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# What an auditor can ask of the log"
    yield ""
    yield "Written by `service/audit_fields.py` from the event models; `parley audit-fields` prints the same."
    yield "In the chain: hashed with the event. Beside it: noted outside of every hash, since it differs between hosts"
    yield f"(`recorded_at` of the events table, `{HOSTS}` and `{HEADS}` in the run's folder)."
    yield ""
    yield "| fact | kept | where |"
    yield "|---|---|---|"
    for item in FIELDS:
        yield f"| {item.name} | {item.status} | {_where(item, '`')} |"
    yield ""
    yield "## What `parley verify` finds in a log whose chain holds"
    yield ""
    yield "| finding | what it means |"
    yield "|---|---|"
    for code, text in FINDINGS.items():
        yield f"| `{code}` | {text} |"


def _where(item: AuditField, quote: str = "") -> str:
    places = ", ".join(f"{quote}{place}{quote}" for place in item.places if _exists(place))
    words = item.missing or item.derived
    return f"{places}: {words}" if places and words else places or words


def _exists(place: str) -> bool:
    """Follow a path through the models; a field that was renamed is a fault of this table, not of the log."""
    root, *names = place.split(".")
    if root == "hosts":
        found = names[0] in HOST_FIELDS
    elif root == "events":
        found = names[0] in INSERT
    else:
        kind: Any = ROOTS[root]
        for name in names:
            kind = _model_in(kind.model_fields[name].annotation) if name in getattr(kind, "model_fields", {}) else None
        found = kind is not None
    assert found, f"{place} is in the table of audit fields and in no model"
    return True


def _model_in(annotation: Any) -> Any:
    """The model inside an annotation such as `tuple[Evidence, ...]` or `Plan | None`; else the annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(argument) for argument in get_args(annotation))
    return next((kind for kind in inner if isinstance(kind, type) and issubclass(kind, BaseModel)), annotation)
