"""The seam to AutoGen: any chat model behind our port as one of its clients; load it lazily, AutoGen is slow to import.

What an AutoGen team asks goes the way of every other question: same deadline, same record, same replay.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Literal

from autogen_core import CancellationToken, FunctionCall, Image
from autogen_core.models import (
    AssistantMessage,
    ChatCompletionClient,
    CreateResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    ModelInfo,
    RequestUsage,
    SystemMessage,
    UserMessage,
)
from autogen_core.tools import Tool, ToolSchema
from pydantic import BaseModel

from ...domain.decisions import ModelCall
from ...prompts.loader import Prompt
from ..ask import Asking
from ..errors import BudgetSpent, ModelFailed
from .port import ChatRequest, ToolSpec, Turn, rough_tokens
from .tool_choice import ToolCall, chosen_text, read_choice

CONTEXT_TOKENS = 32_768
"""What `remaining_tokens` counts down from; our own bound on the prompt is tighter."""

ToolChoice = Tool | Literal["auto", "required", "none"]


class PortChatClient(ChatCompletionClient):
    """One participant's line to the model. `calls` is what has been asked so far: the caller puts it into the log.

    The prompt is the participant's system message, as a file with a version; the agent is built with its text.
    A call past `max_calls` or `max_prompt_tokens` raises BudgetSpent, and a failed one ModelFailed.
    """

    component_type = "model"

    def __init__(
        self,
        asking: Asking,
        node: str,
        prompt: Prompt,
        *,
        facts: str = "",
        max_calls: int = 6,
        max_prompt_tokens: int = 8_000,
    ) -> None:
        self._asking = asking
        self._node = node
        self._prompt = prompt
        self._facts = facts
        self._max_calls = max_calls
        self._max_prompt_tokens = max_prompt_tokens
        self.calls: list[ModelCall] = []

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: ToolChoice = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        offered = _offered(tools, tool_choice)
        request = ChatRequest(
            node=self._node,
            prompt=self._prompt,
            facts=self._facts,
            reply_type=json_output if isinstance(json_output, type) else None,
            max_tokens=self._asking.max_tokens,
            turns=tuple(turn for message in messages for turn in _turns(message, self._prompt)),
            tools=offered,
        )
        self._refuse_spent()
        call = await self._asking.call(request)
        self.calls.append(call)
        if call.error is not None:
            raise ModelFailed(f"{self._node}: {call.error}", remedy="Check the endpoint with `parley doctor`.")
        chosen = read_choice(call.reply, offered) if offered else call.reply
        content = chosen if isinstance(chosen, str) else self._function_calls(chosen)
        return CreateResult(
            finish_reason="stop" if isinstance(content, str) else "function_calls",
            content=content,
            usage=RequestUsage(call.prompt_tokens, call.completion_tokens),
            cached=False,
        )

    async def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: ToolChoice = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        """The whole at once: nothing is shown before it could be recorded and checked."""
        result = await self.create(messages, tools=tools, tool_choice=tool_choice, json_output=json_output)
        if isinstance(result.content, str):
            yield result.content
        yield result

    async def close(self) -> None:
        """The wire belongs to the run, not to a participant."""

    def actual_usage(self) -> RequestUsage:
        return self.total_usage()

    def total_usage(self) -> RequestUsage:
        return RequestUsage(
            sum(call.prompt_tokens for call in self.calls), sum(call.completion_tokens for call in self.calls)
        )

    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        turns = [turn for message in messages for turn in _turns(message, self._prompt)]
        return rough_tokens(self._prompt.system) + sum(rough_tokens(turn.text) for turn in turns)

    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        return CONTEXT_TOKENS - self.count_tokens(messages, tools=tools)

    @property
    def capabilities(self) -> ModelInfo:
        return self.model_info

    @property
    def model_info(self) -> ModelInfo:
        """Tools and structured output are there whatever the endpoint can do: the gateway sees to it."""
        return ModelInfo(
            vision=False,
            function_calling=True,
            json_output=True,
            family="unknown",
            structured_output=True,
            multiple_system_messages=True,
        )

    def _refuse_spent(self) -> None:
        spent = self.total_usage().prompt_tokens
        if len(self.calls) >= self._max_calls or spent >= self._max_prompt_tokens:
            raise BudgetSpent(
                f"{self._node}: {len(self.calls)} calls and {spent} prompt tokens are all that was set aside",
                remedy="Allow the conversation more, or end it sooner.",
            )

    def _function_calls(self, chosen: Sequence[ToolCall]) -> list[FunctionCall]:
        """Ids that a replay gives again: by place in the conversation."""
        turn = len(self.calls)
        return [
            FunctionCall(id=f"{self._node}-{turn}-{place}", name=call.name, arguments=call.arguments)
            for place, call in enumerate(chosen)
        ]


def _offered(tools: Sequence[Tool | ToolSchema], choice: ToolChoice) -> tuple[ToolSpec, ...]:
    if choice == "none":
        return ()
    named = [choice] if isinstance(choice, Tool) else tools
    schemas = [tool.schema if isinstance(tool, Tool) else tool for tool in named]
    return tuple(
        ToolSpec(schema["name"], schema.get("description", ""), dict(schema.get("parameters", {"type": "object"})))
        for schema in schemas
    )


def _turns(message: LLMMessage, prompt: Prompt) -> list[Turn]:
    """A message as turns; the prompt itself is none, and a result of a tool is something a user says."""
    if isinstance(message, SystemMessage):
        return [] if message.content == prompt.system else [Turn("user", message.content)]
    if isinstance(message, UserMessage):
        return [Turn("user", _words(message.content), message.source)]
    if isinstance(message, AssistantMessage):
        if isinstance(message.content, str):
            return [Turn("assistant", message.content)]
        return [Turn("assistant", chosen_text([ToolCall(call.name, call.arguments) for call in message.content]))]
    if isinstance(message, FunctionExecutionResultMessage):
        return [Turn("user", result.content, f"result of {result.name}") for result in message.content]
    raise TypeError(f"AutoGen has a new kind of message: {type(message).__name__}")


def _words(content: str | list[str | Image]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part for part in content if isinstance(part, str))
