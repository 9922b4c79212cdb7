"""Plans that wait for a person: which wait, what was answered, and which answers do not count."""

from collections.abc import Mapping
from datetime import datetime

from ..domain.approval_events import ApprovalAnswered, ApprovalAsked

Tightened = Mapping[str, float]


class Approvals:
    """A fold of what was asked and answered."""

    def __init__(self) -> None:
        self.awaiting: dict[str, ApprovalAsked] = {}
        """By the decision's id."""
        self.answered: dict[str, ApprovalAnswered] = {}
        self.last_approved = ""
        """The decision a person last said yes to."""
        self._asked_under: dict[str, dict[str, float]] = {}

    def ask(self, asked: ApprovalAsked, tightened: Tightened) -> None:
        """`tightened` are the limits that people had made tighter by then."""
        self.awaiting[asked.decision_id] = asked
        self._asked_under[asked.decision_id] = dict(tightened)

    def answer(self, answered: ApprovalAnswered) -> None:
        self.awaiting.pop(answered.decision_id, None)
        self._asked_under.pop(answered.decision_id, None)
        self.answered[answered.decision_id] = answered
        if answered.answer == "approved":
            self.last_approved = answered.decision_id

    def was_asked(self, decision_id: str) -> bool:
        return decision_id in self.awaiting or decision_id in self.answered

    def overdue(self, now: datetime) -> tuple[ApprovalAsked, ...]:
        """Those nobody answered in time."""
        return tuple(asked for asked in self.awaiting.values() if asked.until <= now)

    def refusal(self, decision_id: str, plan_hash: str, now: datetime) -> str:
        """Why an answer to this plan does not count; an empty text where it does."""
        asked, before = self.awaiting.get(decision_id), self.answered.get(decision_id)
        if before is not None:
            who = f" by {before.user}" if before.user else ""
            return f"the plan of {decision_id} was answered before: {before.answer}{who}"
        if asked is None:
            return f"no plan of {decision_id or 'an unnamed decision'} waits for approval"
        if plan_hash != asked.plan_hash:
            given = plan_hash[:16] or "no plan"
            return f"the plan of {decision_id} that waits is {asked.plan_hash[:16]}, and the answer is to {given}"
        if now > asked.until:
            return f"the time to answer for {decision_id} was over at {asked.until.isoformat()}"
        return ""

    def is_under_other_limits(self, decision_id: str, tightened: Tightened) -> bool:
        """Whether limits were made tighter since the plan was asked about."""
        return self._asked_under.get(decision_id, dict(tightened)) != dict(tightened)
