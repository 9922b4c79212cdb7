"""The effects of a yes or no to a plan that waits: which it is, what is in it, and why an answer would not count."""

from pydantic import JsonValue

from ...desk.operator import OperatorIntent, parse_intent
from ...domain.approval_events import ApprovalAsked
from ...domain.events import PlanApproved
from ..answers.approvals import approval_lines
from ..answers.reader import Reading
from .intent import Approve, Reject

MAX_LEGS = 40


def plan_answered(reading: Reading, intent: Approve | Reject) -> dict[str, JsonValue]:
    """The one plan that waits, or the one that is named. What would be approved is in it whole, so that a token is
    bound to that content."""
    asked = _asked(reading, intent.decision)
    if asked is None:
        return {"idle": True, "refusal": _answer_before(reading, intent.decision or "")}
    answer = "approved" if isinstance(intent, Approve) else "rejected"
    now = next(reading.read(after=reading.seq - 1)).event_time
    refusal = reading.standing.refusal_of(answer, asked.decision_id, asked.plan_hash, now)
    if answer == "approved" and reading.post.flag.is_raised:
        refusal = "the kill flag is up: nothing is approved before it is taken down"
    refusal = _answer_on_its_way(reading, asked) or refusal
    return {
        "decision_id": asked.decision_id,
        "plan_id": asked.plan_id,
        "plan_hash": asked.plan_hash,
        "until": asked.until.isoformat(),
        "turnover_frac": asked.turnover_frac,
        "new_symbols": list(asked.new_symbols),
        "reasons": [reason.model_dump(mode="json") for reason in asked.reasons],
        "legs": plan_legs(reading, asked.decision_id),
        "refusal": refusal,
        "idle": False,
    }


def plan_legs(reading: Reading, decision_id: str) -> list[JsonValue]:
    """The legs of an approved plan, the largest first."""
    event = next(reading.read(PlanApproved, decision_id=decision_id), None)
    payload = event.decoded() if event is not None else None
    legs = payload.plan.legs if isinstance(payload, PlanApproved) else ()
    equity = reading.equity
    largest = sorted(legs, key=lambda leg: (-leg.notional, leg.symbol))[:MAX_LEGS]
    return [
        {
            "order_id": leg.order_id,
            "symbol": leg.symbol,
            "side": leg.side.value,
            "quantity": leg.quantity,
            "price": float(leg.reference_price),
            "value": float(leg.notional),
            "weight": float(leg.notional / equity) if equity > 0 else None,
        }
        for leg in largest
    ]


def _answer_before(reading: Reading, decision: str) -> str:
    """What the log says was answered, by whom and when; nothing where it was not."""
    for line in reversed(approval_lines(reading)):
        if line.decision_id == decision and line.answered_at is not None:
            who = f" by {line.user}" if line.user else ""
            return f"the plan of {decision} was answered before: {line.state}{who} at {line.answered_at}"
    return ""


def _answer_on_its_way(reading: Reading, asked: ApprovalAsked) -> str:
    """An answer to this plan that was left for the running desk, and that it has not taken in yet."""
    inbox = reading.post.inbox
    for note in inbox.waiting()[0]:
        sent = parse_intent(note.content)
        if not isinstance(sent, OperatorIntent) or sent.command not in ("approve", "reject"):
            continue
        if sent.detail.get("plan_hash") == asked.plan_hash:
            at = inbox.left_at(note.note_id)
            when = f" at {at.isoformat(timespec='seconds')}" if at is not None else ""
            said = f"{sent.command} by {sent.user}{when}"
            return f"the plan of {asked.decision_id} was answered before: {said}; the desk takes it in at its next look"
    return ""


def _asked(reading: Reading, decision: str | None) -> ApprovalAsked | None:
    waiting = reading.standing.awaiting
    found = [asked for name, asked in waiting.items() if decision is None or name.startswith(decision)]
    return found[0] if len(found) == 1 else None
