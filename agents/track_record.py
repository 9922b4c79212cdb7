"""How votes came out: each judged by its leg's return against the average name's, once the horizon is history.

A leg is judged from the close after its decision, when it could first be traded, over HORIZON_DAYS closes (bars, where
a session holds many). It was right when its side gained on the mean of all names with both prices. A name that lost its
price on the way is not judged.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import numpy as np
import numpy.typing as npt

from ..domain.views import Agent
from ..memory.agent_scores import CastVote
from ..quant.calibration import HORIZON_DAYS
from .calibration import Outcome
from .consensus import vote_edge

FloatArray = npt.NDArray[np.float64]
RowOf = Callable[[datetime], int]
"""The row of the last close that was known at a moment."""


@dataclass(frozen=True, slots=True)
class JudgedVote:
    """A vote with an opinion, and how it came out. `probability` is what it gave the leg to be right."""

    cast: CastVote
    probability: float
    leg_was_right: bool
    gain: float
    """The leg's return on its side beyond the average name's."""

    @property
    def outcome(self) -> Outcome:
        return self.probability, self.leg_was_right

    @property
    def brier(self) -> float:
        """The probability score: 0 for certainty that came true, 1 for certainty that did not."""
        return (self.probability - self.leg_was_right) ** 2

    @property
    def was_right(self) -> bool:
        return (self.probability > 0.5) == self.leg_was_right


@dataclass(frozen=True, slots=True)
class JudgedDecision:
    """One decision whose horizon has passed, and the votes of it that could be judged."""

    decision_id: str
    known_at: np.datetime64
    """When the last close that it was judged by became known."""
    votes: tuple[JudgedVote, ...]

    @property
    def losses(self) -> dict[Agent, float]:
        """Each speaker's mean probability score: twenty legs of one day are one occasion, not twenty."""
        by_agent: dict[Agent, list[float]] = {}
        for vote in self.votes:
            by_agent.setdefault(vote.cast.vote.agent, []).append(vote.brier)
        return {agent: sum(found) / len(found) for agent, found in by_agent.items()}


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """What is known of the market where judgment is passed: nothing in it is later than that moment."""

    symbols: Sequence[str]
    close: FloatArray
    """(n_known, n_symbols)"""
    close_times: npt.NDArray[np.datetime64]


class Judge:
    """Judges each decision once, at the first moment it can be; decisions whose horizon is open are left out."""

    def __init__(self, row_of: RowOf, horizon_bars: int = HORIZON_DAYS) -> None:
        self._row_of = row_of
        self._horizon_bars = horizon_bars
        self._done: dict[str, JudgedDecision] = {}

    def judged(self, votes: Iterable[CastVote], prices: Prices) -> tuple[JudgedDecision, ...]:
        """The decisions that `prices` can judge, in their order; asking in any order gives the same."""
        found: list[JudgedDecision] = []
        for decision_id, group in groupby(votes, key=lambda cast: cast.decision_id):
            cast = tuple(group)
            first = self._row_of(cast[0].as_of) + 1
            if first + self._horizon_bars < len(prices.close):
                if decision_id not in self._done:
                    self._done[decision_id] = self._judge(decision_id, cast, first, prices)
                found.append(self._done[decision_id])
        return tuple(found)

    def _judge(self, decision_id: str, cast: Sequence[CastVote], first: int, prices: Prices) -> JudgedDecision:
        last = first + self._horizon_bars
        returns = prices.close[last] / prices.close[first] - 1.0
        present = np.isfinite(returns)
        mean = float(returns[present].mean()) if present.any() else 0.0
        beyond = {
            symbol: float(value) - mean
            for symbol, value, known in zip(prices.symbols, returns, present, strict=True)
            if known
        }
        votes = tuple(
            _judged(vote, beyond[vote.vote.symbol] * (1 if vote.buys else -1))
            for vote in cast
            if vote.vote.symbol in beyond and vote.vote.value and vote_edge(vote.vote) > 0
        )
        return JudgedDecision(decision_id, prices.close_times[last], votes)


def _judged(cast: CastVote, gain: float) -> JudgedVote:
    said = cast.vote.confidence / 100
    return JudgedVote(cast, said if cast.vote.value == 1 else 1.0 - said, gain > 0, gain)


def outcomes_by_agent(decisions: Iterable[JudgedDecision], *, only_for: bool = False) -> dict[Agent, list[Outcome]]:
    """Stated probabilities and how they came out, by agent; `only_for` leaves objections out."""
    found: dict[Agent, list[Outcome]] = {}
    for decision in decisions:
        for vote in decision.votes:
            if vote.cast.vote.value == 1 or not only_for:
                found.setdefault(vote.cast.vote.agent, []).append(vote.outcome)
    return found
