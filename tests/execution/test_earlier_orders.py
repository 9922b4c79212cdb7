"""A session and the orders before it: one venue for several plans of a day, and what an earlier one left open."""

from decimal import Decimal
from typing import Any

import pytest
from parley.domain.control_events import BookReconciled
from parley.domain.events import CancelRequested, ChildClosed, FillBusted, NewEvent, OrderClosed, OrderFilled
from parley.domain.orders import OrderState, Plan, Side
from parley.domain.trading import ACCOUNT, TradingState, TradingStates
from parley.execution.errors import VenueUnreachable
from parley.execution.hours import SessionHours
from parley.execution.session_book import SessionBook
from parley.execution.venues.venue import VenueOrder
from parley.execution.watching import Unwatched
from parley.gate.gate import review_plan
from parley.gate.state import WorkingOrder
from parley.memory.sent_orders import SentOrder, SentOrders

from .scripted import ScriptedVenue, as_events


def sent(log: list[NewEvent]) -> SentOrders:
    found = SentOrders()
    for event in as_events(log):
        found.fold(event.decoded())
    return found


def second_plan(floor: Any, portfolio: Any, *legs: Any, working: tuple[SentOrder, ...] = ()) -> Any:
    """A plan of another decision, half way through the same day."""
    marks = dict.fromkeys(floor.symbols, Decimal(100))
    equity = portfolio.equity(marks)
    open_now = tuple(
        WorkingOrder(item.child.client_order_id, item.child.symbol, item.child.side, item.open_quantity, Decimal(101))
        for item in working
    )
    state = floor.state(portfolio=portfolio, equity=equity, previous_equity=equity, working=open_now)
    legs = tuple(leg.model_copy(update={"decision_id": "d2", "order_id": f"second-{leg.symbol}"}) for leg in legs)
    plan = Plan(plan_id="p2", decision_id="d2", as_of=floor.at(180), legs=legs)
    verdict, approved = review_plan(plan, state, floor.limits, floor.at(180))
    assert approved is not None, verdict.reasons
    return approved


def afternoon(floor: Any) -> SessionHours:
    return SessionHours(floor.at(180), floor.at(181), floor.closes)


def of(log: list[NewEvent], kind: type) -> list[Any]:
    return [event.payload for event in log if isinstance(event.payload, kind)]


def morning(floor: Any, venue: Any, log: list[NewEvent], quantity: int = 100, side: str = "BUY") -> Any:
    """A session over the first three hours; the venue stays open."""
    plan = floor.approved(floor.leg("AAA", side, quantity), state=floor.state(held={"AAA": 100, "BBB": 100}))
    hours = SessionHours(floor.decided, floor.opens, floor.at(179))
    venue_close, venue.close = venue.close, lambda at: ()
    result = floor.work(plan, floor.quotes(("AAA",), 6), log, venue=venue, hours=hours)
    venue.close = venue_close
    return result


def test_two_plans_at_one_venue_on_one_day_do_not_stop_each_other(floor: Any) -> None:
    log: list[NewEvent] = []
    venue = floor.venue(portfolio=floor.state(held={"AAA": 100, "BBB": 100}).portfolio)
    first = morning(floor, venue, log)
    before = sent(log)

    plan = second_plan(floor, first.portfolio, floor.leg("AAA", "SELL", 200))
    quotes = [floor.quote(minutes=200), floor.quote(minutes=230)]
    second = floor.work(plan, quotes, log, venue=venue, hours=afternoon(floor), before=before.all)

    assert (first.stopped, second.stopped) == ("", "")
    assert second.portfolio.quantity("AAA") == 0
    assert all(payload.is_explained for payload in of(log, BookReconciled))
    # Without the day's earlier orders the venue's executions are strangers': this is what the ids are passed for.
    alone = floor.work(plan, quotes, [], venue=venue, hours=afternoon(floor))
    assert "never sent" in alone.stopped


def left_unknown(floor: Any, venue: ScriptedVenue, log: list[NewEvent]) -> Any:
    """A morning whose one order got no answer, and nobody could be asked what became of it."""
    venue.line = "answer lost"
    submit = venue.submit

    def lose(order: Any) -> Any:
        venue.is_silent = True
        return submit(order)

    venue.submit = lose
    result = morning(floor, venue, log)
    venue.submit, venue.is_silent = submit, False
    return result


def test_an_order_nobody_knows_the_outcome_of_is_open_in_the_log_until_it_is_resolved(floor: Any) -> None:
    log: list[NewEvent] = []
    venue = ScriptedVenue()
    first = left_unknown(floor, venue, log)
    left = sent(log).open
    assert [(item.child.symbol, item.open_quantity) for item in left] == [("AAA", 100)]
    assert "not resolved" in first.stopped or "could not be reached" in first.stopped

    plan = second_plan(floor, first.portfolio, floor.leg("BBB", "SELL", 50), working=left)
    second = floor.work(
        plan, [floor.quote("BBB", 200), floor.quote("BBB", 230)], log, venue=venue, hours=afternoon(floor), before=left
    )

    # The venue had it all the while: it is asked for back, and then it is over.
    assert venue.orders[left[0].child.client_order_id].state is OrderState.CANCELED
    asked = of(log, CancelRequested)[-1]
    assert (asked.client_order_id, asked.reason) == (left[0].child.client_order_id, "its plan is over")
    assert sent(log).open == ()
    assert second.stopped == ""


def test_what_an_earlier_order_filled_meanwhile_is_booked_under_its_own_decision(floor: Any) -> None:
    log: list[NewEvent] = []
    venue = ScriptedVenue()
    first = left_unknown(floor, venue, log)
    left = sent(log).open
    venue.fill(left[0].child.client_order_id, 100, floor.at(150))
    venue.pending.clear()

    plan = second_plan(floor, first.portfolio, floor.leg("BBB", "SELL", 50), working=left)
    second = floor.work(
        plan, [floor.quote("BBB", 200), floor.quote("BBB", 230)], log, venue=venue, hours=afternoon(floor), before=left
    )

    (event,) = [event for event in log if isinstance(event.payload, OrderFilled)]
    assert (event.decision_id, event.order_id) == ("d1", "leg-AAA")
    assert second.portfolio.quantity("AAA") == first.portfolio.quantity("AAA") + 100
    assert sent(log).open == ()
    assert second.stopped == ""


@pytest.mark.parametrize("knows", ["expired", "nothing"])
def test_a_venue_of_another_day_ends_what_an_earlier_one_left(floor: Any, knows: str) -> None:
    log: list[NewEvent] = []
    first = left_unknown(floor, ScriptedVenue(), log)
    left = sent(log).open
    fresh = ScriptedVenue()
    name = left[0].child.client_order_id
    if knows == "expired":
        seen = VenueOrder(name, "AAA", Side.BUY, 100, OrderState.EXPIRED, 0, floor.at(179), "the day is over")
        fresh.order = lambda client_order_id: seen if client_order_id == name else None

    plan = second_plan(floor, first.portfolio, floor.leg("BBB", "SELL", 50), working=left)
    result = floor.work(plan, [floor.quote("BBB", 200)], log, venue=fresh, hours=afternoon(floor), before=left)

    closed = [payload for payload in of(log, ChildClosed) if payload.client_order_id == name]
    assert [payload.state for payload in closed] == [OrderState.EXPIRED]
    assert closed[0].reason == (
        "the day is over" if knows == "expired" else "its plan is over, and the venue does not know it any more"
    )
    assert name not in fresh.sent
    assert result.stopped == ""


def test_while_it_is_open_an_earlier_order_counts_at_its_worst(floor: Any) -> None:
    log: list[NewEvent] = []
    venue = ScriptedVenue()
    first = left_unknown(floor, venue, log)
    left = sent(log).open
    venue.is_silent = True

    def unheard(*asked: Any, **named: Any) -> Any:
        raise VenueUnreachable("no line")

    venue.cancel = venue.close = unheard
    plan = second_plan(floor, first.portfolio, floor.leg("BBB", "SELL", 50), working=left)
    result = floor.work(plan, [floor.quote("BBB", 200)], log, venue=venue, hours=afternoon(floor), before=left)

    assert len(sent(log).open) == 1
    book = SessionBook(plan.terms, left, floor.opens.date())
    assert (book.reserved, book.unexecuted) == (Decimal(10_100), Decimal(10_100))
    assert "not resolved" in result.stopped


def test_a_bust_of_an_earlier_plans_execution_stops_the_session(floor: Any) -> None:
    log: list[NewEvent] = []
    venue = ScriptedVenue({"AAA": 100, "BBB": 100})
    first = morning(floor, venue, log)
    name = venue.sent[0]
    venue.fill(name, 100, floor.at(170))
    before = sent([*log, _told(log, venue)])
    venue.bust(venue.told[0].fill, floor.at(190))

    plan = second_plan(floor, floor.state(held={"AAA": 200, "BBB": 100}).portfolio, floor.leg("BBB", "SELL", 50))
    result = floor.work(plan, [floor.quote("BBB", 200)], log, venue=venue, hours=afternoon(floor), before=before.all)

    assert first.stopped
    assert "does not fit" in result.stopped or "taken back" in result.stopped
    assert not of(log, FillBusted)


def _told(log: list[NewEvent], venue: ScriptedVenue) -> NewEvent:
    """The morning's fill as the log would have it."""
    return log[0].model_copy(update={"payload": OrderFilled(fill=venue.told[0].fill)})


class Halting(Unwatched):
    def states(self, now: Any) -> TradingStates:
        return TradingStates().with_state(ACCOUNT, TradingState.HALTED)


def test_a_closed_order_says_why_its_session_was_stopped(floor: Any) -> None:
    log: list[NewEvent] = []
    plan = floor.approved(floor.leg("AAA", "BUY", 100))

    result = floor.work(plan, floor.quotes(), log, watch=Halting())
    quiet: list[NewEvent] = []
    floor.work(plan, floor.quotes(), quiet)

    (closed,) = of(log, OrderClosed)
    assert closed.reason == result.stopped
    assert "halted" in closed.reason
    assert of(quiet, OrderClosed)[0].reason == ""


class Killed(Exception):
    """The process is gone."""


def test_a_resumed_session_may_be_given_its_own_orders_among_the_days(floor: Any) -> None:
    log: list[NewEvent] = []
    plan, venue = floor.approved(floor.leg("AAA", "BUY", 100, 2)), floor.venue()

    def emit(event: NewEvent) -> None:
        log.append(event)
        if isinstance(event.payload, OrderFilled):
            raise Killed

    with pytest.raises(Killed):
        floor.work(plan, floor.quotes(), log, venue=venue, emit=emit)
    resume, before = as_events(log), sent(log).all
    limits = floor.limits.tighten(max_orders_per_day=2)
    result = floor.work(plan, floor.quotes()[1:], log, venue=venue, resume=resume, before=before, limits=limits)

    assert len(before) == 1
    assert [fill.quantity for fill in result.fills] == [50, 50]
    assert result.stopped == ""
