"""Target weights from a quadratic program: mean-variance with costs and limits, and nearest feasible weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .arrays import FloatArray, checked_above, checked_matrix, checked_vector
from .covariance import checked_covariance
from .errors import ParameterError, ShapeError, SolverError
from .programs import QuadraticProgram, solve

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

    @classmethod
    def of_labels(cls, labels: Sequence[str], caps: dict[str, float]) -> GroupLimits:
        """One row per capped label: the summed weight of its names stays at or below its cap."""
        rows = [[float(label == group) for label in labels] for group in caps]
        return cls(np.array(rows).reshape(len(caps), len(labels)), np.array(list(caps.values()), dtype=float))


@dataclass(frozen=True, slots=True)
class Solution:
    """Weights that satisfy every limit, and how they were found."""

    weights: FloatArray
    status: str
    """``solved`` by the first solver, or ``solved_by_fallback``."""
    utility: float
    """mean'w - gamma/2 w'Sigma w - cost'|w - previous|, per period."""


def maximize_utility(
    mean: FloatArray,
    cov: FloatArray,
    *,
    lower: FloatArray,
    upper: FloatArray,
    gamma: float,
    previous: FloatArray | None = None,
    cost: FloatArray | float = 0.0,
    total: float | tuple[float, float] = 1.0,
    groups: GroupLimits | None = None,
) -> Solution:
    """Weights maximizing mean'w - gamma/2 w'Sigma w - cost'|w - previous| within the limits.

    Parameters
    ----------
    mean : (n_names,) expected returns per period, as fractions
    cov : (n_names, n_names) covariance per period
    lower, upper : (n_names,) bounds of each weight, fractions of equity
    gamma : risk aversion, above 0
    previous : (n_names,) weights held now; needed when ``cost`` is not zero
    cost : one-way cost per unit traded, as a fraction: one for all, or (n_names,)
    total : what the weights must sum to, exactly or as a (low, high) range
    groups : further linear limits

    Raises
    ------
    ShapeError, SampleError, ParameterError : unusable input
    SolverError : no weights satisfy the limits, or neither solver finished

    Source: Markowitz (1952); the L1 cost as in Boyd et al. (2017), "Multi-period trading", section 4.
    """
    expected = checked_vector(mean, name="mean")
    n_names = len(expected)
    sigma = checked_covariance(cov, n_names)
    checked_above(gamma, 0.0, name="gamma")
    low, high = _checked_bounds(lower, upper, n_names)
    fees, held = _checked_costs(cost, previous, n_names)
    span = _checked_total(total, low, high)

    # One common scale for the objective: daily variances near 1e-4 would meet absolute tolerances at once.
    scale = 1.0 / max(gamma * float(np.diag(sigma).max()), float(np.abs(expected).max()), 1e-12)
    program = _weights_program(gamma * scale * sigma, -scale * expected, low, high, span, groups)
    if fees.any():
        program = _with_costs(program, scale * fees, held)
    raw, status = solve(program)
    weights = _settled(raw[:n_names], low, high, span)
    traded = np.abs(weights - held) if fees.any() else np.zeros(n_names)
    utility = float(expected @ weights - gamma / 2.0 * weights @ sigma @ weights - fees @ traded)
    return Solution(weights, status, utility)


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
    low, high = _checked_bounds(lower, upper, len(wanted))
    span = (-np.inf, np.inf) if budget is None else _checked_total(budget, low, high)
    most = np.inf if gross is None else checked_above(gross, 0.0, name="gross")
    limits = _checked_groups(groups, len(wanted))
    if _is_feasible(wanted, low, high, span, most, limits):
        return wanted.copy()

    program = _weights_program(np.eye(len(wanted)), -wanted, low, high, span, limits)
    if np.isfinite(most):
        program = _with_gross(program, most)
    return _settled(solve(program)[0][: len(wanted)], low, high, span)


def _weights_program(
    P: FloatArray,
    c: FloatArray,
    low: FloatArray,
    high: FloatArray,
    span: tuple[float, float],
    groups: GroupLimits | None,
) -> QuadraticProgram:
    """The program over the weights alone: their sum is the first row, the groups follow."""
    n_names = len(c)
    limits = _checked_groups(groups, n_names)
    rows = np.vstack([np.ones((1, n_names)), limits.matrix])
    row_low = np.concatenate([[span[0]], np.full(len(limits.upper), -np.inf)])
    row_high = np.concatenate([[span[1]], limits.upper])
    return QuadraticProgram(P, c, rows, row_low, row_high, low, high)


def _with_costs(program: QuadraticProgram, fees: FloatArray, held: FloatArray) -> QuadraticProgram:
    """Add bought amounts b >= max(w - held, 0); selling is b - (w - held), so cost = fees'(2b - w + held)."""
    n_names = len(program.c)
    eye, none = np.eye(n_names), np.zeros((n_names, n_names))
    return QuadraticProgram(
        P=np.block([[program.P, none], [none, none]]),
        c=np.concatenate([program.c - fees, 2.0 * fees]),
        G=np.block([[program.G, np.zeros((len(program.G), n_names))], [-eye, eye]]),
        row_low=np.concatenate([program.row_low, -held]),
        row_high=np.concatenate([program.row_high, np.full(n_names, np.inf)]),
        low=np.concatenate([program.low, np.zeros(n_names)]),
        high=np.concatenate([program.high, np.maximum(program.high - held, 0.0)]),
    )


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
    )


def _settled(raw: FloatArray, low: FloatArray, high: FloatArray, span: tuple[float, float]) -> FloatArray:
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


def _is_feasible(
    weights: FloatArray,
    low: FloatArray,
    high: FloatArray,
    span: tuple[float, float],
    most: float,
    limits: GroupLimits,
) -> bool:
    found = float(weights.sum())
    return bool(
        (weights >= low).all()
        and (weights <= high).all()
        and span[0] - _FEASIBLE <= found <= span[1] + _FEASIBLE
        and float(np.abs(weights).sum()) <= most + _FEASIBLE
        and (limits.matrix @ weights <= limits.upper + _FEASIBLE).all()
    )


def _checked_bounds(lower: FloatArray, upper: FloatArray, n_names: int) -> tuple[FloatArray, FloatArray]:
    low = checked_vector(lower, name="lower", length=n_names)
    high = checked_vector(upper, name="upper", length=n_names)
    if (low > high).any():
        at = int(np.argmax(low > high))
        raise ParameterError(f"bounds: name {at} has lower {low[at]} above upper {high[at]}, expected lower <= upper")
    return low, high


def _checked_costs(
    cost: FloatArray | float, previous: FloatArray | None, n_names: int
) -> tuple[FloatArray, FloatArray]:
    fees = checked_vector(np.broadcast_to(cost, (n_names,)), name="cost", length=n_names)
    if fees.min() < 0.0:
        raise ParameterError(f"cost: found {fees.min()}, expected at least 0 per unit traded")
    if previous is None:
        if fees.any():
            raise ParameterError("previous: found None, expected the weights held now, as cost is not zero")
        return fees, np.zeros(n_names)
    return fees, checked_vector(previous, name="previous", length=n_names)


def _checked_total(total: float | tuple[float, float], low: FloatArray, high: FloatArray) -> tuple[float, float]:
    least, most = total if isinstance(total, tuple) else (total, total)
    if not least <= most:
        raise ParameterError(f"total: found {total}, expected a number, or (low, high) with low <= high")
    if low.sum() > most + _FEASIBLE or high.sum() < least - _FEASIBLE:
        raise SolverError(
            f"total: the bounds let the weights sum to {low.sum():.4f} ... {high.sum():.4f}, "
            f"expected a sum within {least:.4f} ... {most:.4f}",
            remedy="Raise the caps, lower the floors, or let the total be a range that leaves cash.",
        )
    return float(least), float(most)


def _checked_groups(groups: GroupLimits | None, n_names: int) -> GroupLimits:
    if groups is None:
        return GroupLimits(np.zeros((0, n_names)), np.zeros(0))
    matrix = checked_matrix(groups.matrix, name="groups.matrix", min_rows=0)
    if matrix.shape[1] != n_names:
        raise ShapeError(f"groups.matrix: found {matrix.shape[1]} columns, expected {n_names}, one per name")
    return GroupLimits(matrix, checked_vector(groups.upper, name="groups.upper", length=len(matrix), min_rows=0))
