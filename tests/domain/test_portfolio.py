"""Cash and positions as a fold over fills: what it keeps, and what changes nothing."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import reduce
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.errors import LedgerError
from parley.domain.orders import Fill, Side
from parley.domain.portfolio import Portfolio, book_fill, book_fills, cash_out

CASH = Decimal("100000")
BUY, SELL = Side.BUY, Side.SELL


def _fill(
    number: int, side: Side, quantity: int, price: str | Decimal, fee: str | Decimal = "0", symbol: str = "AAPL"
) -> Fill:
    return Fill(
        execution_id=f"exec-{number}",
        client_order_id="child-1",
        order_id="ord-1",
        symbol=symbol,
        side=side,
        quantity=quantity,
        price=Decimal(price),
        fee=Decimal(fee),
        mid_price=Decimal(price),
        touch_price=Decimal(price),
        venue="paper",
        ts_event=datetime(2024, 1, 2, tzinfo=UTC),
    )


_MOVES = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.integers(1, 500),
        st.decimals("0.01", "900", places=2),
        st.decimals("0", "5", places=2),
        st.sampled_from(["AAPL", "MSFT", "XOM"]),
    ),
    max_size=20,
)
_FILLS = _MOVES.map(lambda moves: [_fill(number, *move) for number, move in enumerate(moves)])


def test_average_cost_is_kept_through_adding_reducing_and_crossing_zero() -> None:
    # By hand: (100 x 10 + 100 x 20) / 200 = 15; selling 150 at 18 realizes 150 x 3; selling 100 at 16
    # realizes the last 50 x 1 and opens 50 short at 16; buying those back at 12 realizes 50 x 4.
    book = Portfolio(cash=CASH)
    seen = []
    for number, (side, quantity, price) in enumerate(
        [(BUY, 100, "10"), (BUY, 100, "20"), (SELL, 150, "18"), (SELL, 100, "16"), (BUY, 50, "12")]
    ):
        book = book_fill(book, _fill(number, side, quantity, price))
        position = book.positions[0]
        seen.append((position.quantity, position.average_price, position.realized))

    assert seen == [(100, 10, 0), (200, 15, 0), (50, 15, 450), (-50, 16, 500), (0, 0, 700)]
    assert book.cash == CASH + 700


def test_fees_come_out_of_cash_and_never_out_of_the_price() -> None:
    book = book_fill(Portfolio(cash=CASH), _fill(1, BUY, 10, "7.50", "1.25"))

    assert book.cash == CASH - 75 - Decimal("1.25")
    assert book.positions[0].average_price == Decimal("7.50")


def test_a_flat_position_stays_for_its_result_and_is_no_holding() -> None:
    book = book_fills(Portfolio(cash=CASH), [_fill(1, BUY, 10, "5"), _fill(2, SELL, 10, "6")])

    assert book.holdings() == {}
    assert book.positions[0].realized == 10
    assert book.quantity("AAPL") == book.quantity("NONE") == 0


def test_equity_needs_a_price_for_every_holding() -> None:
    book = book_fill(Portfolio(cash=CASH), _fill(1, BUY, 10, "5"))

    assert book.equity({"AAPL": Decimal(6)}) == CASH + 10
    with pytest.raises(LedgerError, match="AAPL: held 10 but no price was given"):
        book.equity({"MSFT": Decimal(6)})


@settings(max_examples=50, deadline=None)
@given(_FILLS)
def test_cash_moves_by_exactly_what_was_paid(fills: list[Fill]) -> None:
    book = book_fills(Portfolio(cash=CASH), fills)

    assert book.cash == CASH - sum(fill.side.sign * fill.notional + fill.fee for fill in fills)


@settings(max_examples=50, deadline=None)
@given(_FILLS)
def test_quantities_are_signed_sums_and_positions_are_sorted(fills: list[Fill]) -> None:
    book = book_fills(Portfolio(cash=CASH), fills)

    for position in book.positions:
        assert position.quantity == sum(f.side.sign * f.quantity for f in fills if f.symbol == position.symbol)
        assert (position.average_price > 0) == (position.quantity != 0)
    assert all(one.symbol < other.symbol for one, other in pairwise(book.positions))


@settings(max_examples=50, deadline=None)
@given(_FILLS, st.decimals("0.01", "900", places=2))
def test_equity_changes_by_realized_and_open_results_less_fees(fills: list[Fill], mark: Decimal) -> None:
    book = book_fills(Portfolio(cash=CASH), fills)

    equity = book.equity(dict.fromkeys(["AAPL", "MSFT", "XOM"], mark))

    results = sum(p.realized + p.quantity * (mark - p.average_price) for p in book.positions)
    # The average is a quotient rounded to 28 digits; everything else is exact.
    assert abs(equity - CASH - results + sum(fill.fee for fill in fills)) < Decimal("1e-15")


@settings(max_examples=50, deadline=None)
@given(_FILLS.flatmap(lambda fills: st.tuples(st.just(fills), st.permutations(fills))))
def test_fills_reported_again_in_any_order_change_nothing(reports: tuple[list[Fill], list[Fill]]) -> None:
    fills, repeats = reports

    assert book_fills(Portfolio(cash=CASH), [*fills, *repeats]) == book_fills(Portfolio(cash=CASH), fills)


@settings(max_examples=50, deadline=None)
@given(_FILLS)
def test_instruments_do_not_touch_each_other(fills: list[Fill]) -> None:
    book = book_fills(Portfolio(cash=CASH), fills)

    grouped = book_fills(Portfolio(cash=CASH), sorted(fills, key=lambda fill: fill.symbol))

    assert grouped == book


@settings(max_examples=50, deadline=None)
@given(_FILLS, st.integers(0, 20))
def test_a_fold_can_stop_anywhere_and_go_on(fills: list[Fill], stop: int) -> None:
    begun = book_fills(Portfolio(cash=CASH), fills[:stop])

    assert reduce(book_fill, fills[stop:], begun) == book_fills(Portfolio(cash=CASH), fills)


def test_a_vanished_position_becomes_cash_at_its_last_price() -> None:
    held = book_fill(Portfolio(cash=CASH), _fill(1, BUY, 100, "10.00", "1"))

    paid = cash_out(held, "AAPL", Decimal("12.50"))

    assert paid.cash == CASH - 1001 + 1250
    assert paid.holdings() == {}
    assert paid.positions[0].realized == Decimal("250.00")


def test_cashing_out_moves_no_value_at_the_price_it_is_paid_at() -> None:
    held = book_fill(Portfolio(cash=CASH), _fill(1, BUY, 100, "10.00"))
    marks = {"AAPL": Decimal("7.25")}

    assert cash_out(held, "AAPL", marks["AAPL"]).equity({}) == held.equity(marks)


def test_nothing_held_cannot_become_cash() -> None:
    with pytest.raises(LedgerError, match="nothing is held"):
        cash_out(Portfolio(cash=CASH), "AAPL", Decimal(1))
