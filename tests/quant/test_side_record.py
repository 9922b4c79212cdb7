"""The record of calls: a published Wilson interval, overlap left out, drift said, and nothing judged too soon."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, ShapeError
from parley.quant.side_record import side_record, wilson_interval
from scipy.stats import binomtest


@pytest.mark.parametrize(("n_right", "n_judged"), [(0, 10), (7, 10), (81, 263), (10, 10), (1, 1)])
def test_the_interval_is_the_wilson_interval_of_scipy(n_right: int, n_judged: int) -> None:
    oracle = binomtest(n_right, n_judged).proportion_ci(method="wilson")

    assert wilson_interval(n_right, n_judged) == pytest.approx((oracle.low, oracle.high), abs=1e-12)


def test_the_interval_of_81_in_263_is_that_of_newcombe() -> None:
    """Newcombe (1998), Statistics in Medicine 17, table I, method 3: 0.2553 to 0.3662."""
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_calls_are_judged_once_a_horizon_and_only_when_it_has_passed() -> None:
    close = np.array([10.0, 11, 12, 11, 10, 9, 10, 11])
    sides = np.array([1.0, 1, 0, 1, -1, 0, 1, 1])

    record = side_record(sides, close, 2)

    # Bars 0 (10 to 12: right), 3 (11 to 9: wrong); 1 and 4 overlap; 6 and 7 have no second bar after them.
    assert (record.n_judged, record.n_right, record.share) == (2, 1, 0.5)
    assert record.by_drift == pytest.approx(2 / 6)  # of the six bars judged so, two rose and two fell


def test_up_is_right_when_the_price_is_higher_afterwards() -> None:
    rising = np.arange(1.0, 9.0)

    assert side_record(np.ones(8), rising, 2).share == 1.0
    assert side_record(-np.ones(8), rising, 2).share == 0.0


def test_an_unchanged_price_is_not_right_and_no_call_has_no_share() -> None:
    assert side_record([1.0, 0, 0], [5.0, 5, 5], 1).n_right == 0
    empty = side_record([0.0, 0, 1], [5.0, 6, 7], 1)
    assert (empty.n_judged, empty.share, empty.low, empty.by_drift) == (0, None, None, None)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=8, max_size=60), st.integers(1, 6), st.integers(0, 999))
def test_calling_the_other_side_is_right_where_this_one_was_wrong(sides: list[float], days: int, seed: int) -> None:
    close = np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.02, len(sides))))

    one, other = side_record(sides, close, days), side_record(-np.array(sides), close, days)

    assert one.n_judged == other.n_judged == one.n_right + other.n_right
    if one.n_judged:
        assert one.low is not None and one.high is not None and one.share is not None
        assert 0.0 <= one.low <= one.share <= one.high <= 1.0


def test_bad_input_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"found 2\.0"):
        side_record([2.0, 0.0], [1.0, 1.0], 1)
    with pytest.raises(ShapeError):
        side_record([1.0], [1.0, 1.0], 1)
    with pytest.raises(ParameterError):
        side_record([1.0, 0.0], [1.0, 1.0], 0)
    with pytest.raises(ParameterError):
        wilson_interval(3, 2)
    with pytest.raises(ParameterError):
        wilson_interval(0, 0)
