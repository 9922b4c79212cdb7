"""The ways to cut one order into slices, and the question they answer."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..domain.orders import Side
from ..quant.almgren_chriss import optimal_trajectory, transient_trades
from ..quant.covariance import ewma_vol
from ..quant.schedules import (
    CLOSE_SESSION_FRAC,
    late_slices,
    pov_slices,
    shortfall_slices,
    twap_slices,
    vwap_slices,
)
from .errors import NotEnoughData
from .order_cost import OrderCost, order_cost
from .scene import Scene
from .session_shape import SESSION_MINUTES, SessionShape

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

RESILIENCE_HALF_LIFE_MINUTES = 30.0
"""Assumed, for the question what schedules would cost if no impact lasted: no source measures it for these names."""


@dataclass(frozen=True, slots=True)
class OrderQuestion:
    """An order to be worked from the open of a session on; without a risk aversion, the desk's own."""

    symbol: str
    side: Side
    quantity: int
    horizon_minutes: int
    n_slices: int
    risk_aversion: float | None = None


@dataclass(frozen=True, slots=True)
class OrderProblem:
    """What every schedule of one order is measured by."""

    asked: OrderQuestion
    cost: OrderCost
    volumes: FloatArray
    """(n_slices,) shares expected to trade in each slice."""
    shares: FloatArray
    """(n_slices,) share of the day's volume in each slice."""
    max_participation_frac: float
    lot: int


def order_problem(scene: Scene, asked: OrderQuestion, shape: SessionShape) -> tuple[OrderProblem, bool]:
    if asked.symbol not in scene.symbols:
        raise NotEnoughData(
            f"{asked.symbol}: too little history before {scene.view.as_of:%Y-%m-%d} to know its volatility",
            remedy="Give a later --as-of, or another symbol.",
        )
    price = float(scene.prices[asked.symbol])
    recorded = scene.daily_volume.get(asked.symbol)
    day = scene.costs.assumed_daily_volume / price if recorded is None else max(recorded, 1.0)
    shares = shape.window(asked.horizon_minutes, asked.n_slices)
    if not shares.any():
        raise NotEnoughData(
            f"{asked.symbol}: no volume was recorded in the first {asked.horizon_minutes} minutes of its sessions",
            remedy="Give a longer horizon, or recorded minutes that begin at the open.",
        )
    cost = order_cost(
        scene,
        asked.quantity,
        price,
        asked.quantity / day,
        float(ewma_vol(scene.returns)[scene.symbols.index(asked.symbol)]),
        half_spread_frac=None if shape.spread_mean_frac is None else 0.5 * shape.spread_mean_frac,
        span=float(shares.sum()),
        risk_aversion=asked.risk_aversion,
    )
    lot = scene.instrument(asked.symbol).lot
    return OrderProblem(asked, cost, day * shares, shares, scene.limits.max_participation_frac, lot), recorded is None


def _twap(problem: OrderProblem) -> IntArray:
    return twap_slices(problem.asked.quantity, problem.asked.n_slices, problem.lot)


def _vwap(problem: OrderProblem) -> IntArray:
    return vwap_slices(problem.asked.quantity, problem.volumes, problem.lot)


def _pov(problem: OrderProblem) -> IntArray:
    expected = np.floor(problem.volumes)
    return pov_slices(problem.asked.quantity, expected, problem.max_participation_frac, problem.lot)


def _shortfall(problem: OrderProblem) -> IntArray:
    cost, n = problem.cost, problem.asked.n_slices
    best = optimal_trajectory(
        cost.quantity,
        n,
        cost.span / n,
        daily_vol=cost.trading_vol_frac * cost.price,
        risk_aversion=cost.risk_aversion,
        impact=cost.linear_impact(n),
    )
    per_slice = best.kappa_per_day * cost.span / n
    return shortfall_slices(problem.asked.quantity, n, per_slice, problem.lot, problem.volumes)


def _close(problem: OrderProblem) -> IntArray | str:
    """The last slices of the session, the auction's child added to the last of them."""
    asked = problem.asked
    if asked.horizon_minutes < SESSION_MINUTES:
        return "the horizon ends before the close"
    last = max(int(CLOSE_SESSION_FRAC * asked.n_slices), 1)
    if not problem.volumes[-last:].any():
        return "no volume was recorded before the close"
    return late_slices(asked.quantity, problem.volumes, problem.lot)


def _transient(problem: OrderProblem) -> IntArray | str:
    asked = problem.asked
    if asked.n_slices < 2:
        return "a single slice leaves nothing to spread"
    trades = transient_trades(asked.quantity, asked.n_slices, 1.0, resilience(asked))
    return vwap_slices(asked.quantity, trades, problem.lot)


MAKERS: dict[str, Callable[[OrderProblem], IntArray | str]] = {
    "TWAP": _twap,
    "VWAP": _vwap,
    "IS": _shortfall,
    "POV": _pov,
    "close": _close,
    "transient": _transient,
}
"""From the simplest to the most particular; `transient` is the cheapest if all impact decayed."""


def resilience(asked: OrderQuestion) -> float:
    """Decay of impact per slice, at the assumed half-life."""
    return math.log(2.0) * asked.horizon_minutes / asked.n_slices / RESILIENCE_HALF_LIFE_MINUTES
