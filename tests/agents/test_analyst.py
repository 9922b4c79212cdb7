"""The analyst: words become signals and votes, and never numbers."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.agents.analyst import form_signals, signal_votes
from parley.agents.errors import ModelFailed
from parley.agents.examples import question
from parley.agents.replies import AnalystReply
from parley.domain.orders import Side
from parley.domain.views import AbstainReason, Abstention, Source, SourceView, Stance

VIEWS = [
    SourceView(source=Source.TECHNICAL, scores={"AAA": 0.3, "BBB": -0.6}),
    SourceView(source=Source.SENTIMENT, scores={"AAA": -0.1}),
    SourceView(source=Source.MACRO, scores={"AAA": 0.2, "BBB": 0.2}),
]


def said(
    symbol: str, side: str, confidence: int = 60, outlook: str = "GAIN", trend: str = "UNKNOWN"
) -> dict[str, object]:
    """A view in answer to the kit's figures, which show a gain, and too few closes for a trend."""
    copied = {"symbol": symbol, "trend": trend, "outlook": outlook}
    return {**copied, "side": side, "confidence": confidence, "driver": "technical"}


def formed(kit: Any, replies: Any, reasoning: Any = None, views: Any = VIEWS) -> Any:
    texts = [json.dumps({"views": replies})] if isinstance(replies, list) else [replies]
    given_reasoning = reasoning or kit.reasoning("AAA", "BBB")
    return asyncio.run(form_signals(kit.asking(kit.Model(texts)), kit.plenty, given_reasoning, views))


def test_a_side_with_the_numbers_carries_their_expected_return(kit: Any):
    (signal, _) = formed(kit, [said("AAA", "BUY"), said("BBB", "BUY")]).signals

    assert signal.expected_return == 0.01
    assert signal.risk_adjusted_return == pytest.approx(0.2)
    assert signal.confidence == 60


@pytest.mark.parametrize("side", ["SELL", "HOLD"])
def test_words_against_the_numbers_carry_no_expected_return(kit: Any, side: str):
    signal = formed(kit, [said("AAA", side, 99), said("BBB", "BUY")]).signals[0]

    assert (signal.expected_return, signal.risk_adjusted_return) == (0.0, 0.0)


def test_a_sell_with_a_negative_expected_return_carries_it(kit: Any):
    reasoning = kit.reasoning("AAA", expected_return=-0.02)

    assert formed(kit, [said("AAA", "SELL", outlook="LOSS")], reasoning).signals[0].expected_return == -0.02


@pytest.mark.parametrize("wrong", [{"trend": "UP"}, {"outlook": "LOSS"}])
def test_a_view_that_copies_a_fact_wrong_is_dropped_and_the_others_stay(kit: Any, wrong: dict[str, Any]):
    result = formed(kit, [said("AAA", "BUY", **wrong), said("BBB", "BUY")])

    assert [signal.symbol for signal in result.signals] == ["BBB"]
    (dropped,) = result.abstentions
    assert (dropped.who, dropped.reason) == ("analyst:AAA", AbstainReason.COPIED_WRONG)


def test_a_trend_is_copied_from_the_averages_that_code_compared(kit: Any):
    reasoning = replace(kit.reasoning("AAA"), indicators={"AAA": {"sma_50": 112.0, "sma_200": 104.0}})

    assert formed(kit, [said("AAA", "BUY", trend="UP")], reasoning).signals
    assert not formed(kit, [said("AAA", "BUY", trend="DOWN")], reasoning).signals


def test_every_stance_has_an_example_and_the_facts_decide_their_order(kit: Any):
    """The last example a model reads attracts its answer, so none may always be the last."""
    lasts = set[str]()
    for day in range(20):
        asked = question("analyst", "analyst/views", {"day": day}, AnalystReply)
        assert asked == question("analyst", "analyst/views", {"day": day}, AnalystReply)
        shown = asked.facts["examples"]
        assert isinstance(shown, list) and list(asked.facts) == ["examples", "day"]
        sides = [json.loads(item)["view"]["side"] for item in shown]
        assert sorted(sides) == ["BUY", "HOLD", "SELL"]
        lasts.add(sides[-1])
    assert lasts == {"BUY", "HOLD", "SELL"}


def test_an_instrument_that_was_not_asked_about_is_ignored(kit: Any):
    result = formed(kit, [said("AAA", "BUY"), said("EVIL", "BUY", 100), said("BBB", "HOLD")])

    assert [signal.symbol for signal in result.signals] == ["AAA", "BBB"]
    assert result.abstentions == ()


def test_an_instrument_left_out_of_the_reply_is_an_abstention_of_its_own(kit: Any):
    result = formed(kit, [said("BBB", "BUY")])

    assert [signal.symbol for signal in result.signals] == ["BBB"]
    (missing,) = result.abstentions
    assert (missing.who, missing.reason) == ("analyst:AAA", AbstainReason.UNPARSABLE)


def test_an_instrument_with_two_views_has_none(kit: Any):
    result = formed(kit, [said("AAA", "BUY"), said("AAA", "SELL"), said("BBB", "BUY")])

    assert [signal.symbol for signal in result.signals] == ["BBB"]
    assert "more than once" in result.abstentions[0].text


def test_signals_come_in_the_order_of_the_figures_not_of_the_reply(kit: Any):
    result = formed(kit, [said("BBB", "BUY"), said("AAA", "BUY")])

    assert [signal.symbol for signal in result.signals] == ["AAA", "BBB"]


def test_a_failed_model_leaves_no_signal_and_one_abstention(kit: Any):
    result = formed(kit, ModelFailed("down"))

    assert result.signals == ()
    assert [item.reason for item in result.abstentions] == [AbstainReason.MODEL_FAILED]
    assert len(result.calls) == 1


def test_without_scores_no_model_is_asked(kit: Any):
    result = formed(kit, "unused", kit.reasoning())

    assert result.calls == ()
    assert result.abstentions[0].reason is AbstainReason.SHORT_HISTORY


def test_attribution_is_each_sources_share_of_the_absolute_scores(kit: Any):
    first, second = formed(kit, [said("AAA", "BUY"), said("BBB", "SELL")]).signals

    # AAA: 0.3, 0.1 and 0.2 of 0.6; BBB: 0.6 and 0.2 of 0.8
    assert first.attribution[Source.TECHNICAL] == 0.5
    assert second.attribution == {Source.TECHNICAL: 0.75, Source.MACRO: 0.25}


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from(Source), st.floats(-1, 1).filter(lambda x: abs(x) > 1e-6), min_size=1))
def test_attribution_sums_to_one(kit: Any, scores: dict[Source, float]):
    views = [SourceView(source=source, scores={"AAA": score}) for source, score in scores.items()]

    (signal,) = formed(kit, [said("AAA", "BUY")], kit.reasoning("AAA"), views).signals

    assert sum(signal.attribution.values()) == pytest.approx(1.0, abs=1e-8)


def test_every_source_with_a_share_in_the_attribution_was_shown_to_the_model(kit: Any):
    flow = SourceView(source=Source.MICROSTRUCTURE, scores={"AAA": 0.1234})
    model = kit.Model([json.dumps({"views": [said("AAA", "BUY")]})])

    asyncio.run(form_signals(kit.asking(model), kit.plenty, kit.reasoning("AAA"), [*VIEWS, flow]))

    facts = json.loads(model.asked[0].facts)
    assert facts["macro"] == "GOOD (0.2)"
    shown = [facts["rows"][0][name] for name in ("technical", "sentiment", "flow")]
    assert shown == ["GOOD (0.3)", "BAD (-0.1)", "GOOD (0.123)"]


@settings(max_examples=50, deadline=None)
@given(st.text(min_size=3, max_size=40))
def test_the_reason_of_an_abstention_never_reaches_the_model(kit: Any, hostile: str):
    marked = f"§{hostile}§"
    silent = Abstention(who=marked, reason=AbstainReason.NO_EDGE, text=marked)
    views = [*VIEWS[:1], SourceView(source=Source.SENTIMENT, abstention=silent)]
    model = kit.Model([json.dumps({"views": [said("AAA", "BUY"), said("BBB", "BUY")]})])

    asyncio.run(form_signals(kit.asking(model), kit.plenty, kit.reasoning("AAA", "BBB"), views))

    assert "§" not in model.asked[0].user


def test_a_hold_abstains_from_the_vote(kit: Any):
    signals = formed(kit, [said("AAA", "HOLD", 90), said("BBB", "BUY")]).signals

    (vote,) = signal_votes(signals, [kit.leg("AAA")])

    assert (vote.value, vote.abstention) == (None, AbstainReason.NO_EDGE)


def test_a_leg_without_a_signal_has_no_vote(kit: Any):
    (vote,) = signal_votes((), [kit.leg("AAA")])

    assert (vote.value, vote.abstention) == (None, AbstainReason.NO_DATA)


@pytest.mark.parametrize(
    ("stance", "side", "value"),
    [("BUY", Side.BUY, 1), ("BUY", Side.SELL, -1), ("SELL", Side.SELL, 1), ("SELL", Side.BUY, -1)],
)
def test_a_side_votes_for_legs_its_way_and_against_the_others(kit: Any, stance: str, side: Side, value: int):
    signals = formed(kit, [said("AAA", stance, 70), said("BBB", "HOLD")]).signals

    (vote,) = signal_votes(signals, [kit.leg("AAA", side)])

    assert (vote.value, vote.confidence) == (value, 70)
    assert signals[0].side is Stance(stance)
