"""Target weights under limits: mean-variance with linear and square-root costs, and nearest feasible weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray, checked_above, checked_at_least, checked_vector
from .definite import checked_covariance
from .errors import ParameterError
from .programs import ConeRows, QuadraticProgram, solve, solve_conic
from .weight_limits import FEASIBLE, FactorLimits, GroupLimits, settled_weights, total_span, weights_program


@dataclass(frozen=True, slots=True)
class Solution:
    """Weights that satisfy every limit, and how they were found."""

    weights: FloatArray
    status: str
    """``solved`` by the first solver, or ``solved_by_fallback``."""
    utility: float
    """mean'w - gamma/2 w'Sigma w - cost'|w - previous| - impact'|w - previous|^(3/2), per period."""


def maximize_utility(
    mean: FloatArray,
    cov: FloatArray,
    *,
    lower: FloatArray,
    upper: FloatArray,
    gamma: float,
    previous: FloatArray | None = None,
    cost: FloatArray | float = 0.0,
    impact: FloatArray | float = 0.0,
    max_turnover: float | None = None,
    total: float | tuple[float, float] = 1.0,
    groups: GroupLimits | None = None,
    factors: FactorLimits | None = None,
) -> Solution:
    """Weights maximizing mean'w - gamma/2 w'Sigma w - cost'|w - previous| - impact'|w - previous|^(3/2).

    Parameters
    ----------
    mean : (n_names,) expected returns per period, as fractions
    cov : (n_names, n_names) covariance per period
    lower, upper : (n_names,) bounds of each weight, fractions of equity
    gamma : risk aversion, above 0
    previous : (n_names,) weights held now; needed for costs and for ``max_turnover``
    cost : one-way cost per unit traded, as a fraction: one for all, or (n_names,)
    impact : square-root impact, one for all or (n_names,): trading d of equity costs impact * d^(3/2) of it.
        Under the law y * sigma * sqrt(Q / V) it is y * daily volatility * sqrt(equity / daily value traded)
    max_turnover : the most that |w - previous| may sum to, buys plus sells; None leaves it free
    total : what the weights must sum to, exactly or as a (low, high) range
    groups, factors : further linear limits

    Raises
    ------
    ShapeError, SampleError, ParameterError : unusable input
    SolverError : no weights satisfy the limits (those in conflict are named), or neither solver finished

    Source: Markowitz (1952); the costs as in Boyd et al. (2017), "Multi-period trading", section 4. The
    3/2 power is exact (power cones, Clarabel); without it the program is quadratic (PIQP).
    """
    expected = checked_vector(mean, name="mean")
    n_names = len(expected)
    sigma = checked_covariance(cov, n_names)
    checked_above(gamma, 0.0, name="gamma")
    fees = _checked_costs(cost, previous, n_names, "cost")
    slopes = _checked_costs(impact, previous, n_names, "impact")
    held = _checked_previous(previous, max_turnover, n_names)

    # One common scale for the objective: daily variances near 1e-4 would meet absolute tolerances at once.
    scale = 1.0 / max(gamma * float(np.diag(sigma).max()), float(np.abs(expected).max()), 1e-12)
    program = weights_program(gamma * scale * sigma, -scale * expected, lower, upper, total, groups, factors)
    low, high = program.low, program.high
    if fees.any() or max_turnover is not None:
        program = _with_costs(program, scale * fees, held, max_turnover)
    if slopes.any():
        raw, status = solve_conic(*_with_impact(program, scale * slopes, held)), "solved"
    else:
        raw, status = solve(program)
    weights = settled_weights(raw[:n_names], low, high, total_span(total))
    # Without previous weights there are no costs, so the amounts traded from zero are charged nothing.
    traded = np.abs(weights - held)
    utility = expected @ weights - gamma / 2.0 * weights @ sigma @ weights - fees @ traded - slopes @ traded**1.5
    return Solution(weights, status, float(utility))


def project(
    target: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    groups: GroupLimits | None = None,
    budget: float | tuple[float, float] | None = None,
    *,
    gross: float | None = None,
) -> FloatArray:
    """The weights nearest to ``target`` (least squares) that satisfy every limit, (n_names,).

    A target that is already feasible comes back unchanged, to the byte.

    Parameters
    ----------
    target : (n_names,) wanted weights, signed fractions of equity
    lower, upper : (n_names,) bounds of each weight
    groups : linear limits, such as sector caps
    budget : what the weights must sum to, exactly or as a (low, high) range; None leaves the sum free
    gross : the most that the absolute weights may sum to; None leaves it free

    Raises
    ------
    ShapeError, SampleError, ParameterError : unusable input
    SolverError : no weights satisfy the limits, or neither solver finished
    """
    wanted = checked_vector(target, name="target")
    span = (-np.inf, np.inf) if budget is None else total_span(budget)
    most = np.inf if gross is None else checked_above(gross, 0.0, name="gross")
    program = weights_program(np.eye(len(wanted)), -wanted, lower, upper, span, groups)
    low, high = program.low, program.high
    if _is_feasible(wanted, program, most):
        return wanted.copy()

    if np.isfinite(most):
        program = _with_gross(program, most)
    return settled_weights(solve(program)[0][: len(wanted)], low, high, span)


def _with_costs(
    program: QuadraticProgram, fees: FloatArray, held: FloatArray, max_turnover: float | None
) -> QuadraticProgram:
    """Add bought amounts b >= max(w - held, 0); selling is b - (w - held), so cost = fees'(2b - w + held)."""
    n_names = len(program.c)
    eye, none = np.eye(n_names), np.zeros((n_names, n_names))
    most = np.inf if max_turnover is None else max_turnover
    traded = np.concatenate([-np.ones(n_names), np.full(n_names, 2.0)])
    G = np.block([[program.G, np.zeros((len(program.G), n_names))], [traded[None, :]], [-eye, eye]])
    return QuadraticProgram(
        P=np.block([[program.P, none], [none, none]]),
        c=np.concatenate([program.c - fees, 2.0 * fees]),
        G=G,
        row_low=np.concatenate([program.row_low, [-np.inf], -held]),
        row_high=np.concatenate([program.row_high, [most - held.sum()], np.full(n_names, np.inf)]),
        low=np.concatenate([program.low, np.zeros(n_names)]),
        high=np.concatenate([program.high, np.maximum(program.high - held, 0.0)]),
        row_names=(*program.row_names, "" if max_turnover is None else f"turnover at most {most:g}"),
        n_names=n_names,
    )


def _with_impact(
    program: QuadraticProgram, slopes: FloatArray, held: FloatArray
) -> tuple[QuadraticProgram, list[ConeRows]]:
    """Add t >= |w - held|^(3/2) for the names whose impact is priced, one power cone each."""
    priced = np.flatnonzero(slopes)
    n_all, n_priced = len(program.c), len(priced)
    P = np.zeros((n_all + n_priced, n_all + n_priced))
    P[:n_all, :n_all] = program.P
    A = np.zeros((3 * n_priced, n_all + n_priced))
    b = np.tile([0.0, 1.0, 0.0], n_priced)
    at = np.arange(n_priced)
    A[3 * at, n_all + at] = -1.0
    A[3 * at + 2, priced] = -1.0
    b[2::3] = -held[priced]
    wider = QuadraticProgram(
        P=P,
        c=np.concatenate([program.c, slopes[priced]]),
        G=np.hstack([program.G, np.zeros((len(program.G), n_priced))]),
        row_low=program.row_low,
        row_high=program.row_high,
        low=np.concatenate([program.low, np.zeros(n_priced)]),
        high=np.concatenate([program.high, np.full(n_priced, np.inf)]),
        row_names=program.row_names,
        n_names=program.n_names,
    )
    return wider, [ConeRows(A, b, "power_three_halves")]


def _with_gross(program: QuadraticProgram, most: float) -> QuadraticProgram:
    """Add absolute amounts a >= |w| whose sum stays at or below ``most``."""
    n_names = len(program.c)
    eye, none = np.eye(n_names), np.zeros((n_names, n_names))
    size = np.maximum(np.abs(program.low), np.abs(program.high))
    return QuadraticProgram(
        P=np.block([[program.P, none], [none, none]]),
        c=np.concatenate([program.c, np.zeros(n_names)]),
        G=np.block(
            [
                [program.G, np.zeros((len(program.G), n_names))],
                [eye, -eye],
                [-eye, -eye],
                [np.zeros((1, n_names)), np.ones((1, n_names))],
            ]
        ),
        row_low=np.concatenate([program.row_low, np.full(2 * n_names + 1, -np.inf)]),
        row_high=np.concatenate([program.row_high, np.zeros(2 * n_names), [most]]),
        low=np.concatenate([program.low, np.zeros(n_names)]),
        high=np.concatenate([program.high, size]),
        row_names=(*program.row_names, *("",) * (2 * n_names), f"gross at most {most:g}"),
        n_names=n_names,
    )


def _is_feasible(weights: FloatArray, program: QuadraticProgram, most: float) -> bool:
    found = program.G @ weights
    return bool(
        (weights >= program.low).all()
        and (weights <= program.high).all()
        and (found >= program.row_low - FEASIBLE).all()
        and (found <= program.row_high + FEASIBLE).all()
        and float(np.abs(weights).sum()) <= most + FEASIBLE
    )


def _checked_costs(cost: FloatArray | float, previous: FloatArray | None, n_names: int, name: str) -> FloatArray:
    fees = checked_vector(np.broadcast_to(cost, (n_names,)), name=name, length=n_names)
    if fees.min() < 0.0:
        raise ParameterError(f"{name}: found {fees.min()}, expected at least 0 per unit traded")
    if previous is None and fees.any():
        raise ParameterError(f"previous: found None, expected the weights held now, as {name} is not zero")
    return fees


def _checked_previous(previous: FloatArray | None, max_turnover: float | None, n_names: int) -> FloatArray:
    if max_turnover is not None:
        checked_at_least(max_turnover, 0.0, name="max_turnover")
    if previous is None:
        if max_turnover is not None:
            raise ParameterError("previous: found None, expected the weights held now, as max_turnover is given")
        return np.zeros(n_names)
    return checked_vector(previous, name="previous", length=n_names)
