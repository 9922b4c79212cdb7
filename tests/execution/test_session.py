"""One session from approved plan to closed orders, told in events."""

import subprocess
import sys
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.canonical import content_hash
from parley.domain.control_events import BookReconciled
from parley.domain.events import (
    ChildClosed,
    ChildDenied,
    ChildSubmitted,
    NewEvent,
    OrderClosed,
    OrderFilled,
    OrderOpened,
)
from parley.domain.orders import OrderState, Side
from parley.domain.portfolio import book_fills
from parley.domain.trading import Scope, TradingState, TradingStates
from parley.execution.errors import SessionRefused
from parley.execution.reconcile import ReconcileTerms
from parley.execution.session_book import SessionBook
from parley.execution.venues.fees import FeeModel
from parley.execution.venues.venue import Canceled, Filled, Report
from parley.execution.watching import Reading
from parley.gate.approval import ApprovedOrder
from parley.gate.errors import NotApproved
from parley.gate.state import WorkingOrder

SELDOM = ReconcileTerms(every=timedelta(days=1))


class Standing:
    """A watch whose states do not change; it keeps what it was shown."""

    def __init__(self, *restricted: tuple[str, str, TradingState]) -> None:
        rows = ((Scope(kind=kind, name=name), state) for kind, name, state in restricted)  # pyright: ignore
        self.answer = TradingStates(restricted=tuple(rows))
        self.readings: list[Reading] = []

    def states(self, now: Any) -> TradingStates:
        return self.answer

    def observe(self, reading: Reading) -> None:
        self.readings.append(reading)


def kinds(log: list[NewEvent]) -> Counter[str]:
    """What was told, without the clean reconciliation that ends each session."""
    found = Counter(type(event.payload).__name__ for event in log)
    last = [event.payload for event in log if isinstance(event.payload, BookReconciled)][-1]
    return found - Counter(BookReconciled=1) if last.differences == () else found


def of(log: list[NewEvent], kind: type) -> list[Any]:
    return [event.payload for event in log if isinstance(event.payload, kind)]


def test_a_leg_is_worked_in_equal_slices_over_the_session(floor: Any) -> None:
    log: list[NewEvent] = []

    result = floor.work(floor.approved(floor.leg("AAA", "BUY", 1300, slices=13)), floor.quotes(), log)

    children = [payload.child for payload in of(log, ChildSubmitted)]
    assert [child.quantity for child in children] == [100] * 13
    assert [child.created_at for child in children] == [floor.at(30 * place) for place in range(13)]
    assert result.portfolio.quantity("AAA") == 1300
    assert result.denied == 0
    assert kinds(log) == {
        "OrderOpened": 1,
        "ChildSubmitted": 13,
        "ChildAccepted": 13,
        "OrderFilled": 13,
        "OrderClosed": 1,
    }


def test_the_result_adds_up_and_the_portfolio_is_the_fold_of_the_logged_fills(floor: Any) -> None:
    log: list[NewEvent] = []
    state = floor.state(cash="100000", held={"BBB": 500})
    plan = floor.approved(floor.leg("AAA", "BUY", 300, 5), floor.leg("BBB", "SELL", 500, 4), state=state)

    result = floor.work(plan, floor.quotes(("AAA", "BBB")), log)

    fills = [payload.fill for payload in of(log, OrderFilled)]
    assert result.fills == tuple(fills)
    assert result.portfolio == book_fills(state.portfolio, fills)
    assert result.traded == sum(fill.price * fill.quantity for fill in fills)
    assert result.fees == sum(fill.fee for fill in fills)
    spent = sum(fill.side.sign * fill.price * fill.quantity + fill.fee for fill in fills)
    assert result.portfolio.cash == Decimal(100_000) - spent


def test_a_child_is_in_the_log_before_it_is_at_the_venue(floor: Any) -> None:
    log: list[NewEvent] = []
    venue = floor.venue()
    seen: list[bool] = []
    submit = venue.submit

    def spy(order: ApprovedOrder) -> tuple[Report, ...]:
        last = log[-1].payload
        seen.append(isinstance(last, ChildSubmitted) and last.child == order.child)
        assert isinstance(last, ChildSubmitted)
        assert last.verdict_hash == order.verdict_hash
        return submit(order)

    venue.submit = spy
    floor.work(floor.approved(floor.leg("AAA", "BUY", 100, 4)), floor.quotes(), log, venue=venue)

    assert seen == [True] * 4


def test_events_stand_in_the_stream_of_their_order(floor: Any) -> None:
    log: list[NewEvent] = []
    plan = floor.approved(floor.leg("AAA", "BUY", 10), floor.leg("BBB", "BUY", 10))

    floor.work(plan, floor.quotes(("AAA", "BBB")), log)

    assert [event.stream for event in log if event.order_id is None] == ["venue/paper"]
    for event in log:
        assert event.stream == (f"order/{event.order_id}" if event.order_id else "venue/paper")
        assert (event.run_id, event.decision_id) == ("run", "d1")
        assert floor.opens <= event.event_time <= floor.closes
    assert [event.event_time for event in log] == sorted(event.event_time for event in log)
    assert {event.actor.kind for event in log if isinstance(event.payload, OrderFilled)} == {"venue"}


def test_sells_go_first_so_that_buys_can_use_their_cash(floor: Any) -> None:
    log: list[NewEvent] = []
    state = floor.state(cash="200", held={"BBB": 600, "CCC": 400})
    plan = floor.approved(floor.leg("AAA", "BUY", 560), floor.leg("BBB", "SELL", 600), state=state)

    result = floor.work(plan, floor.quotes(("AAA", "BBB")), log)

    assert [payload.child.side for payload in of(log, ChildSubmitted)] == [Side.SELL, Side.BUY]
    assert result.portfolio.quantity("AAA") == 560
    assert result.portfolio.cash >= 0


def test_what_is_not_filled_is_canceled_and_carried_to_the_next_slice(floor: Any) -> None:
    log: list[NewEvent] = []
    quotes = [floor.quote(minutes=30 * place, size=60 if place == 0 else 1000) for place in range(14)]

    result = floor.work(floor.approved(floor.leg("AAA", "BUY", 200, 2)), quotes, log)

    # The first slice of 100 gets 60; the rest of it fills at the next quote, before the second is due.
    assert [fill.quantity for fill in result.fills] == [60, 40, 100]
    log.clear()
    quotes = [floor.quote(minutes=30 * place, size=60 if place < 7 else 1000) for place in range(14) if place % 7 == 0]
    result = floor.work(floor.approved(floor.leg("AAA", "BUY", 200, 4)), quotes, log)
    assert [fill.quantity for fill in result.fills] == [50, 100]
    assert result.quality[0].fill_frac == 0.75


def test_a_slice_replaces_the_open_rest_of_the_one_before(floor: Any) -> None:
    log: list[NewEvent] = []
    quotes = [floor.quote(minutes=195 * place, size=30) for place in range(3)]

    floor.work(floor.approved(floor.leg("AAA", "BUY", 200, 2)), quotes, log)

    assert [payload.child.quantity for payload in of(log, ChildSubmitted)] == [100, 140]
    closed = of(log, ChildClosed)
    assert [(item.state, item.unfilled) for item in closed] == [(OrderState.CANCELED, 40), (OrderState.EXPIRED, 110)]
    (order,) = of(log, OrderClosed)
    assert (order.filled, order.unfilled, order.status) == (90, 110, "partial")


def test_a_leg_without_quotes_is_opened_at_its_reference_and_closed_unfilled(floor: Any) -> None:
    log: list[NewEvent] = []

    result = floor.work(floor.approved(floor.leg("AAA", "BUY", 10)), floor.quotes(("BBB",)), log)

    assert kinds(log) == {"OrderOpened": 1, "OrderClosed": 1}
    assert of(log, OrderOpened)[0].arrival_price == Decimal(100)
    closed = of(log, OrderClosed)[0]
    assert (closed.status, closed.average_price, closed.shortfall_bps) == ("unfilled", None, 0.0)
    assert result.fills == ()


def test_arrival_is_the_mid_of_the_first_quote_and_a_dearer_fill_is_a_positive_cost(floor: Any) -> None:
    for side, bid, ask in (("BUY", "100.99", "101.01"), ("SELL", "98.99", "99.01")):
        log: list[NewEvent] = []
        state = floor.state(held={"AAA": 1000})
        plan = floor.approved(floor.leg("AAA", side, 100, 2), state=state)
        quotes = [floor.quote(), floor.quote(minutes=200, bid=bid, ask=ask)]

        floor.work(plan, quotes, log)

        assert of(log, OrderOpened)[0].arrival_price == Decimal("100.00")
        closed = of(log, OrderClosed)[0]
        # Half at the open, half after the mid moved 1 % against the order, plus spread and impact.
        assert 50 < closed.shortfall_bps < 60


def test_refused_children_are_told_and_never_sent(floor: Any) -> None:
    log: list[NewEvent] = []
    plan = floor.approved(floor.leg("AAA", "BUY", 100, 4))

    result = floor.work(plan, floor.quotes(), log, watch=Standing(("instrument", "AAA", TradingState.HALTED)))

    assert kinds(log) == {"OrderOpened": 1, "ChildDenied": 4, "OrderClosed": 1}
    assert result.denied == 4
    reasons = {row.check for payload in of(log, ChildDenied) for row in payload.verdict.reasons}
    assert reasons == {"trading_state"}
    assert len({payload.child.client_order_id for payload in of(log, ChildDenied)}) == 4


def test_reducing_works_the_sells_and_refuses_the_buys(floor: Any) -> None:
    log: list[NewEvent] = []
    state = floor.state(held={"BBB": 100})
    plan = floor.approved(floor.leg("AAA", "BUY", 100), floor.leg("BBB", "SELL", 100), state=state)

    result = floor.work(plan, floor.quotes(("AAA", "BBB")), log, watch=Standing(("account", "", TradingState.REDUCING)))

    assert {fill.side for fill in result.fills} == {Side.SELL}
    assert result.denied == 1


def test_a_spike_is_not_traded_on(floor: Any) -> None:
    log: list[NewEvent] = []
    quotes = [floor.quote(), floor.quote(minutes=200, bid="999.99", ask="1000.01")]

    result = floor.work(floor.approved(floor.leg("AAA", "BUY", 100, 2)), quotes, log)

    assert [fill.quantity for fill in result.fills] == [50]
    assert "price_move" in {row.check for row in of(log, ChildDenied)[0].verdict.reasons}


def test_a_crossed_quote_is_not_traded_on(floor: Any) -> None:
    log: list[NewEvent] = []
    quotes = [floor.quote(bid="100.05", ask="100.01"), floor.quote(minutes=30)]

    result = floor.work(floor.approved(floor.leg("AAA", "BUY", 100)), quotes, log)

    assert result.fills[0].ts_event == floor.at(30)


def test_buys_shrink_to_the_cash_there_is_after_the_market_moved(floor: Any) -> None:
    log: list[NewEvent] = []
    state = floor.state(cash="50000", held={"BBB": 500})
    plan = floor.approved(floor.leg("AAA", "BUY", 490), state=state)

    result = floor.work(plan, [floor.quote(bid="104.99", ask="105.01")], log)

    assert 0 < result.portfolio.quantity("AAA") < 490
    assert result.portfolio.cash >= 0


def test_orders_left_open_by_others_count_against_cash(floor: Any) -> None:
    log: list[NewEvent] = []
    working = (WorkingOrder("w1", "CCC", Side.BUY, 400, Decimal(101)),)
    state = floor.state(cash="60000", working=working)
    plan = floor.approved(floor.leg("AAA", "BUY", 150), state=state)

    assert SessionBook(plan.terms).reserved == Decimal(40_400)
    result = floor.work(plan, [floor.quote(bid="119.98", ask="120.00")], log)

    assert result.portfolio.quantity("AAA") * Decimal("121.2") <= Decimal(60_000 - 40_400)


def test_a_plan_approved_for_another_book_is_refused(floor: Any) -> None:
    plan = floor.approved(floor.leg("AAA", "BUY", 10))

    with pytest.raises(SessionRefused, match="another one now"):
        floor.work(plan, floor.quotes(), [], portfolio=floor.state(cash="5").portfolio)


def test_a_changed_plan_is_refused_before_anything_is_said(floor: Any) -> None:
    log: list[NewEvent] = []
    plan = floor.approved(floor.leg("AAA", "BUY", 10))
    object.__setattr__(plan.plan.legs[0], "quantity", 10_000)

    with pytest.raises(NotApproved):
        floor.work(plan, floor.quotes(), log)
    assert log == []


def test_quotes_outside_the_session_are_ignored(floor: Any) -> None:
    log: list[NewEvent] = []

    result = floor.work(
        floor.approved(floor.leg("AAA", "BUY", 10)), [floor.quote(minutes=-5), floor.quote(minutes=395)], log
    )

    assert result.fills == ()


def test_repeated_reports_are_booked_once(floor: Any) -> None:
    log: list[NewEvent] = []
    venue = floor.venue()
    submit, close = venue.submit, venue.close
    venue.submit = lambda order: (*submit(order), *submit(order))
    venue.close = lambda at: close(at) * 2

    result = floor.work(floor.approved(floor.leg("AAA", "BUY", 100)), [floor.quote(size=40)], log, venue=venue)

    assert [fill.quantity for fill in result.fills] == [40]
    assert kinds(log) == {
        "OrderOpened": 1,
        "ChildSubmitted": 1,
        "ChildAccepted": 1,
        "OrderFilled": 1,
        "ChildClosed": 1,
        "OrderClosed": 1,
    }


def test_a_fill_after_the_cancel_is_money_and_changes_no_state(floor: Any) -> None:
    log: list[NewEvent] = []
    venue = floor.venue()
    submit, cancel, late = venue.submit, venue.cancel, list[Filled]()

    def keep(order: ApprovedOrder) -> tuple[Report, ...]:
        """Withholds the first order's fill; the venue seems silent."""
        reports = submit(order)
        if not late:
            late.extend(report for report in reports if isinstance(report, Filled))
            return reports[:1]
        return reports

    def cancel_then_fill(client_order_id: str, at: Any) -> tuple[Report, ...]:
        (refused,) = cancel(client_order_id, at)
        return (Canceled(refused.client_order_id, refused.ts_event, "race", 0), late[0])

    venue.submit, venue.cancel = keep, cancel_then_fill

    result = floor.work(floor.approved(floor.leg("AAA", "BUY", 100, 2)), floor.quotes(), log, venue=venue, terms=SELDOM)

    assert result.portfolio.quantity("AAA") == 100
    assert [payload.child.quantity for payload in of(log, ChildSubmitted)] == [50, 50]
    assert [item.state for item in of(log, ChildClosed)] == [OrderState.CANCELED]


def test_an_execution_of_an_order_never_sent_is_kept_apart_and_stops_the_session(floor: Any) -> None:
    log: list[NewEvent] = []
    other = floor.venue()
    other.on_quote(floor.quote())
    foreign = other.submit(floor.order(10, client_order_id="foreign"))
    venue = floor.venue()
    quoted, told = venue.on_quote, list[BookReconciled]()
    venue.on_quote = lambda quote: (*quoted(quote), *foreign)

    result = floor.work(
        floor.approved(floor.leg("AAA", "BUY", 10)), floor.quotes(), log, venue=venue, on_unexplained=told.append
    )

    assert (result.fills, result.portfolio.quantity("AAA")) == ((), 0)
    assert {item.kind for item in told[0].differences} == {"unknown_order", "unknown_fill"}
    assert not any(item.explained for item in told[0].differences)
    assert "foreign" in result.stopped
    assert of(log, ChildSubmitted) == []
    assert [payload.status for payload in of(log, OrderClosed)] == ["unfilled"]


def test_an_overfill_is_booked_and_stops_the_session(floor: Any) -> None:
    log: list[NewEvent] = []
    venue = floor.venue()
    submit = venue.submit

    def twice(order: ApprovedOrder) -> tuple[Report, ...]:
        reports = submit(order)
        fill = reports[-1]
        assert isinstance(fill, Filled)
        again = fill.fill.model_copy(update={"execution_id": "another"})
        return (*reports, Filled(again))

    venue.submit = twice

    result = floor.work(floor.approved(floor.leg("AAA", "BUY", 20, 2)), floor.quotes(), log, venue=venue)

    assert result.portfolio.quantity("AAA") == 20
    assert "20 shares executed of 10 sent" in result.stopped
    assert len(of(log, ChildSubmitted)) == 1


def test_a_session_on_a_halted_account_sends_nothing_and_leaves_the_quotes_unread(floor: Any) -> None:
    log: list[NewEvent] = []
    watch = Standing(("account", "", TradingState.HALTED))

    result = floor.work(floor.approved(floor.leg("AAA", "BUY", 100, 4)), floor.quotes(), log, watch=watch)

    assert of(log, ChildSubmitted) == []
    assert "halted" in result.stopped
    assert [quote.ts_event for quote in result.unread] == [floor.at(30 * place) for place in range(1, 14)]


def test_two_runs_write_the_same_bytes(floor: Any) -> None:
    def digest() -> str:
        log: list[NewEvent] = []
        state = floor.state(held={"BBB": 500})
        plan = floor.approved(floor.leg("AAA", "BUY", 300, 5), floor.leg("BBB", "SELL", 500, 4), state=state)
        floor.work(plan, floor.quotes(("AAA", "BBB"), size=90), log)
        return content_hash(
            [event.model_dump(mode="json") | {"p": event.payload.model_dump(mode="json")} for event in log]
        )

    assert digest() == digest()


@st.composite
def sessions(draw: Any) -> Any:
    held = draw(st.integers(0, 400))
    buys, sells = draw(st.integers(1, 300)), draw(st.integers(1, 400))
    walk = draw(st.lists(st.integers(-150, 150), min_size=1, max_size=14))
    sizes = draw(st.lists(st.integers(0, 200), min_size=len(walk), max_size=len(walk)))
    return held, buys, min(sells, held), walk, sizes, draw(st.integers(1, 6)), draw(st.integers(0, 40_000))


@given(sessions())
@settings(max_examples=60, deadline=None)
def test_in_any_session_cash_positions_and_children_keep_their_bounds(floor: Any, drawn: Any) -> None:
    held, buys, sells, walk, sizes, slices, cash = drawn
    state = floor.state(cash=str(cash), held={"BBB": held, "CCC": 300})
    legs = [floor.leg("BBB", "SELL", sells, slices)] if sells else []
    budget = int((cash + sells * 98) / 102)
    weight = int(0.6 * (cash + 100 * held + 30_000) / 100)
    size = min(buys, budget, weight)
    legs += [floor.leg("AAA", "BUY", size, slices)] if size else []
    if not legs:
        return
    log: list[NewEvent] = []
    quotes = []
    mid = Decimal(100)
    for place, (step, shown) in enumerate(zip(walk, sizes, strict=True)):
        mid += Decimal(step) / 100
        for symbol in ("AAA", "BBB"):
            bid, ask = str(mid - Decimal("0.02")), str(mid + Decimal("0.02"))
            quotes.append(floor.quote(symbol, 30 * place, bid=bid, ask=ask, size=shown))
    quotes = [quote for quote in quotes if quote.ts_event <= floor.closes + timedelta(hours=1)]

    result = floor.work(
        floor.approved(*legs, state=state), quotes, log, venue=floor.venue(FeeModel(minimum=Decimal(1)))
    )

    running = state.portfolio.cash
    for fill in result.fills:
        running -= fill.side.sign * fill.price * fill.quantity + fill.fee
        assert running >= 0 or fill.side is Side.SELL
    assert running == result.portfolio.cash
    assert all(quantity >= 0 for quantity in result.portfolio.holdings().values())
    sent, filled, unfilled = Counter[str](), Counter[str](), Counter[str]()
    for payload in of(log, ChildSubmitted):
        sent[payload.child.client_order_id] += payload.child.quantity
    for payload in of(log, OrderFilled):
        filled[payload.fill.client_order_id] += payload.fill.quantity
    for payload in of(log, ChildClosed):
        unfilled[payload.client_order_id] += payload.unfilled
    # Every child is accounted for to the share, and no parent is exceeded.
    assert all(sent[name] == filled[name] + unfilled[name] for name in sent)
    for payload, leg in zip(of(log, OrderClosed), legs, strict=True):
        assert payload.filled + payload.unfilled == leg.quantity
        assert payload.filled <= leg.quantity


def test_the_fast_loop_imports_no_model_no_pandas_and_no_network() -> None:
    banned = (
        "pandas", "scipy", "openai", "langgraph", "langchain_core", "autogen_core", "httpx", "requests", "aiohttp",
        "urllib3", "chromadb", "fastapi", "sqlite3",
    )  # fmt: skip
    code = (
        "import sys, parley.execution.session, parley.execution.venues.paper;"
        f"print([name for name in {banned} if name in sys.modules])"
    )

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"
