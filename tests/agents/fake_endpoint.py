"""Our own OpenAI-compatible server on a loopback port: it answers as a test says, well, badly, late or never."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

KEY = "sk-do-not-tell-anyone"
GOOD = '{"votes":[{"symbol":"AAA","vote":"FOR","confidence":60}]}'
USAGE = {"prompt_tokens": 321, "completion_tokens": 12, "total_tokens": 333}


@dataclass
class Act:
    """One thing the server does with a request. `then` in the middle of a reply: `hang`, `drop`, or go on."""

    text: str | None = GOOD
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    """Sent as it is, in place of a completion."""
    message: dict[str, Any] | None = None
    complaint: str = "no"
    then: str = ""
    is_silent: bool = False
    huge_bytes: int = 0
    usage: dict[str, Any] | None = field(default_factory=lambda: dict(USAGE))
    finish: str | None = "stop"


Script = Sequence[Act] | Callable[[dict[str, Any]], Act]


class FakeEndpoint(ThreadingHTTPServer):
    """Does the acts one after the other, the last for ever; or what a function of the request's body says."""

    daemon_threads = True

    def __init__(self, script: Script) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script: Script = script
        self.stop = threading.Event()
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.keys: list[str | None] = []
        self.sent_bytes = 0
        self._lock = threading.Lock()
        self.at_once = self.most_at_once = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def act(self, body: dict[str, Any]) -> Act:
        with self._lock:
            self.bodies.append(body)
            place = len(self.bodies) - 1
        # Outside of the lock: a script may wait for another request.
        return self.script(body) if callable(self.script) else self.script[min(place, len(self.script) - 1)]

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            yield
        finally:
            with self._lock:
                self.at_once -= 1


@contextmanager
def serving(script: Script) -> Iterator[FakeEndpoint]:
    server = FakeEndpoint(script)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop.set()
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        endpoint = cast(FakeEndpoint, self.server)
        endpoint.paths.append(self.path)
        self._plain(200, json.dumps({"data": [{"id": "tiny"}]}).encode(), {})

    def do_POST(self) -> None:
        endpoint = cast(FakeEndpoint, self.server)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        endpoint.paths.append(self.path)
        endpoint.keys.append(self.headers.get("Authorization"))
        with endpoint.counted():
            act = endpoint.act(body)
            try:
                self._perform(endpoint, act, bool(body.get("stream")))
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

    def _perform(self, endpoint: FakeEndpoint, act: Act, is_streaming: bool) -> None:
        if act.is_silent:
            endpoint.stop.wait(10)
            self.close_connection = True
        elif act.status != 200:
            failure = {"error": {"message": f"{act.complaint} {self.headers.get('Authorization')}", "type": "t"}}
            self._plain(act.status, json.dumps(failure).encode(), act.headers)
        elif act.huge_bytes:
            self._huge(endpoint, act.huge_bytes)
        elif act.raw is not None:
            self._plain(200, act.raw, act.headers)
        elif is_streaming:
            self._stream(endpoint, act)
        else:
            self._whole(endpoint, act)

    def _whole(self, endpoint: FakeEndpoint, act: Act) -> None:
        message = act.message or {"role": "assistant", "content": act.text}
        choice = {"index": 0, "finish_reason": act.finish, "message": message}
        answer = {"id": "c1", "object": "chat.completion", "created": 1, "model": "tiny", "choices": [choice]}
        body = json.dumps(answer | ({"usage": act.usage} if act.usage else {})).encode()
        if not act.then:
            self._plain(200, body, act.headers)
            return
        self._head(200, len(body), act.headers)
        self.wfile.write(body[: len(body) // 2])
        self._break(endpoint, act)

    def _stream(self, endpoint: FakeEndpoint, act: Act) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        text = act.text or ""
        pieces = [text[place : place + 7] for place in range(0, len(text), 7)]
        self.wfile.write(b": a comment\n\n")
        for number, piece in enumerate(pieces):
            if act.then and number == len(pieces) // 2:
                self._break(endpoint, act)
                return
            self._chunk({"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]})
        self._chunk({"choices": [{"index": 0, "delta": {}, "finish_reason": act.finish}]})
        if act.usage:
            self._chunk({"choices": [], "usage": act.usage})
        self.wfile.write(b"data: [DONE]\n\n")

    def _chunk(self, chunk: dict[str, Any]) -> None:
        self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
        self.wfile.flush()

    def _break(self, endpoint: FakeEndpoint, act: Act) -> None:
        self.wfile.flush()
        if act.then == "hang":
            endpoint.stop.wait(10)
        self.close_connection = True

    def _huge(self, endpoint: FakeEndpoint, n_bytes: int) -> None:
        self._head(200, n_bytes, {})
        while endpoint.sent_bytes < n_bytes:
            endpoint.sent_bytes += self.wfile.write(b"[" * 65_536)

    def _plain(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self._head(status, len(body), headers)
        self.wfile.write(body)

    def _head(self, status: int, n_bytes: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(n_bytes), **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass
