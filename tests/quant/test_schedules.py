"""Child orders: whole lots, exact sums, evenly spread."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.schedules import shortfall_slices, slices_by_urgency, slices_for, twap_slices, vwap_slices


def test_ten_shares_over_four_slices_are_two_and_three_in_turn() -> None:
    assert twap_slices(10, 4).tolist() == [2, 3, 2, 3]


def test_an_odd_lot_goes_out_last() -> None:
    assert twap_slices(1050, 3, lot=100).tolist() == [300, 300, 450]


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 10**12), st.integers(1, 500), st.integers(1, 1000))
def test_slices_sum_exactly_and_stay_within_one_lot_of_each_other(quantity: int, n_slices: int, lot: int) -> None:
    slices = twap_slices(quantity, n_slices, lot)

    assert len(slices) == n_slices
    assert int(slices.sum()) == quantity
    assert slices.min() >= 0
    whole = slices.copy()
    whole[-1] -= quantity % lot
    assert (whole % lot == 0).all()
    assert whole.max() - whole.min() <= lot


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.integers(1, 60))
def test_no_moment_is_more_than_a_lot_behind_the_even_line(quantity: int, n_slices: int) -> None:
    done = np.cumsum(twap_slices(quantity, n_slices))
    even = quantity * np.arange(1, n_slices + 1) / n_slices

    assert np.abs(done - even).max() < 1.0


@pytest.mark.parametrize(("notional", "expected"), [(0.0, 1), (999.0, 1), (2000.0, 2), (2999.0, 2), (1e9, 12)])
def test_the_number_of_slices_keeps_children_above_their_minimum(notional: float, expected: int) -> None:
    assert slices_for(notional, 1000.0, 12) == expected


@pytest.mark.parametrize("arguments", [(-1, 2, 1), (10, 0, 1), (10, 2, 0), (10.5, 2, 1)])
def test_a_schedule_refuses_impossible_arguments(arguments: tuple[int, int, int]) -> None:
    with pytest.raises(ParameterError):
        twap_slices(*arguments)


@pytest.mark.parametrize("arguments", [(float("nan"), 1.0, 2), (-1.0, 1.0, 2), (1.0, 0.0, 2), (1.0, 1.0, 0)])
def test_counting_slices_refuses_impossible_arguments(arguments: tuple[float, float, int]) -> None:
    with pytest.raises(ParameterError):
        slices_for(*arguments)


def test_on_a_volume_curve_urgency_runs_with_volume() -> None:
    even = shortfall_slices(100_000, 12, 0.3)
    # Half the volume in the first third: those four slices run through six slices' worth of time.
    curve = [1.5] * 4 + [0.75] * 8

    curved = shortfall_slices(100_000, 12, 0.3, volume_curve=curve)

    assert curved[:4].sum() == pytest.approx(even[:6].sum(), abs=1)
    assert shortfall_slices(100_000, 12, 0.0, volume_curve=curve).tolist() == vwap_slices(100_000, curve).tolist()


def test_slices_by_urgency_hold_no_more_than_the_optimal_trajectory() -> None:
    # tanh(1) / 2 = 0.3808 of the order is held on average at kappa T = 2: (1 - 1/4) / 2 = 0.375, (1 - 1/5) / 2 = 0.4.
    assert slices_by_urgency(2.0, 390) == 4
    assert slices_by_urgency(0.0, 13) == 13
    assert slices_by_urgency(1e-9, 13) == 13
    assert slices_by_urgency(math.inf, 13) == 1
    with pytest.raises(ParameterError, match="kappa_span"):
        slices_by_urgency(math.nan, 13)
    with pytest.raises(ParameterError, match="max_slices"):
        slices_by_urgency(1.0, 0)


@pytest.mark.parametrize("curve", [[1.0, 2.0], [1.0, -1.0, 1.0], [0.0, 0.0, 0.0]])
def test_a_curve_that_is_none_is_refused(curve: list[float]) -> None:
    with pytest.raises((SampleError, ShapeError)):
        shortfall_slices(100, 3, 0.1, volume_curve=curve)
