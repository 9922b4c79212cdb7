"""Each plan check: what it stops, what it lets pass, and that missing inputs stop."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from parley.domain.orders import ParentOrder, Plan, Side
from parley.domain.trading import ACCOUNT, TradingState, TradingStates
from parley.gate.errors import GateError
from parley.gate.gate import review_plan
from parley.gate.state import WorkingOrder

NAN = Decimal("NaN")

REDUCING, HALTED = (
    TradingStates().with_state(ACCOUNT, state) for state in (TradingState.REDUCING, TradingState.HALTED)
)


def test_a_modest_plan_is_approved_and_every_check_is_recorded(bench: Any) -> None:
    verdict, approved = bench.review(bench.plan(bench.leg("AAA", "BUY", 50)))

    assert approved is not None
    assert approved.plan.legs[0].quantity == 50
    assert {row.check for row in verdict.checks} == {
        "legs", "decision", "unique_legs", "plan_age", "trading_state", "known_instrument", "lot", "restricted",
        "price_age", "reference_price", "held_marks", "equity", "order_quantity", "order_notional",
        "participation", "cash", "daily_loss", "instrument_weight", "sector_weight", "gross", "var_99",
        "tick", "min_notional", "allowed", "halted", "versions", "protective_stop", "unexecuted_value", "net",
        "concentration", "liquidation_days", "history", "es_975", "beta", "correlation_cluster",
    }  # fmt: skip
    weight = next(row for row in verdict.checks if row.check == "instrument_weight")
    assert (weight.symbol, weight.value, weight.limit, weight.unit) == ("AAA", 0.05, 0.1, "fraction")
    assert verdict.limits_hash == bench.limits.hash()


def test_all_reasons_are_given_at_once(bench: Any) -> None:
    plan = bench.plan(bench.leg("AAA", "BUY", 20_000), bench.leg("BBB", "SELL", 5))

    assert bench.failed(plan) >= {"instrument_weight", "sector_weight", "gross", "cash", "participation", "short"}


def test_the_verdict_is_the_same_bytes_every_time(bench: Any) -> None:
    plan = bench.plan(bench.leg("AAA", "BUY", 200))

    first, second = bench.review(plan)[0], bench.review(plan)[0]

    assert first.model_dump_json() == second.model_dump_json()


@pytest.mark.parametrize(
    ("quantity", "fails"),
    [(100, set()), (101, {"instrument_weight"})],
)
def test_the_instrument_limit_binds_at_ten_percent_of_equity(bench: Any, quantity: int, fails: set[str]) -> None:
    assert bench.failed(bench.plan(bench.leg("AAA", "BUY", quantity))) == fails


def test_a_fund_has_its_own_limit(bench: Any) -> None:
    assert bench.failed(bench.plan(bench.leg("FND", "BUY", 600))) == set()
    assert bench.failed(bench.plan(bench.leg("FND", "BUY", 601))) == {"instrument_weight"}


def test_a_sector_is_added_up_over_held_and_planned_names(bench: Any) -> None:
    limits = bench.limits.tighten(max_sector_weight={"stock": 0.15})
    state = bench.state(cash="90000", held={"BBB": 100})

    assert bench.failed(bench.plan(bench.leg("AAA", "BUY", 50)), state, limits) == set()
    assert bench.failed(bench.plan(bench.leg("AAA", "BUY", 51)), state, limits) == {"sector_weight"}
    assert bench.failed(bench.plan(bench.leg("CCC", "BUY", 51)), state, limits) == set()


def test_gross_counts_the_whole_book(bench: Any) -> None:
    limits = bench.limits.tighten(max_gross=0.65)
    state = bench.state(cash="40000", held={"FND": 600})

    assert bench.failed(bench.plan(bench.leg("AAA", "BUY", 50)), state, limits) == set()
    assert bench.failed(bench.plan(bench.leg("AAA", "BUY", 51)), state, limits) == {"gross"}


def test_buys_need_cash_for_their_worst_price(bench: Any) -> None:
    state = bench.state(cash="5100", held={"FND": 500, "CCC": 100, "DDD": 100, "BBB": 50})

    assert bench.failed(bench.plan(bench.leg("AAA", "BUY", 50)), state) == set()
    assert bench.failed(bench.plan(bench.leg("AAA", "BUY", 51)), state) == {"cash"}


def test_own_sells_pay_for_buys_at_a_discount(bench: Any) -> None:
    state = bench.state(cash="0", held={"FND": 600, "CCC": 100})
    sell = bench.leg("CCC", "SELL", 50)

    assert bench.failed(bench.plan(sell, bench.leg("AAA", "BUY", 48)), state) == set()
    assert bench.failed(bench.plan(sell, bench.leg("AAA", "BUY", 49)), state) == {"cash"}


def test_open_and_unknown_orders_count_as_filled(bench: Any) -> None:
    working = WorkingOrder("w1", "AAA", Side.BUY, 60, Decimal(101))
    state = bench.state(working=(working,))

    assert bench.failed(bench.plan(bench.leg("AAA", "BUY", 40)), state) == set()
    assert bench.failed(bench.plan(bench.leg("AAA", "BUY", 41)), state) == {"instrument_weight"}


def test_open_sells_are_not_sold_twice(bench: Any) -> None:
    working = WorkingOrder("w1", "AAA", Side.SELL, 60, Decimal(99))
    state = bench.state(held={"AAA": 100}, working=(working,))

    assert bench.failed(bench.plan(bench.leg("AAA", "SELL", 40)), state) == set()
    assert "short" in bench.failed(bench.plan(bench.leg("AAA", "SELL", 41)), state)


def test_a_sell_that_open_sells_take_through_zero_is_no_exit(bench: Any) -> None:
    working = WorkingOrder("w1", "AAA", Side.SELL, 60, Decimal(99))
    state = bench.state(held={"AAA": 100}, working=(working,), trading_states=REDUCING)

    assert bench.failed(bench.plan(bench.leg("AAA", "SELL", 40)), state) == set()
    assert "trading_state" in bench.failed(bench.plan(bench.leg("AAA", "SELL", 41)), state)


def test_the_least_cash_stays_in_the_account(bench: Any) -> None:
    limits = bench.limits.tighten(min_cash=94_900)

    assert bench.failed(bench.plan(bench.leg("AAA", "BUY", 50)), limits=limits) == set()
    assert bench.failed(bench.plan(bench.leg("AAA", "BUY", 51)), limits=limits) == {"cash"}


def test_a_short_sale_brings_no_money_to_spend(bench: Any) -> None:
    state = bench.state(cash="0", held={"CCC": 100, "DDD": 100})
    plan = bench.plan(bench.leg("BBB", "SELL", 50), bench.leg("AAA", "BUY", 10))

    assert bench.failed(plan, state) >= {"short", "cash"}


def test_an_open_sell_earns_no_credit(bench: Any) -> None:
    working = WorkingOrder("w1", "AAA", Side.SELL, 100, Decimal(99))
    state = bench.state(cash="90000", held={"AAA": 100}, working=(working,))

    assert "instrument_weight" in bench.failed(bench.plan(bench.leg("AAA", "BUY", 1)), state)


def test_after_a_daily_loss_only_reductions_pass(bench: Any) -> None:
    state = bench.state(cash="90000", held={"AAA": 100}, previous_equity=Decimal("102100"))

    assert bench.failed(bench.plan(bench.leg("BBB", "BUY", 1)), state) == {"daily_loss"}
    assert bench.failed(bench.plan(bench.leg("AAA", "SELL", 100)), state) == set()


def test_tail_risk_beyond_the_limit_is_vetoed_but_selling_is_not(bench: Any) -> None:
    wild = np.random.default_rng(1).normal(0.0, 0.05, (250, 5))
    state = bench.state(cash="40000", held={"FND": 600}, returns=wild)

    assert bench.failed(bench.plan(bench.leg("AAA", "BUY", 10)), state) == {"var_99", "es_975"}
    assert bench.failed(bench.plan(bench.leg("FND", "SELL", 600)), state) == set()


def test_var_without_netting_is_the_quantile_of_summed_losses_at_todays_volatility(bench: Any) -> None:
    # BBB always does the opposite of AAA: netting would hide it all.
    returns = np.random.default_rng(3).normal(0.0, 0.01, (150, 5)) * np.linspace(0.5, 2.0, 150)[:, None]
    returns[:, 1] = -returns[:, 0]
    state = bench.state(returns=returns)

    verdict, _ = bench.review(bench.plan(bench.leg("AAA", "BUY", 100), bench.leg("BBB", "BUY", 100)), state)

    row = next(row for row in verdict.checks if row.check == "var_99")
    # Hull and White (1998) by hand: each day over its own forecast, times tomorrow's; the first 21 days only warm up.
    days = returns[:, 0].tolist()
    rescaled = [days[t] / _ewma(days[:t]) * _ewma(days) for t in range(21, 150)]
    # A tenth of equity in each name, so one of the two loses each day's move: the loss at place ceil(129 x 0.99).
    assert row.value == pytest.approx(0.1 * sorted(map(abs, rescaled))[127])


def _ewma(days: list[float]) -> float:
    """RiskMetrics' zero-mean volatility of the next day, its weights scaled to one."""
    weights = [0.94**age for age in range(len(days))]
    return float(sum(w * x * x for w, x in zip(weights, reversed(days), strict=True)) / sum(weights)) ** 0.5


@pytest.mark.parametrize(
    ("spoil", "check"),
    [
        ({"prices": {"BBB": Decimal(100)}}, "price_age"),
        ({"prices": {"AAA": NAN}}, "price_age"),
        ({"prices": {"AAA": Decimal("sNaN")}}, "price_age"),
        ({"prices": {"AAA": Decimal("Infinity")}}, "instrument_weight"),
        ({"prices": {"AAA": Decimal(0)}}, "price_age"),
        ({"prices": {"AAA": Decimal(-5)}}, "price_age"),
        ({"prices": {"AAA": Decimal(1000)}}, "reference_price"),
        ({"price_ages_days": {}}, "price_age"),
        ({"price_ages_days": {"AAA": 5.5}}, "price_age"),
        ({"price_ages_days": {"AAA": float("nan")}}, "price_age"),
        ({"price_ages_days": {"AAA": -1.0}}, "price_age"),
        ({"instruments": {}}, "known_instrument"),
        ({"equity": NAN}, "gross"),
        ({"equity": Decimal(0)}, "gross"),
        ({"equity": Decimal("-1")}, "instrument_weight"),
        ({"equity": Decimal("150000")}, "equity"),
        ({"previous_equity": NAN}, "daily_loss"),
        ({"previous_equity": Decimal(0)}, "daily_loss"),
        ({"returns": np.full((250, 5), np.nan)}, "var_99"),
        ({"returns": np.full((250, 5), np.inf)}, "var_99"),
        ({"returns": np.zeros((99, 5))}, "var_99"),
        ({"returns": np.zeros((250, 4))}, "var_99"),
        ({"returns": np.zeros(250)}, "var_99"),
        ({"return_symbols": ("BBB", "CCC", "DDD", "FND", "EEE")}, "var_99"),
        ({"daily_volumes": {"AAA": 0.0}}, "participation"),
        ({"daily_volumes": {"AAA": float("nan")}}, "participation"),
        ({"daily_volumes": {"AAA": float("inf")}}, "participation"),
        ({"daily_volumes": {"AAA": 99.0}}, "participation"),
        ({"working": (WorkingOrder("w", "BBB", Side.BUY, 1, NAN),)}, "cash"),
        ({"trading_states": REDUCING}, "trading_state"),
        ({"trading_states": HALTED}, "trading_state"),
    ],
)
def test_missing_stale_or_absurd_inputs_veto(bench: Any, spoil: dict[str, Any], check: str) -> None:
    state = replace(bench.state(), **spoil)

    verdict, approved = bench.review(bench.plan(bench.leg("AAA", "BUY", 10)), state)

    assert approved is None
    assert check in {row.check for row in verdict.reasons}


def test_without_a_recorded_volume_participation_is_not_checked(bench: Any) -> None:
    state = bench.state(daily_volumes={})

    verdict, approved = bench.review(bench.plan(bench.leg("AAA", "BUY", 10)), state)

    assert approved is not None
    row = next(row for row in verdict.checks if row.check == "participation")
    assert (row.value, row.limit) == (None, None)


def test_a_held_name_without_a_price_stops_new_risk_but_not_the_exit(bench: Any) -> None:
    state = bench.state(cash="90000", held={"BBB": 50, "CCC": 50})
    blind = replace(state, price_ages_days={**state.price_ages_days, "CCC": 30.0})

    assert bench.failed(bench.plan(bench.leg("AAA", "BUY", 1)), blind) == {"held_marks"}
    assert bench.failed(bench.plan(bench.leg("BBB", "SELL", 50)), blind) == set()


def test_reducing_legs_pass_when_every_risk_limit_is_zero(bench: Any) -> None:
    limits = bench.limits.tighten(
        max_gross=0, max_var_99_frac=0, max_daily_loss_frac=0, max_order_notional=0, max_order_quantity=0,
        max_participation_frac=0, restricted_symbols=("AAA",), min_cash=1e9,
        max_instrument_weight={"stock": 0}, max_sector_weight={"stock": 0},
    )  # fmt: skip
    state = bench.state(cash="1000", held={"AAA": 900}, previous_equity=Decimal("200000"))

    assert bench.failed(bench.plan(bench.leg("AAA", "SELL", 900)), state, limits) == set()


@pytest.mark.parametrize("state_name", ["REDUCING", "HALTED"])
def test_reducing_state_lets_exits_through_and_halt_lets_nothing(bench: Any, state_name: str) -> None:
    state = bench.state(held={"AAA": 10}, trading_states=TradingStates().with_state(ACCOUNT, TradingState(state_name)))

    failed = bench.failed(bench.plan(bench.leg("AAA", "SELL", 10)), state)

    assert failed == (set() if state_name == "REDUCING" else {"trading_state"})


def test_whole_lots_are_asked_for_except_to_close_an_odd_position(bench: Any) -> None:
    state = bench.state(held={"AAA": 7}, lot=10)

    assert bench.failed(bench.plan(bench.leg("BBB", "BUY", 15)), state) == {"lot"}
    assert bench.failed(bench.plan(bench.leg("AAA", "SELL", 7)), state) == set()
    assert bench.failed(bench.plan(bench.leg("AAA", "SELL", 6)), state) == {"lot"}


@pytest.mark.parametrize(
    ("make", "check"),
    [
        (lambda b: b.plan(), "legs"),
        (lambda b: b.plan(b.leg("AAA", "BUY", 1, decision_id="other")), "decision"),
        (lambda b: b.plan(b.leg("AAA", "BUY", 1), b.leg("AAA", "BUY", 1, order_id="x")), "unique_legs"),
        (lambda b: b.plan(b.leg("AAA", "BUY", 1, order_id="x"), b.leg("BBB", "BUY", 1, order_id="x")), "unique_legs"),
        (lambda b: b.plan(b.leg("AAA", "BUY", 1), b.leg("AAA", "SELL", 1)), "unique_legs"),
        (lambda b: b.plan(b.leg("ZZZ", "BUY", 1)), "known_instrument"),
        (lambda b: b.plan(b.leg("AAA", "BUY", 10**30)), "order_quantity"),
        (lambda b: b.plan(b.leg("AAA", "BUY", 10**400)), "order_quantity"),
        (lambda b: b.plan(b.leg("AAA", "BUY", 1), as_of=b.now + timedelta(seconds=1)), "plan_age"),
        (lambda b: b.plan(b.leg("AAA", "BUY", 1), as_of=b.now - timedelta(days=6)), "plan_age"),
        (lambda b: b.plan(b.leg("AAA", "BUY", 1, reference_price=Decimal(112))), "reference_price"),
    ],
)
def test_a_hostile_plan_is_vetoed(bench: Any, make: Any, check: str) -> None:
    assert check in bench.failed(make(bench))


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": -5}, {"quantity": 0}, {"quantity": 1.5}, {"quantity": float("nan")}, {"quantity": None},
        {"reference_price": NAN}, {"reference_price": Decimal(-1)}, {"symbol": "aaa; drop"}, {"side": "HOLD"},
    ],
)  # fmt: skip
def test_a_leg_built_without_validation_is_not_a_plan(bench: Any, change: dict[str, Any]) -> None:
    leg = ParentOrder.model_construct(**{**dict(bench.leg("AAA", "BUY", 5)), **change})
    plan = Plan.model_construct(plan_id="p", decision_id="d1", as_of=bench.now, legs=(leg,))

    assert bench.failed(plan) == {"well_formed"}


def test_a_plan_of_ten_thousand_legs_is_vetoed(bench: Any) -> None:
    legs = tuple(bench.leg("AAA", "BUY", 1, order_id=f"l{i}") for i in range(10_000))

    assert {"legs", "unique_legs"} <= bench.failed(bench.plan(*legs))


def test_a_decimal_overflow_is_a_veto_and_not_a_crash(bench: Any) -> None:
    state = bench.state(working=(WorkingOrder("w", "BBB", Side.BUY, 10, Decimal("9e999999")),))

    assert bench.failed(bench.plan(bench.leg("AAA", "BUY", 1)), state) == {"computable"}


def test_a_review_without_a_time_zone_is_an_error(bench: Any) -> None:
    with pytest.raises(GateError, match="zone"):
        review_plan(bench.plan(), bench.state(), bench.limits, datetime(2024, 1, 1))
