"""Who is fit to trade at a close, what gaps are carried, and that nothing after the close is seen."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from parley.tools.errors import NotEnoughData
from parley.tools.scene import MAX_FILLED_DAYS, WINDOW_DAYS, on_grid


def test_a_history_shorter_than_the_window_is_not_enough(build: Any):
    world = build.world(build.closes(WINDOW_DAYS))

    with pytest.raises(NotEnoughData, match="252 sessions before 2019-01-02, 253 are needed"):
        _ = world.scene().tradable


def test_one_more_session_is_enough(build: Any):
    assert build.world(build.closes(WINDOW_DAYS + 1)).scene().symbols == build.names


@pytest.mark.parametrize(
    ("what", "rows"),
    [
        ("was listed late", slice(0, 80)),
        ("is delisted", slice(-1, None)),
        ("has too many gaps", slice(-(MAX_FILLED_DAYS + 5), -4)),
    ],
)
def test_a_name_that_does_not_cover_the_window_is_left_out(build: Any, what: str, rows: slice):
    close = build.closes()
    close[rows, 2] = np.nan

    assert build.world(close).scene().symbols == ("AAA", "BBB", "DDD", "EEE", "FFF"), what


def test_a_name_with_a_few_gaps_stays_and_its_last_close_is_carried(build: Any):
    close = build.closes()
    close[-4:-2, 1] = np.nan

    scene = build.world(close).scene()

    assert "BBB" in scene.symbols
    assert scene.closes[-4:-2, 1].tolist() == [close[-5, 1]] * 2
    assert scene.returns[-4, 1] == 0.0 and np.isfinite(scene.returns).all()


def test_a_price_that_never_moves_is_not_fit_to_trade(build: Any):
    close = build.closes()
    close[:, 0] = 20.0

    assert "AAA" not in build.world(close).scene().symbols


def test_without_any_name_fit_to_trade_there_is_not_enough_data(build: Any):
    close = build.closes()
    close[-1] = np.nan

    with pytest.raises(NotEnoughData, match="no instrument"):
        _ = build.world(close).scene().tradable


def test_a_scene_is_the_same_whatever_comes_after_it(build: Any):
    close = build.closes()
    spoiled = close.copy()
    spoiled[300:] *= np.random.default_rng(1).uniform(0.1, 10.0, spoiled[300:].shape)

    one, other = build.world(close).scene(299), build.world(spoiled).scene(299)

    assert one.view.fingerprint == other.view.fingerprint
    assert one.returns.tobytes() == other.returns.tobytes()
    assert one.prices == other.prices


def test_prices_are_the_last_known_closes_on_the_grid(build: Any):
    close = build.closes()
    close[-3:, 0] = np.nan
    scene = build.world(close).scene()

    assert scene.prices["AAA"] == on_grid(close[-4, 0], Decimal("0.000001"))
    assert set(scene.prices) == set(build.names)


@pytest.mark.parametrize(
    ("price", "tick", "expected"),
    [
        (10.004, "0.01", "10.00"),
        (10.006, "0.01", "10.01"),
        (0.001, "0.01", "0.01"),
        (10.13, "0.05", "10.15"),
    ],
)
def test_a_price_goes_to_the_nearest_tick_and_never_to_nothing(price: float, tick: str, expected: str):
    assert on_grid(price, Decimal(tick)) == Decimal(expected)


def test_daily_volume_is_the_mean_of_the_days_that_have_one(build: Any):
    volume = np.full(build.closes().shape, 1000.0)
    volume[-1, 0], volume[-2, 0] = np.nan, 3000.0
    volume[:, 1] = np.nan

    scene = build.world(volume=volume).scene()

    # 19 days of 1000 and one of 3000, the last one without a figure.
    assert scene.daily_volume["AAA"] == pytest.approx((19 * 1000 + 3000) / 20)
    assert "BBB" not in scene.daily_volume


def test_without_a_recorded_volume_there_is_none(world: Any):
    assert world.scene().daily_volume == {}


def test_held_weights_are_shares_of_equity(build: Any):
    close = build.closes()
    close[-1, 0] = 50.0

    assert build.world(close).scene(held={"AAA": 2000}).held_weights() == {"AAA": pytest.approx(0.1)}


def test_the_market_is_the_benchmark_where_there_is_one_and_else_the_mean_name(build: Any):
    close = build.closes()
    benchmark = np.linspace(100.0, 200.0, len(close))

    with_index = build.world(close, benchmark=benchmark).scene()
    without = build.world(close).scene()

    assert with_index.market_returns[-1] == pytest.approx(benchmark[-1] / benchmark[-2] - 1)
    assert without.market_returns == pytest.approx(without.returns.mean(axis=1))


@pytest.mark.parametrize(("last", "seen"), [(17.5, 17.5), (np.nan, None)])
def test_the_volatility_index_is_read_at_the_last_close_only(build: Any, last: float, seen: float | None):
    vix = np.full(320, 30.0)
    vix[-1] = last

    assert build.world(vix=vix).scene().vix == seen


def test_a_result_asked_for_twice_is_worked_out_once(world: Any):
    scene, times = world.scene(), []

    first, second = (scene.once("key", lambda: times.append(1) or len(times)) for _ in range(2))

    assert (first, second, len(times)) == (1, 1, 1)
