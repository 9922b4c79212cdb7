"""The numbers of the ablation: every arm's days side by side, its differences, and what its calls cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...quant.arrays import DAYS_PER_YEAR, FloatArray
from ...quant.bootstrap import Interval
from ...quant.multiple_tests import holm
from ..arms.comparing import Flips, flips
from ..arms.table import coalitions
from ..arms.transcript import ArmPath, read
from ..arms.worth import Difference, Shares, difference, shares
from ..harness.task import Scored

MILLION = 1e6
MIN_DAYS = 2


@dataclass(frozen=True, slots=True)
class Pricing:
    """At which prices calls are valued, and on how large a book they have to earn their keep."""

    prompt_usd: float
    completion_usd: float
    cash: float

    def cost(self, tokens: tuple[int, int]) -> float:
        """USD of so many tokens, read and written."""
        return (tokens[0] * self.prompt_usd + tokens[1] * self.completion_usd) / MILLION


@dataclass(frozen=True, slots=True)
class Bought:
    """What an arm's extra calls buy against another's: money a year for money a year."""

    cost_a_year: float
    gain_a_year: float
    """On the book's first cash."""
    gain_interval: Interval | None
    breakeven_equity: float | None
    """The book from which on the gain pays for the calls; None where nothing is gained or nothing more is spent."""


@dataclass(frozen=True)
class Arms:
    """All paths of an experiment, by arm and epoch, each arm's windows in their order."""

    paths: Mapping[str, Mapping[int, tuple[ArmPath, ...]]]
    seed: int

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(self.paths)

    @cached_property
    def returns(self) -> Mapping[str, FloatArray]:
        """(n_days,) of each arm: its windows end to end, and the mean of its epochs on each day."""
        return {
            name: np.mean([np.concatenate([path.returns for path in run]) for run in epochs.values()], axis=0)
            for name, epochs in self.paths.items()
        }

    def first(self, name: str) -> tuple[ArmPath, ...]:
        """The windows of the arm's first epoch."""
        return next(iter(self.paths[name].values()))

    def against(self, reference: str) -> Mapping[str, Difference]:
        """Every other arm less this one, over the same days."""
        base = self.returns[reference]
        return {
            name: difference(returns, base, self.seed) for name, returns in self.returns.items() if name != reference
        }

    def flips(self, name: str, reference: str) -> Flips:
        """Of the legs of all windows, in the first epoch."""
        found = [flips(one, other) for one, other in zip(self.first(name), self.first(reference), strict=True)]
        return Flips(sum(item.legs for item in found), sum(item.flipped for item in found))

    def flips_between_epochs(self, name: str) -> Flips | None:
        """Of the legs that two epochs of the same arm traded; None where there is one epoch."""
        epochs = list(self.paths[name].values())
        if len(epochs) < 2:
            return None
        found = [
            flips(one, other) for other_epoch in epochs[1:] for one, other in zip(epochs[0], other_epoch, strict=True)
        ]
        return Flips(sum(item.legs for item in found), sum(item.flipped for item in found))

    def shares(self) -> Shares | None:
        """Shapley values of the four agents; None where one of the sixteen arms is missing."""
        teams = coalitions()
        if not set(teams) <= set(self.names):
            return None
        return shares(np.column_stack([self.returns[name] for name in teams]), self.seed)

    def bought(self, name: str, reference: str, gain: Difference, pricing: Pricing) -> Bought:
        """What the calls of one arm bring beyond those of another."""
        years = len(self.returns[name]) / DAYS_PER_YEAR
        spent = [sum(pricing.cost(path.tokens) for path in self.first(arm)) for arm in (name, reference)]
        cost = (spent[0] - spent[1]) / years
        interval = gain.annual_interval
        scaled = (
            Interval(interval.low * pricing.cash, interval.high * pricing.cash, interval.level) if interval else None
        )
        breakeven = cost / gain.annual if cost > 0.0 and gain.annual > 0.0 else None
        return Bought(cost, gain.annual * pricing.cash, scaled, breakeven)


def arms_of(scored: Sequence[Scored], seed: int) -> Arms:
    """The arms that were played over all the windows in every epoch that any was; others cannot be paired."""
    found: dict[str, dict[int, list[tuple[str, ArmPath]]]] = {}
    for item in scored:
        path = read(item.outcome.transcript)
        if len(path.days) > MIN_DAYS:
            epochs = found.setdefault(str(item.sample.input["arm"]), {})
            epochs.setdefault(item.epoch, []).append((str(item.sample.input["first"]), path))
    ordered = {
        name: {epoch: tuple(path for _, path in sorted(runs, key=_first_day)) for epoch, runs in sorted(epochs.items())}
        for name, epochs in found.items()
    }
    spans = {name: {epoch: [run.days for run in runs] for epoch, runs in of.items()} for name, of in ordered.items()}
    widest = max(spans.values(), key=lambda of: sum(map(len, of.values())), default={})
    return Arms({name: epochs for name, epochs in ordered.items() if spans[name] == widest}, seed)


def adjusted(differences: Mapping[str, Difference]) -> Mapping[str, float]:
    """Holm's p-values of all arms that differ at all; what is the same on every day was no test."""
    tested = [name for name, item in differences.items() if not item.is_none]
    if not tested:
        return {}
    return dict(zip(tested, holm([differences[name].p_value for name in tested]).tolist(), strict=True))


def _first_day(item: tuple[str, ArmPath]) -> str:
    return item[0]
