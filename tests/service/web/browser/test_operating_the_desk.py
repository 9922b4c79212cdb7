"""A person operates the desk in a real browser: halts, resumes, flattens, answers plans and alerts, in two steps."""

from collections.abc import Callable, Generator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from parley.desk.alert_book import AlertBook
from parley.desk.book import Book, open_log
from parley.desk.clock import wall_now
from parley.domain.approval_events import ApprovalAsked, ApprovalReason
from parley.domain.control_events import OperatorAsked
from parley.domain.events import Actor, NewEvent, PlanApproved
from parley.service.answers.reader import DeskReader

pytestmark = pytest.mark.slow

TRADE = ("--data", "us20", "--start", "2022-03-04", "--end", "2022-03-11")
"""From a Friday on: the first plan waits over a weekend."""
PACE = 16_000
"""A session of the exchange then lasts a second and a half, and its weekend the fifteen that a person takes."""


def state_of(desk: Any) -> str:
    return desk.page.locator("#part-desk_control .state").first.inner_text()


def test_a_halt_is_shown_then_done_then_lifted_by_one_who_may(own_at: str, screen: Callable[..., Any]) -> None:
    oz, rita = screen(own_at, "oz"), screen(own_at, "rita")
    before = state_of(oz)

    oz.request("halt", "a fire drill")
    preview = oz.page.get_by_role("dialog").inner_text()
    unchanged = state_of(rita)
    done = oz.confirm()
    for desk in (oz, rita):
        desk.page.locator("#part-desk_control .s-halted").first.wait_for()
    may_resume = oz.page.locator("[data-control=resume]").count()
    rita.request("resume", "the drill is over")
    resumed = rita.confirm()
    for desk in (oz, rita):
        desk.page.locator("#part-desk_control .s-active").first.wait_for()

    assert (before, unchanged) == ("ACTIVE", "ACTIVE") and "HALTED after that" in preview
    assert "Done: halt." in done and "Done: resume." in resumed
    assert may_resume == 0


def test_flatten_says_what_it_would_sell_and_does_nothing_before_it_is_confirmed(
    own_at: str, own_book: Path, screen: Callable[..., Any]
) -> None:
    desk, before = screen(own_at, "oz"), asked_of(own_book)

    desk.request("flatten", "going home")
    preview = desk.page.get_by_role("dialog").inner_text()
    desk.page.get_by_role("button", name="Never mind").click()
    untouched = asked_of(own_book)
    desk.request("flatten", "going home")
    done = desk.confirm()

    assert "would be sold" in preview
    assert untouched == before and "flatten" in done
    assert asked_of(own_book) == [*before, ("flatten", "oz")]


def asked_of(book: Path) -> list[tuple[str, str]]:
    """What people asked the desk for: the command, and who."""
    with DeskReader(book).reading() as reading:
        found = [event.decoded() for event in reading.read(OperatorAsked)]
    return [(item.command, item.user) for item in found if isinstance(item, OperatorAsked)]


def test_an_alert_is_answered_with_a_reason_and_everybody_sees_it(
    own_at: str, own_book: Path, screen: Callable[..., Any]
) -> None:
    oz, vic = screen(own_at, "oz", "/alerts"), screen(own_at, "vic", "/alerts")
    alert = AlertBook(own_book, wall_now).raise_alert("drill", "critical", "account", "6.1% below the peak")
    shown = f"[data-alert='{alert.alert_id}']"
    for desk in (oz, vic):
        desk.page.locator(shown).wait_for()

    oz.page.locator(shown).get_by_label("What is done about it").fill("cut the book by half")
    oz.page.locator(f"[data-ack='{alert.alert_id}']").click()
    for desk in (oz, vic):
        desk.page.locator(shown + "[data-state=acknowledged]", has_text="cut the book by half").wait_for()

    found = AlertBook(own_book, wall_now).find(alert.alert_id)
    assert (found.state, found.acknowledged_by, found.reason) == ("acknowledged", "oz", "cut the book by half")
    assert vic.page.locator("[data-ack]").count() == 0


@pytest.fixture
def asking_at(tmp_path: Path, serve: Callable[..., Any], start: Callable[..., Any]) -> Generator[Any]:
    """An empty book that is served, and the command that begins to trade in it, asking for every plan."""
    config = tmp_path / "asking.toml"
    config.write_text('[approval]\nmode = "all"\n', encoding="utf-8")
    with serve(tmp_path / "book") as url:
        yield (
            url,
            lambda: start(
                tmp_path, "trade", *TRADE, "--accelerate", PACE, "--config", config, "--book", tmp_path / "book"
            ),
        )


def test_a_plan_is_approved_while_the_desk_waits_and_its_orders_are_filled(
    asking_at: Any, screen: Callable[..., Any]
) -> None:
    url, begin = asking_at
    desk = screen(url, "oz")
    desk.page.goto(url + "/approvals")
    with begin():
        desk.page.locator("article.asking").wait_for(timeout=60_000)
        plan = desk.page.locator("article.asking").first.get_attribute("data-decision")
        reasons = desk.page.locator("article.asking").inner_text()

        desk.request("approve", "looked at every leg")
        done = desk.confirm()
        desk.page.locator("#part-approvals_answered tr", has_text="looked at every leg").wait_for()
        desk.page.get_by_role("link", name="Desk", exact=True).click()
        desk.page.locator("#part-desk_fills tbody tr").first.wait_for(timeout=60_000)

    assert plan and "every plan that adds risk is asked for" in reasons
    assert "approve" in done


def test_a_plan_is_rejected_and_nothing_of_it_waits_on(own_at: str, own_book: Path, screen: Callable[..., Any]) -> None:
    """A question that comes while one looks is shown, answered, and gone."""
    desk = screen(own_at, "oz", "/approvals")
    plan = ask_about_the_last_plan(own_book)
    shown = f"article[data-decision='{plan}']"
    desk.page.locator(shown).wait_for()

    desk.request("reject", "too much at once")
    done = desk.confirm()
    answered = desk.page.locator("#part-approvals_answered tr", has_text="too much at once")
    answered.wait_for()
    said = answered.inner_text()
    desk.page.locator(shown).wait_for(state="detached")

    assert "reject" in done and "rejected" in said and "oz" in said


def ask_about_the_last_plan(book: Path) -> str:
    """Put the question of the book's last plan at the end of its log, as a desk that asks for every plan does."""
    with open_log(Book(book).latest()) as (log, _):
        event, last = log.last(PlanApproved), next(log.read(log.head()[0] - 1))
        assert event is not None and event.decision_id is not None
        approved = PlanApproved.model_validate(event.payload)
        asked = ApprovalAsked(
            decision_id=event.decision_id,
            plan_id=approved.plan.plan_id,
            plan_hash=approved.verdict.content_hash,
            limits_hash=approved.verdict.limits_hash,
            reasons=(ApprovalReason(code="every_plan", text="every plan that adds risk is asked for"),),
            turnover_frac=0.2815,
            largest_leg_frac=0.0142,
            new_symbols=(),
            until=last.event_time + timedelta(days=1),
        )
        log.append(
            [
                NewEvent(
                    stream="controls",
                    event_time=last.event_time,
                    actor=Actor(kind="desk", name="controls"),
                    payload=asked,
                    run_id=event.run_id,
                    decision_id=event.decision_id,
                )
            ]
        )
    return event.decision_id
