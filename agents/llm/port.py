"""The chat-model port: one request in, one reply out, and a hash that makes replies replayable."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

from pydantic import BaseModel

from ...domain.canonical import content_hash
from ...prompts.loader import Prompt

FENCE = "```"

UNPORTABLE = frozenset({"maxItems", "minItems", "maxLength", "minLength", "title", "description"})
NAMING = frozenset({"properties", "$defs"})


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of a conversation; `who` names the participant where there are several."""

    role: Literal["user", "assistant"]
    text: str
    who: str = ""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool a model may choose: what it is for, and the JSON schema of its arguments."""

    name: str
    description: str
    arguments: Mapping[str, object]


@dataclass(frozen=True)
class ChatRequest:
    """One question: fixed system text, facts as fenced JSON, and the schema the reply must meet.

    `repair` is added on a second try; it never quotes the first reply. A conversation has `turns`, and may
    offer `tools`: then the reply is one of `tool_choice.py`'s forms. Without a `reply_type` it is free text,
    and a conversation may have no facts.
    """

    node: str
    prompt: Prompt
    facts: str
    reply_type: type[BaseModel] | None
    max_tokens: int
    repair: str = ""
    turns: tuple[Turn, ...] = ()
    tools: tuple[ToolSpec, ...] = ()

    @property
    def user(self) -> str:
        """The message as sent: the facts fenced as data, and the line added on a second try."""
        shown = f"Facts, as data:\n{FENCE}json\n{self.facts}\n{FENCE}" if self.facts else ""
        return "\n".join(part for part in (shown, self.repair) if part)

    @property
    def reply_name(self) -> str:
        """The reply type's name; empty for free text."""
        return self.reply_type.__name__ if self.reply_type else ""

    @property
    def reply_schema(self) -> dict[str, object] | None:
        """The reply's JSON schema as servers take it; what is left out here is still checked when parsing."""
        return portable_schema(self.reply_type.model_json_schema()) if self.reply_type else None

    @cached_property
    def hash(self) -> str:
        """Identifies the question in a recording: prompt, content and reply type, not the model."""
        asked: dict[str, object] = {
            "node": self.node,
            "prompt": self.prompt.hash,
            "user": self.user,
            "reply": self.reply_name,
            "max_tokens": self.max_tokens,
        }
        if self.turns:
            asked["turns"] = [[turn.role, turn.who, turn.text] for turn in self.turns]
        if self.tools:
            asked["tools"] = [[tool.name, tool.description, dict(tool.arguments)] for tool in self.tools]
        return content_hash(asked)


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
    return {key: _portable(value, key in NAMING) for key, value in schema.items() if key not in UNPORTABLE}


def _portable(value: object, holds_names: bool = False) -> object:
    """Below `properties` the keys are the reply's own names: a field may well be called `title`."""
    if isinstance(value, list):
        return [_portable(item) for item in value]
    if not isinstance(value, dict):
        return value
    if holds_names:
        return {name: _portable(part) for name, part in value.items()}
    return portable_schema(value)


def facts_json(facts: Mapping[str, object]) -> str:
    """Facts as compact JSON in the order given; a text among them can't write the fence that ends them."""
    text = json.dumps(facts, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("`", "\\u0060")


def rough_tokens(text: str) -> int:
    """About four bytes a token: used for bounds, and where a server reports no usage."""
    return (len(text.encode("utf-8")) + 3) // 4


def request_tokens(request: ChatRequest) -> int:
    """About what a request costs to read."""
    tokens = rough_tokens(request.prompt.system) + rough_tokens(request.user)
    tokens += sum(rough_tokens(turn.text) for turn in request.turns)
    return tokens + sum(rough_tokens(f"{tool.description}{json.dumps(tool.arguments)}") for tool in request.tools)
