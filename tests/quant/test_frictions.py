"""Frictions of many names: the same as name by name, on bounces with a known spread, and blind to gaps in volume."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import SampleError, ShapeError
from parley.quant.frictions import amihud_by_name, roll_by_name
from parley.quant.tape import amihud_illiquidity


def panel(seed: int, n_days: int = 60, n_names: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    close = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, (n_days, n_names)), axis=0))
    return close, rng.uniform(1e4, 1e6, (n_days, n_names))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 100.0))
def test_amihud_of_a_panel_is_that_of_each_name(seed: int, unit: float) -> None:
    close, volume = panel(seed)

    found = amihud_by_name(close, volume)

    returns = close[1:] / close[:-1] - 1.0
    alone = [amihud_illiquidity(returns[:, k], close[1:, k] * volume[1:, k]) for k in range(close.shape[1])]
    np.testing.assert_allclose(found, alone, rtol=1e-12)
    np.testing.assert_allclose(amihud_by_name(unit * close, volume), found / unit, rtol=1e-9)


def test_days_without_volume_are_left_out_and_a_name_with_none_has_no_figure() -> None:
    close, volume = panel(1)
    volume[10, 0], volume[11, 0], volume[:, 1] = 0.0, np.nan, 0.0
    kept = np.delete(np.arange(59), [9, 10])

    found = amihud_by_name(close, volume)

    returns = close[1:, 0] / close[:-1, 0] - 1.0
    assert found[0] == pytest.approx(amihud_illiquidity(returns[kept], (close * volume)[1:, 0][kept]))
    assert np.isnan(found[1]) and np.isfinite(found[2:]).all()


def test_rolls_spread_of_pure_bounces_is_the_spread_and_a_trend_has_none() -> None:
    # Roll (1984), section I: independent sides around a fixed value give cov = -spread^2 / 4.
    sides = np.random.default_rng(2).choice([-1.0, 1.0], (50_000, 2))
    bounce = 100.0 + sides * np.array([0.05, 0.20]) / 2.0
    trend = 100.0 * np.exp(np.cumsum(np.linspace(0.0, 1e-4, 50_000)))

    found = roll_by_name(np.column_stack([bounce, trend]))

    assert found[:2] == pytest.approx([0.0005, 0.0020], rel=0.03)
    assert np.isnan(found[2])


def test_rolls_covariance_is_that_of_numpy() -> None:
    close, _ = panel(5)
    returns = close[1:] / close[:-1] - 1.0
    covariances = np.array([np.cov(returns[1:, k], returns[:-1, k])[0, 1] for k in range(4)])

    found = roll_by_name(close)

    assert np.array_equal(np.isnan(found), covariances >= 0.0)
    np.testing.assert_allclose(found[covariances < 0.0], 2.0 * np.sqrt(-covariances[covariances < 0.0]), rtol=1e-12)


def test_bad_panels_are_refused() -> None:
    close, volume = panel(3)

    with pytest.raises(SampleError, match="at least 4"):
        roll_by_name(close[:3])
    with pytest.raises(SampleError, match="above 0"):
        roll_by_name(-close)
    with pytest.raises(SampleError, match="NaN"):
        amihud_by_name(np.where(close == close[3], np.nan, close), volume)
    with pytest.raises(SampleError, match="negative"):
        amihud_by_name(close, -volume)
    with pytest.raises(ShapeError):
        amihud_by_name(close, volume[:-1])
