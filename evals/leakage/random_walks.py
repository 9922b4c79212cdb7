"""Desks in worlds without skill to be had: what a run is expected to earn there is minus what it paid for trading."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np

from ...domain.events import Event, OrderFilled, PortfolioMarked, RunStarted
from ...market.cards import DataSet
from .playing import AS_IT_IS, Rig, play
from .worlds import random_walk

WARM_UP_DAYS = 253
NAMES = 6


@dataclass(frozen=True, slots=True)
class Walked:
    """One pair of worlds, mirror images of each other, as fractions of the cash at the start: means of the two."""

    profit: float
    """Net of all costs."""
    costs: float
    """Fees, and the distance of every fill from the mid."""
    fills: int

    @property
    def before_costs(self) -> float:
        """What is expected to be nothing."""
        return self.profit + self.costs


@dataclass(frozen=True, slots=True)
class Expectation:
    """The mean over worlds with its 95 % interval by Student's t: worlds are independent, days in one are not."""

    mean: float
    low: float
    high: float
    t: float
    n: int


def walk(seed: int, n_days: int, rig: Rig = AS_IT_IS) -> Walked:
    """Runs a desk of six names over both worlds of a pair."""
    found = [
        _one(random_walk(NAMES, WARM_UP_DAYS + n_days, seed, is_mirrored=side), n_days, rig) for side in (False, True)
    ]
    return Walked(
        profit=sum(one.profit for one in found) / 2,
        costs=sum(one.costs for one in found) / 2,
        fills=sum(one.fills for one in found),
    )


def expectation(values: Sequence[float]) -> Expectation:
    """Raises ValueError for fewer than two worlds, which have no interval."""
    from scipy.special import stdtrit

    if len(values) < 2:
        raise ValueError(f"found {len(values)} worlds, expected 2 at least")
    found = np.asarray(values)
    mean, error = float(found.mean()), float(found.std(ddof=1) / np.sqrt(len(found)))
    reach = float(stdtrit(len(found) - 1, 0.975)) * error
    return Expectation(mean, mean - reach, mean + reach, mean / error if error > 0.0 else 0.0, len(found))


def _one(data: DataSet, n_days: int, rig: Rig) -> Walked:
    sessions: tuple[date, ...] = data.history().sessions_between()[-n_days:]
    return _came_to(play(data, sessions, sessions[-1], rig))


def _came_to(events: tuple[Event, ...]) -> Walked:
    cash = equity = costs = Decimal(0)
    fills = 0
    for event in events:
        if event.type == OrderFilled.__name__:
            fill = OrderFilled.model_validate(event.payload).fill
            costs += fill.fee + fill.side.sign * (fill.price - fill.mid_price) * fill.quantity
            fills += 1
        elif event.type == RunStarted.__name__:
            cash = RunStarted.model_validate(event.payload).cash
        elif event.type == PortfolioMarked.__name__:
            equity = PortfolioMarked.model_validate(event.payload).equity
    return Walked(float(equity / cash - 1), float(costs / cash), fills)
