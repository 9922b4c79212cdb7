"""Weights of the least expected shortfall over a history, by the linear program of Rockafellar and Uryasev."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from .arrays import FloatArray, checked_fraction, checked_returns
from .errors import ParameterError, SampleError, SolverError
from .programs import QuadraticProgram, conflicting_limits
from .var import expected_shortfall, historical_var
from .weight_limits import FactorLimits, GroupLimits, settled_weights, total_span, weights_program


@dataclass(frozen=True, slots=True)
class TailSolution:
    """Weights, and the tail of the same history under them; losses are positive."""

    weights: FloatArray
    expected_shortfall: float
    """Mean loss in the worst ``1 - level`` of days, a fraction of equity."""
    value_at_risk: float
    """The loss that ``level`` of the days did not exceed (lower quantile)."""
    mean: float
    """Mean return per day over the history."""


def min_expected_shortfall(
    returns: FloatArray,
    level: float = 0.975,
    *,
    lower: FloatArray | float = 0.0,
    upper: FloatArray | float = 1.0,
    total: float | tuple[float, float] = 1.0,
    min_mean: float | None = None,
    groups: GroupLimits | None = None,
    factors: FactorLimits | None = None,
) -> TailSolution:
    """The weights whose expected shortfall over the given days is least, within the limits.

    minimize a + sum(u) / ((1 - level) n_days)  subject to  u >= -returns @ w - a,  u >= 0, and the limits. The
    program's optimum is the sample expected shortfall of ``parley.quant.var``, fractional tail day included.

    Parameters
    ----------
    returns : (n_days, n_names) simple daily returns, as fractions, each day equally likely
    level : confidence, in (0, 1); at least one day must lie beyond it
    lower, upper : bounds of each weight, one for all or (n_names,), fractions of equity
    total : what the weights must sum to, exactly or as a (low, high) range
    min_mean : least mean return per day over the same history, a fraction; None asks for none
    groups, factors : further linear limits

    Raises
    ------
    ShapeError, SampleError, ParameterError : unusable input, or fewer days than 1 / (1 - level)
    SolverError : no weights satisfy the limits (those in conflict are named), or HiGHS did not finish

    Source: Rockafellar and Uryasev (2000), J. of Risk 2(3), equation 17; (2002), J. Banking & Finance 26.
    """
    checked_fraction(level, name="level")
    matrix = checked_returns(returns, math.ceil(1.0 / (1.0 - level) - 1e-9))
    n_names = matrix.shape[1]
    limits = weights_program(np.zeros((n_names, n_names)), np.zeros(n_names), lower, upper, total, groups, factors)
    if min_mean is not None:
        limits = _with_mean(limits, matrix.mean(axis=0), min_mean)
    raw = _solved(limits, matrix, level)
    weights = settled_weights(raw[:n_names], limits.low, limits.high, total_span(total))
    day = matrix @ weights
    return TailSolution(weights, expected_shortfall(day, level), historical_var(day, level), float(day.mean()))


def _with_mean(limits: QuadraticProgram, mean: FloatArray, min_mean: float) -> QuadraticProgram:
    if not math.isfinite(min_mean):
        raise ParameterError(f"min_mean: found {min_mean}, expected a finite return per day")
    return replace(
        limits,
        G=np.vstack([limits.G, mean]),
        row_low=np.append(limits.row_low, min_mean),
        row_high=np.append(limits.row_high, np.inf),
        row_names=(*limits.row_names, f"mean return at least {min_mean:g}"),
    )


def _solved(limits: QuadraticProgram, matrix: FloatArray, level: float) -> FloatArray:
    """HiGHS's optimum (weights, a, u), or SolverError with the limits that conflict."""
    from scipy import sparse
    from scipy.optimize import linprog

    n_days, n_names = matrix.shape
    # Returns scaled to a typical size of one: absolute tolerances of 1e-7 are then far below a basis point.
    scale = float(np.abs(matrix).mean())
    if scale == 0.0:
        raise SampleError("returns: every return is zero, expected a history with losses", remedy="Check the feed.")
    losses = np.hstack([-matrix / scale, -np.ones((n_days, 1))])
    above = np.isfinite(limits.row_high)
    below = np.isfinite(limits.row_low)
    rows = np.vstack([limits.G[above], -limits.G[below]])
    found = linprog(
        np.concatenate([np.zeros(n_names), [1.0], np.full(n_days, 1.0 / ((1.0 - level) * n_days))]),
        A_ub=sparse.bmat(
            [[losses, -sparse.eye_array(n_days)], [np.hstack([rows, np.zeros((len(rows), 1))]), None]], format="csc"
        ),
        b_ub=np.concatenate([np.zeros(n_days), limits.row_high[above], -limits.row_low[below]]),
        bounds=np.vstack(
            [np.column_stack([limits.low, limits.high]), [[-np.inf, np.inf]], np.tile([0.0, np.inf], (n_days, 1))]
        ),
        method="highs",
    )
    if found.status == 0:
        return np.asarray(found.x, dtype=np.float64)
    blamed = conflicting_limits(limits)
    if blamed:
        raise SolverError(
            f"these limits cannot hold together: {'; '.join(blamed)}",
            remedy="Loosen one of the limits named; keep the weights held now until then.",
        )
    raise SolverError(
        f"the program of {n_names} names over {n_days} days was not solved: {found.message}",
        remedy="Keep the weights held now and report the inputs of this decision.",
    )
