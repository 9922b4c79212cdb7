"""What lessons may do: show a section that is not there without them, and move a confidence by five points."""

import asyncio
import json

from hypothesis import given, settings
from hypothesis import strategies as st
from parley.agents.analyst import NO_LESSONS, form_signals
from parley.agents.ask import Asking
from parley.agents.budget import Budget
from parley.agents.lessons import lesson_rows, setups_of, with_lessons
from parley.agents.llm.port import ChatReply, ChatRequest
from parley.agents.llm.rules import LESSON_POINTS, RulesModel, rules_reply
from parley.domain.reflections import Level, Oscillator, Outlook, Reading, Trend
from parley.domain.views import Regime, Source, SourceView
from parley.evals.prompt_cases import prompt_case
from parley.prompts.loader import load_prompt
from parley.tools.lessons import Similar

IDS = ("les-0000000000000001", "les-0000000000000002", "les-0000000000000003")
CASE = prompt_case(1)


class Listening:
    """The rules, with an ear for what they are asked."""

    name = "rules"
    is_deterministic = True

    def __init__(self) -> None:
        self.asked: list[ChatRequest] = []

    async def complete(self, request: ChatRequest) -> ChatReply:
        self.asked.append(request)
        return await RulesModel().complete(request)


def asked(similar: dict[str, Similar] | None = None) -> tuple[ChatRequest, dict[str, tuple[str, int]]]:
    model = Listening()
    told = NO_LESSONS if similar is None else similar
    formed = asyncio.run(form_signals(Asking(model), Budget(0, 10**6), CASE.reasoning, CASE.views, (), told))
    (request,) = model.asked
    return request, {signal.symbol: (signal.side.value, signal.confidence) for signal in formed.signals}


def shares(value: float) -> dict[str, Similar]:
    return {symbol: Similar(IDS, value, 0.01) for symbol in CASE.reasoning.scores}


def test_without_lessons_the_question_is_the_same_to_the_byte():
    without, _ = asked()
    with_none, _ = asked({})

    assert (without.facts, without.prompt, without.hash) == (with_none.facts, with_none.prompt, with_none.hash)
    assert without.prompt == load_prompt("analyst/views")
    assert "lessons" not in json.loads(without.facts)


def test_lessons_are_a_section_of_their_own_with_their_ids_and_a_paragraph_in_the_prompt():
    request, _ = asked(shares(2 / 3))

    rows = json.loads(request.facts)["lessons"]
    assert [row["symbol"] for row in rows] == list(CASE.reasoning.scores)
    assert rows[0] == {**rows[0], "alike": "GOOD (0.667)", "beyond_average": "+1 %", "ids": list(IDS)}
    assert request.prompt.system.endswith(load_prompt("analyst/lessons").system)
    assert request.prompt.name == "analyst/views" and request.prompt.hash != load_prompt("analyst/views").hash


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 5).flatmap(lambda n: st.integers(0, n).map(lambda beat: beat / n)))
def test_the_rules_move_a_confidence_by_five_points_at_most_and_never_a_side(beat_share: float):
    _, without = asked()
    _, told = asked(shares(round(beat_share, 10)))

    assert {symbol: side for symbol, (side, _) in told.items()} == {
        symbol: side for symbol, (side, _) in without.items()
    }
    for symbol, (side, confidence) in told.items():
        moved = confidence - without[symbol][1]
        toward = {"BUY": 1, "SELL": -1, "HOLD": 0}[side] * (beat_share - 0.5)
        assert abs(moved) <= LESSON_POINTS and moved * toward >= 0
        assert side == "HOLD" or confidence >= 51


def test_the_whole_of_the_lessons_is_worth_five_points():
    # By the stated rule: ten times the distance from one half; 52 - 5 stops at 51, above a coin toss.
    def confidence(side_score: float, share: float) -> int:
        row = {"symbol": "A", "trend": "UP", "outlook": "GAIN", "composite": side_score, "confidence": 58}
        lessons = [{"symbol": "A", "alike": f"GOOD ({share})"}]
        reply = json.loads(rules_reply("analyst/views", json.dumps({"rows": [row], "lessons": lessons})))
        return reply["views"][0]["confidence"]

    assert [confidence(1.0, share) for share in (0.0, 0.4, 0.5, 0.6, 1.0)] == [53, 57, 58, 59, 63]
    assert [confidence(-1.0, share) for share in (0.0, 1.0)] == [63, 53]


def test_a_word_says_what_most_of_the_lessons_were():
    words = [lesson_rows({"A": Similar(IDS, share, 0.0)})[0]["alike"] for share in (0.6, 0.5, 0.4, 1.0, 0.0)]

    assert words == ["GOOD (0.6)", "MIXED (0.5)", "BAD (0.4)", "GOOD (1)", "BAD (0)"]
    assert with_lessons(load_prompt("analyst/views"), {}) is load_prompt("analyst/views")


def test_a_setup_is_the_words_that_the_facts_begin_with():
    views = [
        SourceView(source=Source.SENTIMENT, scores={"A": -0.4}),
        SourceView(source=Source.MICROSTRUCTURE, scores={"A": 0.05, "B": 0.7}),
        SourceView(source=Source.MICROSTRUCTURE, name="bands", scores={"A": 1.0, "B": -1.0}),
        SourceView(source=Source.MACRO, scores={"A": 0.3, "B": 0.3}),
    ]
    scores = {"A": {"composite": -1.2, "expected_return": -0.01}, "B": {"composite": 0.6, "expected_return": 0.0}}
    indicators = {"A": {"sma_50": 90.0, "sma_200": 100.0, "rsi_14": 25.0}}

    setups = setups_of(Regime.CRISIS, scores, indicators, views)

    a, b = setups["A"], setups["B"]
    assert (a.regime, a.trend, a.outlook, a.oscillator) == (Regime.CRISIS, Trend.DOWN, Outlook.LOSS, Oscillator.LOW)
    assert (a.level, a.sentiment, a.flow, a.macro) == (Level.WEAK, Reading.BAD, Reading.MIXED, Reading.GOOD)
    assert (b.trend, b.outlook, b.oscillator) == (Trend.UNKNOWN, Outlook.NONE, Oscillator.UNKNOWN)
    assert (b.level, b.sentiment, b.flow) == (Level.FIRM, Reading.SILENT, Reading.GOOD)
