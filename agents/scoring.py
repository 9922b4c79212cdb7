"""How well each agent's votes came out: counts, hit rate, probability score before and after calibration, and edge."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..domain.views import Agent
from ..memory.agent_scores import CastVote
from ..quant.side_record import wilson_interval
from .calibration import Outcome, fitted_curves, read_off, reliability
from .track_record import JudgedDecision, JudgedVote, outcomes_by_agent

_Pair = tuple[Outcome, float]
"""An outcome, and the probability that its year's curve made of what was said."""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The same votes by their stated confidence, and by curves fitted each January on what was known by then."""

    n_outcomes: int
    brier_said: float
    brier_calibrated: float
    ece_said: float
    ece_calibrated: float


@dataclass(frozen=True, slots=True)
class AgentScore:
    """One agent over a run. Shares are fractions; the interval counts each decision once, as its legs fall together."""

    agent: Agent
    votes: int
    for_legs: int
    against_legs: int
    abstentions: int
    judged_votes: int
    judged_decisions: int
    hit_rate: float | None
    hit_low: float | None
    hit_high: float | None
    brier: float | None
    ece: float | None
    edge: float | None
    """Mean return beyond the average name's over the horizon, on the side the vote took."""
    calibrated: Calibrated | None
    weights: tuple[tuple[str, float], ...]
    """The day of a decision and the weight from then on, wherever it changed."""


def agent_scores(votes: Sequence[CastVote], judged: Sequence[JudgedDecision]) -> tuple[AgentScore, ...]:
    """A score for each agent, in the order of the document's weights."""
    after = _by_january(judged)
    return tuple(_score(agent, [cast for cast in votes if cast.vote.agent is agent], judged, after) for agent in Agent)


def _score(
    agent: Agent, cast: Sequence[CastVote], judged: Iterable[JudgedDecision], after: Mapping[Agent, list[_Pair]]
) -> AgentScore:
    by_decision = [
        found for decision in judged if (found := [vote for vote in decision.votes if vote.cast.vote.agent is agent])
    ]
    outcomes = [vote for found in by_decision for vote in found]
    quality = reliability([vote.outcome for vote in outcomes])
    low, high = _interval(by_decision)
    silent = sum(1 for item in cast if item.vote.value is None)
    return AgentScore(
        agent=agent,
        votes=len(cast) - silent,
        for_legs=sum(1 for item in cast if item.vote.value == 1),
        against_legs=sum(1 for item in cast if item.vote.value == -1),
        abstentions=silent,
        judged_votes=len(outcomes),
        judged_decisions=len(by_decision),
        hit_rate=_mean([float(vote.was_right) for vote in outcomes]),
        hit_low=low,
        hit_high=high,
        brier=quality.brier if quality else None,
        ece=quality.ece if quality else None,
        edge=_mean([vote.gain * (vote.cast.vote.value or 0) for vote in outcomes]),
        calibrated=_compared(after.get(agent, [])),
        weights=_changes(cast),
    )


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _interval(by_decision: Sequence[Sequence[JudgedVote]]) -> tuple[float | None, float | None]:
    """Wilson's, with as many trials as decisions."""
    if not by_decision:
        return None, None
    shares = [sum(vote.was_right for vote in found) / len(found) for found in by_decision]
    return wilson_interval(round(math.fsum(shares)), len(shares))


def _by_january(judged: Sequence[JudgedDecision]) -> dict[Agent, list[_Pair]]:
    """Each vote for a leg with the probability that the curve of its own year's January gives it."""
    found: dict[Agent, list[_Pair]] = {}
    by_year: dict[np.datetime64, list[JudgedDecision]] = {}
    for item in judged:
        if item.votes:
            by_year.setdefault(np.datetime64(item.votes[0].cast.as_of.date(), "Y"), []).append(item)
    for year, of_year in by_year.items():
        curves = fitted_curves(outcomes_by_agent([item for item in judged if item.known_at < year], only_for=True))
        for agent, outcomes in outcomes_by_agent(of_year, only_for=True).items():
            if agent in curves:
                found.setdefault(agent, []).extend((one, read_off(curves[agent], one[0])) for one in outcomes)
    return found


def _compared(pairs: Sequence[_Pair]) -> Calibrated | None:
    said = reliability([outcome for outcome, _ in pairs])
    read = reliability([(probability, outcome[1]) for outcome, probability in pairs])
    if said is None or read is None:
        return None
    return Calibrated(said.n_outcomes, said.brier, read.brier, said.ece, read.ece)


def _changes(cast: Iterable[CastVote]) -> tuple[tuple[str, float], ...]:
    changes: list[tuple[str, float]] = []
    for item in cast:
        if not changes or changes[-1][1] != item.weight:
            changes.append((item.as_of.date().isoformat(), item.weight))
    return tuple(changes)
