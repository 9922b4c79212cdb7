"""A model's choice of a tool as text: one closed form, whether the endpoint knows tool calls or not."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from .port import ToolSpec, portable_schema

MAX_CALLS = 8


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool and its arguments as JSON; nothing here has been checked against the tool's own schema."""

    name: str
    arguments: str


def choice_schema(tools: Sequence[ToolSpec]) -> dict[str, object]:
    """Any one of the tools with its typed arguments, or an answer in words."""
    answer = _closed({"answer": {"type": "string"}})
    return {"anyOf": [*map(_branch, tools), answer]}


def choices_text(tools: Sequence[ToolSpec]) -> str:
    """The tools as compact JSON, for the model to read."""
    rows = [{"tool": tool.name, "for": tool.description, "arguments": tool.arguments} for tool in tools]
    return json.dumps(rows, separators=(",", ":"), ensure_ascii=False).replace("`", "\\u0060")


def native_tools(tools: Sequence[ToolSpec]) -> list[dict[str, object]]:
    """The tools as Chat Completions takes them."""
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.arguments)},
        }
        for tool in tools
    ]


def chosen_text(calls: Sequence[ToolCall]) -> str:
    """Native tool calls in the closed form, so that a recording holds one form only."""
    rows = [{"tool": call.name, "arguments": _loaded(call.arguments)} for call in calls[:MAX_CALLS]]
    return json.dumps(rows[0] if len(rows) == 1 else {"calls": rows}, separators=(",", ":"))


def read_choice(text: str, tools: Sequence[ToolSpec]) -> tuple[ToolCall, ...] | str:
    """The tools chosen, or the words said; what names no tool on offer is words."""
    loaded = _loaded(_json_part(text))
    if not isinstance(loaded, dict):
        return text
    names = {tool.name for tool in tools}
    listed = loaded.get("calls")
    rows = listed if isinstance(listed, list) else [loaded]
    calls = [call for row in rows if (call := _call(row, names)) is not None]
    if calls and len(calls) == len(rows):
        return tuple(calls[:MAX_CALLS])
    answer = loaded.get("answer")
    return answer if isinstance(answer, str) else text


def _call(row: object, names: Collection[str]) -> ToolCall | None:
    """One row of a choice; anything in it may be of any type, a model wrote it."""
    name, arguments = (row.get("tool"), row.get("arguments")) if isinstance(row, dict) else (None, None)
    if not isinstance(name, str) or name not in names or not isinstance(arguments, dict):
        return None
    return ToolCall(name, json.dumps(arguments, separators=(",", ":")))


def _branch(tool: ToolSpec) -> dict[str, object]:
    return _closed({"tool": {"const": tool.name}, "arguments": portable_schema(dict(tool.arguments))})


def _closed(properties: dict[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _loaded(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text


def _refuse(constant: str) -> float:
    """NaN and infinity are no JSON: what holds one is words."""
    raise ValueError(constant)


def _json_part(text: str) -> str:
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else text
