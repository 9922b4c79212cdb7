"""Runs cases of the laboratory, and shrinks what fails."""

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from .evidence import Evidence, evidence_of
from .faults import Fault
from .invariants import check_all
from .repeats import differs_from_undisturbed
from .runner import play
from .scenarios import Case, case_of_seed, has_stops, remembers, scenario_named
from .shrink import shrink
from .witness import Violation
from .world import build_world

MEMORY = Path("/dev/shm")
MAX_TOLD = 10
"""Violations told of one case: the first say what is wrong, the hundredth says it again."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What became of one case. `shrunk` is the smallest list of faults that breaks the same invariant."""

    seed: int
    case: Case
    violations: tuple[Violation, ...]
    state: str
    reason: str
    lives: int
    orders: int
    fills: int
    events: int
    head_hash: str
    shrunk: Case | None = None

    @property
    def ok(self) -> bool:
        return not self.violations


def run_case(case: Case, seed: int = 0) -> CaseResult:
    """One case in a folder of its own."""
    world = build_world(case.world_seed, case.sessions, remembers=remembers(case), rests=has_stops(case))
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as folder:
        played, again = Path(folder, "played"), Path(folder, "again")
        played.mkdir()
        again.mkdir()
        seen = evidence_of(play(world, case.faults, played))
        violations = list(check_all(seen))
        violations += differs_from_undisturbed(
            seen, lambda: _undisturbed(case.world_seed, case.sessions, remembers(case), has_stops(case)), again
        )
    outcome = seen.outcome
    return CaseResult(
        seed=seed,
        case=case,
        violations=tuple(violations[:MAX_TOLD]),
        state=seen.state.value,
        reason=seen.reason,
        lives=outcome.lives,
        orders=len(outcome.stage.exchange.orders),
        fills=len(outcome.stage.exchange.fills),
        events=len(seen.events),
        head_hash=seen.report.head_hash,
    )


@lru_cache(maxsize=4)
def _undisturbed(world_seed: int, sessions: int, has_memory: bool, rests: bool) -> Evidence:
    """The same world with nothing going wrong."""
    world = build_world(world_seed, sessions, remembers=has_memory, rests=rests)
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as folder:
        return evidence_of(play(world, (), Path(folder)))


def run_seed(seed: int, scenario: str | None = None) -> CaseResult:
    """The case of a seed; a failing one is shrunk."""
    case = case_of_seed(seed, scenario_named(scenario) if scenario else None)
    result = run_case(case, seed)
    if result.ok:
        return result
    return replace(result, shrunk=replace(case, faults=shrink(case.faults, breaks(case, result.violations))))


def breaks(case: Case, violations: Sequence[Violation]) -> Callable[[tuple[Fault, ...]], bool]:
    """Whether other faults break the invariant that these violations begin with."""
    wanted = violations[0].invariant

    def fails(faults: tuple[Fault, ...]) -> bool:
        return any(item.invariant == wanted for item in run_case(replace(case, faults=faults)).violations)

    return fails
