"""Runs whose plans wait for a person: answered, refused, lost, doubled and late, and found again by a replay."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from parley.agents.llm.rules import RulesModel
from parley.desk.approval_rule import RunSoFar, adding_legs
from parley.desk.approval_settings import ApprovalSettings
from parley.desk.book import Book, RunFolder, open_log
from parley.desk.desk import RunPlan, build_desk, run_started
from parley.desk.operator import BookPost, OperatorIntent, book_post
from parley.desk.settings import Settings
from parley.domain.approval_events import ApprovalAnswered, ApprovalAsked
from parley.domain.control_events import NotificationRaised, OperatorAsked
from parley.domain.events import Actor, DecisionMade, Event, NewEvent, OrderOpened, Payload, RegimeChanged
from parley.domain.views import Regime
from parley.evals.approving import approval_counts, so_far
from parley.evals.book_at_rest import BookAtRest, standing_of
from parley.evals.days import RecordedDays
from parley.evals.replay import replay_run
from parley.evals.steering import Stop
from parley.gate.limits import load_limits
from parley.market.datasets import load_data
from parley.memory.gate_record import GateRecord
from parley.memory.log import EventLog
from parley.memory.verify import verify_log
from parley.memory.views import ReadModels
from parley.service.limit_rules import reachable_limits
from parley.storage.flag import FlagNote
from parley.storage.sql import open_in_memory

DAYS = 5
ALL = Settings(approval=ApprovalSettings(mode="all"))
Act = Callable[["Asked", int], None]


class Crash(Exception):
    """The process dies here."""


def nothing(run: "Asked", place: int) -> None:
    return None


@dataclass
class Asked:
    """One run in a book of its own, with somebody outside who acts as its sessions begin."""

    book: Book
    data: str
    settings: Settings = field(default_factory=lambda: ALL)

    @property
    def post(self) -> BookPost:
        return book_post(self.book.path)

    @property
    def folder(self) -> RunFolder:
        return self.book.latest()

    def run(self, act: Act = nothing, *, resumes: bool = False) -> Stop | None:
        limits, data, model = load_limits(), load_data(self.data), RulesModel()
        plan = RunPlan(self.data, data.history().sessions_between()[-DAYS:], model.name, 7)
        folder = self.folder if resumes else self.book.create(plan.run_id(self.settings, limits))
        with open_log(folder) as (log, _):
            desk = build_desk(self.settings, limits, data, plan, log, model, None)
            started = run_started(self.settings, limits, data, plan)
            days = RecordedDays(desk, plan.sessions, plan.seed, started, post=self.post)
            return asyncio.run(days.run(lambda done, total: act(self, done)))

    def waiting(self) -> list[ApprovalAsked]:
        return list(standing_of(self.folder).awaiting.values())

    def put(self, command: str, **detail: Any) -> None:
        intent = {"command": command, "user": "ann", "reason": "a test", "detail": detail}
        self.post.inbox.put(OperatorIntent.model_validate(intent).model_dump(mode="json"))

    def answer(self, command: str, plan_hash: str | None = None) -> None:
        """A person's word on whatever waits now."""
        for asked in self.waiting():
            self.put(command, decision_id=asked.decision_id, plan_hash=plan_hash or asked.plan_hash)

    def events(self) -> list[Event]:
        with open_log(self.folder, readonly=True) as (log, _):
            return list(log.read())

    def of(self, kind: type[Any]) -> list[Any]:
        return [event.decoded() for event in self.events() if event.type == kind.__name__]

    def answers(self) -> list[str]:
        return [payload.answer for payload in self.of(ApprovalAnswered)]

    def worked(self) -> set[str]:
        """The decisions whose orders were opened."""
        return {payload.order.decision_id for payload in self.of(OrderOpened)}

    def states(self) -> dict[str, set[str]]:
        """The states of orders in the read model, by decision."""
        found = dict[str, set[str]]()
        with open_log(self.folder, readonly=True) as (_, views):
            for order in views.orders():
                found.setdefault(order.decision_id, set()).add(order.state)
        return found

    def is_sound(self) -> bool:
        report = verify_log(self.folder.log_path, None, (GateRecord(reachable_limits),))
        return report.ok and replay_run(self.folder).identical


@pytest.fixture
def run(market_path: Path, tmp_path: Path) -> Asked:
    return Asked(Book(tmp_path / "book"), str(market_path))


def approve(run: Asked, place: int) -> None:
    run.answer("approve")


def test_nobody_there_means_that_nothing_is_worked_and_each_time_out_is_told(run: Asked) -> None:
    run.run()

    asked, decided = run.of(ApprovalAsked), run.of(DecisionMade)
    assert len(asked) == DAYS - 1 and run.answers() == ["timed_out"] * len(asked)
    assert run.worked() == set()
    assert {item.decision_id: {"not_sent"} for item in asked}.items() <= run.states().items()
    assert all(item.decision.kind == "trade" for item in decided)
    codes = [note.code for note in run.of(NotificationRaised)]
    assert codes.count("approval_asked") == len(asked)
    assert run.is_sound()


def test_a_plan_with_a_yes_is_worked_and_the_log_says_whose_it_was(run: Asked) -> None:
    run.run(approve)

    answered = run.of(ApprovalAnswered)
    assert {item.answer for item in answered} == {"approved"} and {item.user for item in answered} == {"ann"}
    assert run.worked() == {item.decision_id for item in answered}
    assert run.is_sound()


def test_a_plan_with_a_no_is_not_worked_and_the_next_decision_starts_afresh(run: Asked) -> None:
    run.run(lambda run, place: run.answer("reject" if place == 1 else "approve"))

    asked, answers = run.of(ApprovalAsked), run.answers()
    assert answers == ["rejected", *["approved"] * (len(asked) - 1)]
    assert run.states()[asked[0].decision_id] == {"not_sent"}
    assert run.worked() == {item.decision_id for item in asked[1:]}
    assert asked[1].reasons[-1].code == "new_symbol" and asked[0].new_symbols == asked[1].new_symbols
    assert run.is_sound()


def test_the_first_plan_and_new_names_are_asked_for_until_one_was_approved(run: Asked) -> None:
    run.settings = Settings(approval=ApprovalSettings(mode="large", turnover_frac=9, leg_frac=9))
    run.run(lambda run, place: run.answer("reject" if place == 1 else "approve"))

    asked = run.of(ApprovalAsked)
    assert run.answers() == ["rejected", "approved"], "from then on nothing is new, and nobody is asked"
    assert all({reason.code for reason in item.reasons} == {"first_plan", "new_symbol"} for item in asked)
    assert run.worked() == {asked[1].decision_id}
    assert run.is_sound()


@pytest.mark.parametrize(
    ("act", "answers", "refusal"),
    [
        (lambda run, place: run.answer("approve", "f" * 64), "timed_out", "the answer is to ffffffffffffffff"),
        (lambda run, place: [run.answer("reject"), run.answer("approve")], "rejected", "was answered before: rejected"),
        (
            lambda run, place: run.put("approve", decision_id="dec-none", plan_hash="f"),
            "timed_out",
            "no plan of dec-none",
        ),
        (lambda run, place: run.put("approve"), "timed_out", "no plan of an unnamed decision"),
    ],
    ids=["another content", "twice", "another decision", "nothing named"],
)
def test_an_answer_that_does_not_count_is_a_typed_no(run: Asked, act: Any, answers: str, refusal: str) -> None:
    run.run(act)

    assert set(run.answers()) == {answers} and run.worked() == set()
    refused = [note.text for note in run.of(NotificationRaised) if note.code == "approve_refused"]
    assert refused and any(refusal in text for text in refused)
    assert run.is_sound()


def test_an_answer_after_its_time_is_late_and_the_plan_is_not_worked(run: Asked) -> None:
    run.settings = Settings(approval=ApprovalSettings(mode="all", timeout_minutes=30))
    run.run(approve)

    asked = run.of(ApprovalAsked)
    decided = {item.decision.decision_id: item.decision.as_of for item in run.of(DecisionMade)}
    assert all(item.until == decided[item.decision_id] + timedelta(minutes=30) for item in asked)
    assert set(run.answers()) == {"timed_out"} and run.worked() == set()
    assert any("the time to answer" in note.text for note in run.of(NotificationRaised))
    assert run.is_sound()


def test_limits_made_tighter_meanwhile_take_the_yes_away(run: Asked) -> None:
    def act(run: Asked, place: int) -> None:
        if place == 1:
            run.put("tighten", limits={"max_gross": 0.4})
        run.answer("approve")

    run.run(act)

    assert run.answers()[0] == "timed_out" and set(run.answers()[1:]) == {"approved"}
    assert run.is_sound()


def test_a_kill_flag_wins_over_a_yes(run: Asked) -> None:
    def act(run: Asked, place: int) -> None:
        run.answer("approve")
        if place == 1:
            run.post.flag.hoist(FlagNote("bo", "news", "now"))

    stop = run.run(act)

    assert stop is not None and stop.kind == "halted"
    assert run.answers() == ["timed_out"] and run.worked() == set()
    assert any("the account is HALTED" in note.text for note in run.of(NotificationRaised))


def test_a_crash_between_question_and_answer_resumes_waiting(run: Asked) -> None:
    def die(run: Asked, place: int) -> None:
        if place == 2:
            raise Crash
        run.answer("reject")

    with pytest.raises(Crash):
        run.run(die)
    waiting = run.waiting()
    run.run(approve, resumes=True)

    assert len(waiting) == 1 and waiting[0].decision_id in run.worked()
    assert run.answers() == ["rejected", *["approved"] * (len(run.of(ApprovalAsked)) - 1)]
    assert len({item.decision_id for item in run.of(ApprovalAsked)}) == len(run.of(ApprovalAsked))
    assert run.is_sound()


ABOUT = (ApprovalAsked, ApprovalAnswered, NotificationRaised, OperatorAsked)


@pytest.mark.parametrize("call", range(1, 5))
def test_a_crash_before_each_fact_about_a_question_loses_and_doubles_no_answer(
    run: Asked, call: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first plan is rejected, the second approved; the crash is before question, warning, request or answer."""
    deaths, left, append = 0, call, EventLog.append

    def dying(log: EventLog, new_events: Any, expected: Any = None) -> Any:
        nonlocal left, deaths
        left -= any(isinstance(new.payload, ABOUT) for new in new_events) and not deaths
        if left == 0 and not deaths:
            deaths += 1
            raise Crash
        return append(log, new_events, expected)

    def person(run: Asked, place: int) -> None:
        if waiting := run.waiting():
            run.answer("reject" if waiting[0] == run.of(ApprovalAsked)[0] else "approve")

    monkeypatch.setattr(EventLog, "append", dying)
    with pytest.raises(Crash):
        run.run(person)
    run.run(person, resumes=True)

    asked = run.of(ApprovalAsked)
    assert deaths == 1 and run.answers()[:2] == ["rejected", "approved"]
    assert len({item.decision_id for item in asked}) == len(asked) == len(run.answers())
    assert asked[0].decision_id not in run.worked() and asked[1].decision_id in run.worked()
    assert run.is_sound()


def test_a_plan_that_waits_in_a_book_at_rest_can_be_answered_there(run: Asked) -> None:
    def die(run: Asked, place: int) -> None:
        if place == 1:
            raise Crash

    with pytest.raises(Crash):
        run.run(die)
    asked = run.waiting()[0]
    detail: dict[str, Any] = {"decision_id": asked.decision_id, "plan_hash": asked.plan_hash}
    intent = OperatorIntent(command="approve", user="ann", reason="seen", detail=detail)
    with BookAtRest(run.folder, run.post) as rest:
        refusals = [rest.obey(intent), rest.obey(intent)]
    run.run(resumes=True)

    assert refusals == ["", f"the plan of {asked.decision_id} was answered before: approved by ann"]
    assert run.worked() == {asked.decision_id}
    assert run.is_sound()


def test_answers_lost_doubled_and_late_never_work_a_plan_without_a_yes(run: Asked) -> None:
    def trouble(run: Asked, place: int) -> None:
        match place:
            case 1:
                run.answer("reject")
                run.answer("approve")
            case 2:
                old = run.of(ApprovalAsked)[0]
                run.put("approve", decision_id=old.decision_id, plan_hash=old.plan_hash)
            case 4:
                run.answer("approve")
                run.answer("approve")
            case _:
                pass

    run.run(trouble)

    asked = run.of(ApprovalAsked)
    assert run.answers() == ["rejected", "timed_out", "timed_out", "approved"]
    assert run.worked() == {asked[3].decision_id}
    assert run.is_sound()


Talk = dict[int, tuple[tuple[int, str], ...]]


def stepped(run: Asked, talk: Talk) -> list[tuple[str, ...]]:
    """The days step by step; in the night behind a place something is said or done so many minutes after the close.
    What was answered by then, at each look."""
    limits, data, model = load_limits(), load_data(run.data), RulesModel()
    plan = RunPlan(run.data, data.history().sessions_between()[-DAYS:], model.name, 7)
    folder, seen = run.book.create(plan.run_id(run.settings, limits)), list[tuple[str, ...]]()

    def pass_night(days: RecordedDays, place: int) -> None:
        for minutes, does in talk.get(place, ()):
            if does == "hold":
                days.hold("trade", place + 1, "refused", "stale data")
            elif does:
                run.answer(does)
            days.look(data.history().close_time(plan.sessions[place]) + timedelta(minutes=minutes))
            seen.append((does, *(item.answer for item in days.controls.standing.approvals.answered.values())))

    async def play(days: RecordedDays) -> None:
        for place in range(days.begin(), len(plan.sessions)):
            await days.trade(place)
            await days.decide(place)
            pass_night(days, place)
        days.finish()

    with open_log(folder) as (log, _):
        desk = build_desk(run.settings, limits, data, plan, log, model, None)
        started = run_started(run.settings, limits, data, plan)
        asyncio.run(play(RecordedDays(desk, plan.sessions, plan.seed, started, post=run.post)))
    return seen


def test_a_night_that_passes_step_by_step_hears_answers_and_ends_the_time_when_it_is_over(run: Asked) -> None:
    run.settings = Settings(approval=ApprovalSettings(mode="all", timeout_minutes=60))

    # The first night a no; the second nobody in time, and then a session that is not opened; the third a yes.
    seen = stepped(run, {0: ((10, ""), (20, "reject")), 1: ((59, ""), (61, ""), (90, "hold")), 2: ((5, "approve"),)})

    no, late = ("rejected",), ("rejected", "timed_out")
    assert seen == [("",), ("reject", *no), ("", *no), ("", *late), ("hold", *late), ("approve", *late, "approved")]
    assert run.worked() == {run.of(ApprovalAsked)[2].decision_id}
    assert run.is_sound()


def test_a_change_of_regime_is_new_until_a_plan_was_approved_after_it() -> None:
    def change(before: Regime, after: Regime) -> RegimeChanged:
        return RegimeChanged(
            decision_id="dec-1",
            from_regime=before,
            to_regime=after,
            probability=None,
            evidence=None,
            limit_factor=1.0,
            voting_weights={},
            framing="",
            reason="",
        )

    first, crisis = change(Regime.UNKNOWN, Regime.CALM), change(Regime.CALM, Regime.CRISIS)
    yes = ApprovalAnswered(decision_id="dec-1", plan_hash="h", answer="approved", user="ann")

    assert past_of() == RunSoFar()
    assert past_of(first) == RunSoFar()
    assert past_of(first, crisis) == RunSoFar(is_new_regime=True)
    assert past_of(first, yes, crisis) == RunSoFar(has_approved=True, is_new_regime=True)
    assert past_of(first, crisis, yes) == RunSoFar(has_approved=True)


def past_of(*payloads: Payload) -> RunSoFar:
    log = EventLog(database := open_in_memory(), ReadModels(database), recorded_at=lambda: "now")
    for payload in payloads:
        log.append(
            [
                NewEvent(
                    stream="s",
                    event_time=datetime(2020, 3, 9, tzinfo=UTC),
                    actor=Actor(kind="desk", name="test"),
                    payload=payload,
                    run_id="run-1",
                    decision_id="dec-1",
                )
            ]
        )
    approved = any(isinstance(payload, ApprovalAnswered) for payload in payloads)
    return so_far(log, "dec-2", "dec-1" if approved else "")


def test_without_the_setting_nothing_of_it_is_in_the_log(run: Asked) -> None:
    run.settings = Settings()
    run.run()

    assert not run.of(ApprovalAsked) and not run.of(ApprovalAnswered) and run.worked()
    with open_log(run.folder, readonly=True) as (log, _):
        assert approval_counts(log) == {}


def test_in_recorded_days_of_a_fall_nothing_that_adds_risk_is_worked_unasked(tmp_path: Path) -> None:
    """us20 in the worst week of March 2020 with nobody there: the book stays in cash, and each decision says why."""
    run = Asked(Book(tmp_path / "book"), "us20")
    limits, data, model = load_limits(), load_data("us20"), RulesModel()
    sessions = data.history().sessions_between(date(2020, 3, 5), date(2020, 3, 12))
    plan = RunPlan("us20", sessions, model.name, 7)
    with open_log(run.book.create(plan.run_id(ALL, limits))) as (log, _):
        desk = build_desk(ALL, limits, data, plan, log, model, None)
        asyncio.run(RecordedDays(desk, sessions, 7, run_started(ALL, limits, data, plan)).run())

    answered = {item.decision_id: item for item in run.of(ApprovalAnswered)}
    decisions = [item.decision for item in run.of(DecisionMade)]
    assert run.worked() == set() and len(decisions) == len(sessions)
    for decision in decisions[:-1]:
        is_explained = decision.decision_id in answered or not adding_legs(decision)
        assert is_explained and decision.summary
    assert {item.reason for item in answered.values()} == {"nobody answered in time"}
