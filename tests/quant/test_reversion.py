"""Ornstein-Uhlenbeck: a published calibration, the likelihood itself, and bands checked by simulation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError
from parley.quant.reversion import (
    OuProcess,
    band_return_per_year,
    best_band,
    fit_ou,
)

# The worked example of van den Berg, "Calibrating the Ornstein-Uhlenbeck (Vasicek) model", step 0.25 years.
_PUBLISHED = [
    3.0000, 1.7600, 1.2693, 1.1960, 0.9468, 0.9532, 0.6252, 0.8604, 1.0984, 1.4310, 1.3019,
    1.4005, 1.2686, 0.7147, 0.9237, 0.7297, 0.7105, 0.8683, 0.7406, 0.7314, 0.6232,
]  # fmt: skip


def test_fit_reproduces_the_published_maximum_likelihood_example() -> None:
    process = fit_ou(np.array(_PUBLISHED), step_days=63).process

    assert process.speed == pytest.approx(3.1288, abs=2e-4)
    assert process.level == pytest.approx(0.9075, abs=1e-4)
    assert process.vol == pytest.approx(0.5531, abs=1e-4)


def test_no_other_parameters_have_a_higher_likelihood() -> None:
    from scipy.stats import norm

    values, dt = np.array(_PUBLISHED), 0.25
    fit = fit_ou(values, step_days=63)

    def likelihood(speed: float, level: float, vol: float) -> float:
        mean = level + (values[:-1] - level) * math.exp(-speed * dt)
        std = vol * math.sqrt((1.0 - math.exp(-2.0 * speed * dt)) / (2.0 * speed))
        return float(norm.logpdf(values[1:], mean, std).sum())

    best = (fit.process.speed, fit.process.level, fit.process.vol)
    assert likelihood(*best) == pytest.approx(fit.log_likelihood, rel=1e-10)
    for i in range(3):
        for factor in (0.97, 1.03):
            moved = [value * factor if j == i else value for j, value in enumerate(best)]
            assert likelihood(*moved) < fit.log_likelihood


def test_unit_root_statistic_and_critical_value_agree_with_statsmodels(ou_path: Any) -> None:
    linear = pytest.importorskip("statsmodels.regression.linear_model")
    critical = pytest.importorskip("statsmodels.tsa.adfvalues").mackinnoncrit(N=1, regression="c", nobs=400)
    path = ou_path(OuProcess(8.0, 1.0, 0.3), 1.0, 400, np.random.default_rng(1))

    fit = fit_ou(path)

    found = linear.OLS(np.diff(path), np.column_stack([path[:-1], np.ones(400)])).fit()
    assert fit.unit_root_t == pytest.approx(found.tvalues[0], rel=1e-8)
    assert fit.unit_root_critical_t == pytest.approx(critical[1], abs=1e-4)


def test_fit_recovers_the_process_within_its_own_standard_error(ou_path: Any) -> None:
    true = OuProcess(12.0, 0.5, 0.2)

    fit = fit_ou(ou_path(true, 0.5, 20_000, np.random.default_rng(2)))

    assert abs(fit.process.speed - 12.0) < 3.0 * fit.speed_se
    assert fit.process.level == pytest.approx(0.5, abs=0.01)
    assert fit.process.vol == pytest.approx(0.2, rel=0.02)


def test_speed_standard_error_is_the_spread_of_repeated_fits(ou_path: Any) -> None:
    rng = np.random.default_rng(3)
    fits = [fit_ou(ou_path(OuProcess(25.0, 0.0, 0.2), 0.0, 1000, rng)) for _ in range(200)]

    spread = np.std([fit.process.speed for fit in fits])

    assert np.mean([fit.speed_se for fit in fits]) == pytest.approx(spread, rel=0.15)


def test_half_life_is_when_half_the_distance_is_left() -> None:
    process = OuProcess(math.log(2.0) * 252 / 10.0, 2.0, 0.1)

    assert process.half_life_days == pytest.approx(10.0)
    assert process.expected(3.0, 10.0) == pytest.approx(2.5)
    # Avellaneda and Lee (2010): a speed of 8.4 a year is a mean-reversion time of 30 days.
    assert OuProcess(8.4, 0.0, 1.0).half_life_days == pytest.approx(30.0 * math.log(2.0))


def test_s_score_counts_stationary_deviations() -> None:
    process = OuProcess(8.0, 1.0, 0.4)  # stationary deviation 0.4 / sqrt(16) = 0.1

    assert process.s_score(1.2) == pytest.approx(2.0)
    assert process.s_score(0.95) == pytest.approx(-0.5)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100.0), st.floats(-50.0, 50.0))
def test_scaling_and_shifting_the_spread_changes_units_and_nothing_else(
    ou_path: Any, seed: int, scale: float, shift: float
) -> None:
    path = ou_path(OuProcess(40.0, 0.0, 1.0), 0.0, 300, np.random.default_rng(seed))

    plain, moved = fit_ou(path).process, fit_ou(scale * path + shift).process

    assert moved.speed == pytest.approx(plain.speed, rel=1e-6)
    assert moved.level == pytest.approx(scale * plain.level + shift, rel=1e-6, abs=1e-6 * scale)
    assert moved.vol == pytest.approx(scale * plain.vol, rel=1e-6)


def test_a_simulated_path_has_the_stationary_spread_whatever_the_step(ou_path: Any) -> None:
    process = OuProcess(50.0, 0.3, 0.5)
    for step_days in (0.5, 5.0, 50.0):
        path = ou_path(process, 0.3, 40_000, np.random.default_rng(5), step_days=step_days)

        assert path[1000:].std() == pytest.approx(process.stationary_std, rel=0.06)


def test_the_best_band_beats_every_other_band_symmetric_or_not() -> None:
    process, cost = OuProcess(10.0, 0.0, 0.3), 0.01
    band = best_band(process, cost)

    assert band_return_per_year(process, band.entry, band.exit, cost) == pytest.approx(band.return_per_year, rel=1e-9)
    for low in np.linspace(0.5, 1.6, 12):
        for high in np.linspace(0.5, 1.6, 12):
            other = band_return_per_year(process, low * band.entry, high * band.exit, cost)
            assert other <= band.return_per_year * (1.0 + 1e-12)


@settings(deadline=None, max_examples=50)
@given(st.floats(0.5, 200.0), st.floats(0.01, 2.0), st.floats(1e-4, 2.0))
def test_the_best_band_solves_bertrams_condition(speed: float, vol: float, relative_cost: float) -> None:
    from scipy.special import erfi

    unit = vol / math.sqrt(speed)
    cost = relative_cost * unit

    band = best_band(OuProcess(speed, 0.0, vol), cost)

    # Bertram (2010): exp(k a^2 / s^2) (2 a + c) = s sqrt(pi / k) erfi(a sqrt(k) / s), with a the entry.
    left = math.exp((band.entry / unit) ** 2) * (2.0 * band.entry + cost)
    assert left == pytest.approx(unit * math.sqrt(math.pi) * erfi(band.entry / unit), rel=1e-6)
    assert band.exit - band.entry > cost
    assert band.return_per_year > 0.0


def test_expected_cycle_time_agrees_with_simulation(ou_path: Any) -> None:
    from scipy.special import erfi

    process = OuProcess(252.0, 0.0, 1.0)  # relaxation time: one trading day
    band = best_band(process, 0.01)
    path = ou_path(process, 0.0, 1_500_000, np.random.default_rng(6), step_days=1.0 / 500.0)

    zone = np.where(path <= band.entry, -1, np.where(path >= band.exit, 1, 0))
    hits, at = zone[zone != 0], np.flatnonzero(zone != 0)
    entries = at[(hits == -1) & (np.r_[1, hits[:-1]] == 1)]
    cycle_days = np.diff(entries).mean() / 500.0

    # Watching in steps, one sees a bound crossed 0.5826 step deviations late (Broadie, Glasserman, Kou 1997).
    unit = 1.0 / math.sqrt(252.0)
    z = band.exit / unit
    assert band.cycle_days == pytest.approx(2.0 * math.pi * erfi(z))
    assert len(entries) > 500
    assert cycle_days == pytest.approx(2.0 * math.pi * erfi(z + 0.5826 / math.sqrt(500.0)), rel=0.06)


def test_series_that_do_not_revert_are_refused() -> None:
    rng = np.random.default_rng(7)
    walk = np.cumsum(rng.normal(size=500))
    with pytest.raises(SampleError, match="not mean reverting"):
        fit_ou(walk)
    with pytest.raises(SampleError, match="not mean reverting"):
        fit_ou(np.exp(np.linspace(0, 5, 200)) + rng.normal(size=200) * 1e-3, test_unit_root=False)
    with pytest.raises(SampleError, match="not mean reverting"):
        fit_ou(np.tile([1.0, -1.0], 50) + rng.normal(size=100) * 0.01)
    with pytest.raises(SampleError, match="never move"):
        fit_ou(np.full(50, 3.0))
    with pytest.raises(SampleError, match="noise"):
        fit_ou(np.exp2(-np.arange(20.0)))
    with pytest.raises(SampleError, match="NaN"):
        fit_ou(np.array([1.0, np.nan] * 20))
    with pytest.raises(SampleError, match="rows"):
        fit_ou(np.arange(5.0))


def test_impossible_parameters_are_refused() -> None:
    process = OuProcess(10.0, 0.0, 0.3)
    with pytest.raises(ParameterError):
        OuProcess(-1.0, 0.0, 0.3)
    with pytest.raises(ParameterError):
        OuProcess(1.0, math.nan, 0.3)
    with pytest.raises(ParameterError):
        best_band(process, 0.0)
    with pytest.raises(ParameterError, match="at most"):
        best_band(process, 10.0)
    with pytest.raises(ParameterError, match="below exit"):
        band_return_per_year(process, 0.1, 0.0, 0.01)
