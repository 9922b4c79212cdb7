"""Schedules of one order: parts that add up, the law at the even pace, the frontier below all, and the rule."""

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.domain.orders import Side
from parley.quant.covariance import ewma_vol
from parley.quant.impact import expected_cost_frac
from parley.tools.errors import NotEnoughData
from parley.tools.schedules import INDIFFERENT_BPS, cost_frontier, execution_schedules
from parley.tools.session_shape import SessionShape
from parley.tools.slicing import OrderQuestion

FLAT = SessionShape(np.full(13, 1 / 13), 0)
STEEP = SessionShape(np.array([5.0, 3.0, 1.0, 1.0, 2.0, 6.0]) / 18.0, 4)
PARTS = ("spread_bps", "fee_bps", "temporary_bps", "permanent_bps")


def question(quantity: int = 40_000, **changes: Any) -> OrderQuestion:
    return replace(OrderQuestion("AAA", Side.BUY, quantity, 390, 13), **changes)


def volume_scene(build: Any, shares: float = 1_000_000.0) -> Any:
    return build.world(volume=np.full((320, 6), shares)).scene()


def schedules(build: Any, scene: Any, asked: OrderQuestion, shape: SessionShape = FLAT) -> Any:
    return execution_schedules(build.ledger(scene), scene, asked, shape)[1]


def test_following_the_volume_all_day_costs_what_the_square_root_law_says(build: Any) -> None:
    scene = volume_scene(build)

    found = schedules(build, scene, question(), STEEP)

    vol = float(ewma_vol(scene.returns)[0])
    law = 1e4 * expected_cost_frac(2e-4, 1e-4, vol, 0.04)
    assert found["even_pace_bps"] == pytest.approx(law)
    assert found["schedules"]["VWAP"]["cost_bps"] == pytest.approx(law, rel=1e-4)


def test_half_the_session_costs_more_and_only_its_temporary_part_does(build: Any) -> None:
    scene = volume_scene(build)

    day = schedules(build, scene, question())["schedules"]["VWAP"]
    half = schedules(build, scene, question(horizon_minutes=195))["schedules"]["VWAP"]

    assert half["temporary_bps"] == pytest.approx(day["temporary_bps"] * 2**0.5, rel=1e-3)
    assert half["permanent_bps"] == day["permanent_bps"]
    assert half["std_bps"] == pytest.approx(day["std_bps"] * 0.5**0.5, rel=1e-3)


@settings(deadline=None, max_examples=25)
@given(st.integers(100, 300_000), st.integers(60, 390), st.integers(2, 26), st.floats(0.0, 1e-4))
def test_every_schedule_sums_to_the_order_and_none_beats_the_frontier(
    build: Any, quantity: int, horizon: int, slices: int, aversion: float
) -> None:
    scene = volume_scene(build)
    asked = question(quantity, horizon_minutes=horizon, n_slices=slices, risk_aversion=aversion)

    rows = schedules(build, scene, asked)["schedules"]
    best = cast(dict[str, Any], cost_frontier(build.ledger(scene), scene, asked, FLAT)[1]["chosen"])

    value = quantity * float(scene.prices["AAA"])
    least = best["cost_bps"] + aversion * value * best["std_bps"] ** 2 / 1e4
    for name, row in rows.items():
        if "refused" in row:
            continue
        assert min(row["slices"]) >= 0
        assert row["filled"] == pytest.approx(sum(row["slices"]) / quantity)
        assert row["cost_bps"] == pytest.approx(sum(row[part] for part in PARTS))
        if name not in ("POV", "close"):
            assert sum(row["slices"]) == quantity
            assert row["objective_bps"] >= least - 1e-6 * (1 + abs(least))


def test_the_shortfall_schedule_lies_on_the_frontier_and_leads_the_even_one(build: Any) -> None:
    scene = volume_scene(build)
    asked = question(risk_aversion=1e-5)

    rows = schedules(build, scene, asked)["schedules"]
    chosen: Any = cost_frontier(build.ledger(scene), scene, asked, FLAT)[1]["chosen"]

    assert rows["IS"]["cost_bps"] == pytest.approx(chosen["cost_bps"], rel=1e-3)
    assert rows["IS"]["std_bps"] == pytest.approx(chosen["std_bps"], rel=1e-3)
    assert rows["IS"]["slices"][0] > rows["TWAP"]["slices"][0]
    assert rows["IS"]["std_bps"] < rows["TWAP"]["std_bps"]


def test_the_frontier_falls_from_haste_to_patience_between_its_named_ends(build: Any) -> None:
    scene = volume_scene(build)

    found: Any = cost_frontier(build.ledger(scene), scene, question(), FLAT)[1]

    costs = [point["cost_bps"] for point in found["points"]]
    risks = [point["std_bps"] for point in found["points"]]
    assert costs == sorted(costs) and risks == sorted(risks, reverse=True)
    assert found["risk_neutral"] == found["points"][0]
    assert found["all_at_once"]["cost_bps"] > costs[-1]


def test_the_rule_takes_the_least_objective_within_the_limit_and_the_simpler_of_equals(build: Any) -> None:
    scene = volume_scene(build)

    for asked in (question(risk_aversion=0.0), question(risk_aversion=1e-5), question(120_000)):
        found = schedules(build, scene, asked)
        within = {
            name: row["objective_bps"]
            for name, row in found["schedules"].items()
            if row["filled"] == 1.0 and row["peak_participation"] <= found["max_participation"]
        }
        everyone = {name: row["objective_bps"] for name, row in found["schedules"].items() if row["filled"] == 1.0}
        goal = within or everyone
        assert goal[found["recommended"]] <= min(goal.values()) + INDIFFERENT_BPS
    assert schedules(build, scene, question(risk_aversion=0.0))["recommended"] == "TWAP"
    assert schedules(build, scene, question(risk_aversion=1e-5))["recommended"] == "IS"


def test_if_impact_decays_the_transient_schedule_is_the_cheapest(build: Any) -> None:
    rows = schedules(build, volume_scene(build), question())["schedules"]

    assert min(rows, key=lambda name: rows[name]["transient_bps"]) == "transient"


def test_a_window_that_misses_the_close_refuses_the_close_and_a_thin_market_is_not_filled(build: Any) -> None:
    found = schedules(build, volume_scene(build, 100_000.0), question(horizon_minutes=60))

    assert found["schedules"]["close"] == {"refused": "the horizon ends before the close"}
    pov, even = found["schedules"]["POV"], found["schedules"]["TWAP"]
    assert pov["filled"] < 0.1
    # What lasts grows with the square of what was done.
    assert pov["permanent_bps"] == pytest.approx(pov["filled"] ** 2 * even["permanent_bps"])
    # A tenth of the volume of 60 of 390 minutes: 1,538 shares of 40,000.
    assert found["filled_at_limit"] == pytest.approx(100_000 * 60 / 390 * 0.1 / 40_000)


def test_recorded_spreads_take_the_place_of_the_assumed_one(build: Any) -> None:
    shape = replace(FLAT, n_sessions=3, spread_mean_frac=10e-4, spread_std_frac=2e-4)

    found = schedules(build, volume_scene(build), question(), shape)

    assert found["spread_is_recorded"] is True
    assert found["schedules"]["TWAP"]["spread_bps"] == pytest.approx(5.0)
    assert found["wide_spread_cost_bps"] == pytest.approx(0.5 * (10 + 2.326 * 2))


def test_a_name_without_history_is_refused(build: Any) -> None:
    with pytest.raises(NotEnoughData, match="ZZZ"):
        schedules(build, volume_scene(build), question(symbol="ZZZ"))


def test_a_window_without_any_volume_is_refused(build: Any) -> None:
    late = SessionShape(np.array([0.0, 0.0, 1.0]), 1)

    with pytest.raises(NotEnoughData, match="first 60 minutes"):
        schedules(build, volume_scene(build), question(horizon_minutes=60), late)


def test_the_window_of_a_shape_takes_its_part_of_the_day() -> None:
    assert STEEP.window(390, 6) == pytest.approx(STEEP.volume_shares)
    assert STEEP.window(130, 4) == pytest.approx(np.array([2.5, 2.5, 1.5, 1.5]) / 18)


def test_without_risk_aversion_the_shortfall_schedule_is_the_volume_schedule(build: Any) -> None:
    rows = schedules(build, volume_scene(build), question(risk_aversion=0.0), STEEP)["schedules"]

    assert rows["IS"]["slices"] == rows["VWAP"]["slices"]
    assert rows["IS"]["slices"] != rows["TWAP"]["slices"]
