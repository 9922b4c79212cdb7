"""Calibrating the square-root law: against an independent regression, and on orders whose law is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.impact import calibrate_impact, impact_frac


def _orders(n: int, y: float, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    sizes, vols = 10.0 ** rng.uniform(-4.0, -0.5, n), rng.uniform(0.008, 0.04, n)
    costs = vols * (0.02 + y * np.sqrt(sizes) + noise * rng.normal(size=n))
    return costs, sizes, vols


def test_it_is_statsmodels_regression_with_hc1_errors() -> None:
    from statsmodels.regression.linear_model import OLS

    costs, sizes, vols = _orders(400, 0.9, 0.3, 1)
    peer = OLS(costs / vols, np.column_stack([np.ones(400), np.sqrt(sizes)])).fit(cov_type="HC1")

    found = calibrate_impact(costs, sizes, vols)

    assert (found.fixed_cost_vols, found.y) == pytest.approx(tuple(peer.params))
    assert found.y_std_error == pytest.approx(peer.bse[1])
    assert found.r_squared == pytest.approx(peer.rsquared)


def test_costs_made_by_the_law_give_back_its_prefactor_without_error() -> None:
    _, sizes, vols = _orders(50, 1.0, 0.0, 2)
    costs = np.array([impact_frac(size, vol, 1.3) for size, vol in zip(sizes, vols, strict=True)])

    found = calibrate_impact(costs, sizes, vols)

    assert found.y == pytest.approx(1.3)
    assert found.fixed_cost_vols == pytest.approx(0.0, abs=1e-12)
    assert found.y_std_error == pytest.approx(0.0, abs=1e-12)
    assert found.r_squared == pytest.approx(1.0)


def test_the_standard_error_is_the_scatter_of_repeated_calibrations() -> None:
    fits = [calibrate_impact(*_orders(200, 0.8, 0.5, seed)) for seed in range(300)]

    scatter = float(np.std([fit.y for fit in fits]))
    assert float(np.mean([fit.y for fit in fits])) == pytest.approx(0.8, abs=3.0 * scatter / 300**0.5)
    assert float(np.mean([fit.y_std_error for fit in fits])) == pytest.approx(scatter, rel=0.15)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10.0), st.floats(0.4, 0.7))
def test_doubling_every_cost_doubles_the_prefactor_and_its_error(seed: int, factor: float, exponent: float) -> None:
    costs, sizes, vols = _orders(40, 1.0, 0.3, seed)

    once, scaled = (calibrate_impact(c, sizes, vols, exponent) for c in (costs, factor * costs))

    assert scaled.y == pytest.approx(factor * once.y)
    assert scaled.y_std_error == pytest.approx(factor * once.y_std_error)
    assert scaled.r_squared == pytest.approx(once.r_squared)


def test_orders_that_cannot_identify_the_law_are_refused() -> None:
    costs, sizes, vols = _orders(20, 1.0, 0.3, 5)
    with pytest.raises(SampleError, match="all 20 orders"):
        calibrate_impact(costs, np.full(20, 0.01), vols)
    with pytest.raises(SampleError, match="rows"):
        calibrate_impact(costs[:9], sizes[:9], vols[:9])
    with pytest.raises(SampleError, match="NaN"):
        calibrate_impact(np.where(sizes == sizes[3], np.nan, costs), sizes, vols)
    with pytest.raises(ShapeError):
        calibrate_impact(costs, sizes[:-1], vols)
    with pytest.raises(ParameterError, match="participation"):
        calibrate_impact(costs, sizes - 1.0, vols)
    with pytest.raises(ParameterError, match="daily_vol_frac"):
        calibrate_impact(costs, sizes, 0.0 * vols)
    with pytest.raises(ParameterError, match="exponent"):
        calibrate_impact(costs, sizes, vols, 0.0)
