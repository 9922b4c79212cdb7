"""The three opinions on a draft: one vote per leg and agent, or an abstention that says why."""

import asyncio
import json
from dataclasses import replace
from typing import Any

from parley.agents.budget import Budget
from parley.agents.errors import ModelFailed
from parley.agents.opinions import PROMPTS, LegFigures, Opinions, choices, gather_opinions
from parley.agents.replies import ExecutionReply
from parley.domain.orders import Algorithm, ExecutionAdvice
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


def ways(*names: str) -> tuple[ExecutionAdvice, ...]:
    """Offers, dearer from one to the next."""
    return tuple(
        ExecutionAdvice(algorithm=Algorithm(name), slices=4, expected_cost_bps=5.0 + place)
        for place, name in enumerate(names)
    )


def offered(kit: Any, symbol: str, *names: str) -> LegFigures:
    """A leg that the tools would work in the first of these ways."""
    leg = kit.leg(symbol).model_copy(update={"advice": ways(*names)[0]})
    return LegFigures(leg, True, 0.02, 0.05, 0.095, 5.0, 0.001, ways(*names))


def chosen(kit: Any, figures: list[LegFigures], *votes: tuple[str, str | None]) -> dict[str, str]:
    draft = replace(kit.draft(), legs=tuple(figures))
    said = [{"symbol": name, "vote": "FOR", "confidence": 60, "algorithm": algorithm} for name, algorithm in votes]
    reply = ExecutionReply.model_validate_json(json.dumps({"votes": said}), strict=True)
    return {name: way.algorithm.value for name, way in choices(reply, draft).items()}


def test_the_execution_agent_chooses_among_what_is_offered_and_gets_its_advice_whole(kit: Any):
    figures = [offered(kit, "AAA", "TWAP", "VWAP", "IS"), offered(kit, "BBB", "TWAP", "IS")]

    assert chosen(kit, figures, ("AAA", "VWAP"), ("BBB", None)) == {"AAA": "VWAP"}
    reply = ExecutionReply.model_validate_json(
        '{"votes":[{"symbol":"BBB","vote":"AGAINST","confidence":60,"algorithm":"IS"}]}', strict=True
    )
    assert choices(reply, replace(kit.draft(), legs=tuple(figures))) == {"BBB": ways("TWAP", "IS")[1]}


def test_what_nobody_offered_is_not_heard_and_neither_are_two_answers_or_another_symbol(kit: Any):
    figures = [offered(kit, "AAA", "TWAP", "IS")]

    assert chosen(kit, figures, ("AAA", "POV")) == {}
    assert chosen(kit, figures, ("AAA", "IS"), ("AAA", "IS")) == {}
    assert chosen(kit, figures, ("EVIL", "IS")) == {}
    assert chosen(kit, figures, ("AAA", "TWAP")) == {}


def test_a_choice_is_asked_for_by_the_schema_and_may_be_left_out_by_the_rules():
    asked = ExecutionReply.model_json_schema()["$defs"]["ExecutionVote"]

    assert asked["required"] == ["symbol", "vote", "confidence", "algorithm"]
    assert asked["additionalProperties"] is False
    said = '{"votes":[{"symbol":"AAA","vote":"FOR","confidence":60}]}'
    assert ExecutionReply.model_validate_json(said, strict=True).votes[0].algorithm is None


def test_the_ways_on_offer_and_their_costs_are_shown_where_there_is_a_choice(kit: Any):
    model = kit.Model(lambda request: kit.votes_text("FOR", 70, "AAA", "BBB"))
    draft = replace(kit.draft(), legs=(offered(kit, "AAA", "TWAP", "IS"), offered(kit, "BBB", "TWAP")))

    asyncio.run(gather_opinions(kit.asking(model), kit.plenty, draft))

    (facts,) = [json.loads(item.facts) for item in model.asked if item.prompt.name == PROMPTS[Agent.EXECUTION]]
    assert facts["legs"][0]["offered"] == {"TWAP": 5.0, "IS": 6.0}
    assert "offered" not in facts["legs"][1]
