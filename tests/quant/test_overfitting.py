"""Selection in backtests: the paper's record lengths, CSCV against a plain loop, noise, skill and refusals."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError
from parley.quant.overfitting import min_track_record_days, overfit_probability
from parley.quant.performance import probabilistic_sharpe


@pytest.mark.parametrize(("per_year", "years"), [(252, 2.73), (52, 2.83), (12, 3.24)])
def test_a_ratio_of_two_against_one_needs_the_papers_record(per_year: int, years: float) -> None:
    # Bailey and López de Prado (2012), section on the minimum track record: 2.73 years of daily, 2.83 of
    # weekly and 3.24 of monthly normal returns. Quoted from memory; eq. 12 worked by hand gives the same.
    found = min_track_record_days(2.0 / per_year**0.5, 0.0, 3.0, benchmark_per_day=1.0 / per_year**0.5)

    assert found / per_year == pytest.approx(years, abs=6e-3)


@settings(deadline=None, max_examples=50)
@given(st.floats(0.02, 0.4), st.floats(-1.5, 1.0), st.floats(4.0, 12.0), st.floats(0.6, 0.99))
def test_the_minimum_length_is_where_the_probability_crosses_the_level(
    ratio: float, skew: float, kurtosis: float, level: float
) -> None:
    days = min_track_record_days(ratio, skew, kurtosis, level=level)
    enough = max(math.ceil(days), 3)

    assert probabilistic_sharpe(ratio, enough, skew, kurtosis) >= level - 1e-12
    if enough - 1 < days:
        assert probabilistic_sharpe(ratio, enough - 1, skew, kurtosis) < level + 1e-12


def test_no_record_shows_a_ratio_below_its_benchmark() -> None:
    for ratio in (0.1, 0.05, float("nan")):
        with pytest.raises(ParameterError, match="sharpe_per_day"):
            min_track_record_days(ratio, 0.0, 3.0, benchmark_per_day=0.1)
    with pytest.raises(ParameterError, match="kurtosis"):
        min_track_record_days(1.0, 3.0, 3.0)


def _plain_logits(returns: np.ndarray, n_blocks: int) -> list[float]:
    """Bailey et al. (2015), steps 1 to 5, written out with a sort."""
    runs, found = np.split(returns, n_blocks), []
    for places in combinations(range(n_blocks), n_blocks // 2):
        inside = np.concatenate([runs[place] for place in places])
        outside = np.concatenate([runs[place] for place in range(n_blocks) if place not in places])
        winner = int((inside.mean(axis=0) / inside.std(axis=0, ddof=1)).argmax())
        order = (outside.mean(axis=0) / outside.std(axis=0, ddof=1)).argsort().tolist()
        relative = (order.index(winner) + 1) / (returns.shape[1] + 1)
        found.append(float(np.log(relative / (1.0 - relative))))
    return found


def test_it_is_the_papers_procedure_written_out() -> None:
    returns = np.random.default_rng(1).normal(0.0005, 0.01, (160, 7))

    found = overfit_probability(returns, 8)

    plain = _plain_logits(returns, 8)
    assert found.logits == pytest.approx(plain)
    assert found.probability == pytest.approx(np.mean(np.array(plain) <= 0.0))


def test_one_truly_better_strategy_is_not_overfit() -> None:
    returns = np.random.default_rng(2).normal(0.0, 0.01, (800, 20))
    returns[:, 7] += 0.004

    found = overfit_probability(returns, 10)

    assert found.probability == 0.0
    assert found.loss_probability == 0.0
    assert found.best_out_of_sample.min() > 2.0


def test_picking_among_skill_less_strategies_is_overfit_about_half_of_the_time() -> None:
    rates = [
        overfit_probability(np.random.default_rng(seed).normal(0.0, 0.01, (400, 30)), 8).probability
        for seed in range(30)
    ]

    assert 0.4 < float(np.mean(rates)) < 0.75


def test_ratios_that_must_add_up_to_a_fixed_total_are_always_overfit() -> None:
    # Every strategy earns the same over the whole record, so the best half is followed by the worst.
    returns = np.random.default_rng(3).normal(0.0, 0.01, (400, 30))
    returns -= returns.mean(axis=0)

    assert overfit_probability(returns, 8).probability > 0.97


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0.2, 5.0))
def test_leverage_and_the_order_of_strategies_change_nothing(seed: int, factor: float) -> None:
    rng = np.random.default_rng(seed)
    returns = rng.normal(0.0, 0.01, (120, 6))

    base = overfit_probability(returns, 6)
    moved = overfit_probability(factor * returns[:, rng.permutation(6)], 6)

    assert moved.logits == pytest.approx(base.logits)
    assert moved.best_in_sample == pytest.approx(base.best_in_sample)


def test_days_that_do_not_divide_are_dropped_at_the_start() -> None:
    returns = np.random.default_rng(4).normal(0.0, 0.01, (125, 5))

    assert overfit_probability(returns, 6).logits == pytest.approx(overfit_probability(returns[5:], 6).logits)


def test_unusable_trials_are_refused() -> None:
    returns = np.random.default_rng(5).normal(0.0, 0.01, (64, 4))
    for n_blocks in (3, 0, 22):
        with pytest.raises(ParameterError, match="n_blocks"):
            overfit_probability(returns, n_blocks)
    with pytest.raises(ParameterError, match="at least 2"):
        overfit_probability(returns[:, :1], 4)
    with pytest.raises(SampleError, match="rows"):
        overfit_probability(returns[:20], 16)
    with pytest.raises(SampleError, match="strategy number 2 stands still"):
        idle = returns.copy()
        idle[:, 2] = 0.0
        overfit_probability(idle, 4)
    with pytest.raises(SampleError, match="NaN"):
        overfit_probability(np.where(returns == returns[3, 2], np.nan, returns), 4)
