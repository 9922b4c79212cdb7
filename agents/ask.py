"""Asks a chat model: deadline, budget, one repair turn, a recording, and an abstention when all of it fails."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from ..domain.decisions import ModelCall
from ..domain.views import AbstainReason, Abstention
from ..prompts.loader import load_prompt
from .budget import Budget
from .errors import ModelFailed
from .llm.port import ChatModel, ChatRequest, facts_json, request_tokens

Reply = TypeVar("Reply", bound=BaseModel)

MAX_CHARS_PER_TOKEN = 32
"""A reply longer than this times the tokens allowed did not keep to them; the log need not hold it."""


@dataclass(frozen=True, slots=True)
class Asking:
    """How questions are asked in one run: the model, the deadline and the size bounds."""

    model: ChatModel
    timeout_s: float = 30.0
    max_tokens: int = 2000
    max_prompt_chars: int = 120_000


@dataclass(frozen=True, slots=True)
class Question(Generic[Reply]):
    """What a node wants to know: the facts it shows, under which prompt, and the type of reply it can use."""

    node: str
    prompt: str
    facts: Mapping[str, object]
    reply_type: type[Reply]


@dataclass(frozen=True, slots=True)
class Answer(Generic[Reply]):
    """A parsed reply, or the reason there is none; every call made on the way is in `calls`."""

    value: Reply | None
    abstention: Abstention | None
    calls: tuple[ModelCall, ...]


async def ask(asking: Asking, budget: Budget, question: Question[Reply]) -> Answer[Reply]:
    """One question; a reply that does not parse is asked for once more if the budget allows, then is an abstention."""
    return (await ask_all(asking, budget, [question]))[0]


async def ask_all(asking: Asking, budget: Budget, questions: Sequence[Question[Reply]]) -> list[Answer[Reply]]:
    """Questions side by side. What the budget cannot cover goes unasked, by the order of the questions:

    never by who answered first, or the same decision could come out differently.
    """
    requests = [_request(asking, question) for question in questions]
    tokens_left, covered = budget.prompt_tokens, list[bool]()
    for request in requests:
        tokens = request_tokens(request)
        covered.append(len(request.facts) <= asking.max_prompt_chars and tokens <= tokens_left)
        tokens_left -= tokens if covered[-1] else 0
    parts = zip(questions, requests, covered, strict=True)
    answers = list(await asyncio.gather(*(_first_try(asking, *part) for part in parts)))
    repairs_left = budget.repairs
    for place, answer in enumerate(answers):
        if not _did_not_parse(answer) or repairs_left < 1:
            continue
        again = replace(requests[place], repair=load_prompt("ask/repair").system)
        if (tokens := request_tokens(again)) <= tokens_left:
            repairs_left, tokens_left = repairs_left - 1, tokens_left - tokens
            answers[place] = _parsed(questions[place], (*answer.calls, await _call(asking, again)))
    return answers


def _request(asking: Asking, question: Question[Reply]) -> ChatRequest:
    return ChatRequest(
        question.node,
        load_prompt(question.prompt),
        facts_json(question.facts),
        question.reply_type,
        asking.max_tokens,
    )


async def _first_try(
    asking: Asking, question: Question[Reply], request: ChatRequest, is_covered: bool
) -> Answer[Reply]:
    """The answer to a first call, or the abstention of a question that the budget does not cover."""
    if not is_covered:
        text = f"{len(request.facts)} characters of facts, about {request_tokens(request)} tokens, are over the budget"
        return Answer(None, Abstention(who=question.node, reason=AbstainReason.OUT_OF_BUDGET, text=text), ())
    return _parsed(question, (await _call(asking, request),))


def _did_not_parse(answer: Answer[Reply]) -> bool:
    return answer.abstention is not None and answer.abstention.reason is AbstainReason.UNPARSABLE


def _parsed(question: Question[Reply], calls: tuple[ModelCall, ...]) -> Answer[Reply]:
    """The last call's reply as its type. Strict: "90" and 90.0 are no integers, whatever they look like."""
    call = calls[-1]
    if call.error is not None:
        failed = Abstention(who=question.node, reason=AbstainReason.MODEL_FAILED, text=call.error)
        return Answer(None, failed, calls)
    try:
        return Answer(question.reply_type.model_validate_json(_json_part(call.reply), strict=True), None, calls)
    except ValidationError as error:
        text = f"reply does not fit {question.reply_type.__name__}: {error.error_count()} faults"
        return Answer(None, Abstention(who=question.node, reason=AbstainReason.UNPARSABLE, text=text), calls)


async def _call(asking: Asking, request: ChatRequest) -> ModelCall:
    """One call, recorded whether it failed or not; a failed one is counted as having sent its prompt."""
    reply, error, tokens = "", None, (request_tokens(request), 0)
    try:
        async with asyncio.timeout(asking.timeout_s):
            answer = await asking.model.complete(request)
        tokens = (answer.prompt_tokens, answer.completion_tokens)
        if len(answer.text) > MAX_CHARS_PER_TOKEN * request.max_tokens:
            error = f"a reply of {len(answer.text)} characters, where {request.max_tokens} tokens were allowed"
        else:
            # Half of a surrogate pair is legal in JSON and in a Python string, but not in UTF-8.
            reply = answer.text.encode("utf-8", "replace").decode("utf-8")
    except ModelFailed as failed:
        error = failed.message
    except TimeoutError:
        error = f"no reply within {asking.timeout_s:g} s"
    return ModelCall(
        node=request.node,
        prompt=request.prompt.name,
        prompt_version=request.prompt.version,
        prompt_hash=request.prompt.hash,
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
