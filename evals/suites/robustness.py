"""The suite `robustness`: what becomes of a model's reply that is wrong, late, endless or none at all."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, TypeAdapter, ValidationError

from ...agents.ask import Answer, Asking, Question, ask
from ...agents.budget import Budget
from ...agents.errors import ModelFailed
from ...agents.llm.port import ChatReply, ChatRequest, request_tokens, rough_tokens
from ...agents.llm.rules import RulesModel
from ...agents.replies import OpinionReply
from ...desk.clock import elapsed_s
from ...domain.model import Model
from ..errors import SuiteInvalid
from ..harness.options import SuiteOptions
from ..harness.task import Outcome, Sample, Scored, Summary, Table
from .shares import share

FACTS = {"var_usage": 0.2, "drawdown_usage": 0.1}
LEG = {"symbol": "AAA", "side": "BUY", "adds_risk": True, "weight_after": 0.01, "max_weight": 0.1}
PROMPT_TOKENS = 10**6
SLACK_S = 5.0
"""What a loaded machine may add to a deadline before it counts as missed."""


class Reply(Model):
    """One way a model answers: `text` said `repeat` times, or a failure, or silence; `expect` is what the desk does."""

    id: str
    does: Literal["say", "fail", "hang"] = "say"
    text: str = ""
    repeat: int = Field(default=1, ge=1, le=2_000_000)
    second: str | None = None
    """What it says when it is asked once more; the same again without it."""
    expect: Literal["answer", "unparsable", "model_failed"]


class Misbehaving:
    """A model that answers as its sample says."""

    name = "misbehaving"
    is_deterministic = True

    def __init__(self, reply: Reply) -> None:
        self._reply, self.asked = reply, 0

    async def complete(self, request: ChatRequest) -> ChatReply:
        self.asked += 1
        if self._reply.does == "fail":
            raise ModelFailed("misbehaving: no connection", remedy="Start the endpoint.")
        if self._reply.does == "hang":
            await asyncio.Event().wait()
        text = self._reply.text * self._reply.repeat
        if self.asked > 1 and self._reply.second is not None:
            text = self._reply.second
        return ChatReply(text, request_tokens(request), rough_tokens(text))


@dataclass(frozen=True)
class Robustness:
    """Every reply, with no other model to fall back on and with one."""

    replies: tuple[Reply, ...]
    timeout_s: float
    name: str = "robustness"

    def samples(self) -> Sequence[Sample]:
        return [
            Sample(f"{reply.id}.{after}", {"reply": reply.id, "then": after}, reply.expect)
            for reply in self.replies
            for after in ("abstain", "fallback")
        ]

    def run(self, sample: Sample, epoch: int) -> Outcome:
        reply = next(item for item in self.replies if item.id == sample.input["reply"])
        falls_back = sample.input["then"] == "fallback"
        model, began_s = Misbehaving(reply), elapsed_s()
        asking = Asking(model, timeout_s=self.timeout_s, fallback=RulesModel() if falls_back else None)
        question = Question("risk_manager", "risk/opinion", {**FACTS, "legs": [LEG]}, OpinionReply)
        answer = asyncio.run(ask(asking, Budget(1, PROMPT_TOKENS), question))
        in_time = elapsed_s() - began_s <= self.timeout_s * model.asked + SLACK_S
        came = _came(answer)
        wanted = "answer" if falls_back or reply.expect == "answer" else reply.expect
        right = came == wanted and in_time
        return Outcome(
            scores={"answered": float(came == "answer"), "asked": float(model.asked), "in_time": float(in_time)},
            passed=right,
            reason="" if right else f"{came}, expected {wanted}" + ("" if in_time else "; the deadline was missed"),
            transcript={"came_to": came, "calls": [call.model for call in answer.calls]},
            calls=len(answer.calls),
            tokens=sum(call.prompt_tokens + call.completion_tokens for call in answer.calls),
        )

    def summarize(self, scored: Sequence[Scored]) -> Summary:
        bad = [item for item in scored if item.sample.target != "answer"]
        alone = [item for item in bad if item.sample.input["then"] == "abstain"]
        helped = [item for item in bad if item.sample.input["then"] == "fallback"]
        passed, in_time = (sum(item.outcome.passed is True for item in part) for part in (alone, helped)), scored
        abstained, fell_back = passed
        kept = sum(item.outcome.scores["in_time"] == 1.0 for item in in_time)
        figures = (
            share("bad_replies_abstained", abstained, len(alone), "never taken for an answer, never for a HOLD"),
            share("bad_replies_fallen_back", fell_back, len(helped)),
            share("deadlines_kept", kept, len(scored)),
        )
        rows = tuple(
            (item.sample.id, str(item.sample.target), str(_said(item)), item.outcome.scores["asked"]) for item in scored
        )
        return Summary(figures, (Table("By reply", ("sample", "expected alone", "came to", "asked"), _UNITS, rows),))


_UNITS = ("", "", "", "count")


def build(options: SuiteOptions) -> Robustness:
    try:
        replies = TypeAdapter(tuple[Reply, ...]).validate_python(options.parameters.get("replies"))
        timeout_s = TypeAdapter(float).validate_python(options.parameters.get("timeout_s"))
    except ValidationError as error:
        raise SuiteInvalid(
            f"robustness.toml: {str(error).splitlines()[0]}", remedy="Write [[parameters.replies]] as the others are."
        ) from error
    return Robustness(replies, timeout_s)


def _came(answer: Answer[OpinionReply]) -> str:
    if answer.value is not None:
        return "answer"
    return "nothing" if answer.abstention is None else answer.abstention.reason.value


def _said(item: Scored) -> object:
    transcript = item.outcome.transcript
    return transcript["came_to"] if isinstance(transcript, dict) else json.dumps(transcript)
