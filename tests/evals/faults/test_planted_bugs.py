"""Bugs planted in the desk: each one must be found by a named invariant within a few seeds, and shrink to its cause."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from parley.domain.trading import Scope, TradingState
from parley.evals.faults import life
from parley.evals.faults.faults import Fault
from parley.evals.faults.scenarios import Case, case_of_seed, scenario_named
from parley.evals.faults.shrink import shrink
from parley.evals.faults.suite import breaks, run_case
from parley.execution import reviewing, session
from parley.execution.answers import Answers
from parley.execution.errors import VenueUnreachable
from parley.execution.guarding import Guarding
from parley.execution.order_manager import OrderManager
from parley.execution.orders import OrderState
from parley.execution.restoring import Rested
from parley.execution.standing import Standing
from parley.gate.approval import child_digest, issue_order
from parley.memory.sent_orders import rests

Plant = Callable[[pytest.MonkeyPatch], None]
SEEDS = 12


def dedupe_off(patch: pytest.MonkeyPatch) -> None:
    booked = Answers._fill

    def fill(self: Answers, report: Any) -> None:
        self._known.executions.pop(report.execution_id, None)
        booked(self, report)

    patch.setattr(Answers, "_fill", fill)


def resend_under_a_new_id(patch: pytest.MonkeyPatch) -> None:
    def submit(self: OrderManager, working: Any, order: Any, now: Any) -> None:
        try:
            reports = self._venue.submit(order)
        except VenueUnreachable:
            again = working.child.model_copy(update={"client_order_id": f"{working.child.client_order_id}-2"})
            retried = self.known.begin(again, now)
            self.answers.apply(self._venue.submit(issue_order(again, child_digest(again), order.verdict_hash)))
            assert retried.child is again
        else:
            self.answers.apply(reports)

    patch.setattr(OrderManager, "_submit", submit)


def timeout_read_as_reject(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(OrderManager, "lose", OrderManager.give_up)


def gate_review_skipped(patch: pytest.MonkeyPatch) -> None:
    reviewed = reviewing.review_child

    def review(child: Any, *rest: Any) -> Any:
        found = reviewed(child, *rest)
        return replace(found, order=issue_order(child, child_digest(child), found.verdict_hash))

    patch.setattr(reviewing, "review_child", review)


def outbox_ignored_at_restart(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(session, "restore", lambda events, orders, parents, *, has_resting: Rested())


def no_stop_is_placed_in_a_halt(patch: pytest.MonkeyPatch) -> None:
    place = Guarding.place

    def placing(self: Guarding, latest: Any, is_worked: Any, state_of: Any, now: Any, *, is_last: bool) -> None:
        if state_of("") is not TradingState.HALTED:
            place(self, latest, is_worked, state_of, now, is_last=is_last)

    patch.setattr(Guarding, "place", placing)


def a_lost_stop_is_believed_to_stand(patch: pytest.MonkeyPatch) -> None:
    give_up = OrderManager.give_up

    def giving_up(self: OrderManager, working: Any, reason: str, now: Any) -> None:
        if not (rests(working.child) and working.is_inherited):
            give_up(self, working, reason, now)

    patch.setattr(OrderManager, "give_up", giving_up)


def breaker_removed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        life, "BREAKERS", tuple(item for item in life.BREAKERS if item.name not in ("daily_loss", "drawdown"))
    )


def unknown_orders_not_counted(patch: pytest.MonkeyPatch) -> None:
    lost = OrderManager.lose

    def lose(self: OrderManager, working: Any, reason: str, now: Any) -> None:
        lost(self, working, reason, now)
        if working.state is OrderState.UNKNOWN:
            self._book.release(working.child.client_order_id)

    patch.setattr(OrderManager, "lose", lose)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plant", "scenario", "invariants"),
    [
        (dedupe_off, "fills", {"I1", "I5"}),
        (resend_under_a_new_id, "acks", {"I2", "I3"}),
        (timeout_read_as_reject, "acks", {"I6"}),
        (gate_review_skipped, "bad_quotes", {"D1", "I8"}),
        (gate_review_skipped, "operator", {"I8"}),
        (outbox_ignored_at_restart, "send_points", {"I2"}),
        (breaker_removed, "breaker", {"I4"}),
        (outbox_ignored_at_restart, "stop_points", {"I2"}),
        (no_stop_is_placed_in_a_halt, "stop_points", {"P1"}),
        (a_lost_stop_is_believed_to_stand, "stops", {"P1"}),
    ],
)
def test_a_planted_bug_is_found_and_shrunk_to_one_cause(
    plant: Plant, scenario: str, invariants: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        plant(patch)
        cases = (case_of_seed(seed, scenario_named(scenario)) for seed in range(SEEDS))
        found = next(result for result in map(run_case, cases) if not result.ok)
        case = found.case
        assert {item.invariant for item in found.violations} & invariants, found.violations
        smallest = shrink(case.faults, breaks(case, found.violations))

        assert len(smallest) == 1, smallest
        assert not run_case(replace(case, faults=smallest)).ok
        assert run_case(replace(case, faults=())).ok
    # Without the bug the same faults break nothing.
    assert run_case(replace(case, faults=smallest)).ok


@pytest.mark.slow
def test_an_unknown_order_that_is_not_counted_is_found_where_the_gate_lets_it_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The gate sends nothing while the books can't be compared, and a breaker takes no risk on beside an order that is
    unknown yet: both guards are taken away as well."""
    guard = property(lambda self: True, lambda self, value: None)
    monkeypatch.setattr(reviewing.Reviewer, "is_reconciled", guard, raising=False)
    monkeypatch.setattr(life, "BREAKERS", tuple(item for item in life.BREAKERS if item.name != "unresolved"))
    refused = tuple(Fault("cancel_refused", place) for place in range(200))
    cases = [Case("named", 2, 1, (Fault("ack_lost", k), Fault("queries_fail", 20, 30), *refused)) for k in (51, 54)]
    assert all(run_case(case).ok for case in cases)

    unknown_orders_not_counted(monkeypatch)

    assert {item.invariant for case in cases for item in run_case(case).violations} == {"I2"}


@pytest.mark.slow
def test_a_kill_flag_that_the_halt_of_a_restart_hides_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log takes nothing while the flag goes up; the next process halts for its start in mid-session before it sees
    the flag, and a halt alone lets stops be placed."""
    case = Case("stops", 248, 3, (Fault("kill_in_session", 2),))
    assert run_case(case).ok

    def is_graver(self: Standing, scope: Scope, state: TradingState, cause: str, name: str) -> bool:
        return state.severity > self.of_scope(scope).severity

    monkeypatch.setattr(Standing, "is_worsened_by", is_graver)

    assert {item.invariant for item in run_case(case).violations} == {"I8"}
