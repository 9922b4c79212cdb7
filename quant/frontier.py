"""Portfolios on the efficient frontier: minimum variance, maximum Sharpe ratio, and the points between."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .arrays import FloatArray, checked_above, checked_vector
from .definite import ProvenCovariance, checked_covariance
from .errors import ParameterError, SampleError
from .programs import QuadraticProgram, solve
from .weight_limits import FactorLimits, GroupLimits, settled_weights, total_span, weights_program

_ROUNDING = 1e-9
_MOST_PIVOTS = 40


@dataclass(frozen=True, slots=True)
class Frontier:
    """Efficient portfolios, from the least variance to the highest expected return."""

    weights: FloatArray
    """(n_points, n_names)"""
    mean: FloatArray
    """(n_points,) expected return per period, rising."""
    vol: FloatArray
    """(n_points,) standard deviation per period, rising."""


def min_variance(
    cov: FloatArray | ProvenCovariance,
    *,
    lower: FloatArray | float = 0.0,
    upper: FloatArray | float = 1.0,
    total: float | tuple[float, float] = 1.0,
    groups: GroupLimits | None = None,
    factors: FactorLimits | None = None,
) -> FloatArray:
    """The weights (n_names,) of least variance w'Sigma w within the limits; long-only by default.

    Parameters
    ----------
    cov : (n_names, n_names) covariance per period; one from ``sample_moments`` is not checked again
    lower, upper : bounds of each weight, one for all or (n_names,), fractions of equity
    total : what the weights must sum to, exactly or as a (low, high) range
    groups, factors : further linear limits

    Raises
    ------
    ShapeError, SampleError, ParameterError : unusable input
    SolverError : no weights satisfy the limits; those in conflict are named

    Source: Markowitz (1952), J. of Finance 7(1); without bounds the weights are Sigma^-1 1 / 1'Sigma^-1 1.
    """
    sigma = checked_covariance(cov)
    none = np.zeros(len(sigma))
    if not isinstance(total, tuple) and groups is None and factors is None and np.ndim(lower) == 0:
        found = _long_only(sigma, none + 1.0, lower, upper, total)
        if found is not None:
            return found
    program = weights_program(sigma / _scale(sigma), none, lower, upper, total, groups, factors)
    return settled_weights(solve(program)[0], program.low, program.high, total_span(total))


def max_sharpe(
    mean: FloatArray,
    cov: FloatArray | ProvenCovariance,
    *,
    lower: FloatArray | float = 0.0,
    upper: FloatArray | float = 1.0,
    total: float = 1.0,
    groups: GroupLimits | None = None,
    factors: FactorLimits | None = None,
) -> FloatArray:
    """The weights (n_names,) of the highest ratio mean'w / sqrt(w'Sigma w) within the limits.

    The ratio does not change with the size of the book, so the least variance at an excess return of one is
    found first, over y = k w with an unknown size k > 0, and y is scaled to the total after. Every limit is
    multiplied by k alike, which keeps the program quadratic.

    Parameters
    ----------
    mean : (n_names,) expected returns in excess of the riskless rate, per period
    cov : (n_names, n_names) covariance per the same period
    lower, upper : bounds of each weight, one for all or (n_names,), fractions of equity
    total : what the weights must sum to, above 0
    groups, factors : further linear limits

    Raises
    ------
    ShapeError, ParameterError : unusable input
    SampleError : no excess return is positive, or the best portfolio has no variance
    SolverError : no weights with a positive excess return satisfy the limits

    Source: Cornuejols and Tütüncü (2006), Optimization Methods in Finance, section 8.2; Tobin (1958).
    """
    expected = checked_vector(mean, name="mean")
    sigma = checked_covariance(cov, len(expected))
    checked_above(total, 0.0, name="total")
    if groups is None and factors is None and np.ndim(lower) == 0 and expected.max() > 0.0:
        found = _long_only(sigma, expected, lower, upper, total)
        if found is not None:
            return found
    limits = weights_program(sigma / _scale(sigma), np.zeros(len(sigma)), lower, upper, total, groups, factors)
    reachable = np.maximum(expected * limits.low, expected * limits.high).sum()
    if reachable <= 0.0:
        raise SampleError(
            f"mean: the highest excess return is {expected.max():.6f}, expected one the bounds can turn to a gain",
            remedy="Hold cash, or use min_variance, which needs no expected returns.",
        )
    y = solve(_homogenized(limits, expected / np.abs(expected).max(), total))[0]
    # The sign of dust decides nothing: it is removed where it is small beside the largest holding.
    y = np.where(np.abs(y) < _ROUNDING * np.abs(y).max(), 0.0, y)
    weights = settled_weights(y * (total / y.sum()), limits.low, limits.high, (total, total))
    if weights @ sigma @ weights <= _ROUNDING**2 * _scale(sigma):
        raise SampleError(
            "cov: the best portfolio has no variance, so its ratio is infinite",
            remedy="Leave cash-like and duplicated instruments out, or shrink the covariance.",
        )
    return weights


def efficient_frontier(
    mean: FloatArray,
    cov: FloatArray | ProvenCovariance,
    n_points: int = 20,
    *,
    lower: FloatArray | float = 0.0,
    upper: FloatArray | float = 1.0,
    total: float | tuple[float, float] = 1.0,
    groups: GroupLimits | None = None,
    factors: FactorLimits | None = None,
) -> Frontier:
    """``n_points`` efficient portfolios, evenly spaced in expected return.

    Parameters, units and errors as ``min_variance``; ``mean`` is (n_names,), expected returns per period, and
    ``n_points`` at least 2. When every feasible portfolio has one expected return, all points are the same.

    Source: Markowitz (1952); each point is the least variance at no less than its expected return.
    """
    expected = checked_vector(mean, name="mean")
    sigma = checked_covariance(cov, len(expected))
    if n_points < 2:
        raise ParameterError(f"n_points: found {n_points}, expected at least 2, the two ends of the frontier")
    span = total_span(total)
    program = weights_program(sigma / _scale(sigma), np.zeros(len(sigma)), lower, upper, total, groups, factors)
    size = max(float(np.abs(expected).max()), 1e-12)
    goal = expected / size
    # A trace of variance makes the richest portfolio unique when several share the highest return.
    richest = solve(replace(program, P=_ROUNDING * program.P, c=-goal))[0]
    least = solve(program)[0]
    aimed = np.linspace(goal @ least, max(goal @ richest, goal @ least), n_points)
    aimed[-1] -= _ROUNDING * (aimed[-1] - aimed[0])
    rows = replace(
        program,
        G=np.vstack([program.G, goal]),
        row_high=np.append(program.row_high, np.inf),
        row_names=(*program.row_names, "least expected return"),
    )
    raw = [least, *(solve(replace(rows, row_low=np.append(program.row_low, at)))[0] for at in aimed[1:])]
    weights = np.array([settled_weights(point, program.low, program.high, span) for point in raw])
    variance = np.einsum("pi,ij,pj->p", weights, sigma, weights)
    return Frontier(weights, weights @ expected, np.sqrt(np.maximum(variance, 0.0)))


def _long_only(
    sigma: FloatArray, goal: FloatArray, lower: FloatArray | float, upper: FloatArray | float, total: float
) -> FloatArray | None:
    """Both portfolios when only w >= 0 binds: y >= 0, Sigma y >= goal, y'(Sigma y - goal) = 0, scaled to the total.

    With a goal of ones y is a multiple of the least variance, with the means of the highest ratio. Names that break a
    condition change sides all at once, and none is left when it is solved: exact, and several times faster than an
    interior point. None when the bounds are others, or it does not settle: then the general program decides.

    Source: Júdice and Pires (1994), Computers and Operations Research 21(5), block principal pivoting.
    """
    high = np.asarray(upper, dtype=np.float64)
    if lower != 0.0 or not total > 0.0 or high.shape not in ((), goal.shape):
        return None
    # LAPACK itself: of a small portfolio's time, the checks and copies around a solver are half. Its wrappers are
    # built with scipy and have no stubs, so they are Any by declaration.
    lapack: Any = importlib.import_module("scipy.linalg.lapack")

    held = goal > 0.0
    tolerance = 1e-12 * float(goal.max())
    fewest = len(goal) + 1
    for _ in range(_MOST_PIVOTS):
        inside = held.nonzero()[0]
        rows = sigma[inside]
        # Cholesky takes half of what elimination does, and refuses a mix of names without variance.
        _, part, refused = lapack.dposv(rows[:, inside].T, goal[inside], overwrite_a=True, overwrite_b=True)
        if refused:
            return None
        # One vector holds both sides: the amount of a name inside, what its return falls short of its risk outside.
        gap = part @ rows - goal + tolerance
        gap[inside] = part
        broken = (gap < 0.0).nonzero()[0]
        if not len(broken):
            weights = np.zeros(len(goal))
            weights[inside] = part * (total / part.sum())
            return weights if (weights <= high).all() else None
        # All at once while that makes progress; else the last alone, a rule that cannot cycle.
        changed = broken if len(broken) < fewest else broken[-1:]
        fewest = min(fewest, len(broken))
        held[changed] ^= True
    return None


def _homogenized(limits: QuadraticProgram, goal: FloatArray, total: float) -> QuadraticProgram:
    """The limits multiplied by k = sum(y) / total, at an expected return of one; bounds by 0 stay bounds."""
    n_names = len(goal)
    per_unit = np.full(n_names, 1.0 / total)
    eye = np.eye(n_names)
    long_only = bool((limits.low >= 0.0).all())
    # A long-only weight never exceeds the total anyhow, and a floor of zero is a bound on y itself.
    capped = np.flatnonzero(limits.high < total) if long_only else np.arange(n_names)
    floored = np.flatnonzero(limits.low != 0.0)
    under = np.flatnonzero(np.isfinite(limits.row_high[1:])) + 1
    over = np.flatnonzero(np.isfinite(limits.row_low[1:])) + 1
    at_most = np.vstack([eye[capped], limits.G[under]])
    at_most -= np.outer(np.concatenate([limits.high[capped], limits.row_high[under]]), per_unit)
    at_least = np.vstack([per_unit[None, :], eye[floored], limits.G[over]])
    at_least[1:] -= np.outer(np.concatenate([limits.low[floored], limits.row_low[over]]), per_unit)
    names = (
        "an excess return above zero",
        *(f"upper bound of name {at}" for at in capped),
        *(limits.row_names[row] for row in under),
        "a total above zero",
        *(f"lower bound of name {at}" for at in floored),
        *(limits.row_names[row] for row in over),
    )
    rows = np.vstack([goal, at_most, at_least])
    low = np.concatenate([[1.0], np.full(len(at_most), -np.inf), np.zeros(len(at_least))])
    high = np.concatenate([[1.0], np.zeros(len(at_most)), np.full(len(at_least), np.inf)])
    free = np.full(n_names, np.inf)
    floor = np.where(limits.low >= 0.0, 0.0, -np.inf)
    return QuadraticProgram(limits.P, np.zeros(n_names), rows, low, high, floor, free, names)


def _scale(sigma: FloatArray) -> float:
    """The largest variance, so that solvers see numbers near one; a book of zeros stays zeros."""
    return max(float(np.diag(sigma).max()), 1e-300)
