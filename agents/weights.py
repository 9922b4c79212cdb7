"""Voting weights that follow measured performance: an exponential update with decay, floors and caps.

After each judged decision, an agent's log weight moves by what it lost against the others, and forgets a little:

    s_a <- DECAY * s_a - RATE * (loss_a - mean loss of those who spoke),    w_a ~ prior_a * exp(s_a)

A loss is a probability score in 0 to 1. Whoever was silent keeps its place: silence is neither good nor bad.
Sources: Freund and Schapire (1997), J. Comput. Syst. Sci. 55 (Hedge); Freund, Schapire, Singer and Warmuth (1997),
STOC (experts that sleep).
"""

import math
from collections.abc import Iterable, Mapping, Sequence

from ..domain.views import Agent
from .consensus import VOTING_WEIGHTS

RATE = 0.3
"""The rate of least regret, sqrt(8 ln 4 / 130), over ten years of thirteen decisions that trade."""
DECAY = 0.99
"""Half of what was learned is forgotten in 69 judged decisions, about five years."""
FLOOR = 0.05
CAP = 0.60
"""No agent is ever silenced, and none decides alone."""
MIN_ROUNDS = 26
"""Two years of decisions; until then the document's weights stand."""

Losses = Mapping[Agent, float]
"""One judged decision: the mean probability score of each agent that spoke."""


def hedge_weights(
    rounds: Iterable[Losses], prior: Mapping[Agent, float] = VOTING_WEIGHTS, *, rate: float = RATE, decay: float = DECAY
) -> dict[Agent, float]:
    """The weights after these rounds, oldest first, before floors and caps: a pure fold of them."""
    scores = dict.fromkeys(prior, 0.0)
    for losses in rounds:
        spoke = [agent for agent in prior if agent in losses]
        weights = _mixed(prior, scores)
        total = math.fsum(weights[agent] for agent in spoke)
        mixed = math.fsum(weights[agent] * losses[agent] for agent in spoke) / total if spoke else 0.0
        for agent in prior:
            scores[agent] = decay * scores[agent] - (rate * (losses[agent] - mixed) if agent in losses else 0.0)
    return _mixed(prior, scores)


def adapted_weights(rounds: Sequence[Losses], prior: Mapping[Agent, float] = VOTING_WEIGHTS) -> dict[Agent, float]:
    """The weights to vote by: learned from these rounds, each within floor and cap; the prior while they are few."""
    if len(rounds) < MIN_ROUNDS:
        return dict(prior)
    return {agent: round(weight, 6) for agent, weight in within_bounds(hedge_weights(rounds, prior)).items()}


def within_bounds(weights: Mapping[Agent, float], floor: float = FLOOR, cap: float = CAP) -> dict[Agent, float]:
    """Weights of sum 1 with each one between floor and cap; those inside keep their proportions.

    w_a = min(cap, max(floor, c * weights_a)) for the one c that makes the sum 1: it rises with c, so halving finds it.
    """
    low, high = 0.0, 1.0 / min(max(weight, 1e-12) for weight in weights.values())
    for _ in range(200):
        middle = (low + high) / 2.0
        if math.fsum(min(cap, max(floor, middle * weight)) for weight in weights.values()) < 1.0:
            low = middle
        else:
            high = middle
    return {agent: min(cap, max(floor, high * weight)) for agent, weight in weights.items()}


def _mixed(prior: Mapping[Agent, float], scores: Mapping[Agent, float]) -> dict[Agent, float]:
    top = max(scores.values())
    raw = {agent: weight * math.exp(scores[agent] - top) for agent, weight in prior.items()}
    total = math.fsum(raw.values())
    return {agent: weight / total for agent, weight in raw.items()}
