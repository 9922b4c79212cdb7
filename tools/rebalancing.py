"""From the book that is held to a target: what each way there costs, and how far off it leaves."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np

from ..quant.arrays import DAYS_PER_YEAR
from ..quant.policy import rebalance_needed
from ..quant.rebalancing import banded_weights, drifted_weights, multi_period_plan
from .book_costs import linear_cost_frac, traded_cost
from .errors import NotEnoughData
from .ledger import Ledger, figure, figures
from .portfolio import RISK_AVERSION
from .scene import FloatArray, Scene
from .window import Window

PERIODS = 3
PERIOD_DAYS = 21
"""The plan looks a quarter ahead, a month at a time."""
DUST_FRAC = 1e-6
"""Changes of weight below it are no trades."""
Trade = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]

RULES: Mapping[str, Trade] = {
    "trade all": lambda held, target, band: target,
    "band, to its edge": lambda held, target, band: banded_weights(held, target, band, to="edge"),
    "band, to the target": lambda held, target, band: banded_weights(held, target, band, to="target"),
    "trade nothing": lambda held, target, band: held,
}
"""What to hold after trading, from what is held, what is wanted, and half the width of each name's band."""


@dataclass(frozen=True, slots=True)
class Route:
    """From what is held to what is wanted, with the names of both; weights by symbol, fractions of equity."""

    source: str
    held: Mapping[str, float]
    method: str
    target: Mapping[str, float]


def rebalancing_plan(ledger: Ledger, scene: Scene, window: Window, route: Route) -> tuple[str, dict[str, object]]:
    """Every rule's trades now, their cost with impact, and the tracking error they leave against the target.

    The band of a name is the policy's share of its target. The plan over three months takes the expected returns
    under which the target is the best book, so that it trades off nothing but cost against distance. Beside them
    the year behind: what each rule would have cost and missed holding this target through it.
    """
    now, goal = _vector(window, route.held, "held"), _vector(window, route.target, "target")
    band = scene.policy.band * goal
    after = {name: rule(now, goal, band) for name, rule in RULES.items()}
    path = _planned(scene, window, now, goal)
    rows = {name: _row(scene, window, now, goal, weights) for name, weights in after.items()}
    rows["plan over three months"] = _row(scene, window, now, goal, path[0])
    output: dict[str, object] = {
        "source": route.source,
        "method": route.method,
        "held": figures(window.symbols, now.tolist()),
        "target": figures(window.symbols, goal.tolist()),
        "ways": rows,
        "weights": {
            name: figures(window.symbols, weights.tolist())
            for name, weights in {**after, "plan over three months": path[0]}.items()
        },
        "plan": [
            _step(scene, window, goal, before, step) for before, step in zip([now, *path[:-1]], path, strict=True)
        ],
        "policy_says_trade": rebalance_needed(goal, now, scene.policy.band),
        "band": figure(scene.policy.band),
        "year": {name: _year(scene, window, goal, band, rule) for name, rule in RULES.items()},
        "year_days": len(window.returns),
    }
    inputs = {
        "held": dict(route.held),
        "target": dict(route.target),
        "band": scene.policy.band,
        "costs": asdict(scene.costs),
        "equity": str(scene.equity),
        "periods": [PERIODS, PERIOD_DAYS],
        "gamma": RISK_AVERSION,
    }
    return ledger.record("rebalancing_plan", 1, "fraction of equity", inputs, output).id, output


def drifted(window: Window, weights: Mapping[str, float], days: int) -> dict[str, float]:
    """What weights of `days` sessions ago have become without a trade, by symbol; the rest was and is cash."""
    if not 0 <= days <= len(window.returns):
        raise NotEnoughData(
            f"the weights are {days} sessions old, the window holds {len(window.returns)}",
            remedy="Give weights of the last year.",
        )
    held = _vector(window, weights, "held")
    for moved in window.returns[len(window.returns) - days :]:
        held = drifted_weights(held, moved)
    return dict(zip(window.symbols, held.tolist(), strict=True))


def _vector(window: Window, weights: Mapping[str, float], name: str) -> FloatArray:
    unknown = sorted(symbol for symbol, weight in weights.items() if weight and symbol not in window.symbols)
    if unknown:
        raise NotEnoughData(
            f"{name}: {', '.join(unknown)} cannot be measured on that day",
            remedy="Leave them out, or choose a day on which they have a year behind them.",
        )
    vector = np.array([weights.get(symbol, 0.0) for symbol in window.symbols])
    if vector.min() < 0.0:
        short = window.symbols[int(vector.argmin())]
        raise NotEnoughData(f"{name}: {short} is held short", remedy="Plans are for long-only books: leave it out.")
    return vector


def _planned(scene: Scene, window: Window, now: FloatArray, goal: FloatArray) -> FloatArray:
    cov = window.cov * PERIOD_DAYS
    means = np.tile(RISK_AVERSION * cov @ goal, (PERIODS, 1))
    room = max(float(now.sum()), float(goal.sum()))
    plan = multi_period_plan(
        means,
        cov,
        now,
        gamma=RISK_AVERSION,
        cost=linear_cost_frac(scene),
        upper=max(1.0, float(now.max())),
        total=(0.0, room),
    )
    # What a solver leaves of a trade that is not made is no trade.
    moved = np.diff(np.vstack([now, plan.weights]), axis=0)
    return now + np.cumsum(np.where(np.abs(moved) < DUST_FRAC, 0.0, moved), axis=0)


def _row(scene: Scene, window: Window, now: FloatArray, goal: FloatArray, weights: FloatArray) -> dict[str, object]:
    change = weights - now
    return {
        "turnover": figure(float(np.abs(change).sum())),
        "names_traded": int((np.abs(change) > DUST_FRAC).sum()),
        "cost": figure(traded_cost(scene, window, change)),
        "tracking_annual": figure(_tracking(window, weights - goal)),
        "invested": figure(float(weights.sum())),
    }


def _step(scene: Scene, window: Window, goal: FloatArray, before: FloatArray, weights: FloatArray) -> dict[str, object]:
    return {
        "turnover": figure(float(np.abs(weights - before).sum())),
        "cost": figure(traded_cost(scene, window, weights - before)),
        "tracking_annual": figure(_tracking(window, weights - goal)),
    }


def _year(scene: Scene, window: Window, goal: FloatArray, band: FloatArray, rule: Trade) -> dict[str, float]:
    """The target held through the window by one rule, checked at every close: turnover, linear cost, tracking."""
    held, traded, active = goal, 0.0, []
    for moved in window.returns:
        active.append(float((held - goal) @ moved))
        held = drifted_weights(held, moved)
        after = rule(held, goal, band)
        change = float(np.abs(after - held).sum())
        traded += change
        held = after
    years = len(window.returns) / DAYS_PER_YEAR
    return {
        "turnover_annual": figure(traded / years),
        "cost_annual": figure(traded * linear_cost_frac(scene) / years),
        "tracking_annual": figure(float(np.std(active)) * DAYS_PER_YEAR**0.5),
    }


def _tracking(window: Window, away: FloatArray) -> float:
    return (max(float(away @ window.cov @ away), 0.0) * DAYS_PER_YEAR) ** 0.5
