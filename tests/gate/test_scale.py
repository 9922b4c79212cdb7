"""Scaling cuts to the binding limit and keeps what reduces."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
from parley.domain.trading import ACCOUNT, TradingState, TradingStates
from parley.gate.scale import scale_to_limits

REDUCING, HALTED = (
    TradingStates().with_state(ACCOUNT, state) for state in (TradingState.REDUCING, TradingState.HALTED)
)


def sizes(bench: Any, plan: Any, state: Any = None, limits: Any = None) -> dict[str, int]:
    """Quantities by symbol after scaling; whatever is left must pass the gate."""
    state, limits = state or bench.state(), limits or bench.limits
    scaled = scale_to_limits(plan, state, limits, bench.now)
    if scaled.legs:
        verdict, approved = bench.review(scaled, state, limits)
        assert approved is not None, verdict.reasons
    return {leg.symbol: leg.quantity for leg in scaled.legs}


def test_a_plan_within_the_limits_comes_back_as_it_was(bench: Any) -> None:
    plan = bench.plan(bench.leg("AAA", "BUY", 50))

    assert scale_to_limits(plan, bench.state(), bench.limits, bench.now) is plan


def test_a_leg_is_cut_to_its_instrument_limit(bench: Any) -> None:
    assert sizes(bench, bench.plan(bench.leg("AAA", "BUY", 500))) == {"AAA": 100}


def test_a_sector_is_cut_in_proportion(bench: Any) -> None:
    limits = bench.limits.tighten(max_sector_weight={"stock": 0.09})
    plan = bench.plan(bench.leg("AAA", "BUY", 100), bench.leg("BBB", "BUY", 50), bench.leg("CCC", "BUY", 50))

    assert sizes(bench, plan, limits=limits) == {"AAA": 60, "BBB": 30, "CCC": 50}


def test_gross_is_met_by_one_common_factor(bench: Any) -> None:
    limits = bench.limits.tighten(max_gross=0.30)
    plan = bench.plan(bench.leg("FND", "BUY", 500), bench.leg("AAA", "BUY", 100))

    assert sizes(bench, plan, limits=limits) == {"FND": 250, "AAA": 50}


def test_buys_shrink_to_the_cash_there_is(bench: Any) -> None:
    state = bench.state(cash="5100", held={"FND": 500, "CCC": 100, "DDD": 100, "BBB": 50})

    assert sizes(bench, bench.plan(bench.leg("AAA", "BUY", 90)), state) == {"AAA": 50}


def test_tail_risk_is_met_by_shrinking(bench: Any) -> None:
    wild = np.random.default_rng(1).normal(0.0, 0.05, (250, 5))
    state = bench.state(returns=wild)

    left = sizes(bench, bench.plan(bench.leg("FND", "BUY", 500), bench.leg("AAA", "BUY", 100)), state)

    assert 0 < left["FND"] < 500
    assert abs(left["FND"] - 5 * left["AAA"]) <= 5


def test_cut_legs_are_whole_lots(bench: Any) -> None:
    assert sizes(bench, bench.plan(bench.leg("AAA", "BUY", 160)), bench.state(lot=30)) == {"AAA": 90}


def test_selling_more_than_is_held_becomes_selling_all(bench: Any) -> None:
    state = bench.state(held={"AAA": 30})

    assert sizes(bench, bench.plan(bench.leg("AAA", "SELL", 80)), state) == {"AAA": 30}
    assert sizes(bench, bench.plan(bench.leg("BBB", "SELL", 80)), state) == {}


def test_after_a_daily_loss_only_the_exits_remain(bench: Any) -> None:
    state = bench.state(held={"AAA": 30}, previous_equity=Decimal(200_000))
    plan = bench.plan(bench.leg("AAA", "SELL", 30), bench.leg("BBB", "BUY", 10))

    assert sizes(bench, plan, state) == {"AAA": 30}
    assert sizes(
        bench,
        plan,
        replace(bench.state(held={"AAA": 30}), trading_states=REDUCING),
    ) == {"AAA": 30}
    assert (
        sizes(
            bench,
            plan,
            replace(bench.state(held={"AAA": 30}), trading_states=HALTED),
        )
        == {}
    )


def test_legs_that_no_size_can_save_are_dropped(bench: Any) -> None:
    state = bench.state()
    blind = replace(state, price_ages_days={**state.price_ages_days, "BBB": 99.0})
    plan = bench.plan(
        bench.leg("AAA", "BUY", 10),
        bench.leg("BBB", "BUY", 10),
        bench.leg("CCC", "BUY", 10, decision_id="other"),
        bench.leg("AAA", "BUY", 10, order_id="again"),
        bench.leg("ZZZ", "BUY", 10),
        bench.leg("DDD", "BUY", 10),
    )

    assert sizes(bench, plan, blind, bench.limits.tighten(restricted_symbols=("DDD",))) == {"AAA": 10}


def test_too_many_legs_keep_exits_and_the_largest(bench: Any) -> None:
    state = bench.state(held={"AAA": 5})
    plan = bench.plan(
        bench.leg("BBB", "BUY", 1), bench.leg("CCC", "BUY", 50), bench.leg("AAA", "SELL", 1), bench.leg("DDD", "BUY", 2)
    )

    assert sizes(bench, plan, state, bench.limits.tighten(max_legs=2)) == {"CCC": 50, "AAA": 1}


def test_a_scaled_plan_has_its_own_id_and_the_same_one_each_time(bench: Any) -> None:
    plan = bench.plan(bench.leg("AAA", "BUY", 500))

    first = scale_to_limits(plan, bench.state(), bench.limits, bench.now)
    second = scale_to_limits(plan, bench.state(), bench.limits, bench.now)

    assert first == second
    assert first.plan_id != plan.plan_id
    assert first.decision_id == plan.decision_id
