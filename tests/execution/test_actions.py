"""Splits, dividends, delistings and renames leave positions, orders, cost and equity as they should be."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.orders import OrderType, TimeInForce
from parley.domain.portfolio import Portfolio, Position
from parley.execution.errors import ExecutionError
from parley.execution.venues.account import borrow_fee
from parley.execution.venues.actions import act_on_order, act_on_portfolio
from parley.execution.venues.worked_order import WorkedOrder, worked
from parley.market.corporate_actions import CorporateAction

from .exchange_kit import Kit, traded

D = Decimal
CENT = D("0.01")


def book(quantity: int, average: str = "645.57", cash: str = "1000") -> Portfolio:
    held = Position(symbol="AAA", quantity=quantity, average_price=D(average), realized=D(7))
    return Portfolio(cash=D(cash), positions=(held,))


def action(floor: Any, kind: Any, **terms: Any) -> CorporateAction:
    return CorporateAction("AAA", kind, floor.opens.date(), **terms)


def standing(floor: Any, quantity: int, side: str, limit: str | None, stop: str | None = None) -> WorkedOrder:
    kinds = {(True, False): "LIMIT", (False, True): "STOP", (True, True): "STOP_LIMIT"}
    kind = OrderType(kinds[limit is not None, stop is not None])
    child = Kit(floor).child(
        quantity, side, limit, order_type=kind, stop_price=stop and D(stop), time_in_force=TimeInForce.GTC
    )
    return worked(child, floor.opens)


def test_a_seven_for_one_split_keeps_what_the_position_cost(floor: Any) -> None:
    after = act_on_portfolio(book(100), action(floor, "split", new_shares=7))

    (position,) = after.positions
    assert (position.quantity, after.cash, position.realized) == (700, D(1000), D(7))
    assert position.average_price * 700 == pytest.approx(D("645.57") * 100)


@given(
    quantity=st.integers(-500, 500).filter(bool),
    old=st.integers(1, 20),
    new=st.integers(1, 20),
    price=st.decimals(1, 500, places=2),
)
@settings(max_examples=50, deadline=None)
def test_a_split_changes_neither_equity_nor_the_result_so_far(
    floor: Any, quantity: int, old: int, new: int, price: Decimal
) -> None:
    before = book(quantity)
    after = act_on_portfolio(before, action(floor, "split", old_shares=old, new_shares=new), price)

    mark = price * new / old
    (start,), (end,) = before.positions, after.positions
    equity = before.cash + start.quantity * mark, after.cash + end.quantity * price
    assert abs(equity[0] - equity[1]) < D("1e-15")
    result = [
        item.realized + (mark_now - item.average_price) * item.quantity
        for item, mark_now in ((start, mark), (end, price))
    ]
    assert abs(result[0] - result[1]) < D("1e-12")
    assert abs(end.quantity) * old <= abs(quantity) * new


def test_a_fraction_of_a_share_needs_a_price(floor: Any) -> None:
    spin_off = action(floor, "split", old_shares=1000, new_shares=1046)

    with pytest.raises(ExecutionError, match="600/1000 of a share and no price"):
        act_on_portfolio(book(100), spin_off)
    after = act_on_portfolio(book(100), spin_off, D("120"))
    assert (after.quantity("AAA"), after.cash) == (104, D(1072))


@pytest.mark.parametrize(("quantity", "cash"), [(100, "1329"), (-100, "671")])
def test_a_dividend_is_cash_to_whoever_holds_and_a_cost_to_whoever_is_short(
    floor: Any, quantity: int, cash: str
) -> None:
    after = act_on_portfolio(book(quantity), action(floor, "dividend", cash=D("3.29")))

    assert (after.cash, after.positions) == (D(cash), book(quantity).positions)


def test_a_delisting_pays_out_and_a_rename_moves(floor: Any) -> None:
    gone = act_on_portfolio(book(100), action(floor, "delisting", cash=D("0.5")))
    moved = act_on_portfolio(book(100), action(floor, "rename", new_symbol="BBB"))

    assert (gone.cash, gone.holdings()) == (D(1050), {})
    assert (moved.holdings(), moved.positions[0].average_price) == ({"BBB": 100}, D("645.57"))
    both = Portfolio(
        cash=D(0), positions=(*book(1).positions, book(1).positions[0].model_copy(update={"symbol": "BBB"}))
    )
    with pytest.raises(ExecutionError, match="held already"):
        act_on_portfolio(both, action(floor, "rename", new_symbol="BBB"))


def test_an_action_of_what_is_not_held_changes_nothing(floor: Any) -> None:
    empty = Portfolio(cash=D(5))

    assert act_on_portfolio(empty, action(floor, "delisting", cash=D(1))) == empty


@pytest.mark.parametrize(
    ("side", "limit", "stop", "cash", "after"),
    [
        ("BUY", "620.00", None, None, ("88.57", None, 70)),
        ("SELL", "700.00", "690.01", None, ("100.00", "98.57", 70)),
        ("BUY", "620.00", None, "3.29", ("616.71", None, 10)),
        ("SELL", None, "600.00", "3.295", (None, "596.70", 10)),
        ("SELL", "700.00", None, "3.29", ("700.00", None, 10)),
    ],
)
def test_a_standing_order_is_moved_as_finra_5330_has_it(
    floor: Any, side: str, limit: str | None, stop: str | None, cash: str | None, after: Any
) -> None:
    order = standing(floor, 10, side, limit, stop)
    acting = action(floor, "dividend", cash=D(cash)) if cash else action(floor, "split", new_shares=7)

    assert act_on_order(order, acting, CENT, 1) == ""
    expected = tuple(None if price is None else D(price) for price in after[:2])
    assert (order.limit, order.stop, order.remaining) == (*expected, after[2])
    assert order.seen().quantity == order.remaining


@pytest.mark.parametrize(
    ("kind", "terms", "why"),
    [
        ("split", {"old_shares": 10}, "reverse split"),
        ("delisting", {"cash": D(3)}, "delisted"),
        ("rename", {"new_symbol": "BBB"}, "renamed BBB"),
        ("dividend", {"cash": D(900)}, "not above the dividend"),
    ],
)
def test_what_an_action_leaves_without_meaning_is_canceled(floor: Any, kind: str, terms: Any, why: str) -> None:
    assert why in act_on_order(standing(floor, 10, "BUY", "620"), action(floor, kind, **terms), CENT, 1)


def test_a_split_overnight_reaches_orders_and_positions_of_the_next_session(floor: Any) -> None:
    kit, split = Kit(floor), action(floor, "split", new_shares=7)
    today = kit.exchange([kit.depth(0)])
    today.on_quote(kit.quote(0))
    today.submit(kit.order(10, limit="98", time_in_force=TimeInForce.GTC))
    today.close(floor.closes)
    tomorrow = kit.exchange([kit.depth(0, [("13.90", 500)], [("13.95", 500)])])
    tomorrow.take_over(today.carry_over(), [split])

    assert act_on_portfolio(book(100), split).holdings() == {"AAA": 700}
    assert traded(tomorrow.on_quote(kit.quote(0))) == [(70, D("13.95"))]


def test_a_short_position_pays_for_its_nights() -> None:
    # 49.30 x 1.02 is 51 dollars a share in whole ones: 200 x 51 x 9 % x 3 / 360.
    assert borrow_fee(200, D("49.30"), 0.09, 3) == D("7.65")
    assert borrow_fee(1, D("1.00"), 0.003, 1) == D("0.01")
