"""The population stability index against an independent library, and what every such index has to hold."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.drift import bin_counts, population_stability_index, quantile_edges
from parley.quant.errors import ParameterError, SampleError, ShapeError
from scipy.stats import entropy

COUNTS = st.lists(st.integers(1, 10_000), min_size=2, max_size=20)


def test_two_bins_by_hand() -> None:
    # e = (0.5, 0.5), a = (0.6, 0.4): 0.1 ln(1.2) - 0.1 ln(0.8) = 0.1 ln(1.5)
    assert population_stability_index([50, 50], [60, 40]) == pytest.approx(0.1 * np.log(1.5), rel=1e-12)


def test_it_is_the_divergence_there_and_back_of_an_independent_library() -> None:
    expected, actual = np.array([120.0, 80, 60, 40]), np.array([30.0, 60, 90, 20])

    found = population_stability_index(expected, actual)

    assert found == pytest.approx(entropy(actual, expected) + entropy(expected, actual), rel=1e-12)


def test_samples_of_one_source_give_what_chance_gives() -> None:
    rng = np.random.default_rng(5)
    n, m, found = 2_000, 500, list[float]()
    for _ in range(300):
        reference = rng.normal(size=n)
        edges = quantile_edges(reference)
        expected, actual = bin_counts(reference, edges), bin_counts(rng.normal(size=m), edges)
        found.append(population_stability_index(expected, actual))

    # Yurdakul (2018): the index is about chi-squared(bins - 1) (1/n + 1/m)
    assert np.mean(found) == pytest.approx(9 * (1 / n + 1 / m), rel=0.1)


@settings(max_examples=40, deadline=None)
@given(COUNTS, st.randoms(use_true_random=False), st.integers(2, 9))
def test_never_negative_nothing_for_equal_shares_and_the_same_both_ways(
    counts: list[int], rng: Random, times: int
) -> None:
    other = counts.copy()
    rng.shuffle(other)

    assert population_stability_index(counts, other) >= 0
    assert population_stability_index(counts, other) == pytest.approx(population_stability_index(other, counts))
    assert population_stability_index(counts, [times * item for item in counts]) == pytest.approx(0, abs=1e-12)


def test_an_empty_bin_counts_for_half_a_value() -> None:
    assert population_stability_index([10, 10], [20, 0]) == population_stability_index([10, 10], [20, 0.5])


def test_a_value_on_an_edge_belongs_above_it_and_none_is_lost() -> None:
    assert bin_counts([1.0, 2.0, 3.0, 99.0], [2.0, 3.0]).tolist() == [1, 1, 2]
    assert bin_counts([], [2.0]).tolist() == [0, 0]


def test_a_frequent_value_has_one_edge() -> None:
    assert quantile_edges([0.0] * 51 + [1.0] * 50, 10).tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("expected", "actual", "error"),
    [
        ([1, 2], [1, 2, 3], ShapeError),
        ([1, float("nan")], [1, 2], SampleError),
        ([1, -1], [1, 2], SampleError),
        ([0, 0], [1, 2], SampleError),
    ],
)
def test_bad_counts_are_refused(expected: list[float], actual: list[float], error: type[Exception]) -> None:
    with pytest.raises(error):
        population_stability_index(expected, actual)


def test_bad_bins_are_refused() -> None:
    with pytest.raises(ParameterError):
        quantile_edges([1.0, 2.0], 1)
    with pytest.raises(SampleError):
        quantile_edges([1.0, 2.0], 10)
