"""One order, several ways to work it: slices, expected cost and its risk side by side, and the best trade-off."""

import math
from collections.abc import Callable
from dataclasses import asdict

import numpy as np

from ..quant.almgren_chriss import efficient_frontier, optimal_trajectory, trajectory_cost, transient_cost
from ..quant.liquidity import days_to_liquidate, liquidated_frac, spread_cost, stressed_spread_cost
from .ledger import Ledger, figure
from .scene import Scene
from .session_shape import SESSION_MINUTES, SessionShape
from .slicing import AUCTION_FRAC, MAKERS, FloatArray, IntArray, OrderProblem, OrderQuestion, order_problem, resilience

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


def execution_schedules(
    ledger: Ledger, scene: Scene, asked: OrderQuestion, shape: SessionShape
) -> tuple[str, dict[str, object]]:
    """Every schedule of one order with its slices, costs and risk in bps of its value, and the one to take."""
    problem, is_assumed = order_problem(scene, asked, shape)
    cost = problem.cost
    rows = {name: _row(problem, name, make) for name, make in MAKERS.items()}
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
        "recommended": _recommended(rows, problem),
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
    chosen = optimal_trajectory(
        cost.quantity, n, period, daily_vol=vol, risk_aversion=cost.risk_aversion, impact=impact
    )
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


def _row(problem: OrderProblem, name: str, make: Callable[[OrderProblem], IntArray | str]) -> dict[str, object]:
    slices = make(problem)
    if isinstance(slices, str):
        return {"refused": slices}
    cost, volumes = problem.cost, _volumes(problem, name)
    pace = slices / volumes * (problem.volumes.sum() / cost.quantity)
    done = int(slices.sum()) / cost.quantity
    left = (cost.quantity - np.cumsum(slices)) / cost.quantity
    passing = cost.passing_frac * float(slices @ pace) / cost.quantity
    # The auction has one price and no spread.
    crossed = done * (1.0 - AUCTION_FRAC if name == "close" else 1.0)
    std = cost.trading_vol_frac * math.sqrt(float(problem.shares @ np.square(left)))
    parts = {
        "spread_bps": cost.half_spread_frac * crossed,
        "fee_bps": cost.fee_frac * done,
        "temporary_bps": passing,
        "permanent_bps": cost.lasting_frac * done**2,
    }
    total = sum(parts.values())
    return {
        "slices": slices.tolist(),
        "left": [figure(share) for share in left.tolist()],
        "filled": figure(done),
        "cost_bps": figure(1e4 * total),
        **{part: figure(1e4 * value) for part, value in parts.items()},
        "std_bps": figure(1e4 * std),
        "objective_bps": figure(1e4 * (total + cost.risk_aversion * cost.value * std**2)),
        "transient_bps": figure(1e4 * _if_transient(problem, slices)),
        "peak_participation": figure(float((slices / volumes).max())),
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


def _recommended(rows: dict[str, dict[str, object]], problem: OrderProblem) -> str:
    finished = {name: row for name, row in rows.items() if row.get("filled") == 1.0}
    within = {
        name: row
        for name, row in finished.items()
        if float(str(row["peak_participation"])) <= problem.max_participation_frac
    }
    goal = {name: float(str(row["objective_bps"])) for name, row in (within or finished).items()}
    least = min(goal.values())
    return next(name for name, value in goal.items() if value <= least + INDIFFERENT_BPS)


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
