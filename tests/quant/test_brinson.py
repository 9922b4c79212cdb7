"""Allocation, selection and interaction: an example by hand, and parts that always sum to the difference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.brinson import brinson_fachler
from parley.quant.errors import ParameterError, SampleError


def test_three_countries_by_hand() -> None:
    # UK, Japanese and US equities, as in Bacon (2008), Practical Portfolio Performance Measurement and Attribution,
    # ch. 5: cited from memory, not compared with the book. By hand: Japan's allocation is (30 % - 20 %) of
    # -4 % - 6.4 %, its selection 20 % of -5 % + 4 %; portfolio 8.3 %, benchmark 6.4 %.
    found = brinson_fachler(
        np.array([0.4, 0.3, 0.3]),
        np.array([0.20, -0.05, 0.06]),
        np.array([0.4, 0.2, 0.4]),
        np.array([0.10, -0.04, 0.08]),
    )

    np.testing.assert_allclose(found.allocation, [0.0, -0.0104, -0.0016], atol=1e-12)
    np.testing.assert_allclose(found.selection, [0.04, -0.002, -0.008], atol=1e-12)
    np.testing.assert_allclose(found.interaction, [0.0, -0.001, 0.002], atol=1e-12)
    assert found.total == pytest.approx(0.083 - 0.064)


@settings(max_examples=40, deadline=None)
@given(
    groups=st.lists(
        st.tuples(st.floats(0.01, 1), st.floats(-0.5, 0.5), st.floats(0.01, 1), st.floats(-0.5, 0.5)),
        min_size=1,
        max_size=8,
    )
)
def test_the_parts_sum_to_the_difference_of_the_two_returns(groups: list[tuple[float, float, float, float]]) -> None:
    held, made, norm, reference = (np.array(column) for column in zip(*groups, strict=True))
    held, norm = held / held.sum(), norm / norm.sum()

    found = brinson_fachler(held, made, norm, reference)

    assert found.total == pytest.approx(float(held @ made - norm @ reference), abs=1e-12)
    same = brinson_fachler(norm, reference, norm, reference)
    assert same.total == pytest.approx(0.0, abs=1e-15)


def test_weights_that_leave_something_out_are_refused() -> None:
    half = np.array([0.5])
    with pytest.raises(ParameterError, match=r"weights: found a sum of 0.5, expected 1"):
        brinson_fachler(half, half, np.array([1.0]), half)
    with pytest.raises(SampleError):
        brinson_fachler(np.array([1.0]), np.array([np.nan]), np.array([1.0]), half)
