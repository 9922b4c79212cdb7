"""Programs and their solvers: quadratic, conic, and which limits are to blame when nothing satisfies them."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import numpy as np

from .arrays import FloatArray
from .errors import SolverError

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN_BOUNDS = 6
_REAL_DUAL = 1e-7


@dataclass(frozen=True, slots=True)
class QuadraticProgram:
    """minimize x'Px/2 + c'x  subject to  row_low <= Gx <= row_high  and  low <= x <= high."""

    P: FloatArray
    c: FloatArray
    G: FloatArray
    row_low: FloatArray
    row_high: FloatArray
    low: FloatArray
    high: FloatArray
    row_names: tuple[str, ...] = ()
    """What each row limits, in words; rows past the end, or named "", only define helper variables."""
    n_names: int = 0
    """How many weights a period has; 0 takes every variable. Bounds past the weights only define helpers."""
    n_periods: int = 1
    """How many periods of weights stand side by side at the start of x."""


@dataclass(frozen=True, slots=True)
class ConeRows:
    """Rows with ``b - Ax`` in a cone: one second-order cone (t >= |rest|), or triples with t >= |z|**1.5."""

    A: FloatArray
    b: FloatArray
    kind: Literal["second_order", "power_three_halves"]
    """``power_three_halves`` reads consecutive triples (t, 1, z), one three-dimensional cone each."""


def solve(program: QuadraticProgram) -> tuple[FloatArray, str]:
    """Solve with PIQP, then with Clarabel; SolverError when neither says that it solved the program.

    When the limits cannot hold together, the error names a smallest set of them that already conflicts.
    """
    import piqp

    # A row with equal bounds is an equality, and a row without bounds says nothing: PIQP wants both told.
    equal = program.row_low == program.row_high
    bounded = ~equal & (np.isfinite(program.row_low) | np.isfinite(program.row_high))
    solver = piqp.DenseSolver()
    solver.settings.eps_abs = 1e-9
    solver.settings.eps_rel = 1e-10
    solver.setup(
        np.asfortranarray(program.P),
        program.c,
        np.asfortranarray(program.G[equal]),
        program.row_low[equal],
        np.asfortranarray(program.G[bounded]),
        program.row_low[bounded],
        program.row_high[bounded],
        program.low,
        program.high,
    )
    first = solver.solve()
    if first == piqp.PIQP_SOLVED:
        return np.array(solver.result.x, dtype=np.float64), "solved"
    second, x = _solve_with_clarabel(program, ())
    if x is None:
        _refuse(program, f"{first.name}, then {second}")
    return x, "solved_by_fallback"


def solve_conic(program: QuadraticProgram, cones: Sequence[ConeRows]) -> FloatArray:
    """Clarabel's point for ``program`` with further cones; errors as ``solve``."""
    status, x = _solve_with_clarabel(program, cones)
    if x is None:
        _refuse(program, status)
    return x


def conflicting_limits(program: QuadraticProgram) -> list[str]:
    """The words for a smallest set of limits that cannot hold together; empty when they all can.

    Every named row, all lower bounds and all upper bounds are tried in turn: one whose removal leaves the
    rest infeasible is not needed for the conflict and stays out. What remains is irreducible: dropping any
    one of the named limits would make the rest feasible. There can be other such sets.

    Source: Chinneck and Dravnieks (1991), ORSA J. on Computing 3(2), the deletion filter.
    """
    named = [row for row, name in enumerate(program.row_names) if name]
    kept: set[int | str] = {*named, "low", "high"}
    if not _is_infeasible(program, kept):
        return []
    # Bounds go first: where a row can explain the conflict without them, the shorter story is told.
    for limit in ("high", "low", *named):
        if _is_infeasible(program, kept - {limit}):
            kept.discard(limit)
    rows = [program.row_names[row] for row in named if row in kept]
    return rows + _bounds_in_words(program, kept)


def _refuse(program: QuadraticProgram, status: str) -> NoReturn:
    blamed = conflicting_limits(program) if "nfeasible" in status or "INFEASIBLE" in status else []
    if blamed:
        raise SolverError(
            f"these limits cannot hold together: {'; '.join(blamed)} ({status})",
            remedy="Loosen one of the limits named; keep the weights held now until then.",
        )
    raise SolverError(
        f"the program of {len(program.c)} variables and {len(program.G)} limits was not solved: {status}",
        remedy="Check that bounds, group caps and the total can hold together; keep the weights held now.",
    )


def _solve_with_clarabel(program: QuadraticProgram, cones: Sequence[ConeRows]) -> tuple[str, FloatArray | None]:
    """Clarabel's word on the program, and its point when it solved it: limits become Ax <= b in one cone."""
    from scipy import sparse

    # Clarabel ships no type stubs, so it is Any by declaration.
    clarabel: Any = importlib.import_module("clarabel")

    eye = np.eye(len(program.c))
    A = np.vstack([program.G, -program.G, eye, -eye])
    b = np.concatenate([program.row_high, -program.row_low, program.high, -program.low])
    kept = np.isfinite(b)
    kinds = [clarabel.NonnegativeConeT(int(kept.sum()))]
    for cone in cones:
        if cone.kind == "second_order":
            kinds.append(clarabel.SecondOrderConeT(len(cone.b)))
        else:
            kinds.extend(clarabel.PowerConeT(2.0 / 3.0) for _ in range(len(cone.b) // 3))
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    # One thread, so that sums are taken in one order and the weights are the same to the byte.
    settings.max_threads = 1
    solver = clarabel.DefaultSolver(
        sparse.csc_matrix(np.triu(program.P)),
        program.c,
        sparse.csc_matrix(np.vstack([A[kept], *(cone.A for cone in cones)])),
        np.concatenate([b[kept], *(cone.b for cone in cones)]),
        kinds,
        settings,
    )
    result = solver.solve()
    status = str(result.status)
    return status, np.array(result.x, dtype=np.float64) if status == "Solved" else None


def _is_infeasible(program: QuadraticProgram, kept: set[int | str]) -> bool:
    """Whether the structural rows and the ``kept`` limits admit no point at all, by HiGHS."""
    from scipy.optimize import linprog

    A, b = _rows(program, kept)
    found = linprog(np.zeros(len(program.c)), A_ub=A, b_ub=b, bounds=_bounds(program, kept), method="highs")
    return int(found.status) == 2


def _bounds_in_words(program: QuadraticProgram, kept: set[int | str]) -> list[str]:
    """Which single bounds take part: those with a price in the program that breaks the kept rows least."""
    from scipy.optimize import linprog

    if not kept & {"low", "high"}:
        return []
    A, b = _rows(program, kept)
    n_variables, n_rows = len(program.c), len(b)
    found = linprog(
        np.concatenate([np.zeros(n_variables), np.ones(n_rows)]),
        A_ub=np.hstack([A, -np.eye(n_rows)]),
        b_ub=b,
        bounds=np.vstack([_bounds(program, kept), np.tile([0.0, np.inf], (n_rows, 1))]),
        method="highs",
    )
    words = []
    for side, said in (("low", "lower bounds"), ("high", "upper bounds")):
        if side in kept:
            prices = (found.lower if side == "low" else found.upper).marginals[: _n_weights(program)]
            binding = np.unique(np.flatnonzero(np.abs(prices) > _REAL_DUAL) % (program.n_names or n_variables)).tolist()
            more = f" and {len(binding) - _SHOWN_BOUNDS} more" if len(binding) > _SHOWN_BOUNDS else ""
            listed = ", ".join(str(at) for at in binding[:_SHOWN_BOUNDS])
            words.append(f"{said} of names {listed}{more}" if listed else said)
    return words


def _rows(program: QuadraticProgram, kept: set[int | str]) -> tuple[FloatArray, FloatArray]:
    names = program.row_names + ("",) * (len(program.G) - len(program.row_names))
    chosen = [row for row, name in enumerate(names) if row in kept or not name]
    A = np.vstack([program.G[chosen], -program.G[chosen]])
    b = np.concatenate([program.row_high[chosen], -program.row_low[chosen]])
    return A[np.isfinite(b)], b[np.isfinite(b)]


def _bounds(program: QuadraticProgram, kept: set[int | str]) -> FloatArray:
    """(n_variables, 2) bounds; those of helper variables always count."""
    bounds = np.column_stack([program.low, program.high])
    if "low" not in kept:
        bounds[: _n_weights(program), 0] = -np.inf
    if "high" not in kept:
        bounds[: _n_weights(program), 1] = np.inf
    return bounds


def _n_weights(program: QuadraticProgram) -> int:
    return program.n_names * program.n_periods if program.n_names else len(program.c)
