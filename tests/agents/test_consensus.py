"""The vote: one example by hand, and what no vote can do."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.agents.conflicts import MIN_SUPPORT
from parley.agents.consensus import VOTING_WEIGHTS, reach_consensus, vote_edge
from parley.domain.views import AbstainReason, Agent, LegConsensus, Vote

NOBODY = frozenset[str]()


def vote(agent: Agent, value: int | None, confidence: int = 0) -> Vote:
    abstention = AbstainReason.NO_EDGE if value is None else None
    return Vote.model_validate(
        {"agent": agent, "symbol": "AAA", "value": value, "confidence": confidence, "abstention": abstention}
    )


def outcome(votes: list[Vote], *, reducing: bool = False) -> LegConsensus:
    return reach_consensus(["AAA"], votes, frozenset({"AAA"}) if reducing else NOBODY).legs[0]


VOTES = st.lists(
    st.builds(vote, st.sampled_from(Agent), st.sampled_from([-1, 0, 1, None]), st.integers(0, 100)),
    max_size=4,
    unique_by=lambda item: item.agent,
)


def test_the_example_of_the_docstring_comes_out_as_by_hand():
    votes = [
        vote(Agent.ANALYST, 1, 60),
        vote(Agent.RISK, -1, 55),
        vote(Agent.OPTIMIZER, 1, 75),
        vote(Agent.EXECUTION, None),
    ]

    leg = outcome(votes)

    # (0.4 x 0.2 - 0.3 x 0.1 + 0.2 x 0.5) / (0.4 x 0.2 + 0.3 x 0.1 + 0.2 x 0.5) = 0.15 / 0.21
    assert leg.support == leg.size_multiplier == round(0.15 / 0.21, 10)
    assert leg.voters == 3
    assert leg.dissent == (Agent.RISK,)


def test_the_weights_are_those_of_the_design_document_and_are_kept_with_the_outcome():
    assert list(VOTING_WEIGHTS.values()) == [0.4, 0.3, 0.2, 0.1]
    assert reach_consensus([], [], NOBODY).weights == VOTING_WEIGHTS


@pytest.mark.parametrize(("confidence", "edge"), [(0, 0.0), (50, 0.0), (51, 0.02), (75, 0.5), (100, 1.0)])
def test_the_edge_of_a_vote_is_what_it_knows_beyond_a_coin_toss(confidence: int, edge: float):
    assert vote_edge(vote(Agent.RISK, 1, confidence)) == edge


def test_a_leg_nobody_speaks_for_is_dropped():
    assert outcome([]) == LegConsensus(symbol="AAA", support=0.0, size_multiplier=0.0, voters=0, rule="no quorum")


def test_support_of_exactly_the_least_keeps_that_share_and_a_little_less_drops_the_leg():
    # For 0.3 x 1.0, against 0.4 x 0.5: 0.1 over 0.5.
    at_the_bound = [vote(Agent.RISK, 1, 100), vote(Agent.ANALYST, -1, 75)]
    below = [vote(Agent.RISK, 1, 99), vote(Agent.ANALYST, -1, 75)]

    assert outcome(at_the_bound).size_multiplier == MIN_SUPPORT == 0.2
    assert outcome(below).size_multiplier == 0.0


def test_legs_come_in_the_order_asked_for_and_foreign_votes_count_nowhere():
    votes = [vote(Agent.RISK, 1, 90), vote(Agent.RISK, 1, 90).model_copy(update={"symbol": "EVIL"})]

    legs = reach_consensus(["BBB", "AAA"], votes, NOBODY).legs

    assert [(leg.symbol, leg.voters) for leg in legs] == [("BBB", 0), ("AAA", 1)]


@settings(max_examples=100, deadline=None)
@given(VOTES, st.booleans())
def test_support_stays_within_one_and_a_size_only_ever_shrinks(votes: list[Vote], reducing: bool):
    leg = outcome(votes, reducing=reducing)

    assert -1.0 <= leg.support <= 1.0
    assert 0.0 <= leg.size_multiplier <= 1.0


@settings(max_examples=100, deadline=None)
@given(VOTES)
def test_abstentions_change_nothing(votes: list[Vote]):
    heard = [item for item in votes if item.value is not None]

    assert outcome(votes) == outcome(heard)


@settings(max_examples=60, deadline=None)
@given(VOTES)
def test_the_order_of_the_votes_changes_nothing(votes: list[Vote]):
    assert len({outcome(list(order)).model_dump_json() for order in permutations(votes)}) == 1


@settings(max_examples=150, deadline=None)
@given(VOTES, st.integers(0, 100))
def test_one_more_vote_against_never_raises_a_size(votes: list[Vote], confidence: int):
    spoke = {item.agent for item in votes}
    for agent in Agent:
        if agent not in spoke:
            more = outcome([*votes, vote(agent, -1, confidence)])
            # A vote of its own can carry a leg that nobody spoke on nowhere but down.
            assert more.size_multiplier <= outcome(votes).size_multiplier


@settings(max_examples=100, deadline=None)
@given(VOTES)
def test_a_leg_that_takes_risk_off_is_never_shrunk(votes: list[Vote]):
    assert outcome(votes, reducing=True).size_multiplier == 1.0
