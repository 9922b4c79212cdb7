"""The three opinions on a draft: one vote per leg and agent, or an abstention that says why."""

import asyncio
import json
from typing import Any

from parley.agents.budget import Budget
from parley.agents.errors import ModelFailed
from parley.agents.opinions import PROMPTS, Opinions, gather_opinions
from parley.domain.views import AbstainReason, Agent

BY_PROMPT = {prompt: agent for agent, prompt in PROMPTS.items()}


def gathered(kit: Any, script: Any, *symbols: str, budget: Budget | None = None, delay_s: Any = None) -> Opinions:
    model = kit.Model(script, delay_s=delay_s)
    draft = kit.draft(*(kit.leg(symbol) for symbol in symbols))
    return asyncio.run(gather_opinions(kit.asking(model), budget or kit.plenty, draft))


def test_three_agents_vote_on_every_leg(kit: Any):
    opinions = gathered(kit, lambda request: kit.votes_text("FOR", 70, "AAA", "BBB"), "AAA", "BBB")

    assert [(vote.agent, vote.symbol) for vote in opinions.votes] == [
        (agent, symbol) for agent in (Agent.RISK, Agent.OPTIMIZER, Agent.EXECUTION) for symbol in ("AAA", "BBB")
    ]
    assert {(vote.value, vote.confidence) for vote in opinions.votes} == {(1, 70)}
    assert len(opinions.calls) == 3


def test_a_vote_against_is_minus_one_and_an_abstain_is_no_vote(kit: Any):
    said = {
        "votes": [
            {"symbol": "AAA", "vote": "AGAINST", "confidence": 80},
            {"symbol": "BBB", "vote": "ABSTAIN", "confidence": 0},
        ]
    }

    against, silent = gathered(kit, lambda request: json.dumps(said), "AAA", "BBB").votes[:2]

    assert (against.value, against.confidence) == (-1, 80)
    assert (silent.value, silent.abstention) == (None, AbstainReason.NO_EDGE)


def test_a_leg_that_is_voted_on_twice_has_no_vote(kit: Any):
    opinions = gathered(kit, lambda request: kit.votes_text("FOR", 99, "AAA", "AAA"), "AAA")

    assert {(vote.value, vote.abstention) for vote in opinions.votes} == {(None, AbstainReason.UNPARSABLE)}


def test_a_leg_that_is_left_out_has_no_vote(kit: Any):
    opinions = gathered(kit, lambda request: kit.votes_text("FOR", 99, "AAA"), "AAA", "BBB")

    missing = [vote for vote in opinions.votes if vote.symbol == "BBB"]
    assert {(vote.value, vote.abstention) for vote in missing} == {(None, AbstainReason.UNPARSABLE)}


def test_a_vote_on_a_symbol_without_a_leg_is_ignored(kit: Any):
    opinions = gathered(kit, lambda request: kit.votes_text("FOR", 99, "AAA", "EVIL"), "AAA")

    assert {vote.symbol for vote in opinions.votes} == {"AAA"}


def test_an_agent_whose_model_fails_abstains_on_every_leg_and_the_others_still_vote(kit: Any):
    def script(request: Any) -> Any:
        if BY_PROMPT[request.prompt.name] is Agent.RISK:
            return ModelFailed("down")
        return kit.votes_text("FOR", 70, "AAA")

    opinions = gathered(kit, script, "AAA")

    assert [vote.value for vote in opinions.votes] == [None, 1, 1]
    assert opinions.votes[0].abstention is AbstainReason.MODEL_FAILED
    assert [(item.who, item.reason) for item in opinions.abstentions] == [("risk_manager", AbstainReason.MODEL_FAILED)]


def test_votes_and_calls_come_in_one_order_whoever_answers_first(kit: Any):
    def told(slow: str) -> Opinions:
        def delay_s(request: Any) -> float:
            return 0.02 if request.prompt.name.startswith(slow) else 0.0

        return gathered(kit, lambda request: kit.votes_text("FOR", 70, "AAA"), "AAA", delay_s=delay_s)

    assert told("risk") == told("optimizer") == told("execution")


def test_three_agents_share_one_repair(kit: Any):
    opinions = gathered(kit, lambda request: "garbage", "AAA", budget=Budget(1, 99_999))

    assert len(opinions.calls) == 4
    assert [item.reason for item in opinions.abstentions] == [AbstainReason.UNPARSABLE] * 3
