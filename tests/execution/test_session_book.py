"""The session's working copy of cash, positions and open orders, share by share."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.orders import ChildOrder, Fill, Side
from parley.domain.trading import TradingState
from parley.execution.session_book import SessionBook
from parley.gate.state import OrderContext

from .conftest import Floor

FLOOR = Floor()


def child(floor: Any, quantity: int, client_order_id: str = "c1", side: str = "BUY", symbol: str = "AAA") -> ChildOrder:
    return ChildOrder(
        client_order_id=client_order_id,
        order_id=f"leg-{symbol}",
        decision_id="d1",
        symbol=symbol,
        side=Side(side),
        quantity=quantity,
        limit_price=Decimal(101),
        sequence=0,
        created_at=floor.opens,
    )


def fill(floor: Any, of: ChildOrder, quantity: int, fee: str = "0") -> Fill:
    return Fill(
        execution_id=f"e{quantity}",
        client_order_id=of.client_order_id,
        order_id=of.order_id,
        symbol=of.symbol,
        side=of.side,
        quantity=quantity,
        price=Decimal(100),
        fee=Decimal(fee),
        mid_price=Decimal(100),
        touch_price=Decimal(100),
        venue="paper",
        ts_event=floor.opens,
    )


def seen(floor: Any, book: SessionBook, of: ChildOrder) -> OrderContext:
    return book.context(of, floor.quote(of.symbol), Decimal(0), TradingState.ACTIVE)


def book_of(floor: Any) -> SessionBook:
    state = floor.state(cash="100000", held={"BBB": 500})
    plan = floor.approved(floor.leg("AAA", "BUY", 300), floor.leg("BBB", "SELL", 500), state=state)
    return SessionBook(plan.terms)


def test_an_open_buy_counts_as_filled_at_its_worst_price(floor: Any) -> None:
    book, order = book_of(floor), child(floor, 100)

    book.send(order, Decimal(101), Decimal(2))

    context = seen(floor, book, order)
    assert (context.open_buys, context.committed, context.children, context.traded) == (100, 100, 1, 100)
    assert (context.cash, context.reserved) == (Decimal(100_000), Decimal(10_102))
    assert (context.gross_value, context.sector_value) == (Decimal(60_000), Decimal(10_000))


def test_a_fill_turns_reserve_into_position(floor: Any) -> None:
    book, order = book_of(floor), child(floor, 100)
    book.send(order, Decimal(101), Decimal(2))

    book.fill(fill(floor, order, 60, fee="1"))

    context = seen(floor, book, order)
    assert (context.held, context.open_buys, context.committed) == (60, 40, 100)
    assert (context.cash, context.reserved) == (Decimal(93_999), Decimal(40 * 101 + 1))
    assert context.gross_value == Decimal(60_000)


def test_the_end_of_an_order_frees_what_it_left(floor: Any) -> None:
    book, order = book_of(floor), child(floor, 100)
    book.send(order, Decimal(101), Decimal(2))
    book.fill(fill(floor, order, 60, fee="1"))

    assert book.release("c1") == 40

    context = seen(floor, book, order)
    assert (context.open_buys, context.committed, context.children, context.traded) == (0, 60, 1, 60)
    assert context.reserved == 0
    assert context.gross_value == Decimal(56_000)


def test_a_late_fill_is_booked_whole(floor: Any) -> None:
    book, order = book_of(floor), child(floor, 100)
    book.send(order, Decimal(101), Decimal(0))
    book.release("c1")

    book.fill(fill(floor, order, 100))

    context = seen(floor, book, order)
    assert (context.held, context.open_buys, context.committed, context.traded) == (100, 0, 100, 100)
    assert (context.cash, context.reserved, context.gross_value) == (Decimal(90_000), Decimal(0), Decimal(60_000))


def test_an_open_sell_earns_nothing_until_it_fills(floor: Any) -> None:
    book, order = book_of(floor), child(floor, 500, side="SELL", symbol="BBB")

    book.send(order, Decimal(99), Decimal(3))
    before = seen(floor, book, order)
    book.fill(fill(floor, order, 500, fee="3"))
    after = seen(floor, book, order)

    assert (before.cash, before.reserved, before.gross_value) == (Decimal(100_000), Decimal(3), Decimal(50_000))
    assert (after.cash, after.reserved, after.gross_value) == (Decimal(149_997), Decimal(0), Decimal(0))


STEPS = st.lists(st.tuples(st.sampled_from(["AAA", "BBB"]), st.booleans(), st.integers(1, 90)), min_size=1, max_size=20)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_the_sums_that_are_carried_are_those_of_a_count_over_everything(steps: list[tuple[str, bool, int]]) -> None:
    book = book_of(FLOOR)
    held, opened = {"AAA": 0, "BBB": 500}, dict.fromkeys([(s, side) for s in ("AAA", "BBB") for side in Side], 0)

    for place, (symbol, fills, quantity) in enumerate(steps):
        side = Side.BUY if symbol == "AAA" else Side.SELL
        quantity *= 1 if side is Side.BUY else 20  # Past what is held, and so short.
        order = child(FLOOR, quantity, f"c{place}", side, symbol)
        book.send(order, Decimal(100), Decimal(0))
        opened[symbol, side] += quantity
        if fills:
            book.fill(fill(FLOOR, order, quantity))
            opened[symbol, side] -= quantity
            held[symbol] += side.sign * quantity

        most = {name: held[name] + opened[name, Side.BUY] for name in held}
        least = {name: held[name] - opened[name, Side.SELL] for name in held}
        context = seen(FLOOR, book, order)
        assert context.gross_value == 100 * sum(max(abs(most[name]), abs(least[name])) for name in held)
        assert context.net_value == 100 * sum((most if side is Side.BUY else least).values())
        assert context.unexecuted == 100 * sum(opened.values())
