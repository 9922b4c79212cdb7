"""Audits human approvals while a log is walked: each answer beside its question, and no plan worked without its yes."""

from ..domain.approval_events import ApprovalAnswered, ApprovalAsked
from ..domain.events import Event, OrderOpened, Payload, PlanApproved
from .findings import Note

Plan = tuple[str, str]
"""A plan's id and the hash of its content."""


class ApprovalRecord:
    """What must be so wherever a person was asked. Whether one had to be asked, `parley replay` tells."""

    def __init__(self, note: Note) -> None:
        self._note = note
        self._plans: dict[str, Plan] = {}
        self._asked: dict[str, ApprovalAsked] = {}
        self._answers: dict[str, str] = {}

    def take(self, event: Event, payload: Payload) -> None:
        match payload:
            case PlanApproved():
                self._plans[payload.plan.decision_id] = payload.plan.plan_id, payload.verdict.content_hash
            case ApprovalAsked():
                self._ask(event, payload)
            case ApprovalAnswered():
                for fault in self._faults(event, payload):
                    self._note("approval_differs", event.seq, f"the answer for {payload.decision_id} {fault}")
                self._answers.setdefault(payload.decision_id, payload.answer)
            case OrderOpened():
                self._opened(event, payload.order.decision_id, payload.order.order_id)
            case _:
                pass

    def _ask(self, event: Event, asked: ApprovalAsked) -> None:
        name = asked.decision_id
        if self._plans.get(name) != (asked.plan_id, asked.plan_hash):
            text = f"a person was asked about plan {asked.plan_id}, which is not what the gate approved of {name}"
            self._note("approval_differs", event.seq, text)
        if name in self._asked:
            self._note("approval_differs", event.seq, f"the plan of {name} was asked for before")
        self._asked[name] = asked

    def _faults(self, event: Event, answered: ApprovalAnswered) -> list[str]:
        asked = self._asked.get(answered.decision_id)
        if asked is None:
            return ["is to a question that nobody asked"]
        is_person = answered.answer != "timed_out"
        checks = {
            "is a second one": answered.decision_id not in self._answers,
            "is to another plan": answered.plan_hash == asked.plan_hash,
            "came after its time": not is_person or event.event_time <= asked.until,
            "is a time-out before its time": is_person or event.event_time >= asked.until,
            "names nobody, or somebody for a time-out": bool(answered.user) is is_person,
        }
        return [text for text, holds in checks.items() if not holds]

    def _opened(self, event: Event, decision_id: str, order_id: str) -> None:
        if decision_id in self._asked and self._answers.get(decision_id) != "approved":
            said = self._answers.get(decision_id, "no answer yet")
            text = f"order {order_id} was opened, and a person's answer to its plan was: {said}"
            self._note("worked_unapproved", event.seq, text)
