"""Kaplan-Meier from censored sizes: a textbook's table, statsmodels, and what the greedy allocation promises."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.survival import (
    censored_counts,
    greedy_allocation,
    greenwood_errors,
    optimistic_tails,
    tail_probabilities,
)

# Weeks of remission under 6-MP, Freireich et al. (1963), as in Cox and Oakes (1984), table 1.1; + is censored.
# fmt: off
WEEKS = [
    "6", "6", "6", "6+", "7", "9+", "10", "10+", "11+", "13", "16", "17+", "19+", "20+", "22", "23", "25+", "32+",
    "32+", "34+", "35+",
]
# fmt: on
SURVIVING = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
ERRORS = {6: 0.0764, 7: 0.0869, 10: 0.0963, 13: 0.1068, 16: 0.1141, 22: 0.1282, 23: 0.1346}

sizes = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=40)


def remission() -> tuple[np.ndarray, np.ndarray]:
    """A patient censored in week c was seen alive through it: as an order for c + 1 units that was filled."""
    weeks = np.array([int(text.rstrip("+")) for text in WEEKS])
    censored = np.array([text.endswith("+") for text in WEEKS])
    return np.where(censored, weeks + 1, 1000), np.where(censored, weeks + 1, weeks)


def counts(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    sent = np.array([pair[0] for pair in pairs])
    return censored_counts(sent, np.minimum(sent, [pair[1] for pair in pairs]), 12)


def test_the_textbooks_survival_and_its_greenwood_errors_come_back() -> None:
    at_risk, ended = censored_counts(*remission(), 40)

    tail, errors = tail_probabilities(at_risk, ended), greenwood_errors(at_risk, ended)

    assert {week: round(float(tail[week + 1]), 3) for week in SURVIVING} == SURVIVING
    assert {week: round(float(errors[week + 1]), 4) for week in ERRORS} == ERRORS


def test_it_agrees_with_statsmodels_on_random_censored_samples() -> None:
    survfunc = pytest.importorskip("statsmodels.duration.survfunc")
    rng = np.random.default_rng(4)
    there, sent = rng.geometric(0.2, 300), rng.integers(1, 15, 300)
    filled = np.minimum(there, sent)
    # Filled in full says "at least so much": alive after the unit before.
    status = (filled < sent).astype(int)
    known = survfunc.SurvfuncRight(filled - (status == 0), status)

    at_risk, ended = censored_counts(sent, filled, 15)
    tail, errors = tail_probabilities(at_risk, ended), greenwood_errors(at_risk, ended)

    times = known.surv_times.astype(int)
    assert tail[times + 1] == pytest.approx(known.surv_prob, abs=1e-12)
    assert errors[times + 1] == pytest.approx(known.surv_prob_se, abs=1e-12)


def test_without_censoring_it_is_the_share_of_sizes_that_are_at_least_so_large() -> None:
    there = np.random.default_rng(1).integers(0, 10, 200)

    tail = tail_probabilities(*censored_counts(np.full(200, 50), there, 10))

    assert tail == pytest.approx([(there >= size).mean() for size in range(11)])


def test_it_converges_to_the_truth_while_every_order_is_censored_at_random() -> None:
    rng = np.random.default_rng(2)
    sent = rng.integers(1, 9, 60_000)

    tail = tail_probabilities(*censored_counts(sent, np.minimum(rng.geometric(0.3, 60_000) - 1, sent), 8))

    assert tail == pytest.approx(0.7 ** np.arange(9), abs=0.02)


@settings(max_examples=50, deadline=None)
@given(sizes)
def test_a_tail_begins_at_one_and_never_rises(pairs: list[tuple[int, int]]) -> None:
    tail = tail_probabilities(*counts(pairs))

    assert tail[0] == 1.0
    assert (np.diff(tail) <= 0).all() and tail[-1] >= 0.0


@settings(max_examples=50, deadline=None)
@given(sizes, st.integers(1, 5))
def test_hope_goes_one_unit_beyond_what_was_tried_often_enough(pairs: list[tuple[int, int]], trials: int) -> None:
    at_risk, ended = counts(pairs)

    tail, (hoped,) = tail_probabilities(at_risk, ended), optimistic_tails([at_risk], [ended], trials)

    tried = next((size for size, count in enumerate(at_risk) if count < trials), len(at_risk))
    assert hoped[: tried + 1].tolist() == tail[: tried + 1].tolist()
    if tried < len(at_risk):
        assert hoped[tried + 1] == tail[tried]
        assert not hoped[tried + 2 :].any()


@settings(max_examples=30, deadline=None)
@given(st.lists(sizes, min_size=2, max_size=4), st.integers(1, 5))
def test_many_places_at_once_are_each_as_if_alone(places: list[list[tuple[int, int]]], trials: int) -> None:
    at_risk, ended = zip(*(counts(pairs) for pairs in places), strict=True)

    together = optimistic_tails(at_risk, ended, trials)

    for place, risk in enumerate(at_risk):
        assert together[place].tolist() == optimistic_tails([risk], [ended[place]], trials)[0].tolist()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 6))
def test_the_greedy_allocation_is_the_best_of_all(seed: int, units: int) -> None:
    tails = -np.sort(-np.random.default_rng(seed).random((3, 5)), axis=1)

    given_out = greedy_allocation(tails, units)

    def worth(split: tuple[int, ...]) -> float:
        return sum(float(tails[place, 1 : count + 1].sum()) for place, count in enumerate(split))

    every = [split for split in itertools.product(range(5), repeat=3) if sum(split) <= units]
    assert given_out.sum() == min(units, 12)
    assert worth(tuple(given_out.tolist())) == pytest.approx(max(map(worth, every)))


def test_units_that_nobody_is_thought_to_take_are_left_over() -> None:
    assert greedy_allocation([[1.0, 0.5, 0.0], [1.0, 0.0, 0.0]], 5).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: censored_counts([3], [4], 5), SampleError, "4 filled of 3 sent"),
        (lambda: censored_counts([3.5], [1], 5), SampleError, "whole units"),
        (lambda: censored_counts([3], [np.nan], 5), SampleError, "NaN"),
        (lambda: censored_counts([3, 3], [1], 5), ShapeError, "filled"),
        (lambda: censored_counts([3], [1], 0), ParameterError, "at least 1"),
        (lambda: tail_probabilities([2, 1], [1, 2]), SampleError, "size 1: 2 ended of 1 at risk"),
        (lambda: tail_probabilities([], []), SampleError, "0 rows"),
        (lambda: optimistic_tails([[1]], [[0]], 0), ParameterError, "at least 1"),
        (lambda: optimistic_tails([[3, 2], [2, 1]], [[0, 0], [1, 2]], 1), SampleError, "size 1: 2 ended of 1 at risk"),
        (lambda: optimistic_tails([[3, 2]], [[-1, 0]], 1), SampleError, "size 0: -1 ended of 3 at risk"),
        (lambda: optimistic_tails([[3, 2]], [[0]], 1), ShapeError, "ended: found shape"),
        (lambda: optimistic_tails([1], [0], 1), ShapeError, "at_risk"),
        (lambda: greedy_allocation([[1.0, 0.2, 0.4]], 1), SampleError, "rises"),
        (lambda: greedy_allocation([1.0, 0.2], 1), ShapeError, "shape"),
        (lambda: greedy_allocation([[1.0, 0.2]], -1), ParameterError, "at least 0"),
    ],
)
def test_bad_input_is_named(call: object, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        call()  # pyright: ignore
