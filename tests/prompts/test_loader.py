"""Prompt files: every one loads and says what it is, and a bad one is refused with a reason."""

import json
from importlib import resources

import parley.agents.replies as replies
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.model import Model
from parley.prompts.errors import PromptError
from parley.prompts.loader import load_prompt, parse_prompt

SHELF = resources.files("parley.prompts")
NAMES = sorted(
    f"{folder.name}/{file.name.removesuffix('.md')}"
    for folder in SHELF.iterdir()
    if folder.is_dir()
    for file in folder.iterdir()
    if file.name.endswith(".md")
)
GOOD = "---\nname: desk/test\nversion: 1\ninputs: [as_of]\noutput: OpinionReply\n---\nSay something.\n"


def test_the_shelf_holds_a_prompt_for_each_question_and_what_goes_along_with_them():
    assert NAMES == [
        "analyst/lessons",
        "analyst/views",
        "ask/probe",
        "ask/repair",
        "ask/tools",
        "chat/pick",
        "chat/topic",
        "debate/again",
        "debate/bear",
        "debate/bull",
        "execution/opinion",
        "optimizer/opinion",
        "risk/opinion",
        "sentiment/read",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_prompt_names_itself_and_has_a_version_and_a_text(name: str):
    prompt = load_prompt(name)

    assert prompt.name == name
    assert prompt.version >= 1
    assert len(prompt.hash) == 64
    assert prompt.system == prompt.system.strip() != ""


@pytest.mark.parametrize("name", [name for name in NAMES if load_prompt(name).output])
def test_the_reply_type_a_prompt_promises_exists(name: str):
    reply_type = getattr(replies, load_prompt(name).output)

    assert issubclass(reply_type, Model)
    assert all(key in load_prompt(name).system for key in reply_type.model_fields)


@pytest.mark.parametrize("name", ["analyst/views", "risk/opinion", "optimizer/opinion", "debate/bull", "debate/bear"])
def test_every_answer_there_is_has_one_example_in_compact_json(name: str):
    """One for each value of the field that decides: what no example shows, a small model never says."""
    decides = {"analyst": ("view", "side"), "debate": (None, "strength")}.get(name.partition("/")[0], ("vote", "vote"))
    examples = [json.loads(text) for text in load_prompt(name).examples]
    said = [(example[decides[0]] if decides[0] else example)[decides[1]] for example in examples]

    values = {"side": ["BUY", "HOLD", "SELL"], "strength": ["FAIR", "STRONG", "WEAK"]}
    assert sorted(said) == values.get(decides[1], ["ABSTAIN", "AGAINST", "FOR"])
    for text, example in zip(load_prompt(name).examples, examples, strict=True):
        assert json.dumps(example, separators=(",", ":")) == text


def test_a_change_of_the_text_changes_the_hash():
    one, other = parse_prompt("desk/test", GOOD), parse_prompt("desk/test", GOOD.replace("something", "nothing"))

    assert one.hash != other.hash


def test_a_rule_of_dashes_inside_the_text_stays_in_the_text():
    prompt = parse_prompt("desk/test", GOOD + "---\nMore.\n")

    assert prompt.system.endswith("---\nMore.")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Say something.", "no front matter"),
        ("---\nname: desk/test\n", "no front matter"),
        ("before\n" + GOOD, "no front matter"),
        (GOOD.replace("desk/test", "desk/other"), "says it is 'desk/other'"),
        (GOOD.replace("version: 1\n", ""), "version"),
        (GOOD.replace("version: 1", "version: one"), "version"),
        (GOOD.replace("version: 1", "version: 0"), "version"),
        (GOOD.replace("version: 1", "version: true"), "version"),
        (GOOD.replace("[as_of]", "as_of"), "inputs"),
        (GOOD.replace("[as_of]", "[1]"), "inputs"),
        (GOOD.replace("output:", "outputs:"), "outputs"),
        (GOOD.replace("name: desk/test", "name: [unclosed"), "not YAML"),
        ("---\njust a sentence\n---\ntext", "front matter"),
        (GOOD.replace("Say something.", "  "), "no text"),
    ],
)
def test_a_malformed_prompt_is_refused_and_the_message_says_why(text: str, says: str):
    with pytest.raises(PromptError, match="prompt desk/test") as refused:
        parse_prompt("desk/test", text)

    assert says in refused.value.message
    assert refused.value.remedy


def test_a_prompt_that_is_not_there_is_refused_by_name():
    with pytest.raises(PromptError, match="no prompt named 'risk/nothing'"):
        load_prompt("risk/nothing")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_any_front_matter_either_parses_or_raises_a_prompt_error(front: str):
    try:
        prompt = parse_prompt("desk/test", f"---\n{front}\n---\ntext")
    except PromptError as refused:
        assert refused.code == "prompt_error"
    else:
        assert prompt.name == "desk/test"
