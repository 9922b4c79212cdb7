"""A desk on its schedule over a few made-up days: the events of a run, and what it does when something is wrong."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from parley.agents.llm.rules import RulesModel
from parley.desk.alert_book import AlertBook
from parley.desk.book import Book, open_log
from parley.desk.desk import build_desk, run_started
from parley.desk.operator import OperatorIntent, book_post
from parley.domain.control_events import NotificationRaised, OperatorAsked, TradingStateChanged
from parley.domain.events import ChildSubmitted, DecisionMade, PortfolioMarked
from parley.domain.step_events import StepHeld
from parley.domain.trading import ACCOUNT, TradingState
from parley.evals.book_at_rest import standing_of
from parley.evals.days import RecordedDays
from parley.memory.verify import verify_log
from parley.service.trading.drill import DrillFault
from parley.service.trading.summary import end_state, summarize
from parley.storage.flag import FlagNote

from .conftest import DAYS, LIMITS, Period, kill

LOOSER = LIMITS.replace("max_legs = ", "max_legs = 1")


def run_at_once(period: Period, folder: Path) -> str:
    """The head of the same days as `parley run --as-live` makes them."""
    prepared = period.terms.prepared
    book = Book(folder)
    run = book.create(prepared.run_id)
    with open_log(run) as (log, _):
        desk = build_desk(prepared.settings, prepared.limits, prepared.data, prepared.plan, log, RulesModel(), None)
        started = run_started(prepared.settings, prepared.limits, prepared.data, prepared.plan)
        days = RecordedDays(desk, prepared.plan.sessions, prepared.plan.seed, started, post=book_post(folder))
        assert asyncio.run(days.run()) is None
        return log.head()[1]


def test_days_traded_by_jobs_are_those_of_a_run_event_for_event(period: Period, tmp_path: Path) -> None:
    period.trade()

    assert verify_log(period.terms.folder.log_path).head_hash == run_at_once(period, tmp_path / "run")
    summary = summarize(period.terms)
    assert summary.log["OrderFilled"] > 0
    assert {job: set(states) for job, states in summary.counts.items()} == {
        job: {"done"} for job in ("preflight", "trade", "health", "decide", "verify")
    }
    assert (summary.uptime.frac, summary.state, summary.reason) == (1.0, "TRADING", "")


@pytest.mark.parametrize(
    "fault",
    [("kill_in_session", 1, 100), ("kill_in_decision", 2, 1), ("kill_at_night", 2, 200), ("kill_at_night", 0, 1)],
)
def test_a_killed_desk_goes_on_and_every_step_is_taken_once(period: Period, fault: tuple[Any, int, int]) -> None:
    kind, place, size = fault
    killed = period.with_faults(DrillFault(kind, period.sessions[place], size))

    killed.trade()

    assert killed.lives == 2
    for job in ("trade", "decide"):
        assert [row.due.date() for row in killed.rows(job)] == list(killed.sessions)
        assert {row.state for row in killed.rows(job)} <= {"done", "late"}
    assert len(killed.payloads(PortfolioMarked)) == len(killed.payloads(DecisionMade)) == DAYS
    halts = [item for item in killed.payloads(TradingStateChanged) if item.after is TradingState.HALTED]
    assert [item.cause for item in halts] == (["restart"] if kind == "kill_in_session" else [])
    assert standing_of(killed.terms.folder).account is TradingState.ACTIVE
    assert killed.is_sound()


def test_what_people_ask_while_no_process_is_there_comes_after_the_restart_and_replays(period: Period) -> None:
    away = period.with_faults(DrillFault("kill_in_session", period.sessions[1], 100), operator=None, away=400)

    def die_and_be_asked(fault: DrillFault) -> None:
        asked = OperatorIntent(command="reduce", user="ann", reason="it is down")
        book_post(away.book).inbox.put(asked.model_dump(mode="json"))
        kill(fault)

    away.trade(die_and_be_asked)

    (trade,) = [row for row in away.rows("trade") if row.due.date() == away.sessions[1]]
    assert trade.state == "late", "it was begun, whatever came of it"
    order = [item.cause for item in away.payloads(TradingStateChanged)]
    assert order[0] == "restart"
    assert len(away.payloads(OperatorAsked)) == 1
    assert away.is_sound()


def test_a_halt_after_a_death_is_answered_by_the_operator_after_the_minutes_it_says(period: Period) -> None:
    killed = period.with_faults(DrillFault("kill_in_session", period.sessions[1], 100), operator=25)

    killed.trade()

    (resumed,) = [event for event in killed.events(OperatorAsked) if event.payload["command"] == "resume"]  # pyright: ignore
    opens = killed.terms.prepared.data.history().opening_time(resumed.event_time.date())
    assert (resumed.event_time - opens).total_seconds() / 60 == 100 + killed.terms.drill.restart_minutes + 25
    assert summarize(killed.terms).uptime.lost["halted"] == 30.0, "two checks, 15 minutes each"


def test_without_anybody_to_answer_it_ends_halted_with_the_reason_and_sends_nothing_more(period: Period) -> None:
    killed = period.with_faults(DrillFault("kill_in_session", period.sessions[1], 100), operator=None)

    killed.trade()

    state, reason = end_state(standing_of(killed.terms.folder))
    assert state == "HALTED"
    assert "in mid-session and was started again" in reason
    halted = killed.events(TradingStateChanged)[0].seq
    assert all(event.seq < halted for event in killed.events(ChildSubmitted))
    assert {row.state for row in killed.rows("decide")} == {"done", "refused"}
    assert len(killed.payloads(PortfolioMarked)) == DAYS, "what is held is valued all the same"
    assert killed.is_sound()


def test_a_bar_that_comes_late_delays_its_decision_and_one_that_misses_the_open_is_told(period: Period) -> None:
    sessions = period.sessions
    stale = period.with_faults(
        DrillFault("stale_feed", sessions[1], 90), DrillFault("stale_feed", sessions[3], 18 * 60)
    )

    stale.trade()

    decided = {row.due.date(): row for row in stale.rows("decide")}
    assert decided[sessions[1]].state == "late"
    assert decided[sessions[3]].state == "missed"
    held = {(item.step, item.session): item for item in stale.payloads(StepHeld)}
    assert held["decide", sessions[3]].cause == "missed"
    assert held["trade", sessions[4]].cause == "late"
    assert not stale.children_in(sessions[4]), "without a decision nothing is worked"
    refused = [row for row in stale.rows("preflight") if row.state == "refused"]
    assert [row.due.date() for row in refused] == [sessions[4]]
    assert f"expected is {sessions[3]}" in refused[0].said
    assert any("missed" in item.text for item in stale.payloads(NotificationRaised))
    assert summarize(stale.terms).uptime.lost == {"stale feed": 30.0}
    assert stale.is_sound()


def refusals() -> dict[str, tuple[Callable[[Period], None], str]]:
    def limits(period: Period) -> None:
        path = period.terms.prepared.settings.limits_file
        assert path is not None
        path.write_text(LOOSER)

    def alert(period: Period) -> None:
        now = period.terms.prepared.data.history().close_time(period.sessions[0])
        AlertBook(period.book, lambda: now).raise_alert("disk_low", "critical", "disk", "95 % of it is full")

    def left(period: Period) -> None:
        now = period.terms.prepared.data.history().close_time(period.sessions[0])
        alerts = AlertBook(period.book, lambda: now)
        alerts.raise_alert("halted", "critical", "account", "x", run_id="run-before", notification_id="ntf-1")
        alerts.leave("halted", "account")

    return {
        "limits": (limits, "the limits file is"),
        "alert": (alert, "nobody has acknowledged it: disk_low"),
        "left by the run before": (left, "nobody has acknowledged it: halted"),
    }


@pytest.mark.parametrize("name", ["limits", "alert", "left by the run before"])
def test_a_refused_pre_flight_takes_no_new_risk_and_says_why(period: Period, name: str) -> None:
    happens, reason = refusals()[name]
    refused = period.with_faults(DrillFault("kill_at_night", period.sessions[0], 60), operator=None)

    refused.trade(lambda fault: happens(refused))

    later = refused.sessions[1:]
    assert [row.state for row in refused.rows("trade")] == ["done"] + ["refused"] * len(later)
    changes = [(item.after, item.cause, item.reason) for item in refused.payloads(TradingStateChanged)]
    assert len(changes) == 2 * len(later), "restricted at each open, given back at each close"
    assert changes[0][:2] == (TradingState.REDUCING, "preflight")
    assert reason in changes[0][2]
    assert refused.payloads(DecisionMade)[0].decision.plan is not None
    assert not refused.payloads(ChildSubmitted), "every leg would have added risk"
    assert refused.is_sound()


def test_a_pre_flight_that_passes_again_gives_the_session_back(period: Period) -> None:
    path = period.terms.prepared.settings.limits_file
    assert path is not None
    night = period.with_faults(
        DrillFault("kill_at_night", period.sessions[0], 60), DrillFault("kill_in_session", period.sessions[1], 60)
    )

    def change_limits(fault: DrillFault) -> None:
        path.write_text(LOOSER if fault.kind == "kill_at_night" else LIMITS, encoding="utf-8")

    night.trade(change_limits)

    restricted, freed = night.events(TradingStateChanged)
    opens = night.terms.prepared.data.history().opening_time(night.sessions[1])
    assert 60 <= (freed.event_time - opens).total_seconds() / 60 <= 75
    assert restricted.event_time < opens
    sent = [child.created_at for child in night.children_in(night.sessions[1])]
    assert sent
    assert min(sent) >= freed.event_time
    assert night.is_sound()


def test_the_kill_flag_passes_every_session_halted_and_the_decisions_say_so(period: Period) -> None:
    flagged = period.with_faults(DrillFault("kill_at_night", period.sessions[2], 60), operator=None)

    flagged.trade(lambda fault: book_post(flagged.book).flag.hoist(FlagNote("ann", "smoke", "now")) and None)

    assert standing_of(flagged.terms.folder).in_force[ACCOUNT].cause == "kill_flag"
    assert [row.state for row in flagged.rows("decide")] == ["done"] * 3 + ["refused"] * (DAYS - 3)
    assert not [child for session in flagged.sessions[3:] for child in flagged.children_in(session)]
    assert summarize(flagged.terms).uptime.lost == {"halted": 390.0 * (DAYS - 3)}
    assert flagged.is_sound()


def test_a_dead_model_makes_agents_abstain_and_the_replay_finds_it_so(period: Period) -> None:
    dead = period.with_faults(DrillFault("dead_model", period.sessions[2], 2))

    dead.trade()

    counts = [len(item.decision.abstentions) for item in dead.payloads(DecisionMade)]
    usual = counts[0]
    assert [count > usual for count in counts] == [place in (2, 3) for place in range(DAYS)]
    assert dead.is_sound()
