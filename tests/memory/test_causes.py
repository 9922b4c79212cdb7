"""Causes: which event each one names, and that a restart or a rewind names the same."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.control_events import BookReconciled, OperatorAsked, TradingStateChanged
from parley.domain.events import Event, EvidenceRecorded, NewEvent, RunFinished
from parley.domain.trading import ACCOUNT, TradingState
from parley.memory.causes import Causes
from parley.memory.log import EventLog
from parley.storage.sql import open_in_memory


def facts_of(story: Any) -> list[NewEvent]:
    asked = OperatorAsked(command="halt", user="ada", reason="fed day", scope=ACCOUNT)
    halted = TradingStateChanged(
        scope=ACCOUNT,
        before=TradingState.ACTIVE,
        after=TradingState.HALTED,
        cause="operator",
        name="halt",
        reason="fed day",
    )
    filled = story.filled(2)
    return [
        story.started(),
        *story.session(1),
        story.fact(EvidenceRecorded(decision_id="dec-2", entries=()), decision_id="dec-2"),
        *story.session(2)[:4],
        filled,
        story.busted(filled),
        story.closed(2, 0, "unfilled"),
        story.marked(2),
        story.fact(asked, "control"),
        story.fact(halted, "control"),
        story.decided(3, kind="no_trade"),
    ]


def placed(causes: Causes, facts: list[NewEvent], seq: int) -> list[NewEvent]:
    """The facts with the causes that the log would name."""
    places = [causes.place(fact, place) for place, fact in enumerate(facts, seq + 1)]
    return [fact.model_copy(update={"cause_id": cause_id}) for fact, (_, cause_id) in zip(facts, places, strict=True)]


def append_all(facts: list[NewEvent], restarts: frozenset[int] = frozenset()) -> list[Event]:
    """Each fact in an append of its own; at the given places whoever fills the causes starts anew."""
    log = EventLog(open_in_memory())
    causes = Causes(log)
    for place, fact in enumerate(facts):
        if place in restarts:
            causes = Causes(log)
        log.append(placed(causes, [fact], log.head()[0]))
    return list(log.read())


def test_each_event_names_the_nearest_event_that_brought_it_about(story: Any) -> None:
    events = append_all(facts_of(story))
    kinds = {event.id: event.type for event in events}

    assert [(event.type, kinds.get(event.cause_id or "")) for event in events] == [
        ("RunStarted", None),
        ("DecisionMade", None),
        ("PlanApproved", "DecisionMade"),
        ("OrderOpened", "PlanApproved"),
        ("ChildSubmitted", "PlanApproved"),
        ("OrderFilled", "ChildSubmitted"),
        ("ChildClosed", "ChildSubmitted"),
        ("OrderClosed", "ChildClosed"),
        ("PortfolioMarked", None),
        ("EvidenceRecorded", "PortfolioMarked"),
        ("DecisionMade", "EvidenceRecorded"),
        ("PlanApproved", "DecisionMade"),
        ("OrderOpened", "PlanApproved"),
        ("ChildSubmitted", "PlanApproved"),
        ("OrderFilled", "ChildSubmitted"),
        ("FillBusted", "OrderFilled"),
        ("OrderClosed", "FillBusted"),
        ("PortfolioMarked", None),
        ("OperatorAsked", None),
        ("TradingStateChanged", "OperatorAsked"),
        ("DecisionMade", None),
    ]


def test_a_cause_that_was_given_stays(story: Any) -> None:
    given_cause = story.filled(1).model_copy(update={"cause_id": "evt-mine"})
    log = EventLog(open_in_memory())

    filled = placed(Causes(log), [story.started(), story.submitted(1), given_cause], 0)

    assert [fact.cause_id for fact in filled] == [None, None, "evt-mine"]


def test_facts_of_one_append_can_cause_one_another(story: Any) -> None:
    facts = facts_of(story)
    log = EventLog(open_in_memory())
    log.append(placed(Causes(log), facts, 0))

    assert list(log.read()) == append_all(facts)


@settings(max_examples=40, deadline=None)
@given(restarts=st.frozensets(st.integers(0, 20)))
def test_a_restart_anywhere_names_the_same_causes(story: Any, restarts: frozenset[int]) -> None:
    facts = facts_of(story)

    assert append_all(facts, restarts) == append_all(facts)


def test_a_halt_names_the_last_reconciliation_whichever_decision_it_was_under(story: Any) -> None:
    def reconciled(decision_id: str) -> NewEvent:
        found = BookReconciled(venue="paper", orders_checked=1, executions_checked=1, differences=())
        return story.fact(found, "venue/paper", decision_id=decision_id)

    halted = TradingStateChanged(
        scope=ACCOUNT,
        before=TradingState.ACTIVE,
        after=TradingState.HALTED,
        cause="reconciliation",
        name="drift",
        reason="a position differs",
    )
    facts = [story.started(), reconciled("dec-1"), reconciled("dec-2"), story.fact(halted, decision_id="dec-1")]

    events, again = append_all(facts), append_all(facts, frozenset({3}))

    assert events[-1].cause_id == events[2].id
    assert again == events


@pytest.mark.parametrize("seq", range(22))
def test_a_rewind_names_the_same_causes_again(story: Any, seq: int) -> None:
    facts = facts_of(story)
    log = EventLog(open_in_memory())
    causes = Causes(log)
    log.append(placed(causes, facts, 0))
    before = list(log.read())
    log.rewind(min(seq, len(facts)))

    for fact in facts[log.head()[0] :]:
        log.append(placed(causes, [fact], log.head()[0]))  # raises DivergedLog were a cause another one

    assert list(log.read()) == before


def test_the_end_of_a_run_is_caused_by_its_last_close(story: Any) -> None:
    log = EventLog(open_in_memory())
    causes = Causes(log)
    log.append(placed(causes, [story.started(), *story.session(1)], 0))
    over = RunFinished(
        run_id="run-1", sessions=1, decisions=1, orders=1, fills=1, vetoes=0, abstentions=0, llm_calls=2,
        equity=story.cash,
    )  # fmt: skip

    filled = placed(causes, [story.fact(over)], log.head()[0])

    assert filled[0].cause_id == list(log.read())[-1].id
