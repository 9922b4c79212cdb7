"""A model's choice of a tool as text: what counts as a choice, and what is only words."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.agents.llm.port import ToolSpec
from parley.agents.llm.tool_choice import MAX_CALLS, ToolCall, choice_schema, chosen_text, read_choice

TOOLS = (ToolSpec("close", "d", {"type": "object"}), ToolSpec("risk", "d", {"type": "object"}))
ONE = '{"tool":"close","arguments":{"symbol":"AAA"}}'
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("text", [ONE, f"```json\n{ONE}\n```", f"I would look. {ONE}"])
def test_a_tool_on_offer_is_a_choice_with_prose_around_it_or_without(text: str):
    assert read_choice(text, TOOLS) == (ToolCall("close", '{"symbol":"AAA"}'),)


@pytest.mark.parametrize(
    "text",
    [
        ONE.replace("close", "send_order"),
        '{"tool":"close","arguments":"AAA"}',
        '{"tool":"close"}',
        '{"tool":["close"],"arguments":{}}',
        f'{{"calls":[{ONE},{{"tool":"send_order","arguments":{{}}}}]}}',
        '{"tool":"close","arguments":{"level":NaN}}',
        '{"calls":[]}',
        "Buy.",
        "",
        "[" * 5_000,
    ],
)
def test_what_names_no_tool_on_offer_is_words(text: str):
    assert read_choice(text, TOOLS) == text


def test_an_answer_is_its_words():
    assert read_choice('{"answer":"It closed at 101.5."}', TOOLS) == "It closed at 101.5."


@settings(max_examples=40, deadline=None)
@given(
    calls=st.lists(
        st.builds(
            ToolCall,
            st.sampled_from(["close", "risk"]),
            st.dictionaries(st.text(max_size=5), JSON, max_size=3).map(lambda d: json.dumps(d, separators=(",", ":"))),
        ),
        min_size=1,
        max_size=MAX_CALLS + 2,
    )
)
def test_native_calls_as_text_are_read_back_as_they_were_up_to_their_bound(calls: list[ToolCall]):
    assert read_choice(chosen_text(calls), TOOLS) == tuple(calls[:MAX_CALLS])


@settings(max_examples=40, deadline=None)
@given(st.text() | JSON.map(json.dumps))
def test_whatever_a_model_says_is_a_choice_among_the_tools_or_words(text: str):
    chosen = read_choice(text, TOOLS)

    assert isinstance(chosen, str) or {call.name for call in chosen} <= {"close", "risk"}


def test_every_branch_of_the_schema_is_closed_and_the_last_one_is_words():
    branches: Any = choice_schema(TOOLS)["anyOf"]

    assert [branch["required"] for branch in branches] == [["tool", "arguments"]] * 2 + [["answer"]]
    assert all(branch["additionalProperties"] is False for branch in branches)
