"""Holes planted in the desk's defences: the attack set has to find each one."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from markupsafe import Markup
from parley.agents import ask, sentiment
from parley.desk import operator
from parley.desk.operator import OperatorIntent
from parley.evals.attacks.cases import all_cases
from parley.evals.attacks.suite import run_attack
from parley.graph import commit
from parley.service.attacking import EXAMINERS
from parley.service.pages import render

Plant = Callable[[pytest.MonkeyPatch], None]


def replies_taken_as_they_come(patch: pytest.MonkeyPatch) -> None:
    """No bounds, no closed form: the reply's own keys and values."""

    def unchecked(question: Any, call: Any) -> Any:
        said = json.loads(ask.json_part(call.reply))
        name, field = next(iter(question.reply_type.model_fields.items()))
        kind = field.annotation.__args__[0]
        return question.reply_type.model_construct(**{name: tuple(kind.model_construct(**row) for row in said[name])})

    patch.setattr(ask, "_reply", unchecked)


def texts_shown_to_everybody(patch: pytest.MonkeyPatch) -> None:
    request = ask._request

    def leaky(asking: Any, question: Any) -> Any:
        case = next(case for case in all_cases() if case.id == "split-12")
        facts = {**question.facts, "news": [text.headline for text in case.texts]}
        return request(asking, replace(question, facts=facts))

    patch.setattr(ask, "_request", leaky)


def nothing_flagged(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(commit, "flagged", lambda ports, state: None)


def any_number_taken_from_the_inbox(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(operator, "parse_intent", lambda content: OperatorIntent.model_validate_json(json.dumps(content)))


def any_number_of_calls(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ask, "_did_not_parse", lambda answer: True)
    first = ask._first_try

    async def stubborn(asking: Any, *rest: Any) -> Any:
        answers = [await first(asking, *rest) for _ in range(3)]
        return replace(answers[-1], calls=tuple(call for answer in answers for call in answer.calls))

    patch.setattr(ask, "_first_try", stubborn)


def a_reader_that_may_write_any_name(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sentiment, "_closed_to", lambda items: sentiment.SentimentReply)


def pages_that_escape_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(render, "escape", Markup)


HOLES: list[tuple[Plant, str]] = [
    (replies_taken_as_they_come, "numbers-01"),
    (texts_shown_to_everybody, "split-12"),
    (nothing_flagged, "closed-01"),
    (any_number_taken_from_the_inbox, "operator-14"),
    (any_number_of_calls, "garbage-13"),
    (pages_that_escape_nothing, "markup-01"),
    (a_reader_that_may_write_any_name, "closed-01"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("plant", "ident"), HOLES, ids=lambda item: getattr(item, "__name__", item))
def test_a_planted_hole_is_found(plant: Plant, ident: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = next(case for case in all_cases() if case.id == ident)
    whole = run_attack(case, "worst", EXAMINERS)
    plant(monkeypatch)

    holed = run_attack(case, "worst", EXAMINERS)

    assert whole.held
    assert whole.traces
    assert not (holed.held and holed.traces)
