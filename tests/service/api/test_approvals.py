"""Plans that wait, by the API: listed, looked at, and answered in two steps under the caller's role."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from parley.agents.llm.rules import RulesModel
from parley.desk.approval_settings import ApprovalSettings
from parley.desk.book import Book, open_log
from parley.desk.desk import RunPlan, build_desk, run_started
from parley.desk.operator import book_post
from parley.desk.settings import Settings
from parley.evals.days import RecordedDays
from parley.gate.limits import load_limits
from parley.market.datasets import load_data

from .conftest import Served


class Crash(Exception):
    """The process dies here."""


@pytest.fixture
def waiting(served: Served, six_names: Path) -> Served:
    """The served book with a run that died while its first plan waited for a risk officer."""
    settings = Settings(approval=ApprovalSettings(mode="all", role="risk_officer"))
    limits, data, model = load_limits(), load_data(str(six_names)), RulesModel()
    plan = RunPlan(str(six_names), data.history().sessions_between()[-3:], model.name, 7)
    folder = Book(served.book).create(plan.run_id(settings, limits))

    def die(done: int, total: int) -> None:
        if done == 1:
            raise Crash

    with open_log(folder) as (log, _), pytest.raises(Crash):
        desk = build_desk(settings, limits, data, plan, log, model, None)
        started = run_started(settings, limits, data, plan)
        asyncio.run(RecordedDays(desk, plan.sessions, 7, started, post=book_post(served.book)).run(die))
    return replace(served, run=folder.run_id)


def test_what_waits_is_listed_and_shown_with_its_legs_and_checks(waiting: Served) -> None:
    client = waiting.client()
    page = client.get("/approvals").json()
    line = page["items"][0]
    whole = client.get(f"/approvals/{line['decision_id']}").json()

    assert page["total"] == 1 and line["state"] == "waiting" and line["answered_at"] is None
    assert line["reasons"][0]["code"] == "every_plan"
    assert whole["approval"] == line and whole["role"] == "risk_officer"
    assert sum(leg["weight"] for leg in whole["legs"]) == pytest.approx(line["turnover_frac"])
    assert whole["checks"] and all(check["passed"] for check in whole["checks"])


def test_a_run_that_asked_nobody_has_an_empty_list_and_an_unknown_one_is_not_found(served: Served) -> None:
    client = served.client()

    assert client.get("/approvals").json() == {"items": [], "next": None, "total": 0}
    assert client.get("/approvals/dec-none").status_code == 404
    assert served.client(None).get("/approvals").status_code == 401


def test_a_list_that_is_known_has_no_body_until_somebody_answers(waiting: Served) -> None:
    client = waiting.client("rita")
    first = client.get("/approvals")
    again = {"If-None-Match": first.headers["etag"]}
    known = client.get("/approvals", headers=again)

    body = {"action": "approve", "reason": "looked at it"}
    token = client.post("/intents", json=body).json()["token"]
    done = client.post("/intents/confirm", json={"token": token})
    grown = client.get("/approvals", headers=again)

    assert (known.status_code, known.content, done.status_code) == (304, b"", 200)
    assert [(item["state"], item["user"]) for item in grown.json()["items"]] == [("approved", "rita")]


def test_an_operator_may_say_no_where_only_a_risk_officer_may_say_yes(waiting: Served) -> None:
    client = waiting.client("oz")
    yes = client.post("/intents", json={"action": "approve", "reason": "r"}).json()
    no = client.post("/intents", json={"action": "reject", "reason": "r"}).json()

    assert yes["kind"] == "refuse" and yes["token"] is None and no["token"]
    assert client.post("/intents/confirm", json={"token": no["token"]}).status_code == 200
    assert client.get("/approvals").json()["items"][0]["state"] == "rejected"
    assert waiting.client("vic").post("/intents", json={"action": "reject", "reason": "r"}).status_code == 403
