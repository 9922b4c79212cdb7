"""What an audit finds in a log whose answers to waiting plans can't be."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from parley.domain.approval_events import ApprovalAnswered, ApprovalAsked, ApprovalReason
from parley.domain.canonical import content_hash
from parley.domain.decisions import Verdict
from parley.domain.events import Actor, NewEvent, OrderOpened, Payload, PlanApproved
from parley.domain.orders import ParentOrder, Plan, Side
from parley.memory.approval_record import ApprovalRecord
from parley.memory.log import EventLog
from parley.memory.views import ReadModels
from parley.storage.sql import open_in_memory

AT = datetime(2020, 3, 9, 20, tzinfo=UTC)
UNTIL = AT + timedelta(hours=1)
LEG = ParentOrder(
    order_id="o-1", decision_id="dec-1", symbol="AAA", side=Side.BUY, quantity=5, reference_price=Decimal(9), reason=""
)
PLAN = Plan(plan_id="plan-1", decision_id="dec-1", as_of=AT, legs=(LEG,))
HASH = content_hash(PLAN)
VERDICT = Verdict(approved=True, checks=(), content_hash=HASH, limits_hash="l", state_version="s", as_of=AT)
APPROVED = PlanApproved(plan=PLAN, verdict=VERDICT)


def asked(**changes: Any) -> ApprovalAsked:
    usual: dict[str, Any] = {"decision_id": "dec-1", "plan_id": "plan-1", "plan_hash": HASH, "limits_hash": "l"}
    reason = ApprovalReason(code="every_plan", text="all")
    return ApprovalAsked(
        **{**usual, "reasons": (reason,), "turnover_frac": 0.1, "largest_leg_frac": 0.1, "until": UNTIL, **changes}
    )


def answered(answer: str, **changes: Any) -> ApprovalAnswered:
    usual = {
        "decision_id": "dec-1",
        "plan_hash": HASH,
        "answer": answer,
        "user": "" if answer == "timed_out" else "ann",
    }
    return ApprovalAnswered.model_validate({**usual, **changes})


OPENED = OrderOpened(order=LEG, arrival_price=Decimal(9))
Fact = tuple[Payload, datetime]


def recorded(*facts: Fact | Payload) -> tuple[EventLog, ReadModels]:
    views = ReadModels(database := open_in_memory())
    log = EventLog(database, views, recorded_at=lambda: "now")
    for fact in facts:
        payload, at = fact if isinstance(fact, tuple) else (fact, AT)
        new = NewEvent(
            stream="s",
            event_time=at,
            actor=Actor(kind="gate", name="test"),
            payload=payload,
            run_id="run-1",
            decision_id="dec-1",
            order_id="o-1" if payload is OPENED else None,
        )
        log.append([new])
    return log, views


def found(*facts: Fact | Payload) -> list[tuple[str, str]]:
    notes = list[tuple[str, str]]()
    record = ApprovalRecord(lambda code, seq, text: notes.append((code, text)))
    for event in recorded(*facts)[0].read():
        record.take(event, event.decoded())
    return notes


@pytest.mark.parametrize("at", [AT, UNTIL])
def test_a_question_a_yes_in_time_and_the_work_are_sound(at: datetime) -> None:
    assert found(APPROVED, asked(), (answered("approved"), at), OPENED) == []


def test_a_time_out_and_no_work_are_sound_and_so_is_a_plan_nobody_was_asked_about() -> None:
    assert found(APPROVED, asked(), (answered("timed_out"), UNTIL)) == []
    assert found(APPROVED, OPENED) == []


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ([(answered("timed_out"), UNTIL)], "timed_out"),
        ([answered("rejected")], "rejected"),
        ([], "no answer yet"),
    ],
)
def test_work_without_a_yes_is_found(facts: list[Any], words: str) -> None:
    notes = found(APPROVED, asked(), *facts, OPENED)

    assert [code for code, _ in notes] == ["worked_unapproved"] and words in notes[0][1]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ([answered("approved")], "is to a question that nobody asked"),
        ([asked(), answered("approved"), answered("rejected")], "is a second one"),
        ([asked(), answered("approved", plan_hash="f")], "is to another plan"),
        ([asked(), (answered("approved"), UNTIL + timedelta(seconds=1))], "came after its time"),
        ([asked(), answered("timed_out")], "is a time-out before its time"),
        ([asked(), answered("approved", user="")], "names nobody"),
        ([asked(), (answered("timed_out", user="ann"), UNTIL)], "somebody for a time-out"),
        ([asked(plan_hash="f")], "which is not what the gate approved"),
        ([asked(plan_id="plan-2")], "which is not what the gate approved"),
        ([asked(), asked()], "was asked for before"),
    ],
)
def test_what_can_not_be_is_found(facts: list[Any], words: str) -> None:
    notes = found(APPROVED, *facts)

    assert [code for code, _ in notes] == ["approval_differs"] and words in notes[0][1]


@pytest.mark.parametrize(
    ("answer", "state"), [("approved", "approved"), ("rejected", "not_sent"), ("timed_out", "not_sent")]
)
def test_orders_of_a_plan_without_a_yes_are_over_in_the_read_model(answer: str, state: str) -> None:
    _, views = recorded(APPROVED, asked(), (answered(answer), UNTIL))

    order = views.orders()[0]

    assert (order.state, order.closed_at is None) == (state, state == "approved")


def test_an_answer_names_what_brought_it_about() -> None:
    by_itself = list(recorded(APPROVED, asked(), (answered("timed_out"), UNTIL))[0].read())

    assert by_itself[1].cause_id == by_itself[0].id, "the question names the plan"
    assert by_itself[2].cause_id == by_itself[1].id, "a time-out names the question"
