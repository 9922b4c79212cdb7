"""Reads of the record: pages, ETags, answers; and writes that are done once, in two steps."""

import pytest
from parley.service.answers.table import ASKABLES

from .conftest import Served

HALT = {"action": "halt", "symbol": "N1", "reason": "a test"}


@pytest.mark.parametrize("path", ["/decisions", "/orders", "/fills", "/performance", "/runs"])
def test_pages_together_are_the_whole_list(served: Served, path: str) -> None:
    client = served.client()
    whole = client.get(path, params={"limit": 500}).json()
    found, cursor = [], 0

    while cursor is not None:
        page = client.get(path, params={"limit": 3, "cursor": cursor}).json()
        found += page["items"]
        cursor = page["next"]

    assert found == whole["items"] and len(found) == whole["total"] > 0


def test_a_read_that_is_known_already_has_no_body_until_the_log_grows(served: Served) -> None:
    client = served.client("ada")
    first = client.get("/orders")

    known = client.get("/orders", headers={"If-None-Match": first.headers["etag"]})
    token = client.post("/intents", json=HALT).json()["token"]
    assert client.post("/intents/confirm", json={"token": token}).status_code == 200
    grown = client.get("/orders", headers={"If-None-Match": first.headers["etag"]})

    assert (known.status_code, known.content) == (304, b"")
    assert grown.status_code == 200


def test_a_cursor_past_the_end_is_an_empty_last_page(served: Served) -> None:
    page = served.client().get("/orders", params={"cursor": 10_000}).json()

    assert page["items"] == [] and page["next"] is None


def test_one_order_and_one_decision_are_shown_whole(served: Served) -> None:
    client = served.client()
    order = client.get("/orders").json()["items"][0]

    history = client.get(f"/orders/{order['order_id']}").json()
    decision = client.get(f"/decisions/{order['decision_id']}").json()

    assert history["order"] == order
    assert sum(fill["quantity"] for fill in history["fills"]) == order["filled"]
    assert decision["decision_id"] == order["decision_id"]
    assert client.get("/orders/par-none").status_code == 404


def test_each_question_of_the_table_has_a_route(served: Served) -> None:
    client = served.client()

    assert {item["name"] for item in client.get("/answers").json()} == set(ASKABLES)
    assert client.get("/answers/positions").json()["kind"] == "table"
    assert client.get("/positions").json() == client.get("/answers/positions").json()
    assert client.get("/answers/order", params={"order": "../x"}).json()["error"]["code"] == "bad_arguments"
    assert client.get("/answers/positions?limit=1&limit=2").status_code == 422


def test_a_run_that_is_not_there_is_said_so(served: Served) -> None:
    reply = served.client().get("/decisions", params={"run": "run-none"})

    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "run_unknown")


def test_a_request_is_shown_first_and_done_by_its_token_once(served: Served) -> None:
    client = served.client("oz")

    shown = client.post("/intents", json=HALT).json()
    untouched = client.get("/status").json()
    done = client.post("/intents/confirm", json={"token": shown["token"]})
    again = client.post("/intents/confirm", json={"token": shown["token"]})
    other = served.client("ada").post("/intents/confirm", json={"token": shown["token"]})

    assert shown["kind"] == "command_needs_confirmation" and untouched["restrictions"] == []
    assert done.status_code == 200
    assert [item["scope"] for item in client.get("/status").json()["restrictions"]] == ["instrument N1"]
    assert (again.status_code, other.status_code) == (409, 409)


def test_one_key_does_a_thing_once_and_another_body_under_it_is_refused(served: Served) -> None:
    client = served.client("oz")
    key = {"Idempotency-Key": "k-1"}

    first = client.post("/intents", json=HALT, headers=key)
    second = client.post("/intents", json=HALT, headers=key)
    other = client.post("/intents", json={**HALT, "symbol": "N2"}, headers=key)

    assert first.json() == second.json() and first.json()["token"]
    assert (other.status_code, other.json()["error"]["code"]) == (409, "key_reused")
    assert served.client("ada").post("/intents", json=HALT, headers=key).json()["token"] != first.json()["token"]


def test_the_chat_answers_whole_and_line_by_line(served: Served) -> None:
    client = served.client()
    text = {"text": "Show open positions with weights."}

    whole = client.post("/chat", json=text).json()
    streamed = client.post("/chat", json=text, headers={"Accept": "text/event-stream"}).text

    assert whole["kind"] == "table" and whole["citations"]
    assert streamed.count("event: line") == len(whole["answer"].splitlines())
    assert [item["question"] for item in client.get("/chat/history").json()["said"]] == [text["text"]] * 2


def test_a_token_that_is_not_for_acting_proposes_nothing_in_the_chat(served: Served) -> None:
    from parley.service.access.store import AccessStore

    client = served.client("oz")
    text = {"text": "halt trading in N1"}
    assert client.post("/chat", json=text).json()["token"]
    client.headers["Authorization"] = f"Bearer {AccessStore(served.book).add_token('oz', ['read', 'chat'])[1]}"

    reply = client.post("/chat", json=text).json()

    assert (reply["kind"], reply["token"]) == ("refuse", None)


def test_a_write_is_not_done_again_by_a_server_that_was_started_anew(served: Served) -> None:
    key, body = {"Idempotency-Key": "k-9"}, {"scopes": ["read"], "label": "once"}
    first = served.client("vic").post("/tokens", json=body, headers=key).json()

    after = served.client("vic")
    again = after.post("/tokens", json=body, headers=key)
    other = after.post("/tokens", json=body | {"label": "twice"}, headers=key)

    assert (again.status_code, again.json()) == (201, first | {"token": None})
    assert (other.status_code, other.json()["error"]["code"]) == (409, "key_reused")
    assert [item["label"] for item in after.get("/tokens").json()].count("once") == 1
    assert first["token"].encode() not in (served.book / "access" / "door.db").read_bytes()
