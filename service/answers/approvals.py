"""Plans that people were asked about: what waits, until when and why, and what was answered."""

from typing import Any, Literal

from ...domain.approval_events import ApprovalAnswered, ApprovalAsked, ApprovalReason
from ...domain.events import Event
from ...domain.model import Model
from .answer import Answer, Kind
from .arguments import Shown
from .askable import Askable
from .draft import Draft, num, quote, when
from .reader import Reading

WAITING_SHOWN = 3
REASONS_SHOWN = 4


class ApprovalLine(Model):
    """One plan a person was asked about, and what became of it."""

    decision_id: str
    plan_id: str
    plan_hash: str
    state: Literal["waiting", "approved", "rejected", "timed_out"]
    asked_at: str
    until: str
    reasons: tuple[ApprovalReason, ...]
    turnover_frac: float
    largest_leg_frac: float
    new_symbols: tuple[str, ...]
    user: str
    reason: str
    """The person's, or why there was no answer."""
    answered_at: str | None
    asked_event: str
    answered_event: str | None


def approval_lines(reading: Reading) -> tuple[ApprovalLine, ...]:
    """Every plan of the run that was asked about, in the order of the log."""
    kinds = ApprovalAsked, ApprovalAnswered

    def fold() -> tuple[ApprovalLine, ...]:
        lines = dict[str, ApprovalLine]()
        for event in reading.read(*kinds):
            payload = event.decoded()
            if isinstance(payload, ApprovalAsked):
                lines[payload.decision_id] = _line(event, payload)
            elif isinstance(payload, ApprovalAnswered) and payload.decision_id in lines:
                told: dict[str, Any] = {"state": payload.answer, "user": payload.user, "reason": payload.reason}
                told |= {"answered_at": event.event_time.isoformat(), "answered_event": event.id}
                lines[payload.decision_id] = lines[payload.decision_id].model_copy(update=told)
        return tuple(lines.values())

    return reading.once("approvals", fold, of=kinds)


def approvals(reading: Reading, draft: Draft, asked: Shown) -> Answer:
    """What waits for a person now, and the newest answers."""
    lines = approval_lines(reading)
    waiting = [line for line in lines if line.state == "waiting"]
    rows = [line.model_dump(mode="json") | {"why": _why(line)} for line in reversed(lines)][: asked.limit]
    document: dict[str, Any] = {
        "mode": reading.settings.approval.mode,
        "role": reading.settings.approval.role.replace("_", " "),
        "waiting": [line.model_dump(mode="json") for line in waiting],
        "count": len(waiting),
        "asked": len(lines),
        "answers": {
            state: sum(line.state == state for line in lines) for state in ("approved", "rejected", "timed_out")
        },
        "rows": rows,
    }
    found = draft.derive(
        "approvals",
        document,
        events=[line.asked_event for line in lines[-asked.limit :]],
    )
    if reading.settings.approval.mode == "off":
        draft.say("No plan waits for a person: approval is off in this run, and the gate alone decides.")
        return draft.answer(Kind.TABLE, more="permissions")
    answers = found["answers"]
    draft.say("Plans that wait for a person: {}.", num(found["count"], "count"))
    for row in found["waiting"].rows()[:WAITING_SHOWN]:
        draft.say(
            "{} waits until {}: its legs that add risk come to {} of equity.",
            *(quote(row["decision_id"]), when(row["until"]), num(row["turnover_frac"], "frac")),
        )
    if waiting:
        for reason in found["waiting"].rows()[0]["reasons"].rows()[:REASONS_SHOWN]:
            draft.say("Why: {}.", quote(reason["text"]))
        draft.say("Say approve or reject; it takes the role {}. No answer is a no.", quote(found["role"]))
    draft.say(
        "Asked in this run: {}; approved {}, rejected {}, timed out {}.",
        *(num(found["asked"], "count"), num(answers["approved"], "count")),
        *(num(answers["rejected"], "count"), num(answers["timed_out"], "count")),
    )
    draft.table(
        {
            "decision": ("text", "decision_id"),
            "asked": ("text", "asked_at"),
            "until": ("text", "until"),
            "turnover": ("frac", "turnover_frac"),
            "state": ("text", "state"),
            "by": ("text", "user"),
            "reason": ("text", "reason"),
            "why asked": ("text", "why"),
        },
        found["rows"].rows(),
    )
    return draft.answer(Kind.TABLE, more="decision, or permissions")


def _line(event: Event, asked: ApprovalAsked) -> ApprovalLine:
    return ApprovalLine(
        decision_id=asked.decision_id,
        plan_id=asked.plan_id,
        plan_hash=asked.plan_hash,
        state="waiting",
        asked_at=event.event_time.isoformat(),
        until=asked.until.isoformat(),
        reasons=asked.reasons,
        turnover_frac=asked.turnover_frac,
        largest_leg_frac=asked.largest_leg_frac,
        new_symbols=asked.new_symbols,
        user="",
        reason="",
        answered_at=None,
        asked_event=event.id,
        answered_event=None,
    )


def _why(line: ApprovalLine) -> str:
    return "; ".join(reason.text for reason in line.reasons)


APPROVALS = (
    Askable(
        name="approvals",
        says="Plans that wait for a person's approval, and what was answered before.",
        parameters=Shown,
        answer=approvals,
        kind=Kind.TABLE,
        examples=("What waits for approval?",),
    ),
)
