"""The page of plans that wait: what one needs to answer, who may, and what became of the answer."""

import re
from datetime import timedelta
from typing import Any

import pytest
from parley.desk.book import Book, open_log
from parley.domain.approval_events import ApprovalAsked, ApprovalReason
from parley.domain.events import Actor, NewEvent, PlanApproved
from parley.evals.book_at_rest import standing_of

TOKEN = re.compile(r'name="token" value="([^"]+)"')
HOSTILE = "<b>new</b> names"


@pytest.fixture
def waiting(desk: Any) -> tuple[Any, ApprovalAsked]:
    """The book with a question about its last plan at the end of its log."""
    with open_log(Book(desk.book).find(desk.run)) as (log, _):
        event = log.last(PlanApproved)
        head = next(log.read(log.head()[0] - 1))
        assert event is not None
        approved = PlanApproved.model_validate(event.payload)
        asked = ApprovalAsked(
            decision_id=event.decision_id or "",
            plan_id=approved.plan.plan_id,
            plan_hash=approved.verdict.content_hash,
            limits_hash=approved.verdict.limits_hash,
            reasons=(ApprovalReason(code="new_symbol", text=HOSTILE, symbols=(approved.plan.legs[0].symbol,)),),
            turnover_frac=0.2815,
            largest_leg_frac=0.0142,
            new_symbols=(approved.plan.legs[0].symbol,),
            until=head.event_time + timedelta(days=1, hours=2, minutes=5),
        )
        actor = Actor(kind="desk", name="controls")
        stored = NewEvent(
            stream="controls",
            event_time=head.event_time,
            actor=actor,
            payload=asked,
            run_id=desk.run,
            decision_id=asked.decision_id,
        )
        log.append([stored])
    return desk, asked


def test_a_waiting_plan_is_shown_with_reasons_legs_checks_and_the_time_left(waiting: Any, read: Any) -> None:
    desk, asked = waiting
    client = desk.client("oz")

    html = client.get("/approvals").text
    page, chip = read(html), client.get("/parts/state").text

    assert page.all("article", **{"data-decision": asked.decision_id})
    assert "28.15%" in page.text and "1.42%" in page.text and HOSTILE in page.text and "<b>new" not in html
    assert "1 d 2 h of market time left" in page.text
    assert len(page.all("table")) >= 2 and "checks: all passed" in page.text
    assert 'aria-label="1 waiting"' in chip


def test_buttons_are_there_for_those_who_may_answer(waiting: Any) -> None:
    desk, _ = waiting

    viewer, operator = (desk.client(user).get("/approvals").text for user in ("vic", "oz"))

    assert 'data-control="approve"' in operator and 'data-control="reject"' in operator
    assert "data-control" not in viewer and "takes the role" in viewer


@pytest.mark.parametrize(("action", "answer"), [("approve", "approved"), ("reject", "rejected")])
def test_a_plan_is_answered_in_two_steps_and_once(waiting: Any, action: str, answer: str) -> None:
    desk, asked = waiting
    client, fields = desk.client("oz"), {"decision": asked.decision_id, "reason": "looked at it"}

    form = client.get(f"/control/{action}?decision={asked.decision_id}").text
    shown = client.post(f"/control/{action}/preview", data=fields).text
    before = dict(standing_of(Book(desk.book).operated()).awaiting)
    done = client.post("/control/confirm", data={"token": TOKEN.findall(shown)[0]}).text
    after = standing_of(Book(desk.book).operated()).approvals
    page = client.get("/approvals").text
    again = client.post(f"/control/{action}/preview", data=fields).text

    assert f'value="{asked.decision_id}"' in form
    assert asked.decision_id in before and asked.decision_id not in after.awaiting
    assert after.answered[asked.decision_id].answer == answer and after.answered[asked.decision_id].user == "oz"
    assert f"Done: {action}." in done
    assert "No plan waits" in page or "Approval is off" in page
    assert answer in page and "looked at it" in page
    assert TOKEN.findall(again) == [] and "answered before" in again
