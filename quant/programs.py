"""Quadratic programs: the one place that speaks to the solvers, PIQP first and Clarabel behind it."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from .arrays import FloatArray
from .errors import SolverError


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


def solve(program: QuadraticProgram) -> tuple[FloatArray, str]:
    """Solve with PIQP, then with Clarabel; SolverError when neither says that it solved the program."""
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
    second, x = _solve_with_clarabel(program)
    if x is None:
        raise SolverError(
            f"the program of {len(program.c)} variables and {len(program.G)} limits was not solved: "
            f"{first.name}, then {second}",
            remedy="Check that bounds, group caps and the total can hold together; keep the weights held now.",
        )
    return x, "solved_by_fallback"


def _solve_with_clarabel(program: QuadraticProgram) -> tuple[str, FloatArray | None]:
    """Clarabel's word on the program, and its point when it solved it: rows become Ax <= b in one cone."""
    from scipy import sparse

    # Clarabel ships no type stubs, so it is Any by declaration.
    clarabel: Any = importlib.import_module("clarabel")

    eye = np.eye(len(program.c))
    A = np.vstack([program.G, -program.G, eye, -eye])
    b = np.concatenate([program.row_high, -program.row_low, program.high, -program.low])
    kept = np.isfinite(b)
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    solver = clarabel.DefaultSolver(
        sparse.csc_matrix(np.triu(program.P)),
        program.c,
        sparse.csc_matrix(A[kept]),
        b[kept],
        [clarabel.NonnegativeConeT(int(kept.sum()))],
        settings,
    )
    result = solver.solve()
    status = str(result.status)
    return status, np.array(result.x, dtype=np.float64) if status == "Solved" else None
