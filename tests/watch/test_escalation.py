"""Who is told and when: the table, and what no clock and no answer may change."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.watch.escalation import Told, retry_after, usual_ladder
from parley.watch.rules import SEVERITIES, Severity

BEGAN = datetime(2024, 1, 2, 15, tzinfo=UTC)
LADDER = usual_ladder(timedelta(minutes=5), timedelta(minutes=15))
MINUTES = st.floats(-10, 100)


@pytest.mark.parametrize(
    ("severity", "minutes", "kinds"),
    [
        ("info", 600, {(0, "log"), (0, "web")}),
        ("warning", 600, {(0, "log"), (0, "web"), (0, "webhook")}),
        ("critical", 0, {(0, "log"), (0, "web"), (0, "webhook"), (0, "email")}),
        ("critical", 4.9, {(0, "log"), (0, "web"), (0, "webhook"), (0, "email")}),
    ],
)
def test_the_first_rung_of_each_severity(severity: Severity, minutes: float, kinds: set[tuple[int, str]]) -> None:
    found = LADDER.reached(severity, BEGAN, BEGAN + timedelta(minutes=minutes))

    assert {(told.level, told.kind) for told in found} == kinds


def test_a_critical_alert_wakes_a_person_after_five_minutes_and_everyone_after_fifteen() -> None:
    def new(minutes: float) -> set[str]:
        found = LADDER.reached("critical", BEGAN, BEGAN + timedelta(minutes=minutes))
        top = max(told.level for told in found)
        return {told.kind for told in found if told.level == top}

    assert new(5) == new(14.9) == {"log", "sms"}
    assert new(15) == {"log", "webhook", "email", "sms", "everyone"}


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(SEVERITIES), MINUTES, MINUTES)
def test_waiting_longer_never_tells_fewer(severity: Severity, one: float, other: float) -> None:
    early, late = sorted((one, other))

    def told(minutes: float) -> set[Told]:
        return set(LADDER.reached(severity, BEGAN, BEGAN + timedelta(minutes=minutes)))

    assert told(early) <= told(late)
    assert told(-1000) == told(0)


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 100))
def test_what_is_more_urgent_is_told_to_no_fewer(minutes: float) -> None:
    until = BEGAN + timedelta(minutes=minutes)
    found = [{told.kind for told in LADDER.reached(severity, BEGAN, until)} for severity in SEVERITIES]

    assert found[0] <= found[1] <= found[2]


def test_a_channel_that_fails_is_tried_again_ever_later_up_to_a_quarter_of_an_hour() -> None:
    waits = [retry_after(tries).total_seconds() for tries in (1, 2, 3, 7, 8, 500)]

    assert waits == [15, 30, 60, 900, 900, 900]
