"""The night behind a session: what is held gets its stop once the venue answers again, or a person is told."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from parley.domain.control_events import BookReconciled
from parley.domain.events import ChildAccepted, ChildClosed, ChildDenied, ChildSubmitted, NewEvent
from parley.domain.orders import OrderState, TimeInForce
from parley.domain.portfolio import Portfolio
from parley.execution.protection import ProtectionTerms
from parley.execution.venues.account import Account
from parley.execution.venues.exchange import Exchange
from parley.execution.venues.latency import Latency
from parley.execution.venues.rules import ExchangeRules, Listing, Outage
from parley.execution.venues.venue import Report
from parley.gate.approval import ApprovedPlan
from parley.gate.gate import approve_nothing
from parley.memory.sent_orders import rests

from .conftest import Floor
from .scripted import Line, ScriptedVenue
from .test_guarding import From, Resting, of

FLOOR = Floor()
CLOSES = FLOOR.hours.closes_at


@dataclass
class Desk(Resting):
    """Notes how each warning is told; `says_no` is why it approves nothing, `day_ends` when the market closes."""

    says_no: str = ""
    day_ends: datetime = CLOSES
    passing: list[bool] = field(default_factory=list[bool])

    def approve_resting(
        self, symbols: tuple[str, ...], now: datetime, portfolio: Portfolio, *, for_night: bool
    ) -> ApprovedPlan | str:
        return self.says_no or super().approve_resting(symbols, now, portfolio, for_night=for_night)

    def closed_at(self, now: datetime) -> datetime:
        return self.day_ends if now >= self.day_ends else FLOOR.decided

    def warn(self, text: str, now: datetime, *, is_passing: bool) -> None:
        super().warn(text, now, is_passing=is_passing)
        self.passing.append(is_passing)


def exchange(held: dict[str, int], *outages: Outage, latency: Latency | None = None) -> Exchange:
    listings = {symbol: Listing(FLOOR.liquidity(is_recorded=False), "T1") for symbol in FLOOR.symbols}
    rules = ExchangeRules(outages=outages, latency=latency or Latency(0, 0, 0))
    return Exchange(FLOOR.hours, listings, rules, Account(FLOOR.state(held=held).portfolio))


def played(venue: Any, desk: Desk, held: dict[str, int], **work: Any) -> list[Any]:
    """A day without a plan, over what is held and has no stop yet."""
    log: list[NewEvent] = []
    approved = approve_nothing("d1", FLOOR.state(held=held), FLOOR.limits, FLOOR.decided)
    terms = ProtectionTerms(0.05, lambda asked, portfolio: "no exit", desk)
    FLOOR.work(approved, work.pop("quotes", None) or FLOOR.quotes(held), log, venue=venue, protection=terms, **work)
    return [event.payload for event in log]


OUT = Outage(FLOOR.at(-10), CLOSES + timedelta(minutes=30))
"""The whole day, and past its close: an exchange that is over answers again."""


def test_a_venue_that_is_out_until_the_close_gets_the_stop_behind_it() -> None:
    desk = Desk()
    venue = exchange({"AAA": 100}, OUT)

    facts = played(venue, desk, {"AAA": 100})

    (sent,) = [item.child for item in of(facts, ChildSubmitted)]
    assert rests(sent)
    assert (sent.quantity, sent.stop_price, sent.created_at) == (100, Decimal("95.00"), CLOSES)
    assert [order.remaining for order in venue.carry_over()] == [100]
    assert desk.warned == []


def test_its_answer_is_heard_although_it_is_on_its_way_for_a_while_and_the_books_are_compared_behind_it() -> None:
    venue = exchange({"AAA": 100}, OUT, latency=Latency(20, 20, 20))

    facts = played(venue, Desk(), {"AAA": 100})

    kinds = [type(item) for item in facts if isinstance(item, ChildSubmitted | ChildAccepted | BookReconciled)]
    assert kinds == [ChildSubmitted, ChildAccepted, BookReconciled]
    (order,) = venue.carry_over()
    assert (order.state, order.child.time_in_force) == (OrderState.ACCEPTED, TimeInForce.GTC)


class Keeping(ScriptedVenue):
    """Keeps what stands over the close."""

    def __init__(self) -> None:
        super().__init__({"AAA": 100})
        self.is_silent = True

    def expire(self, name: str, at: datetime) -> None:
        if not rests(self.orders[name].child):
            super().expire(name, at)


class BackAtClose(Keeping):
    """Answers from the close on, but for the first order: that one's answer is lost, or it never arrives."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._first: Line = line

    def close(self, at: datetime) -> tuple[Report, ...]:
        if self.is_silent:
            self.is_silent, self.line = False, self._first
        return super().close(at)


def test_a_venue_that_does_not_answer_at_all_is_told_to_a_person_with_the_shares() -> None:
    desk = Desk()

    facts = played(Keeping(), desk, {"AAA": 100})

    assert of(facts, ChildSubmitted) == []
    assert desk.warned == ["100 AAA are held past the close without a stop at the venue: the venue does not answer"]
    assert desk.passing == [True], "nobody need answer for it: a recorded run goes on"


def test_a_stop_whose_answer_is_lost_behind_the_close_is_found_by_asking() -> None:
    desk, venue = Desk(), BackAtClose("answer lost")

    facts = played(venue, desk, {"AAA": 100})

    assert [order.state for order in venue.open_orders()] == [OrderState.ACCEPTED]
    assert all(item.is_explained for item in of(facts, BookReconciled))
    assert desk.warned == []


def test_a_stop_that_never_arrives_behind_the_close_is_told() -> None:
    desk, venue = Desk(), BackAtClose("down")

    facts = played(venue, desk, {"AAA": 100})

    (closed,) = of(facts, ChildClosed)
    assert (closed.state, venue.open_orders()) == (OrderState.REJECTED, ())
    assert [text.split(":")[0] for text in desk.warned] == [
        "100 AAA are held past the close without a stop at the venue"
    ]


def test_what_the_gate_refuses_for_the_night_is_told_with_its_reason() -> None:
    plan, child = Desk(says_no="no plan of today's"), Desk()
    stale = [quote for quote in FLOOR.quotes(["AAA"]) if quote.ts_event <= FLOOR.at(330)]

    played(exchange({"AAA": 100}, OUT), plan, {"AAA": 100})
    facts = played(exchange({"AAA": 100}, OUT), child, {"AAA": 100}, quotes=stale)

    said = "100 AAA are held past the close without a stop at the venue: "
    assert plan.warned == [f"{said}no plan of today's"]
    assert of(facts, ChildDenied)[-1].child.created_at == CLOSES
    (text,) = child.warned
    assert text.startswith(f"{said}the gate refused its order: age of the quote is 3600")


def test_a_position_that_ends_the_day_past_its_stop_is_told() -> None:
    desk = Desk()

    facts = played(exchange({"AAA": 100}), desk, {"AAA": 100}, quotes=FLOOR.quotes(["AAA"], bid="94.00", ask="94.02"))

    assert of(facts, ChildSubmitted) == []
    assert desk.warned[0].endswith("it trades at 94.00, its stop is 95.0000")
    assert desk.passing == [True]


@pytest.mark.parametrize(
    ("desk", "out"),
    [
        (Desk(day_ends=CLOSES + timedelta(hours=1)), (OUT,)),  # a part of a session: another one goes on from here
        (Desk(waived=("AAA",)), (OUT,)),  # a person wants none
        (Desk(), ()),  # it has one since the first quote
    ],
)
def test_nothing_is_asked_for_or_told_behind_a_close_that_leaves_nothing_bare(
    desk: Desk, out: tuple[Outage, ...]
) -> None:
    facts = played(exchange({"AAA": 100}, *out), desk, {"AAA": 100})

    assert [item for item in of(facts, ChildSubmitted) if item.child.created_at == CLOSES] == desk.warned == []


def test_under_a_kill_flag_nothing_is_sent_behind_the_close_either() -> None:
    desk = Desk(barred="the flag is up")

    facts = played(exchange({"AAA": 100}, OUT), desk, {"AAA": 100})

    assert of(facts, ChildSubmitted) == []
    assert desk.warned == ["100 AAA are held past the close without a stop at the venue: the flag is up"]


def test_what_a_halt_leaves_without_a_stop_is_told_as_the_halt_does_and_not_again() -> None:
    desk = Desk(barred="the flag is up")

    played(exchange({"AAA": 100}, OUT), desk, {"AAA": 100}, watch=From(0))

    said = "100 AAA are held without a stop at the venue: "
    assert desk.warned == [f"{said}the flag is up", f"{said}the session is over"]
    assert desk.passing == [False, False]


def test_a_halt_gets_its_stop_behind_the_close_too() -> None:
    desk, venue = Desk(), exchange({"AAA": 100}, OUT)

    played(venue, desk, {"AAA": 100}, watch=From(0))

    assert [order.remaining for order in venue.carry_over()] == [100]
    assert desk.warned == ["100 AAA are held without a stop at the venue: the gate or the venue refused its stop"], (
        "when it was so, at the open"
    )
