"""A line that dies in the middle of a moment: one order without an answer, and not one for each leg."""

from collections import Counter
from datetime import datetime
from typing import Any

import pytest
from parley.domain.events import CancelRequested, ChildSubmitted, ChildUnresolved, NewEvent
from parley.domain.market import Quote
from parley.domain.trading import UNRESTRICTED, TradingStates
from parley.execution.errors import VenueUnreachable
from parley.execution.watching import Reading

from .scripted import ScriptedVenue


class Cut(ScriptedVenue):
    """Takes no send and no cancel between two moments, and answers questions and quotes all the while."""

    def __init__(self, since: datetime, until: datetime) -> None:
        super().__init__()
        self._since, self._until, self._now = since, until, since
        self.asked: list[datetime] = []

    def on_quote(self, quote: Quote) -> Any:
        self._now = quote.ts_event
        return super().on_quote(quote)

    def submit(self, order: Any) -> Any:
        self._reach()
        super().submit(order)
        child = order.child
        self.fill(child.client_order_id, child.quantity, child.created_at)
        return self.deliver()

    def cancel(self, client_order_id: str, at: datetime) -> Any:
        self._reach()
        super().cancel(client_order_id, at)
        return self.deliver()

    def _reach(self) -> None:
        self.asked.append(self._now)
        if self._since <= self._now < self._until:
            raise VenueUnreachable("the line is down")


def of(log: list[NewEvent], kind: type) -> list[Any]:
    return [event.payload for event in log if isinstance(event.payload, kind)]


def test_after_a_send_without_an_answer_the_other_legs_wait_for_the_next_moment(floor: Any) -> None:
    log: list[NewEvent] = []
    venue = Cut(floor.opens, floor.at(30))
    plan = floor.approved(*(floor.leg(name, "BUY", 100) for name in floor.symbols))

    result = floor.work(plan, floor.quotes(floor.symbols), log, venue=venue)

    lost = [event.event_time for event in log if isinstance(event.payload, ChildUnresolved)]
    assert lost == [floor.opens], "one order is unknown, not three"
    sent_at = [payload.child.created_at for payload in of(log, ChildSubmitted)]
    assert [at >= floor.at(30) for at in sent_at] == [False, True, True]
    assert {fill.symbol for fill in result.fills} >= {"BBB", "CCC"}


def test_a_line_that_stays_dead_is_tried_once_a_moment(floor: Any) -> None:
    log: list[NewEvent] = []
    venue = Cut(floor.opens, floor.closes)
    plan = floor.approved(*(floor.leg(name, "BUY", 100, 4) for name in floor.symbols))

    result = floor.work(plan, floor.quotes(floor.symbols), log, venue=venue)

    assert max(Counter(venue.asked).values()) == 1
    assert result.fills == ()
    assert not result.stopped


@pytest.mark.parametrize("minutes", [180, 210])
def test_a_slice_whose_cancel_got_no_answer_begins_at_the_next_moment(floor: Any, minutes: int) -> None:
    log: list[NewEvent] = []
    venue = Cut(floor.at(minutes), floor.at(minutes + 30))
    venue.submit = lambda order: ScriptedVenue.submit(venue, order)  # rests, and is never filled
    plan = floor.approved(floor.leg("AAA", "BUY", 100, 2))

    floor.work(plan, floor.quotes(), log, venue=venue)

    begins = floor.at(240 if minutes == 210 else 210)
    assert [payload.child.quantity for payload in of(log, ChildSubmitted)] == [50, 100]
    assert of(log, ChildSubmitted)[1].child.created_at == begins
    assert len(of(log, CancelRequested)) == (2 if minutes == 210 else 1)


class Silent(Cut):
    """A line that is dead for questions too, from its first order on."""

    def _ask(self) -> None:
        if self.asked:
            raise VenueUnreachable("the line is down")


class Watching:
    def __init__(self) -> None:
        self.unresolved: list[int] = []

    def states(self, now: datetime) -> TradingStates:
        return UNRESTRICTED

    def observe(self, reading: Reading) -> None:
        self.unresolved.append(reading.unresolved)


def test_an_order_counts_as_unresolved_once_the_venue_was_asked_again_in_vain(floor: Any) -> None:
    watch = Watching()
    plan = floor.approved(*(floor.leg(name, "BUY", 100, 4) for name in floor.symbols))

    floor.work(plan, floor.quotes(floor.symbols), [], venue=Silent(floor.opens, floor.closes), watch=watch)

    assert watch.unresolved[:2] == [0, 1]
    assert set(watch.unresolved[1:]) == {1}
