"""Square-root costs, turnover and factor limits of the optimizer, and the limits it names when they conflict."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError, ShapeError, SolverError
from parley.quant.optimizer import maximize_utility, project
from parley.quant.programs import QuadraticProgram, conflicting_limits
from parley.quant.weight_limits import FactorLimits, GroupLimits
from scipy.optimize import minimize

LABELS = ["a", "a", "b", "b", "c", "c"]
LOW, HIGH = np.zeros(6), np.ones(6)


def _problem(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    driven = rng.normal(0.0, 0.01, (60, 6))
    return rng.normal(0.0003, 0.0006, 6), driven.T @ driven / 60, rng.dirichlet(np.ones(6))


def test_one_free_name_trades_to_where_marginal_impact_meets_the_gain() -> None:
    # By hand: max m d - k d^1.5 has m = 1.5 k sqrt(d), so d = (m / 1.5 k)^2; the risk term is kept negligible.
    mean, impact = 0.001, 0.002

    found = maximize_utility(
        np.array([mean]),
        np.array([[1e-9]]),
        lower=np.zeros(1),
        upper=np.ones(1),
        gamma=1e-3,
        previous=np.zeros(1),
        impact=impact,
        total=(0.0, 1.0),
    )

    assert found.weights[0] == pytest.approx((mean / (1.5 * impact)) ** 2, rel=1e-4)


def test_square_root_costs_agree_with_scipys_sequential_programming() -> None:
    mean, cov, held = _problem(1)
    cost, impact = 2e-4, np.linspace(5e-4, 2e-3, 6)

    found = maximize_utility(
        mean, cov, lower=LOW, upper=HIGH, gamma=5.0, previous=held, cost=cost, impact=impact, max_turnover=0.8
    )

    def loss(split: np.ndarray) -> float:
        moved = split[:6] - split[6:]
        w = held + moved
        return -1e4 * (mean @ w - 2.5 * w @ cov @ w - cost * split.sum() - impact @ np.abs(moved) ** 1.5)

    oracle = minimize(
        loss,
        np.full(12, 0.01),
        method="SLSQP",
        bounds=[(0.0, 1.0)] * 12,
        constraints=[
            {"type": "eq", "fun": lambda split: (split[:6] - split[6:]).sum()},
            {"type": "ineq", "fun": lambda split: held + split[:6] - split[6:]},
            {"type": "ineq", "fun": lambda split: 0.8 - split.sum()},
        ],
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert found.utility >= -oracle.fun / 1e4 - 1e-8
    np.testing.assert_allclose(found.weights, held + oracle.x[:6] - oracle.x[6:], atol=5e-3)
    assert np.abs(found.weights - held).sum() <= 0.8 + 1e-6


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_more_impact_or_less_turnover_never_means_more_trading_or_more_utility(seed: int) -> None:
    mean, cov, held = _problem(seed)

    def solved(impact: float = 0.0, max_turnover: float | None = None) -> tuple[float, float]:
        found = maximize_utility(
            mean, cov, lower=LOW, upper=HIGH, gamma=5.0, previous=held, impact=impact, max_turnover=max_turnover
        )
        return np.abs(found.weights - held).sum(), found.utility

    by_impact = [solved(impact=impact) for impact in (0.0, 1e-4, 1e-3, 1e-2)]
    by_turnover = [solved(max_turnover=most) for most in (2.0, 0.5, 0.1, 0.0)]

    for path in (by_impact, by_turnover):
        assert all(later[0] <= earlier[0] + 1e-4 for earlier, later in pairwise(path))
        assert all(later[1] <= earlier[1] + 1e-7 for earlier, later in pairwise(path))
    assert by_turnover[-1][0] <= 1e-6


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_factor_and_group_limits_hold_and_cost_utility_only_when_they_bind(seed: int) -> None:
    mean, cov, _ = _problem(seed)
    loadings = np.random.default_rng(seed).normal(1.0, 0.5, (2, 6))
    middle = loadings @ np.full(6, 1 / 6)
    factors = FactorLimits(loadings, middle - 0.02, np.array([np.inf, middle[1]]))
    groups = GroupLimits.of_labels(LABELS, {"a": 0.5})

    free = maximize_utility(mean, cov, lower=LOW, upper=HIGH, gamma=5.0)
    held = maximize_utility(mean, cov, lower=LOW, upper=HIGH, gamma=5.0, groups=groups, factors=factors)

    assert (loadings @ held.weights >= middle - 0.02 - 1e-6).all()
    assert (loadings @ held.weights)[1] <= middle[1] + 1e-6
    assert held.weights[:2].sum() <= 0.5 + 1e-6
    assert held.utility <= free.utility + 1e-8
    loose = FactorLimits(loadings, np.full(2, -np.inf), np.full(2, np.inf))
    again = maximize_utility(mean, cov, lower=LOW, upper=HIGH, gamma=5.0, factors=loose)
    assert again.utility == pytest.approx(free.utility, abs=1e-9)


def test_a_conflict_names_the_limits_in_it_and_no_others() -> None:
    mean, cov, _ = _problem(2)
    beta = FactorLimits(np.array([[1.0, 1.0, 0.0, 0.0, 0.0, 0.0]]), np.array([0.5]), np.array([1.0]), ("beta",))
    groups = GroupLimits.of_labels(LABELS, {"a": 0.3, "b": 0.9})

    with pytest.raises(SolverError) as caught:
        maximize_utility(mean, cov, lower=LOW, upper=HIGH, gamma=5.0, groups=groups, factors=beta)
    assert "hold together: group a at most 0.3; factor beta within 0.5 to 1 (" in str(caught.value)

    with pytest.raises(SolverError, match=r"factor beta within 0\.5 to 1; upper bounds of names 0, 1 "):
        maximize_utility(mean, cov, lower=LOW, upper=np.full(6, 0.2), gamma=5.0, factors=beta)

    alone = np.array([1.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    for impact in (0.0, 0.1):
        with pytest.raises(SolverError, match=r"turnover at most 0\.5; upper bounds of names 0 "):
            maximize_utility(
                mean,
                cov,
                lower=LOW,
                upper=np.full(6, 0.3),
                gamma=5.0,
                previous=alone,
                max_turnover=0.5,
                impact=impact,
            )
    with pytest.raises(SolverError, match=r"gross at most 0\.5; lower bounds of names"):
        project(HIGH, np.full(6, 0.1), HIGH, gross=0.5)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_without_any_one_of_the_named_limits_the_rest_can_hold(seed: int) -> None:
    rng = np.random.default_rng(seed)
    G = rng.normal(size=(8, 3))
    upper = rng.normal(-0.3, 0.5, 8)
    names = tuple(f"row {at}" for at in range(8))

    def program(rows: list[int]) -> QuadraticProgram:
        free = np.full(3, np.inf)
        return QuadraticProgram(
            np.eye(3),
            np.zeros(3),
            G[rows],
            np.full(len(rows), -np.inf),
            upper[rows],
            -free,
            free,
            tuple(names[row] for row in rows),
        )

    named = [names.index(name) for name in conflicting_limits(program(list(range(8))))]

    if named:
        assert conflicting_limits(program(named)) == [names[row] for row in named]
        for left_out in named:
            assert conflicting_limits(program([row for row in named if row != left_out])) == []
    else:
        assert np.isfinite(project(np.zeros(3), np.full(3, -1e3), np.full(3, 1e3), GroupLimits(G, upper))).all()


def test_unusable_costs_and_limits_are_refused() -> None:
    mean, cov, held = _problem(3)

    def solved(**given_: object) -> object:
        return maximize_utility(mean, cov, lower=LOW, upper=HIGH, gamma=5.0, **given_)  # pyright: ignore[reportArgumentType]

    with pytest.raises(ParameterError, match="as impact is not zero"):
        solved(impact=1e-3)
    with pytest.raises(ParameterError, match="max_turnover is given"):
        solved(max_turnover=0.1)
    with pytest.raises(ParameterError, match=r"impact: found -0\.1"):
        solved(impact=-0.1, previous=held)
    with pytest.raises(ParameterError, match="max_turnover"):
        solved(max_turnover=-0.1, previous=held)
    with pytest.raises(ParameterError, match="row 0 has lower 1"):
        solved(factors=FactorLimits(np.ones((1, 6)), np.ones(1), np.zeros(1)))
    with pytest.raises(ParameterError, match="nan"):
        solved(factors=FactorLimits(np.ones((1, 6)), np.array([np.nan]), np.ones(1)))
    with pytest.raises(ShapeError, match="loadings"):
        solved(factors=FactorLimits(np.ones((1, 5)), np.zeros(1), np.ones(1)))
    with pytest.raises(ShapeError, match="names"):
        solved(groups=GroupLimits(np.ones((1, 6)), np.ones(1), ("one", "two")))
    with pytest.raises(SampleError):
        solved(impact=np.nan, previous=held)
