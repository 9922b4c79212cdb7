"""Alerts over the API: the list and its pages, one alert, and an answer that only an operator may give."""

from datetime import UTC, datetime, timedelta

import pytest
from parley.desk.alert_book import AlertBook
from parley.service.api.alerts import alerts
from parley.service.api.app import build_app, guarded
from parley.service.api.settings import ServeSettings
from starlette.testclient import TestClient

from .conftest import Served

BEGAN = datetime(2024, 1, 2, 15, tzinfo=UTC)


def client(served: Served, user: str) -> TestClient:
    """The desk's API, with the routes of alerts where they are not among its own yet."""
    app = build_app(ServeSettings(served.book))
    if not any(getattr(route, "path", "").startswith("/api/v1/alerts") for route in app.routes):
        app.include_router(alerts, prefix="/api/v1")
    headers = {"Authorization": f"Bearer {served.tokens[user]}"}
    return TestClient(guarded(app), "http://localhost/api/v1", headers=headers, raise_server_exceptions=False)


@pytest.fixture
def book(served: Served) -> AlertBook:
    moments = iter(BEGAN + timedelta(seconds=number) for number in range(1000))
    return AlertBook(served.book, lambda: next(moments))


def test_a_book_without_alerts_is_an_empty_page(served: Served) -> None:
    assert client(served, "vic").get("/alerts").json() == {"items": [], "next": None, "total": 0}


def test_the_newest_come_first_a_page_at_a_time_and_an_unchanged_page_has_no_body(
    served: Served, book: AlertBook
) -> None:
    for number in range(5):
        book.raise_alert("restricted", "warning", f"instrument N{number}", "<b>x</b>", 0.5, 0.4)
    viewer = client(served, "vic")

    page = viewer.get("/alerts", params={"limit": 2})
    assert [item["subject"] for item in page.json()["items"]] == ["instrument N4", "instrument N3"]
    after = viewer.get("/alerts", params={"limit": 2, "cursor": page.json()["next"]}).json()
    assert [item["subject"] for item in after["items"]] == ["instrument N2", "instrument N1"]
    assert (
        viewer.get("/alerts", params={"limit": 2}, headers={"If-None-Match": page.headers["etag"]}).status_code == 304
    )
    book.raise_alert("drawdown", "warning", "account", "x")
    assert (
        viewer.get("/alerts", params={"limit": 2}, headers={"If-None-Match": page.headers["etag"]}).status_code == 200
    )


def test_one_alert_is_shown_whole_and_an_unknown_one_is_not_found(served: Served, book: AlertBook) -> None:
    made = book.raise_alert("drawdown", "warning", "account", "5.1 %", 0.051, 0.05)
    viewer = client(served, "vic")

    found = viewer.get(f"/alerts/{made.alert_id}").json()
    assert (found["figure"], found["limit"], found["state"], found["deliveries"]) == (0.051, 0.05, "open", [])
    assert viewer.get("/alerts/alt-none").status_code == 404
    assert viewer.post("/alerts/alt-none/ack", json={"reason": "x"}).status_code == 403
    assert client(served, "oz").post("/alerts/alt-none/ack", json={"reason": "x"}).status_code == 404


def test_only_an_operator_answers_with_a_reason_and_it_opens_the_desk(served: Served, book: AlertBook) -> None:
    made = book.raise_alert("halted", "critical", "account", "x")
    path = f"/alerts/{made.alert_id}/ack"

    assert client(served, "vic").post(path, json={"reason": "seen"}).status_code == 403
    operator = client(served, "oz")
    assert operator.post(path, json={"reason": "  "}).status_code == 422
    assert operator.post(path, json={}).status_code == 422
    assert len(book.blocking()) == 1

    answered = operator.post(path, json={"reason": "looking <i>into</i> it"}).json()
    assert (answered["alert"]["state"], answered["alert"]["acknowledged_by"]) == ("acknowledged", "oz")
    assert answered["alert"]["reason"] == "looking i into /i it"
    assert answered["how"] == "none"
    assert book.blocking() == ()
    assert operator.post(path, json={"reason": "again"}).json()["alert"]["reason"] == "looking i into /i it"
