"""The laboratory over its seeds: no invariant breaks, a seed repeats to the byte, and every row has its scenario."""

from pathlib import Path
from typing import Any

import pytest
from parley.evals.faults.faults import KINDS, Fault
from parley.evals.faults.scenarios import (
    BY_NAME,
    NOT_COVERED,
    ROWS,
    SCENARIOS,
    Case,
    case_of_seed,
    mixed_order,
    scenario_named,
)
from parley.evals.faults.suite import run_case, run_seed
from parley.evals.harness.pool import Done, run_jobs
from parley.evals.harness.runner import jobs_of
from parley.evals.suites.faults import Faults

SEEDS = 36


@pytest.mark.slow
def test_no_invariant_breaks_over_the_first_seeds() -> None:
    results = [run_seed(seed) for seed in range(SEEDS)]
    broken = [(item.seed, item.case, item.violations[0]) for item in results if not item.ok]

    assert broken == []


@pytest.mark.slow
def test_a_seed_repeats_to_the_byte_in_other_processes() -> None:
    task = Faults(tuple(range(3, 7)))
    jobs = jobs_of(task.samples(), 1)

    serial, parallel = (
        sorted(run_jobs(task, jobs, processes=count), key=lambda done: done.job.place) for count in (1, 2)
    )

    assert [item.outcome for item in parallel] == [item.outcome for item in serial]
    assert len({_head_hash(item) for item in serial}) == len(jobs)


def _head_hash(done: Done) -> Any:
    assert done.outcome is not None
    found: Any = done.outcome.transcript
    return found["head_hash"]


def test_every_row_of_the_fault_list_has_a_scenario_or_a_reason() -> None:
    covered = {row for scenario in SCENARIOS for row in scenario.rows}

    assert set(ROWS) == set(range(1, 29))
    assert covered | set(NOT_COVERED) == set(ROWS)
    assert set(NOT_COVERED) == {17}
    assert not covered & set(NOT_COVERED)


def test_every_kind_of_fault_is_drawn_by_a_scenario_of_its_own() -> None:
    named = {
        kind for scenario in SCENARIOS if not scenario.name.startswith(("mixed", "recovery")) for kind in scenario.kinds
    }

    assert named == set(KINDS)
    assert {scenario.name for scenario in SCENARIOS} == set(BY_NAME)


def test_a_mixed_run_gives_each_scenario_its_weight_and_enumerates_every_place_in_turn() -> None:
    order = mixed_order()
    crashes = [case_of_seed(seed) for seed in range(3 * len(order)) if order[seed % len(order)].name == "crash_points"]

    assert {scenario.name: order.count(scenario) for scenario in order} == {
        s.name: s.weight for s in SCENARIOS if s.weight
    }
    assert [case.faults[0].at for case in crashes] == [turn // 3 for turn in range(len(crashes))]
    assert len({case.world_seed for case in crashes}) == 1


def test_recovery_draws_no_fault_in_the_second_half() -> None:
    for seed in range(40):
        for fault in case_of_seed(seed, scenario_named("recovery")).faults:
            if KINDS[fault.kind].counts == "moment" and fault.kind not in ("price_shock", "fill_unknown"):
                assert fault.at + fault.size <= 40


@pytest.mark.parametrize(
    ("faults", "state", "reason"),
    [
        ((), "ACTIVE", ""),
        ((Fault("positions_differ", 0, 5),), "HALTED", "drift"),
        ((Fault("fill_unknown", 6, 100),), "HALTED", "drift"),
        ((Fault("operator_halts", 10),), "HALTED", "halt"),
        ((Fault("price_shock", 60, 30),), "REDUCING", "daily_loss"),
    ],
)
def test_the_desk_ends_as_the_fault_asks(faults: tuple[Fault, ...], state: str, reason: str) -> None:
    found = run_case(Case("named", 1, 2, faults))

    assert found.ok, found.violations
    assert (found.state, found.reason.split(":")[0]) == (state, reason)


@pytest.mark.parametrize("kind", ["crash_before_commit", "crash_after_commit", "record_torn", "fsync_failed"])
def test_a_broken_commit_costs_one_more_start_and_nothing_else(kind: str) -> None:
    calm = run_case(Case("named", 1, 2, ()))

    found = run_case(Case("named", 1, 2, (Fault(kind, 30, 40),)))

    assert found.ok, found.violations
    assert (found.lives, found.orders, found.fills) == (2, calm.orders, calm.fills)


def test_every_fault_strikes_somewhere(monkeypatch: Any, tmp_path: Path) -> None:
    """A fault that nothing looks at would make its scenario prove nothing."""
    from parley.evals.faults.faults import Schedule

    asked: set[str] = set()
    for name in ("of", "at", "during"):
        method = getattr(Schedule, name)

        def noting(self: Any, kind: str, *rest: int, _method: Any = method) -> Any:
            asked.add(kind)
            return _method(self, kind, *rest)

        monkeypatch.setattr(Schedule, name, noting)

    run_case(Case("named", 1, 2, ()))

    assert asked == set(KINDS)
