"""A model that fails is counted as a failure: an abstention with its reason, and never a HOLD that nobody said."""

from dataclasses import dataclass, field

from ...agents.errors import ModelFailed
from ...agents.llm.port import ChatModel, ChatReply, ChatRequest
from ...agents.llm.rules import rules_reply
from ...domain.events import DecisionMade, ModelReplied
from ...domain.views import AbstainReason
from .finding import Finding, Ground, caught, clean
from .playing import Rig, play

FAILING = "analyst/views"
"""The prompt whose answers are lost: a HOLD in their place would look like an opinion on every name."""


@dataclass
class FailingModel:
    """The rules, but for one question that never gets its answer; it keeps count of what it did not answer."""

    name: str = "rules-failing"
    is_deterministic: bool = True
    failed: int = field(default=0)

    async def complete(self, request: ChatRequest) -> ChatReply:
        if request.prompt.name == FAILING:
            self.failed += 1
            raise ModelFailed("the line went dead", remedy="This one is meant to.")
        return ChatReply(rules_reply(request.prompt.name, request.facts), 1, 1)


def failure_probe(here: Ground, rig: Rig) -> Finding:
    """Each failed call has its record, and each decision that lost one has an abstention that says so."""
    failing = FailingModel()
    model: ChatModel = failing if rig.around is None else rig.around(failing)
    events = play(here.data, here.days, here.cut, Rig(model=model))
    decided = [payload.decision for event in events if isinstance(payload := event.decoded(), DecisionMade)]
    calls = [call for event in events if isinstance(payload := event.decoded(), ModelReplied) for call in payload.calls]
    recorded = sum(call.error is not None for call in calls)
    if recorded != failing.failed:
        return caught(f"{failing.failed} calls failed and {recorded} are recorded as failed", len(calls))
    for decision in decided:
        said = any(item.reason is AbstainReason.MODEL_FAILED for item in decision.abstentions)
        if decision.kind != "refused" and not said:
            return caught(f"{decision.snapshot.session}: a call failed and nobody abstained", len(calls))
    return clean(f"{failing.failed} failed calls are {recorded} recorded failures, each with an abstention", len(calls))
