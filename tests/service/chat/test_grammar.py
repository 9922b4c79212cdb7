"""The grammar finds what a question means and what it names, in several languages, and asks back in doubt."""

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.service.answers.table import ASKABLES
from parley.service.chat.entities import named_in
from parley.service.chat.grammar import grammar
from parley.service.chat.lexicon import edit_distance, lexicon, normalized
from parley.service.chat.specialists import SPECIALISTS
from parley.service.chat_suite import QUESTIONS_PATH
from parley.service.intents.intent import NEEDS

SYMBOLS = ("AAPL", "GE", "JPM", "MSFT", "XOM")
SECTORS = ("Energy", "Information Technology")
ABOUT: list[dict[str, Any]] = tomllib.loads(QUESTIONS_PATH.read_text(encoding="utf-8"))["about"]


def filled(question: str) -> str:
    return question.replace("{symbol}", "MSFT").replace("{order}", "par-0123456789").replace("{day}", "2020-03-09")


@pytest.mark.parametrize("about", ABOUT, ids=lambda about: about["means"])
def test_a_question_means_the_same_in_every_wording(about: dict[str, Any]) -> None:
    for question in about["also"]:
        best = grammar().understand(filled(question), SYMBOLS, SECTORS).best
        assert best is None or best.name == about["means"], (question, best)
    if "public" in about:
        best = grammar().understand(filled(about["public"]), SYMBOLS, SECTORS).best
        assert best is not None and best.name == about["means"]


def test_there_are_thirty_public_questions_and_many_more_wordings() -> None:
    assert sum("public" in about for about in ABOUT) == 30
    assert sum(len(about["also"]) for about in ABOUT) >= 120


def test_every_rule_leads_to_something_that_is_there() -> None:
    known = {*lexicon().words, *(concept for _, concept in lexicon().phrases)}
    concepts = {item for found in lexicon().words.values() for item in found} | {item for _, item in lexicon().phrases}
    marks = {"SYM", "ORD", "DAY", "PCT", "NUM", "LIM", "SEC"}
    assert known
    for rule in grammar().rules:
        target = rule.target
        names = {"ask": set(ASKABLES), "do": set(NEEDS), "refuse": set(grammar().refusals)}[target.sort]
        assert target.name in names
        for need in (*rule.needs, *rule.also, *rule.never):
            assert set(need.split("|")) <= concepts | marks, need


def test_every_question_of_the_table_is_reached_by_a_rule_and_a_specialist() -> None:
    assert {rule.ask for rule in grammar().rules} >= set(ASKABLES)
    assert {name for item in SPECIALISTS.values() for name in item.asks} == set(ASKABLES)
    assert {name for item in SPECIALISTS.values() for name in item.does} == set(NEEDS)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("List trades above 10,000 USD", {"numbers": (10_000.0,)}),
        ("Trades über 10.000 USD", {"numbers": (10_000.0,)}),
        ("auf 0,9 steigen", {"numbers": (0.9,)}),
        ("over 10k", {"numbers": (10_000.0,)}),
        ("falls 7.5 %", {"percents": (0.075,)}),
        ("fällt um 10 Prozent", {"percents": (0.10,)}),
        ("on 9 March 2020", {"day": "2020-03-09"}),
        ("am 9. März 2020", {"day": "2020-03-09"}),
        ("le 9 mars 2020", {"day": "2020-03-09"}),
        ("el 9 de marzo de 2020", {"day": "2020-03-09"}),
        ("on 2020-02-30", {"day": ""}),
        ("the 09:45 run", {"time": "09:45"}),
        ("Microsft and exxon", {"symbols": ("MSFT", "XOM")}),
        ("sell msft", {"symbols": ("MSFT",)}),
        ("the VaR of NVDA", {"symbols": ("NVDA",)}),
        ("cancel PAR-01ab", {"ids": ("par-01ab",)}),
        ("names in energy", {"sector": "Energy"}),
    ],
)
def test_what_is_named_is_found(text: str, found: dict[str, Any]) -> None:
    named = named_in(text, SYMBOLS, SECTORS)

    assert {name: getattr(named, name) for name in found} == found


@pytest.mark.parametrize("text", ["", "?", "lorem ipsum dolor", "42", "🙂🙂", "\u202e evil"])
def test_what_means_nothing_is_asked_back(text: str) -> None:
    assert grammar().understand(text, SYMBOLS).best is None


@pytest.mark.parametrize(
    "text",
    ["Why was trading halted?", "what if we halt XOM", "Why did you cancel order par-0123456789?", "did we sell XOM"],
)
def test_a_question_about_a_command_is_none(text: str) -> None:
    best = grammar().understand(text, SYMBOLS).best

    assert best is None or best.sort == "ask"


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_the_same_way_twice(text: str) -> None:
    one, other = grammar().understand(text, SYMBOLS, SECTORS), grammar().understand(text, SYMBOLS, SECTORS)

    assert one == other
    assert set(normalized(text)) <= set(normalized(normalized(text))) | {" "}


def test_slips_of_the_pen_are_counted_with_swaps_as_one() -> None:
    assert edit_distance("cancle", "cancel", 2) == 1
    assert edit_distance("kitten", "sitting", 3) == 3
    assert edit_distance("abc", "xyz", 1) == 2
