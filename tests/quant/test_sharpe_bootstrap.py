"""Resampled Sharpe ratios: against the theory of independent returns, and when there is no interval."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.bootstrap import Interval, percentile_interval
from parley.quant.errors import ParameterError, SampleError
from parley.quant.performance import sharpe
from parley.quant.sharpe_bootstrap import NoInterval, sharpe_draws, sharpe_intervals


def test_the_interval_of_independent_returns_is_as_wide_as_theory_says() -> None:
    # Lo (2002): standard error sqrt((1 + SR^2 / 2) / n) a day, hence 1.96 * 2 * sqrt(252 / n) a year.
    n_days = 2520
    returns = np.random.default_rng(2).normal(0.0, 0.01, n_days)

    found = percentile_interval(sharpe_draws(returns, np.random.default_rng(3), mean_block_days=1.0))

    assert found.high - found.low == pytest.approx(2 * 1.96 * (252 / n_days) ** 0.5, rel=0.08)


def test_positive_serial_correlation_widens_the_interval() -> None:
    noise = np.random.default_rng(4).normal(0.0, 0.01, 2521)
    returns = noise[1:] + 0.9 * noise[:-1]

    short = percentile_interval(sharpe_draws(returns, np.random.default_rng(5), mean_block_days=1.0))
    long = percentile_interval(sharpe_draws(returns, np.random.default_rng(5), mean_block_days=21.0))

    assert long.high - long.low > 1.15 * (short.high - short.low)


def test_drawing_in_chunks_covers_a_long_history() -> None:
    returns = np.random.default_rng(6).normal(0.0004, 0.01, 9000)

    found = sharpe_draws(returns, np.random.default_rng(6), n_draws=500)

    assert len(found) == 500
    assert found.min() < sharpe(returns) < found.max()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), n_days=st.integers(42, 300))
def test_series_side_by_side_have_the_intervals_that_each_has_alone(seed: int, n_days: int) -> None:
    returns = np.random.default_rng(seed).normal(0.0005, 0.01, (n_days, 3))

    together = sharpe_intervals(returns, np.random.default_rng(7))

    for column, found in enumerate(together):
        assert found == percentile_interval(sharpe_draws(returns[:, column], np.random.default_rng(7)))
        assert isinstance(found, Interval)
        assert found.low < sharpe(returns[:, column]) < found.high


def test_too_few_days_and_idle_ones_are_answers_not_errors() -> None:
    rng = np.random.default_rng(9)
    moving = rng.normal(0.0, 0.01, 300)
    idle = np.zeros(300)
    idle[150] = 0.01

    found = sharpe_intervals(np.column_stack([idle, moving, np.zeros(300)]), rng)

    assert (found[0], found[2]) == (NoInterval.IDLE, NoInterval.IDLE)
    assert isinstance(found[1], Interval)
    assert sharpe_intervals(moving[:41, None], rng) == (NoInterval.TOO_SHORT,)
    assert isinstance(sharpe_intervals(moving[:42, None], rng)[0], Interval)


def test_what_cannot_be_resampled_is_refused() -> None:
    rng = np.random.default_rng(1)
    idle = np.zeros(300)
    idle[150] = 0.01

    with pytest.raises(SampleError, match="resamples have no variance"):
        sharpe_draws(idle, rng, n_draws=200)
    with pytest.raises(SampleError, match="NaN"):
        sharpe_draws(np.array([0.01, np.nan, 0.02]), rng)
    with pytest.raises(ParameterError, match="mean_block_days"):
        sharpe_draws(np.array([0.01, 0.0, 0.02]), rng, mean_block_days=0.5)
    with pytest.raises(SampleError):
        sharpe_intervals(np.full((50, 1), np.nan), rng)
    with pytest.raises(ParameterError, match="level"):
        sharpe_intervals(np.random.default_rng(2).normal(0.0, 0.01, (50, 1)), rng, level=1.0)
