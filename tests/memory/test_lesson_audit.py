"""A lesson that the log does not bear out is found by `parley verify`, although the chain holds."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from parley.domain.events import Actor, DecisionMade, Event, OrderClosed, Payload, ReflectionWritten
from parley.domain.orders import Side
from parley.domain.reflections import Recollection, Reflection
from parley.domain.views import Stance
from parley.memory.lesson_audit import LessonAudit
from parley.memory.reflections import Measured, reflections_of

from .conftest import Story
from .lesson_kit import BEGIN, setup

KNOWN_AT = BEGIN + timedelta(days=40)


def _decided() -> DecisionMade:
    made = Story().decided(1).payload
    assert isinstance(made, DecisionMade)
    memory = Recollection(setups={"AAPL": setup()}, shown={})
    return DecisionMade(decision=made.decision.model_copy(update={"memory": memory}))


DECIDED = _decided()
CLOSED = OrderClosed(
    order_id="ord-1",
    decision_id="dec-1",
    filled=100,
    unfilled=0,
    average_price=Decimal("10.01"),
    arrival_price=Decimal("10.00"),
    fees=Decimal("1"),
    shortfall_bps=10.0,
    status="filled",
)
(SOUND,) = reflections_of(DECIDED.decision, [CLOSED], Measured(KNOWN_AT, 21, {"AAPL": 0.1}))


def audited(payloads: Iterable[Payload]) -> LessonAudit:
    audit = LessonAudit()
    for seq, payload in enumerate(payloads, 1):
        audit.take(_event(seq, payload), payload)
    return audit


def _event(seq: int, payload: Payload) -> Event:
    at = KNOWN_AT if isinstance(payload, ReflectionWritten) else BEGIN
    return Event.model_construct(seq=seq, event_time=at, actor=Actor(kind="desk", name="story"), type="")


def test_a_lesson_as_its_decision_and_order_have_it_is_sound():
    audit = audited([DECIDED, CLOSED, ReflectionWritten(reflection=SOUND)])

    assert audit.findings() == () and audit.lessons == 1


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"symbol": "MSFT"}, "of a leg that no earlier decision has"),
        ({"decision_id": "dec-2"}, "of a leg that no earlier decision has"),
        ({"setup": setup(trend="DOWN")}, "another setup"),
        ({"action": Side.SELL}, "another side"),
        ({"said": Stance.SELL}, "another signal"),
        ({"cost_bps": 1.0}, "other costs"),
        ({"available_at": KNOWN_AT - timedelta(days=9)}, "dated otherwise"),
        ({"reflection_id": "les-0000000000000000"}, "another id"),
        ({"decided_at": BEGIN - timedelta(days=9)}, "known before its decision"),
    ],
)
def test_a_lesson_that_says_otherwise_is_found(changes: dict[str, Any], text: str):
    forged: Reflection = SOUND.model_copy(update=changes)

    (first, *_) = audited([DECIDED, CLOSED, ReflectionWritten(reflection=forged)]).findings()

    assert first.code == "lesson_differs" and first.seq == 3 and text in first.text


def test_a_lesson_before_its_order_ended_and_one_told_twice_are_found():
    written = ReflectionWritten(reflection=SOUND)

    early = audited([DECIDED, written, CLOSED]).findings()
    twice = audited([DECIDED, CLOSED, written, written]).findings()

    assert ["other costs" in item.text for item in early] == [True]
    assert [(item.seq, "second time" in item.text) for item in twice] == [(4, True)]
