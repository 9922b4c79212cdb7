"""Advice on a plan: the cost formula by hand, and slices that a leg can fill."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from parley.domain.orders import Algorithm, ParentOrder, Plan, Side, Urgency
from parley.quant.covariance import ewma_vol
from parley.tools.execution import advise, recorded_participation


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


@pytest.mark.parametrize(("quantity", "slices"), [(1, 1), (150, 1), (1_000, 10), (100_000, 13)])
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
def test_the_less_equity_an_order_risks_the_shorter_its_half_life_and_the_fewer_its_slices(
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
    assert (advice.urgency, advice.slices) == (urgency, slices)


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
