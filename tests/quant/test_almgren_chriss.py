"""Optimal execution: the paper's example, its closed forms, and optimality against every small change."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.almgren_chriss import (
    LinearImpact,
    efficient_frontier,
    optimal_trajectory,
    trajectory_cost,
    transient_cost,
    transient_trades,
)
from parley.quant.errors import ParameterError, SampleError

# Almgren and Chriss (2000), table 1: a stock at $50 with 30 % annual volatility, 5 million shares a day.
PAPER = LinearImpact(permanent=2.5e-7, temporary=2.5e-6, half_spread=0.0625)
SIGMA = 0.95


def test_the_papers_million_shares_are_sold_with_an_urgency_of_061_a_day() -> None:
    # Section 4.1 of the paper: lambda = 1e-6 over five days gives kappa of about 0.61 a day (half-life 1.6 days).
    found = optimal_trajectory(1e6, 5, 1.0, daily_vol=SIGMA, risk_aversion=1e-6, impact=PAPER)

    assert found.kappa_per_day == pytest.approx(0.61, abs=5e-3)
    assert found.half_life_days == pytest.approx(1.6, abs=0.05)
    # The paper's difference equation, solved as a linear system instead of by sinh.
    z = SIGMA**2 * 1e-6 / (2.5e-6 - 0.5 * 2.5e-7)
    system = np.diag(np.full(4, 2.0 + z)) - np.diag(np.ones(3), 1) - np.diag(np.ones(3), -1)
    inner = np.linalg.solve(system, [1e6, 0.0, 0.0, 0.0])
    assert found.holdings == pytest.approx([1e6, *inner, 0.0])


def test_even_selling_costs_what_equations_10_and_11_say() -> None:
    # E = gamma X^2 / 2 + eps X + (eta - gamma tau / 2) X^2 / T; V = sigma^2 X^2 T (1 - 1/N) (1 - 1/(2N)) / 3.
    found = optimal_trajectory(1e6, 5, 1.0, daily_vol=SIGMA, risk_aversion=0.0, impact=PAPER)

    assert found.trades == pytest.approx(np.full(5, 2e5))
    assert found.half_life_days == math.inf
    assert found.expected_cost == pytest.approx(125_000 + 62_500 + 475_000)
    assert found.cost_variance == pytest.approx(0.9025e12 * 5 / 3 * 0.8 * 0.9)


def test_selling_at_once_has_no_risk_and_the_highest_cost() -> None:
    # E = eps X + eta X^2 / tau.
    cost, variance = trajectory_cost([1e6, 0.0], 1.0, daily_vol=SIGMA, impact=PAPER)

    assert cost == pytest.approx(62_500 + 2_500_000)
    assert variance == 0.0


@settings(deadline=None, max_examples=50)
@given(st.floats(0.0, 1e-4), st.integers(2, 30), st.floats(0.05, 2.0), st.integers(0, 2**32 - 1))
def test_no_small_change_of_the_trajectory_is_better(
    risk_aversion: float, n_periods: int, period_days: float, seed: int
) -> None:
    best = optimal_trajectory(1e6, n_periods, period_days, daily_vol=SIGMA, risk_aversion=risk_aversion, impact=PAPER)
    bent = best.holdings.copy()
    bent[1:-1] += np.random.default_rng(seed).normal(0.0, 1e4, n_periods - 1)
    cost, variance = trajectory_cost(bent, period_days, daily_vol=SIGMA, impact=PAPER)

    goal = best.expected_cost + risk_aversion * best.cost_variance
    # A bent path may also buy back, which pays the spread on more shares and so never helps it.
    assert cost + risk_aversion * variance >= goal * (1.0 - 1e-12)
    assert best.trades.sum() == pytest.approx(1e6)
    assert (np.diff(best.holdings) <= 0.0).all()


def test_along_the_frontier_less_risk_costs_more() -> None:
    aversions = [0.0, 1e-7, 1e-6, 1e-5]

    frontier = efficient_frontier(1e6, 5, 1.0, daily_vol=SIGMA, risk_aversions=aversions, impact=PAPER)

    assert frontier.shape == (4, 2)
    assert (np.diff(frontier[:, 0]) > 0.0).all()
    assert (np.diff(frontier[:, 1]) < 0.0).all()


def test_extreme_urgency_neither_overflows_nor_leaves_shares_behind() -> None:
    found = optimal_trajectory(1e6, 400, 1.0, daily_vol=1e4, risk_aversion=1.0, impact=PAPER)

    assert np.isfinite(found.holdings).all()
    assert found.trades[0] == pytest.approx(1e6)


def test_the_transient_schedule_solves_the_linear_system_of_its_kernel() -> None:
    place = np.arange(11)
    kernel = np.exp(-2.2 * 0.1 * np.abs(place[:, None] - place))
    solved = np.linalg.solve(kernel, np.ones(11))

    found = transient_trades(1e5, 11, 0.1, 2.2)

    assert found == pytest.approx(1e5 * solved / solved.sum())
    assert transient_cost(found, 0.1, 2.2, 1e-4) == pytest.approx(0.5e-4 * found @ kernel @ found)


def test_traded_often_it_becomes_obizhaeva_and_wangs_two_blocks_and_a_steady_flow() -> None:
    # Obizhaeva and Wang (2013), proposition 3: blocks X / (rho T + 2) at both ends, rate rho X / (rho T + 2).
    found = transient_trades(1e5, 100_001, 1e-5, 2.0)

    assert found[0] == found[-1] == pytest.approx(1e5 / 4.0, rel=1e-4)
    assert found[1] / 1e-5 == pytest.approx(2.0 * 1e5 / 4.0, rel=1e-4)


@settings(deadline=None, max_examples=50)
@given(st.integers(2, 30), st.floats(0.01, 2.0), st.floats(0.01, 10.0), st.integers(0, 2**32 - 1))
def test_no_other_schedule_has_less_transient_impact(n: int, period: float, resilience: float, seed: int) -> None:
    best = transient_trades(1.0, n, period, resilience)
    change = np.random.default_rng(seed).normal(0.0, 0.1, n)
    other = best + change - change.mean()

    assert best.sum() == pytest.approx(1.0)
    cheapest = transient_cost(best, period, resilience, 1.0)
    assert 0.0 < cheapest <= transient_cost(other, period, resilience, 1.0) + 1e-12
    assert cheapest <= 0.5 + 1e-12


def test_impossible_markets_and_orders_are_refused() -> None:
    with pytest.raises(ParameterError, match="temporary"):
        LinearImpact(1e-7, 0.0)
    with pytest.raises(ParameterError, match="less half of permanent") as refusal:
        optimal_trajectory(1e6, 5, 30.0, daily_vol=SIGMA, risk_aversion=1e-6, impact=PAPER)
    assert "shorter periods" in refusal.value.remedy
    for changes in ({"quantity": 0.0}, {"n_periods": 0}, {"period_days": -1.0}, {"daily_vol": math.nan}):
        order = {"quantity": 1e6, "n_periods": 5, "period_days": 1.0, "daily_vol": 0.95} | changes
        with pytest.raises(ParameterError, match=next(iter(changes))):
            optimal_trajectory(**order, risk_aversion=1e-6, impact=PAPER)
    with pytest.raises(ParameterError, match="risk_aversion"):
        optimal_trajectory(1e6, 5, 1.0, daily_vol=SIGMA, risk_aversion=-1.0, impact=PAPER)
    with pytest.raises(ParameterError, match="n_trades"):
        transient_trades(1e6, 1, 1.0, 1.0)
    with pytest.raises(SampleError, match="rows"):
        trajectory_cost([1.0], 1.0, daily_vol=1.0, impact=PAPER)
