"""Optimal execution: Almgren-Chriss under linear impact, and Obizhaeva-Wang when impact decays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, checked_above, checked_at_least, checked_vector
from .errors import ParameterError

_STRAIGHT = 1e-6
"""Below this urgency over the whole span, sinh is a straight line to rounding."""


@dataclass(frozen=True, slots=True)
class LinearImpact:
    """How one order moves the price, in cash per share."""

    permanent: float
    """gamma: cash per share, per share traded; it stays."""
    temporary: float
    """eta: cash per share, per share a day of trading rate; it is gone with the next trade."""
    half_spread: float = 0.0
    """epsilon: cash per share, paid on every share whatever the rate."""

    def __post_init__(self) -> None:
        checked_at_least(self.permanent, 0.0, name="permanent")
        checked_above(self.temporary, 0.0, name="temporary")
        checked_at_least(self.half_spread, 0.0, name="half_spread")


@dataclass(frozen=True, slots=True)
class Trajectory:
    """How to work one parent order, and what it is expected to cost."""

    holdings: FloatArray
    """(n_periods + 1,) shares still to trade, from the whole quantity down to 0."""
    trades: FloatArray
    """(n_periods,) shares in each period; they sum to the quantity."""
    kappa_per_day: float
    """Urgency; 0 when risk does not matter and trading is even."""
    half_life_days: float
    """1 / kappa: the time in which an endless order would shrink by e; infinite for kappa 0."""
    expected_cost: float
    """Cash, against the price before the order."""
    cost_variance: float
    """Cash squared."""


def optimal_trajectory(
    quantity: float,
    n_periods: int,
    period_days: float,
    *,
    daily_vol: float,
    risk_aversion: float,
    impact: LinearImpact,
) -> Trajectory:
    """The trajectory with the least expected cost plus ``risk_aversion`` times its variance.

    Holdings are X sinh(kappa (T - t)) / sinh(kappa T), with
    2 (cosh(kappa tau) - 1) = tau^2 lambda sigma^2 / (eta - gamma tau / 2).

    Parameters
    ----------
    quantity : X, shares, above 0 (buying and selling are alike)
    n_periods, period_days : N and tau, so that T = N tau
    daily_vol : sigma, in cash per share per square root of a day (not a fraction)
    risk_aversion : lambda, per unit of cash, at least 0

    Raises
    ------
    ParameterError : an argument out of range, or permanent impact too large for the period

    Source: Almgren and Chriss (2000), "Optimal execution of portfolio transactions", J. Risk 3, eq. 15-20.
    """
    checked_above(quantity, 0.0, name="quantity")
    checked_at_least(daily_vol, 0.0, name="daily_vol")
    checked_at_least(risk_aversion, 0.0, name="risk_aversion")
    _check_periods(n_periods, period_days)
    eta = impact.temporary - 0.5 * impact.permanent * period_days
    if eta <= 0.0:
        raise ParameterError(
            f"impact: temporary {impact.temporary} less half of permanent {impact.permanent} over {period_days} days "
            f"is {eta:.3g}, expected above 0",
            remedy="Take shorter periods: the model needs gamma * tau < 2 * eta.",
        )
    # arcosh(1 + z / 2) = 2 arsinh(sqrt(z) / 2), the form that keeps its digits for small z.
    root = period_days * daily_vol * math.sqrt(risk_aversion / eta)
    kappa = 2.0 * math.asinh(0.5 * root) / period_days
    left = np.arange(n_periods, -1, -1, dtype=np.float64) * period_days
    holdings = quantity * remaining_shares(kappa, left)
    holdings[0], holdings[-1] = quantity, 0.0
    cost, variance = trajectory_cost(holdings, period_days, daily_vol=daily_vol, impact=impact)
    half_life = 1.0 / kappa if kappa > 0.0 else math.inf
    return Trajectory(holdings, -np.diff(holdings), kappa, half_life, cost, variance)


def remaining_shares(kappa: float, left: FloatArray) -> FloatArray:
    """Share of the order still held, (n,) from 1 down: sinh(kappa t) / sinh(kappa T) with t = left, T the first.

    Parameters
    ----------
    kappa : urgency per unit of time, at least 0; at 0 the line is straight
    left : (n,) time left, falling from above 0, in the unit of kappa

    Source: Almgren and Chriss (2000), J. Risk 3, eq. 17, in exponentials that cannot overflow.
    """
    whole = left[0]
    if kappa * whole < _STRAIGHT:
        return left / whole
    fall = np.exp(-kappa * (whole - left))
    return fall * np.expm1(-2.0 * kappa * left) / math.expm1(-2.0 * kappa * whole)


def trajectory_cost(
    holdings: npt.ArrayLike, period_days: float, *, daily_vol: float, impact: LinearImpact
) -> tuple[float, float]:
    """Expected cost (cash) and its variance (cash squared) of any trajectory of (n_periods + 1,) holdings.

    Source: Almgren and Chriss (2000), eq. 4 and 5 with linear impact (eq. 8).
    """
    path = checked_vector(holdings, name="holdings", min_rows=2)
    checked_above(period_days, 0.0, name="period_days")
    checked_at_least(daily_vol, 0.0, name="daily_vol")
    trades = -np.diff(path)
    lasting = impact.permanent * float(path[1:] @ trades)
    passing = impact.temporary / period_days * float(trades @ trades)
    spread = impact.half_spread * float(np.abs(trades).sum())
    return lasting + passing + spread, daily_vol**2 * period_days * float(path[1:] @ path[1:])


def efficient_frontier(
    quantity: float,
    n_periods: int,
    period_days: float,
    *,
    daily_vol: float,
    risk_aversions: Sequence[float],
    impact: LinearImpact,
) -> FloatArray:
    """(n, 2) expected cost (cash) and its standard deviation (cash) at each risk aversion, in the order given.

    Arguments and errors as ``optimal_trajectory``.
    """
    points = []
    for risk_aversion in risk_aversions:
        best = optimal_trajectory(
            quantity, n_periods, period_days, daily_vol=daily_vol, risk_aversion=risk_aversion, impact=impact
        )
        points.append((best.expected_cost, math.sqrt(best.cost_variance)))
    return np.array(points, dtype=np.float64).reshape(-1, 2)


def transient_trades(quantity: float, n_trades: int, period_days: float, resilience_per_day: float) -> FloatArray:
    """The cheapest (n_trades,) evenly spaced trades when each one's impact decays at ``resilience_per_day``.

    Equal blocks first and last, smaller equal trades between: with a = exp(-resilience * period) the ends
    are X / (2 + (n - 2)(1 - a)) and the others (1 - a) times that. No risk term; the size of the impact does
    not matter.

    Parameters
    ----------
    quantity : X, shares, above 0
    n_trades : at least 2, the first at once and the last at the end
    period_days : days between two trades, above 0
    resilience_per_day : rho, above 0; the half-life of impact is ln 2 / rho days

    Raises
    ------
    ParameterError : an argument out of range

    Source: Obizhaeva and Wang (2013), J. Financial Markets 16, whose continuous limit it has; Alfonsi, Fruth
    and Schied (2008), "Constrained portfolio liquidation in a limit order book model", for even spacing.
    """
    checked_above(quantity, 0.0, name="quantity")
    checked_above(resilience_per_day, 0.0, name="resilience_per_day")
    if n_trades < 2:
        raise ParameterError(f"n_trades: found {n_trades}, expected at least 2")
    _check_periods(n_trades - 1, period_days)
    recovered = -math.expm1(-resilience_per_day * period_days)
    end = quantity / (2.0 + (n_trades - 2) * recovered)
    trades = np.full(n_trades, end * recovered)
    trades[0] = trades[-1] = end
    return trades


def transient_cost(
    trades: npt.ArrayLike, period_days: float, resilience_per_day: float, impact_per_share: float
) -> float:
    """Impact cost (cash) of evenly spaced (n_trades,) signed trades under exponentially decaying impact.

    A trade of x moves the price by ``impact_per_share`` * x, pays half of its own move and all that is left
    of the earlier ones. Never negative: the kernel is positive definite.

    Source: Obizhaeva and Wang (2013), J. Financial Markets 16, with no permanent part.
    """
    sizes = checked_vector(trades, name="trades", min_rows=1)
    checked_above(period_days, 0.0, name="period_days")
    checked_above(resilience_per_day, 0.0, name="resilience_per_day")
    checked_at_least(impact_per_share, 0.0, name="impact_per_share")
    kept = math.exp(-resilience_per_day * period_days)
    displaced, cost = 0.0, 0.0
    for size in sizes.tolist():
        move = impact_per_share * size
        cost += size * (displaced + 0.5 * move)
        displaced = (displaced + move) * kept
    return cost


def _check_periods(n_periods: int, period_days: float) -> None:
    if int(n_periods) != n_periods or n_periods < 1:
        raise ParameterError(f"n_periods: found {n_periods}, expected a whole number of at least 1")
    checked_above(period_days, 0.0, name="period_days")
