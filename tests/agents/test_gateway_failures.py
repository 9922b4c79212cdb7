"""An endpoint that fails, over HTTP on the loopback: what becomes of it, how long it takes, how often it is asked."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from parley.agents.ask import Asking, Question, ask, ask_all
from parley.agents.budget import Budget
from parley.agents.errors import ModelFailed
from parley.agents.llm.gateway import Endpoint, GatewayModel, GatewayTerms
from parley.agents.llm.http_wire import HttpWire
from parley.agents.llm.port import ChatRequest
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


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_failure_that_may_pass_is_tried_again_and_no_more_often_than_allowed(start: Start, fake: Any, status: int):
    healed = start(fake.Act(status=status), fake.Act(status=status), fake.Act())
    sick = start(fake.Act(status=status))

    assert complete(model_of(healed)).text == fake.GOOD
    with pytest.raises(ModelFailed, match=f"tiny: HTTP {status}"):
        complete(model_of(sick))

    assert (len(healed.bodies), len(sick.bodies)) == (3, 3)


@pytest.mark.parametrize("status", [401, 403, 413])
def test_a_refusal_is_not_tried_again(start: Start, fake: Any, status: int):
    server = start(fake.Act(status=status))

    with pytest.raises(ModelFailed, match=rf"tiny: HTTP {status}"):
        complete(model_of(server))

    assert len(server.bodies) == 1


def test_a_request_that_is_refused_in_every_form_is_no_fault_of_the_form(start: Start, fake: Any):
    server = start(*[fake.Act(status=400)] * 4, fake.Act())
    model = model_of(server)

    with pytest.raises(ModelFailed, match="HTTP 400"):
        complete(model)
    complete(model)

    assert len(server.bodies) == 5
    assert server.bodies[4]["response_format"]["type"] == "json_schema"


def test_the_wait_that_a_server_asks_for_is_kept_when_there_is_time_for_it(start: Start, fake: Any):
    server = start(fake.Act(status=429, headers={"Retry-After": "0.3"}), fake.Act())
    began = time.monotonic()

    assert complete(model_of(server)).text == fake.GOOD

    assert time.monotonic() - began >= 0.3
    assert len(server.bodies) == 2


@pytest.mark.parametrize("wait", ["30", "1e9"])
def test_a_wait_past_the_deadline_is_not_waited_for(start: Start, fake: Any, wait: str):
    server = start(fake.Act(status=429, headers={"Retry-After": wait}))
    began = time.monotonic()

    with pytest.raises(ModelFailed, match="HTTP 429"):
        complete(model_of(server))

    assert time.monotonic() - began < 1.0
    assert len(server.bodies) == 1


@pytest.mark.parametrize("wait", ["-1", "nan", "inf", "Sun, 22 Nov 2026 10:00:00 GMT", "soon"])
def test_a_wait_that_is_no_number_of_seconds_is_our_own(start: Start, fake: Any, wait: str):
    server = start(fake.Act(status=429, headers={"Retry-After": wait}), fake.Act())

    assert complete(model_of(server)).text == fake.GOOD


@pytest.mark.parametrize("is_streaming", [False, True])
def test_a_reply_that_hangs_in_the_middle_is_given_up_and_asked_for_again(start: Start, fake: Any, is_streaming: bool):
    server = start(fake.Act(then="hang"), fake.Act())
    began = time.monotonic()

    reply = complete(model_of(server, stall_s=0.1, is_streaming=is_streaming))

    assert reply.text == fake.GOOD
    assert time.monotonic() - began < 2.0
    assert len(server.bodies) == 2


@pytest.mark.parametrize("is_streaming", [False, True])
def test_a_connection_lost_in_the_middle_is_tried_again_and_then_a_failed_model(
    start: Start, fake: Any, is_streaming: bool
):
    server = start(fake.Act(then="drop"))

    with pytest.raises(ModelFailed, match=r"tiny: (no connection|the stream ended)"):
        complete(model_of(server, is_streaming=is_streaming))

    assert len(server.bodies) == 3


@pytest.mark.parametrize("act", ["silent", "hang"])
def test_the_deadline_is_kept_whatever_the_server_does(start: Start, fake: Any, act: str):
    server = start(fake.Act(is_silent=True) if act == "silent" else fake.Act(then="hang"))
    began = time.monotonic()

    with pytest.raises(ModelFailed, match=r"no reply within 0\.3 s"):
        complete(model_of(server, timeout_s=0.3))

    assert time.monotonic() - began < 1.0
    assert len(server.bodies) == 1


def test_a_reply_of_twenty_megabytes_is_read_no_further_than_its_bound(start: Start, fake: Any):
    server = start(fake.Act(huge_bytes=20_000_000))

    with pytest.raises(ModelFailed, match="longer than 327680 bytes"):
        complete(model_of(server))

    assert len(server.bodies) == 1
    assert server.sent_bytes < 8_000_000  # what fits into the buffers of both sides


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\x00\xff<html>busy</html>", "not JSON"),
        (b"[" * 50_000, "not JSON"),
        (b"", "not JSON"),
        (b"[1]", "not a JSON object"),
        (b"{}", "no message"),
        (b'{"choices":null}', "no message"),
        (b'{"choices":[{"message":7}]}', "no message"),
    ],
)
def test_garbage_in_place_of_a_completion_is_a_failed_model_asked_once(start: Start, fake: Any, raw: bytes, text: str):
    server = start(fake.Act(raw=raw))

    with pytest.raises(ModelFailed, match=text):
        complete(model_of(server))

    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"data: {oops\n\n", "not JSON"),
        (b"data: [1]\n\n", "not a JSON object"),
        (b'data: {"error":{"message":"out of memory"}}\n\ndata: [DONE]\n\n', "broke off with an error"),
        (b"data: [DO\n\n", "not JSON"),
        (b": nothing but a comment\n\n", "ended before the reply did"),
    ],
)
def test_garbage_in_a_stream_is_a_failed_model(start: Start, fake: Any, line: bytes, text: str):
    server = start(fake.Act(raw=line, headers={"Content-Type": "text/event-stream"}))

    with pytest.raises(ModelFailed, match=text):
        complete(model_of(server, retries=0))


def test_a_compressed_reply_is_refused(start: Start, fake: Any):
    server = start(fake.Act(raw=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}))

    with pytest.raises(ModelFailed, match="compressed"):
        complete(model_of(server))


def test_an_endpoint_that_is_not_there_is_a_failed_model(start: Start, fake: Any):
    server = start(fake.Act())
    server.server_close()

    with pytest.raises(ModelFailed, match="tiny: no connection"):
        complete(model_of(server))


@pytest.mark.parametrize("status", [400, 401, 500])
def test_the_key_is_in_no_error_and_no_record_even_when_the_server_quotes_it(start: Start, fake: Any, status: int):
    server = start(fake.Act(status=status))

    answer = asked(model_of(server, fake.KEY))

    assert answer.abstention is not None and answer.abstention.reason is AbstainReason.MODEL_FAILED
    assert fake.KEY not in repr(answer)


def test_after_failures_in_a_row_the_endpoint_is_left_alone(start: Start, fake: Any):
    server = start(fake.Act(status=401))
    model = model_of(server, breaker_failures=2)

    said: list[str] = []
    for _ in range(4):
        with pytest.raises(ModelFailed) as failed:
            complete(model)
        said.append(failed.value.message)

    assert said == ["tiny: HTTP 401"] * 2 + ["tiny: not asked: 2 failures in a row, left alone for 30 s"] * 2
    assert len(server.bodies) == 2


def test_a_refusal_of_one_question_does_not_count_against_the_endpoint(start: Start, fake: Any):
    server = start(fake.Act(status=400))
    model = model_of(server, breaker_failures=1)

    for _ in range(3):
        with pytest.raises(ModelFailed, match="HTTP 400"):
            complete(model)


def test_no_more_ask_at_once_than_are_allowed_to(start: Start, fake: Any):
    pair = threading.Barrier(2)

    def script(body: dict[str, Any]) -> Any:
        pair.wait(5)  # two are there at once, or nobody is answered
        return fake.Act()

    server = start(script)
    model = model_of(server, max_concurrency=2)
    questions = [Question(f"n{place}", "risk/opinion", FACTS, OpinionReply) for place in range(6)]

    answers = asyncio.run(ask_all(Asking(model), Budget(1, 99_999), questions))

    assert all(answer.value is not None for answer in answers)
    assert server.most_at_once == 2


def test_a_slow_endpoint_and_many_questions_make_no_storm(start: Start, fake: Any):
    server = start(fake.Act(is_silent=True))
    model = model_of(server, timeout_s=0.2, breaker_failures=3)
    questions = [Question(f"n{place}", "risk/opinion", FACTS, OpinionReply) for place in range(4)]
    began = time.monotonic()

    first = asyncio.run(ask_all(Asking(model, timeout_s=0.2), Budget(1, 99_999), questions))
    second = asyncio.run(ask_all(Asking(model, timeout_s=0.2), Budget(1, 99_999), questions))

    assert all(answer.value is None for answer in (*first, *second))
    assert time.monotonic() - began < 2.0
    assert len(server.bodies) == 4
