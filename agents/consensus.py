"""Confidence-weighted consensus: how four votes on a leg become a support and a size that can only shrink.

Support of a leg = sum(w_a * e_a * v_a) / sum(w_a * e_a) over the agents that voted, where v is +1 for, 0
neutral, -1 against, w the agent's weight, and e = (confidence - 50) / 50 its edge over a coin toss. An
abstention, and a vote without an edge, stands in neither sum. A leg that takes risk off is never shrunk;
what becomes of any other is settled by the table of `agents/conflicts.py`.

Analyst for at 60 %, risk against at 55 %, optimizer for at 75 %, execution silent: the sums are
0.4 x 0.2 - 0.3 x 0.1 + 0.2 x 0.5 = 0.15 over 0.21, a support of 0.714, so the leg keeps 71 % of its size.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import fsum

from ..domain.views import Agent, Consensus, LegConsensus, Vote
from .conflicts import REDUCING, Ballot, settle

VOTING_WEIGHTS: dict[Agent, float] = {
    Agent.ANALYST: 0.4,
    Agent.RISK: 0.3,
    Agent.OPTIMIZER: 0.2,
    Agent.EXECUTION: 0.1,
}
"""The design document's starting weights."""


def vote_edge(vote: Vote) -> float:
    """What a vote weighs: nothing for an abstention or at 50 percent or less, 1 at certainty."""
    return 0.0 if vote.value is None else max(0.0, (vote.confidence - 50) / 50)


def reach_consensus(
    symbols: Sequence[str],
    votes: Iterable[Vote],
    reducing: frozenset[str],
    weights: Mapping[Agent, float] = VOTING_WEIGHTS,
) -> Consensus:
    """The outcome for each leg, in the order of `symbols`; `reducing` names the legs that take risk off."""
    by_symbol: dict[str, list[Vote]] = {symbol: [] for symbol in symbols}
    for vote in votes:
        if vote.symbol in by_symbol:
            by_symbol[vote.symbol].append(vote)
    legs = tuple(_leg_consensus(symbol, by_symbol[symbol], symbol in reducing, weights) for symbol in symbols)
    return Consensus(weights=dict(weights), legs=legs)


def _leg_consensus(
    symbol: str, votes: Sequence[Vote], is_reducing: bool, weights: Mapping[Agent, float]
) -> LegConsensus:
    weighed = [(weights.get(vote.agent, 0.0) * vote_edge(vote), vote) for vote in votes]
    heard = [(weight, vote) for weight, vote in weighed if weight > 0]
    # Exact sums and one rounding: neither the order of the votes nor a last bit may decide at the threshold.
    total = fsum(weight for weight, _ in heard)
    score = fsum(weight * (vote.value or 0) for weight, vote in heard)
    support = round(max(-1.0, min(1.0, score / total)), 10) if heard else 0.0
    in_favor = fsum(weights[vote.agent] for _, vote in heard if vote.value == 1)
    everything = fsum(weights.values())
    ballot = Ballot(tuple(vote for _, vote in heard), support, in_favor / everything if everything > 0 else 0.0)
    size, rule = (1.0, REDUCING.name) if is_reducing else settle(ballot)
    against = {vote.agent for _, vote in heard if vote.value == -1}
    return LegConsensus(
        symbol=symbol,
        support=support,
        size_multiplier=size,
        voters=len(heard),
        dissent=tuple(agent for agent in Agent if agent in against),
        rule=rule,
    )
