"""The rules by which disagreement over a leg is settled: a table of condition, outcome and reason.

Every rule is a cap on the leg's size, all are looked at, and the lowest cap holds. Each condition can only become true,
and each cap only fall, as votes against are added: disagreement lowers a size and never raises one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..domain.views import Agent, Vote

MIN_SUPPORT = 0.2
"""Below this a leg is dropped: a fifth of a size is a quarrel, not a plan."""
QUORUM = 0.15
"""Of all voting weight, what must speak for a leg with an edge: the execution agent alone moves nothing."""
VETO_CONFIDENCE = 90
STRONG_CONFIDENCE = 60
CONTESTED_SIZE = 0.5
REMITS: dict[Agent, str] = {
    Agent.RISK: "what adds risk",
    Agent.EXECUTION: "what it can not work at a sane cost",
}
"""Whose strong objection stops a leg on its own, and over what; a leg that takes risk off nobody can stop."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """One leg's votes that carried weight, and what they came to."""

    heard: tuple[Vote, ...]
    support: float
    """Weighted, from -1 (all against) to 1 (all for)."""
    weight_for: float
    """Share of all voting weight, silent agents' included, that spoke for the leg."""

    def objects(self, agents: Iterable[Agent], confidence: int) -> bool:
        """Whether one of these agents voted against with at least this confidence."""
        named = frozenset(agents)
        return any(vote.value == -1 and vote.agent in named and vote.confidence >= confidence for vote in self.heard)

    def count(self, value: int) -> int:
        return sum(1 for vote in self.heard if vote.value == value)


@dataclass(frozen=True, slots=True)
class ConflictRule:
    name: str
    condition: str
    applies: Callable[[Ballot], bool]
    cap: Callable[[Ballot], float]
    outcome: str
    reason: str


def _dropped(ballot: Ballot) -> float:
    return 0.0


def _support(ballot: Ballot) -> float:
    return max(0.0, ballot.support)


REDUCING = ConflictRule(
    "takes risk off",
    "the leg takes risk off",
    lambda ballot: True,
    lambda ballot: 1.0,
    "whole size; no other rule is looked at",
    "a quarrel must never keep the desk in a position",
)
CONFLICT_RULES: tuple[ConflictRule, ...] = (
    ConflictRule(
        "no quorum",
        f"those for it hold less than {QUORUM:.0%} of all voting weight",
        lambda ballot: ballot.weight_for < QUORUM,
        _dropped,
        "dropped",
        "silence is no consent; only votes for it count, so that an objection can not help to reach it",
    ),
    ConflictRule(
        "veto",
        f"risk manager or execution agent against at {VETO_CONFIDENCE} % or more",
        lambda ballot: ballot.objects(REMITS, VETO_CONFIDENCE),
        _dropped,
        "dropped",
        f"the risk manager's remit is {REMITS[Agent.RISK]}, the execution agent's {REMITS[Agent.EXECUTION]}",
    ),
    ConflictRule(
        "outvoted",
        "more agents against it than for it",
        lambda ballot: ballot.count(-1) > ballot.count(1),
        _dropped,
        "dropped",
        "one heavy voice does not carry a leg over the heads of the others",
    ),
    ConflictRule(
        "little support",
        f"support below {MIN_SUPPORT:g}",
        lambda ballot: ballot.support < MIN_SUPPORT,
        _dropped,
        "dropped",
        "a fifth of a size is a quarrel, not a plan",
    ),
    ConflictRule(
        "direction disputed",
        f"market analyst against at {STRONG_CONFIDENCE} % or more",
        lambda ballot: ballot.objects((Agent.ANALYST,), STRONG_CONFIDENCE),
        lambda ballot: min(CONTESTED_SIZE, _support(ballot)),
        "half its size at most",
        "the book wants what its own analyst would sell: trade toward the target slowly, not at once",
    ),
    ConflictRule(
        "risk disputed",
        f"risk manager against at {STRONG_CONFIDENCE} % or more",
        lambda ballot: ballot.objects((Agent.RISK,), STRONG_CONFIDENCE),
        lambda ballot: min(CONTESTED_SIZE, _support(ballot)),
        "half its size at most",
        "more of the same size can be bought tomorrow, a loss can not be sold back",
    ),
    ConflictRule(
        "supported",
        "none of these",
        lambda ballot: True,
        _support,
        "its support as a share of its size",
        "agreement never makes a leg larger than the optimizer wanted it",
    ),
)


def settle(ballot: Ballot) -> tuple[float, str]:
    """The share of its size that a leg keeps, and the first rule that holds it there."""
    caps = [(rule.cap(ballot), rule.name) for rule in CONFLICT_RULES if rule.applies(ballot)]
    lowest = min(cap for cap, _ in caps)
    return lowest, next(name for cap, name in caps if cap == lowest)


def rules_table() -> str:
    """The table as Markdown, for the documentation."""
    rows = [
        f"| {rule.name} | {rule.condition} | {rule.outcome} | {rule.reason} |" for rule in (REDUCING, *CONFLICT_RULES)
    ]
    return "\n".join(["| rule | condition | outcome | reason |", "|---|---|---|---|", *rows])
