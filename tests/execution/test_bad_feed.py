"""A session on a feed as live days have it: late quotes, crossed and unreadable ones, names that nobody trades."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.events import ChildSubmitted, NewEvent, QuotesDropped
from parley.domain.market import Quote
from parley.domain.trading import UNRESTRICTED, TradingStates
from parley.execution.venues.market_events import depth_of
from parley.execution.watching import Reading

BAD = {
    "zero": ("0", "0"),
    "crossed": ("100.01", "99.99"),
    "one-sided": ("0", "100.01"),
    "negative": ("-100.01", "-99.99"),
    "not a number": ("NaN", "NaN"),
    "half a number": ("99.99", "NaN"),
    "infinite": ("99.99", "Infinity"),
}


class Keeping:
    """A watch that keeps what it was shown."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []

    def states(self, now: Any) -> TradingStates:
        return UNRESTRICTED

    def observe(self, reading: Reading) -> None:
        self.readings.append(reading._replace(values=dict(reading.values)))


def of(log: list[NewEvent], kind: type) -> list[Any]:
    return [event.payload for event in log if isinstance(event.payload, kind)]


def spoilt(quote: Quote, kind: str) -> Quote:
    bid, ask = BAD[kind]
    return replace(quote, bid=Decimal(bid), ask=Decimal(ask))


def test_quotes_that_come_too_late_are_dropped_and_told_once_for_each_symbol(floor: Any) -> None:
    log: list[NewEvent] = []
    late = [floor.quote(minutes=10, bid="1", ask="2"), floor.quote("BBB", 20), floor.quote(minutes=5, bid="1", ask="2")]
    quotes = floor.quotes()

    result = floor.work(floor.approved(floor.leg("AAA", "BUY", 100, 2)), [*quotes[:3], *late, *quotes[3:]], log)

    assert [fill.quantity for fill in result.fills] == [50, 50]
    assert min(fill.price for fill in result.fills) > 100
    assert [(item.symbol, item.count, item.first, item.most_behind_s) for item in of(log, QuotesDropped)] == [
        ("AAA", 2, floor.at(10), 3300.0),
        ("BBB", 1, floor.at(20), 2400.0),
    ]


@settings(max_examples=30, deadline=None)
@given(places=st.lists(st.tuples(st.integers(1, 13), st.integers(1, 360)), max_size=6))
def test_late_quotes_change_nothing_but_the_finding(floor: Any, places: list[tuple[int, int]]) -> None:
    plan, quotes = floor.approved(floor.leg("AAA", "BUY", 100, 4)), floor.quotes()
    plain, mixed = list[NewEvent](), list[NewEvent]()
    floor.work(plan, quotes, plain)
    late = list(quotes)
    for place, behind in places:
        at = late.index(quotes[place]) + 1
        late.insert(at, floor.quote(minutes=30 * place - behind, bid="1", ask="2"))
    # What is stamped before the open is of no session, and not told.
    counted = sum(30 * place - behind >= 0 for place, behind in places)

    floor.work(plan, late, mixed)

    assert [event for event in mixed if not isinstance(event.payload, QuotesDropped)] == plain
    assert sum(item.count for item in of(mixed, QuotesDropped)) == counted


def test_a_quote_of_after_the_close_makes_no_other_one_late(floor: Any) -> None:
    log: list[NewEvent] = []

    result = floor.work(floor.approved(floor.leg("AAA", "BUY", 100)), [floor.quote(minutes=600), *floor.quotes()], log)

    assert sum(fill.quantity for fill in result.fills) == 100
    assert of(log, QuotesDropped) == []


@pytest.mark.parametrize("kind", sorted(BAD))
def test_a_bad_quote_of_what_is_held_is_no_loss_and_the_last_good_one_counts_on(floor: Any, kind: str) -> None:
    watch, state = Keeping(), floor.state(held={"AAA": 900})
    quotes = floor.quotes(bid="109.99", ask="110.01")
    quotes[1:4] = [spoilt(quote, kind) for quote in quotes[1:4]]

    floor.work(floor.approved(floor.leg("AAA", "SELL", 100, 2), state=state), quotes, [], watch=watch)

    assert {reading.values["AAA"] for reading in watch.readings[:4]} == {800 * Decimal(110) + 50 * 110}
    assert [reading.oldest_quote_age_s for reading in watch.readings[:5]] == [0.0, 1800.0, 3600.0, 5400.0, 0.0]


@pytest.mark.parametrize("kind", sorted(BAD))
def test_nothing_is_sent_on_a_bad_quote_and_the_slice_goes_out_on_the_next_good_one(floor: Any, kind: str) -> None:
    log: list[NewEvent] = []
    quotes = floor.quotes()
    quotes[0] = spoilt(quotes[0], kind)

    floor.work(floor.approved(floor.leg("AAA", "BUY", 100, 2)), quotes, log)

    assert [item.child.created_at for item in of(log, ChildSubmitted)] == [floor.at(30), floor.at(210)]


@pytest.mark.parametrize("kind", sorted(BAD))
def test_an_exchange_fills_nobody_on_a_bad_quote(floor: Any, kind: str) -> None:
    assert not depth_of(spoilt(floor.quote(), kind)).is_usable


def test_a_held_name_that_no_leg_trades_is_valued_at_its_quotes_and_ages_nothing(floor: Any) -> None:
    watch, state = Keeping(), floor.state(held={"BBB": 900})
    quotes = [*floor.quotes()[:2], floor.quote("BBB", 45, bid="89.99", ask="90.01"), *floor.quotes()[2:]]

    floor.work(floor.approved(floor.leg("AAA", "BUY", 100, 2), state=state), quotes, [], watch=watch)

    values = [reading.values["BBB"] for reading in watch.readings]
    assert values == [Decimal(90_000)] * 2 + [Decimal(81_000)] * 13
    assert watch.readings[0].equity - watch.readings[2].equity == 9_000
    assert max(reading.oldest_quote_age_s or 0 for reading in watch.readings) == 900.0
