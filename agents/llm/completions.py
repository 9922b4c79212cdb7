"""Our requests as Chat Completions bodies, and completions as our replies: the one place that knows both."""

import json
import re

from ...prompts.loader import load_prompt
from ..errors import WireFailed
from .dialect import Dialect, OutputForm
from .port import FENCE, ChatReply, ChatRequest, request_tokens, rough_tokens
from .tool_choice import ToolCall, choice_schema, choices_text, chosen_text, native_tools
from .wire import Body

MAX_TOKENS_REPORTED = 100_000_000
"""More than that in one usage report is a fault of the server's, not a count."""

_THOUGHTS = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)


def completion_body(
    request: ChatRequest, model: str, dialect: Dialect, *, is_native: bool = False, is_streaming: bool = False
) -> Body:
    """The request in this dialect. `is_native`: tools on offer go as tools, and not as a schema."""
    by_schema = bool(request.tools) and not is_native
    body: Body = {"model": model, "messages": _messages(request, by_schema)}
    limit = "max_completion_tokens" if dialect.is_limit_renamed else "max_tokens"
    body |= {limit: request.max_tokens, "temperature": 0.0, "seed": 0}
    if is_streaming:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    if request.tools and is_native:
        body |= {"tools": native_tools(request.tools), "tool_choice": "auto"}
    else:
        body |= _reply_form(request, dialect.form)
    return {key: value for key, value in body.items() if key not in dialect.without}


def read_completion(payload: Body, request: ChatRequest) -> ChatReply:
    """The completion's text and usage; tool calls become text, in the form a reply without them has."""
    choices = payload.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        raise WireFailed("the reply holds no message")
    calls = tool_calls_of(message)
    if calls and not request.tools:
        text = calls[0].arguments  # the reply type, asked for as a tool
    else:
        text = chosen_text(calls) if calls else _THOUGHTS.sub("", _content(message))
    usage = payload.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    return ChatReply(
        text=text,
        prompt_tokens=_count(counts.get("prompt_tokens"), request_tokens(request)),
        completion_tokens=_count(counts.get("completion_tokens"), rough_tokens(text)),
    )


def readable(request: ChatRequest) -> str:
    """The whole question as JSON, for a person who reviews a recording."""
    return json.dumps(_messages(request, bool(request.tools)), ensure_ascii=False)


def tool_calls_of(message: Body) -> list[ToolCall]:
    """The tool calls in a message, as far as they name one."""
    rows = message.get("tool_calls")
    found: list[ToolCall] = []
    for row in rows if isinstance(rows, list) else ():
        function = row.get("function") if isinstance(row, dict) else None
        if isinstance(function, dict) and isinstance(function.get("name"), str):
            arguments = function.get("arguments")
            found.append(ToolCall(function["name"], arguments if isinstance(arguments, str) else json.dumps(arguments)))
    return found


def _messages(request: ChatRequest, by_schema: bool) -> list[dict[str, str]]:
    """System first and unchanging, so that servers can cache it; neighbors of one role as one message.

    Many chat templates refuse two messages of the same role in a row.
    """
    system = request.prompt.system
    if by_schema:
        offer = f"Tools, as data:\n{FENCE}json\n{choices_text(request.tools)}\n{FENCE}"
        system = f"{system}\n\n{load_prompt('ask/tools').system}\n{offer}"
    messages = [{"role": "system", "content": system}]
    said = [("user", request.user)] if request.user else []
    said += [(turn.role, f"{turn.who}: {turn.text}" if turn.who else turn.text) for turn in request.turns]
    for role, text in said:
        if messages[-1]["role"] == role:
            messages[-1] = {"role": role, "content": f"{messages[-1]['content']}\n\n{text}"}
        else:
            messages.append({"role": role, "content": text})
    return messages


def _reply_form(request: ChatRequest, form: OutputForm) -> Body:
    """What holds the reply to its schema in this form; nothing for free text."""
    schema = choice_schema(request.tools) if request.tools else request.reply_schema
    name = request.reply_name or "Choice"
    if schema is None or form is OutputForm.TEXT:
        return {}
    if form is OutputForm.SCHEMA:
        # Strict mode wants one closed object at the root, which a choice is not.
        shape = {"name": name, "schema": schema, "strict": not request.tools}
        return {"response_format": {"type": "json_schema", "json_schema": shape}}
    if form is OutputForm.TOOL and not request.tools:
        function = {"name": name, "parameters": schema}
        choice = {"type": "function", "function": {"name": name}}
        return {"tools": [{"type": "function", "function": function}], "tool_choice": choice}
    return {"response_format": {"type": "json_object"}}


def _content(message: Body) -> str:
    """The words of a message: its content, the texts of its parts, or a refusal."""
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    if not content:
        content = message.get("refusal")
    return content if isinstance(content, str) else ""


def _count(value: object, otherwise: int) -> int:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_TOKENS_REPORTED
    return value if is_count and isinstance(value, int) else otherwise
