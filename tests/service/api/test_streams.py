"""The event stream: from any place, without a gap or a repeat, through a kill of the server and a log that grows."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx2
import pytest
from starlette.websockets import WebSocketDisconnect

from .conftest import Served, cut, grow

STREAM = {"Accept": "text/event-stream"}


@contextmanager
def _server(served: Served) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`parley serve` as a process of its own, which a test may kill."""
    command = [sys.executable, "-m", "parley", "serve", "--port", "0", "--book", str(served.book), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        lines = list[str]()
        while not lines or not lines[-1].startswith("}"):
            lines.append(process.stdout.readline())
            assert lines[-1], "the server did not start"
        yield process, json.loads("".join(lines))["api"]
    finally:
        process.kill()
        process.wait()


def _events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, object]]]:
    """The id and the document of each event of a stream."""
    ident = ""
    for line in lines:
        if line.startswith("id: "):
            ident = line[4:]
        elif line.startswith("data: "):
            yield ident, json.loads(line[6:])


def test_a_killed_server_goes_on_after_the_last_event_had(served: Served) -> None:
    path, rows = cut(served, 40)
    headers = {"Authorization": f"Bearer {served.tokens['vic']}", **STREAM}
    had: list[dict[str, object]] = []
    last = ""

    with _server(served) as (process, api), httpx2.stream("GET", f"{api}/events", headers=headers, timeout=20) as reply:
        for ident, event in _events(reply.iter_lines()):
            had.append(event)
            last = ident
            if len(had) == 40:
                grow(path, rows[:60])
            if len(had) == 73:
                process.kill()
                break
    grow(path, rows[60:])
    resumed = {**headers, "Last-Event-ID": last}
    with _server(served) as (_, api), httpx2.stream("GET", f"{api}/events", headers=resumed, timeout=20) as reply:
        for _, event in _events(reply.iter_lines()):
            had.append(event)
            if len(had) == 40 + len(rows):
                break

    with closing(sqlite3.connect(path)) as database:
        stored = database.execute("SELECT seq, id FROM events ORDER BY seq").fetchall()
    assert [(event["seq"], event["id"]) for event in had] == stored


def test_the_list_pages_through_every_event_once(served: Served) -> None:
    client, found = served.client(), list[int]()
    after: int | None = 0
    total = client.get("/runs").json()["items"][0]["seq"]

    while after is not None:
        page = client.get("/events", params={"after": after, "limit": 37}).json()
        found += [event["seq"] for event in page["items"]]
        after = page["next"]

    assert found == list(range(1, total + 1))


@pytest.mark.parametrize("place", ["5-000000000000", "999999", "999999-000000000000"])
def test_a_place_of_another_log_is_refused_instead_of_guessed(served: Served, place: str) -> None:
    reply = served.client().get("/events", headers={**STREAM, "Last-Event-ID": place})

    assert (reply.status_code, reply.json()["error"]["code"]) == (409, "stream_moved")


@pytest.mark.parametrize("place", ["-1", "x", "1;2", "1-zz", "9" * 30])
def test_what_is_no_place_is_refused(served: Served, place: str) -> None:
    assert served.client().get("/events", params={"after": place}).status_code == 422


def test_a_websocket_gives_the_same_events_with_ids_to_resume_from(served: Served) -> None:
    client = served.client()
    listed = client.get("/events", params={"limit": 30}).json()["items"]

    with client.websocket_connect("ws://localhost/api/v1/events/ws") as socket:
        first = [socket.receive_json() for _ in range(10)]
    with client.websocket_connect(f"ws://localhost/api/v1/events/ws?after={first[-1]['id']}") as socket:
        rest = [socket.receive_json() for _ in range(20)]

    assert [item["event"] for item in first + rest] == listed


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer x"}, {"Origin": "https://evil.example"}])
def test_a_websocket_without_a_right_to_it_is_not_opened(served: Served, headers: dict[str, str]) -> None:
    client = served.client()
    client.headers.update(headers)

    with pytest.raises(WebSocketDisconnect), client.websocket_connect("ws://localhost/api/v1/events/ws"):
        pass


def test_a_user_has_only_so_many_streams(served: Served) -> None:
    reply = served.client(streams_per_user=0).get("/events", headers=STREAM)

    assert "too_many_calls" in reply.text
