"""Limits on weights, checked and named, and the program over the weights that they make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .arrays import FloatArray, checked_matrix, checked_vector
from .errors import ParameterError, ShapeError, SolverError
from .programs import QuadraticProgram

if TYPE_CHECKING:
    from collections.abc import Sequence

FEASIBLE = 1e-9
"""Weights and sums of weights closer than this to a bound are on it."""
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


def settled_weights(raw: FloatArray, low: FloatArray, high: FloatArray, span: tuple[float, float]) -> FloatArray:
    """Interior-point dust removed: weights clipped into their bounds, with the sum checked afterward."""
    weights = np.where(np.abs(raw) < FEASIBLE, 0.0, raw)
    weights = np.clip(weights, low, high)
    found = float(weights.sum())
    if not span[0] - _BUDGET_TOLERANCE <= found <= span[1] + _BUDGET_TOLERANCE:
        raise SolverError(
            f"the solved weights sum to {found:.9f}, expected {span[0]:.6f} to {span[1]:.6f}",
            remedy="Keep the weights held now and report the inputs of this decision.",
        )
    return weights


def _checked_bounds(
    lower: FloatArray | float, upper: FloatArray | float, n_names: int
) -> tuple[FloatArray, FloatArray]:
    low = checked_vector(np.full(n_names, lower) if np.ndim(lower) == 0 else lower, name="lower", length=n_names)
    high = checked_vector(np.full(n_names, upper) if np.ndim(upper) == 0 else upper, name="upper", length=n_names)
    if (low > high).any():
        at = int(np.argmax(low > high))
        raise ParameterError(f"bounds: name {at} has lower {low[at]} above upper {high[at]}, expected lower <= upper")
    return low, high


def _checked_total(total: float | tuple[float, float], low: FloatArray, high: FloatArray) -> tuple[float, float]:
    least, most = total_span(total)
    if low.sum() > most + FEASIBLE or high.sum() < least - FEASIBLE:
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
