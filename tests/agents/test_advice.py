"""Advice beside a vote: it makes legs that add risk smaller or later, and nothing larger."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.agents.advice import CAPS, MAX_POSTPONED_WEIGHT, advised
from parley.agents.consensus import reach_consensus
from parley.agents.opinions import gather_opinions
from parley.domain.orders import Side
from parley.domain.views import AbstainReason, Advice, Agent, Vote


def sizes(kit: Any, side: Side, advice: Advice | None, moved: float = 0.01, confidence: int = 80) -> tuple[float, str]:
    """What one leg keeps when everybody is for it and one agent advises; and by which rule."""
    draft = kit.draft(kit.leg("AAA", side))
    legs = [replace(draft.legs[0], weight_held=0.02, weight_after=0.02 + moved)]
    votes = [Vote(agent=agent, symbol="AAA", value=1, confidence=confidence) for agent in Agent]
    votes[1] = votes[1].model_copy(update={"advice": advice})
    reducing = frozenset[str]() if side is Side.BUY else frozenset({"AAA"})
    (leg,) = advised(reach_consensus(["AAA"], votes, reducing), legs, votes).legs
    return leg.size_multiplier, leg.rule


@pytest.mark.parametrize(("advice", "size"), [(Advice.TRIM, 0.75), (Advice.HALVE, 0.5), (Advice.POSTPONE, 0.0)])
def test_advice_makes_a_leg_that_adds_risk_smaller(kit: Any, advice: Advice, size: float):
    assert sizes(kit, Side.BUY, advice) == (size, "advice")


@pytest.mark.parametrize("advice", list(Advice))
def test_a_leg_that_takes_risk_off_is_not_held_up(kit: Any, advice: Advice):
    assert sizes(kit, Side.SELL, advice)[0] == 1.0


def test_a_leg_that_moves_much_is_not_postponed(kit: Any):
    assert sizes(kit, Side.BUY, Advice.POSTPONE, moved=MAX_POSTPONED_WEIGHT + 1e-6)[0] == 1.0


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(Side), st.sampled_from([*Advice, None]), st.floats(0, 0.1), st.integers(0, 100))
def test_no_advice_makes_a_leg_larger(kit: Any, side: Side, advice: Advice | None, moved: float, confidence: int):
    with_it = sizes(kit, side, advice, moved, confidence)[0]
    assert with_it <= sizes(kit, side, None, moved, confidence)[0]
    assert all(0 < cap < 1 for cap in CAPS.values())


def opinions(kit: Any, agent: Agent, silent: frozenset[Agent] = frozenset(), **said: Any) -> dict[Agent, Vote]:
    """The votes on a leg of 4 bp at half of its cap, where one agent says more."""

    def script(request: Any) -> str:
        more = said if request.node == agent.value else {}
        return json.dumps({"votes": [{"symbol": "AAA", "vote": "FOR", "confidence": 70, **more}]})

    draft = kit.draft(kit.leg("AAA"))
    given_votes = asyncio.run(gather_opinions(kit.asking(kit.Model(script)), kit.plenty, draft, silent)).votes
    return {vote.agent: vote for vote in given_votes}


@pytest.mark.parametrize(
    ("agent", "right", "wrong", "advice"),
    [
        (Agent.RISK, {"room": "FREE"}, {"room": "OVER"}, Advice.HALVE),
        (Agent.OPTIMIZER, {"cost": "CHEAP"}, {"cost": "DEAR"}, Advice.POSTPONE),
    ],
)
def test_an_agent_is_heard_when_it_copies_its_fact_right(
    kit: Any, agent: Agent, right: dict[str, str], wrong: dict[str, str], advice: Advice
):
    heard = opinions(kit, agent, frozenset(), **right, advice=advice.value)[agent]
    unheard = opinions(kit, agent, frozenset(), **wrong, advice=advice.value)[agent]

    assert (heard.value, heard.advice) == (1, advice)
    assert (unheard.value, unheard.advice, unheard.abstention) == (None, None, AbstainReason.COPIED_WRONG)


def test_an_agent_may_not_give_the_advice_of_another(kit: Any):
    votes = opinions(kit, Agent.EXECUTION, advice="HALVE")

    assert votes[Agent.EXECUTION].abstention is AbstainReason.UNPARSABLE


def test_an_agent_that_is_switched_off_is_not_asked_and_abstains(kit: Any):
    votes = opinions(kit, Agent.RISK, frozenset({Agent.RISK}))

    assert votes[Agent.RISK].abstention is AbstainReason.SWITCHED_OFF
    assert [votes[agent].value for agent in (Agent.OPTIMIZER, Agent.EXECUTION)] == [1, 1]
