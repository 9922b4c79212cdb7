"""Views from signals and confidences, against the eight-asset example of Idzorek (2005)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.black_litterman import (
    equilibrium,
    market_posterior,
    omega_from_confidence,
    posterior,
    views_from_signals,
)
from parley.quant.errors import ParameterError, SampleError, ShapeError

# Idzorek (2005), tables 1, 2 and 5: US and international bonds, US large growth and value, small growth and value,
# international developed and emerging equity. Recalled, then checked: with risk aversion 3.065 and tau 0.025 the
# covariance and weights give the paper's own implied returns, Omega, posterior and new weights to its last digit.
UPPER = [
    [0.001005, 0.001328, -0.000579, -0.000675, 0.000121, 0.000128, -0.000445, -0.000437],
    [0.007277, -0.001307, -0.000610, -0.002237, -0.000989, 0.001442, -0.001535],
    [0.059852, 0.027588, 0.063497, 0.023036, 0.032967, 0.048039],
    [0.029609, 0.026572, 0.021465, 0.020697, 0.029854],
    [0.102488, 0.042744, 0.039943, 0.065994],
    [0.032056, 0.019881, 0.032235],
    [0.028355, 0.035064],
    [0.079958],
]
SIGMA = np.zeros((8, 8))
for at, row in enumerate(UPPER):
    SIGMA[at, at:] = SIGMA[at:, at] = row
MARKET = np.array([0.1934, 0.2613, 0.1209, 0.1209, 0.0134, 0.0134, 0.2418, 0.0349])
GAMMA, TAU = 3.065, 0.025
P = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        [-1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.9, -0.9, 0.1, -0.1, 0.0, 0.0],
    ]
)
Q = np.array([0.0525, 0.0025, 0.02])
CONFIDENCE = np.array([0.25, 0.50, 0.65])


def test_the_example_gives_idzoreks_implied_and_combined_returns_and_new_weights() -> None:
    found = market_posterior(SIGMA, MARKET, GAMMA, TAU, P, Q)

    implied = equilibrium(SIGMA, MARKET, GAMMA) * 100.0
    np.testing.assert_allclose(implied, [0.08, 0.67, 6.41, 4.08, 7.43, 3.70, 4.80, 6.60], atol=0.006)
    np.testing.assert_allclose(found.mean * 100.0, [0.07, 0.50, 6.50, 4.32, 7.59, 3.94, 4.93, 6.84], atol=0.006)
    weights = np.linalg.solve(GAMMA * SIGMA, found.mean) * 100.0
    np.testing.assert_allclose(weights, [29.88, 15.59, 9.35, 14.82, 1.04, 1.65, 27.81, 3.49], atol=0.015)


def test_confidences_give_idzoreks_variances() -> None:
    # At one half, He and Litterman's p tau Sigma p' (the paper's equation 4); then his 25, 50 and 65 percent.
    even = omega_from_confidence(P, SIGMA, TAU, np.full(3, 0.5))
    stated = omega_from_confidence(P, SIGMA, TAU, CONFIDENCE)

    np.testing.assert_allclose(even, [0.000709, 0.000141, 0.000866], atol=6e-7)
    np.testing.assert_allclose(stated, even * [3.0, 1.0, 7.0 / 13.0], rtol=1e-12)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 0.99))
def test_a_view_alone_tilts_the_weights_by_its_confidence_of_a_certain_ones_tilt(seed: int, confidence: float) -> None:
    # Idzorek (2005), section 3.2, steps 1-5: the definition that the closed form solves.
    rng = np.random.default_rng(seed)
    view, q = rng.normal(size=(1, 8)), rng.normal(0.0, 0.05, 1)
    omega = omega_from_confidence(view, SIGMA, TAU, np.array([confidence]))

    def tilt(variance: np.ndarray) -> np.ndarray:
        mean = posterior(equilibrium(SIGMA, MARKET, GAMMA), SIGMA, TAU, view, q, variance).mean
        return np.linalg.solve(GAMMA * SIGMA, mean) - MARKET

    certain = tilt(omega * 1e-12)
    np.testing.assert_allclose(tilt(omega), confidence * certain, rtol=1e-5, atol=1e-9)


def test_the_one_call_is_the_two_calls() -> None:
    omega = omega_from_confidence(P, SIGMA, TAU, CONFIDENCE)

    once = market_posterior(SIGMA, MARKET, GAMMA, TAU, P, Q, omega)
    twice = posterior(equilibrium(SIGMA, MARKET, GAMMA), SIGMA, TAU, P, Q, omega)

    assert once.mean.tobytes() == twice.mean.tobytes()
    assert once.cov.tobytes() == twice.cov.tobytes()


def test_signals_become_daily_views_of_the_names_that_have_an_opinion() -> None:
    cov = SIGMA / 252
    expected = np.array([0.0, 0.02, -0.01, 0.0, 0.05, 0.0, 0.0, 0.0])
    confidence = np.array([0.0, 0.6, 0.3, 0.0, 0.5, 0.2, 0.0, 0.0])

    views = views_from_signals(expected, confidence, np.array([1, 20, 10, 1, 50, 5, 1, 1.0]), cov, TAU)

    np.testing.assert_array_equal(views.P, np.eye(8)[[1, 2, 4, 5]])
    np.testing.assert_allclose(views.q, [0.001, -0.001, 0.001, 0.0])
    kept = [1, 2, 4, 5]
    np.testing.assert_allclose(views.omega, TAU * np.diag(cov)[kept] * np.array([0.4 / 0.6, 0.7 / 0.3, 1.0, 4.0]))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.9))
def test_more_confidence_brings_the_posterior_nearer_to_the_view(seed: int, confidence: float) -> None:
    rng = np.random.default_rng(seed)
    name = int(rng.integers(8))
    expected, days = np.zeros(8), np.ones(8)
    expected[name] = rng.normal(0.0, 0.01)
    gaps = []
    for certainty in (confidence, confidence + 0.05):
        given_ = np.zeros(8)
        given_[name] = certainty
        views = views_from_signals(expected, given_, days, SIGMA, TAU)
        found = market_posterior(SIGMA, MARKET, GAMMA, TAU, views.P, views.q, views.omega)
        gaps.append(abs(found.mean[name] - expected[name]))

    assert gaps[1] <= gaps[0]


def test_unusable_confidences_and_horizons_are_refused() -> None:
    zeros, ones = np.zeros(8), np.ones(8)

    for bad in (0.0, 1.0, 1.2, -0.1):
        with pytest.raises(ParameterError, match="strictly between 0 and 1"):
            omega_from_confidence(P, SIGMA, TAU, np.array([0.5, bad, 0.5]))
    with pytest.raises(ShapeError):
        omega_from_confidence(P[:, :7], SIGMA, TAU, CONFIDENCE)
    with pytest.raises(ShapeError):
        omega_from_confidence(P, SIGMA, TAU, CONFIDENCE[:2])
    with pytest.raises(SampleError, match="at least one view"):
        views_from_signals(zeros, zeros, ones, SIGMA, TAU)
    with pytest.raises(ParameterError, match="horizon_days"):
        views_from_signals(zeros, ones / 2, zeros, SIGMA, TAU)
    with pytest.raises(ParameterError, match="0 to below 1"):
        views_from_signals(zeros, -ones / 2, ones, SIGMA, TAU)
    with pytest.raises(SampleError, match="NaN"):
        views_from_signals(np.full(8, np.nan), ones / 2, ones, SIGMA, TAU)
    with pytest.raises(SampleError, match="eigenvalue"):
        market_posterior(-SIGMA, MARKET, GAMMA, TAU, P, Q)
