"""Whatever is handed in, the answer is a veto with reasons, in time, and never an exception."""

import time
from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

import numpy as np
import pytest
from parley.domain.orders import ChildOrder, ParentOrder, Plan
from parley.gate.gate import review_child, review_plan
from parley.gate.state import Borrow, GateState, OrderContext, WorkingOrder

BAD_NUMBERS = (
    Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("-Infinity"), Decimal("-1e308"), float("nan"),
    float("inf"), -float("inf"), "12", "", [], {}, ..., b"1", 1 + 2j, 10**400, -(10**400),
)  # fmt: skip
BAD_MOMENTS = (
    datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC), datetime(2024, 3, 4, 21), None, "2024-03-04", 0,
)  # fmt: skip
LOOK_ALIKES = ("\u0410AA", "A\u200bAA", "AAA\u0000", "\uff21\uff21\uff21", "aaa", "AAA ", "", "A" * 10**6)

# Values of the wrong type, which no checker lets through as they are.
TEXT_SIDE, TEXT_COUNT = cast(Any, "BUY"), cast(Any, "5")
NOTHING, NOT_A_NUMBER = cast(Any, None), cast(Any, float("nan"))


def vetoed(bench: Any, plan: Any, state: Any = None, limits: Any = None) -> set[str]:
    verdict, approved = review_plan(plan, state or bench.state(), limits or bench.limits, bench.now)
    assert approved is None and not verdict.approved and verdict.reasons
    verdict.model_dump_json()
    return {row.check for row in verdict.reasons}


def leg_of(bench: Any, **changes: Any) -> Plan:
    leg = ParentOrder.model_construct(**{**dict(bench.leg("AAA", "BUY", 5)), **changes})
    return Plan.model_construct(plan_id="p", decision_id="d1", as_of=bench.now, legs=(leg,))


@pytest.mark.parametrize("value", [*BAD_NUMBERS, Decimal(0), Decimal("-0"), -0.0, -1, True, None], ids=repr)
def test_a_bad_number_in_a_leg_is_a_veto(bench: Any, value: Any) -> None:
    vetoed(bench, leg_of(bench, quantity=value))
    vetoed(bench, leg_of(bench, reference_price=value))


def test_a_price_of_1e308_is_a_veto(bench: Any) -> None:
    assert vetoed(bench, leg_of(bench, reference_price=Decimal("1e308"))) == {"computable"}
    dear = bench.state(prices=dict.fromkeys(bench.symbols, Decimal("1e308")))
    assert {"reference_price", "gross", "cash"} <= vetoed(bench, leg_of(bench), dear)


@pytest.mark.parametrize("symbol", LOOK_ALIKES, ids=lambda text: ascii(text)[:12])
def test_a_symbol_that_only_looks_right_is_not_it(bench: Any, symbol: str) -> None:
    assert vetoed(bench, leg_of(bench, symbol=symbol)) == {"well_formed"}


@pytest.mark.parametrize("moment", BAD_MOMENTS, ids=repr)
def test_a_plan_of_another_time_is_a_veto(bench: Any, moment: Any) -> None:
    plan = Plan.model_construct(plan_id="p", decision_id="d1", as_of=moment, legs=(bench.leg("AAA", "BUY", 5),))

    assert vetoed(bench, plan) <= {"well_formed", "plan_age"}


@pytest.mark.parametrize("thing", [None, 5, "plan", {}, [], ...], ids=repr)
def test_what_is_no_plan_is_a_veto(bench: Any, thing: Any) -> None:
    assert vetoed(bench, thing) == {"well_formed"}


def test_a_thing_that_can_not_even_be_shown_is_a_veto(bench: Any) -> None:
    class Hostile:
        def __repr__(self) -> str:
            raise KeyError("no")

    assert vetoed(bench, Hostile()) == {"well_formed"}


def test_an_empty_plan_is_a_veto(bench: Any) -> None:
    assert vetoed(bench, bench.plan()) == {"legs"}


def test_a_hundred_thousand_legs_are_refused_within_a_second(bench: Any) -> None:
    leg = bench.leg("AAA", "BUY", 1)
    plan = Plan.model_construct(plan_id="p", decision_id="d1", as_of=bench.now, legs=(leg,) * 100_000)

    began = time.process_time()
    reasons = vetoed(bench, plan)

    assert reasons == {"legs"}
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize("name", [item.name for item in fields(GateState)])
@pytest.mark.parametrize("value", [Decimal("NaN"), float("nan"), "x", ..., 5, {"AAA": "x"}, ("x",)], ids=repr)
def test_a_bad_part_of_the_book_never_raises(bench: Any, name: str, value: Any) -> None:
    limits = bench.limits.tighten(
        approved_versions=("m",), require_protective_stop=True, required_figures=("beta", "halted", "volume")
    )
    state = replace(bench.state(halted=frozenset(), protected=frozenset({"AAA"}), versions=("m",)), **{name: value})
    harmless = {"borrow", "strategy", "venue"} | ({"state_version"} if isinstance(value, str) else set[str]())

    verdict, approved = review_plan(bench.plan(bench.leg("AAA", "BUY", 5)), state, limits, bench.now)

    assert (approved is None) == bool(verdict.reasons)
    assert approved is None or name in harmless


@pytest.mark.parametrize(
    "change",
    [
        {"working": (WorkingOrder("w", "AAA", TEXT_SIDE, TEXT_COUNT, Decimal(1)),)},
        {"working": (WorkingOrder("w", "AAA", NOTHING, 5, NOTHING),)},
        {"borrow": {"AAA": Borrow(NOT_A_NUMBER, NOT_A_NUMBER)}},
        {"returns": np.array([["x"]])},
        {"returns": None},
        {"market_returns": np.full(250, np.nan)},
        {"market_returns": np.zeros(250)},
        {"market_returns": np.zeros((250, 2))},
    ],
)  # fmt: skip
def test_a_book_of_wrong_parts_is_no_approval(bench: Any, change: dict[str, Any]) -> None:
    limits = bench.limits.tighten(required_figures=("beta",))

    vetoed(bench, bench.plan(bench.leg("AAA", "BUY", 5)), bench.state(**change), limits)


@pytest.fixture(scope="module")
def approved(bench: Any) -> Any:
    return bench.review(bench.plan(bench.leg("AAA", "BUY", 50)))[1]


ALL = ("price_band", "clock_skew", "duplicate", "repeats", "settled_cash", "unexecuted_value", "net", "submit_rate",
       "cancel_rate", "orders_per_day", "message_ratio", "queue_age", "venue_ready", "log_writable", "state_age",
       "session_hours", "halted")  # fmt: skip


@pytest.mark.parametrize("name", OrderContext._fields)
@pytest.mark.parametrize("value", BAD_NUMBERS, ids=lambda value: repr(value)[:20])
def test_a_bad_part_of_the_instant_refuses_the_child(bench: Any, approved: Any, name: str, value: Any) -> None:
    good = {
        "in_session": True, "is_halted": False, "price_band": (Decimal(90), Decimal(110)), "clock_skew_s": 0.0,
        "twin_age_s": 9.0, "repeated_legs": 0, "unexecuted": Decimal(0), "settled_cash": Decimal(90_000),
        "day_trades": 0, "net_value": Decimal(0), "submits_last_s": 0, "cancels_last_s": 0, "orders_today": 0,
        "messages_today": 0, "fills_today": 0, "queue_age_s": 0.0, "venue_connected": True,
        "venue_reconciled": True, "log_writable": True, "state_age_s": 0.0, "open_sells": 1,
        "opposite_price": Decimal(200),
    }  # fmt: skip
    limits = bench.limits.tighten(required_figures=ALL, pattern_day_rule=True, min_day_trade_equity=1e9)
    assert review_child(bench.child(), approved, bench.context(**good), limits, bench.open).order is not None
    # More of these is better or no worse for a buy, so that only absurd values of them may refuse.
    generous = name in ("cash", "settled_cash", "twin_age_s", "fills_today", "opposite_price", "held")
    negative_is_fine = name in ("held", "reserved", "worst_fee", "gross_value", "sector_value", "net_value")

    review = review_child(bench.child(), approved, bench.context(**{**good, name: value}), limits, bench.open)

    review.verdict.model_dump_json()
    if not generous and not negative_is_fine and not (name == "open_sells" and isinstance(value, int)):
        assert review.order is None and review.verdict.reasons


@pytest.mark.parametrize("moment", BAD_MOMENTS, ids=repr)
def test_a_child_or_quote_of_another_time_is_refused(bench: Any, approved: Any, moment: Any) -> None:
    child = ChildOrder.model_construct(**{**dict(bench.child()), "created_at": moment})
    context = bench.context(quote=replace(bench.quote(), ts_event=moment))

    assert review_child(child, approved, bench.context(), bench.limits, bench.open).order is None
    assert review_child(bench.child(), approved, context, bench.limits, bench.open).order is None


@pytest.mark.parametrize("symbol", LOOK_ALIKES, ids=lambda text: ascii(text)[:12])
def test_a_child_of_a_look_alike_is_not_the_leg(bench: Any, approved: Any, symbol: str) -> None:
    child = ChildOrder.model_construct(**{**dict(bench.child()), "symbol": symbol})

    assert review_child(child, approved, bench.context(), bench.limits, bench.open).order is None


@pytest.mark.parametrize("thing", [None, 5, "child", ...], ids=repr)
def test_what_is_no_child_or_no_instant_is_refused(bench: Any, approved: Any, thing: Any) -> None:
    for child, context in ((thing, bench.context()), (bench.child(), thing)):
        review = review_child(child, approved, context, bench.limits, bench.open)
        assert review.order is None
        assert review.verdict.reasons


def test_a_price_of_1e308_in_a_child_is_refused(bench: Any, approved: Any) -> None:
    child = bench.child(limit_price=Decimal("1e308"))

    assert review_child(child, approved, bench.context(), bench.limits, bench.open).order is None
