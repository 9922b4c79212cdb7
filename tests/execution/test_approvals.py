"""Answers to plans that wait: what counts, what does not, and what a time-out is."""

from datetime import UTC, datetime, timedelta

import pytest
from parley.domain.approval_events import ApprovalAnswered, ApprovalAsked, ApprovalReason
from parley.domain.control_events import NotificationRaised, OperatorAsked
from parley.domain.model import Payload
from parley.domain.trading import ACCOUNT, TradingState
from parley.execution.controls import Controls

ASKED_AT = datetime(2020, 3, 9, 20, tzinfo=UTC)
UNTIL = ASKED_AT + timedelta(hours=2)
PLAN = "a" * 64


class Told:
    """Takes down what the controls record, and whether it came from outside."""

    def __init__(self) -> None:
        self.facts: list[tuple[Payload, datetime, bool]] = []

    def __call__(self, payload: Payload, now: datetime, *, outside: bool) -> None:
        self.facts.append((payload, now, outside))

    def answers(self) -> list[tuple[str, str, datetime, bool]]:
        return [
            (payload.answer, payload.user, now, outside)
            for payload, now, outside in self.facts
            if isinstance(payload, ApprovalAnswered)
        ]


class Nobody:
    def take(self, controls: Controls, now: datetime) -> None:
        return None


def asked(decision_id: str = "dec-1") -> ApprovalAsked:
    return ApprovalAsked(
        decision_id=decision_id,
        plan_id="plan-1",
        plan_hash=PLAN,
        limits_hash="l",
        reasons=(ApprovalReason(code="turnover", text="it is large", figure=0.4, limit=0.25),),
        turnover_frac=0.4,
        largest_leg_frac=0.1,
        until=UNTIL,
    )


def said(answer: str, plan_hash: str = PLAN, decision_id: str = "dec-1") -> ApprovalAnswered:
    return ApprovalAnswered.model_validate(
        {"decision_id": decision_id, "plan_hash": plan_hash, "answer": answer, "user": "ann", "reason": "seen"}
    )


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def controls(told: Told) -> Controls:
    made = Controls("run-1", told, Nobody())
    made.ask_approval(asked(), ASKED_AT)
    return made


def test_asking_is_recorded_and_somebody_is_warned(controls: Controls, told: Told) -> None:
    notes = [payload for payload, _, _ in told.facts if isinstance(payload, NotificationRaised)]

    assert list(controls.standing.awaiting) == ["dec-1"]
    assert [(note.severity, note.code) for note in notes] == [("warning", "approval_asked")]
    assert notes[0].text == f"the plan of dec-1 waits for approval until {UNTIL.isoformat()}: it is large"
    assert all(not outside for _, _, outside in told.facts)


@pytest.mark.parametrize("answer", ["approved", "rejected"])
def test_an_answer_in_time_to_the_plan_that_waits_counts(controls: Controls, told: Told, answer: str) -> None:
    refusal = controls.answer_approval(said(answer), UNTIL)

    assert refusal == "" and not controls.standing.awaiting
    assert told.answers() == [(answer, "ann", UNTIL, True)]


@pytest.mark.parametrize(
    ("answered", "seconds", "words"),
    [
        (said("approved", "b" * 64), 0, "the answer is to bbbbbbbbbbbbbbbb"),
        (said("approved", ""), 0, "the answer is to no plan"),
        (said("rejected", "b" * 64), 0, "the answer is to bbbbbbbbbbbbbbbb"),
        (said("approved", PLAN, "dec-2"), 0, "no plan of dec-2 waits for approval"),
        (said("approved"), 1, "the time to answer for dec-1 was over"),
    ],
)
def test_an_answer_to_another_plan_or_too_late_is_a_no(
    controls: Controls, told: Told, answered: ApprovalAnswered, seconds: int, words: str
) -> None:
    refusal = controls.answer_approval(answered, UNTIL + timedelta(seconds=seconds))

    assert words in refusal and list(controls.standing.awaiting) == ["dec-1"] and told.answers() == []


def test_only_the_first_answer_counts(controls: Controls, told: Told) -> None:
    controls.answer_approval(said("rejected"), ASKED_AT)

    second = controls.answer_approval(said("approved"), ASKED_AT)

    assert second == "the plan of dec-1 was answered before: rejected by ann"
    assert [answer for answer, *_ in told.answers()] == ["rejected"]


def test_nobody_approves_under_limits_that_were_made_tighter_meanwhile(controls: Controls) -> None:
    detail = {"limits": {"max_gross": 0.5}, "note_id": "n"}
    controls.ask(OperatorAsked(command="tighten", user="bo", reason="r", scope=ACCOUNT, detail=detail), ASKED_AT)

    refusal = controls.answer_approval(said("approved"), ASKED_AT)

    assert refusal.startswith("limits were made tighter since it was decided")
    assert controls.answer_approval(said("rejected"), ASKED_AT) == ""


def test_a_halt_wins_over_a_yes_and_a_no_may_always_be_said(controls: Controls) -> None:
    controls.tighten(ACCOUNT, TradingState.HALTED, "operator", "halt", "bo: news", ASKED_AT)

    assert "HALTED" in controls.answer_approval(said("approved"), ASKED_AT)
    assert controls.answer_approval(said("rejected"), ASKED_AT) == ""


def test_a_time_out_is_a_no_dated_by_the_time_itself_whoever_looks_when(controls: Controls, told: Told) -> None:
    controls.states(UNTIL - timedelta(seconds=1))
    before = list(told.answers())

    controls.states(UNTIL + timedelta(hours=9))

    assert before == []
    assert told.answers() == [("timed_out", "", UNTIL, False)]
    assert "was answered before: timed_out" in controls.answer_approval(said("approved"), UNTIL)


def test_an_answer_that_arrives_at_the_last_moment_is_taken_before_the_time_out(told: Told) -> None:
    class Late:
        def take(self, controls: Controls, now: datetime) -> None:
            controls.answer_approval(said("approved"), now)

    controls = Controls("run-1", told, Late())
    controls.ask_approval(asked(), ASKED_AT)

    controls.states(UNTIL)

    assert [answer for answer, *_ in told.answers()] == ["approved"]


def test_what_people_did_after_a_time_out_is_looked_for_behind_it(told: Told) -> None:
    """A replay finds requests at their places in the log: those behind the time-out once it is recorded."""

    class Outside:
        def __init__(self) -> None:
            self.waits = list[bool]()

        def take(self, controls: Controls, now: datetime) -> None:
            self.waits.append(bool(controls.standing.awaiting))

    outside = Outside()
    controls = Controls("run-1", told, outside)
    controls.ask_approval(asked(), ASKED_AT)

    controls.states(UNTIL - timedelta(seconds=1))
    controls.states(UNTIL)
    controls.states(UNTIL)

    assert outside.waits == [True, True, False, False]
