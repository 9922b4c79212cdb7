"""Asks a chat model one question: deadline, one repair turn, a recording, an abstention when all fails."""

import asyncio
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from ..domain.decisions import ModelCall
from ..domain.views import AbstainReason, Abstention
from ..prompts.loader import load_prompt
from .errors import ModelFailed
from .llm.port import ChatModel, ChatRequest, facts_json

Reply = TypeVar("Reply", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Answer(Generic[Reply]):
    """A parsed reply, or the reason there is none; every call made on the way is in `calls`."""

    value: Reply | None
    abstention: Abstention | None
    calls: tuple[ModelCall, ...]


@dataclass(frozen=True, slots=True)
class Asking:
    """How questions are asked in one decision: the model, the deadline and the size bounds."""

    model: ChatModel
    timeout_s: float = 30.0
    max_tokens: int = 2000
    max_prompt_chars: int = 120_000


async def ask(
    asking: Asking, node: str, prompt_name: str, facts: dict[str, object], reply_type: type[Reply]
) -> Answer[Reply]:
    """One question to the model; a reply that does not parse gets one repair turn, then is an abstention."""
    request = ChatRequest(node, load_prompt(prompt_name), facts_json(facts), reply_type, asking.max_tokens)
    if len(request.facts) > asking.max_prompt_chars:
        text = f"{len(request.facts)} characters of facts, the bound is {asking.max_prompt_chars}"
        return Answer(None, Abstention(who=node, reason=AbstainReason.OUT_OF_BUDGET, text=text), ())
    calls: list[ModelCall] = []
    complaint = ""
    for repair in ("", "Your last reply did not parse. Reply again with the JSON object only."):
        attempt = ChatRequest(node, request.prompt, request.facts, reply_type, asking.max_tokens, repair)
        call = await _call(asking, attempt)
        calls.append(call)
        if call.error is not None:
            reason = Abstention(who=node, reason=AbstainReason.MODEL_FAILED, text=call.error)
            return Answer(None, reason, tuple(calls))
        try:
            return Answer(reply_type.model_validate_json(_json_part(call.reply)), None, tuple(calls))
        except ValidationError as error:
            complaint = f"reply does not fit {reply_type.__name__}: {error.error_count()} faults"
    return Answer(None, Abstention(who=node, reason=AbstainReason.UNPARSABLE, text=complaint), tuple(calls))


async def _call(asking: Asking, request: ChatRequest) -> ModelCall:
    reply, tokens, error = "", (0, 0), None
    try:
        async with asyncio.timeout(asking.timeout_s):
            answer = await asking.model.complete(request)
        reply, tokens = answer.text, (answer.prompt_tokens, answer.completion_tokens)
    except ModelFailed as failed:
        error = failed.message
    except TimeoutError:
        error = f"no reply within {asking.timeout_s:g} s"
    return ModelCall(
        node=request.node,
        prompt=request.prompt.name,
        prompt_version=request.prompt.version,
        model=asking.model.name,
        request_hash=request.hash,
        reply=reply,
        error=error,
        prompt_tokens=tokens[0],
        completion_tokens=tokens[1],
    )


def _json_part(text: str) -> str:
    """The outermost braces of a reply: models like to wrap JSON in prose or fences."""
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else text
