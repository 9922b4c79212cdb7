"""When to trade toward the targets: drift, no-trade bands, and a plan over several periods with costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from .arrays import FloatArray, checked_above, checked_at_least, checked_matrix, checked_vector
from .definite import checked_covariance
from .errors import ParameterError, SampleError, ShapeError
from .programs import QuadraticProgram, solve
from .weight_limits import FactorLimits, GroupLimits, settled_weights, total_span, weights_program


@dataclass(frozen=True, slots=True)
class TradePlan:
    """Weights to hold in each coming period; only the first is traded, then the plan is made again."""

    weights: FloatArray
    """(n_periods, n_names)"""
    utility: float
    """Sum over the periods of mean'w - gamma/2 w'Sigma w - cost'|change of w|."""


def drifted_weights(weights: FloatArray, returns: FloatArray) -> FloatArray:
    """What the weights (n_names,) become after a period without trading; what they leave to 1 is idle cash.

    Parameters
    ----------
    weights : (n_names,) signed fractions of equity before the period
    returns : (n_names,) simple returns of the period, as fractions

    Raises
    ------
    ShapeError, SampleError : vectors that do not fit, a NaN, or a loss of the whole equity
    """
    held = checked_vector(weights, name="weights")
    moved = checked_vector(returns, name="returns", length=len(held))
    growth = 1.0 + float(held @ moved)
    if growth <= 0.0:
        raise SampleError(
            f"returns: the portfolio returned {growth - 1.0:.4f}, expected above -1, as no equity is left to divide by"
        )
    return held * (1.0 + moved) / growth


def banded_weights(
    held: FloatArray, target: FloatArray, band: FloatArray | float, *, to: Literal["target", "edge"] = "edge"
) -> FloatArray:
    """The weights (n_names,) after trading only the names that left their no-trade band around the target.

    The sum is not kept: what the names inside their bands do not take goes to, or comes from, cash.

    Parameters
    ----------
    held : (n_names,) weights now, after drift
    target : (n_names,) wanted weights
    band : half-width of the band in weight, at least 0, one for all or (n_names,); 0.05 is five points of equity
    to : trade back to the nearest ``edge`` of the band (best for proportional costs) or all the way to the ``target``
        (best for fixed costs)

    Raises
    ------
    ShapeError, SampleError : vectors that do not fit, a NaN or an infinity
    ParameterError : a negative band, or an unknown ``to``

    Source: Davis and Norman (1990), Mathematics of Operations Research 15(4), for trading to the edge; Donohue and
    Yip (2003), J. of Portfolio Management 29(4), compares both.
    """
    now = checked_vector(held, name="held")
    goal = checked_vector(target, name="target", length=len(now))
    width = checked_vector(np.full(len(now), band) if np.ndim(band) == 0 else band, name="band", length=len(now))
    checked_at_least(float(width.min()), 0.0, name="band")
    if to not in ("target", "edge"):
        raise ParameterError(f"to: found {to!r}, expected 'target' or 'edge'")
    if to == "edge":
        return np.clip(now, goal - width, goal + width)
    return np.where(np.abs(now - goal) > width, goal, now)


def multi_period_plan(
    means: FloatArray,
    cov: FloatArray,
    previous: FloatArray,
    *,
    gamma: float,
    cost: FloatArray | float,
    lower: FloatArray | float = 0.0,
    upper: FloatArray | float = 1.0,
    total: float | tuple[float, float] = 1.0,
    groups: GroupLimits | None = None,
    factors: FactorLimits | None = None,
) -> TradePlan:
    """The plan of least regret over several periods when every trade costs: one quadratic program for all of them.

    Looking ahead, a trade that pays only over several periods is made now, and one that the next period would undo is
    not. Drift within the horizon is left out, as in the source. With one period it is ``maximize_utility``.

    Parameters
    ----------
    means : (n_periods, n_names) expected returns of each coming period, nearest first
    cov : (n_names, n_names) covariance per period, the same for all
    previous : (n_names,) weights held now
    gamma : risk aversion, above 0
    cost : one-way cost per unit traded, at least 0, as a fraction: one for all, or (n_names,)
    lower, upper, total, groups, factors : limits of every period, as in ``parley.quant.frontier.min_variance``

    Raises
    ------
    ShapeError, SampleError, ParameterError : unusable input
    SolverError : no weights satisfy the limits (those in conflict are named), or neither solver finished

    Source: Boyd, Busseti, Diamond, Kahn, Koh, Nystrup and Speth (2017), "Multi-period trading via convex
    optimization", Foundations and Trends in Optimization 3(1), section 5.2.
    """
    expected = checked_matrix(means, name="means", min_rows=1)
    n_names = expected.shape[1]
    sigma = checked_covariance(cov, n_names)
    held = checked_vector(previous, name="previous", length=n_names)
    checked_above(gamma, 0.0, name="gamma")
    if np.ndim(cost) not in (0, 1):
        raise ShapeError(f"cost: found {np.ndim(cost)} dimensions, expected a number or (n_names,)")
    fees = checked_vector(np.full(n_names, cost) if np.ndim(cost) == 0 else cost, name="cost", length=n_names)
    checked_at_least(float(fees.min()), 0.0, name="cost")

    scale = 1.0 / max(gamma * float(np.diag(sigma).max()), float(np.abs(expected).max()), 1e-12)
    one = weights_program(gamma * scale * sigma, np.zeros(n_names), lower, upper, total, groups, factors)
    raw, _ = solve(_stacked(one, -scale * expected, scale * fees, held))
    path = raw[: expected.size].reshape(expected.shape)
    span = total_span(total)
    weights = np.array([settled_weights(row, one.low, one.high, span) for row in path])
    traded = np.abs(np.diff(np.vstack([held, weights]), axis=0))
    risk = np.einsum("hi,ij,hj->", weights, sigma, weights)
    utility = float((expected * weights).sum() - gamma / 2.0 * risk - (traded @ fees).sum())
    return TradePlan(weights, utility)


def _stacked(one: QuadraticProgram, costs: FloatArray, fees: FloatArray, held: FloatArray) -> QuadraticProgram:
    """All periods side by side, then the amounts bought in each: b_h >= w_h - w_(h-1), b_h >= 0."""
    n_periods, n_names = costs.shape
    each = np.eye(n_periods)
    size = n_periods * n_names
    none = np.zeros((size, size))
    # w_h - w_(h-1), where the weights before the first are those held.
    change = np.kron(each - np.eye(n_periods, k=-1), np.eye(n_names))
    first = np.concatenate([held, np.zeros(size - n_names)])
    room = np.concatenate([one.high - held, np.tile(one.high - one.low, n_periods - 1)])
    limits = np.kron(each, one.G)
    # Selling is buying less the change, so the cost is fees'(2b - change): linear in the change as well.
    linear = costs.ravel() - change.T @ np.tile(fees, n_periods)
    return replace(
        one,
        P=np.block([[np.kron(each, one.P), none], [none, none]]),
        c=np.concatenate([linear, np.tile(2.0 * fees, n_periods)]),
        G=np.block([[limits, np.zeros((len(limits), size))], [-change, np.eye(size)]]),
        row_low=np.concatenate([np.tile(one.row_low, n_periods), -first]),
        row_high=np.concatenate([np.tile(one.row_high, n_periods), np.full(size, np.inf)]),
        low=np.concatenate([np.tile(one.low, n_periods), np.zeros(size)]),
        high=np.concatenate([np.tile(one.high, n_periods), np.maximum(room, 0.0)]),
        row_names=tuple(f"{name} (period {period})" for period in range(n_periods) for name in one.row_names),
        n_periods=n_periods,
    )
