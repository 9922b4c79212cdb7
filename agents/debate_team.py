"""The AutoGen team of a debate: a bull and a bear, side by side, once; load it lazily, AutoGen is slow to import."""

from collections.abc import Mapping, Sequence

from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.messages import BaseChatMessage, TextMessage
from autogen_agentchat.teams import DiGraphBuilder, GraphFlow
from autogen_core import CancellationToken
from autogen_core.models import UserMessage

from .. import ParleyError
from ..domain.decisions import ModelCall
from ..domain.views import Speaker
from .ask import Asking, Question
from .errors import BudgetSpent, ModelFailed
from .llm.autogen_client import PortChatClient
from .llm.port import facts_json
from .replies import StatementReply

TASK = "Open the debate: make your case."


async def opening_statements(
    asking: Asking, questions: Mapping[Speaker, Question[StatementReply]]
) -> dict[Speaker, ModelCall]:
    """What each speaker said first, asked at the same moment: neither hears the other."""
    debaters = [_Debater(speaker, asking, question) for speaker, question in questions.items()]
    # AutoGen begins with a set: the chair is alone in it, and calls the speakers in one order.
    chair, graph = _Chair("chair", description="opens the debate"), DiGraphBuilder()
    graph.add_node(chair)
    for debater in debaters:
        graph.add_node(debater).add_edge(chair, debater)
    await GraphFlow(participants=graph.get_participants(), graph=graph.build()).run(task=TASK)
    for debater in debaters:
        if debater.trouble is not None:
            raise debater.trouble
    return {debater.speaker: call for debater in debaters for call in debater.line.calls}


class _Speaker(BaseChatAgent):
    """Speaks in plain text, and keeps nothing."""

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (TextMessage,)

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """There is nothing to forget."""


class _Chair(_Speaker):
    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        return Response(chat_message=TextMessage(content=TASK, source=self.name))


class _Debater(_Speaker):
    """Says one thing. A model that fails says nothing: an error would take the other's statement with it.

    What is no failure of a model, such as a recording that ends, waits in `trouble` until both have spoken.
    """

    def __init__(self, speaker: Speaker, asking: Asking, question: Question[StatementReply]) -> None:
        super().__init__(speaker.value, description=f"the {speaker.value}")
        self.speaker = speaker
        self.trouble: ParleyError | None = None
        facts = facts_json(question.facts)
        self.line = PortChatClient(asking, question.node, question.text, facts=facts, max_calls=1)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        task = UserMessage(content=TASK, source="desk")
        try:
            said = (await self.line.create([task], json_output=StatementReply)).content
        except (ModelFailed, BudgetSpent):
            said = ""
        except ParleyError as error:
            said, self.trouble = "", error
        return Response(chat_message=TextMessage(content=str(said), source=self.name))
