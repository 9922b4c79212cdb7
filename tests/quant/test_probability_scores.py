"""Scores of stated probabilities: worked examples, the decomposition that adds up, and the bins of the diagram."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.probability_scores import (
    brier_parts,
    brier_score,
    calibration_error,
    log_loss,
    reliability_bins,
)

SAID, CAME_TRUE = [0.9, 0.9, 0.1, 0.1], [1, 0, 0, 0]
SETTINGS = settings(max_examples=50, deadline=None)
FORECASTS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=80)


def test_the_worked_example_scores_as_by_hand() -> None:
    """(0.01 + 0.81 + 0.01 + 0.01) / 4 and -(3 ln 0.9 + ln 0.1) / 4; the two bins miss by 0.4 and by 0.1."""
    assert brier_score(SAID, CAME_TRUE) == pytest.approx(0.21, abs=1e-12)
    assert log_loss(SAID, CAME_TRUE) == pytest.approx(-(3 * math.log(0.9) + math.log(0.1)) / 4, abs=1e-12)
    assert calibration_error(SAID, CAME_TRUE) == pytest.approx(0.25, abs=1e-12)


def test_murphys_parts_of_the_worked_example_are_those_of_its_two_bins() -> None:
    """Murphy (1973): reliability (2 x 0.16 + 2 x 0.01) / 4, resolution 0.0625, uncertainty 0.25 x 0.75."""
    parts = brier_parts(SAID, CAME_TRUE)

    assert (parts.reliability, parts.resolution, parts.uncertainty) == pytest.approx((0.085, 0.0625, 0.1875), abs=1e-12)
    assert parts.within_bins == pytest.approx(0.0, abs=1e-12)


def test_scores_agree_with_scikit_learns() -> None:
    sklearn = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    rng = np.random.default_rng(1)
    said, came_true = rng.random(300), (rng.random(300) < 0.4).astype(int)

    assert brier_score(said, came_true) == pytest.approx(sklearn.brier_score_loss(came_true, said), abs=1e-12)
    assert log_loss(said, came_true) == pytest.approx(sklearn.log_loss(came_true, said), abs=1e-9)


@SETTINGS
@given(FORECASTS, st.integers(1, 12))
def test_the_parts_add_up_to_the_score_whatever_the_bins_hide(forecasts: list[tuple[float, bool]], n: int) -> None:
    said, came_true = zip(*forecasts, strict=True)

    parts = brier_parts(said, came_true, n)

    whole = parts.reliability - parts.resolution + parts.uncertainty + parts.within_bins
    assert whole == pytest.approx(parts.brier, abs=1e-12)
    assert parts.brier == pytest.approx(brier_score(said, came_true), abs=1e-15)


@SETTINGS
@given(FORECASTS, st.integers(1, 12))
def test_bins_hold_every_forecast_once_in_rising_order(forecasts: list[tuple[float, bool]], n: int) -> None:
    said, came_true = zip(*forecasts, strict=True)

    bins = reliability_bins(said, came_true, n)

    assert bins.counts.sum() == len(said)
    assert 1 <= len(bins.counts) <= n or len(bins.counts) == len(set(said)) <= n
    assert (np.diff(bins.said) > 0).all()
    assert bins.counts @ bins.said == pytest.approx(sum(said))


def test_different_forecasts_share_the_bins_in_equal_parts() -> None:
    bins = reliability_bins(np.linspace(0.001, 0.999, 1000), np.zeros(1000))

    assert bins.counts.tolist() == [100] * 10


@SETTINGS
@given(FORECASTS)
def test_telling_the_opposite_with_the_opposite_outcome_scores_the_same(forecasts: list[tuple[float, bool]]) -> None:
    said, came_true = (np.array(values, dtype=float) for values in zip(*forecasts, strict=True))

    assert brier_score(1 - said, 1 - came_true) == pytest.approx(brier_score(said, came_true))


def test_certainty_that_was_wrong_costs_much_and_not_everything() -> None:
    assert log_loss([1.0], [0]) == pytest.approx(-math.log(1e-6), rel=1e-9)


@pytest.mark.parametrize(
    ("said", "came_true", "error"),
    [
        ([], [], SampleError),
        ([0.5, math.nan], [0, 1], SampleError),
        ([0.5], [0, 1], ShapeError),
        ([55.0], [1], ParameterError),
        ([0.5], [2], ParameterError),
    ],
)
def test_what_is_no_probability_or_no_outcome_is_refused(
    said: list[float], came_true: list[float], error: type[Exception]
) -> None:
    with pytest.raises(error):
        brier_score(said, came_true)


@pytest.mark.parametrize("n_bins", [0, 2.5])
def test_a_diagram_needs_a_whole_number_of_bins(n_bins: float) -> None:
    with pytest.raises(ParameterError):
        reliability_bins(SAID, CAME_TRUE, n_bins)  # pyright: ignore[reportArgumentType]
