"""Target weights under limits: mean-variance with linear and square-root costs, and nearest feasible weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .arrays import FloatArray, checked_above, checked_at_least, checked_matrix, checked_vector
from .covariance import checked_covariance
from .errors import ParameterError, ShapeError, SolverError
from .programs import ConeRows, QuadraticProgram, solve, solve_conic

if TYPE_CHECKING:
    from collections.abc import Sequence

_FEASIBLE = 1e-9
_BUDGET_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class GroupLimits:
    """Linear limits ``matrix @ weights <= upper``, such as one row of ones per sector."""

    matrix: FloatArray
    """(n_groups, n_names)"""
    upper: FloatArray
    """(n_groups,)"""
    names: tuple[str, ...] = ()
    """What to call each row when limits conflict; empty takes its number."""

    @classmethod
    def of_labels(cls, labels: Sequence[str], caps: dict[str, float]) -> GroupLimits:
        """One row per capped label: the summed weight of its names stays at or below its cap."""
        rows = [[float(label == group) for label in labels] for group in caps]
        upper = np.array(list(caps.values()), dtype=float)
        return cls(np.array(rows).reshape(len(caps), len(labels)), upper, tuple(caps))


@dataclass(frozen=True, slots=True)
class FactorLimits:
    """Bounds on the portfolio's exposure to factors: lower <= loadings @ weights <= upper."""

    loadings: FloatArray
    """(n_factors, n_names) exposure of one unit of weight, such as betas."""
    lower: FloatArray
    """(n_factors,); -inf leaves a side free."""
    upper: FloatArray
    """(n_factors,); inf leaves a side free, equal to ``lower`` pins the exposure."""
    names: tuple[str, ...] = ()
    """What to call each factor when limits conflict; empty takes its number."""


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


def weights_program(
    P: FloatArray,
    c: FloatArray,
    lower: FloatArray | float = 0.0,
    upper: FloatArray | float = 1.0,
    total: float | tuple[float, float] = 1.0,
    groups: GroupLimits | None = None,
    factors: FactorLimits | None = None,
) -> QuadraticProgram:
    """The program over the weights alone, its limits checked and named: their sum first, groups, then factors.

    ``lower`` and ``upper`` are one bound for all names, or (n_names,).

    Raises
    ------
    ShapeError, SampleError, ParameterError : limits that do not fit the (n_names,) objective ``c``
    SolverError : bounds that cannot reach the total
    """
    n_names = len(c)
    low, high = _checked_bounds(lower, upper, n_names)
    span = _checked_total(total, low, high)
    caps = _checked_groups(groups, n_names)
    tilts = _checked_factors(factors, n_names)
    said = f"{span[0]:g}" if span[0] == span[1] else f"{span[0]:g} to {span[1]:g}"
    names = [
        f"total of {said}",
        *(f"group {name} at most {cap:g}" for name, cap in zip(caps.names, caps.upper, strict=True)),
        *(
            f"factor {name} within {least:g} to {most:g}"
            for name, least, most in zip(tilts.names, tilts.lower, tilts.upper, strict=True)
        ),
    ]
    return QuadraticProgram(
        P=P,
        c=c,
        G=np.vstack([np.ones((1, n_names)), caps.matrix, tilts.loadings]),
        row_low=np.concatenate([[span[0]], np.full(len(caps.upper), -np.inf), tilts.lower]),
        row_high=np.concatenate([[span[1]], caps.upper, tilts.upper]),
        low=low,
        high=high,
        row_names=tuple(names),
        n_names=n_names,
    )


def total_span(total: float | tuple[float, float]) -> tuple[float, float]:
    """``total`` as (low, high), else ParameterError when it is neither a number nor an ordered pair."""
    least, most = total if isinstance(total, tuple) else (total, total)
    if not least <= most:
        raise ParameterError(f"total: found {total}, expected a number, or (low, high) with low <= high")
    return float(least), float(most)


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


def settled_weights(raw: FloatArray, low: FloatArray, high: FloatArray, span: tuple[float, float]) -> FloatArray:
    """Interior-point dust removed: weights clipped into their bounds, with the sum checked afterward."""
    weights = np.where(np.abs(raw) < _FEASIBLE, 0.0, raw)
    weights = np.clip(weights, low, high)
    found = float(weights.sum())
    if not span[0] - _BUDGET_TOLERANCE <= found <= span[1] + _BUDGET_TOLERANCE:
        raise SolverError(
            f"the solved weights sum to {found:.9f}, expected {span[0]:.6f} to {span[1]:.6f}",
            remedy="Keep the weights held now and report the inputs of this decision.",
        )
    return weights


def _is_feasible(weights: FloatArray, program: QuadraticProgram, most: float) -> bool:
    found = program.G @ weights
    return bool(
        (weights >= program.low).all()
        and (weights <= program.high).all()
        and (found >= program.row_low - _FEASIBLE).all()
        and (found <= program.row_high + _FEASIBLE).all()
        and float(np.abs(weights).sum()) <= most + _FEASIBLE
    )


def _checked_bounds(
    lower: FloatArray | float, upper: FloatArray | float, n_names: int
) -> tuple[FloatArray, FloatArray]:
    low = checked_vector(np.full(n_names, lower) if np.ndim(lower) == 0 else lower, name="lower", length=n_names)
    high = checked_vector(np.full(n_names, upper) if np.ndim(upper) == 0 else upper, name="upper", length=n_names)
    if (low > high).any():
        at = int(np.argmax(low > high))
        raise ParameterError(f"bounds: name {at} has lower {low[at]} above upper {high[at]}, expected lower <= upper")
    return low, high


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


def _checked_total(total: float | tuple[float, float], low: FloatArray, high: FloatArray) -> tuple[float, float]:
    least, most = total_span(total)
    if low.sum() > most + _FEASIBLE or high.sum() < least - _FEASIBLE:
        raise SolverError(
            f"total: the bounds let the weights sum to {low.sum():.4f} ... {high.sum():.4f}, "
            f"expected a sum within {least:.4f} ... {most:.4f}",
            remedy="Raise the caps, lower the floors, or let the total be a range that leaves cash.",
        )
    return least, most


def _checked_groups(groups: GroupLimits | None, n_names: int) -> GroupLimits:
    if groups is None:
        return GroupLimits(np.zeros((0, n_names)), np.zeros(0))
    matrix = checked_matrix(groups.matrix, name="groups.matrix", min_rows=0)
    if matrix.shape[1] != n_names:
        raise ShapeError(f"groups.matrix: found {matrix.shape[1]} columns, expected {n_names}, one per name")
    upper = checked_vector(groups.upper, name="groups.upper", length=len(matrix), min_rows=0)
    return GroupLimits(matrix, upper, _checked_names(groups.names, len(matrix), "groups"))


def _checked_factors(factors: FactorLimits | None, n_names: int) -> FactorLimits:
    if factors is None:
        return FactorLimits(np.zeros((0, n_names)), np.zeros(0), np.zeros(0))
    loadings = checked_matrix(factors.loadings, name="factors.loadings", min_rows=0)
    lower, upper = np.asarray(factors.lower, dtype=np.float64), np.asarray(factors.upper, dtype=np.float64)
    if loadings.shape[1] != n_names or lower.shape != (len(loadings),) or upper.shape != lower.shape:
        raise ShapeError(
            f"factors: found loadings {loadings.shape}, lower {lower.shape}, upper {upper.shape}, "
            f"expected (n_factors, {n_names}) and (n_factors,) twice"
        )
    if not (lower <= upper).all():
        at = int(np.argmin(lower <= upper))
        raise ParameterError(f"factors: row {at} has lower {lower[at]} and upper {upper[at]}, expected lower <= upper")
    return FactorLimits(loadings, lower, upper, _checked_names(factors.names, len(loadings), "factors"))


def _checked_names(names: tuple[str, ...], n_rows: int, owner: str) -> tuple[str, ...]:
    if names and len(names) != n_rows:
        raise ShapeError(f"{owner}.names: found {len(names)}, expected {n_rows}, one per row")
    return names or tuple(str(row) for row in range(n_rows))
