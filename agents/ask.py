"""Asks a chat model: deadline, budget, one repair turn, a fallback where one is set, and else an abstention."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from ..domain.decisions import ModelCall
from ..domain.views import AbstainReason, Abstention
from ..prompts.loader import Prompt, load_prompt
from .budget import Budget
from .llm.calling import call_model
from .llm.port import ChatModel, ChatRequest, facts_json, request_tokens
from .llm.rules import FALLBACK_MODEL

Reply = TypeVar("Reply", bound=BaseModel)

MAX_FAULTS_SHOWN = 5
QUOTING = frozenset({"json_invalid", "union_tag_invalid", "value_error", "assertion_error"})
"""Faults whose description may quote the reply itself; of the others it names what was expected."""

FALLBACK_TIMEOUT_S = 5.0
"""The rules answer in a millisecond."""

FOREIGN_KEY = "extra_forbidden"
"""Pydantic's name for a field the reply made up: its name is the model's own words, and is not repeated to it."""


@dataclass(frozen=True, slots=True)
class Asking:
    """How questions are asked in one run: the model, the deadline and the size bounds.

    `names` says which nodes another model than the usual one answers; `fallback` answers where a model did not.
    """

    model: ChatModel
    timeout_s: float = 30.0
    max_tokens: int = 2000
    max_prompt_chars: int = 120_000
    names: Mapping[str, str] = field(default_factory=dict)
    fallback: ChatModel | None = None

    async def call(self, request: ChatRequest) -> ModelCall:
        """One call, recorded under the name of the node's model."""
        return await call_model(self.model, self.names.get(request.node, self.model.name), request, self.timeout_s)


@dataclass(frozen=True, slots=True)
class Question(Generic[Reply]):
    """What a node wants to know: the facts it shows, under which prompt, and the type of reply it can use."""

    node: str
    prompt: str | Prompt
    facts: Mapping[str, object]
    reply_type: type[Reply]

    @property
    def text(self) -> Prompt:
        """The prompt itself, where its name was given."""
        return load_prompt(self.prompt) if isinstance(self.prompt, str) else self.prompt


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
        again = replace(requests[place], repair=_repair(questions[place], answer.calls[-1]))
        if (tokens := request_tokens(again)) <= tokens_left:
            repairs_left, tokens_left = repairs_left - 1, tokens_left - tokens
            answers[place] = _parsed(questions[place], (*answer.calls, await asking.call(again)))
    if asking.fallback is None:
        return answers
    parts = zip(questions, requests, answers, strict=True)
    return [part[2] if part[2].value is not None else await _fallen_back(asking.fallback, *part) for part in parts]


def _request(asking: Asking, question: Question[Reply]) -> ChatRequest:
    return ChatRequest(
        question.node,
        question.text,
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
    return _parsed(question, (await asking.call(request),))


def _did_not_parse(answer: Answer[Reply]) -> bool:
    return answer.abstention is not None and answer.abstention.reason is AbstainReason.UNPARSABLE


def _parsed(question: Question[Reply], calls: tuple[ModelCall, ...]) -> Answer[Reply]:
    """The last call's reply as its type. Strict: "90" and 90.0 are no integers, whatever they look like."""
    call = calls[-1]
    if call.error is not None:
        failed = Abstention(who=question.node, reason=AbstainReason.MODEL_FAILED, text=call.error)
        return Answer(None, failed, calls)
    try:
        return Answer(_reply(question, call), None, calls)
    except ValidationError as error:
        text = f"reply does not fit {question.reply_type.__name__}: {error.error_count()} faults"
        return Answer(None, Abstention(who=question.node, reason=AbstainReason.UNPARSABLE, text=text), calls)


def _reply(question: Question[Reply], call: ModelCall) -> Reply:
    return question.reply_type.model_validate_json(json_part(call.reply), strict=True)


def _repair(question: Question[Reply], call: ModelCall) -> str:
    """What to say to a reply that did not parse: where its faults are, and never what stood there."""
    faults: list[str] = []
    try:
        _reply(question, call)
    except ValidationError as error:
        for fault in error.errors(include_input=False, include_url=False, include_context=False)[:MAX_FAULTS_SHOWN]:
            is_foreign = fault["type"] == FOREIGN_KEY
            place = ".".join(str(part) for part in (fault["loc"][:-1] if is_foreign else fault["loc"]))
            text = "not what was asked for" if is_foreign or fault["type"] in QUOTING else fault["msg"]
            faults.append(f"- {place or 'the reply'}: {text}")
    return "\n".join([load_prompt("ask/repair").system, *faults])


async def _fallen_back(
    rules: ChatModel, question: Question[Reply], request: ChatRequest, answer: Answer[Reply]
) -> Answer[Reply]:
    """The rules' answer in the model's place: the record names it for what it is."""
    call = await call_model(rules, FALLBACK_MODEL, request, FALLBACK_TIMEOUT_S)
    answered = _parsed(question, (*answer.calls, call))
    return answered if answered.value is not None else answer


def json_part(text: str) -> str:
    """The outermost braces of a reply: models like to wrap JSON in prose or fences."""
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else text
