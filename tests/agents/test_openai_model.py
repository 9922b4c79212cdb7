"""The OpenAI-compatible adapter against a real HTTP server on the loopback: what is sent, and what failures become."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import pytest
from parley.agents.ask import Asking, Question, ask
from parley.agents.budget import Budget
from parley.agents.errors import ModelFailed
from parley.agents.llm.langchain_models import openai_model
from parley.agents.llm.port import ChatRequest
from parley.agents.replies import OpinionReply
from parley.domain.views import AbstainReason
from parley.prompts.loader import load_prompt

KEY = "sk-do-not-tell-anyone"
GOOD = '{"votes":[{"symbol":"AAA","vote":"FOR","confidence":60}]}'


class Endpoint(ThreadingHTTPServer):
    """Speaks /v1/chat/completions: answers `content`, or fails with `status`, or keeps silent until `stop` is set."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = GOOD
        self.status = 200
        self.is_silent = False
        self.stop = threading.Event()
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        endpoint = cast(Endpoint, self.server)
        length = int(self.headers["Content-Length"])
        endpoint.bodies.append(json.loads(self.rfile.read(length)))
        endpoint.paths.append(self.path)
        if endpoint.is_silent:
            endpoint.stop.wait(10)
            return
        failure = {"error": {"message": f"refused {self.headers['Authorization']}", "type": "t"}}
        answer = {
            "id": "c1",
            "object": "chat.completion",
            "created": 1,
            "model": "tiny",
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": endpoint.content},
                }
            ],
            "usage": {"prompt_tokens": 321, "completion_tokens": 12, "total_tokens": 333},
        }
        body = json.dumps(answer if endpoint.status == 200 else failure).encode()
        self.send_response(endpoint.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.stop.set()
    server.shutdown()
    server.server_close()


def request() -> ChatRequest:
    return ChatRequest("risk_manager", load_prompt("risk/opinion"), '{"legs":[]}', OpinionReply, 256)


def complete(endpoint: Endpoint, timeout_s: float = 10.0) -> Any:
    model = openai_model("tiny", endpoint.url, KEY, timeout_s)
    return asyncio.run(model.complete(request()))


def test_a_reply_and_its_usage_are_read(endpoint: Endpoint):
    reply = complete(endpoint)

    assert (reply.text, reply.prompt_tokens, reply.completion_tokens) == (GOOD, 321, 12)
    assert endpoint.paths == ["/v1/chat/completions"]


def test_the_request_carries_the_reply_schema_and_the_bounds_of_a_repeatable_call(endpoint: Endpoint):
    complete(endpoint)

    (body,) = endpoint.bodies
    assert body["response_format"]["type"] == "json_schema"
    schema = body["response_format"]["json_schema"]
    assert (schema["name"], schema["strict"]) == ("OpinionReply", True)
    assert schema["schema"]["properties"]["votes"]["items"]
    assert (body["model"], body["temperature"], body["seed"]) == ("tiny", 0.0, 0)
    assert 256 in (body.get("max_tokens"), body.get("max_completion_tokens"))


def test_the_messages_are_the_prompt_and_the_fenced_facts_and_nothing_of_ours(endpoint: Endpoint):
    complete(endpoint)

    system, user = endpoint.bodies[0]["messages"]
    assert system == {"role": "system", "content": load_prompt("risk/opinion").system}
    assert user == {"role": "user", "content": request().user}


@pytest.mark.parametrize("status", [400, 401, 429, 500, 503])
def test_an_http_error_is_a_failed_model_asked_once_that_names_the_status(endpoint: Endpoint, status: int):
    endpoint.status = status

    with pytest.raises(ModelFailed, match=rf"tiny: \w+ \(HTTP {status}\)"):
        complete(endpoint)

    assert len(endpoint.bodies) == 1


def test_a_server_that_keeps_silent_is_a_failed_model(endpoint: Endpoint):
    endpoint.is_silent = True

    with pytest.raises(ModelFailed, match="TimeoutError"):
        complete(endpoint, timeout_s=0.2)


def test_an_endpoint_that_is_not_there_is_a_failed_model(endpoint: Endpoint):
    endpoint.server_close()

    with pytest.raises(ModelFailed, match="ConnectionError"):
        complete(endpoint)


@pytest.mark.parametrize("status", [401, 500])
def test_the_key_is_in_no_error_and_no_record_even_when_the_server_quotes_it(endpoint: Endpoint, status: int):
    endpoint.status = status
    asking = Asking(openai_model("tiny", endpoint.url, KEY, 5.0))
    question = Question("risk_manager", "risk/opinion", {"legs": []}, OpinionReply)

    answer = asyncio.run(ask(asking, Budget(1, 9_999), question))

    assert answer.abstention is not None and answer.abstention.reason is AbstainReason.MODEL_FAILED
    assert KEY not in repr(answer)


def test_a_refusal_in_words_is_an_abstention_after_one_repair(endpoint: Endpoint):
    endpoint.content = "I cannot help with that."
    asking = Asking(openai_model("tiny", endpoint.url, KEY, 5.0))
    question = Question("risk_manager", "risk/opinion", {"legs": []}, OpinionReply)

    answer = asyncio.run(ask(asking, Budget(1, 9_999), question))

    assert answer.abstention is not None and answer.abstention.reason is AbstainReason.UNPARSABLE
    assert len(endpoint.bodies) == 2
