"""Change points: the run-length law against exact evidence by segments, CUSUM against printed run lengths."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.change_points import (
    RunPrior,
    cusum,
    cusum_run_length,
    cusum_threshold,
    detect_changes,
    first_state,
    step,
)
from parley.quant.errors import ParameterError, SampleError
from scipy import stats

SEEDS = st.integers(0, 2**32 - 1)
PRIOR = RunPrior(vol=0.01, expected_run_days=50.0)


def _segment_evidence(x: np.ndarray, prior: RunPrior) -> float:
    """Marginal density of one run: a multivariate t with the covariance of a shared random mean and variance."""
    shared = np.eye(len(x)) + 1.0 / prior.mean_days
    law: Any = stats.multivariate_t
    return float(law.pdf(x, loc=np.full(len(x), prior.mean), shape=prior.vol**2 * shared, df=prior.vol_days))


def test_run_lengths_have_the_posterior_of_exact_segment_evidence() -> None:
    # Independent route: the evidence of each run as a whole (scipy's multivariate t), summed over all ways to cut the
    # days into runs, instead of the online updates.
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.normal(0.0, 0.01, 7), rng.normal(0.02, 0.03, 6)])
    hazard, n = 1.0 / 50.0, len(x)
    ways: list[float] = []
    starts_at = np.zeros(n + 1)
    starts_at[0] = 1.0
    for day in range(1, n + 1):
        ways = [starts_at[s] * _segment_evidence(x[s:day], PRIOR) * (1 - hazard) ** (day - s - 1) for s in range(day)]
        starts_at[day] = hazard * sum(ways)
    wanted = np.array(ways[::-1])

    state = first_state(PRIOR)
    for value in x:
        state = step(PRIOR, state, float(value))

    np.testing.assert_allclose(
        state.probability[1:], wanted / wanted.sum() * (1 - hazard), rtol=1e-7, err_msg="run lengths 1 to 13"
    )
    assert state.probability[0] == pytest.approx(hazard, rel=1e-12)


def test_a_jump_in_volatility_is_seen_within_a_fortnight() -> None:
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.normal(0.0, 0.01, 300), rng.normal(0.0, 0.04, 60)])

    path = detect_changes(RunPrior(vol=0.01), x)

    assert path.recent_change[295:300].max() < 0.2
    assert path.recent_change[310] > 0.95
    assert abs(int(path.likeliest_run_days[-1]) - 60) <= 3


@settings(deadline=None, max_examples=25)
@given(SEEDS, st.integers(5, 39))
def test_detection_is_causal(seed: int, upto: int) -> None:
    x = np.random.default_rng(seed).normal(0.0, 0.02, 40)

    whole, part = detect_changes(PRIOR, x, 5), detect_changes(PRIOR, x[:upto], 5)

    np.testing.assert_array_equal(part.recent_change, whole.recent_change[:upto])
    np.testing.assert_array_equal(part.likeliest_run_days, whole.likeliest_run_days[:upto])


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=60))
def test_run_probabilities_sum_to_one_and_memory_is_bounded(values: list[float]) -> None:
    prior = RunPrior(vol=0.01, max_run_days=20)

    state = first_state(prior)
    for value in values:
        state = step(prior, state, value)

    assert state.probability.sum() == pytest.approx(1.0, abs=1e-12)
    assert len(state.probability) == min(len(values), 20) + 1


@pytest.mark.parametrize(
    ("threshold", "shift", "printed"),
    [
        (4.0, 0.0, 168.0),
        (4.0, 0.25, 74.2),
        (4.0, 0.5, 26.6),
        (4.0, 1.0, 8.38),
        (4.0, 2.0, 3.34),
        (5.0, 0.0, 465.0),
        (5.0, 0.5, 38.0),
        (5.0, 1.0, 10.4),
        (5.0, 2.0, 4.01),
    ],
)
def test_run_lengths_are_the_printed_ones(threshold: float, shift: float, printed: float) -> None:
    # Montgomery, Introduction to Statistical Quality Control, table of two-sided CUSUM run lengths with k = 0.5.
    assert cusum_run_length(threshold, 0.5, shift) == pytest.approx(printed, rel=5e-3)


def test_run_length_is_that_of_simulated_normal_days() -> None:
    days = np.random.default_rng(3).standard_normal(300_000)

    alarms = cusum(days, 3.0).alarms

    wanted = cusum_run_length(3.0)
    assert 300_000 / len(alarms) == pytest.approx(wanted, rel=4.0 / math.sqrt(len(alarms)))


@settings(deadline=None, max_examples=10)
@given(st.floats(20.0, 5_000.0))
def test_threshold_gives_back_its_false_alarm_time(days: float) -> None:
    assert cusum_run_length(cusum_threshold(days)) == pytest.approx(days, rel=1e-6)


def test_cusum_by_hand() -> None:
    path = cusum(np.array([1.0, 2.0, 2.0, -3.0]), threshold=3.0)

    assert path.upper.tolist() == [0.5, 2.0, 3.5, 0.0]
    assert path.lower.tolist() == [0.0, 0.0, 0.0, 2.5]
    assert path.alarms.tolist() == [2]


@settings(deadline=None, max_examples=30)
@given(SEEDS)
def test_a_mirrored_series_swaps_the_two_sums(seed: int) -> None:
    x = np.random.default_rng(seed).normal(0.1, 1.5, 100)

    path, mirrored = cusum(x, 4.0), cusum(-x, 4.0)

    np.testing.assert_array_equal(path.upper, mirrored.lower)
    np.testing.assert_array_equal(path.alarms, mirrored.alarms)


def test_bad_detectors_are_refused() -> None:
    with pytest.raises(ParameterError, match="vol"):
        first_state(RunPrior(vol=0.0))
    with pytest.raises(ParameterError, match="expected_run_days"):
        first_state(RunPrior(vol=0.01, expected_run_days=1.0))
    with pytest.raises(SampleError, match="NaN"):
        step(PRIOR, first_state(PRIOR), math.nan)
    with pytest.raises(SampleError, match="NaN"):
        cusum(np.array([0.0, math.inf]), 4.0)
    with pytest.raises(ParameterError, match="threshold"):
        cusum(np.zeros(5), 0.0)
    with pytest.raises(ParameterError, match="billion"):
        cusum_run_length(60.0, 1.0)
    with pytest.raises(ParameterError, match="false_alarm_days"):
        cusum_threshold(2.0)
