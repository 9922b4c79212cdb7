"""Money flow and weather, by hand."""

from typing import Any

import numpy as np
import pytest
from parley.tools.conditions import FLOW_DAYS, money_flow, trading_frictions, volatility_weather


def flow_world(build: Any, **changes: Any) -> Any:
    close = build.closes()
    fields = {"high": close * 1.02, "low": close * 0.98, "volume": np.full(close.shape, 1000.0), **changes}
    return build.world(close, **fields)


def test_money_flow_is_where_closes_stand_in_their_range_weighed_by_volume(build: Any):
    close = build.closes()
    high, low, volume = close + 3.0, close - 1.0, np.full(close.shape, 100.0)
    # The last day closes at its high on ten times the volume; the other twenty a quarter up from the low.
    high[-1], low[-1], volume[-1] = close[-1], close[-1] - 4.0, 1000.0
    scene = build.world(close, high=high, low=low, volume=volume).scene()

    found = money_flow(build.ledger(scene), scene)

    # ((1 - 3) / 4 x 100 x 20 + 1 x 1000) / (100 x 20 + 1000) = 0 / 3000
    assert found is not None and FLOW_DAYS == 21
    assert found[1]["AAA"] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(("high_gap", "low_gap", "flow"), [(0.0, 4.0, 1.0), (4.0, 0.0, -1.0), (2.0, 2.0, 0.0)])
def test_closes_at_the_high_are_one_and_at_the_low_minus_one(build: Any, high_gap: float, low_gap: float, flow: float):
    close = build.closes()
    scene = flow_world(build, high=close + high_gap, low=close - low_gap).scene()

    found = money_flow(build.ledger(scene), scene)

    assert found is not None
    assert list(found[1].values()) == pytest.approx([flow] * 6)


@pytest.mark.parametrize("field", ["high", "low", "volume"])
def test_without_the_fields_it_needs_there_is_no_money_flow(build: Any, field: str):
    scene = flow_world(build, **{field: None}).scene()

    assert money_flow(build.ledger(scene), scene) is None


def test_days_without_a_figure_or_a_range_are_left_out_of_the_flow(build: Any):
    close = build.closes()
    high, low, volume = close.copy(), close - 4.0, np.full(close.shape, 1000.0)
    high[-2], low[-2] = close[-2], close[-2]
    volume[-3] = np.nan
    scene = flow_world(build, high=high, low=low, volume=volume).scene()

    found = money_flow(build.ledger(scene), scene)

    assert found is not None and set(found[1].values()) == {1.0}


def test_a_name_without_any_volume_is_left_out_and_with_none_at_all_the_source_has_nothing(build: Any):
    volume = np.full(build.closes().shape, 1000.0)
    volume[:, 0] = 0.0
    scene = flow_world(build, volume=volume).scene()
    still = flow_world(build, volume=np.zeros(volume.shape)).scene()

    found = money_flow(build.ledger(scene), scene)

    assert found is not None and "AAA" not in found[1]
    assert money_flow(build.ledger(still), still) is None


@pytest.mark.parametrize(("vix", "score"), [(10.0, 0.5), (20.0, 0.0), (30.0, -0.5), (80.0, -1.0)])
def test_weather_is_fair_below_a_vix_of_twenty_and_foul_above(build: Any, vix: float, score: float):
    scene = build.world(vix=np.full(320, vix)).scene()

    found = volatility_weather(build.ledger(scene), scene)

    assert found is not None and found[1] == score


def test_without_a_volatility_index_there_is_no_weather(world: Any, build: Any):
    scene = world.scene()

    assert volatility_weather(build.ledger(scene), scene) is None


def test_frictions_are_those_of_the_year_and_of_the_month_and_name_what_dries_up(build: Any):
    close = build.closes()
    volume = np.full(close.shape, 1e6)
    # The last month of one name trades a tenth of what it did.
    volume[-FLOW_DAYS:, 2] = 1e5
    scene = build.world(close, volume=volume).scene()
    ledger = build.ledger(scene)

    found = trading_frictions(ledger, scene)

    moves = np.abs(close[-252:] / close[-253:-1] - 1.0) / (close[-252:] * volume[-252:]) * 1e6
    output: Any = ledger.entries[0].output
    assert found is not None and found[1] == ("CCC",) and output["drying_up"] == ["CCC"]
    assert list(output["amihud_year"].values()) == pytest.approx(moves.mean(axis=0).tolist())
    assert list(output["amihud_month"].values()) == pytest.approx(moves[-FLOW_DAYS:].mean(axis=0).tolist())
    assert found[0] == ledger.entries[0].id


def test_a_name_without_volume_has_no_illiquidity_and_a_source_without_it_no_frictions(build: Any):
    volume = np.full(build.closes().shape, 1000.0)
    volume[:, 0] = np.nan
    scene, bare = build.world(volume=volume).scene(), build.world().scene()
    ledger = build.ledger(scene)

    found = trading_frictions(ledger, scene)

    output: Any = ledger.entries[0].output
    assert found is not None and found[1] == ()
    assert "AAA" not in output["amihud_year"] and "BBB" in output["amihud_year"]
    assert trading_frictions(build.ledger(bare), bare) is None
