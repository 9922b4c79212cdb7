"""AutoGen over our port: its agents speak, choose tools and are replayed like everybody else."""

import asyncio
import json
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.messages import StructuredMessage
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core.models import AssistantMessage, SystemMessage, UserMessage
from parley.agents.ask import Asking
from parley.agents.errors import BudgetSpent, ModelFailed
from parley.agents.llm.autogen_client import PortChatClient
from parley.agents.llm.recorded import ReplayModel
from parley.agents.replies import OpinionReply
from parley.prompts.loader import load_prompt

PROMPT = load_prompt("risk/opinion")
GOOD = '{"votes":[{"symbol":"AAA","vote":"FOR","confidence":60}]}'


def client(model: Any, node: str = "bull", **bounds: Any) -> PortChatClient:
    return PortChatClient(Asking(model, max_tokens=300), node, PROMPT, **bounds)


def agent(line: PortChatClient, name: str = "bull", **options: Any) -> AssistantAgent:
    return AssistantAgent(name, model_client=line, system_message=PROMPT.system, **options)


async def last_close(symbol: str) -> str:
    """The last close of an instrument."""
    return f"{symbol} 101.5"


def test_an_agent_speaks_through_the_port_and_its_call_is_recorded(kit: Any):
    model = kit.Model(["I say buy."])
    line = client(model, facts='{"trend":"up"}')

    result = asyncio.run(agent(line).run(task="Your case for AAA?"))

    assert result.messages[-1].to_text() == "I say buy."
    (asked,) = model.asked
    assert (asked.prompt, asked.facts, asked.reply_type) == (PROMPT, '{"trend":"up"}', None)
    assert [(turn.role, turn.text) for turn in asked.turns] == [("user", "Your case for AAA?")]
    (call,) = line.calls
    assert (call.node, call.model, call.reply, call.prompt_version) == (
        "bull",
        "scripted",
        "I say buy.",
        PROMPT.version,
    )
    assert line.total_usage().prompt_tokens == 100


def test_a_tool_that_is_chosen_by_schema_is_run_and_its_result_goes_back(kit: Any):
    model = kit.Model(['{"tool":"last_close","arguments":{"symbol":"AAA"}}', '{"answer":"It closed at 101.5."}'])

    speaker = agent(client(model), tools=[last_close], reflect_on_tool_use=True)
    result = asyncio.run(speaker.run(task="Where did AAA close?"))

    assert result.messages[-1].to_text() == '{"answer":"It closed at 101.5."}'
    first, second = model.asked
    assert [tool.name for tool in first.tools] == ["last_close"]
    assert (first.tools[0].description, list(first.tools[0].arguments["properties"])) == (
        "The last close of an instrument.",
        ["symbol"],
    )
    assert [turn.who for turn in second.turns] == ["user", "", "result of last_close"]
    assert second.turns[-1].text == "AAA 101.5"


def test_words_in_answer_to_an_offer_of_tools_are_words(kit: Any):
    model = kit.Model(['{"answer":"Nothing to look up."}'])

    result = asyncio.run(agent(client(model), tools=[last_close]).run(task="Hello"))

    assert result.messages[-1].to_text() == "Nothing to look up."


def test_a_structured_reply_is_asked_for_by_its_type(kit: Any):
    model = kit.Model([GOOD])

    result = asyncio.run(agent(client(model), output_content_type=OpinionReply).run(task="Vote."))

    last = result.messages[-1]
    assert isinstance(last, StructuredMessage) and last.content.votes[0].confidence == 60
    assert model.asked[0].reply_type is OpinionReply


def debate(model: Any) -> Any:
    lines = [client(model, name) for name in ("bull", "bear")]
    team = RoundRobinGroupChat(
        [agent(line, name) for line, name in zip(lines, ("bull", "bear"), strict=True)],
        termination_condition=MaxMessageTermination(5),
    )
    result = asyncio.run(team.run(task="AAA: buy or not?"))
    return [message.to_text() for message in result.messages], [call for line in lines for call in line.calls]


def test_a_team_of_two_is_replayed_without_a_model_word_for_word(kit: Any):
    said = iter(["Trend is up.", "It is dear.", "It was dearer.", "Sell."])
    words, calls = debate(kit.Model(lambda request: next(said)))

    replayed, again = debate(ReplayModel(calls, "scripted"))

    assert words == replayed == ["AAA: buy or not?", "Trend is up.", "It is dear.", "It was dearer.", "Sell."]
    assert again == calls


@pytest.mark.parametrize("bounds", [{"max_calls": 1}, {"max_prompt_tokens": 100}])
def test_a_conversation_ends_where_its_budget_does(kit: Any, bounds: Any):
    model = kit.Model(["One.", "Two."])
    line = PortChatClient(Asking(model), "bull", PROMPT, **bounds)
    asyncio.run(line.create([UserMessage(content="Go on.", source="user")]))

    with pytest.raises(BudgetSpent, match="1 calls and 100 prompt tokens"):
        asyncio.run(line.create([UserMessage(content="Go on.", source="user")]))

    assert len(model.asked) == 1


def test_a_failed_call_is_raised_and_recorded(kit: Any):
    line = client(kit.Model([ModelFailed("HTTP 500")]))

    with pytest.raises(ModelFailed, match="bull: HTTP 500"):
        asyncio.run(line.create([UserMessage(content="Go on.", source="user")]))

    assert line.calls[0].error == "HTTP 500"


def test_every_kind_of_message_is_told_in_order_and_the_prompt_only_once(kit: Any):
    model = kit.Model(["Yes."])
    messages = [
        SystemMessage(content=PROMPT.system),
        SystemMessage(content="Be brief."),
        UserMessage(content=["Part one.", "Part two."], source="bear"),
        AssistantMessage(content="Hm.", source="bull"),
    ]

    asyncio.run(client(model).create(messages))

    turns = [(turn.role, turn.who, turn.text) for turn in model.asked[0].turns]
    assert turns == [("user", "", "Be brief."), ("user", "bear", "Part one.\nPart two."), ("assistant", "", "Hm.")]


def test_a_stream_brings_the_words_and_then_the_result(kit: Any):
    async def streamed() -> list[Any]:
        line = client(kit.Model(["Yes."]))
        return [part async for part in line.create_stream([UserMessage(content="Go on.", source="user")])]

    words, result = asyncio.run(streamed())

    assert (words, result.content, result.finish_reason) == ("Yes.", "Yes.", "stop")


def test_no_tool_is_offered_where_none_may_be_chosen(kit: Any):
    model = kit.Model(["Yes."])
    schema: Any = {"name": "x", "description": "d", "parameters": {"type": "object", "properties": {}}}

    asyncio.run(client(model).create([UserMessage(content="Go.", source="u")], tools=[schema], tool_choice="none"))

    assert model.asked[0].tools == ()
    assert json.dumps(model.asked[0].hash)
