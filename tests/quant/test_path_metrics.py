"""What a path was like: drawdowns by hand and by brute force, Calmar, hit rate, tails, moments, rolling ratios."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError
from parley.quant.path_metrics import (
    calmar,
    drawdowns,
    hit_rate,
    moments,
    rolling_sharpe,
    tail_ratio,
    yearly_turnover,
)
from parley.quant.performance import annual_return, max_drawdown, sharpe


def test_two_falls_one_healed_and_one_not_by_hand() -> None:
    found = drawdowns([100.0, 80.0, 90.0, 100.0, 110.0, 99.0, 104.5])

    assert found.depth == pytest.approx([0.2, 0.1])
    assert found.peak_day.tolist() == [0, 4]
    assert found.trough_day.tolist() == [1, 5]
    assert found.end_day.tolist() == [3, 6]
    assert found.is_recovered.tolist() == [True, False]
    assert found.length_days.tolist() == [3, 2]
    assert found.recovery_days.tolist() == [2, 1]
    assert found.under_water_frac == pytest.approx(4 / 6)
    assert found.ulcer == pytest.approx(((0.2**2 + 0.1**2 + 0.1**2 + 0.05**2) / 6) ** 0.5)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(1, 120))
def test_every_fall_is_found_once_and_the_deepest_is_the_maximum(seed: int, n_days: int) -> None:
    path = np.exp(np.cumsum(np.random.default_rng(seed).normal(0.0, 0.02, n_days + 1)))

    found = drawdowns(path)

    under = sum(bool(path[day] < path[:day].max()) for day in range(1, n_days + 1))
    healed = found.length_days - found.is_recovered
    assert int(healed.sum()) == under
    assert found.under_water_frac == pytest.approx(under / n_days)
    assert float(found.depth.max(initial=0.0)) == pytest.approx(max_drawdown(path))
    for depth, peak, trough in zip(found.depth, found.peak_day, found.trough_day, strict=True):
        assert depth == pytest.approx(1.0 - path[trough] / path[peak])


def test_a_path_that_only_rises_has_no_drawdown_and_no_calmar() -> None:
    rising = np.linspace(1.0, 2.0, 30)

    assert len(drawdowns(rising).depth) == 0
    assert drawdowns(rising).ulcer == 0.0
    with pytest.raises(SampleError, match="never fell"):
        calmar(rising)


def test_calmar_is_yearly_growth_over_the_deepest_fall() -> None:
    path = np.concatenate([[1.0, 0.8], np.linspace(0.81, 1.21, 503)])

    assert calmar(path) == pytest.approx(0.1 / 0.2, rel=1e-6)
    assert calmar(path) == pytest.approx(annual_return(path) / 0.2)


def test_three_good_days_of_four_that_moved_are_a_hit_rate_of_three_quarters() -> None:
    assert hit_rate([0.01, 0.0, 0.02, -0.05, 0.0, 0.001]) == pytest.approx(0.75)
    with pytest.raises(SampleError, match="no day moved"):
        hit_rate([0.0, 0.0])


def test_the_tail_ratio_of_a_stretched_ladder_is_its_stretch() -> None:
    ladder = np.linspace(-1.0, 1.0, 201)
    stretched = np.where(ladder > 0.0, 0.03 * ladder, 0.02 * ladder)

    assert tail_ratio(stretched) == pytest.approx(1.5)
    assert tail_ratio(-stretched) == pytest.approx(1.0 / 1.5)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10.0))
def test_ratios_do_not_depend_on_leverage_of_the_returns(seed: int, factor: float) -> None:
    returns = np.random.default_rng(seed).normal(0.0, 0.01, 100)

    assert tail_ratio(factor * returns) == pytest.approx(tail_ratio(returns))
    assert hit_rate(factor * returns) == hit_rate(returns)


def test_unusable_paths_are_refused() -> None:
    with pytest.raises(ParameterError, match="lowest equity"):
        drawdowns([1.0, 0.0])
    with pytest.raises(SampleError, match="NaN"):
        drawdowns([1.0, np.nan])
    with pytest.raises(SampleError, match="rows"):
        drawdowns([1.0])
    with pytest.raises(SampleError, match="a loss and a gain"):
        tail_ratio(np.full(30, 0.01))
    with pytest.raises(SampleError, match="rows"):
        tail_ratio(np.linspace(-1.0, 1.0, 19))
    for level in (0.5, 1.0, float("nan")):
        with pytest.raises(ParameterError):
            tail_ratio(np.linspace(-1.0, 1.0, 30), level)


def test_moments_are_scipys_population_moments() -> None:
    from scipy import stats

    returns = np.random.default_rng(6).standard_t(4, 500) * 0.01

    skew, kurtosis = moments(returns)

    assert skew == pytest.approx(float(stats.skew(returns)))
    assert kurtosis == pytest.approx(float(stats.kurtosis(returns, fisher=False)))


def test_a_book_bought_and_sold_once_in_a_year_turns_over_twice() -> None:
    assert yearly_turnover(200.0, np.full(253, 100.0)) == pytest.approx(2.0)
    assert yearly_turnover(100.0, [100.0]) == pytest.approx(252.0)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), window=st.integers(20, 60))
def test_a_rolling_ratio_is_the_sharpe_ratio_of_its_window_and_sees_nothing_later(seed: int, window: int) -> None:
    returns = np.random.default_rng(seed).normal(0.0003, 0.01, 80)

    ratio, error = rolling_sharpe(returns, window)

    assert len(ratio) == len(error) == 81 - window
    assert ratio[-1] == pytest.approx(sharpe(returns[-window:]))
    assert ratio[0] == pytest.approx(sharpe(returns[:window]))
    assert np.array_equal(rolling_sharpe(returns[:-1], window)[0], ratio[:-1])


def test_the_error_of_a_years_ratio_of_one_is_los() -> None:
    # Lo (2002), eq. 9: sqrt((1 + SR^2 / 2) / n) in daily units; a year of days with an annual ratio of 1.
    returns = np.tile([0.01, -0.01], 126)
    returns = returns / returns.std(ddof=1) * 0.01 + 0.01 / 252**0.5

    ratio, error = rolling_sharpe(returns, 252)

    assert ratio == pytest.approx([1.0])
    assert error == pytest.approx([((1 + 0.5 / 252) / 252) ** 0.5 * 252**0.5])


def test_still_windows_and_values_that_say_nothing_are_refused() -> None:
    with pytest.raises(SampleError, match="row 0"):
        rolling_sharpe(np.append(np.zeros(20), 0.01), 20)
    with pytest.raises(ParameterError, match="window_days"):
        rolling_sharpe(np.ones(30), 31)
    with pytest.raises(SampleError, match="never move"):
        moments(np.full(10, 0.001))
    with pytest.raises(ParameterError, match="traded"):
        yearly_turnover(-1.0, [100.0])
