"""The optimizer: closed forms, optimality on random problems, limits, costs, refusals."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant import optimizer
from parley.quant.errors import ParameterError, SampleError, ShapeError, SolverError
from parley.quant.optimizer import Solution, maximize_utility, project
from parley.quant.weight_limits import GroupLimits
from scipy.optimize import minimize

SECTORS = ["tech", "tech", "bank", "bank", "oil", "oil"]


def _problem(seed: int, n_names: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    factors = rng.normal(0.0, 0.01, (60, n_names))
    return rng.normal(0.0003, 0.0006, n_names), factors.T @ factors / 60


def test_without_binding_limits_the_weights_are_markowitzs_closed_form() -> None:
    mean, cov = _problem(1)
    wide = np.full(6, 50.0)

    found = maximize_utility(mean, cov, lower=-wide, upper=wide, gamma=5.0, total=(-300.0, 300.0))

    np.testing.assert_allclose(found.weights, np.linalg.solve(5.0 * cov, mean), rtol=1e-5, atol=1e-6)


def test_minimum_variance_of_two_names_is_the_textbook_split() -> None:
    # Uncorrelated names: weights in proportion to 1 / variance (Luenberger, Investment Science, 6.7).
    cov = np.diag([0.0004, 0.0001])

    found = maximize_utility(np.zeros(2), cov, lower=np.zeros(2), upper=np.ones(2), gamma=1.0)

    np.testing.assert_allclose(found.weights, [0.2, 0.8], atol=1e-7)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.floats(1.0, 20.0), st.sampled_from([0.0, 1e-4, 1e-3]))
def test_no_feasible_neighbor_has_a_higher_utility(seed: int, gamma: float, cost: float) -> None:
    mean, cov = _problem(seed)
    rng = np.random.default_rng(seed)
    held, upper = rng.dirichlet(np.ones(6)), np.full(6, 0.4)

    found = maximize_utility(mean, cov, lower=np.zeros(6), upper=upper, gamma=gamma, previous=held, cost=cost)

    assert found.weights.sum() == pytest.approx(1.0, abs=1e-8)
    for _ in range(50):
        other = project(found.weights + rng.normal(0.0, 0.1, 6), np.zeros(6), upper, budget=1.0)
        utility = mean @ other - gamma / 2 * other @ cov @ other - cost * np.abs(other - held).sum()
        assert utility <= found.utility + 1e-9


def test_weights_agree_with_scipys_sequential_programming_under_costs_and_sector_caps() -> None:
    mean, cov = _problem(7)
    held, cost, gamma = np.full(6, 1 / 6), 5e-4, 8.0
    groups = GroupLimits.of_labels(SECTORS, {"tech": 0.3, "bank": 0.5})

    found = maximize_utility(
        mean, cov, lower=np.zeros(6), upper=np.full(6, 0.4), gamma=gamma, previous=held, cost=cost, groups=groups
    )

    def loss(split: np.ndarray) -> float:
        weights = held + split[:6] - split[6:]
        return -1e4 * (mean @ weights - gamma / 2 * weights @ cov @ weights - cost * split.sum())

    oracle = minimize(
        loss,
        np.zeros(12),
        method="SLSQP",
        bounds=[(0.0, 1.0)] * 12,
        constraints=[
            {"type": "eq", "fun": lambda split: (split[:6] - split[6:]).sum()},
            {"type": "ineq", "fun": lambda split: groups.upper - groups.matrix @ (held + split[:6] - split[6:])},
            {"type": "ineq", "fun": lambda split: held + split[:6] - split[6:]},
            {"type": "ineq", "fun": lambda split: 0.4 - (held + split[:6] - split[6:])},
        ],
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert found.utility >= -oracle.fun / 1e4 - 1e-9
    np.testing.assert_allclose(found.weights, held + oracle.x[:6] - oracle.x[6:], atol=2e-3)


def test_a_cost_above_any_gain_leaves_the_held_weights() -> None:
    mean, cov = _problem(3)
    held = np.array([0.3, 0.1, 0.2, 0.15, 0.05, 0.2])

    found = maximize_utility(mean, cov, lower=np.zeros(6), upper=np.ones(6), gamma=5.0, previous=held, cost=1.0)

    np.testing.assert_allclose(found.weights, held, atol=1e-7)


def test_more_cost_never_means_more_trading() -> None:
    mean, cov = _problem(4)
    held = np.full(6, 1 / 6)

    traded = [
        np.abs(
            maximize_utility(
                mean, cov, lower=np.zeros(6), upper=np.ones(6), gamma=5.0, previous=held, cost=cost
            ).weights
            - held
        ).sum()
        for cost in (0.0, 1e-4, 3e-4, 1e-3, 3e-3)
    ]

    assert all(later <= earlier + 1e-7 for earlier, later in pairwise(traded))
    assert traded[0] > traded[-1]


def test_the_scale_of_the_problem_does_not_matter() -> None:
    mean, cov = _problem(5)
    low, high = np.zeros(6), np.full(6, 0.5)

    daily = maximize_utility(mean, cov, lower=low, upper=high, gamma=5.0)
    tiny = maximize_utility(mean * 1e-4, cov * 1e-4, lower=low, upper=high, gamma=5.0)

    np.testing.assert_allclose(tiny.weights, daily.weights, atol=1e-7)


def test_the_fallback_solver_gives_the_same_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    import piqp

    mean, cov = _problem(6)
    groups = GroupLimits.of_labels(SECTORS, {"tech": 0.3})

    def found() -> Solution:
        return maximize_utility(
            mean,
            cov,
            lower=np.zeros(6),
            upper=np.full(6, 0.4),
            gamma=5.0,
            previous=np.full(6, 1 / 6),
            cost=1e-4,
            groups=groups,
        )

    first = found()
    monkeypatch.setattr(piqp, "PIQP_SOLVED", None)
    second = found()

    assert (first.status, second.status) == ("solved", "solved_by_fallback")
    np.testing.assert_allclose(second.weights, first.weights, atol=1e-5)


def test_projection_onto_the_simplex_is_that_of_duchi_and_others() -> None:
    # Duchi et al. (2008), ICML, figure 1: subtract the threshold that makes the positive part sum to one.
    target = np.array([0.9, 0.6, 0.1, -0.4])
    ordered = np.sort(target)[::-1]
    thresholds = (np.cumsum(ordered) - 1.0) / np.arange(1, 5)
    theta = thresholds[np.flatnonzero(ordered > thresholds)[-1]]

    found = project(target, np.zeros(4), np.ones(4), budget=1.0)

    np.testing.assert_allclose(found, np.maximum(target - theta, 0.0), atol=1e-8)


def test_projection_under_a_gross_limit_shrinks_longs_and_shorts_alike() -> None:
    # Duchi et al. (2008), section 4: onto the L1 ball by soft thresholding, here at 0.1.
    target = np.array([0.5, -0.4, 0.2, -0.05])
    bound = np.full(4, 0.45)

    found = project(target, -bound, bound, gross=0.8)

    np.testing.assert_allclose(found, [0.4, -0.3, 0.1, 0.0], atol=1e-8)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.floats(0.2, 1.5))
def test_projected_weights_keep_every_limit_and_are_a_fixed_point(seed: int, gross: float) -> None:
    target = np.random.default_rng(seed).normal(0.0, 0.4, 6)
    bound = np.full(6, 0.3)
    groups = GroupLimits.of_labels(SECTORS, {"tech": 0.2, "oil": 0.1})

    found = project(target, -bound, bound, groups, (-0.5, 0.9), gross=gross)

    assert (np.abs(found) <= 0.3).all()
    assert (groups.matrix @ found <= groups.upper + 1e-7).all()
    assert -0.5 - 1e-7 <= found.sum() <= 0.9 + 1e-7
    assert np.abs(found).sum() <= gross + 1e-7
    again = project(found, -bound, bound, groups, (-0.5, 0.9), gross=gross)
    np.testing.assert_allclose(again, found, atol=1e-6)


def test_a_feasible_target_comes_back_to_the_byte() -> None:
    target = np.array([0.1, 0.2, 0.3])

    found = project(target, np.zeros(3), np.ones(3), budget=(0.0, 1.0), gross=0.7)

    assert found.tobytes() == target.tobytes()
    assert found is not target


def test_limits_that_cannot_hold_together_raise_a_solver_error() -> None:
    mean, cov = _problem(8)
    with pytest.raises(SolverError, match="bounds let the weights sum to"):
        maximize_utility(mean, cov, lower=np.zeros(6), upper=np.full(6, 0.1), gamma=5.0)
    with pytest.raises(SolverError, match="PRIMAL_INFEASIBLE") as caught:
        groups = GroupLimits.of_labels(SECTORS, {"tech": 0.2, "bank": 0.2, "oil": 0.2})
        project(np.full(6, 1 / 6), np.zeros(6), np.ones(6), groups, 1.0)
    assert caught.value.remedy


def test_unusable_inputs_are_refused_before_any_solver_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimizer, "solve", None)
    mean, cov = _problem(9)
    low, high = np.zeros(6), np.ones(6)

    with pytest.raises(SampleError):
        maximize_utility(np.full(6, np.nan), cov, gamma=5.0, lower=low, upper=high)
    with pytest.raises(SampleError, match="eigenvalue"):
        maximize_utility(mean, -cov, gamma=5.0, lower=low, upper=high)
    with pytest.raises(ShapeError):
        maximize_utility(mean[:5], cov, gamma=5.0, lower=low, upper=high)
    with pytest.raises(ParameterError, match="previous"):
        maximize_utility(mean, cov, gamma=5.0, cost=1e-3, lower=low, upper=high)
    with pytest.raises(ParameterError, match="lower"):
        project(mean, np.ones(6), np.zeros(6))
    with pytest.raises(ParameterError):
        maximize_utility(mean, cov, gamma=0.0, lower=low, upper=high)
    with pytest.raises(ShapeError):
        project(mean, np.zeros(6), np.ones(6), GroupLimits(np.ones((1, 5)), np.ones(1)))
