"""A session killed at each of its events and taken up again from the log: the same fills, nothing lost or doubled."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from parley.domain.events import (
    CancelRequested,
    ChildClosed,
    ChildSubmitted,
    ChildUnresolved,
    NewEvent,
    OrderClosed,
    OrderFilled,
)
from parley.execution.errors import SessionRefused
from parley.execution.venues.fees import FeeModel

from .scripted import as_events


class Killed(Exception):
    """The process is gone."""


def kill_at(log: list[NewEvent], count: int, *, keeps_last: bool) -> Any:
    """An emit that ends the process at its n-th event, just after it was recorded or just before."""

    def emit(event: NewEvent) -> None:
        if len(log) == count and not keeps_last:
            raise Killed
        log.append(event)
        if len(log) == count + 1 and keeps_last:
            raise Killed

    return emit


def world(floor: Any) -> tuple[Any, Any, list[Any]]:
    """A sell and a buy in four slices, with sizes so small that slices are canceled and carried on."""
    state = floor.state(held={"BBB": 500})
    plan = floor.approved(floor.leg("AAA", "BUY", 300, 4), floor.leg("BBB", "SELL", 220, 4), state=state)
    sizes = [30, 5, 2, 1, 20, 10, 4, 40, 70, 25, 90, 20, 5, 3]
    quotes = [floor.quote(symbol, 30 * k, size=size) for k, size in enumerate(sizes) for symbol in ("AAA", "BBB")]
    return plan, floor.venue(FeeModel(), portfolio=state.portfolio), quotes


def test_a_session_killed_at_any_event_ends_with_the_fills_of_an_uninterrupted_one(floor: Any) -> None:
    plan, venue, quotes = world(floor)
    whole: list[NewEvent] = []
    expected = floor.work(plan, quotes, whole, venue=venue)
    assert {type(event.payload) for event in whole} >= {CancelRequested, OrderFilled}

    for count in range(len(whole)):
        for keeps_last in (True, False):
            _, venue, _ = world(floor)
            log: list[NewEvent] = []
            with pytest.raises(Killed):
                floor.work(plan, quotes, log, venue=venue, emit=kill_at(log, count, keeps_last=keeps_last))
            since = log[-1].event_time if log else floor.opens
            rest = [quote for quote in quotes if quote.ts_event >= since]

            result = floor.work(plan, rest, log, venue=venue, resume=as_events(log))

            assert Counter(result.fills) == Counter(expected.fills), (count, keeps_last)
            assert result.portfolio.cash == expected.portfolio.cash
            assert not result.stopped
            booked = [e.payload.fill.execution_id for e in log if isinstance(e.payload, OrderFilled)]
            sent = [e.payload.child.client_order_id for e in log if isinstance(e.payload, ChildSubmitted)]
            closed = [e.payload.order_id for e in log if isinstance(e.payload, OrderClosed)]
            for names in (booked, sent, closed):
                assert len(names) == len(set(names))
            assert len(closed) == 2


def test_a_session_killed_again_and_again_still_ends_the_same(floor: Any) -> None:
    plan, venue, quotes = world(floor)
    expected = floor.work(plan, quotes, [], venue=venue)
    _, venue, _ = world(floor)
    log: list[NewEvent] = []
    kills = 0

    while True:
        since = log[-1].event_time if log else floor.opens
        rest = [quote for quote in quotes if quote.ts_event >= since]
        emit = kill_at(log, len(log) + 2, keeps_last=kills % 2 == 0)
        try:
            result = floor.work(plan, rest, log, venue=venue, resume=as_events(log), emit=emit)
            break
        except Killed:
            kills += 1
            assert kills < 200, "the session does not get on"

    assert kills > 5
    assert Counter(result.fills) == Counter(expected.fills)


def test_an_order_that_never_left_is_not_sent_after_its_plan_is_stale(floor: Any) -> None:
    log: list[NewEvent] = []
    plan, venue, quotes = world(floor)
    with pytest.raises(Killed):
        floor.work(plan, quotes, log, venue=venue, emit=kill_at(log, 1, keeps_last=True))
    assert isinstance(log[-1].payload, ChildSubmitted)
    name = log[-1].payload.child.client_order_id
    late = [quote for quote in quotes if quote.ts_event >= floor.opens + timedelta(hours=1)]

    floor.work(plan, late, log, venue=venue, resume=as_events(log))

    assert venue.order(name) is None
    told = [event.payload for event in log if getattr(event.payload, "client_order_id", "") == name]
    assert isinstance(told[0], ChildUnresolved)
    assert isinstance(told[-1], ChildClosed)
    assert "never arrived" in told[-1].reason


def test_events_of_another_plan_are_refused(floor: Any) -> None:
    plan, venue, quotes = world(floor)
    log: list[NewEvent] = []
    other = floor.approved(floor.leg("CCC", "BUY", 10))
    floor.work(other, floor.quotes(("CCC",)), log)

    with pytest.raises(SessionRefused, match="no leg of this plan"):
        floor.work(plan, quotes, [], venue=venue, resume=as_events(log))
