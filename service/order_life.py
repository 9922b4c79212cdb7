"""The whole life of one parent order or child, told from the events of its decision and its session alone."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, JsonValue

from ..domain.approval_events import ApprovalAnswered, ApprovalAsked
from ..domain.control_events import (
    BookReconciled,
    IncidentRecorded,
    NotificationRaised,
    OperatorAsked,
    TradingStateChanged,
)
from ..domain.decisions import Decision, Evidence, ModelCall, Verdict
from ..domain.events import (
    ChildDenied,
    ChildSubmitted,
    DecisionMade,
    Event,
    EvidenceRecorded,
    FillBusted,
    ModelReplied,
    OrderClosed,
    OrderFilled,
    OrderOpened,
    Payload,
    PlanApproved,
    PortfolioMarked,
)
from ..domain.orders import ChildOrder, Fill, ParentOrder
from ..memory.event_table import utc_text
from .best_execution import best_execution
from .pages.errors import UnknownRecord
from .told import Told

Document = dict[str, Any]


def order_life(events: Sequence[Event], ident: str) -> Document:
    """Everything the events say about an order or child; raises UnknownRecord when they do not say enough.

    Of a child the reports and best execution are its parent's: a slice alone has neither arrival nor result.
    """
    told = [Told(event, event.decoded()) for event in events]
    order_id = parent_of(events, ident)
    approved = next((item for item in told if isinstance(item.payload, PlanApproved) and _has(item, order_id)), None)
    if approved is None or not isinstance(approved.payload, PlanApproved):
        raise UnknownRecord(
            f"{ident!r} is no leg of an approved plan, nor a child of one", remedy="Name an order with `parley costs`."
        )
    plan, verdict = approved.payload.plan, approved.payload.verdict
    leg = next(item for item in plan.legs if item.order_id == order_id)
    mine = [item for item in told if item.event.order_id == order_id]
    children = _children(mine)
    fills = told_fills = _standing(mine)
    if ident != order_id:
        children = [child for child in children if child["child"]["client_order_id"] == ident]
        told_fills = [fill for fill in fills if fill.client_order_id == ident]
    return {
        "id": ident,
        "kind": "order" if ident == order_id else "child",
        "run_id": approved.event.run_id,
        "order": {**_plain(leg), "plan_id": plan.plan_id, "plan_as_of": utc_text(plan.as_of)},
        "decision": _decision(told, plan.decision_id, leg.symbol),
        "gate": _gate(approved.event, verdict, leg.symbol, len(plan.legs)),
        "children": children,
        "reports": [_report(item.event) for item in mine],
        "fills": [_plain(fill) for fill in told_fills],
        "busted": [_plain(item.payload) for item in mine if isinstance(item.payload, FillBusted)],
        "best_execution": best_execution(leg, verdict, mine, fills, _close_price(told, leg.symbol)),
        "desk": _desk_events(told, leg, mine),
    }


def parent_of(events: Sequence[Event], ident: str) -> str:
    """The parent order that an id names: its own, or that of a child."""
    for event in events:
        if event.order_id is not None and isinstance(event.payload, dict):
            child = event.payload.get("child")
            if isinstance(child, dict) and child.get("client_order_id") == ident:
                return event.order_id
    return ident


def _has(item: Told, order_id: str) -> bool:
    payload = item.payload
    return isinstance(payload, PlanApproved) and any(leg.order_id == order_id for leg in payload.plan.legs)


def _plain(model: BaseModel) -> Document:
    return model.model_dump(mode="json")


def _decision(told: Sequence[Told], decision_id: str, symbol: str) -> Document:
    """What was known, said and voted about this instrument when it was decided."""
    made = next(
        (item for item in told if isinstance(item.payload, DecisionMade) and item.event.decision_id == decision_id),
        None,
    )
    if made is None or not isinstance(made.payload, DecisionMade):
        raise UnknownRecord(
            f"decision {decision_id} is not among the events", remedy="Run `parley verify`: the log lacks it."
        )
    entries = [
        entry
        for item in told
        if isinstance(item.payload, EvidenceRecorded) and item.payload.decision_id == decision_id
        for entry in item.payload.entries
    ]
    calls = [
        call
        for item in told
        if isinstance(item.payload, ModelReplied) and item.payload.decision_id == decision_id
        for call in item.payload.calls
    ]
    decision = made.payload.decision
    return {
        "event": made.event.id,
        "decision_id": decision_id,
        "as_of": utc_text(decision.as_of),
        "kind": decision.kind,
        "summary": decision.summary,
        "regime": decision.regime.value,
        "intent": _plain(decision.intent) if decision.intent else None,
        "snapshot": _snapshot(decision, symbol),
        "evidence": [_evidence(entry, symbol) for entry in entries],
        "model_calls": [_call(call) for call in calls],
        **_opinions(decision, symbol),
    }


def _snapshot(decision: Decision, symbol: str) -> Document:
    """What the decision started from, with this instrument's price and position."""
    snapshot = decision.snapshot
    document = snapshot.model_dump(mode="json", exclude={"portfolio", "prices", "symbols"})
    price, position = snapshot.prices.get(symbol), snapshot.portfolio.position(symbol)
    return {
        **document,
        "cash": str(snapshot.portfolio.cash),
        "price": None if price is None else str(price),
        "position": _plain(position) if position else None,
    }


def _evidence(entry: Evidence, symbol: str) -> Document:
    """A ledger entry; an output that has a part for each instrument is cut down to this one's."""
    output: JsonValue = entry.output
    if isinstance(output, dict) and symbol in output:
        output = {symbol: output[symbol]}
    return {**_plain(entry), "output": output}


def _call(call: ModelCall) -> Document:
    return call.model_dump(mode="json", exclude={"reply"})


def _opinions(decision: Decision, symbol: str) -> Document:
    assessment, targets, consensus = decision.assessment, decision.targets, decision.consensus
    return {
        "views": [
            {
                "source": view.source.value,
                "score": view.scores.get(symbol),
                "abstention": _plain(view.abstention) if view.abstention else None,
                "evidence": list(view.evidence),
            }
            for view in decision.views
        ],
        "signals": [_plain(signal) for signal in decision.signals if signal.symbol == symbol],
        "risk": None
        if assessment is None
        else {
            **assessment.model_dump(mode="json", exclude={"max_weights"}),
            "max_weight": assessment.max_weights.get(symbol),
        },
        "target": None
        if targets is None
        else {
            "weight": targets.weights.get(symbol),
            "held": targets.held.get(symbol),
            "path": [_plain(step) for step in targets.path],
            "evidence": list(targets.evidence),
        },
        "votes": [_plain(vote) for vote in decision.votes if vote.symbol == symbol],
        "consensus": None
        if consensus is None
        else {
            "weights": {agent.value: weight for agent, weight in consensus.weights.items()},
            "legs": [_plain(leg) for leg in consensus.legs if leg.symbol == symbol],
        },
        "abstentions": [_plain(item) for item in decision.abstentions],
        "earlier_vetoes": len([verdict for verdict in decision.verdicts if not verdict.approved]),
    }


def _gate(event: Event, verdict: Verdict, symbol: str, legs: int) -> Document:
    """The gate's table: the checks of the whole plan and those of this leg, passed ones too."""
    document = verdict.model_dump(mode="json", exclude={"checks"})
    checks = [_plain(check) for check in verdict.checks if check.symbol in (None, symbol)]
    return {"event": event.id, "legs_in_plan": legs, **document, "checks": checks}


def _children(mine: Sequence[Told]) -> list[Document]:
    """Each reviewed child with its answer and all that was told of it."""
    children: list[Document] = []
    for item in mine:
        payload = item.payload
        if isinstance(payload, ChildSubmitted):
            review: Document = {"approved": True, "verdict_hash": payload.verdict_hash}
            children.append(_child(item.event, payload.child, review, mine))
        elif isinstance(payload, ChildDenied):
            denied: Document = {"approved": False, "verdict": _plain(payload.verdict)}
            children.append(_child(item.event, payload.child, denied, mine))
    return children


def _child(event: Event, child: ChildOrder, review: Document, mine: Sequence[Told]) -> Document:
    name = child.client_order_id
    reports = [item.event for item in mine if _is_about(item.payload, name)]
    return {
        "event": event.id,
        "at": utc_text(event.event_time),
        "child": _plain(child),
        "review": review,
        "reports": [report.id for report in reports],
    }


def _is_about(payload: Payload, client_order_id: str) -> bool:
    fill = getattr(payload, "fill", None)
    return client_order_id in (getattr(payload, "client_order_id", None), getattr(fill, "client_order_id", None))


def _report(event: Event) -> Document:
    """One event about the order, whole, with its place in the chain."""
    return {
        "seq": event.seq,
        "id": event.id,
        "type": event.type,
        "at": utc_text(event.event_time),
        "actor": _plain(event.actor),
        "cause_id": event.cause_id,
        "hash": event.hash,
        "payload": event.payload,
    }


def _standing(mine: Sequence[Told]) -> list[Fill]:
    fills: dict[str, Fill] = {}
    for item in mine:
        if isinstance(item.payload, OrderFilled):
            fills.setdefault(item.payload.fill.execution_id, item.payload.fill)
        elif isinstance(item.payload, FillBusted):
            fills.pop(item.payload.execution_id, None)
    return list(fills.values())


def _close_price(told: Sequence[Told], symbol: str) -> str | None:
    """The close of the session it was worked in, where the desk still held the instrument."""
    worked = [item.event.seq for item in told if isinstance(item.payload, OrderOpened | OrderClosed)]
    marks = [
        item.payload.prices.get(symbol)
        for item in told
        if isinstance(item.payload, PortfolioMarked) and worked and item.event.seq > worked[0]
    ]
    return str(marks[0]) if marks and marks[0] is not None else None


def _desk_events(told: Sequence[Told], leg: ParentOrder, mine: Sequence[Told]) -> list[Document]:
    """What else happened that touched it: restrictions, people's commands, differences of the books, alarms."""
    names = {leg.symbol, leg.order_id}
    for item in mine:
        fill = getattr(item.payload, "fill", None)
        names |= {getattr(item.payload, "client_order_id", ""), getattr(fill, "execution_id", "")}
        names |= {getattr(fill, "client_order_id", ""), getattr(fill, "venue", "")}
    found: list[Document] = []
    for item in told:
        match item.payload:
            case TradingStateChanged() | OperatorAsked():
                scope = item.payload.scope
                touches = scope.kind in ("account", "strategy") or scope.name in names
            case BookReconciled():
                touches = any(difference.subject in names for difference in item.payload.differences)
            case ApprovalAsked() | ApprovalAnswered():
                touches = item.payload.decision_id == leg.decision_id
            case NotificationRaised() | IncidentRecorded():
                touches = True
            case _:
                touches = False
        if touches:
            found.append(_report(item.event))
    return found
