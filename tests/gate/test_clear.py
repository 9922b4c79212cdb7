"""The one pass against the table: what it lets through the table lets through, on whatever it is shown."""

from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.market import Quote
from parley.domain.orders import ChildOrder, OrderType, Side, TimeInForce
from parley.domain.trading import TradingState
from parley.evals.suites.veto_children import CHILD_BREACHES, KNOWN, moment, oversold
from parley.evals.suites.veto_plans import shorting
from parley.gate.approval import terms_of
from parley.gate.child_checks import UNUSABLE, judged, view_of
from parley.gate.clear import is_clear
from parley.gate.state import OrderContext

ODD = [None, 0, -1, 7, 10**9, 0.5, -0.5, 1e300, float("nan"), float("inf"), Decimal("NaN"), Decimal("sNaN"),
       Decimal("Infinity"), Decimal(-1), Decimal("1e30"), True, False, "", "1", (), Decimal(0)]  # fmt: skip
SALE = {"order_id": "leg-BBB-SELL", "symbol": "BBB", "side": Side.SELL, "limit_price": Decimal("99.50")}


def seen_as_clear(bench: Any, at: Any) -> bool:
    try:
        return is_clear(at.child, terms_of(at.plan), at.context, at.limits.child_bounds, bench.open)
    except UNUSABLE:
        return False


def by_the_table(bench: Any, at: Any) -> bool:
    return judged(view_of(at.child, terms_of(at.plan), at.context, at.limits, bench.open))[0]


def test_an_ordinary_buy_and_an_ordinary_exit_are_clear_so_that_the_table_is_not_asked(bench: Any) -> None:
    exit_now = moment(bench, SALE, quote=bench.quote(symbol="BBB"), held=40)

    assert seen_as_clear(bench, moment(bench))
    assert seen_as_clear(bench, exit_now)


@pytest.mark.parametrize("name", CHILD_BREACHES)
def test_no_breach_of_any_line_is_clear(bench: Any, name: str) -> None:
    assert not seen_as_clear(bench, CHILD_BREACHES[name](bench))


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_a_figure_that_is_missing_is_clear_only_where_no_limit_asks_for_it(bench: Any, name: str) -> None:
    at = moment(bench, **{name: None})

    assert not seen_as_clear(bench, at) or by_the_table(bench, at)


@pytest.mark.parametrize("name", OrderContext._fields)
@pytest.mark.parametrize("child", [{}, SALE], ids=["buy", "sale"])
def test_a_part_of_the_instant_of_an_odd_value_is_clear_only_where_the_table_passes_it(
    bench: Any, name: str, child: dict[str, Any]
) -> None:
    sale = {"quote": bench.quote(symbol="BBB"), "held": 40} if child else {}
    at = moment(bench, child, **sale)
    assert seen_as_clear(bench, at)
    for value in ODD:
        odd = at._replace(context=at.context._replace(**{name: value}))

        assert not seen_as_clear(bench, odd) or by_the_table(bench, odd), value


@pytest.mark.parametrize("name", [field.name for field in fields(Quote)])
def test_a_quote_of_an_odd_value_is_clear_only_where_the_table_passes_it(bench: Any, name: str) -> None:
    at = moment(bench)
    for value in ODD:
        odd = at._replace(context=at.context._replace(quote=replace(bench.quote(), **{name: value})))

        assert not seen_as_clear(bench, odd) or by_the_table(bench, odd), value


def test_what_only_looks_like_an_instant_or_a_child_is_not_clear(bench: Any) -> None:
    at = moment(bench)
    said = dict(at.child)

    assert not seen_as_clear(bench, at._replace(context=tuple(at.context)))
    for name in said:
        rest = {key: value for key, value in said.items() if key != name}
        assert not seen_as_clear(bench, at._replace(child=SimpleNamespace(**rest))), name
        assert not seen_as_clear(bench, at._replace(child=SimpleNamespace(**rest, other=said[name]))), name


OTHERS = [
    {"order_type": OrderType.MARKET},
    {"time_in_force": TimeInForce.IOC},
    {"symbol": "CCC"},
    {"side": Side.SELL},
    {"decision_id": "d2"},
    {"client_order_id": ""},
]


@pytest.mark.parametrize("change", OTHERS, ids=str)
def test_a_child_that_is_not_quite_what_was_approved_is_not_clear(bench: Any, change: dict[str, Any]) -> None:
    quote = bench.quote(symbol=change.get("symbol", "AAA"))
    at = moment(bench, quote=quote, held=40)
    other = at._replace(child=at.child.model_copy(update=change))

    assert seen_as_clear(bench, at) is ("symbol" not in change)
    assert not seen_as_clear(bench, other)


def test_a_leg_that_only_a_stop_may_be_sent_of_has_no_clear_child(bench: Any) -> None:
    at, bounds = moment(bench), bench.limits.child_bounds
    terms = terms_of(at.plan)
    stops = {name: replace(leg, protects=True) for name, leg in terms.legs.items()}

    assert is_clear(at.child, terms, at.context, bounds, bench.open)
    assert not is_clear(at.child, replace(terms, legs=stops), at.context, bounds, bench.open)


def test_a_buy_that_turns_a_short_position_into_a_long_one_is_spared_nothing(bench: Any) -> None:
    tight = {"max_order_quantity": 9}

    assert seen_as_clear(bench, moment(bench, {"quantity": 10}, tight, held=-10))
    assert not seen_as_clear(bench, moment(bench, {"quantity": 10}, tight, held=-9))


def test_no_collar_lets_an_order_at_no_price_through(bench: Any) -> None:
    at = moment(bench, price_band=None)
    wide = replace(bench.limits.child_bounds, price_collar_frac=Decimal(1))
    free = at.child.model_copy(update={"limit_price": Decimal("0.00")})

    assert is_clear(at.child, terms_of(at.plan), at.context, wide, bench.open)
    assert not is_clear(free, terms_of(at.plan), at.context, wide, bench.open)


@pytest.mark.parametrize(
    ("band", "is_inside"),
    [
        ((99, 112), True),
        ((101, 112), False),
        ((90, 99), False),
        ((112, 90), False),
        ((0, 112), False),
        ((-1, 112), False),
    ],
)
def test_a_limit_outside_the_band_and_a_band_that_is_none_are_not_clear(
    bench: Any, band: tuple[int, int], is_inside: bool
) -> None:
    at = moment(bench, price_band=tuple(map(Decimal, band)))

    assert seen_as_clear(bench, at) is is_inside is by_the_table(bench, at)


@pytest.mark.parametrize("shown", [1, 0, -1])
def test_a_recorded_quote_that_shows_no_size_is_not_clear(bench: Any, shown: int) -> None:
    quote = replace(bench.quote(), ask_size=shown, synthetic=False)
    at = moment(bench, {"quantity": 1}, quote=quote)

    assert seen_as_clear(bench, at) is (shown > 0) is by_the_table(bench, at)


@pytest.mark.parametrize("fields_of_leg", [{"daily_volume": -1e6}, {"daily_volume": 0.0}, {"shortable": -1}], ids=str)
def test_a_leg_of_an_odd_volume_or_of_fewer_shares_to_lend_than_none_is_not_clear(
    bench: Any, fields_of_leg: dict[str, Any]
) -> None:
    for child, seen in (({}, {}), (SALE, {"quote": bench.quote(symbol="BBB"), "held": 40})):
        at, bounds = moment(bench, child, **seen), bench.limits.child_bounds
        terms = terms_of(at.plan)
        odd = replace(terms, legs={name: replace(leg, **fields_of_leg) for name, leg in terms.legs.items()})

        assert is_clear(at.child, terms, at.context, bounds, bench.open)
        try:
            found = is_clear(at.child, odd, at.context, bounds, bench.open)
        except UNUSABLE:
            found = False
        assert not found
        assert not judged(view_of(at.child, odd, at.context, at.limits, bench.open))[0] or "shortable" in fields_of_leg


def test_what_is_owed_covers_no_sale(bench: Any) -> None:
    assert not seen_as_clear(bench, moment(bench, SALE, quote=bench.quote(symbol="BBB"), held=-40))


@pytest.mark.parametrize("figure", ["price_band", "clock_skew", "queue_age"])
def test_a_required_figure_that_is_missing_is_never_clear(bench: Any, figure: str) -> None:
    name = figure if figure == "price_band" else f"{figure}_s"

    assert seen_as_clear(bench, moment(bench, **{name: None}))
    assert not seen_as_clear(bench, moment(bench, limits={"required_figures": (figure,)}, **{name: None}))


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

    assert not seen_as_clear(bench, at) or by_the_table(bench, at)


@pytest.mark.parametrize("name", list(ChildOrder.model_fields))
def test_a_child_of_an_odd_value_is_clear_only_where_the_table_passes_it(bench: Any, name: str) -> None:
    at = moment(bench)
    for value in ODD:
        odd = at._replace(child=at.child.model_copy(update={name: value}))

        assert not seen_as_clear(bench, odd) or by_the_table(bench, odd), value
