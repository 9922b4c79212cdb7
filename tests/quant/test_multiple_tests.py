"""Holm's correction, p-values of dependent days and power: known answers, simulated levels, refusals."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError
from parley.quant.multiple_tests import (
    block_length,
    detectable_effect,
    holm,
    long_run_deviation,
    mean_p_value,
    observations_needed,
)


def test_holm_gives_the_adjusted_values_of_a_published_example() -> None:
    """p = 0.01, 0.04, 0.03, 0.005: only the first and the last fall at 5 % (Wikipedia, "Holm-Bonferroni method")."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_agrees_with_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    values = np.random.default_rng(3).random(40) ** 3

    assert holm(values) == pytest.approx(multipletests(values, method="holm")[1])


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_holm_lies_between_the_plain_value_and_bonferroni(values: list[float], random: Random) -> None:
    places = list(range(len(values)))
    random.shuffle(places)

    adjusted = holm(values)

    assert all(p <= q <= min(p * len(values), 1.0) for p, q in zip(values, adjusted, strict=True))
    assert holm([values[place] for place in places]) == pytest.approx([adjusted[place] for place in places])


@pytest.mark.parametrize("correlation", [0.0, 0.7])
def test_of_twenty_null_arms_at_most_five_percent_of_families_reject_anything(correlation: float) -> None:
    from scipy.stats import t

    rng, families, arms, days = np.random.default_rng(11), 1_500, 20, 120
    shared = rng.normal(size=(families, days, 1)) * np.sqrt(correlation)
    returns = shared + rng.normal(size=(families, days, arms)) * np.sqrt(1.0 - correlation)
    score = returns.mean(axis=1) / returns.std(axis=1, ddof=1) * np.sqrt(days)
    p_values = 2.0 * t.sf(np.abs(score), days - 1)

    wrong = np.mean([bool((holm(row) <= 0.05).any()) for row in p_values])
    careless = np.mean((p_values <= 0.05).any(axis=1))

    # 0.05 and two and a half standard errors of the simulation; without a correction most families claim something.
    assert wrong <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / families)
    assert careless > 0.2


def test_the_bootstrap_p_value_is_that_of_the_t_test_on_independent_days() -> None:
    from scipy.stats import ttest_1samp

    values = np.random.default_rng(5).normal(0.15, 1.0, 200)

    found = mean_p_value(values, np.random.default_rng(6), block_days=1, n_draws=20_000)

    assert found == pytest.approx(float(np.asarray(ttest_1samp(values, 0.0))[1]), abs=0.006)


def test_blocks_keep_the_level_where_single_days_do_not() -> None:
    """AR(1) with 0.4: independent draws reject a true zero in some 20 %, blocks in about half of that."""
    rng = np.random.default_rng(7)
    noise = rng.normal(size=(150, 250))
    for day in range(1, 250):
        noise[:, day] += 0.4 * noise[:, day - 1]

    rejected = {
        block: np.mean([mean_p_value(row, rng, block_days=block, n_draws=200) <= 0.05 for row in noise])
        for block in (1.0, 10.0)
    }

    assert rejected[10.0] < 0.13 < rejected[1.0]


def test_a_constant_difference_is_as_clear_as_the_draws_allow() -> None:
    assert mean_p_value(np.full(50, -0.3), np.random.default_rng(0), n_draws=99) == 1.0 / 100
    assert mean_p_value(np.zeros(50), np.random.default_rng(0), n_draws=99) == 1.0


def test_power_gives_the_textbook_sample_size() -> None:
    """Effect of half a deviation, 5 % two-sided, power 0.8: (1.96 + 0.8416)^2 / 0.25 = 31.4 (Cohen 1988)."""
    assert observations_needed(0.5, 1.0) == 32
    assert observations_needed(-0.2, 1.0) == 197


@given(st.integers(2, 5_000), st.floats(0.01, 100.0))
@settings(max_examples=30, deadline=None)
def test_the_detectable_effect_needs_just_those_observations(n: int, deviation: float) -> None:
    effect = detectable_effect(n, deviation)

    assert observations_needed(effect * (1.0 + 1e-9), deviation) == n


def test_the_simulated_power_is_the_one_asked_for() -> None:
    rng, n = np.random.default_rng(2), observations_needed(0.2, 1.0)
    draws = rng.normal(0.2, 1.0, (4_000, n))

    seen = np.abs(draws.mean(axis=1)) * np.sqrt(n) / draws.std(axis=1, ddof=1) > 1.96

    assert seen.mean() == pytest.approx(0.8, abs=0.02)


def test_the_long_run_deviation_of_a_moving_average_counts_its_echo() -> None:
    """x_t = e_t + 0.5 e_(t-1) has the long-run deviation 1.5, and the plain one sqrt(1.25)."""
    noise = np.random.default_rng(9).normal(size=200_001)
    values = noise[1:] + 0.5 * noise[:-1]

    assert long_run_deviation(values) == pytest.approx(1.5, rel=0.02)
    assert long_run_deviation(values, 0) == pytest.approx(float(values.std(ddof=1)))


def test_blocks_shrink_with_the_sample() -> None:
    assert [block_length(n) for n in (5, 60, 2_520)] == [1.0, 6.0, 21.0]


@pytest.mark.parametrize("values", [[], [0.5, float("nan")], [-0.1], [1.2]])
def test_holm_refuses_what_is_no_p_value(values: list[float]) -> None:
    with pytest.raises(SampleError, match="p_values"):
        holm(values)


def test_power_refuses_an_effect_of_zero_and_impossible_levels() -> None:
    with pytest.raises(ParameterError, match="effect"):
        observations_needed(0.0, 1.0)
    with pytest.raises(ParameterError, match="deviation"):
        observations_needed(1.0, 0.0)
    with pytest.raises(ParameterError, match="power"):
        detectable_effect(10, 1.0, power=1.0)
    with pytest.raises(ParameterError, match="n_lags"):
        long_run_deviation([1.0, 2.0], 2)
    with pytest.raises(SampleError, match="values"):
        mean_p_value([1.0], np.random.default_rng(0))
