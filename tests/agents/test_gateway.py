"""The gateway against a real HTTP server on the loopback: what is sent in which form, and what is read."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from parley.agents.ask import Asking, Question, ask
from parley.agents.budget import Budget
from parley.agents.llm.dialect import OutputForm
from parley.agents.llm.gateway import Endpoint, GatewayModel, GatewayTerms
from parley.agents.llm.http_wire import HttpWire
from parley.agents.llm.port import ChatRequest, ToolSpec, Turn
from parley.agents.llm.rules import FALLBACK_MODEL, RulesModel
from parley.agents.replies import OpinionReply
from parley.domain.views import AbstainReason
from parley.prompts.loader import load_prompt

FACTS = {"var_usage": 0.2, "drawdown_usage": 0.1, "legs": []}
LEG = {"symbol": "AAA", "side": "BUY", "adds_risk": True, "weight_after": 0.01, "max_weight": 0.1}

Start = Callable[..., Any]


@pytest.fixture
def start(fake: Any) -> Iterator[Start]:
    """Starts an endpoint that does these acts; all of them are stopped at the end."""
    with contextlib.ExitStack() as stack:
        yield lambda *acts: stack.enter_context(fake.serving(acts[0] if callable(acts[0]) else acts))


def model_of(server: Any, key: str | None = None, stall_s: float = 5.0, **terms: Any) -> GatewayModel:
    usual: dict[str, Any] = {"timeout_s": 5.0, "backoff_s": 0.01}
    return GatewayModel("tiny", Endpoint(HttpWire(server.url, key, stall_s), GatewayTerms(**{**usual, **terms})))


def request(**changes: Any) -> ChatRequest:
    usual: dict[str, Any] = {"reply_type": OpinionReply, "max_tokens": 256, "facts": '{"legs":[]}'}
    return ChatRequest("risk_manager", load_prompt("risk/opinion"), **{**usual, **changes})


def complete(model: Any, asked: ChatRequest | None = None) -> Any:
    return asyncio.run(model.complete(asked or request()))


def asked(model: Any, repairs: int = 1, **bounds: Any) -> Any:
    question = Question("risk_manager", "risk/opinion", {**FACTS, "legs": [LEG]}, OpinionReply)
    return asyncio.run(ask(Asking(model, **{"timeout_s": 5.0, **bounds}), Budget(repairs, 9_999), question))


@pytest.mark.parametrize("is_streaming", [False, True])
def test_a_reply_and_its_usage_are_read_whole_or_streamed(start: Start, fake: Any, is_streaming: bool):
    server = start(fake.Act())

    reply = complete(model_of(server, is_streaming=is_streaming))

    assert (reply.text, reply.prompt_tokens, reply.completion_tokens) == (fake.GOOD, 321, 12)
    assert server.paths == ["/v1/chat/completions"]
    assert server.bodies[0].get("stream", False) is is_streaming


@pytest.mark.parametrize("is_streaming", [False, True])
def test_usage_that_is_missing_or_no_count_is_estimated(start: Start, fake: Any, is_streaming: bool):
    server = start(fake.Act(usage=None), fake.Act(usage={"prompt_tokens": -5, "completion_tokens": 1e99}))
    model = model_of(server, is_streaming=is_streaming)

    for _ in range(2):
        reply = complete(model)
        assert 100 < reply.prompt_tokens < 1_000
        assert reply.completion_tokens == (len(fake.GOOD) + 3) // 4


def test_the_request_carries_the_reply_schema_and_the_bounds_of_a_repeatable_call(start: Start, fake: Any):
    server = start(fake.Act())

    complete(model_of(server, fake.KEY))

    (body,) = server.bodies
    schema = body["response_format"]["json_schema"]
    assert (body["response_format"]["type"], schema["name"], schema["strict"]) == ("json_schema", "OpinionReply", True)
    assert schema["schema"]["additionalProperties"] is False
    assert (body["model"], body["temperature"], body["seed"], body["max_tokens"]) == ("tiny", 0.0, 0, 256)
    assert server.keys == [f"Bearer {fake.KEY}"]
    system, user = body["messages"]
    assert system == {"role": "system", "content": load_prompt("risk/opinion").system}
    assert user == {"role": "user", "content": request().user}


@pytest.mark.parametrize(
    ("supported", "used"),
    [
        ({"json_schema", "tools", "json_object"}, ["json_schema"]),
        ({"tools", "json_object"}, ["json_schema", "tools"]),
        ({"json_object"}, ["json_schema", "tools", "json_object"]),
        (set[str](), ["json_schema", "tools", "json_object", "text"]),
    ],
)
def test_a_form_that_is_refused_is_replaced_by_the_next_and_never_tried_again(
    start: Start, fake: Any, supported: set[str], used: list[str]
):
    def form(body: dict[str, Any]) -> str:
        return "tools" if "tools" in body else body.get("response_format", {}).get("type", "text")

    def script(body: dict[str, Any]) -> Any:
        if form(body) not in {"text", *supported}:
            return fake.Act(status=400, complaint="response_format is not supported")
        if form(body) == "tools":
            call = {"id": "1", "type": "function", "function": {"name": "OpinionReply", "arguments": fake.GOOD}}
            return fake.Act(message={"role": "assistant", "content": None, "tool_calls": [call]})
        return fake.Act()

    server = start(script)
    model = model_of(server)

    assert [complete(model).text for _ in range(2)] == [fake.GOOD] * 2
    assert [form(body) for body in server.bodies] == [*used, used[-1]]


def test_an_endpoint_that_takes_tools_and_calls_none_is_asked_in_json_mode_next(start: Start, fake: Any):
    server = start(fake.Act())
    model = model_of(server, form=OutputForm.TOOL)

    assert complete(model).text == fake.GOOD
    complete(model)

    assert "tools" in server.bodies[0]
    assert server.bodies[1]["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize("name", ["temperature", "seed", "stream_options"])
def test_a_parameter_that_a_model_will_not_have_is_left_out_from_then_on(start: Start, fake: Any, name: str):
    def script(body: dict[str, Any]) -> Any:
        return fake.Act(status=400, complaint=f"Unsupported value: '{name}'") if name in body else fake.Act()

    server = start(script)
    model = model_of(server, is_streaming=True)

    assert [complete(model).text for _ in range(2)] == [fake.GOOD] * 2
    assert [name in body for body in server.bodies] == [True, False, False]
    assert all("response_format" in body for body in server.bodies)


def test_a_model_that_bounds_its_reply_by_another_name_is_asked_by_that_name(start: Start, fake: Any):
    def script(body: dict[str, Any]) -> Any:
        text = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        return fake.Act(status=400, complaint=text) if "max_tokens" in body else fake.Act()

    server = start(script)

    complete(model_of(server))

    assert server.bodies[1]["max_completion_tokens"] == 256


@pytest.mark.parametrize(
    "text",
    [
        "I cannot help with that.",
        '{"stimmen":[{"symbol":"AAA","stimme":"DAFÜR","vertrauen":60}]}',
        '{"votes":[{"symbol":"AAA","vote":"FOR","confi',
        "",
        None,
    ],
    ids=["refusal", "wrong language", "truncated", "empty", "null"],
)
def test_a_reply_that_is_none_is_an_abstention_after_one_repair(start: Start, fake: Any, text: str | None):
    server = start(fake.Act(text=text, finish="length"))

    answer = asked(model_of(server))

    assert answer.abstention is not None and answer.abstention.reason is AbstainReason.UNPARSABLE
    assert len(server.bodies) == 2


def test_a_repair_turn_that_names_the_fault_can_be_answered_well(start: Start, fake: Any):
    bad = fake.GOOD.replace("60", "160")
    server = start(
        lambda body: fake.Act() if "less than or equal to 100" in body["messages"][1]["content"] else fake.Act(bad)
    )

    answer = asked(model_of(server))

    assert answer.value is not None and answer.value.votes[0].confidence == 60
    assert (
        "- votes.0.confidence: Input should be less than or equal to 100" in server.bodies[1]["messages"][1]["content"]
    )


@pytest.mark.parametrize("failure", ["down", "garbage"])
def test_the_rules_answer_in_a_models_place_where_that_is_set_and_are_named_as_such(
    start: Start, fake: Any, failure: str
):
    server = start(fake.Act(status=401) if failure == "down" else fake.Act("I would rather not."))

    answer = asked(model_of(server), fallback=RulesModel())

    assert answer.value is not None and answer.abstention is None
    assert answer.value.votes[0].vote == "FOR"
    assert [call.model for call in answer.calls] == ["tiny"] * (1 if failure == "down" else 2) + [FALLBACK_MODEL]
    assert Budget.left(10, answer.calls).repairs == (1 if failure == "down" else 0)


def test_thoughts_before_a_reply_and_a_reply_in_parts_are_read(start: Start, fake: Any):
    thought = fake.Act(f"<think>{{maybe}}</think>\n{fake.GOOD}")
    parts = fake.Act(
        message={"content": [{"type": "text", "text": fake.GOOD[:9]}, {"type": "text", "text": fake.GOOD[9:]}]}
    )
    model = model_of(start(thought, parts))

    assert [complete(model).text.strip() for _ in range(2)] == [fake.GOOD] * 2


TOOL = ToolSpec("close", "The last close.", {"type": "object", "properties": {"symbol": {"type": "string"}}})


def test_tools_go_as_a_schema_of_choices_with_what_they_are_for(start: Start, fake: Any):
    server = start(fake.Act('{"tool":"close","arguments":{"symbol":"AAA"}}'))

    reply = complete(model_of(server), request(reply_type=None, facts="", tools=(TOOL,), turns=(Turn("user", "AAA?"),)))

    (body,) = server.bodies
    first, answer = body["response_format"]["json_schema"]["schema"]["anyOf"]
    assert first["properties"]["tool"] == {"const": "close"}
    assert first["properties"]["arguments"] == TOOL.arguments
    assert answer["required"] == ["answer"]
    assert "The last close." in body["messages"][0]["content"]
    assert body["messages"][1] == {"role": "user", "content": "AAA?"}
    assert json.loads(reply.text) == {"tool": "close", "arguments": {"symbol": "AAA"}}


@pytest.mark.parametrize("is_streaming", [False, True])
def test_native_tool_calls_come_back_in_the_same_form(start: Start, fake: Any, is_streaming: bool):
    function = {"name": "close", "arguments": '{"symbol": "AAA"}'}
    message = {"content": None, "tool_calls": [{"id": "1", "index": 0, "type": "function", "function": function}]}
    chunk = {"choices": [{"delta": message, "finish_reason": "tool_calls"}]}
    raw = b"data: " + json.dumps(chunk).encode() + b"\n\ndata: [DONE]\n\n"
    act = (
        fake.Act(raw=raw, headers={"Content-Type": "text/event-stream"}) if is_streaming else fake.Act(message=message)
    )
    server = start(act)

    model = model_of(server, is_native=True, is_streaming=is_streaming)
    reply = complete(model, request(reply_type=None, facts="", tools=(TOOL,), turns=(Turn("user", "AAA?"),)))

    assert server.bodies[0]["tools"][0]["function"]["name"] == "close"
    assert "response_format" not in server.bodies[0]
    assert json.loads(reply.text) == {"tool": "close", "arguments": {"symbol": "AAA"}}


def test_neighbors_of_one_role_in_a_conversation_are_one_message(start: Start, fake: Any):
    server = start(fake.Act("Fine."))
    turns = (Turn("user", "Up.", "bull"), Turn("user", "Down.", "bear"), Turn("assistant", "Hm."), Turn("user", "So?"))

    complete(model_of(server), request(reply_type=None, turns=turns))

    assert [message["role"] for message in server.bodies[0]["messages"]] == ["system", "user", "assistant", "user"]
    assert server.bodies[0]["messages"][1]["content"].endswith("bull: Up.\n\nbear: Down.")
    assert "response_format" not in server.bodies[0]
