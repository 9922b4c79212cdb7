"""What surrounds every call: hosts, sizes, times, headers, and markup from anywhere that stays text."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from parley.service.api.app import build_app, guarded
from parley.service.api.errors import UnsafeAddress
from parley.service.api.protocol import protocol_with
from parley.service.api.settings import ServeSettings

from .conftest import Served

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def test_every_reply_forbids_scripts_frames_and_guessing_of_types(served: Served) -> None:
    client = served.client(None)

    for path in ("/health", "/runs", "/nothing", "/openapi.json"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; frame-ancestors 'none'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert len(headers["x-request-id"]) == 16
        assert "server" not in headers


def test_a_body_larger_than_any_call_needs_is_refused(served: Served) -> None:
    body = json.dumps({"user": "vic", "password": "x" * 70_000})

    reply = served.client(None).post("/session", content=body, headers={"content-type": "application/json"})

    assert (reply.status_code, reply.json()["error"]["code"]) == (413, "body_too_large")


def test_a_body_without_end_is_refused_as_it_comes(served: Served) -> None:
    sent = list[int]()

    def pieces() -> Iterator[bytes]:
        for _ in range(1_000):
            sent.append(1)
            yield b"x" * 10_000

    reply = served.client(None).post("/session", content=pieces(), headers={"content-type": "application/json"})

    assert reply.status_code == 413


@pytest.mark.parametrize("body", ["[" * 20_000, '{"user": "\\ud800", "password": "x"}', "{", "null", '{"user": 1e999}'])
def test_a_body_made_to_break_a_parser_is_only_refused(served: Served, body: str) -> None:
    reply = served.client(None).post("/session", content=body, headers={"content-type": "application/json"})

    assert reply.status_code in (400, 401, 422)
    assert set(reply.json()["error"]) == {"code", "message", "remedy"}


def test_a_body_that_does_not_come_ends_the_call(served: Served) -> None:
    app = guarded(build_app(ServeSettings(served.book, body_s=0.05)))
    said = list[Any]()

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        said.append(message)

    headers = [(b"host", b"localhost"), (b"content-type", b"application/json"), (b"content-length", b"10")]
    scope = {"type": "http", "method": "POST", "path": "/api/v1/session", "raw_path": b"/api/v1/session"}
    rest = {"headers": headers, "query_string": b"", "client": ("127.0.0.1", 1), "root_path": "", "scheme": "http"}

    async def call() -> None:
        await app({**scope, **rest}, receive, send)

    asyncio.run(call())

    assert said[0]["status"] == 408
    assert json.loads(said[1]["body"])["error"]["code"] == "call_too_slow"


def test_a_client_that_never_ends_its_head_is_cut_off(served: Served) -> None:
    import uvicorn

    protocol = protocol_with(0.1)
    app = guarded(build_app(ServeSettings(served.book)))
    config = uvicorn.Config(app, http=protocol, log_level="error", lifespan="off")

    async def told() -> bytes:
        server = uvicorn.Server(config)
        config.load()
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(
            lambda: protocol(config, server.server_state, {}),
            "127.0.0.1",
            0,
        )
        host, port = listening.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        first = await asyncio.wait_for(reader.readuntil(b"}"), 5)
        writer.write(b"GET /api/v1/health HTTP/1.1\r\nHost: local")
        rest = await asyncio.wait_for(reader.read(4_000), 5)
        writer.close()
        listening.close()
        return first[:15] + b"|" + rest

    assert asyncio.run(told()) == b"HTTP/1.1 200 OK|"


@pytest.mark.parametrize(
    "path",
    [
        "/reports/..%2f..%2flog.db",
        "/reports/%2e%2e%2flog",
        "/reports/../../../access/users.db",
        "/reports/..%5c..%5clog",
        "/reports/.hidden",
        "/reports/log.db%00",
        "/evals/..%2f..%2faccess",
        "/evals/%2e%2e",
    ],
)
def test_no_path_leads_out_of_the_reports(served: Served, path: str) -> None:
    reply = served.client().get(path)

    assert reply.status_code in (404, 422)
    assert b"SQLite" not in reply.content


def test_a_link_in_the_reports_leads_nowhere(served: Served) -> None:
    folder = served.book / "runs" / served.run / "reports"
    (folder / "linked.html").symlink_to(served.book / "access" / "users.db")

    assert served.client().get("/reports/linked").status_code == 404


def test_a_report_runs_nothing_whatever_it_holds(served: Served) -> None:
    folder = served.book / "runs" / served.run / "reports"
    (folder / "evil.html").write_text(f"<style>a{{}}</style>{MARKUP}<style>b{{}}</style>", encoding="utf-8")

    reply = served.client().get("/reports/evil")

    policy = reply.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src-elem 'sha256-")
    assert "script-src" not in policy and "unsafe-eval" not in policy and policy.endswith("sandbox")


def test_reports_are_read_as_pages_and_as_data_with_an_etag(served: Served) -> None:
    client = served.client()
    listed = client.get("/reports").json()["items"]

    page = client.get(f"/reports/{listed[0]}")
    twin = client.get(f"/reports/{listed[0]}?format=json")
    again = client.get(f"/reports/{listed[0]}", headers={"If-None-Match": page.headers["etag"]})

    assert page.text.startswith("<!doctype html>") and twin.json()["id"] == listed[0]
    assert (again.status_code, again.content) == (304, b"")


def test_markup_in_what_is_sent_comes_back_as_data_only(served: Served) -> None:
    client = served.client("ada")
    replies = [
        client.post("/chat", json={"text": MARKUP}),
        client.get("/answers/positions", params={MARKUP: MARKUP}),
        client.get("/orders", params={"symbol": MARKUP}),
        client.get(f"/decisions/{MARKUP}"),
        client.post("/intents", json={"action": "halt", "reason": MARKUP}),
        client.post("/tokens", json={"scopes": ["read"], "label": MARKUP}),
        client.get("/tokens"),
    ]

    for reply in replies:
        assert reply.headers["content-type"].startswith("application/json")
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in reply.headers["content-security-policy"]


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "desk.example.org", "::"])
def test_others_reach_it_only_over_tls_or_when_told_so(served: Served, host: str) -> None:
    with pytest.raises(UnsafeAddress):
        ServeSettings(served.book, host=host)

    assert ServeSettings(served.book, host=host, is_plain_allowed=True).is_secure


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_this_machine_needs_no_tls(served: Served, host: str) -> None:
    assert not ServeSettings(served.book, host=host).has_tls


def test_calls_beyond_the_rate_wait(served: Served) -> None:
    client = served.client("vic", calls_per_s=1.0, calls_at_once=3)

    replies = [client.get("/session") for _ in range(5)]

    assert [reply.status_code for reply in replies][:3] == [200, 200, 200]
    assert replies[-1].status_code == 429 and int(replies[-1].headers["retry-after"]) >= 1
