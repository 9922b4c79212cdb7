"""Who may come in, with what, and how everything else is kept out."""

import json
from collections.abc import Callable

import pytest
from parley.service.access.audit import read_calls
from parley.service.access.doorman import Doorman
from parley.service.access.store import AccessStore
from starlette.testclient import TestClient

from .conftest import PASSWORD, Served

HALT = {"action": "halt", "reason": "a test"}


def test_nobody_reads_without_signing_in(served: Served) -> None:
    client = served.client(None)

    for path in ("/runs", "/decisions", "/events", "/status", "/positions", "/users", "/reports"):
        reply = client.get(path)
        assert reply.status_code == 401, path
        assert reply.json()["error"]["code"] == "not_signed_in"
        assert reply.headers["www-authenticate"] == "Bearer"


def test_a_session_cookie_is_out_of_reach_of_scripts_and_other_sites(served: Served) -> None:
    reply = served.client(None).post("/session", json={"user": "vic", "password": PASSWORD})

    session, csrf = reply.headers.get_list("set-cookie")
    assert session.startswith("parley_session=") and "HttpOnly" in session and "SameSite=strict" in session
    assert csrf.startswith("parley_csrf=") and "HttpOnly" not in csrf
    assert "Secure" not in session


def test_cookies_go_over_tls_only_where_the_desk_has_it(served: Served) -> None:
    client = served.client(None, host="0.0.0.0", is_plain_allowed=True)

    reply = client.post("/session", json={"user": "vic", "password": PASSWORD})

    assert all("Secure" in cookie for cookie in reply.headers.get_list("set-cookie"))


def test_a_session_that_was_planted_is_not_taken_over(served: Served) -> None:
    client = served.client(None)
    planted = "A" * 43
    client.cookies.set("parley_session", planted)

    reply = client.post("/session", json={"user": "vic", "password": PASSWORD})

    assert reply.cookies["parley_session"] != planted
    fresh = served.client(None)
    fresh.cookies.set("parley_session", planted)
    assert fresh.get("/session").status_code == 401


def test_signing_in_again_ends_the_session_before(served: Served, sign_in: Callable[..., TestClient]) -> None:
    client = sign_in("vic")
    before = client.cookies["parley_session"]

    sign_in("vic", client)

    stale = served.client(None)
    stale.cookies.set("parley_session", before)
    assert stale.get("/session").status_code == 401
    assert client.get("/session").status_code == 200


def test_a_write_by_cookie_takes_the_token_of_its_own_session(sign_in: Callable[..., TestClient]) -> None:
    client, other = sign_in("ada"), sign_in("oz")
    mine = client.headers["X-CSRF-Token"]

    for sent in (None, "", "0" * 64, other.headers["X-CSRF-Token"]):
        client.headers.pop("X-CSRF-Token", None)
        if sent is not None:
            client.headers["X-CSRF-Token"] = sent
        reply = client.post("/intents", json=HALT)
        assert (reply.status_code, reply.json()["error"]["code"]) == (403, "csrf_refused")
    client.headers["X-CSRF-Token"] = mine
    assert client.post("/intents", json=HALT).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
    ],
)
def test_a_page_of_another_site_can_neither_sign_in_nor_write(served: Served, headers: dict[str, str]) -> None:
    client = served.client(None)

    reply = client.post("/session", json={"user": "vic", "password": PASSWORD}, headers=headers)

    assert (reply.status_code, reply.json()["error"]["code"]) == (403, "call_refused")


def test_a_form_of_another_site_is_no_json(served: Served) -> None:
    body = json.dumps({"user": "vic", "password": PASSWORD})

    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        reply = served.client(None).post("/session", content=body, headers={"content-type": kind})
        assert reply.status_code == 422, kind


def test_guessing_is_shut_out_even_with_the_right_password_at_last(served: Served) -> None:
    client = served.client(None)

    for _ in range(5):
        reply = client.post("/session", json={"user": "vic", "password": "wrong password " + "x"})
        assert reply.status_code == 401
    reply = client.post("/session", json={"user": "vic", "password": PASSWORD})

    assert (reply.status_code, reply.json()["error"]["code"]) == (429, "locked_out")
    assert int(reply.headers["retry-after"]) >= 29


def test_an_unknown_user_is_answered_as_a_wrong_password_is(served: Served) -> None:
    client = served.client(None)

    unknown = client.post("/session", json={"user": "nobody", "password": PASSWORD})
    wrong = client.post("/session", json={"user": "vic", "password": PASSWORD + "!"})

    assert unknown.json() == wrong.json()


def test_a_token_that_is_revoked_expired_changed_or_of_a_disabled_user_is_over(served: Served) -> None:
    moment = [1_000_000.0]
    store = AccessStore(served.book, lambda: moment[0])
    doorman = Doorman(store)
    expiring = store.add_token("vic", ["read"], days=1)[1]
    revoked, text = store.add_token("vic", ["read"])

    def is_known(token: str) -> bool:
        try:
            return doorman.by_token(token).user == "vic"
        except Exception as error:
            assert type(error).__name__ == "NotSignedIn"
            return False

    assert is_known(expiring) and is_known(text)
    store.revoke_token(revoked.token_id)
    assert not is_known(text)
    assert not is_known(expiring[:-1] + ("A" if expiring[-1] != "A" else "B"))
    moment[0] += 86_400
    assert not is_known(expiring)
    assert is_known(served.tokens["vic"])
    store.set_disabled("vic", True)
    assert not is_known(served.tokens["vic"])


def test_another_role_is_in_force_at_the_next_call(served: Served, sign_in: Callable[..., TestClient]) -> None:
    client, token = sign_in("oz"), served.client("oz")
    assert token.post("/intents", json=HALT).status_code == 200

    reply = served.client("ada").patch("/users/oz", json={"role": "viewer"})

    assert reply.status_code == 200
    assert client.get("/session").status_code == 401
    refused = token.post("/intents", json=HALT)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "not_allowed")


@pytest.mark.parametrize("user", ["vic", "oz", "rita"])
def test_only_an_admin_manages_users(served: Served, user: str) -> None:
    client = served.client(user)

    assert client.get("/users").status_code == 403
    assert client.patch(f"/users/{user}", json={"role": "admin"}).status_code == 403
    assert client.post("/users", json={"user": "eve", "role": "admin", "password": PASSWORD}).status_code == 403


def test_a_viewer_cannot_ask_for_a_change(served: Served) -> None:
    assert served.client("vic").post("/intents", json=HALT).status_code == 403


def test_a_token_can_do_no_more_than_it_is_for(served: Served) -> None:
    store = AccessStore(served.book)
    reading = served.client(None)
    reading.headers["Authorization"] = f"Bearer {store.add_token('ada', ['read'])[1]}"

    assert reading.get("/runs").status_code == 200
    assert reading.post("/intents", json=HALT).status_code == 403
    assert reading.get("/users").status_code == 403
    assert reading.post("/tokens", json={"scopes": ["read"]}).status_code == 403


def test_a_token_makes_none_that_is_for_more_than_itself(served: Served) -> None:
    store = AccessStore(served.book)
    keeping = served.client(None)
    keeping.headers["Authorization"] = f"Bearer {store.add_token('oz', ['read', 'admin'])[1]}"

    assert keeping.post("/tokens", json={"scopes": ["act"]}).status_code == 403
    assert keeping.post("/tokens", json={"scopes": ["read"]}).status_code == 201


def test_the_first_admin_is_made_once_by_the_token_of_the_console(served: Served, tmp_path: object) -> None:
    for path in (served.book / "access").iterdir():
        path.unlink()
    client = served.client(None)
    desk = client.app._app._app.state.desk  # pyright: ignore[reportAttributeAccessIssue, reportFunctionMemberAccess]
    token = desk.doorman.offer_first()

    wrong = client.post("/session/first", json={"token": "x", "user": "eve", "password": PASSWORD})
    right = client.post("/session/first", json={"token": token, "user": "ada", "password": PASSWORD})
    again = client.post("/session/first", json={"token": token, "user": "eve", "password": PASSWORD})

    assert [wrong.status_code, right.status_code, again.status_code] == [401, 200, 401]
    assert right.json()["role"] == "admin"


def test_every_call_is_in_the_audit_and_no_secret_is_anywhere(
    served: Served, sign_in: Callable[..., TestClient]
) -> None:
    client = sign_in("ada")
    secret = client.cookies["parley_session"]
    made = client.post("/tokens", json={"scopes": ["read"]}).json()["token"]
    proposed = client.post("/intents", json=HALT).json()["token"]
    client.get("/decisions?symbol=parley_secret_in_a_query")
    served.client(None).get("/runs")

    calls = list(read_calls(served.book))
    secrets = (PASSWORD, secret, made, proposed, "parley_secret_in_a_query", client.headers["X-CSRF-Token"])

    assert [(call["user"], call["action"], call["status"]) for call in calls[-5:]] == [
        ("ada", "POST /api/v1/session", 200),
        ("ada", "POST /api/v1/tokens", 201),
        ("ada", "POST /api/v1/intents", 200),
        ("ada", "GET /api/v1/decisions", 200),
        ("", "GET /api/v1/runs", 401),
    ]
    for path in (item for item in served.book.rglob("*") if item.is_file()):
        content = path.read_bytes()
        assert not [word for word in secrets if word.encode() in content], path
