"""The short way answers as the routes do: to the same callers, with the same headers, as of the same event."""

import json

import pytest
from parley.service.access.audit import read_calls
from parley.service.access.store import AccessStore

from .conftest import Served

READS = ("/positions", "/orders?limit=3", "/answers/regime", "/events?limit=2", "/performance")


@pytest.mark.parametrize("path", READS)
def test_a_known_reply_is_the_one_of_its_route(served: Served, path: str) -> None:
    client = served.client()
    first, second = client.get(path), client.get(path)

    assert second.content == first.content
    assert second.headers["etag"] == first.headers["etag"]
    assert second.headers["parley-as-of"].startswith(served.run)
    assert client.get(path, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    assert {name: second.headers[name] for name in ("cache-control", "vary", "content-type")} == {
        name: first.headers[name] for name in ("cache-control", "vary", "content-type")
    }


def test_a_known_reply_is_for_none_but_those_who_may_have_it(served: Served) -> None:
    client = served.client("vic")
    assert [client.get("/positions").status_code for _ in range(2)] == [200, 200]
    store = AccessStore(served.book)
    chatty = store.add_token("vic", ["chat"])[1]
    made, text = store.add_token("vic", ["read"])

    def status(token: str | None) -> int:
        headers = {"Authorization": f"Bearer {token}"} if token else {"Authorization": ""}
        return client.get("/positions", headers=headers).status_code

    assert [status(None), status("no-token"), status(chatty), status(text)] == [401, 401, 403, 200]
    store.revoke_token(made.token_id)
    assert status(text) == 401
    store.set_disabled("vic", True)
    assert client.get("/positions").status_code == 401


def test_a_known_reply_is_counted_and_recorded_like_any_other(served: Served) -> None:
    client = served.client("vic", calls_per_s=0.001, calls_at_once=3)

    assert [client.get("/positions").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert [line["status"] for line in read_calls(served.book)][-4:] == [200, 200, 200, 429]


def test_a_reply_is_new_once_the_run_has_moved(served: Served) -> None:
    client = served.client("ada")
    before = [client.get("/events?limit=1&after=0").json()["total"] for _ in range(2)]
    token = client.post("/intents", json={"action": "halt", "reason": "a test"}).json()["token"]

    assert client.post("/intents/confirm", json={"token": token}).status_code == 200

    assert client.get("/events?limit=1&after=0").json()["total"] > before[1] == before[0]


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '{"text": ""}', '{"text": 1}', '{"text": "a", "run": "x"}', "[" * 5000]
)
def test_a_message_that_is_none_is_answered_by_the_schema(served: Served, body: str) -> None:
    reply = served.client().post("/chat", content=body, headers={"Content-Type": "application/json"})

    assert reply.status_code in (400, 422) and reply.json()["error"]["code"] == "bad_call"


def test_a_message_takes_the_scope_and_by_cookie_the_token_of_its_session(served: Served) -> None:
    client = served.client(None)
    reading = AccessStore(served.book).add_token("vic", ["read"])[1]
    message = {"text": "What regime are we in?"}

    assert client.post("/chat", json=message).status_code == 401
    refused = client.post("/chat", json=message, headers={"Authorization": f"Bearer {reading}"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "not_allowed")
    signed = client.post("/session", json={"user": "vic", "password": "correct horse battery staple"})
    assert client.post("/chat", json=message).json()["error"]["code"] == "csrf_refused"
    kept = {"X-CSRF-Token": signed.json()["csrf"]}
    assert client.post("/chat", json=message, headers=kept).json()["kind"] == "number_with_context"


def test_two_users_are_told_the_same_and_each_has_it_in_their_own_history(served: Served) -> None:
    message = {"text": "Show open positions with weights."}
    one, other = served.client("vic"), served.client("oz")

    said = [client.post("/chat", json=message).json() for client in (one, one, other)]

    assert said[0] == said[1] == said[2]
    assert [len(client.get("/chat/history").json()["said"]) for client in (one, other)] == [2, 1]
    streamed = one.post("/chat", json=message, headers={"Accept": "text/event-stream"}).text
    assert json.loads(streamed.rsplit("data: ", 1)[1]) == said[0]
