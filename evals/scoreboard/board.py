"""What the scoreboard knows once every path is there: the desk, its rivals, random agents, bills, and the trials."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from ...quant.arrays import DAYS_PER_YEAR, STILL, FloatArray
from ..trials import Trials
from .day_path import DayPath, day_rows
from .judged import Judged, Ratio, all_judged, over_bills
from .random_agents import RandomPaths

DESK = "desk"


@dataclass(frozen=True, slots=True, eq=False)
class RivalPath:
    """What someone else came to on the same closes."""

    equity: FloatArray
    traded: float
    costs: float


@dataclass(frozen=True, eq=False)
class Board:
    """Everything over the same closes; where the desk decides within the day, they are taken at the days' ends."""

    name: str
    model: str
    desk: DayPath
    others: Mapping[str, RivalPath]
    randoms: RandomPaths | None
    """None where there is nothing to choose from."""
    bills: FloatArray | None
    """(n_days,) daily returns of one-month Treasury bills; None where the factor file is not at hand."""
    trials: Trials
    trial: str
    """The id of this configuration on these days."""
    is_registered: bool

    @cached_property
    def rows(self) -> list[int]:
        return day_rows(self.desk.days)

    @cached_property
    def days(self) -> tuple[str, ...]:
        """(n_days + 1,) ISO days: each row's own, the first being the close they all start from."""
        return tuple(self.desk.days[row][:10] for row in self.rows)

    @cached_property
    def paths(self) -> dict[str, FloatArray]:
        """(n_days + 1,) equity of the desk and of the others at the days' ends."""
        found = {DESK: self.desk.equity[self.rows]}
        return found | {name: item.equity[self.rows] for name, item in self.others.items()}

    @cached_property
    def returns(self) -> dict[str, FloatArray]:
        return {name: path[1:] / path[:-1] - 1.0 for name, path in self.paths.items()}

    @cached_property
    def exposure(self) -> FloatArray:
        """(n_days,) the desk's net exposure at the close before each day."""
        return self.desk.net[self.rows][:-1]

    @cached_property
    def judged(self) -> dict[str, Judged]:
        return all_judged(self.paths, self.trials)

    @cached_property
    def over_bills(self) -> dict[str, Ratio | None]:
        """Each one's Sharpe ratio over bills had its cash earned them; the oracle's exposure is not kept."""
        if self.bills is None:
            return {}
        full = np.ones_like(self.exposure)
        found = {DESK: over_bills(self.returns[DESK], self.exposure, self.bills, self.trials)}
        for name in self.others:
            if name not in ("cash", "oracle"):
                found[name] = over_bills(self.returns[name], full, self.bills, self.trials)
        return found

    def excess(self, name: str) -> FloatArray | None:
        """The returns (n_days,) of one path less the bill on what it has invested; None without the bills."""
        if self.bills is None:
            return None
        return self.returns[name] - (self.exposure if name == DESK else 1.0) * self.bills

    @cached_property
    def random_ratios(self) -> FloatArray:
        """The random agents' annual Sharpe ratios (n_agents,), net; 0 for one that never moved."""
        assert self.randoms is not None, "asked only where there are some"
        paths = self.randoms.net[:, self.rows]
        returns = paths[:, 1:] / paths[:, :-1] - 1.0
        deviation = returns.std(axis=1, ddof=1)
        ratio = np.divide(returns.mean(axis=1), deviation, out=np.zeros(len(returns)), where=deviation > STILL)
        return ratio * DAYS_PER_YEAR**0.5

    def random_yearly(self, kind: Literal["net", "gross"]) -> FloatArray:
        """Their compound returns a year (n_agents,)."""
        assert self.randoms is not None, "asked only where there are some"
        paths = self.randoms.net if kind == "net" else self.randoms.gross
        return paths[:, -1] ** (DAYS_PER_YEAR / (len(self.rows) - 1)) - 1.0

    @property
    def is_daily(self) -> bool:
        return len(self.rows) == len(self.desk.days)
