"""Advice on a plan: the cost formula by hand, and slices that a leg can fill."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.orders import Algorithm, ParentOrder, Plan, Side, Urgency
from parley.execution.algorithms.schedule import ScheduleState
from parley.execution.algorithms.table import schedule_of
from parley.execution.hours import SessionHours
from parley.quant.covariance import ewma_vol
from parley.tools.execution import (
    AT_BARS,
    USUAL_SHAPE,
    WHERE_RECORDED,
    advise,
    offer,
    offers,
    recorded_participation,
)
from parley.tools.schedules import INDIFFERENT_BPS
from parley.tools.slicing import MAKERS, OrderQuestion, order_problem


def plan(scene: Any, quantity: int, price: str = "50") -> Plan:
    leg = ParentOrder(
        order_id="par-1",
        decision_id="dec-1",
        symbol="AAA",
        side=Side.BUY,
        quantity=quantity,
        reference_price=Decimal(price),
        reason="toward target",
    )
    return Plan(plan_id="plan-1", decision_id="dec-1", as_of=scene.view.as_of, legs=(leg,))


def volume_scene(build: Any, shares: float) -> Any:
    return build.world(volume=np.full((320, 6), shares)).scene()


def test_the_expected_cost_is_half_spread_and_fee_and_root_impact(build: Any):
    scene = volume_scene(build, 1_000_000.0)

    _, advised = advise(build.ledger(scene), scene, plan(scene, 10_000))

    # 2 bps + 1 bps + 1 x daily volatility x sqrt(10,000 / 1,000,000)
    vol = float(ewma_vol(scene.returns)[0])
    assert advised.legs[0].advice.expected_cost_bps == pytest.approx(3.0 + 1e4 * vol * 0.1)


def test_where_no_volume_is_recorded_an_assumed_one_is_used_and_the_entry_says_so(build: Any, world: Any):
    scene = world.scene()
    ledger = build.ledger(scene)

    _, advised = advise(ledger, scene, plan(scene, 10_000))

    vol = float(ewma_vol(scene.returns)[0])
    assert advised.legs[0].advice.expected_cost_bps == pytest.approx(3.0 + 1e4 * vol * (500_000 / 200e6) ** 0.5)
    output: Any = ledger.entries[0].output
    assert output["AAA"]["volume_is_assumed"] is True
    assert recorded_participation(scene, advised.legs[0]) is None


def test_a_recorded_volume_of_zero_is_not_replaced_by_an_assumption(build: Any):
    scene = volume_scene(build, 0.0)

    _, advised = advise(build.ledger(scene), scene, plan(scene, 10_000))

    assert recorded_participation(scene, advised.legs[0]) == 10_000
    assert advised.legs[0].advice.expected_cost_bps > 5_000


@pytest.mark.parametrize(("quantity", "slices"), [(1, 1), (150, 1), (1_000, 10), (4_000, 13)])
def test_a_leg_is_cut_into_children_of_at_least_the_least_value(world: Any, build: Any, quantity: int, slices: int):
    scene = world.scene()

    advice = advise(build.ledger(scene), scene, plan(scene, quantity))[1].legs[0].advice

    assert (advice.slices, advice.algorithm) == (slices, Algorithm.TWAP)


def test_there_are_never_more_slices_than_lots(build: Any):
    scene = build.world(lot=100).scene()

    assert advise(build.ledger(scene), scene, plan(scene, 300, "900"))[1].legs[0].advice.slices == 3


@pytest.mark.parametrize(
    ("equity", "urgency", "slices"),
    [(1_000_000, Urgency.LOW, 13), (50_000, Urgency.MEDIUM, 7), (5_000, Urgency.HIGH, 1)],
)
def test_the_less_equity_an_order_risks_the_shorter_its_half_life_and_the_fewer_its_even_slices(
    build: Any, equity: int, urgency: Urgency, slices: int
):
    scene = build.world(volume=np.full((320, 6), 1_000_000.0)).scene(equity=equity)
    ledger = build.ledger(scene)

    advice = advise(ledger, scene, plan(scene, 10_000))[1].legs[0].advice

    # kappa^2 = lambda sigma^2 N / (half the impact), with lambda = 1 / equity and 65 % of the day's variance
    vol = float(ewma_vol(scene.returns)[0])
    kappa = (0.65 * vol**2 * 500_000 / equity / (0.5 * vol * 0.1)) ** 0.5
    output: Any = ledger.entries[0].output
    assert output["AAA"]["half_life_sessions"] == pytest.approx(1 / kappa)
    even = offers(scene, plan(scene, 10_000).legs[0], "daily").by_algorithm[Algorithm.TWAP].advice
    assert (advice.urgency, even.slices) == (urgency, slices)


def test_advice_changes_nothing_else_about_a_plan(world: Any, build: Any):
    scene = world.scene()
    before = plan(scene, 1_000)

    _, after = advise(build.ledger(scene), scene, before)

    bare = after.legs[0].model_copy(update={"advice": before.legs[0].advice})
    assert after.model_copy(update={"legs": (bare,)}) == before


def test_other_cost_assumptions_are_another_entry(world: Any, build: Any):
    scene = world.scene()
    dearer = replace(scene, costs=replace(scene.costs, fee_bps=9.0))

    assert (
        advise(build.ledger(scene), scene, plan(scene, 9))[0] != advise(build.ledger(scene), dearer, plan(scene, 9))[0]
    )


def at_day(build: Any, equity: int = 1_000_000) -> Any:
    return build.world(volume=np.full((320, 6), 1_000_000.0)).scene(equity=equity)


def test_on_daily_bars_nothing_is_offered_that_follows_the_volume_of_the_day(build: Any):
    scene = at_day(build)
    leg = plan(scene, 10_000).legs[0]

    assert tuple(offers(scene, leg, "daily").by_algorithm) == AT_BARS
    assert tuple(offers(scene, leg, "minute").by_algorithm) == WHERE_RECORDED


def test_where_no_volume_is_recorded_none_is_followed_whatever_the_bars(world: Any):
    scene = world.scene()

    assert tuple(offers(scene, plan(scene, 10_000).legs[0], "tick").by_algorithm) == AT_BARS


def test_an_order_of_one_child_has_one_way_to_go(build: Any):
    scene = at_day(build)

    assert tuple(offers(scene, plan(scene, 90).legs[0], "minute").by_algorithm) == (Algorithm.TWAP,)


def test_a_small_order_is_worked_evenly_and_one_that_its_equity_can_hardly_bear_is_hurried(build: Any):
    patient, hasty = at_day(build), at_day(build, equity=50_000)

    assert offers(patient, plan(patient, 400).legs[0], "daily").taken is Algorithm.TWAP
    found = offers(hasty, plan(hasty, 10_000).legs[0], "daily")
    assert found.taken is Algorithm.IS
    assert found.advice.kappa_span > 1.0
    slices = found.by_algorithm[Algorithm.IS].measured.slices
    assert slices[0] > slices[-1]


def test_a_large_order_follows_the_volume_where_that_is_recorded(build: Any):
    scene = at_day(build)

    found = offers(scene, plan(scene, 50_000).legs[0], "minute")

    costs = {name: item.measured.cost_bps for name, item in found.by_algorithm.items()}
    assert found.taken is Algorithm.VWAP
    assert costs[Algorithm.TWAP] > costs[Algorithm.VWAP] + INDIFFERENT_BPS
    assert len(found.advice.volume_shares) == found.advice.slices


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 90_000), st.sampled_from(["daily", "minute"]), st.sampled_from([20_000, 200_000, 5_000_000]))
def test_what_is_taken_is_the_simplest_of_the_best_that_are_offered(
    build: Any, quantity: int, frequency: Any, equity: int
):
    scene = at_day(build, equity)

    found = offers(scene, plan(scene, quantity).legs[0], frequency)

    goals = {name: item.measured.objective_bps for name, item in found.by_algorithm.items()}
    alike = [name for name, goal in goals.items() if goal <= min(goals.values()) + INDIFFERENT_BPS]
    assert found.taken is alike[0]
    assert all(item.measured.filled_frac == 1.0 for item in found.by_algorithm.values())


def test_more_than_the_participation_limit_is_only_offered_where_nothing_keeps_to_it(build: Any):
    scene = at_day(build)

    usual = offers(scene, plan(scene, 50_000).legs[0], "minute")
    huge = offers(scene, plan(scene, 400_000).legs[0], "minute")

    limit = scene.limits.max_participation_frac
    assert all(item.measured.peak_participation <= limit for item in usual.by_algorithm.values())
    assert all(item.measured.peak_participation > limit for item in huge.by_algorithm.values())


@pytest.mark.parametrize("algorithm", [Algorithm.TWAP, Algorithm.VWAP, Algorithm.IS])
def test_a_session_cuts_the_slices_that_the_cost_was_predicted_for(build: Any, algorithm: Algorithm):
    scene = at_day(build, equity=100_000)
    leg = plan(scene, 10_000).legs[0]
    way = offers(scene, leg, "minute").by_algorithm[algorithm]
    opens = scene.view.as_of + timedelta(hours=17)
    hours = SessionHours(scene.view.as_of, opens, opens + timedelta(hours=6.5))

    schedule = schedule_of(leg.model_copy(update={"advice": way.advice}), 1, hours)

    due = [schedule.due(start, ScheduleState(committed=0)) for start in schedule.starts]
    assert due == np.cumsum(way.measured.slices).tolist()


def test_the_ledger_says_what_else_was_on_offer_and_what_it_would_have_cost(build: Any):
    scene = at_day(build)
    ledger = build.ledger(scene)

    _, advised = advise(ledger, scene, plan(scene, 50_000), "minute")

    row: Any = ledger.entries[0].output["AAA"]
    assert {"TWAP", "VWAP"} < set(row["offered"])
    assert row["algorithm"] == advised.legs[0].advice.algorithm.value == "VWAP"
    assert row["cost_bps"] == row["offered"]["VWAP"]["cost_bps"] == advised.legs[0].advice.expected_cost_bps


def test_advice_at_bars_does_not_band_the_cost_since_its_paths_are_drawn(build: Any):
    scene = at_day(build)
    leg = plan(scene, 10_000).legs[0]

    assert offers(scene, leg, "daily").advice.cost_std_bps == 0.0
    assert offers(scene, leg, "minute").advice.cost_std_bps > 0.0


def test_an_is_order_is_cut_as_its_maker_cuts_it(build: Any):
    scene = at_day(build, equity=100_000)
    problem, _ = order_problem(scene, OrderQuestion("AAA", Side.BUY, 10_000, 390, 13), USUAL_SHAPE)

    made = offer(problem, Algorithm.IS, is_recorded=True)

    assert made is not None
    assert made.measured.slices.tolist() == np.asarray(MAKERS["IS"](problem)).tolist()


def test_following_the_volume_keeps_to_the_limit_in_a_lull_as_well(build: Any):
    scene = at_day(build)

    found = offers(scene, plan(scene, 10_000).legs[0], "minute").by_algorithm[Algorithm.POV]

    # The half hour after the open trades 0.088 of the day, after 0.126: the steepest fall of the usual curve.
    assert 0.05 < found.advice.max_participation_frac < scene.limits.max_participation_frac
    assert 0.09 < found.measured.peak_participation <= scene.limits.max_participation_frac
