"""The prompts' regression suite: it passes what is as it was, and catches a phrase that collapses the answers."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.agents.ask import Asking
from parley.agents.llm.port import ChatReply, ChatRequest
from parley.agents.llm.rules import RulesModel
from parley.evals.errors import CaseUnreadable
from parley.evals.harness.options import SuiteOptions
from parley.evals.harness.runner import Bounds
from parley.evals.prompt_baselines import RULES_ANSWERS
from parley.evals.prompt_cases import prompt_case
from parley.evals.prompt_regression import Stored, answers_of, compared, distance
from parley.prompts.loader import load_prompt
from parley.service.console import Console
from parley.service.evaluating import EvalRequest, perform_run

COUNTS = st.dictionaries(st.sampled_from(["BUY", "SELL", "HOLD"]), st.integers(1, 50), min_size=1)


class Collapsed(RulesModel):
    """The rules, but with one word for everything."""

    name = "collapsed"

    def __init__(self, **one: str) -> None:
        super().__init__()
        self._one = one

    async def complete(self, request: ChatRequest) -> ChatReply:
        reply = await super().complete(request)
        said = json.loads(reply.text)
        for rows in said.values():
            for row in rows:
                row.update({key: word for key, word in self._one.items() if key in row})
        return replace(reply, text=json.dumps(said))


def faults(model: RulesModel, stored: dict[str, Stored] | None = None) -> dict[str, tuple[str, ...]]:
    results = compared(asyncio.run(answers_of(Asking(model), range(2))), stored)
    return {result.prompt: result.faults for result in results if result.faults}


def kept(**answers: dict[str, int]) -> dict[str, Stored]:
    """What was stored of every prompt as it is; by keyword another answer, by the first part of its name."""
    return {
        name: Stored(load_prompt(name).version, load_prompt(name).hash, answers.get(name.partition("/")[0], usual))
        for name, usual in RULES_ANSWERS.items()
    }


def test_what_is_stored_of_the_rules_is_what_they_answer():
    assert asyncio.run(answers_of(Asking(RulesModel()), range(8))) == RULES_ANSWERS


def test_the_rules_have_no_fault():
    assert faults(RulesModel()) == {}
    assert faults(RulesModel(), kept()) == {}


@pytest.mark.parametrize(
    ("one", "prompts"),
    [
        ({"side": "BUY"}, {"analyst/views"}),
        ({"side": "HOLD"}, {"analyst/views"}),
        ({"vote": "AGAINST"}, {"risk/opinion", "optimizer/opinion", "execution/opinion"}),
    ],
)
def test_a_model_that_says_one_thing_of_everything_is_caught(one: dict[str, str], prompts: set[str]):
    assert set(faults(Collapsed(**one))) == prompts


def test_a_model_that_copies_facts_wrong_abstains_and_that_is_caught():
    assert set(faults(Collapsed(trend="FLAT"))) == {"analyst/views"}


def test_a_model_is_held_closer_to_its_own_past_than_to_the_rules():
    before = kept(analyst={"BUY": 30, "HOLD": 9, "SELL": 9})

    assert set(faults(RulesModel(), before)) == {"analyst/views"}


def test_a_text_that_changed_under_its_version_is_named():
    before = kept()
    before["risk/opinion"] = replace(before["risk/opinion"], hash="0" * 64)

    assert faults(RulesModel(), before) == {"risk/opinion": ("the text changed and the version is still 2",)}
    before["risk/opinion"] = replace(before["risk/opinion"], version=1)
    assert faults(RulesModel(), before) == {}


def test_the_same_seed_is_the_same_case_and_each_leaning_comes_twice():
    assert prompt_case(3) == prompt_case(3) != prompt_case(4)
    outlooks = [row["expected_return"] for row in prompt_case(3).reasoning.scores.values()]
    assert [sum(one > 0 for one in outlooks), sum(one < 0 for one in outlooks)] == [2, 2]


def test_a_distance_worked_by_hand():
    # BUY 1/2 against 1/4, SELL 1/2 against 3/4: half of (1/4 + 1/4).
    assert distance({"BUY": 2, "SELL": 2}, {"BUY": 1, "SELL": 3}) == 0.25
    assert distance({"BUY": 1}, {"SELL": 5}) == 1.0


@settings(max_examples=40, deadline=None)
@given(COUNTS, COUNTS)
def test_a_distance_is_symmetric_within_one_and_nothing_for_the_same_shares(one: Any, other: Any):
    assert 0 <= distance(one, other) <= 1
    assert distance(one, other) == pytest.approx(distance(other, one))
    assert distance(one, {key: 3 * count for key, count in one.items()}) == pytest.approx(0)


def perform_prompts(book: Path, **options: Any) -> bool:
    asked = SuiteOptions(model="rules", book=book, **options)
    return perform_run(EvalRequest(("prompts",), asked, Bounds()), Console(as_json=True))


def test_a_record_that_is_none_or_of_another_model_is_refused(tmp_path: Path):
    record = tmp_path / "answers.json"
    record.write_text("{}")
    with pytest.raises(CaseUnreadable, match="no record"):
        perform_prompts(tmp_path / "book", replay=record)
    record.write_text('{"model": "other", "prompts": {}}')
    with pytest.raises(CaseUnreadable, match="'other'"):
        perform_prompts(tmp_path / "book", replay=record)


def test_a_record_is_written_and_compared_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    record = tmp_path / "answers.json"
    assert perform_prompts(tmp_path / "book", out=record)
    assert perform_prompts(tmp_path / "book", replay=record)
    told = capsys.readouterr().out
    assert told.count('"ok": true') == 2

    record.write_text(record.read_text().replace('"BUY": 16', '"BUY": 160'))
    assert not perform_prompts(tmp_path / "book", replay=record)
