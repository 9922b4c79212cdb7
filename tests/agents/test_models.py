"""The models behind the port: rules and recorded ones, and what a request is known by."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import parley.agents.replies as replies
import pytest
from parley.agents.analyst import form_signals
from parley.agents.debate import argue
from parley.agents.errors import ModelFailed, ReplayMiss
from parley.agents.llm.port import ChatRequest, ToolSpec, Turn, facts_json, portable_schema, rough_tokens
from parley.agents.llm.recorded import ReplayModel
from parley.agents.llm.rules import MIN_SCORE, RULES, RulesModel
from parley.agents.opinions import gather_opinions
from parley.agents.replies import AnalystReply, OpinionReply, SentimentReply
from parley.agents.sentiment import read_texts
from parley.domain.decisions import ModelCall
from parley.domain.model import Model
from parley.domain.views import Source, SourceView
from parley.prompts.loader import load_prompt, parse_prompt


def view_facts(**row: object) -> str:
    return facts_json(
        {
            "rows": [
                {
                    "symbol": "AAA",
                    "trend": "UP (1 above 0)",
                    "outlook": "NONE",
                    "composite": 1.0,
                    "confidence": 53,
                    **row,
                }
            ]
        }
    )


def request(facts: str, prompt: str = "analyst/views", repair: str = "") -> ChatRequest:
    return ChatRequest("analyst", load_prompt(prompt), facts, AnalystReply, 500, repair)


def complete(model: Any, asked: ChatRequest) -> Any:
    return asyncio.run(model.complete(asked))


def first(model: Any, facts: str, prompt: str = "analyst/views") -> dict[str, Any]:
    reply = json.loads(complete(model, request(facts, prompt)).text)
    return next(iter(reply.values()))[0]


@pytest.mark.parametrize(("composite", "side"), [(1.0, "BUY"), (-1.0, "SELL"), (MIN_SCORE / 2, "HOLD")])
def test_the_rules_follow_the_sign_of_a_score_that_is_large_enough(composite: float, side: str):
    assert first(RulesModel(), view_facts(composite=composite))["side"] == side


@pytest.mark.parametrize(
    ("composite", "texts", "side", "driver"),
    [
        (0.4, "GOOD (0.5)", "BUY", "technical"),
        (0.1, "GOOD (0.9)", "BUY", "sentiment"),
        (0.6, "BAD (-0.9)", "HOLD", "none"),
        (0.6, None, "BUY", "technical"),
    ],
)
def test_the_rules_count_what_the_texts_say_beside_the_score(composite: float, texts: str, side: str, driver: str):
    view = first(RulesModel(), view_facts(composite=composite, sentiment=texts))

    assert (view["side"], view["driver"]) == (side, driver)


def test_the_rules_hold_when_the_record_is_no_better_than_a_coin():
    assert first(RulesModel(), view_facts(confidence=50))["side"] == "HOLD"


@pytest.mark.parametrize(
    ("composite", "confidence", "texts", "side", "said"),
    [
        # Odds by hand: 0.52/0.48 for the scores, (0.6/0.4) to the power of the texts' score; they multiply.
        (1.0, 52, "BAD (-0.4)", "SELL", 51),  # 1.0833 * 0.8503 = 0.9211 against: 1 / 1.9211 = 0.5205, below 0.53
        (1.0, 52, "GOOD (0.4)", "BUY", 56),  # 1.0833 * 1.1761 = 1.2741: 0.5603
        (0.2, 50, "GOOD (0.4)", "BUY", 54),  # 1.1761: 0.5405
        (1.0, 52, None, "BUY", 52),
        (1.0, 50, None, "HOLD", 50),
    ],
)
def test_with_an_assumed_hit_rate_the_odds_of_texts_and_scores_multiply(
    composite: float, confidence: int, texts: str | None, side: str, said: int
):
    view = first(RulesModel(0.6), view_facts(composite=composite, confidence=confidence, sentiment=texts))

    assert view["side"] == side and view["confidence"] == pytest.approx(said, abs=1)


def test_a_hit_rate_of_a_coin_leaves_texts_out():
    facts = view_facts(composite=1.0, confidence=53, sentiment="BAD (-0.9)")

    assert first(RulesModel(0.5), facts)["side"] == "BUY"
    assert first(RulesModel(0.7), facts)["side"] == "SELL"


def legs_facts(**leg: object) -> str:
    row = {
        "symbol": "AAA",
        "side": "BUY",
        "adds_risk": True,
        "weight_after": 0.05,
        "max_weight": 0.1,
        "cost_bps": 5.0,
        **leg,
    }
    return facts_json(
        {"var_usage": 0.5, "drawdown_usage": 0.2, "drift_over_band": 1.5, "cost_budget_bps": 25.0, "legs": [row]}
    )


def test_the_rules_risk_agent_votes_against_a_leg_past_its_cap():
    vote = first(RulesModel(), legs_facts(weight_after=0.12), "risk/opinion")

    # Crowding 1.2: a confidence of 50 + 100 x 0.2.
    assert (vote["vote"], vote["confidence"]) == ("AGAINST", 70)


def test_the_rules_risk_agent_supports_a_leg_that_takes_risk_off_even_past_its_cap():
    vote = first(RulesModel(), legs_facts(weight_after=0.12, adds_risk=False), "risk/opinion")

    assert (vote["vote"], vote["confidence"]) == ("FOR", 95)


def test_the_rules_risk_agent_answers_for_a_cap_of_zero():
    assert first(RulesModel(), legs_facts(max_weight=0.0), "risk/opinion")["vote"] == "AGAINST"


def test_the_rules_execution_agent_votes_against_a_leg_that_costs_too_much():
    assert first(RulesModel(), legs_facts(cost_bps=40.0), "execution/opinion")["vote"] == "AGAINST"
    assert first(RulesModel(), legs_facts(cost_bps=5.0), "execution/opinion")["vote"] == "FOR"


def test_the_rules_read_nothing_into_prose():
    facts = facts_json({"items": [{"id": "1", "symbol": "AAA", "text": "great"}]})

    assert complete(RulesModel(), request(facts, "sentiment/read")).text == '{"readings":[]}'


def test_every_rule_belongs_to_a_prompt_and_answers_in_its_reply_type():
    for name in RULES:
        facts = legs_facts() if name.endswith("/opinion") else view_facts()
        reply_type = getattr(replies, load_prompt(name).output)
        reply = complete(RulesModel(), request(facts, name)).text
        assert reply_type.model_validate_json(reply, strict=True) is not None


def keywords(schema: Any) -> set[str]:
    """Every key at any depth of a schema."""
    parts = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    own = set(schema) if isinstance(schema, dict) else set[str]()
    return own.union(*map(keywords, parts))


@pytest.mark.parametrize("reply_type", [AnalystReply, SentimentReply, OpinionReply])
def test_a_schema_as_sent_is_closed_bounded_in_its_number_and_free_of_length_bounds(reply_type: type[Model]):
    sent = ChatRequest("n", load_prompt("analyst/views"), "{}", reply_type, 500).reply_schema

    assert {"additionalProperties", "required", "minimum", "maximum", "enum"} <= keywords(sent)
    assert not {"maxItems", "minItems", "maxLength", "minLength", "title"} & keywords(sent)


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("abcd", 1), ("abcde", 2), ("日本語", 3)])
def test_tokens_are_estimated_by_bytes(text: str, tokens: int):
    assert rough_tokens(text) == tokens


def test_the_request_hash_names_prompt_content_and_reply_type_but_not_the_model():
    one = request(view_facts())

    assert one.hash == request(view_facts()).hash
    changed = [
        request(view_facts(composite=2.0)),
        request(view_facts(), "risk/opinion"),
        request(view_facts(), repair="Again."),
        ChatRequest("analyst", one.prompt, one.facts, OpinionReply, 500),
        ChatRequest("other", one.prompt, one.facts, AnalystReply, 500),
    ]
    assert len({one.hash, *(item.hash for item in changed)}) == 6


def test_the_hash_of_a_conversation_names_every_turn_and_every_tool():
    plain = request(view_facts())
    tool = ToolSpec("close", "The last close.", {"type": "object", "properties": {}})
    changed = [
        replace(plain, turns=(Turn("user", "Up."),)),
        replace(plain, turns=(Turn("assistant", "Up."),)),
        replace(plain, turns=(Turn("user", "Up.", "bull"),)),
        replace(plain, tools=(tool,)),
        replace(plain, tools=(replace(tool, description="Another."),)),
        replace(plain, reply_type=None),
    ]

    assert len({plain.hash, *(item.hash for item in changed)}) == 7


def test_the_hash_of_a_plain_question_is_the_one_older_logs_hold():
    # Taken before conversations existed: recordings made then must still be found.
    asked = ChatRequest(
        "analyst", parse_prompt("x/y", "---\nname: x/y\nversion: 1\ninputs: []\n---\nSay.\n"), "{}", AnalystReply, 5
    )

    assert asked.hash == "3bdae01bc7e88cc5f9a8e6ca9dfa4157b1fdd19185a196207a1921d4d9c39222"


def test_a_field_of_a_reply_may_be_called_what_a_schema_calls_its_own_keywords():
    schema = {"type": "object", "title": "T", "properties": {"title": {"type": "string", "maxLength": 4}}}

    assert portable_schema(schema) == {"type": "object", "properties": {"title": {"type": "string"}}}


def test_a_schema_is_made_portable_inside_its_lists_too():
    assert portable_schema({"anyOf": [{"type": "string", "maxLength": 4}]}) == {"anyOf": [{"type": "string"}]}


def recorded(asked: ChatRequest, reply: str, error: str | None = None) -> ModelCall:
    return ModelCall(
        node=asked.node,
        prompt=asked.prompt.name,
        prompt_version=asked.prompt.version,
        model="live",
        request_hash=asked.hash,
        reply=reply,
        error=error,
        prompt_tokens=11,
        completion_tokens=5,
    )


def test_a_replay_gives_back_each_recorded_reply_once_and_in_order():
    asked = request(view_facts())
    model = ReplayModel([recorded(asked, "one"), recorded(asked, "two")], "live")

    assert [complete(model, asked).text for _ in range(2)] == ["one", "two"]
    with pytest.raises(ReplayMiss):
        complete(model, asked)


def test_a_replay_keeps_the_recorded_name_and_usage():
    asked = request(view_facts())
    model = ReplayModel([recorded(asked, "one")], "live")

    assert (model.name, model.is_deterministic) == ("live", True)
    assert complete(model, asked).prompt_tokens == 11


def test_a_replay_of_something_never_asked_names_the_prompt():
    with pytest.raises(ReplayMiss, match="analyst/views version"):
        complete(ReplayModel([], "live"), request(view_facts()))


def test_a_recorded_failure_is_replayed_as_the_same_failure():
    asked = request(view_facts())
    model = ReplayModel([recorded(asked, "", "no reply within 30 s")], "live")

    with pytest.raises(ModelFailed, match="no reply within 30 s"):
        complete(model, asked)


def test_a_replayed_question_comes_out_as_it_was_recorded_failures_and_repairs_included(kit: Any):
    script = iter(["garbage", kit.votes_text("FOR", 70, "AAA"), ModelFailed("down"), "{}"])

    def gather(model: Any) -> Any:
        return asyncio.run(gather_opinions(kit.asking(model), kit.plenty, kit.draft(kit.leg("AAA"))))

    live = gather(kit.Model(lambda request: next(script)))
    replayed = gather(ReplayModel(live.calls, "scripted"))

    assert replayed == live
    assert len(live.calls) == 4


def test_the_inputs_a_prompt_declares_are_the_facts_its_agent_sends(kit: Any):
    model = kit.Model(lambda request: "{}")
    asking = kit.asking(model)

    asyncio.run(read_texts(asking, kit.plenty, kit.as_of, ["AAA"], [kit.text(1)]))
    asyncio.run(form_signals(asking, kit.plenty, kit.reasoning("AAA"), []))
    asyncio.run(gather_opinions(asking, kit.plenty, kit.draft(kit.leg("AAA"))))
    quarrel = [
        SourceView(source=Source.TECHNICAL, scores={"AAA": 0.5}),
        SourceView(source=Source.SENTIMENT, scores={"AAA": -0.5}),
    ]
    asyncio.run(argue(asking, kit.plenty, kit.reasoning("AAA"), quarrel, [], may_go_back=False))

    sent = {item.prompt.name: tuple(json.loads(item.facts)) for item in model.asked}
    assert sent == {name: load_prompt(name).inputs for name in RULES}
    assert all(item.prompt.output == item.reply_type.__name__ for item in model.asked)
