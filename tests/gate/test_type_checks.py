"""What kind of order it is: which types, prices and lifetimes go together, and when a stop or an end is usable."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from parley.domain.orders import ChildOrder, OrderType, Side, TimeInForce
from parley.gate.gate import review_child

D = Decimal
KINDS = {"MARKET": (None, None), "LIMIT": ("99.00", None), "STOP": (None, "99.50"), "STOP_LIMIT": ("99.00", "99.50")}
TAKEN = {
    "MARKET": {"DAY", "IOC", "FOK", "OPG", "CLS"},
    "LIMIT": {"DAY", "GTC", "GTD", "IOC", "FOK", "OPG", "CLS"},
    "STOP": {"DAY", "GTC", "GTD"},
    "STOP_LIMIT": {"DAY", "GTC", "GTD"},
}


def sale(bench: Any, kind: str, **changes: Any) -> ChildOrder:
    limit, stop = KINDS[kind]
    values = {
        "order_id": "leg-AAA-SELL",
        "side": Side.SELL,
        "order_type": OrderType(kind),
        "limit_price": limit and D(limit),
        "stop_price": stop and D(stop),
    }
    return bench.child(10, **{**values, **changes})


def failed(bench: Any, child: ChildOrder) -> set[str]:
    """Reasons against a sale of shares that are held, so that it may go without a limit."""
    limits = bench.limits.model_copy(update={"required_figures": ()})
    state = bench.state(cash="90000", held={"AAA": 50}, halted=frozenset())
    _, plan = bench.review(bench.plan(bench.leg("AAA", "SELL", 10)), state, limits)
    review = review_child(child, plan, bench.context(held=50), limits, bench.open)
    return {row.check for row in review.verdict.reasons}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("force", list(TimeInForce))
def test_a_type_goes_with_some_lifetimes_and_not_with_others(bench: Any, kind: str, force: TimeInForce) -> None:
    ends = bench.open + timedelta(days=3) if force is TimeInForce.GTD else None
    child = sale(bench, kind, time_in_force=force, expires_at=ends)

    assert failed(bench, child) == (set() if force.value in TAKEN[kind] else {"order_type"})


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("LIMIT", {"stop_price": D("99.50")}),
        ("STOP", {"limit_price": D("99.00")}),
        ("STOP", {"stop_price": None}),
        ("STOP_LIMIT", {"stop_price": None}),
        ("LIMIT", {"expires_at": "later"}),
        ("LIMIT", {"time_in_force": TimeInForce.GTD}),
    ],
)
def test_prices_and_ends_that_belong_to_another_kind_are_refused(bench: Any, kind: str, changes: Any) -> None:
    changes = {name: bench.open + timedelta(days=1) if value == "later" else value for name, value in changes.items()}

    assert failed(bench, sale(bench, kind, **changes)) == {"order_type"}


@pytest.mark.parametrize(
    ("side", "stop", "reasons"),
    [
        ("SELL", "99.99", set()),
        ("SELL", "100.01", {"stop_price"}),
        ("SELL", "99.995", {"stop_price"}),
        ("BUY", "100.01", set()),
        ("BUY", "99.99", {"stop_price"}),
    ],
)
def test_a_stop_is_on_the_grid_and_on_its_side_of_the_market(
    bench: Any, side: str, stop: str, reasons: set[str]
) -> None:
    if side == "SELL":
        assert failed(bench, sale(bench, "STOP", stop_price=D(stop))) == reasons
        return
    limits = bench.limits.model_copy(update={"required_figures": ()})
    _, plan = bench.review(bench.plan(bench.leg("AAA", "BUY", 10)), bench.state(halted=frozenset()), limits)
    child = bench.child(10, order_type=OrderType.STOP_LIMIT, limit_price=D("101"), stop_price=D(stop))
    review = review_child(child, plan, bench.context(), limits, bench.open)
    assert {row.check for row in review.verdict.reasons} == reasons


@pytest.mark.parametrize(("seconds", "reasons"), [(0.5, {"expiry"}), (1.0, set()), (-5.0, {"expiry"})])
def test_an_end_lies_ahead(bench: Any, seconds: float, reasons: set[str]) -> None:
    child = sale(bench, "LIMIT", time_in_force=TimeInForce.GTD, expires_at=bench.open + timedelta(seconds=seconds))

    assert failed(bench, child) == reasons


def test_a_limit_without_a_type_is_a_limit_order_and_none_a_market_order(bench: Any) -> None:
    assert bench.child(10).order_type is OrderType.LIMIT
    assert bench.child(10, limit_price=None).order_type is OrderType.MARKET
    read = ChildOrder.model_validate_json(bench.child(10, limit_price=None).model_dump_json(exclude={"order_type"}))
    assert read.order_type is OrderType.MARKET


@pytest.mark.parametrize(
    "changes",
    [
        {"order_type": "LIMIT"},
        {"time_in_force": None},
        {"stop_price": D("NaN")},
        {"stop_price": 99.5},
        {"expires_at": 3},
    ],
)
def test_a_child_built_without_validation_is_refused(bench: Any, changes: Any) -> None:
    broken = bench.child(10).model_copy(update=changes)
    limits = bench.limits.model_copy(update={"required_figures": ()})
    _, plan = bench.review(bench.plan(bench.leg("AAA", "BUY", 10)), bench.state(halted=frozenset()), limits)

    assert review_child(broken, plan, bench.context(), limits, bench.open).order is None
