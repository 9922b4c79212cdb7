"""Orders for the close: in the closing auction where there is one, before its book is shut; on the market where not."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.events import CancelRefused, ChildClosed, ChildSubmitted, NewEvent, OrderClosed
from parley.domain.orders import Algorithm, ExecutionAdvice, Tactic
from parley.domain.trading import UNRESTRICTED, Scope, TradingState, TradingStates
from parley.execution.algorithms.closing import goes_on_close, on_close_quantity
from parley.execution.venues.account import Account
from parley.execution.venues.exchange import Exchange
from parley.execution.venues.fees import FeeModel, FeeSchedule
from parley.execution.venues.market_events import Cross
from parley.execution.venues.rules import ExchangeRules, Listing
from parley.execution.venues.several import several_exchanges
from parley.execution.watching import Unwatched

from .conftest import Floor

FREE = FeeSchedule(FeeModel(value_bps=Decimal(0)))
DAILY = 1_000_000.0


def of(log: list[NewEvent], kind: type) -> list[Any]:
    return [event.payload for event in log if isinstance(event.payload, kind)]


def for_close(floor: Any, quantity: int, slices: int = 13, **advice: Any) -> Any:
    values = {"algorithm": Algorithm.CLOSE, "slices": slices, "max_participation_frac": 0.1} | advice
    leg = floor.leg("AAA", "BUY", quantity, advice=ExecutionAdvice(**values))
    return floor.approved(leg, state=floor.state(daily_volumes={"AAA": DAILY}))


def exchange(floor: Any, price: str = "100.40", size: int = 50_000, *, holds_auction: bool = True, **rules: Any) -> Any:
    tape = [Cross("AAA", floor.closes, "close", Decimal(price), size)] if holds_auction else []
    given = ExchangeRules(**{"fees": FREE, **rules})
    portfolio = floor.state().portfolio
    return Exchange(floor.hours, {"AAA": Listing(floor.liquidity())}, given, Account(portfolio), tape=tape)


def sent(log: list[NewEvent]) -> list[tuple[str, int, float]]:
    """Lifetime, shares and minutes after the open of each child."""
    return [
        (
            item.child.time_in_force.value,
            item.child.quantity,
            (item.child.created_at - Floor.opens).total_seconds() / 60,
        )
        for item in of(log, ChildSubmitted)
    ]


def test_what_is_left_goes_into_the_auction_and_fills_at_its_price(floor: Any) -> None:
    """600 shares: half of them by the curve over the last three half hours, of which two come before the last slice."""
    log: list[NewEvent] = []

    result = floor.work(for_close(floor, 600), floor.quotes(), log, venue=exchange(floor))

    children = sent(log)
    before = sum(quantity for force, quantity, _ in children if force == "DAY")
    on_close = [row for row in children if row[0] == "CLS"]
    assert [row[2] for row in children] == [300, 330, 360]
    assert on_close == [("CLS", 600 - before, 360)]
    # Half of the order is the auction's own, and the last half hour's part goes there with it.
    assert 600 - before > 300
    (last,) = [fill for fill in result.fills if fill.ts_event == floor.closes]
    assert (last.quantity, last.price) == (600 - before, Decimal("100.40"))
    assert result.portfolio.quantity("AAA") == 600


def test_the_auction_takes_a_tenth_of_its_usual_volume_and_the_rest_goes_on_the_market(floor: Any) -> None:
    """A day of 1,000,000 shares has an auction of 50,000, of which 10 % are 5,000."""
    log: list[NewEvent] = []

    floor.work(for_close(floor, 5_500, slices=1), floor.quotes(), log, venue=exchange(floor))

    assert sent(log) == [("CLS", 5_000, 0), ("DAY", 500, 0)]


def test_an_auction_that_is_smaller_than_usual_fills_the_part_that_its_cap_lets_through(floor: Any) -> None:
    """10 % of the 20,000 shares it prints are 2,000; the 3,000 others are told as unfilled."""
    log: list[NewEvent] = []

    result = floor.work(for_close(floor, 5_000, slices=1), floor.quotes(), log, venue=exchange(floor, size=20_000))

    assert [(fill.quantity, fill.price) for fill in result.fills] == [(2_000, Decimal("100.40"))]
    (ended,) = of(log, ChildClosed)
    assert (ended.unfilled, ended.reason) == (3_000, "not filled in the close auction")
    assert of(log, OrderClosed)[0].status == "partial"


def test_an_auction_beyond_the_limit_fills_nothing(floor: Any) -> None:
    """The limit is the touch at the time of sending and 1 % more, down to the cent."""
    log: list[NewEvent] = []

    result = floor.work(for_close(floor, 500, slices=1), floor.quotes(), log, venue=exchange(floor, price="101.02"))

    assert result.fills == ()
    assert of(log, ChildSubmitted)[0].child.limit_price == Decimal("101.01")


@pytest.mark.parametrize("case", ["paper", "no auction", "no volume", "shut before the last slice"])
def test_where_no_auction_can_be_used_the_last_slice_goes_on_the_market(floor: Any, case: str) -> None:
    log: list[NewEvent] = []
    plan = for_close(floor, 600)
    venue = exchange(floor, holds_auction=case != "no auction")
    if case == "paper":
        venue = floor.venue()
    if case == "no volume":
        leg = floor.leg("AAA", "BUY", 600, advice=ExecutionAdvice(algorithm=Algorithm.CLOSE, slices=13))
        plan = floor.approved(leg, state=floor.state(daily_volumes={}))
    if case == "shut before the last slice":
        venue = exchange(floor, close_cut_off=timedelta(hours=6, minutes=30))

    result = floor.work(plan, floor.quotes(), log, venue=venue)

    assert {row[0] for row in sent(log)} == {"DAY"}
    assert result.portfolio.quantity("AAA") == 600


def test_with_fine_slices_it_goes_in_before_the_book_is_shut_and_stays(floor: Any) -> None:
    """Slices of five minutes: the book is shut at 15:50, so the slice of 15:45 is the last that can send there."""
    log: list[NewEvent] = []
    quotes = [floor.quote(minutes=minutes) for minutes in range(0, 391, 5)]

    result = floor.work(for_close(floor, 2_000, slices=78), quotes, log, venue=exchange(floor))

    (on_close,) = [row for row in sent(log) if row[0] == "CLS"]
    assert on_close[2] == 375
    assert sent(log)[-1] == on_close
    assert result.portfolio.quantity("AAA") == 2_000


def test_a_pegged_order_for_the_close_uses_the_auction_too(floor: Any) -> None:
    log: list[NewEvent] = []

    result = floor.work(for_close(floor, 600, tactic=Tactic.PEG), floor.quotes(), log, venue=exchange(floor))

    assert [row[0] for row in sent(log)][-1] == "CLS"
    assert [fill.price for fill in result.fills][-1] == Decimal("100.40")


def test_several_exchanges_hold_one_auction_and_give_their_shares_of_it(floor: Any) -> None:
    """Each crosses its share of the 50,000 shares, and takes 10 % of that of ours."""
    tape = [Cross("AAA", floor.closes, "close", Decimal("100.40"), 50_000)]
    rules = {"a": ExchangeRules(fees=FREE, shown_frac=0.6), "b": ExchangeRules(fees=FREE, shown_frac=0.4)}
    places = several_exchanges(
        floor.hours, {"AAA": Listing(floor.liquidity())}, rules, Account(floor.state().portfolio), tape=tape
    )

    until = floor.closes - timedelta(minutes=10)
    assert [place.terms("AAA").on_close_until for place in places] == [until, until]
    assert places[0].terms("ZZZ").on_close_until is None


class HaltsAt(Unwatched):
    def __init__(self, at: Any) -> None:
        self._at = at

    def states(self, now: Any) -> TradingStates:
        if now < self._at:
            return UNRESTRICTED
        return UNRESTRICTED.with_state(Scope(kind="instrument", name="AAA"), TradingState.HALTED)


@pytest.mark.parametrize(("minutes", "is_back"), [(370, True), (385, False)])
def test_it_comes_back_until_the_book_is_shut_and_not_after(floor: Any, minutes: float, is_back: bool) -> None:
    log: list[NewEvent] = []
    quotes = [*floor.quotes(count=13), *(floor.quote(minutes=360 + place) for place in range(1, 31))]

    result = floor.work(
        for_close(floor, 500, slices=1), quotes, log, venue=exchange(floor), watch=HaltsAt(floor.at(minutes))
    )

    assert bool(of(log, CancelRefused)) != is_back
    assert (result.portfolio.quantity("AAA") == 0) == is_back


@given(
    left=st.integers(0, 10**6),
    volume=st.one_of(st.none(), st.floats(0, 1e9)),
    cap=st.floats(0, 1),
    lot=st.sampled_from([1, 10, 100]),
)
@settings(max_examples=50, deadline=None)
def test_the_auctions_part_is_never_more_than_is_left_or_its_share(
    left: int, volume: float | None, cap: float, lot: int
) -> None:
    found = on_close_quantity(left, volume, cap, lot)

    assert 0 <= found <= left
    assert found == 0 if volume is None else found <= cap * 0.05 * volume + 1e-6


def test_only_orders_for_the_close_go_there_and_only_in_time(floor: Any) -> None:
    order = floor.leg("AAA", "BUY", 10, advice=ExecutionAdvice(algorithm=Algorithm.CLOSE, slices=13))
    other = floor.leg("AAA", "BUY", 10, advice=ExecutionAdvice(algorithm=Algorithm.TWAP, slices=13))
    starts = [floor.at(30 * place) for place in range(13)]
    until = floor.closes - timedelta(minutes=10)

    assert goes_on_close(order, starts, floor.at(360), until)
    assert not goes_on_close(other, starts, floor.at(360), until)
    assert not goes_on_close(order, starts, floor.at(359), until)
    assert not goes_on_close(order, starts, floor.at(379.5), until)
    assert not goes_on_close(order, starts, floor.at(360), None)
