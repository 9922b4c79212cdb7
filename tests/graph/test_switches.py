"""Agents switched off and the debate switched on: each changes what is decided, inside its remit and the budget."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from parley.domain.decisions import Decision
from parley.domain.events import ModelReplied
from parley.domain.views import AbstainReason, Agent
from parley.graph.run import DecisionGraph


def decided(bench: Any, **switches: Any) -> Decision:
    graph = DecisionGraph(replace(bench.ports, **switches), None)
    return asyncio.run(graph.decide(bench.snapshot()))


@pytest.mark.parametrize("agent", [Agent.RISK, Agent.OPTIMIZER, Agent.EXECUTION])
def test_without_one_agent_the_decision_is_another_and_the_agent_is_named(bench: Any, agent: Agent):
    def script(request: Any) -> str:
        return bench.reply_to(request, 80, vote="AGAINST" if request.node == agent.value else "FOR")

    whole = decided(bench.with_(model=bench.Scripted(script)))
    without = decided(bench.with_(model=bench.Scripted(script)), silent=frozenset({agent}))

    assert without.plan is not None and whole.plan is not None
    kept = {leg.symbol: leg.quantity for leg in whole.plan.legs}
    assert all(leg.quantity >= kept.get(leg.symbol, 0) for leg in without.plan.legs)
    assert without.plan.legs != whole.plan.legs
    assert without.llm_calls == whole.llm_calls - 1
    assert [(item.who, item.reason) for item in without.abstentions if item.reason is AbstainReason.SWITCHED_OFF] == [
        (agent.value, AbstainReason.SWITCHED_OFF)
    ]


def test_without_the_analyst_there_is_no_signal_and_the_others_decide(bench: Any):
    def script(request: Any) -> str:
        return bench.reply_to(request, 80)

    decision = decided(bench.with_(model=bench.Scripted(script)), silent=frozenset({Agent.ANALYST}))

    assert decision.signals == ()
    assert {vote.value for vote in decision.votes if vote.agent is Agent.ANALYST} == {None}
    assert decision.kind == "trade"


def test_advice_of_the_risk_agent_halves_what_it_is_given_for(bench: Any):
    def script(request: Any) -> str:
        said = json.loads(bench.reply_to(request, 80))
        if request.prompt.name == "risk/opinion":
            said["votes"][0]["advice"] = "HALVE"
        return json.dumps(said)

    decision = decided(bench.with_(model=bench.Scripted(script)))

    assert decision.consensus is not None and decision.plan is not None
    first = decision.consensus.legs[0]
    assert (first.size_multiplier, first.rule) == (0.5, "advice")
    drafted = {leg.symbol: leg.quantity for leg in decision.drafts[0].legs}
    left = {leg.symbol: leg.quantity for leg in decision.plan.legs}
    assert left[first.symbol] == drafted[first.symbol] // 2
    assert {symbol: left[symbol] for symbol in left if symbol != first.symbol} == {
        symbol: drafted[symbol] for symbol in left if symbol != first.symbol
    }


def test_a_debate_stays_within_six_calls_and_its_transcript_is_in_the_decision(steady: Any):
    argued = steady.quarrel()
    decision = decided(argued, has_debate=True)

    assert decision.debate is not None and decision.debate.moves
    asked = [request.prompt.name for request in argued.model.asked]
    assert asked[1:3] == ["debate/bull", "debate/bear"]
    assert "analyst/views" not in asked
    assert decision.llm_calls == len(asked) == 6
    (replied,) = [event.decoded() for event in argued.events() if event.type == "ModelReplied"]
    assert isinstance(replied, ModelReplied)
    assert {call.node for call in replied.calls} >= {"bull", "bear"}


def test_the_worth_of_a_debate_is_the_difference_between_two_runs(steady: Any):
    """Paired: the same day, the same model, and only the debate switched."""
    off, weak, strong = (
        decided(steady.quarrel(), has_debate=False),
        decided(steady.quarrel("WEAK"), has_debate=True),
        decided(steady.quarrel("STRONG"), has_debate=True),
    )

    assert off.debate is None and weak.debate is not None and strong.debate is not None
    contested = set(strong.debate.gaps)
    levels = [{s.symbol: s.confidence for s in run.signals if s.symbol in contested} for run in (weak, strong)]
    moved = {move.symbol for move in strong.debate.moves}
    assert moved and all(levels[0][symbol] <= levels[1][symbol] for symbol in contested)
    assert levels[0] != levels[1]
    # Never the numbers: what the sources said, what is expected, and what was drafted from it.
    assert off.views == weak.views == strong.views
    assert weak.targets == strong.targets == off.targets
    assert [s.side for s in weak.signals] == [s.side for s in strong.signals]
