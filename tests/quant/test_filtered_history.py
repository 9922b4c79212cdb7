"""History at today's volatility: against written-out arithmetic, what it must never do, and real bear markets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.filtered_history import WARMUP_DAYS, filtered_loss_var, filtered_var, rescaled_returns
from parley.quant.var import historical_var
from parley.quant.var_backtests import christoffersen, exceptions, kupiec
from parley.quant.volatility import ewma_path

SEEDS = st.integers(0, 2**32 - 1)
WEIGHTS = st.lists(st.floats(-0.5, 0.5), min_size=4, max_size=4)


def sample(seed: int, n_days: int = 252, n_names: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    vol = 0.01 * np.exp(0.4 * np.sin(np.arange(n_days) / 30.0))
    return np.maximum(vol[:, None] * rng.standard_t(5, (n_days, n_names)), -0.9)


def test_three_days_by_hand() -> None:
    """Decay 1/2: the volatility before day 2 is 0.01, and after it sqrt((0.5 * 1e-4 + 4e-4) / 1.5)."""
    found = rescaled_returns(np.array([[0.01], [0.02]]), 0.5, 1)

    assert found[0, 0] == pytest.approx(0.02 / 0.01 * np.sqrt((0.5e-4 + 4e-4) / 1.5), rel=1e-12)


def test_each_row_is_its_surprise_at_the_volatility_foreseen_for_tomorrow() -> None:
    returns = sample(1)
    vols = ewma_path(returns)

    found = rescaled_returns(returns)

    assert found.shape == (252 - WARMUP_DAYS, 4)
    for row in (0, 100, 230):
        np.testing.assert_allclose(
            found[row] / vols[-1], returns[row + WARMUP_DAYS] / vols[row + WARMUP_DAYS - 1], rtol=1e-12
        )


@settings(deadline=None, max_examples=40)
@given(SEEDS, WEIGHTS, st.floats(1.0, 3.0), st.integers(0, 3))
def test_a_bigger_position_never_lowers_the_var_that_counts_losses_only(
    seed: int, weights: list[float], more: float, place: int
) -> None:
    returns, held = sample(seed), np.array(weights)
    bigger = held.copy()
    bigger[place] *= more

    assert filtered_loss_var(bigger, returns) >= filtered_loss_var(held, returns) - 1e-15


@settings(deadline=None, max_examples=40)
@given(SEEDS, WEIGHTS, st.floats(0.1, 4.0))
def test_it_scales_with_the_book_and_netting_never_raises_it(seed: int, weights: list[float], size: float) -> None:
    returns, held = sample(seed), np.array(weights)

    assert filtered_var(size * held, returns) == pytest.approx(size * filtered_var(held, returns), rel=1e-9, abs=1e-15)
    assert filtered_loss_var(held, returns) >= filtered_var(held, returns) - 1e-15


def test_a_steady_volatility_changes_nothing_and_a_doubled_one_doubles_the_past() -> None:
    steady = np.tile([[0.01], [-0.01]], (126, 1))

    np.testing.assert_allclose(rescaled_returns(steady), steady[WARMUP_DAYS:], rtol=1e-12)
    storm = np.vstack([steady, 2.0 * np.tile([[0.01], [-0.01]], (200, 1))])
    np.testing.assert_allclose(rescaled_returns(storm)[:50], 2.0 * steady[WARMUP_DAYS : WARMUP_DAYS + 50], rtol=1e-9)


def test_a_name_that_wakes_late_has_its_first_move_as_it_was_and_later_ones_rescaled() -> None:
    returns = sample(6)
    returns[:30, 0] = 0.0
    vols = ewma_path(returns)

    found = rescaled_returns(returns)

    first = 30 - WARMUP_DAYS
    assert (found[:first, 0] == 0.0).all()
    assert found[first, 0] == returns[30, 0]
    assert found[first + 1, 0] == pytest.approx(returns[31, 0] / vols[30, 0] * vols[-1, 0], rel=1e-12)
    np.testing.assert_array_equal(found[:, 1:], rescaled_returns(returns[:, 1:]))


def test_on_real_closes_it_is_right_where_plain_history_is_late(recorded_data: Path) -> None:
    """Five years from 2007 of twenty names in equal parts; both over the 252 days before each day."""
    from parley.market.datasets import load_data

    panel = load_data("us20").panel
    rows = (panel.sessions >= np.datetime64("2005-12-01")) & (panel.sessions < np.datetime64("2012-01-01"))
    returns = panel.close[rows][1:] / panel.close[rows][:-1] - 1.0
    held = np.full(returns.shape[1], 1.0 / returns.shape[1])
    book, days = returns @ held, range(252, len(returns))

    plain = np.array([historical_var(book[day - 252 : day], 0.99) for day in days])
    filtered = np.array([filtered_var(held, returns[day - 252 : day]) for day in days])

    late, right = exceptions(book[252:], plain), exceptions(book[252:], filtered)
    assert kupiec(int(late.sum()), len(late)).p_value < 0.01 < 0.05 < kupiec(int(right.sum()), len(right)).p_value
    assert christoffersen(right).conditional.p_value > 0.05


@pytest.mark.parametrize(
    ("returns", "error", "says"),
    [
        (np.full((252, 2), np.nan), SampleError, "NaN"),
        (np.column_stack([np.zeros(252), sample(5)[:, 0]]), SampleError, "columns \\[0\\] stood still on all 252 days"),
        (np.full((21, 1), 0.01), ParameterError, "warmup_days"),
        (np.full(252, 0.01), ShapeError, "expected"),
        (np.vstack([sample(3)[:251], [[-1.0, 0.0, 0.0, 0.0]]]), SampleError, "above -1"),
    ],
)
def test_bad_samples_are_refused(returns: np.ndarray, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        rescaled_returns(returns)


def test_weights_that_do_not_fit_and_too_few_days_for_the_level_are_refused() -> None:
    with pytest.raises(ShapeError):
        filtered_var(np.ones(3), sample(4))
    with pytest.raises(SampleError, match="expected at least 100"):
        filtered_var(np.ones(4), sample(4, n_days=115))
