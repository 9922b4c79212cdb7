"""Judging forecasts of variance: Patton's loss, and a bias that names which way they were wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import SampleError, ShapeError
from parley.quant.variance_forecasts import judge_variances


def test_the_figures_are_those_worked_out_by_hand() -> None:
    found = judge_variances(np.array([1e-4, 2e-4]), np.array([2e-4, 1e-4]))

    # Ratios 2 and 1/2: 2 - ln 2 - 1 and 1/2 + ln 2 - 1, whose mean is 1/4.
    assert found.qlike == pytest.approx(0.25)
    assert found.bias == pytest.approx(1.25)
    assert found.forecast_vol == found.realized_vol == pytest.approx(math.sqrt(1.5e-4 * 252))
    assert found.n_periods == 2


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.3, 3.0))
def test_the_truth_is_the_best_forecast_even_when_only_a_noisy_measure_of_it_is_seen(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    truth = np.exp(rng.normal(-9.0, 0.5, 4000))
    seen = truth * rng.chisquare(5, 4000) / 5

    right, wrong = judge_variances(truth, seen), judge_variances(truth * scale, seen)

    assert right.qlike >= 0.0
    # Twice the standard error of the bias leaves scales near one undecided.
    if abs(scale - 1.0) > 0.1:
        assert right.qlike < wrong.qlike


def test_unusable_variances_are_refused() -> None:
    with pytest.raises(SampleError, match="realized: the lowest variance is"):
        judge_variances(np.array([1e-4]), np.array([0.0]))
    with pytest.raises(ShapeError):
        judge_variances(np.array([1e-4]), np.array([1e-4, 1e-4]))
    with pytest.raises(SampleError):
        judge_variances(np.array([np.nan]), np.array([1e-4]))
