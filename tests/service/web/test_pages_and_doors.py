"""Who sees which page: roles, sign-in, sign-out, errors as pages, and the headers that every page carries."""

from pathlib import Path
from typing import Any

import pytest
from parley.service.access.store import AccessStore
from parley.service.api.app import build_app, guarded
from parley.service.api.settings import ServeSettings
from parley.service.web.shell import NAV
from parley.service.web.signing import own_path
from starlette.testclient import TestClient

PATHS = [place.path for place in NAV]
PASSWORD = "correct horse battery staple"


def test_every_page_of_the_menu_is_there_for_a_viewer_and_for_nobody_else(still: Any) -> None:
    viewer, stranger = still.client("vic"), still.client(None)

    seen = {path: viewer.get(path).status_code for path in PATHS}
    refused = {path: stranger.get(path) for path in PATHS}

    assert set(seen.values()) == {200}, seen
    assert {reply.status_code for reply in refused.values()} == {303}
    assert refused["/risk"].headers["location"] == "/sign-in?next=%2Frisk"


def test_signing_in_leads_back_and_signing_out_ends_the_session(desk: Any) -> None:
    client = desk.client(None)

    wrong = client.post("/sign-in", data={"user": "vic", "password": "no " + PASSWORD, "next": "/risk"})
    right = client.post("/sign-in", data={"user": "vic", "password": PASSWORD, "next": "/risk"})
    cookie = right.headers["set-cookie"]
    left = client.post("/sign-out", data={"csrf": client.cookies["parley_csrf"]})
    after = client.get("/")

    assert (wrong.status_code, right.status_code) == (401, 303)
    assert "the name or the password is wrong" in wrong.text and PASSWORD not in wrong.text
    assert right.headers["location"] == "/risk"
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
    assert left.headers["location"] == "/sign-in"
    assert after.status_code == 303


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "/\nx"]
)
def test_nobody_is_led_elsewhere_after_signing_in(wanted: str) -> None:
    assert own_path(wanted) == "/"
    assert own_path("/decisions?cursor=3") == "/decisions?cursor=3"


def test_the_first_admin_is_made_once_by_the_consoles_token(tmp_path: Path) -> None:
    app = build_app(ServeSettings(tmp_path / "book"))
    client = TestClient(guarded(app), "http://localhost", follow_redirects=False)
    token = app.state.desk.doorman.offer_first()
    form = {"user": "ada", "password": PASSWORD}

    asked = client.get("/sign-in")
    wrong = client.post("/sign-in/first", data=form | {"token": "x" * 43})
    made = client.post("/sign-in/first", data=form | {"token": token})
    again = client.post("/sign-in/first", data=form | {"token": token, "user": "eve"})
    page = client.get("/")

    assert "Make the first admin" in asked.text
    assert (wrong.status_code, made.status_code, again.status_code) == (401, 303, 401)
    assert page.status_code == 200 and "This book has no run yet" in page.text
    assert list(AccessStore(tmp_path / "book").known().users) == ["ada"]


def test_a_write_without_the_pages_token_is_refused_and_changes_nothing(desk: Any) -> None:
    client = desk.client("oz")
    del client.headers["X-CSRF-Token"]

    refused = [
        client.post("/control/halt/preview", data={"reason": "x"}),
        client.post("/control/confirm", data={"token": "x"}),
        client.post("/chat", data={"text": "Show open positions."}),
        client.post("/chat/confirm", data={"token": "x"}),
        client.post("/alerts/alt-1/ack", data={"reason": "x"}),
        client.post("/sign-out", data={"csrf": "0" * 64}),
    ]
    foreign = client.post("/sign-out", data={}, headers={"Origin": "https://evil.example"})

    assert [reply.status_code for reply in refused] == [403] * 6
    assert foreign.status_code == 403
    assert client.get("/").status_code == 200


def test_a_viewer_looks_on_and_an_operator_acts(still: Any) -> None:
    viewer, operator = still.client("vic"), still.client("oz")

    shown = viewer.get("/").text, operator.get("/").text
    codes = viewer.get("/control/halt").status_code, operator.get("/control/halt").status_code
    sent = viewer.post("/control/halt/preview", data={"reason": "x"})

    assert 'data-control="halt"' not in shown[0] and 'data-control="halt"' in shown[1]
    assert codes == (403, 200)
    assert sent.status_code == 403 and "vic is viewer, and this takes operator" in sent.text


def test_pages_carry_a_policy_without_inline_and_the_api_keeps_its_own(still: Any) -> None:
    client = still.client("vic")

    page, api = client.get("/"), client.get("/api/v1/health")
    policy = page.headers["content-security-policy"]

    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; ")
    assert "unsafe" not in policy and "form-action 'self'" in policy and "frame-ancestors 'none'" in policy
    assert page.headers["referrer-policy"] == "same-origin"
    assert (page.headers["x-content-type-options"], page.headers["cache-control"]) == ("nosniff", "no-store")
    assert "script-src" not in api.headers["content-security-policy"]
    assert api.headers["referrer-policy"] == "no-referrer"


def test_errors_are_pages_and_those_of_the_api_stay_documents(still: Any) -> None:
    client = still.client("vic")

    missing, api = client.get("/no/such/page"), client.get("/api/v1/no/such/path")
    unknown, misshaped = client.get("/?run=run-nothing"), client.get("/?run=%3Cscript%3E")
    piece = client.get("/parts/nothing", headers={"HX-Request": "true"})
    method = client.put("/")

    assert missing.status_code == 404 and "<h1>Not found</h1>" in missing.text
    assert api.status_code == 404 and api.json()["error"]["code"] == "not_found"
    assert unknown.status_code == 404 and "names 0 runs" in unknown.text
    assert misshaped.status_code == 422 and "<script>" not in misshaped.text
    assert piece.status_code == 404 and "<html" not in piece.text
    assert method.status_code == 405


@pytest.mark.parametrize("path", ["/", "/risk", "/live", "/series/equity", "/parts/risk_now", "/api/v1/status"])
def test_a_run_that_is_not_there_is_not_found_and_the_ones_that_are_are_named(still: Any, path: str) -> None:
    client = still.client("vic")
    known = client.get("/api/v1/status").json()["run"]

    unknown, begun = client.get(f"{path}?run=run-nothing"), still.client(None).get(f"{path}?run=run-nothing")

    assert unknown.status_code == 404
    assert "names 0 runs" in unknown.text and known in unknown.text
    assert begun.status_code in (303, 401) and known not in begun.text, "strangers learn nothing of runs"
    if path != "/live":
        assert client.get(f"{path}?run={known}").status_code == 200


def test_a_piece_asked_for_after_the_session_ended_sends_the_page_to_sign_in(still: Any) -> None:
    reply = still.client(None).get("/parts/desk_orders", headers={"HX-Request": "true"})

    assert (reply.status_code, reply.headers["hx-refresh"], reply.text) == (401, "true", "")


def test_pieces_that_went_well_leave_no_line_in_the_audit(desk: Any) -> None:
    client = desk.client("vic")
    client.get("/")
    lines = (desk.book / "access" / "calls.jsonl").read_text(encoding="ascii").count("\n")

    client.get("/parts/desk_orders")
    client.get("/series/equity")
    client.get("/parts/nothing")
    after = (desk.book / "access" / "calls.jsonl").read_text(encoding="ascii").splitlines()

    assert len(after) == lines + 1
    assert '"GET /parts/nothing"' in after[-1] and '"vic"' in after[-1]


def test_the_library_of_the_stream_is_there_before_the_page_is_begun(still: Any) -> None:
    """Deferred, the library begins before an extension that comes late, and the page is never live."""
    page = still.client("vic").get("/").text

    library, extension = page.index("/htmx-"), page.index("/hx-sse-")
    assert library < extension < page.index("</head>")
    assert "defer" not in page[page.rindex("<script", 0, library) : library]
    assert "defer" in page[page.rindex("<script", 0, extension) : extension]
