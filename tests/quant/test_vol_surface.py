"""The volatility surface: the paper's smile with arbitrage, recovery of known smiles, and the two checks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.black_scholes import price
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.vol_surface import Smile, VolSurface, fit_smile

# Gatheral and Jacquier (2014), example 5.1, after Axel Vogt: a smile that looks fine and has butterfly arbitrage.
VOGT = Smile(years=1.0, a=-0.0410, b=0.1331, rho=0.3060, m=0.3586, sigma=0.4153)
CALM = Smile(years=0.5, a=0.01, b=0.08, rho=-0.4, m=0.02, sigma=0.15)


def test_vogts_smile_has_the_papers_variance_at_the_money_and_its_arbitrage() -> None:
    # The paper's jump-wing parameters of the same smile give v = 0.01742625.
    assert float(VOGT.total_variance(0.0)) == pytest.approx(0.01742625, abs=1e-8)
    report = VolSurface((VOGT,)).check()

    assert report.least_butterfly < 0.0
    assert not report.is_free


def test_the_density_is_the_second_derivative_of_the_call_price() -> None:
    # Breeden and Litzenberger (1978): d2C / dK2 = g n(d2) / (K sqrt(w)), undiscounted.
    strike, width = np.array([80.0, 95.0, 100.0, 120.0]), 1e-2
    w = CALM.total_variance(np.log(strike / 100.0))
    d2 = -np.log(strike / 100.0) / np.sqrt(w) - 0.5 * np.sqrt(w)
    expected = CALM.butterfly_density(np.log(strike / 100.0)) * np.exp(-0.5 * d2**2)
    expected /= math.sqrt(2.0 * math.pi) * strike * np.sqrt(w)

    def call(at: np.ndarray) -> np.ndarray:
        return price("call", 100.0, at, 0.5, 0.0, CALM.vol(np.log(at / 100.0)))

    found = (call(strike + width) - 2.0 * call(strike) + call(strike - width)) / width**2
    assert found == pytest.approx(expected, rel=1e-5)


@settings(deadline=None, max_examples=12)
@given(st.floats(0.005, 0.05), st.floats(0.03, 0.3), st.floats(-0.8, 0.5), st.floats(-0.1, 0.1), st.floats(0.05, 0.3))
def test_a_fit_recovers_the_smile_that_made_the_quotes(a: float, b: float, rho: float, m: float, sigma: float) -> None:
    truth = Smile(0.5, a, b, rho, m, sigma)
    k = np.linspace(-0.5, 0.4, 21)

    fitted = fit_smile(k, truth.vol(k), 0.5)

    assert np.abs(fitted.vol(k) - truth.vol(k)).max() < 1e-5


def test_weights_decide_which_quotes_the_fit_believes() -> None:
    k = np.linspace(-0.4, 0.4, 17)
    vols = CALM.vol(k).copy()
    vols[0] += 0.2
    weight = np.ones(17)
    weight[0] = 0.0

    fitted = fit_smile(k, vols, 0.5, weight)

    assert np.abs(fitted.vol(k) - CALM.vol(k)).max() < 1e-5


def test_a_noisy_flat_smile_stays_admissible() -> None:
    rng = np.random.default_rng(3)
    k = np.linspace(-0.3, 0.3, 9)

    fitted = fit_smile(k, 0.2 + rng.normal(0.0, 0.01, 9), 0.1)

    assert fitted.total_variance(np.linspace(-3.0, 3.0, 101)).min() >= 0.0
    assert fitted.b * (1.0 + abs(fitted.rho)) <= 2.0
    assert np.abs(fitted.vol(k) - 0.2).max() < 0.03


def test_a_later_smile_below_an_earlier_one_is_a_calendar_arbitrage() -> None:
    lower = Smile(years=1.0, a=0.002, b=0.08, rho=-0.4, m=0.02, sigma=0.15)

    report = VolSurface((CALM, lower)).check()

    assert report.least_calendar == pytest.approx(-0.008)
    assert not report.is_free
    above = Smile(years=1.0, a=0.02, b=0.08, rho=-0.4, m=0.02, sigma=0.15)
    assert VolSurface((CALM, above)).check().is_free


def test_between_expiries_total_variance_is_linear_in_time() -> None:
    later = Smile(years=1.0, a=0.03, b=0.08, rho=-0.4, m=0.02, sigma=0.15)
    surface = VolSurface((CALM, later))

    middle = float(surface.vol(0.1, 0.75)) ** 2 * 0.75

    assert middle == pytest.approx(0.5 * float(CALM.total_variance(0.1) + later.total_variance(0.1)))
    assert float(surface.vol(0.1, 0.5)) == pytest.approx(float(CALM.vol(0.1)))
    with pytest.raises(ParameterError, match="years"):
        surface.vol(0.0, 1.5)


def test_impossible_smiles_and_quotes_are_refused() -> None:
    k = np.linspace(-0.2, 0.2, 9)
    with pytest.raises(ParameterError, match="lowest total variance"):
        Smile(1.0, -0.1, 0.1, 0.0, 0.0, 0.1)
    with pytest.raises(ParameterError, match="rho"):
        Smile(1.0, 0.1, 0.1, 1.0, 0.0, 0.1)
    with pytest.raises(ParameterError, match="smiles"):
        VolSurface((CALM, CALM))
    with pytest.raises(SampleError, match="rows"):
        fit_smile(k[:4], np.full(4, 0.2), 0.5)
    with pytest.raises(SampleError, match="strikes"):
        fit_smile(np.repeat(k[:3], 3), np.full(9, 0.2), 0.5)
    with pytest.raises(SampleError, match="NaN"):
        fit_smile(k, np.where(k > 0.1, np.nan, 0.2), 0.5)
    with pytest.raises(ShapeError):
        fit_smile(k, np.full(8, 0.2), 0.5)
    with pytest.raises(ParameterError, match="years"):
        fit_smile(k, np.full(9, 0.2), 0.0)
