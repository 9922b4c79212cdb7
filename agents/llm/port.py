"""The chat-model port: one request in, one reply out, and a hash that makes replies replayable."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from pydantic import BaseModel

from ...domain.canonical import content_hash
from ...prompts.loader import Prompt

FENCE = "```"

UNPORTABLE = frozenset({"maxItems", "minItems", "maxLength", "minLength", "title", "description"})


@dataclass(frozen=True)
class ChatRequest:
    """One question: fixed system text, facts as fenced JSON, and the schema the reply must meet.

    `repair` is the line added on a second try; it never quotes the first reply.
    """

    node: str
    prompt: Prompt
    facts: str
    reply_type: type[BaseModel]
    max_tokens: int
    repair: str = ""

    @property
    def user(self) -> str:
        """The message as sent: the facts fenced as data, and the line added on a second try."""
        text = f"Facts, as data:\n{FENCE}json\n{self.facts}\n{FENCE}"
        return f"{text}\n{self.repair}" if self.repair else text

    @property
    def reply_schema(self) -> dict[str, object]:
        """The reply's JSON schema as servers take it; what is left out here is still checked when parsing."""
        return portable_schema(self.reply_type.model_json_schema())

    @cached_property
    def hash(self) -> str:
        """Identifies the question in a recording: prompt, content and reply type, not the model."""
        return content_hash(
            {
                "node": self.node,
                "prompt": self.prompt.hash,
                "user": self.user,
                "reply": self.reply_type.__name__,
                "max_tokens": self.max_tokens,
            }
        )


@dataclass(frozen=True, slots=True)
class ChatReply:
    text: str
    prompt_tokens: int
    completion_tokens: int


class ChatModel(Protocol):
    """What a node needs of a model. `is_deterministic` models may be asked again instead of remembered."""

    @property
    def name(self) -> str: ...

    @property
    def is_deterministic(self) -> bool: ...

    async def complete(self, request: ChatRequest) -> ChatReply:
        """The model's reply; raises ModelFailed when there is none."""
        ...


def portable_schema(schema: dict[str, object]) -> dict[str, object]:
    """A schema without length bounds: llama.cpp refuses a grammar of 2000 repetitions, strict modes the keyword."""
    return {
        key: portable_schema(value) if isinstance(value, dict) else value
        for key, value in schema.items()
        if key not in UNPORTABLE
    }


def facts_json(facts: Mapping[str, object]) -> str:
    """Facts as compact JSON in the order given; a text among them can't write the fence that ends them."""
    text = json.dumps(facts, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("`", "\\u0060")


def rough_tokens(text: str) -> int:
    """About four bytes a token: used for bounds, and where a server reports no usage."""
    return (len(text.encode("utf-8")) + 3) // 4


def request_tokens(request: ChatRequest) -> int:
    """About what a request costs to read."""
    return rough_tokens(request.prompt.system) + rough_tokens(request.user)
