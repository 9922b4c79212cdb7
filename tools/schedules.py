"""One order, several ways to work it: slices, expected cost and its risk side by side, and the best trade-off."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from ..quant.almgren_chriss import (
    Trajectory,
    efficient_frontier,
    optimal_trajectory,
    trajectory_cost,
    transient_cost,
)
from ..quant.liquidity import days_to_liquidate, liquidated_frac, spread_cost, stressed_spread_cost
from ..quant.schedules import AUCTION_FRAC
from .ledger import Ledger, figure
from .scene import Scene
from .session_shape import SESSION_MINUTES, SessionShape
from .slicing import MAKERS, FloatArray, IntArray, OrderProblem, OrderQuestion, order_problem, resilience

AUCTION_VOLUME_SHARE = 0.08
"""Assumed: what the closing auction trades, as a share of the day's volume before it."""
SPREAD_DEVIATIONS = 2.326
"""The worst moment in a hundred, if spreads were normal."""
INDIFFERENT_BPS = 0.05
"""Schedules this close are alike: the simpler one is taken."""
FRONTIER_DECADES = np.linspace(-3.0, 3.0, 25)
RULE = (
    "the least expected cost plus risk aversion times variance among those that finish within the participation "
    "limit (among all that finish if none does), the simpler one where two are alike"
)


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What one schedule of an order is expected to cost, and its risk; fractions of the order's value."""

    slices: IntArray
    left: FloatArray
    """(n_slices,) share of the order still to trade after each slice."""
    filled_frac: float
    spread_frac: float
    fee_frac: float
    temporary_frac: float
    permanent_frac: float
    std_frac: float
    aversion: float
    """What a unit of variance costs, in the order's value."""
    peak_participation: float

    @property
    def cost_bps(self) -> float:
        return 1e4 * (self.spread_frac + self.fee_frac + self.temporary_frac + self.permanent_frac)

    @property
    def std_bps(self) -> float:
        return 1e4 * self.std_frac

    @property
    def objective_bps(self) -> float:
        return self.cost_bps + 1e4 * self.aversion * self.std_frac**2


def execution_schedules(
    ledger: Ledger, scene: Scene, asked: OrderQuestion, shape: SessionShape
) -> tuple[str, dict[str, object]]:
    """Every schedule of one order with its slices, costs and risk in bps of its value, and the one to take."""
    problem, is_assumed = order_problem(scene, asked, shape)
    cost = problem.cost
    made = {name: make(problem) for name, make in MAKERS.items()}
    found = {name: measured(problem, name, cut) for name, cut in made.items() if not isinstance(cut, str)}
    rows = {
        name: {"refused": cut} if isinstance(cut, str) else _row(problem, found[name]) for name, cut in made.items()
    }
    output: dict[str, object] = {
        "value": figure(cost.value),
        "price": figure(cost.price),
        "participation": figure(cost.participation),
        "window_volume": figure(float(problem.volumes.sum())),
        "volume_is_assumed": is_assumed,
        "curve_sessions": shape.n_sessions,
        "daily_vol": figure(cost.trading_vol_frac),
        "risk_aversion": figure(cost.risk_aversion),
        "half_life_minutes": _minutes(cost.half_life_sessions),
        "even_pace_bps": figure(1e4 * cost.expected_frac),
        "slice_minutes": figure(asked.horizon_minutes / asked.n_slices),
        "volume_shares": [figure(share) for share in (problem.shares / problem.shares.sum()).tolist()],
        "schedules": rows,
        "recommended": best_of(found, problem.max_participation_frac),
        "rule": RULE,
        **_liquidity(problem, shape),
    }
    inputs = {"order": asdict(asked), "costs": asdict(scene.costs)}
    return ledger.record("execution_schedules", 1, "bps of order value", inputs, output).id, output


def cost_frontier(
    ledger: Ledger, scene: Scene, asked: OrderQuestion, shape: SessionShape
) -> tuple[str, dict[str, object]]:
    """Expected cost against its standard deviation over risk aversions, in periods of equal volume."""
    problem, _ = order_problem(scene, asked, shape)
    cost, n = problem.cost, asked.n_slices
    period = cost.span / n
    impact, vol = cost.linear_impact(n), cost.trading_vol_frac * cost.price
    aversions = [0.0, *(cost.risk_aversion * 10.0**power for power in FRONTIER_DECADES.tolist())]
    line = efficient_frontier(cost.quantity, n, period, daily_vol=vol, risk_aversions=aversions, impact=impact)
    at_once = np.append(float(cost.quantity), np.zeros(n))
    chosen = _trajectory(problem)
    first, _ = trajectory_cost(at_once, period, daily_vol=vol, impact=impact)

    def point(aversion: float, cash: float, deviation: float) -> dict[str, float]:
        bps = 1e4 / cost.value
        return {
            "risk_aversion": figure(aversion),
            "cost_bps": figure(cash * bps + 1e4 * cost.fee_frac),
            "std_bps": figure(deviation * bps),
        }

    output: dict[str, object] = {
        "points": [point(aversion, *row) for aversion, row in zip(aversions, line.tolist(), strict=True)],
        "chosen": point(cost.risk_aversion, chosen.expected_cost, math.sqrt(chosen.cost_variance))
        | {"holdings": [figure(left / cost.quantity) for left in chosen.holdings.tolist()]},
        "risk_neutral": point(0.0, *line[0].tolist()),
        "all_at_once": {"cost_bps": figure(1e4 * (first / cost.value + cost.fee_frac)), "std_bps": 0.0},
        "half_life_minutes": _minutes(chosen.half_life_days),
    }
    inputs = {"order": asdict(asked), "costs": asdict(scene.costs)}
    return ledger.record("cost_frontier", 1, "bps of order value", inputs, output).id, output


def measured(problem: OrderProblem, name: str, slices: IntArray) -> Measured:
    """What the desk expects of these slices."""
    cost, volumes = problem.cost, _volumes(problem, name)
    pace = slices / volumes * (problem.volumes.sum() / cost.quantity)
    done = int(slices.sum()) / cost.quantity
    left = (cost.quantity - np.cumsum(slices)) / cost.quantity
    # The auction has one price and no spread.
    crossed = done * (1.0 - AUCTION_FRAC if name == "close" else 1.0)
    return Measured(
        slices=slices,
        left=left,
        filled_frac=done,
        spread_frac=cost.half_spread_frac * crossed,
        fee_frac=cost.fee_frac * done,
        temporary_frac=cost.passing_frac * float(slices @ pace) / cost.quantity,
        permanent_frac=cost.lasting_frac * done**2,
        std_frac=cost.trading_vol_frac * math.sqrt(float(problem.shares @ np.square(left))),
        aversion=cost.risk_aversion * cost.value,
        peak_participation=float((slices / volumes).max()),
    )


def best_of(found: Mapping[str, Measured], max_participation_frac: float) -> str:
    """The schedule to take, by `RULE`; `found` goes from the simplest to the most particular."""
    fit = fitting(found, max_participation_frac)
    least = min(found[name].objective_bps for name in fit)
    return next(name for name in fit if found[name].objective_bps <= least + INDIFFERENT_BPS)


def fitting(found: Mapping[str, Measured], max_participation_frac: float) -> tuple[str, ...]:
    """Those that finish within the participation limit; all that finish where none keeps to it."""
    finished = [name for name, item in found.items() if item.filled_frac == 1.0]
    within = [name for name in finished if found[name].peak_participation <= max_participation_frac]
    return tuple(within or finished)


def urgency_over_span(problem: OrderProblem) -> float:
    """Almgren and Chriss's kappa times the whole span, as the IS schedule of this order has it."""
    return _trajectory(problem).kappa_per_day * problem.cost.span


def _trajectory(problem: OrderProblem) -> Trajectory:
    """The best one in periods of equal volume."""
    cost, n = problem.cost, problem.asked.n_slices
    vol, impact = cost.trading_vol_frac * cost.price, cost.linear_impact(n)
    return optimal_trajectory(
        cost.quantity, n, cost.span / n, daily_vol=vol, risk_aversion=cost.risk_aversion, impact=impact
    )


def _row(problem: OrderProblem, item: Measured) -> dict[str, object]:
    return {
        "slices": item.slices.tolist(),
        "left": [figure(share) for share in item.left.tolist()],
        "filled": figure(item.filled_frac),
        "cost_bps": figure(item.cost_bps),
        "spread_bps": figure(1e4 * item.spread_frac),
        "fee_bps": figure(1e4 * item.fee_frac),
        "temporary_bps": figure(1e4 * item.temporary_frac),
        "permanent_bps": figure(1e4 * item.permanent_frac),
        "std_bps": figure(item.std_bps),
        "objective_bps": figure(item.objective_bps),
        "transient_bps": figure(1e4 * _if_transient(problem, item.slices)),
        "peak_participation": figure(item.peak_participation),
    }


def _volumes(problem: OrderProblem, name: str) -> FloatArray:
    """(n_slices,) shares to trade against; the order for the close has the auction too."""
    # A slice without volume would cost without end; a hundredth of the mean stands for the little there is.
    volumes = np.maximum(problem.volumes, 0.01 * problem.volumes.mean())
    if name == "close":
        volumes[-1] += AUCTION_VOLUME_SHARE * problem.volumes.sum() / problem.shares.sum()
    return volumes


def _if_transient(problem: OrderProblem, slices: IntArray) -> float:
    """Impact of the schedule if all of it decayed, set so that even slices cost what the model says; a fraction."""
    cost, n = problem.cost, len(slices)
    even = np.full(n, cost.quantity / n)
    rho = resilience(problem.asked)
    scale = (cost.lasting_frac + cost.passing_frac) / transient_cost(even, 1.0, rho, 1.0)
    return transient_cost(slices, 1.0, rho, scale)


def _liquidity(problem: OrderProblem, shape: SessionShape) -> dict[str, object]:
    """The spread now and at its widest, and how much of the order the participation limit lets through."""
    cost = problem.cost
    value, mean = np.array([cost.value]), np.array([2.0 * cost.half_spread_frac])
    std = shape.spread_std_frac
    wide = None if std is None else stressed_spread_cost(value, mean, np.array([std]), SPREAD_DEVIATIONS)
    windows = days_to_liquidate(
        np.array([float(cost.quantity)]), np.array([problem.volumes.sum()]), problem.max_participation_frac
    )
    return {
        "spread_is_recorded": shape.spread_mean_frac is not None,
        "spread_cost_bps": figure(1e4 * spread_cost(value, mean) / cost.value),
        "wide_spread_cost_bps": None if wide is None else figure(1e4 * wide / cost.value),
        "max_participation": figure(problem.max_participation_frac),
        "filled_at_limit": figure(liquidated_frac(value, windows, 1.0)),
    }


def _minutes(sessions: float) -> float | None:
    """Minutes of a session's volume time; None where there is no end to it."""
    return figure(SESSION_MINUTES * sessions) if math.isfinite(sessions) else None
