"""The one pass against the table: what it lets through the table lets through, on whatever it is shown."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.orders import ChildOrder, OrderType, Side, TimeInForce
from parley.domain.trading import TradingState
from parley.evals.suites.veto_children import CHILD_BREACHES, KNOWN, moment, oversold
from parley.evals.suites.veto_plans import shorting
from parley.gate.approval import terms_of
from parley.gate.child_checks import UNUSABLE, judged, view_of
from parley.gate.child_view import ChildView
from parley.gate.clear import is_clear

ODD = [None, 0, -1, 7, 10**9, 0.5, -0.5, 1e300, float("nan"), float("inf"), Decimal("NaN"), Decimal("sNaN"),
       Decimal("Infinity"), Decimal(-1), Decimal("1e30"), True, False, "", "1", (), Decimal(0)]  # fmt: skip


def looked_at(bench: Any, at: Any) -> ChildView:
    view = view_of(at.child, terms_of(at.plan), at.context, at.limits, bench.open)
    assert view is not None
    return view


def seen_as_clear(view: ChildView) -> bool:
    try:
        return is_clear(view)
    except UNUSABLE:
        return False


def test_an_ordinary_buy_and_an_ordinary_exit_are_clear_so_that_the_table_is_not_asked(bench: Any) -> None:
    sale = {"order_id": "leg-BBB-SELL", "symbol": "BBB", "side": Side.SELL, "limit_price": Decimal("99.50")}
    exit_now = moment(bench, sale, quote=bench.quote(symbol="BBB"), held=40)

    assert is_clear(looked_at(bench, moment(bench)))
    assert is_clear(looked_at(bench, exit_now))


@pytest.mark.parametrize("name", CHILD_BREACHES)
def test_no_breach_of_any_line_is_clear(bench: Any, name: str) -> None:
    assert not is_clear(looked_at(bench, CHILD_BREACHES[name](bench)))


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_a_figure_that_is_missing_is_clear_only_where_no_limit_asks_for_it(bench: Any, name: str) -> None:
    view = looked_at(bench, moment(bench, **{name: None}))

    assert not seen_as_clear(view) or judged(view)[0]


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_a_figure_of_an_odd_value_is_clear_only_where_the_table_passes_it(bench: Any, name: str) -> None:
    at = moment(bench)
    for value in ODD:
        view = looked_at(bench, at._replace(context=at.context._replace(**{name: value})))

        assert not seen_as_clear(view) or judged(view)[0], value


def test_what_is_owed_covers_no_sale(bench: Any) -> None:
    sale = {"order_id": "leg-BBB-SELL", "symbol": "BBB", "side": Side.SELL, "limit_price": Decimal("99.50")}

    assert not is_clear(looked_at(bench, moment(bench, sale, quote=bench.quote(symbol="BBB"), held=-40)))


@pytest.mark.parametrize("figure", ["price_band", "clock_skew", "queue_age"])
def test_a_required_figure_that_is_missing_is_never_clear(bench: Any, figure: str) -> None:
    name = figure if figure == "price_band" else f"{figure}_s"

    assert is_clear(looked_at(bench, moment(bench, **{name: None})))
    assert not is_clear(looked_at(bench, moment(bench, limits={"required_figures": (figure,)}, **{name: None})))


@st.composite
def instants(draw: Any, bench: Any) -> Any:
    """A child and its instant with a few things moved: to near a bound, past it, or to what no type promises."""
    is_sale = draw(st.booleans())
    moved = draw(st.lists(st.sampled_from([*KNOWN, "held", "open_buys", "open_sells", "committed", "children", "traded",
                                           "opposite_price", "cash", "reserved", "gross_value", "sector_value",
                                           "worst_fee", "trading_state"]), max_size=2))  # fmt: skip
    seen = {
        name: draw(st.sampled_from([*ODD, TradingState.REDUCING, Decimal(99_001), Decimal(1005)])) for name in moved
    }
    half = draw(st.sampled_from([Decimal("0.01"), Decimal(0), Decimal("2.5"), Decimal(3)]))
    mid = draw(st.sampled_from([Decimal(100), Decimal("100.005"), Decimal(92), Decimal(126), Decimal(60)]))
    quantity = draw(st.sampled_from([1, 9, 10, 11, 40, 41, 50, 51, 120]))
    symbol = "BBB" if is_sale else "AAA"
    quote = bench.quote(str(mid - half), str(mid + half), symbol, age_s=draw(st.sampled_from([0.0, 29.0, 31.0, -1.0])))
    child: dict[str, Any] = {
        "quantity": quantity,
        "limit_price": draw(
            st.sampled_from([None, mid, mid + half, Decimal("100.505"), Decimal("110.01"), Decimal(59)])
        ),
    }
    if is_sale:
        child |= {"order_id": "leg-BBB-SELL", "symbol": "BBB", "side": Side.SELL}
        seen.setdefault("held", draw(st.sampled_from([40, 39, 0, -5])))
    if draw(st.integers(0, 5)) == 0:
        child |= draw(st.sampled_from([
            {"time_in_force": TimeInForce.GTD, "expires_at": bench.open + timedelta(seconds=2)},
            {"time_in_force": TimeInForce.IOC},
            {"order_type": OrderType.STOP_LIMIT, "stop_price": Decimal("100.50")},
            {"created_at": bench.open - timedelta(seconds=31)},
            {"decision_id": "d2"},
            {"symbol": "CCC"},
        ]))  # fmt: skip
    if child["limit_price"] is None:
        child["order_type"] = OrderType.MARKET
    limits = draw(st.sampled_from([{}, {"max_order_quantity": 9}, {"min_order_notional": 1001},
                                   {"max_net": 0.009}, {"pattern_day_rule": True},
                                   {"restricted_symbols": (symbol,)}, {"allowed_symbols": ("AAA",)},
                                   {"max_unexecuted_notional": 999},
                                   {"max_instrument_weight": {"stock": 0.009}}]))  # fmt: skip
    at = moment(bench, child, limits, quote=quote, **seen)
    if draw(st.integers(0, 4)) == 0:
        at = oversold(bench, draw(st.booleans()), shorting(bench))
    return at


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_what_is_clear_passes_the_table(bench: Any, data: Any) -> None:
    at = data.draw(instants(bench))
    view = view_of(at.child, terms_of(at.plan), at.context, at.limits, bench.open)

    if view is not None and seen_as_clear(view):
        passed, measures = judged(view)
        assert passed, measures


@pytest.mark.parametrize("name", [name for name in ChildOrder.model_fields if name != "client_order_id"])
def test_a_child_of_an_odd_value_is_clear_only_where_the_table_passes_it(bench: Any, name: str) -> None:
    at = moment(bench)
    for value in ODD:
        child = at.child.model_copy(update={name: value})
        view = view_of(child, terms_of(at.plan), at.context, at.limits, bench.open)

        assert view is None or not seen_as_clear(view) or judged(view)[0], value
