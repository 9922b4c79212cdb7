"""The debate: who is contested, what a case may move, and that it is nothing but confidence, within bounds."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.agents.budget import Budget
from parley.agents.debate import DISAGREEMENT, MAX_CONTESTED, MAX_MOVE, Argued, argue, disagreements
from parley.agents.errors import ModelFailed, ReplayMiss
from parley.agents.grounding import WITHHELD
from parley.agents.llm.recorded import ReplayModel
from parley.domain.decisions import Evidence
from parley.domain.views import AbstainReason, Source, SourceView, Stance, Strength

FOR_AND_AGAINST = [
    SourceView(source=Source.TECHNICAL, scores={"AAA": 0.5, "BBB": 0.5}),
    SourceView(source=Source.SENTIMENT, scores={"AAA": -0.4, "BBB": 0.3}),
]


def case(leans_on: str, copied: str, strength: str = "STRONG", symbol: str = "AAA", words: str = "") -> dict[str, str]:
    return {"symbol": symbol, "leans_on": leans_on, "copied": copied, "strength": strength, "words": words}


def bull(*cases: dict[str, str]) -> dict[str, Any]:
    return {"bull": cases or (case("outlook", "GAIN"),)}


def bear(*cases: dict[str, str]) -> dict[str, Any]:
    return {"bear": cases or (case("sentiment", "BAD", "WEAK"),)}


def argued(kit: Any, said: Any, budget: Budget | None = None, *, may_go_back: bool = False, **changes: Any) -> Any:
    """The debate over AAA, where `said` gives a text, an error, or the cases of each speaker."""

    def script(request: Any) -> Any:
        answer = said(request) if callable(said) else said[request.node]
        return answer if isinstance(answer, str | Exception) else json.dumps({"cases": answer})

    model = kit.Model(script)
    known = replace(kit.reasoning("AAA", "BBB", expected_return=0.0123), **changes)
    shown = Evidence(
        id="ev-1", tool="scores", tool_version=1, inputs_hash="0" * 64, as_of=kit.as_of, unit="fractions",
        output={"AAA": {"expected_return": 0.0123}},
    )  # fmt: skip
    argument = argue(kit.asking(model), budget or kit.plenty, known, FOR_AND_AGAINST, [shown], may_go_back=may_go_back)
    return model, asyncio.run(argument)


def confidences(result: Argued) -> dict[str, int]:
    return {signal.symbol: signal.confidence for signal in result.signals.signals}


def test_sources_disagree_when_one_is_for_one_against_and_the_gap_is_wide():
    scores = {"far": 0.5, "near": 0.2, "same": 0.9, "alone": 0.9}
    other = {"far": -0.4, "near": -0.2, "same": 0.1}
    views = [
        SourceView.model_construct(source=Source.TECHNICAL, scores=scores),
        SourceView.model_construct(source=Source.SENTIMENT, scores=other),
    ]

    assert disagreements(views, list(scores)) == {"far": 0.9}
    assert DISAGREEMENT == 0.5


def test_the_widest_gaps_are_argued_over_and_no_more_than_a_handful():
    names = [f"N{place}" for place in range(9)]
    views = [
        SourceView(source=Source.TECHNICAL, scores={name: 0.3 + place / 20 for place, name in enumerate(names)}),
        SourceView(source=Source.SENTIMENT, scores=dict.fromkeys(names, -0.3)),
    ]

    assert list(disagreements(views, names)) == ["N8", "N7", "N6", "N5", "N4"]
    assert MAX_CONTESTED == 5


def test_the_stronger_case_moves_confidence_by_two_points_for_each_it_leads(kit: Any):
    model, result = argued(kit, bull(case("outlook", "GAIN", "FAIR")) | bear())

    # The desk's rule buys at 53; FAIR leads WEAK by one point, and BBB is not contested.
    assert confidences(result) == {"AAA": 55, "BBB": 53}
    assert [(move.symbol, move.before, move.after) for move in result.debate.moves] == [("AAA", 53, 55)]
    assert [request.node for request in model.asked] == ["bull", "bear"]
    assert [call.node for call in result.signals.calls] == ["bull", "bear"]


def test_the_two_hear_the_same_and_not_each_other(kit: Any):
    model, _ = argued(kit, bull() | bear())

    one, other = (json.loads(request.facts) for request in model.asked)
    assert one.pop("examples") != other.pop("examples")
    assert one == other
    assert [row["symbol"] for row in one["rows"]] == ["AAA"]
    assert "composite" not in one["rows"][0] and "confidence" not in one["rows"][0]
    assert {turn.text for request in model.asked for turn in request.turns} == {"Open the debate: make your case."}


STRENGTHS = st.sampled_from([*Strength, None])


@settings(max_examples=30, deadline=None)
@given(STRENGTHS, STRENGTHS, st.sampled_from([1.2, -1.2, 0.1]))
def test_a_debate_moves_confidence_within_bounds_and_nothing_else(kit: Any, up: Any, down: Any, composite: float):
    row = dict(kit.reasoning("AAA").scores["AAA"]) | {"composite": composite, "expected_return": 0.0123}
    said = {
        "bull": [case("outlook", "GAIN", up.value)] if up else [],
        "bear": [case("sentiment", "BAD", down.value)] if down else [],
    }

    _, silent = argued(kit, {"bull": [], "bear": []}, scores={"AAA": row})
    _, result = argued(kit, said, scores={"AAA": row})

    (before,), (after,) = silent.signals.signals, result.signals.signals
    assert abs(after.confidence - before.confidence) <= MAX_MOVE
    assert 50 <= after.confidence <= 100
    assert after.model_copy(update={"confidence": before.confidence}) == before
    if before.side is Stance.HOLD:
        assert after == before


@pytest.mark.parametrize(
    "wrong", [case("outlook", "LOSS"), case("nothing", "GAIN"), case("symbol", "GAIN"), case("composite", "GOOD")]
)
def test_a_case_that_copies_a_fact_wrong_does_not_count(kit: Any, wrong: dict[str, str]):
    _, result = argued(kit, bull(wrong) | bear(case("sentiment", "BAD", "FAIR")))

    assert [item.speaker.value for item in result.debate.cases] == ["bear"]
    assert confidences(result)["AAA"] == 50
    assert [(item.who, item.reason) for item in result.debate.abstentions] == [("bull:AAA", AbstainReason.COPIED_WRONG)]


def test_a_case_that_rests_on_a_fact_against_it_does_not_count(kit: Any):
    """A small model's bear was seen to lean on a gain."""
    _, result = argued(kit, bull() | bear(case("outlook", "GAIN")))

    assert [item.speaker.value for item in result.debate.cases] == ["bull"]
    assert [(item.who, item.reason) for item in result.debate.abstentions] == [("bear:AAA", AbstainReason.NO_EDGE)]


@pytest.mark.parametrize("lost", [ModelFailed("down"), "garbage", "{}"])
def test_without_both_sides_nothing_moves(kit: Any, lost: Any):
    _, result = argued(kit, {"bull": lost, **bear()})

    assert confidences(result) == {"AAA": 53, "BBB": 53}
    assert result.debate.moves == ()
    assert [item.who for item in result.signals.abstentions] == ["bull"]
    assert len(result.signals.calls) == 2


def test_words_that_the_evidence_does_not_bear_out_are_withheld(kit: Any):
    words = "A gain of 1.23 % is expected. Sales rose 40 %."

    _, result = argued(kit, bull(case("outlook", "GAIN", words=words)) | bear())

    assert result.debate.cases[0].words == f"A gain of 1.23 % is expected. {WITHHELD}"


def test_words_of_an_example_are_not_shown_as_a_speakers_own(kit: Any):
    """A small model was seen to repeat them of every row."""
    _, result = argued(kit, bull(case("outlook", "GAIN", words="Every source says the same.")) | bear())

    assert result.debate.cases[0].words == ""
    assert confidences(result)["AAA"] == 57


def test_they_go_back_once_where_the_decision_has_a_call_to_spare(kit: Any):
    def said(request: Any) -> Any:
        words = "The outlook is fair." if request.repair else "Sales rose 40 %."
        return [case("outlook", "GAIN", words=words)] if request.node == "bull" else bear()["bear"]

    model, result = argued(kit, said, may_go_back=True)

    assert [request.node for request in model.asked] == ["bull", "bear", "bull"]
    assert "40 %" in model.asked[2].repair
    assert result.debate.cases[0].words == "The outlook is fair."
    assert len(argued(kit, said)[0].asked) == 2


def test_words_reach_no_other_prompt(kit: Any):
    model, _ = argued(kit, bull(case("outlook", "GAIN", words="§ 40 %")) | bear(), may_go_back=True)

    assert all("§" not in request.user for request in model.asked)


def test_a_recording_without_the_statements_is_missed_as_such(kit: Any):
    with pytest.raises(ReplayMiss, match="debate/bull"):
        asyncio.run(
            argue(
                kit.asking(ReplayModel((), "scripted")),
                kit.plenty,
                kit.reasoning("AAA"),
                FOR_AND_AGAINST,
                [],
                may_go_back=False,
            )
        )


def test_there_is_no_debate_without_a_quarrel_or_without_the_tokens(kit: Any):
    model, calm = argued(kit, bull() | bear(), scores={"BBB": kit.reasoning("BBB").scores["BBB"]})
    poor, broke = argued(kit, bull() | bear(), Budget(1, 500))

    assert (calm, broke, model.asked, poor.asked) == (None, None, [], [])


def test_a_debate_leaves_no_call_for_a_repair_of_the_opinions_after_it(kit: Any):
    _, result = argued(kit, bull() | bear())

    assert Budget.left(10, result.signals.calls).repairs == 0


def test_a_recorded_debate_is_the_same_debate_again(kit: Any):
    model, result = argued(kit, bull() | bear())
    replay = ReplayModel(result.signals.calls, model.name)

    again = argue(
        kit.asking(replay),
        kit.plenty,
        kit.reasoning("AAA", "BBB", expected_return=0.0123),
        FOR_AND_AGAINST,
        [],
        may_go_back=False,
    )

    assert asyncio.run(again) == result
