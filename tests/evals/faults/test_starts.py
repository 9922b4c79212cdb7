"""Starts over changed files and other versions, ends in good order, and a kill with log and model down."""

from typing import Any

import pytest
from parley.desk.operator import Operator as Desktop
from parley.domain.control_events import NotificationRaised
from parley.domain.events import PAYLOADS, Payload
from parley.evals.faults.faults import KINDS, Fault
from parley.evals.faults.files import KINDS as FILE_KINDS
from parley.evals.faults.life import Life
from parley.evals.faults.scenarios import Case
from parley.evals.faults.suite import CaseResult, run_case
from parley.evals.faults.versions import LOG_KINDS, PROGRAM


def run(*faults: Fault) -> CaseResult:
    return run_case(Case("named", 7, 2, faults))


def broken(*faults: Fault) -> set[str]:
    return {item.invariant for item in run(*faults).violations}


class MoonPhaseSeen(Payload):
    phase: str


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*FILE_KINDS, *LOG_KINDS, PROGRAM])
def test_a_start_over_what_is_not_the_runs_is_refused_and_costs_nothing(kind: str) -> None:
    calm = run()

    found = run(Fault(kind, 45, 1, 5))

    assert found.ok, found.violations
    assert (found.orders, found.fills, found.state) == (calm.orders, calm.fills, "ACTIVE")
    # It dies, is refused, and starts again; read models of another version are only made anew.
    assert found.lives == (2 if kind == "views_other_version" else 3)


@pytest.mark.slow
def test_a_desk_that_takes_changed_limits_over_breaks_i3(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = Life._begin
    monkeypatch.setattr(Life, "_begin", lambda self: begin(self) if self._log.head()[0] == 0 else None)

    assert "I3" in broken(Fault("limits_loosened", 10, 3))
    assert "I3" in broken(Fault(PROGRAM, 10))
    assert broken(Fault("crash_after_commit", 40)) == set()


def test_a_desk_that_reads_past_events_it_does_not_know_breaks_i3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PAYLOADS, "MoonPhaseSeen", MoonPhaseSeen)

    assert "I3" in broken(Fault("log_newer_event", 45))


@pytest.mark.parametrize("fault", [Fault("asked_to_end", 10), Fault("asked_in_model", 4)])
def test_an_end_in_good_order_leaves_the_log_of_a_run_that_went_through(fault: Fault) -> None:
    found = run(fault)

    assert found.ok, found.violations
    assert found.lives == 2
    assert found.head_hash == run().head_hash


def test_a_start_that_leaves_a_trace_in_the_log_breaks_i9(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = Life._begin

    def noting(self: Any) -> None:
        is_new = self._log.head()[0] == 0
        begin(self)
        if not is_new:
            raised = NotificationRaised(notification_id="ntf-1", severity="info", code="started", text="again")
            self._append("controls", raised, self._desk.history.close_time(self._world.sessions[0]))

    monkeypatch.setattr(Life, "_begin", noting)

    assert broken(Fault("asked_to_end", 10)) == {"I9"}


@pytest.mark.parametrize(
    ("fault", "starts"),
    [(Fault("kill_in_session", 10, 2), 4), (Fault("kill_in_session", 70), 3), (Fault("kill_in_model", 1, 3), 5)],
)
def test_a_kill_with_log_and_model_down_halts_and_stays_halted_when_they_are_back(fault: Fault, starts: int) -> None:
    found = run(fault)

    assert found.ok, found.violations
    assert (found.state, found.reason, found.lives) == ("HALTED", "kill_flag: a person: smoke in the room", starts)


def test_a_desk_that_does_not_look_at_the_flag_breaks_i8(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Desktop, "_obey_flag", lambda self, controls, now: None)

    assert "I8" in broken(Fault("kill_in_session", 10))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [name for name, rule in KINDS.items() if rule.port == "tools" and name != "tool_slow"])
def test_a_tool_that_fails_costs_a_start_and_leaves_no_trace(kind: str) -> None:
    found = run(Fault(kind, 1))

    assert found.ok, found.violations
    assert (found.lives, found.head_hash) == (2, run().head_hash)


@pytest.mark.slow
def test_a_decision_of_another_versions_checkpoint_is_made_anew() -> None:
    for way in range(2):
        found = run(Fault("checkpoint_other", 1, 1, way))

        assert found.ok, found.violations
        assert (found.lives, found.head_hash) == (2, run().head_hash)
