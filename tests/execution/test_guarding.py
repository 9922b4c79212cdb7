"""Protective orders in a halted session: what only closes a position stays, and nothing ever sells past zero."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from parley.domain.control_events import BookReconciled
from parley.domain.events import CancelRequested, ChildClosed, ChildSubmitted, NewEvent, OrderFilled
from parley.domain.orders import ChildOrder, Fill, OrderState, OrderType, ParentOrder, Plan, Side, TimeInForce
from parley.domain.portfolio import Portfolio
from parley.domain.trading import ACCOUNT, UNRESTRICTED, TradingState, TradingStates
from parley.execution.protection import ProtectionTerms
from parley.execution.recorder import DESK
from parley.execution.restoring import as_begun
from parley.execution.session import work_session
from parley.execution.venues.account import Account
from parley.execution.venues.exchange import Exchange
from parley.execution.venues.rules import ExchangeRules, Listing
from parley.execution.venues.worked_order import carried
from parley.execution.watching import Unwatched
from parley.gate.approval import ApprovedPlan
from parley.gate.gate import approve_nothing, review_plan
from parley.memory.sent_orders import SentOrder, rests

from .conftest import Floor
from .scripted import as_events

FLOOR = Floor()
HALTED = UNRESTRICTED.with_state(ACCOUNT, TradingState.HALTED)


class From(Unwatched):
    """Halted from a moment on."""

    def __init__(self, minutes: float) -> None:
        self._since = FLOOR.at(minutes)

    def states(self, now: datetime) -> TradingStates:
        return HALTED if now >= self._since else UNRESTRICTED


@dataclass
class Resting:
    """A desk that approves stops by the gate alone, in the halt or before it."""

    barred: str = ""
    waived: tuple[str, ...] = ()
    clears_last: bool = True
    hands_over: bool = False
    warned: list[str] = field(default_factory=list[str])

    def approve_resting(
        self, symbols: tuple[str, ...], now: datetime, portfolio: Portfolio, *, for_night: bool
    ) -> ApprovedPlan | str:
        name = f"stop-{now:%H%M}{'-night' * for_night}"
        legs = tuple(
            FLOOR.leg(
                symbol,
                "SELL",
                portfolio.quantity(symbol),
                order_id=f"{name}-{symbol}",
                decision_id=name,
                protects=True,
            )
            for symbol in symbols
        )
        plan = Plan(plan_id=name, decision_id=name, as_of=now, legs=legs)
        prices = FLOOR.state().prices
        equity = portfolio.equity(prices)
        changes: dict[str, Any] = {"equity": equity, "previous_equity": equity, "trading_states": HALTED}
        verdict, approved = review_plan(plan, FLOOR.state(portfolio=portfolio, **changes), FLOOR.limits, now)
        assert approved is not None, verdict.reasons
        return approved

    def closed_at(self, now: datetime) -> datetime:
        return FLOOR.hours.closes_at if now >= FLOOR.hours.closes_at else FLOOR.decided

    def warn(self, text: str, now: datetime, *, is_passing: bool) -> None:
        self.warned.append(text)


def stop(quantity: int, symbol: str = "AAA", price: str = "95") -> SentOrder:
    """One that stands since an earlier day."""
    return SentOrder(
        ChildOrder(
            client_order_id=f"old-{symbol}-{quantity}",
            order_id=f"old-{symbol}-{quantity}",
            decision_id="d0",
            symbol=symbol,
            side=Side.SELL,
            quantity=quantity,
            sequence=0,
            created_at=FLOOR.decided,
            order_type=OrderType.STOP,
            time_in_force=TimeInForce.GTC,
            stop_price=Decimal(price),
        )
    )


def played(
    held: dict[str, int],
    standing: tuple[SentOrder, ...],
    watch: Any,
    desk: Resting,
    theirs: dict[str, int] | None = None,
    bids: dict[int, str] | None = None,
    legs: tuple[ParentOrder, ...] = (),
) -> tuple[list[Any], Any]:
    """A day at the exchange, without a plan where there are no `legs`; `theirs` is what the venue takes to be held,
    `bids` by the half hour."""
    log: list[NewEvent] = []
    state = FLOOR.state(held=held)
    approved = approve_nothing("d1", state, FLOOR.limits, FLOOR.decided)
    if legs:
        approved = FLOOR.approved(*legs, state=state)
    told = FLOOR.state(held=held if theirs is None else theirs).portfolio
    listings = {symbol: Listing(FLOOR.liquidity(is_recorded=False), "T1") for symbol in FLOOR.symbols}
    venue = Exchange(FLOOR.hours, listings, ExchangeRules(), Account(told))
    venue.take_over(carried(sent) for sent in standing)
    prices = {place: (bids or {}).get(place, "99.99") for place in range(14)}
    quotes = [
        FLOOR.quote(symbol, 30 * place, bid=bid, ask=str(Decimal(bid) + Decimal("0.02")))
        for place, bid in prices.items()
        for symbol in held
    ]
    result = work_session(
        approved,
        quotes,
        venue,
        FLOOR.hours,
        state.portfolio,
        FLOOR.limits,
        log.append,
        run_id="r",
        watch=watch,
        before=standing,
        protection=ProtectionTerms(0.05, lambda asked, portfolio: "no exit", desk),
    )
    return [event.payload for event in log], (venue, result)


class Reducing(Unwatched):
    def states(self, now: datetime) -> TradingStates:
        return UNRESTRICTED.with_state(ACCOUNT, TradingState.REDUCING)


def of(facts: list[Any], kind: type) -> list[Any]:
    return [fact for fact in facts if isinstance(fact, kind)]


def test_a_halt_leaves_the_stop_that_closes_what_is_held_and_goes_on_to_the_close_with_it() -> None:
    facts, (venue, result) = played({"AAA": 100}, (stop(100),), From(60), Resting(), bids={8: "94.00", 9: "94.00"})

    assert of(facts, CancelRequested) == []
    assert "halted" in result.stopped
    # The price falls two hours into the halt: the order at the venue sells, and the book has it.
    assert [item.fill.quantity for item in of(facts, OrderFilled)] == [100]
    assert (result.portfolio.quantity("AAA"), venue.open_orders()) == (0, ())


def test_a_stop_larger_than_its_position_is_taken_back_at_the_halt_with_the_reason_and_cut_to_it() -> None:
    desk = Resting()
    facts, (venue, _) = played({"AAA": 60}, (stop(100),), From(0), desk)

    (back,) = of(facts, CancelRequested)
    assert back.reason == "orders to sell 100 AAA are open and 60 can be proved to be held"
    assert [item.child.quantity for item in of(facts, ChildSubmitted)] == [60]
    assert [order.quantity for order in venue.open_orders()] == [60]
    assert desk.warned == []


def test_of_two_stops_that_come_to_more_than_is_held_neither_is_believed() -> None:
    facts, (venue, _) = played({"AAA": 100}, (stop(100), stop(50)), From(0), Resting())

    assert {item.client_order_id for item in of(facts, CancelRequested)} >= {"old-AAA-100"}
    assert sum(order.quantity for order in venue.open_orders()) <= 100


def test_what_has_no_stop_gets_one_in_the_halt_and_nothing_else_is_sent() -> None:
    facts, (venue, _) = played({"AAA": 100}, (), From(0), Resting())

    (sent,) = [item.child for item in of(facts, ChildSubmitted)]
    assert rests(sent)
    assert (sent.quantity, sent.stop_price) == (100, Decimal("95.00"))
    assert len(venue.open_orders()) == 1


def test_where_nothing_may_be_sent_what_stands_stays_and_a_person_is_told_of_the_rest_once() -> None:
    desk = Resting(barred="the flag is up")
    facts, (venue, _) = played({"AAA": 100, "BBB": 50}, (stop(100),), From(0), desk)

    assert of(facts, ChildSubmitted) == of(facts, CancelRequested) == []
    assert [order.symbol for order in venue.open_orders()] == ["AAA"]
    assert desk.warned[0] == "50 BBB are held without a stop at the venue: the flag is up"
    assert not any("AAA" in text for text in desk.warned)


def test_a_position_past_its_stop_is_not_sold_in_a_halt_and_a_person_is_told() -> None:
    desk = Resting()
    facts, _ = played({"AAA": 100}, (), From(0), desk, bids=dict.fromkeys(range(14), "94.00"))

    assert of(facts, ChildSubmitted) == []
    assert "its stop is 95.0000" in desk.warned[0]


def test_what_a_person_took_back_stays_back_and_is_no_news() -> None:
    desk = Resting(waived=("AAA",))
    facts, (venue, _) = played({"AAA": 100}, (stop(100),), From(0), desk)

    assert [item.reason for item in of(facts, CancelRequested)] == ["a person took it back"]
    assert of(facts, ChildSubmitted) == []
    assert (venue.open_orders(), desk.warned) == ((), [])


@pytest.mark.parametrize(("theirs", "stands"), [(40, False), (0, False), (150, True)])
def test_where_the_books_differ_a_stop_stays_only_if_both_hold_as_much(theirs: int, stands: bool) -> None:
    desk = Resting()
    facts, (venue, result) = played({"AAA": 100}, (stop(100),), Unwatched(), desk, theirs={"AAA": theirs})

    assert "book differs" in result.stopped
    assert not of(facts, BookReconciled)[-1].is_explained
    assert bool(venue.open_orders()) is stands
    assert of(facts, ChildSubmitted) == [], "of what is not known to be held nothing is sold anew"


def test_a_session_that_is_handed_over_ends_at_once_and_leaves_its_stops_to_the_next() -> None:
    facts, (venue, result) = played({"AAA": 100}, (stop(100),), From(60), Resting(hands_over=True))

    assert next(result.unread).ts_event == FLOOR.at(90)
    assert [order.quantity for order in venue.open_orders()] == [100]
    assert of(facts, CancelRequested) == of(facts, ChildClosed) == []
    assert all(item.is_explained for item in of(facts, BookReconciled))


def test_a_plan_that_a_halt_keeps_from_trading_a_name_is_no_reason_to_take_its_stop_back() -> None:
    sold = FLOOR.leg("AAA", "SELL", 40)
    facts, (venue, _) = played({"AAA": 100}, (stop(100),), From(-1), Resting(), legs=(sold,))

    assert of(facts, CancelRequested) == of(facts, ChildSubmitted) == []
    assert [order.quantity for order in venue.open_orders()] == [100]


def test_a_buy_that_reducing_forbids_is_no_reason_either_but_a_sale_that_it_allows_is() -> None:
    bought, sold = FLOOR.leg("AAA", "BUY", 40), FLOOR.leg("AAA", "SELL", 40)
    facts, _ = played({"AAA": 100}, (stop(100),), Reducing(), Resting(), legs=(bought,))
    assert of(facts, CancelRequested) == of(facts, ChildSubmitted) == []

    facts, (venue, result) = played({"AAA": 100}, (stop(100),), Reducing(), Resting(), legs=(sold,))
    assert [item.client_order_id for item in of(facts, CancelRequested)] == ["old-AAA-100"]
    assert result.portfolio.quantity("AAA") == 60
    assert [order.quantity for order in venue.open_orders()] == [60]


def test_earlier_orders_are_known_as_they_stood_when_the_session_was_begun_the_first_time() -> None:
    sold = Fill(
        execution_id="e1",
        client_order_id="old-AAA-100",
        order_id="old-AAA-100",
        symbol="AAA",
        side=Side.SELL,
        quantity=30,
        price=Decimal(95),
        mid_price=Decimal(95),
        touch_price=Decimal(95),
        venue="exchange",
        ts_event=FLOOR.at(30),
    )
    ended = ChildClosed(
        client_order_id="old-AAA-100", order_id="old-AAA-100", state=OrderState.CANCELED, unfilled=70, reason="asked"
    )
    asked = CancelRequested(client_order_id="old-AAA-100", order_id="old-AAA-100", reason="asked")
    placed = stop(70)
    facts: list[Any] = [OrderFilled(fill=sold), asked, ended, ChildSubmitted(child=placed.child, verdict_hash="h")]
    log = [NewEvent(stream="s", event_time=FLOOR.at(30), actor=DESK, payload=item, run_id="r") for item in facts]
    events = as_events([item.model_copy(update={"order_id": "old-AAA-100"}) for item in log])
    now = replace(stop(100), fills=(sold,), cancels=2, ended=OrderState.CANCELED)

    assert as_begun([now, placed], events) == [replace(stop(100), cancels=1)]
