"""The remembering model: what was recorded is never asked again, the rest is, and nothing is answered twice."""

import asyncio

import pytest
from parley.agents.errors import ModelFailed
from parley.agents.llm.port import ChatReply, ChatRequest
from parley.agents.replies import OpinionReply
from parley.desk.remembering import RememberingModel
from parley.domain.decisions import ModelCall
from parley.prompts.loader import load_prompt


class Live:
    name = "live"
    is_deterministic = False

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def complete(self, request: ChatRequest) -> ChatReply:
        self.asked.append(request.facts)
        return ChatReply("from the endpoint", 1, 1)


def question(facts: str) -> ChatRequest:
    return ChatRequest("risk", load_prompt("risk/opinion"), facts, OpinionReply, 2000)


def recorded(request: ChatRequest, reply: str, error: str | None = None) -> ModelCall:
    return ModelCall(
        node=request.node, prompt=request.prompt.name, prompt_version=request.prompt.version, model="live",
        request_hash=request.hash, reply=reply, error=error, prompt_tokens=5, completion_tokens=2,
    )  # fmt: skip


def test_a_recorded_answer_is_given_once_and_then_the_live_model_is_asked() -> None:
    live, asked = Live(), question("{}")
    model = RememberingModel([recorded(asked, "as it was")], live)

    first, second = asyncio.run(model.complete(asked)), asyncio.run(model.complete(asked))

    assert (first.text, first.prompt_tokens) == ("as it was", 5)
    assert second.text == "from the endpoint"
    assert live.asked == ["{}"]


def test_a_question_that_was_never_asked_goes_to_the_live_model() -> None:
    live = Live()
    model = RememberingModel([recorded(question("{}"), "x")], live)

    assert asyncio.run(model.complete(question('{"other":1}'))).text == "from the endpoint"


def test_a_recorded_failure_fails_again() -> None:
    live, asked = Live(), question("{}")
    model = RememberingModel([recorded(asked, "", "hung up")], live)

    with pytest.raises(ModelFailed, match="hung up"):
        asyncio.run(model.complete(asked))
    assert live.asked == []


def test_it_passes_for_the_model_it_remembers() -> None:
    model = RememberingModel([], Live())

    assert (model.name, model.is_deterministic) == ("live", False)
