"""Each child check: what it stops, at the instant of sending."""

import copy
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from parley.domain.orders import ChildOrder, Side
from parley.domain.trading import TradingState
from parley.gate.approval import ApprovedPlan, genuine_order
from parley.gate.child_checks import CHILD_CHECKS
from parley.gate.errors import GateError, NotApproved
from parley.gate.gate import ChildReview, review_child

NAN = Decimal("NaN")


@pytest.fixture(scope="module")
def plan(bench: Any) -> ApprovedPlan:
    """Approved: buy 50 AAA, sell all 40 of BBB."""
    state = bench.state(cash="96000", held={"BBB": 40})
    return bench.review(bench.plan(bench.leg("AAA", "BUY", 50), bench.leg("BBB", "SELL", 40)), state)[1]


@pytest.fixture(scope="module")
def refused(bench: Any, plan: ApprovedPlan) -> Any:
    """Names of the failing checks of one child."""

    def names(child: ChildOrder, limits: Any = None, late_s: float = 0.0, **context: Any) -> set[str]:
        now = bench.open + timedelta(seconds=late_s)
        review = review_child(child, plan, bench.context(**context), limits or bench.limits, now)
        assert review.verdict.approved == (review.order is not None) == (not review.verdict.reasons)
        return {row.check for row in review.verdict.reasons}

    return names


def sell(bench: Any, quantity: int = 40, **changes: Any) -> ChildOrder:
    values = {"order_id": "leg-BBB-SELL", "symbol": "BBB", "side": Side.SELL, "limit_price": Decimal("99.50")}
    return bench.child(quantity, **{**values, **changes})


def test_a_child_of_an_approved_leg_is_approved_with_all_checks_recorded(bench: Any, plan: ApprovedPlan) -> None:
    review = review_child(bench.child(), plan, bench.context(), bench.limits, bench.open)

    assert review.order is not None
    assert genuine_order(review.order).quantity == 10
    assert review.order.verdict_hash == review.verdict_hash
    assert [row.check for row in review.verdict.checks] == [check.name for check in CHILD_CHECKS]
    assert review.verdict.state_version == "v1"


def test_the_same_review_gives_the_same_hash_and_any_difference_another(bench: Any, plan: ApprovedPlan) -> None:
    def seal(child: ChildOrder, limits: Any = bench.limits, **context: Any) -> ChildReview:
        return review_child(child, plan, bench.context(**context), limits, bench.open)

    first = seal(bench.child()).verdict_hash

    assert seal(bench.child()).verdict_hash == first
    assert seal(bench.child(quantity=11)).verdict_hash != first
    assert seal(bench.child(), cash=Decimal(99_999)).verdict_hash != first
    assert seal(bench.child(), limits=bench.limits.tighten(max_legs=100)).verdict_hash != first


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"decision_id": "d2"}, "plan_match"),
        ({"symbol": "BBB"}, "plan_match"),
        ({"side": Side.SELL}, "plan_match"),
        ({"order_id": "leg-ZZZ-BUY"}, "plan_match"),
        ({"quantity": 51}, "children_sum"),
        ({"quantity": 10**400}, "children_sum"),
        ({"limit_price": Decimal("110.01")}, "price_collar"),
        ({"limit_price": Decimal("0.01")}, "price_collar"),
        ({"limit_price": None}, "price_collar"),
        ({"limit_price": None}, "cash"),
    ],
)
def test_a_child_that_is_not_what_was_approved_is_refused(
    bench: Any, refused: Any, change: dict[str, Any], check: str
) -> None:
    assert check in refused(bench.child(**change))


@pytest.mark.parametrize(
    ("context", "check"),
    [
        ({"committed": 41}, "children_sum"),
        ({"children": 400}, "children_count"),
        ({"traded": 9_991}, "participation"),
        ({"cash": Decimal("1004.99")}, "cash"),
        ({"reserved": Decimal("99000")}, "cash"),
        ({"worst_fee": Decimal("99000")}, "cash"),
        ({"held": 91}, "instrument_weight"),
        ({"open_buys": 91}, "instrument_weight"),
        ({"sector_value": Decimal("29001")}, "sector_weight"),
        ({"gross_value": Decimal("99001")}, "gross"),
        ({"trading_state": TradingState.REDUCING}, "trading_state"),
        ({"trading_state": TradingState.HALTED}, "trading_state"),
        ({"quote": None}, "quote_age"),
        ({"cash": NAN}, "cash"),
        ({"cash": Decimal("sNaN")}, "cash"),
        ({"cash": Decimal("Infinity")}, "cash"),
        ({"gross_value": Decimal("-Infinity")}, "gross"),
    ],
)
def test_the_instant_can_refuse_a_child(bench: Any, refused: Any, context: dict[str, Any], check: str) -> None:
    assert check in refused(bench.child(), **context)


@pytest.mark.parametrize(
    ("bid", "ask", "age_s", "symbol", "check"),
    [
        ("99.99", "100.01", 31.0, "AAA", "quote_age"),
        ("99.99", "100.01", -1.0, "AAA", "quote_age"),
        ("99.99", "100.01", 0.0, "BBB", "quote_age"),
        ("100.01", "99.99", 0.0, "AAA", "crossed_quote"),
        ("95", "105", 0.0, "AAA", "spread"),
        ("0", "100", 0.0, "AAA", "spread"),
        ("-1", "100", 0.0, "AAA", "spread"),
        ("NaN", "100", 0.0, "AAA", "spread"),
        ("100", "NaN", 0.0, "AAA", "spread"),
        ("Infinity", "Infinity", 0.0, "AAA", "spread"),
        ("999", "1001", 0.0, "AAA", "price_move"),
        ("49.9", "50.1", 0.0, "AAA", "price_move"),
    ],
)
def test_no_child_goes_out_on_a_bad_quote(
    bench: Any, refused: Any, bid: str, ask: str, age_s: float, symbol: str, check: str
) -> None:
    quote = bench.quote(bid, ask, symbol, age_s)

    assert check in refused(bench.child(), quote=quote)


@pytest.mark.parametrize(
    ("bid", "limit", "held", "side", "is_refused"),
    [
        ("60", "59.5", 10, "SELL", False),  # 40 % down, and long: it must be able to leave
        ("52.5", "52", 10, "SELL", False),  # 47.5 %, the whole of 1.9 x 25 %
        ("52.4", "52", 10, "SELL", True),
        ("50", "49.5", 10, "SELL", True),  # what a split of two for one looks like
        ("60", "59.5", 9, "SELL", True),  # through zero is no exit
        ("140", "139", 10, "SELL", True),  # a spike is no loss to flee from
        ("60", None, 10, "SELL", True),  # without a limit nothing bounds a bad print
        ("140", "141", -10, "BUY", False),
        ("60", "60.5", -10, "BUY", True),
        ("60", "60.5", 0, "BUY", True),
    ],
)
def test_only_a_losing_exit_at_a_limit_leaves_after_a_gap(
    bench: Any, refused: Any, bid: str, limit: str | None, held: int, side: str, is_refused: bool
) -> None:
    at = None if limit is None else Decimal(limit)
    buys = side == "BUY"
    child = bench.child(limit_price=at) if buys else sell(bench, 10, limit_price=at)

    found = refused(child, quote=bench.quote(bid, bid, child.symbol), held=held)

    assert ("price_move" in found) == is_refused


def test_a_tighter_bound_on_moves_is_a_tighter_one_on_exits(bench: Any, plan: ApprovedPlan) -> None:
    context = bench.context(quote=bench.quote("60", "60", "BBB"), held=40)
    limits = bench.limits.tighten(max_price_move_frac=0.2)

    review = review_child(sell(bench, limit_price=Decimal("59.5")), plan, context, limits, bench.open)

    (row,) = [row for row in review.verdict.checks if row.check == "price_move"]
    assert (row.value, row.limit, row.passed) == (0.4, 0.38, False)


def test_a_stale_or_future_child_is_refused(bench: Any, refused: Any) -> None:
    assert "created" in refused(bench.child(), late_s=31.0)
    assert "created" in refused(bench.child(), late_s=-1.0)


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": 0}, {"quantity": -5}, {"quantity": True}, {"quantity": 1.0}, {"quantity": float("nan")},
        {"limit_price": NAN}, {"limit_price": Decimal("Infinity")}, {"limit_price": Decimal(-1)},
        {"limit_price": 100.5},
        {"side": "BUY"}, {"order_id": ["leg-AAA-BUY"]}, {"client_order_id": ""}, {"client_order_id": None},
        {"created_at": None}, {"sequence": "0"}, {"limit_price": 100.5},
    ],
)  # fmt: skip
def test_a_child_built_without_validation_is_refused(bench: Any, refused: Any, change: dict[str, Any]) -> None:
    child = ChildOrder.model_construct(**{**dict(bench.child()), **change})

    assert refused(child) == {check.name for check in CHILD_CHECKS}


def test_a_child_with_fields_missing_is_refused(refused: Any) -> None:
    assert "plan_match" in refused(ChildOrder.model_construct(order_id="leg-AAA-BUY"))


def test_selling_needs_the_shares(bench: Any, refused: Any) -> None:
    quote = bench.quote(symbol="BBB")

    assert refused(sell(bench), quote=quote, held=40) == set()
    assert "short" in refused(sell(bench), quote=quote, held=39)
    assert "short" in refused(sell(bench, 10), quote=quote, held=40, open_sells=31)


def test_an_exit_passes_every_risk_limit_but_not_a_halt(bench: Any, refused: Any) -> None:
    limits = bench.limits.tighten(
        max_gross=0, max_order_notional=0, max_order_quantity=0, min_cash=1e9, restricted_symbols=("BBB",),
        max_instrument_weight={"stock": 0}, max_sector_weight={"stock": 0},
    )  # fmt: skip
    context = {"quote": bench.quote(symbol="BBB"), "held": 40, "cash": Decimal(-1), "gross_value": Decimal(10**9)}

    assert refused(sell(bench), limits, **context) == set()
    assert refused(sell(bench, limit_price=None), limits, **context) == set()
    assert refused(sell(bench), limits, **context, trading_state=TradingState.REDUCING) == set()
    assert refused(sell(bench), limits, **context, trading_state=TradingState.HALTED) == {"trading_state"}


def test_limits_tightened_after_the_plan_bind_its_children(bench: Any, refused: Any) -> None:
    assert refused(bench.child(), bench.limits.tighten(restricted_symbols=("AAA",))) == {"restricted"}
    assert refused(bench.child(), bench.limits.tighten(max_order_quantity=9)) == {"order_quantity"}
    assert refused(bench.child(), bench.limits.tighten(max_order_notional=1000)) == {"order_notional"}
    assert refused(bench.child(), bench.limits.tighten(min_cash=98_995)) == set()
    assert refused(bench.child(), bench.limits.tighten(min_cash=98_996)) == {"cash"}


def test_an_odd_child_passes_only_when_it_completes_the_leg(bench: Any) -> None:
    state = bench.state(lot=10, cash="96000", held={"BBB": 45})
    plan = bench.review(bench.plan(bench.leg("BBB", "SELL", 45)), state)[1]
    quote = bench.quote(symbol="BBB")

    def failed(quantity: int, committed: int) -> set[str]:
        context = bench.context(quote=quote, held=45 - committed, committed=committed)
        review = review_child(sell(bench, quantity), plan, context, bench.limits, bench.open)
        return {row.check for row in review.verdict.reasons}

    assert failed(5, 40) == set()
    assert failed(5, 0) == {"lot"}


def test_a_plan_the_gate_never_issued_has_no_children(bench: Any, plan: ApprovedPlan) -> None:
    forged = object.__new__(ApprovedPlan)
    object.__setattr__(forged, "plan", copy.deepcopy(plan.plan))

    with pytest.raises(NotApproved):
        review_child(bench.child(), forged, bench.context(), bench.limits, bench.open)


def test_a_review_without_a_time_zone_is_an_error(bench: Any, plan: ApprovedPlan) -> None:
    with pytest.raises(GateError, match="zone"):
        review_child(bench.child(), plan, bench.context(), bench.limits, bench.open.replace(tzinfo=None))
