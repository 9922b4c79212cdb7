"""Performance figures: by hand, from the papers, and under resampling."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError, ShapeError
from parley.quant.performance import (
    annual_return,
    deflated_sharpe,
    expected_best_sharpe,
    is_distinguishable_from_luck,
    max_drawdown,
    probabilistic_sharpe,
    sharpe,
    sortino,
    summarize,
    total_return,
    turnover,
)

# Bailey and López de Prado (2014), section "A numerical example": annual Sharpe 2.5 over 1250 days of a
# 250-day year, skew -3, kurtosis 10, trials whose annual Sharpe ratios have variance 1/2.
DAILY = 2.5 / 250**0.5
TRIAL_VARIANCE = 0.5 / 250


def test_the_deflated_sharpe_ratio_of_the_papers_example_is_090() -> None:
    assert expected_best_sharpe(100, TRIAL_VARIANCE) == pytest.approx(0.1132, abs=5e-5)
    found = deflated_sharpe(DAILY, 1250, -3.0, 10.0, n_trials=100, trial_variance=TRIAL_VARIANCE)
    assert found == pytest.approx(0.9004, abs=5e-5)


def test_with_46_trials_the_papers_example_passes_95_percent() -> None:
    found = deflated_sharpe(DAILY, 1250, -3.0, 10.0, n_trials=46, trial_variance=TRIAL_VARIANCE)

    assert found == pytest.approx(0.9505, abs=5e-5)


def test_one_trial_deflates_nothing() -> None:
    alone = deflated_sharpe(DAILY, 1250, -3.0, 10.0, n_trials=1, trial_variance=TRIAL_VARIANCE)

    assert alone == probabilistic_sharpe(DAILY, 1250, -3.0, 10.0)


@settings(deadline=None, max_examples=50)
@given(st.floats(-0.2, 0.3), st.integers(2, 3000), st.integers(1, 500))
def test_more_trials_or_a_higher_bar_never_raise_the_probability(ratio: float, n_days: int, n_trials: int) -> None:
    few = deflated_sharpe(ratio, n_days, 0.0, 3.0, n_trials=n_trials, trial_variance=0.002)
    many = deflated_sharpe(ratio, n_days, 0.0, 3.0, n_trials=n_trials + 50, trial_variance=0.002)

    assert 0.0 <= many <= few <= 1.0


def test_a_sharpe_at_its_benchmark_is_a_coin_flip() -> None:
    assert probabilistic_sharpe(0.1, 500, -1.0, 5.0, 0.1) == pytest.approx(0.5)


def test_sharpe_and_sortino_by_hand() -> None:
    returns = np.array([0.02, -0.01, 0.03, 0.0])
    cash = 0.001
    # Excess 0.019, -0.011, 0.029, -0.001: mean 0.009.
    deviation = ((0.01**2 + 0.02**2 + 0.02**2 + 0.01**2) / 3) ** 0.5
    downside = ((0.011**2 + 0.001**2) / 4) ** 0.5

    assert sharpe(returns, cash) == pytest.approx(0.009 / deviation * 252**0.5)
    assert sharpe(returns, np.full(4, cash)) == pytest.approx(0.009 / deviation * 252**0.5)
    assert sortino(returns, cash) == pytest.approx(0.009 / downside * 252**0.5)


def test_a_loss_on_the_first_day_is_a_drawdown_from_the_start() -> None:
    assert max_drawdown(np.array([100.0, 80.0, 90.0, 120.0, 108.0])) == pytest.approx(0.2)
    assert max_drawdown(np.array([1.0, 1.1, 1.2])) == 0.0


def test_growth_compounds_over_a_year_of_252_days() -> None:
    equity = np.power(1.1, np.arange(505) / 252.0)

    assert annual_return(equity) == pytest.approx(0.1)
    assert total_return(equity) == pytest.approx(0.21)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 1000.0))
def test_a_summary_does_not_depend_on_the_currency_and_agrees_with_its_parts(seed: int, unit: float) -> None:
    equity = np.exp(np.cumsum(np.random.default_rng(seed).normal(0.0, 0.01, 60)))

    found, scaled = summarize(equity), summarize(unit * equity)

    assert found.sharpe is not None and scaled.sharpe is not None
    assert scaled.sharpe == pytest.approx(found.sharpe, rel=1e-6, abs=1e-9)
    assert scaled.max_drawdown == pytest.approx(found.max_drawdown, rel=1e-9)
    assert 0.0 <= found.max_drawdown < 1.0
    assert (1.0 + found.annual_return) ** (59 / 252) == pytest.approx(1.0 + found.total_return)


def test_idle_equity_has_no_ratio_but_a_summary() -> None:
    idle = summarize(np.full(30, 100.0))
    in_cash = summarize(100.0 * np.power(1.0001, np.arange(30.0)), rf=0.0001)

    for found in (idle, in_cash):
        assert found.sharpe is None
        assert found.sortino is None
        assert found.max_drawdown == 0.0
    with pytest.raises(SampleError):
        sharpe(np.zeros(30))
    with pytest.raises(SampleError):
        sortino(np.full(30, 0.01))


def test_turnover_adds_buys_and_sells_against_drifted_weights() -> None:
    before = np.array([[0.5, 0.5], [0.6, 0.4]])
    after = np.array([[0.6, 0.4], [0.6, 0.4]])

    assert turnover(before, after) == pytest.approx(0.2 / 2 * 252)
    with pytest.raises(ShapeError):
        turnover(before, after[:1])


def test_unusable_paths_and_moments_are_refused() -> None:
    with pytest.raises(ParameterError, match="lowest equity"):
        summarize(np.array([1.0, 0.5, 0.0, 0.2]))
    with pytest.raises(SampleError, match="NaN"):
        summarize(np.array([1.0, np.nan, 1.1]))
    with pytest.raises(ShapeError):
        summarize(np.array([1.0, 1.1, 1.2]), rf=np.zeros(5))
    with pytest.raises(ParameterError, match="kurtosis"):
        probabilistic_sharpe(1.0, 100, 3.0, 3.0)
    with pytest.raises(ParameterError):
        probabilistic_sharpe(0.1, 1, 0.0, 3.0)


def test_three_years_of_sessions_less_holidays_are_the_least_to_judge() -> None:
    assert not is_distinguishable_from_luck(749)
    assert is_distinguishable_from_luck(750)
