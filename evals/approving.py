"""Human approval in the day loop: asks for a plan after its decision, and says before its session what may be worked.

Nothing waits here. Time passes between two steps of the loop, a person's answer comes in like every other request, and
whoever has not answered by the eve of the session has said no. In a run that takes one step after the other at once
nobody has the time, unless the answer lies in the inbox already.
"""

from datetime import datetime, timedelta
from typing import get_args

from ..agents.llm.rules import FALLBACK_MODEL
from ..desk.approval_rule import RunSoFar, added_risk, approval_reasons
from ..desk.desk import Desk
from ..domain.approval_events import ApprovalAnswer, ApprovalAnswered, ApprovalAsked
from ..domain.decisions import Decision
from ..domain.events import ModelReplied, RegimeChanged
from ..domain.views import Regime
from ..execution.controls import Controls
from ..memory.log import EventLog


class Approving:
    """One run's plans before a person. With the mode off it does nothing at all."""

    def __init__(self, desk: Desk, controls: Controls) -> None:
        self._desk, self._controls, self._rule = desk, controls, desk.settings.approval

    def ask(self, decision: Decision, eve: datetime) -> None:
        """Ask for the plan of this decision where the rule says so; `eve` is when it would be worked at the latest."""
        if self._rule.mode == "off" or decision.plan is None or decision.verdict is None:
            return
        approvals = self._controls.standing.approvals
        reasons = approval_reasons(
            decision, so_far(self._desk.log, decision.decision_id, approvals.last_approved), self._rule
        )
        added = added_risk(decision)
        if not reasons or added is None:
            return
        waits = self._rule.timeout_minutes
        until = eve if waits is None else min(eve, decision.as_of + timedelta(minutes=waits))
        asked = ApprovalAsked(
            decision_id=decision.decision_id,
            plan_id=decision.plan.plan_id,
            plan_hash=decision.verdict.content_hash,
            limits_hash=decision.verdict.limits_hash,
            reasons=reasons,
            turnover_frac=added.turnover_frac,
            largest_leg_frac=added.largest_leg_frac,
            new_symbols=added.new_symbols,
            until=until,
        )
        self._controls.ask_approval(asked, decision.as_of)

    def released(self, decision: Decision | None, eve: datetime) -> Decision | None:
        """What may be worked of a decision: all of it where nobody was asked or the answer was yes, else no plan."""
        approvals = self._controls.standing.approvals
        if decision is None or not approvals.was_asked(decision.decision_id):
            return decision
        self._controls.states(eve)
        answered = approvals.answered.get(decision.decision_id)
        if answered is not None and answered.answer == "approved" and answered.plan_hash == _plan_hash(decision):
            return decision
        return decision.model_copy(update={"plan": None})


def so_far(log: EventLog, decision_id: str, last_approved: str) -> RunSoFar:
    """What the log says of the run before the plan of this decision; `last_approved` is that of a person's last yes."""
    approved_at = _approved_at(log, last_approved)
    event = log.last(RegimeChanged)
    change = event.decoded() if event is not None else None
    # The first regime that is read at all is none that the market changed to.
    is_change = isinstance(change, RegimeChanged) and change.from_regime is not Regime.UNKNOWN
    replied = log.read(types=(ModelReplied,), decision_id=decision_id)
    calls = [call for item in replied for call in ModelReplied.model_validate(item.payload).calls]
    return RunSoFar(
        has_approved=approved_at > 0,
        is_new_regime=event is not None and is_change and event.seq > approved_at,
        fallbacks=sum(call.model == FALLBACK_MODEL for call in calls),
    )


def approval_counts(log: EventLog) -> dict[str, int]:
    """How many plans a person was asked about, and how often each answer was given; empty where nobody was asked."""
    asked = sum(1 for _ in log.read(types=(ApprovalAsked,)))
    said = [ApprovalAnswered.model_validate(event.payload).answer for event in log.read(types=(ApprovalAnswered,))]
    return {"asked": asked, **{name: said.count(name) for name in get_args(ApprovalAnswer)}} if asked else {}


def _approved_at(log: EventLog, decision_id: str) -> int:
    """The event of a person's last yes; 0 before there was one."""
    events = log.read(types=(ApprovalAnswered,), decision_id=decision_id) if decision_id else ()
    return max((event.seq for event in events), default=0)


def _plan_hash(decision: Decision) -> str:
    return decision.verdict.content_hash if decision.verdict is not None else ""
