"""The AutoGen team of the operator's chat: a front and specialists, of whom one picks a tool of its own by schema.

Load it lazily, AutoGen is slow to import. Who speaks is settled by code: the front first, then the specialist whose
subject it is. What a model says in words is dropped.
"""

from collections.abc import Mapping, Sequence

from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.messages import BaseAgentEvent, BaseChatMessage, TextMessage
from autogen_agentchat.teams import SelectorGroupChat
from autogen_core import CancellationToken
from autogen_core.models import UserMessage
from autogen_core.tools import ParametersSchema, ToolSchema
from pydantic import ValidationError

from ..prompts.loader import load_prompt
from .ask import Asking
from .errors import BudgetSpent, ModelFailed
from .llm.autogen_client import PortChatClient
from .llm.port import ToolSpec, facts_json
from .llm.tool_choice import ToolCall
from .replies import TopicReply

FRONT, OPERATOR, DESK = "front", "operator", "desk"
PICK_TASK, TOPIC_TASK = "Choose the tool.", "Name the specialist."
MESSAGES = 3
"""The question, the front's word, the specialist's pick."""

Tools = Mapping[str, Sequence[ToolSpec]]
"""The tools of each specialist, by its name."""


async def picked_tool(asking: Asking, question: str, tools: Tools, subject: str) -> ToolCall | None:
    """The tool that the team picks for a question; `subject` names its specialist where that is known already."""
    front = _Front(asking, question, tuple(tools), subject)
    specialists = [_Specialist(name, asking, question, offered) for name, offered in tools.items()]

    def next_speaker(messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> str | None:
        return front.chosen if messages[-1].source == FRONT else FRONT

    team = SelectorGroupChat(
        [front, *specialists],
        model_client=front.line,
        selector_func=next_speaker,
        termination_condition=MaxMessageTermination(MESSAGES),
    )
    await team.run(task=TextMessage(content=question, source=OPERATOR))
    return next((item.pick for item in specialists if item.pick is not None), None)


class _Member(BaseChatAgent):
    """Speaks in plain text, and keeps nothing."""

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (TextMessage,)

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """There is nothing to forget."""

    def _said(self, text: str) -> Response:
        return Response(chat_message=TextMessage(content=text, source=self.name))


class _Front(_Member):
    """Knows whose subject a question is, or asks the model; one that does not say leaves it to the last specialist."""

    def __init__(self, asking: Asking, question: str, names: Sequence[str], subject: str) -> None:
        super().__init__(FRONT, description="takes the question")
        facts = facts_json({"question": question, "specialists": list(names)})
        self.line = PortChatClient(asking, "chat_front", load_prompt("chat/topic"), facts=facts, max_calls=1)
        self._names, self.chosen = names, subject

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        if not self.chosen:
            self.chosen = await self._asked()
        return self._said(self.chosen)

    async def _asked(self) -> str:
        task = UserMessage(content=TOPIC_TASK, source=DESK)
        try:
            reply = await self.line.create([task], json_output=TopicReply)
            found = TopicReply.model_validate_json(str(reply.content), strict=True).specialist
        except (ModelFailed, BudgetSpent, ValidationError):
            found = ""
        return found if found in self._names else self._names[-1]


class _Specialist(_Member):
    """Picks one of its own tools; a model that fails or says words has picked none."""

    def __init__(self, name: str, asking: Asking, question: str, tools: Sequence[ToolSpec]) -> None:
        super().__init__(name, description=f"knows {name}")
        facts = facts_json({"question": question})
        self._tools = tools
        self._line = PortChatClient(asking, f"chat_{name}", load_prompt("chat/pick"), facts=facts, max_calls=1)
        self.pick: ToolCall | None = None

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        task = UserMessage(content=PICK_TASK, source=DESK)
        try:
            content = (await self._line.create([task], tools=[_schema(tool) for tool in self._tools])).content
        except (ModelFailed, BudgetSpent):
            content = ""
        if isinstance(content, list):
            self.pick = ToolCall(content[0].name, content[0].arguments)
        return self._said(self.pick.name if self.pick else "no pick")


def _schema(tool: ToolSpec) -> ToolSchema:
    parameters: ParametersSchema = dict(tool.arguments)  # pyright: ignore[reportAssignmentType]  (a closed object)
    return ToolSchema(name=tool.name, description=tool.description, parameters=parameters)
