"""The debate on a decision's page: both cases, what they moved, and advice beside a vote."""

import copy
from typing import Any

import pytest
from parley.domain.events import Event
from parley.domain.views import Advice, Case, ConfidenceMove, Debate, Speaker, Strength
from parley.service.page_proof import problems
from parley.service.reports import RunRecord, decision_report

WORDS = 'The outlook is "fair" <b>'


@pytest.fixture
def argued(run_events: list[Event]) -> tuple[str, list[Event]]:
    """The hand-made run, where the first decision with votes had a debate and a piece of advice."""
    place, event = next(
        (place, event)
        for place, event in enumerate(run_events)
        if event.type == "DecisionMade" and decision_of(event)["votes"] and decision_of(event)["signals"]
    )
    payload: Any = copy.deepcopy(event.payload)
    decision = payload["decision"]
    symbol = decision["signals"][0]["symbol"]
    case = Case(speaker=Speaker.BULL, symbol=symbol, leans_on="outlook", strength=Strength.STRONG, words=WORDS)
    debate = Debate(gaps={symbol: 0.9}, cases=(case,), moves=(ConfidenceMove(symbol=symbol, before=53, after=58),))
    decision["debate"] = debate.model_dump(mode="json")
    decision["votes"][0]["advice"] = Advice.HALVE.value
    events = [*run_events[:place], event.model_copy(update={"payload": payload}), *run_events[place + 1 :]]
    return decision["decision_id"], events


def decision_of(event: Event) -> Any:
    payload: Any = event.payload
    return payload["decision"]


def test_a_debate_is_shown_with_every_number_in_the_twin(argued: tuple[str, list[Event]]) -> None:
    decision_id, events = argued
    report = decision_report(RunRecord.from_events(events), decision_id, links=())

    assert problems(report) == []
    assert "Debate where the sources disagree" in report.html
    assert "STRONG, leaning on outlook" in report.html and "no case" in report.html
    assert "&lt;b&gt;" in report.html and "<b>" not in report.html
    assert "HALVE" in report.html


def test_a_decision_without_a_debate_says_nothing_of_one(run_events: list[Event]) -> None:
    decision_id = next(event.decision_id for event in run_events if event.type == "DecisionMade")
    assert decision_id is not None
    report = decision_report(RunRecord.from_events(run_events), decision_id, links=())

    assert "Debate" not in report.html
