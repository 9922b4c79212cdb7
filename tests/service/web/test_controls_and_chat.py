"""What people do on the pages: requests in two steps, answers to alerts and plans, questions and what they showed."""

import json
import re
from typing import Any

import pytest
from parley.desk.alert_book import AlertBook
from parley.desk.book import Book
from parley.desk.clock import wall_now
from parley.evals.book_at_rest import standing_of

TOKEN = re.compile(r'name="token" value="([^"]+)"')
HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">'


def state_of(desk: Any) -> str:
    return standing_of(Book(desk.book).operated()).account.value


def test_a_halt_is_shown_first_and_done_once_and_given_free_by_a_risk_officer(desk: Any) -> None:
    oz, rita = desk.client("oz"), desk.client("rita")

    form = oz.get("/control/halt")
    shown = oz.post("/control/halt/preview", data={"reason": "a test", "symbol": ""})
    before, token = state_of(desk), TOKEN.findall(shown.text)[0]
    done = oz.post("/control/confirm", data={"token": token})
    after = state_of(desk)
    again = oz.post("/control/confirm", data={"token": token})
    chip = oz.get("/parts/state").text
    small = oz.post("/control/resume/preview", data={"reason": "over"})
    free = rita.post("/control/resume/preview", data={"reason": "over"})
    rita.post("/control/confirm", data={"token": TOKEN.findall(free.text)[0]})

    assert 'name="reason"' in form.text and "required" in form.text
    assert "account: ACTIVE now, HALTED after that." in shown.text
    assert (before, after, state_of(desk)) == ("ACTIVE", "HALTED", "ACTIVE")
    assert "Done: halt." in done.text and "HALTED" in chip
    assert again.status_code == 409 and "used before" in again.text
    assert TOKEN.findall(small.text) == [] and "resume needs the role risk_officer" in small.text


def test_a_token_is_good_for_nobody_else(desk: Any) -> None:
    shown = desk.client("oz").post("/control/halt/preview", data={"reason": "a test"})

    taken = desk.client("rita").post("/control/confirm", data={"token": TOKEN.findall(shown.text)[0]})

    assert taken.status_code == 409 and state_of(desk) == "ACTIVE"


@pytest.mark.parametrize(
    ("action", "fields", "said"),
    [
        ("halt", {"symbol": "NOPE", "reason": "x"}, "NOPE is not in the universe"),
        ("halt", {"symbol": "<b>", "reason": "x"}, "symbol"),
        ("flatten", {"sector": "Nothing", "reason": "x"}, "no name of this run is in that sector"),
        ("flatten", {"symbol": "N0, N1", "reason": "x"}, "would be sold"),
        ("cancel", {"reason": "x"}, "there is nothing to cancel"),
        ("reduce", {"symbol": "N1", "reason": "x"}, "instrument N1: ACTIVE now, REDUCING after that."),
        ("acknowledge", {"reason": "x"}, "No such notification waits"),
        ("approve", {"reason": "x"}, "waits"),
        ("halt", {}, "reason"),
    ],
)  # fmt: skip
def test_each_request_says_what_it_would_do_or_why_not(still: Any, action: str, fields: Any, said: str) -> None:
    reply = still.client("oz").post(f"/control/{action}/preview", data=fields)

    assert said in reply.text, reply.text
    assert reply.status_code in (200, 422) and "<b>" not in reply.text


def test_a_reason_is_words_wherever_it_is_shown(desk: Any) -> None:
    client = desk.client("oz")
    shown = client.post("/control/halt/preview", data={"reason": HOSTILE})
    client.post("/control/confirm", data={"token": TOKEN.findall(shown.text)[0]})

    page = client.get("/").text

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page and "<img" not in page


def test_an_alert_is_answered_with_a_reason_by_an_operator(desk: Any) -> None:
    alert = AlertBook(desk.book, wall_now).raise_alert("drawdown", "critical", "account", HOSTILE)
    viewer, operator = desk.client("vic"), desk.client("oz")

    page = operator.get("/alerts").text
    seen = viewer.get("/alerts").text
    refused = viewer.post(f"/alerts/{alert.alert_id}/ack", data={"reason": "mine"})
    empty = operator.post(f"/alerts/{alert.alert_id}/ack", data={"reason": "  "})
    missing = operator.post("/alerts/alt-nothing/ack", data={"reason": "x"})
    done = operator.post(f"/alerts/{alert.alert_id}/ack", data={"reason": "looking into it"})
    found = AlertBook(desk.book, wall_now).find(alert.alert_id)

    assert f'data-ack="{alert.alert_id}"' in page and f'data-ack="{alert.alert_id}"' not in seen
    assert "1 critical alert without an answer" in page and "&lt;script&gt;" in page and "<script>alert" not in page
    assert [refused.status_code, empty.status_code, missing.status_code, done.status_code] == [403, 422, 404, 200]
    assert (found.state, found.acknowledged_by, found.reason) == ("acknowledged", "oz", "looking into it")
    assert "acknowledged" in done.text


def messages(text: str) -> list[str]:
    """The data of each event of a stream."""
    return ["\n".join(re.findall(r"^data: (.*)$", part, re.MULTILINE)) for part in text.split("\n\n") if part]


def test_an_answer_comes_line_by_line_and_then_whole_with_its_sources(still: Any, read: Any) -> None:
    client = still.client("vic")

    streamed = client.post(
        "/chat", data={"text": "Show open positions with weights."}, headers={"Accept": "text/html, text/event-stream"}
    )
    first, *lines, last = messages(streamed.text)
    whole = read(last)

    assert streamed.headers["content-type"].startswith("text/event-stream")
    assert "Show open positions with weights." in first and "pending" in first
    assert len(lines) >= 2 and all(line.startswith('<hx-partial hx-target="#told-') for line in lines)
    assert whole.all("hx-partial", **{"hx-swap": "outerHTML"}) and whole.all("table") and whole.unclosed == []
    assert "open positions at the close of" in whole.text and "source" in whole.text


def test_a_chart_of_an_answer_stands_in_the_chat_with_nothing_inline(still: Any, read: Any) -> None:
    page = read(still.client("vic").post("/chat", data={"text": "Show the equity curve for this year."}).text)

    assert page.all("svg", role="img") and page.all("ul", **{"class": "legend"})
    assert [found for _, found in page.elements if "style" in found] == []


def test_what_an_answer_would_do_is_confirmed_in_the_chat_by_an_operator(desk: Any) -> None:
    client = desk.client("oz")

    shown = client.post("/chat", data={"text": "halt trading because of a test"}).text
    done = client.post("/chat/confirm", data={"token": TOKEN.findall(shown)[0]})
    history = client.get("/chat/history").text

    assert 'data-confirm="halt"' in shown
    assert "Done: halt." in done.text and state_of(desk) == "HALTED"
    assert "halt trading because of a test" in history and TOKEN.findall(shown)[0] not in history


def test_a_viewer_is_told_no_in_the_chat_and_may_confirm_nothing(desk: Any) -> None:
    viewer = desk.client("vic")

    shown = viewer.post("/chat", data={"text": "halt trading because of a test"}).text
    confirmed = viewer.post("/chat/confirm", data={"token": "x"})

    assert TOKEN.findall(shown) == [] and "needs the role operator" in shown
    assert confirmed.status_code == 403 and state_of(desk) == "ACTIVE"


@pytest.mark.parametrize("accept", ["text/html", "text/event-stream"])
def test_a_question_is_words_and_never_markup(desk: Any, accept: str) -> None:
    client = desk.client("vic")

    reply = client.post("/chat", data={"text": HOSTILE}, headers={"Accept": accept}).text
    history = client.get("/chat/history").text

    assert "&lt;script&gt;" in reply and "&lt;script&gt;" in history
    assert "<script" not in reply + history and "<img" not in reply + history


@pytest.mark.parametrize("text", ["", " ", "x" * 2_001])
def test_a_question_has_a_length(still: Any, text: str) -> None:
    assert still.client("vic").post("/chat", data={"text": text}).status_code == 422


def test_a_form_is_a_form(still: Any) -> None:
    client = still.client("vic")

    as_json = client.post("/chat", content=json.dumps({"text": "x"}), headers={"Content-Type": "application/json"})
    twice = client.post("/chat", content="text=a&text=b", headers={"Content-Type": "application/x-www-form-urlencoded"})
    broken = client.post("/chat", content=b"text=%ff", headers={"Content-Type": "application/x-www-form-urlencoded"})

    assert [reply.status_code for reply in (as_json, twice, broken)] == [422, 422, 422]
