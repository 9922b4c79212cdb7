"""The table of conflict rules: each row by an example, what disagreement can not do, and that the docs have it."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.agents.conflicts import CONFLICT_RULES, CONTESTED_SIZE, REDUCING, rules_table
from parley.agents.consensus import reach_consensus
from parley.domain.views import Agent, LegConsensus, Vote

ANALYST, RISK, OPTIMIZER, EXECUTION = Agent
DOCS = Path(__file__).parents[2] / "docs" / "consensus.md"


def vote(agent: Agent, value: int, confidence: int) -> Vote:
    return Vote.model_validate({"agent": agent, "symbol": "AAA", "value": value, "confidence": confidence})


def outcome(*votes: Vote, reducing: bool = False) -> LegConsensus:
    return reach_consensus(["AAA"], votes, frozenset({"AAA"} if reducing else ())).legs[0]


@pytest.mark.parametrize(
    ("votes", "rule", "size"),
    [
        ([vote(EXECUTION, 1, 99)], "no quorum", 0.0),
        ([vote(RISK, -1, 90), vote(ANALYST, 1, 99), vote(OPTIMIZER, 1, 99)], "veto", 0.0),
        ([vote(EXECUTION, -1, 95), vote(ANALYST, 1, 99), vote(RISK, 1, 99)], "veto", 0.0),
        ([vote(ANALYST, 1, 99), vote(OPTIMIZER, -1, 52), vote(EXECUTION, -1, 52)], "outvoted", 0.0),
        ([vote(ANALYST, 1, 60), vote(RISK, -1, 62)], "little support", 0.0),
        ([vote(ANALYST, -1, 60), vote(RISK, 1, 95), vote(OPTIMIZER, 1, 95)], "direction disputed", CONTESTED_SIZE),
        ([vote(RISK, -1, 60), vote(ANALYST, 1, 95), vote(OPTIMIZER, 1, 95)], "risk disputed", CONTESTED_SIZE),
        ([vote(OPTIMIZER, 1, 75)], "supported", 1.0),
    ],
)
def test_each_rule_settles_the_quarrel_it_is_for(votes: list[Vote], rule: str, size: float):
    leg = outcome(*votes)

    assert (leg.rule, leg.size_multiplier) == (rule, size)


def test_an_analyst_and_an_optimizer_have_no_veto():
    assert outcome(vote(OPTIMIZER, -1, 99), vote(ANALYST, 1, 99), vote(RISK, 1, 99)).size_multiplier > 0


def test_nobody_can_veto_a_leg_that_takes_risk_off():
    leg = outcome(vote(RISK, -1, 100), vote(EXECUTION, -1, 100), reducing=True)

    assert (leg.rule, leg.size_multiplier) == (REDUCING.name, 1.0)


VOTES = st.lists(
    st.builds(vote, st.sampled_from(Agent), st.sampled_from([-1, 0, 1]), st.integers(0, 100)),
    max_size=4,
    unique_by=lambda item: item.agent,
)


@settings(max_examples=100, deadline=None)
@given(VOTES, st.integers(0, 100))
def test_a_vote_turned_against_or_made_firmer_against_never_raises_a_size(votes: list[Vote], confidence: int):
    for place, item in enumerate(votes):
        turned = item.model_copy(update={"value": -1, "confidence": max(item.confidence, confidence)})
        assert outcome(*votes[:place], turned, *votes[place + 1 :]).size_multiplier <= outcome(*votes).size_multiplier


def test_every_rule_has_a_name_of_its_own_and_the_last_one_always_applies():
    names = [rule.name for rule in (REDUCING, *CONFLICT_RULES)]

    assert len(set(names)) == len(names)
    assert CONFLICT_RULES[-1].condition == "none of these"


def test_the_documentation_shows_the_table_the_desk_decides_by():
    assert rules_table() in DOCS.read_text(encoding="utf-8"), rules_table()
