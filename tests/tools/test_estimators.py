"""Estimates that learn: the same bytes however one gets to a day, and blind to what comes after it."""

from typing import Any

import numpy as np
import pytest
from parley.quant.calibration import calibrate
from parley.quant.errors import SampleError
from parley.tools.estimators import Estimators, market_series


def summary(estimators: Estimators, view: Any) -> tuple[bytes, bytes, bytes]:
    calibration, regime = estimators.calibration(view), estimators.regime(view)
    return (
        calibration.ics.tobytes() + calibration.week_rows.tobytes(),
        calibration.composite_ics.tobytes(),
        b"" if regime is None else regime.probabilities.tobytes() + regime.model.vol.tobytes(),
    )


@pytest.fixture(scope="module")
def long(build: Any) -> Any:
    """Three years and a half of six names, one listed late, one with a gap, and an index that misses a day."""
    close = build.closes(900)
    close[:300, 4] = np.nan
    close[500:505, 5] = np.nan
    benchmark = 100.0 * np.exp(np.cumsum(np.random.default_rng(8).normal(0.0, 0.01, 900)))
    benchmark[620] = np.nan
    return build.world(close, benchmark=benchmark)


def view_at(world: Any, row: int) -> Any:
    return world.history.as_of(world.history.close_time(world.panel.sessions[row].item()))


ROWS = (599, 600, 601, 619, 620, 621, 622, 655, 700, 760, 880, 899)


def test_day_by_day_forward_is_the_same_as_from_scratch(long: Any):
    learning = Estimators()

    walked = [summary(learning, view_at(long, row)) for row in range(590, 900)]

    assert len(set(walked)) > 100
    for row in ROWS:
        assert walked[row - 590] == summary(Estimators(), view_at(long, row)), row


def test_going_back_is_the_same_as_from_scratch(long: Any):
    learning = Estimators()

    for row in reversed(ROWS):
        assert summary(learning, view_at(long, row)) == summary(Estimators(), view_at(long, row)), row


def test_resuming_in_the_middle_is_the_same_as_never_having_stopped(long: Any):
    whole, resumed = Estimators(), Estimators()
    for row in range(600, 760):
        summary(whole, view_at(long, row))

    assert summary(resumed, view_at(long, 760)) == summary(whole, view_at(long, 760))


def test_data_after_the_close_changes_no_estimate_of_it(build: Any, long: Any):
    close, benchmark = np.array(long.panel.close), np.array(long.panel.benchmark)
    close[701:] = np.random.default_rng(3).uniform(1.0, 500.0, close[701:].shape)
    benchmark[701:] = np.nan
    garbage = build.world(close, benchmark=benchmark)

    for row in (600, 650, 700):
        assert summary(Estimators(), view_at(garbage, row)) == summary(Estimators(), view_at(long, row))


def test_the_regime_of_a_history_without_two_full_years_is_unknown(build: Any):
    world = build.world(build.closes(520))

    assert Estimators().regime(view_at(world, 519)) is None


def test_a_market_that_never_moved_has_no_regime(build: Any):
    world = build.world(build.closes(800), benchmark=np.full(800, 100.0))

    assert Estimators().regime(view_at(world, 799)) is None


def test_the_model_is_fitted_to_the_years_before_this_one_only(build: Any, long: Any):
    reading = Estimators().regime(view_at(long, 899))

    first_of_year = int(np.searchsorted(long.panel.sessions, np.datetime64("2021-01-01")))
    assert reading is not None
    assert reading.fitted_days == first_of_year - 1
    assert reading.probabilities.sum() == pytest.approx(1.0)


def test_the_market_of_a_day_without_an_index_level_is_the_mean_name(long: Any):
    market = market_series(view_at(long, 899))
    closes = np.array(long.panel.close)
    returns = closes[1:] / closes[:-1] - 1

    # A level missing on row 620 spoils the moves into it and out of it.
    assert market[619:621] == pytest.approx(np.nanmean(returns[619:621], axis=1))
    levels = np.array(long.panel.benchmark)
    assert market[700] == pytest.approx(levels[701] / levels[700] - 1)


def test_the_latest_days_of_the_market_are_the_end_of_all_its_days(long: Any):
    view = view_at(long, 899)

    assert market_series(view, 280).tobytes() == market_series(view)[-280:].tobytes()


def test_us20_walked_through_a_new_year_is_the_same_as_from_scratch(us20: Any):
    start = int(np.searchsorted(us20.panel.sessions, np.datetime64("1993-12-20")))
    learning = Estimators()

    walked = [summary(learning, view_at(us20, row)) for row in range(start, start + 20)]

    assert walked[-1] == summary(Estimators(), view_at(us20, start + 19))
    assert walked[2] == summary(Estimators(), view_at(us20, start + 2))


def test_a_record_that_can_not_be_made_is_refused_once_a_day(build: Any, monkeypatch: pytest.MonkeyPatch):
    close = build.closes(700)
    # Up twentyfold in two names overnight, as a reverse split that nobody told of: the market leaves the others behind.
    close[400:, :2] *= 20.0
    world = build.world(close, benchmark=np.full(700, 100.0) * np.where(np.arange(700) >= 400, 50.0, 1.0))
    tries: list[int] = []

    def counted(state: Any, returns: Any, market: Any) -> Any:
        tries.append(len(market))
        return calibrate(state, returns, market)

    monkeypatch.setattr("parley.tools.estimators.calibrate", counted)
    learning = Estimators()
    told: list[str] = []
    for row in (650, 650, 650, 651):
        with pytest.raises(SampleError) as refused:
            learning.calibration(view_at(world, row))
        told.append(refused.value.message)

    assert tries == [650, 651]
    assert len(set(told)) == 1
