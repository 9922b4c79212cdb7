"""Drift, no-trade bands and plans over several periods: by hand, against one period, and optimality."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError, ShapeError, SolverError
from parley.quant.optimizer import maximize_utility
from parley.quant.rebalancing import banded_weights, drifted_weights, multi_period_plan
from parley.quant.weight_limits import GroupLimits


def _problem(seed: int, n_names: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    driven = rng.normal(0.0, 0.01, (60, n_names))
    return rng.normal(0.0003, 0.0006, (3, n_names)), driven.T @ driven / 60, rng.dirichlet(np.ones(n_names))


def test_sixty_forty_drifts_to_the_textbook_share() -> None:
    # By hand: 60 grows to 72 and 40 stays, so the shares are 72/112 and 40/112.
    np.testing.assert_allclose(drifted_weights(np.array([0.6, 0.4]), np.array([0.2, 0.0])), [72 / 112, 40 / 112])
    # Half in cash: 50 grows to 60 of 110.
    np.testing.assert_allclose(drifted_weights(np.array([0.5]), np.array([0.2])), [60 / 110])


def test_bands_trade_only_what_left_them() -> None:
    held, target = np.array([0.50, 0.31, 0.12]), np.array([0.40, 0.30, 0.20])

    np.testing.assert_allclose(banded_weights(held, target, 0.05), [0.45, 0.31, 0.15])
    np.testing.assert_allclose(banded_weights(held, target, 0.05, to="target"), [0.40, 0.31, 0.20])
    np.testing.assert_allclose(banded_weights(held, target, 0.0), target)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.5))
def test_after_trading_every_name_is_inside_its_band_and_trades_no_more(seed: int, band: float) -> None:
    rng = np.random.default_rng(seed)
    held, target = rng.normal(0.0, 0.3, 6), rng.normal(0.0, 0.3, 6)

    edge, full = banded_weights(held, target, band), banded_weights(held, target, band, to="target")

    for found in (edge, full):
        assert (np.abs(found - target) <= band + 1e-12).all()
        np.testing.assert_allclose(banded_weights(found, target, band), found, atol=1e-12)
        np.testing.assert_allclose(banded_weights(found, target, band + 1e-12, to="target"), found, atol=1e-12)
    assert (np.abs(edge - held) <= np.abs(full - held) + 1e-12).all()


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 2e-4, 2e-3]))
def test_one_period_is_the_single_period_optimizer(seed: int, cost: float) -> None:
    means, cov, held = _problem(seed)
    limits = {"lower": np.zeros(4), "upper": np.full(4, 0.6)}

    plan = multi_period_plan(means[:1], cov, held, gamma=5.0, cost=cost, **limits)
    one = maximize_utility(means[0], cov, gamma=5.0, previous=held, cost=cost, **limits)

    np.testing.assert_allclose(plan.weights[0], one.weights, atol=1e-5)
    assert plan.utility == pytest.approx(one.utility, abs=1e-9)


def test_without_costs_every_period_stands_alone() -> None:
    means, cov, held = _problem(1)

    plan = multi_period_plan(means, cov, held, gamma=5.0, cost=0.0)

    for mean, weights in zip(means, plan.weights, strict=True):
        alone = maximize_utility(mean, cov, lower=np.zeros(4), upper=np.ones(4), gamma=5.0)
        np.testing.assert_allclose(weights, alone.weights, atol=1e-5)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_planning_ahead_is_not_worse_than_one_period_at_a_time_nor_than_its_neighbors(seed: int) -> None:
    means, cov, held = _problem(seed)
    cost, gamma = 5e-4, 5.0

    def utility(path: np.ndarray) -> float:
        traded = np.abs(np.diff(np.vstack([held, path]), axis=0)).sum()
        return float((means * path).sum() - gamma / 2 * np.einsum("hi,ij,hj->", path, cov, path) - cost * traded)

    plan = multi_period_plan(means, cov, held, gamma=gamma, cost=cost)

    greedy, now = [], held
    for mean in means:
        one = maximize_utility(mean, cov, lower=np.zeros(4), upper=np.ones(4), gamma=gamma, previous=now, cost=cost)
        now = one.weights
        greedy.append(now)
    assert plan.utility == pytest.approx(utility(plan.weights), abs=1e-12)
    assert plan.utility >= utility(np.array(greedy)) - 1e-9
    rng = np.random.default_rng(seed)
    for share in rng.uniform(0.0, 1.0, 20):
        other = (1 - share) * plan.weights + share * rng.dirichlet(np.ones(4), 3)
        assert utility(other) <= plan.utility + 1e-9


def test_a_trade_that_pays_only_over_several_periods_is_made_now() -> None:
    # One day's edge of 5 bp does not pay a 10 bp cost each way of the swap; five such days do.
    cov, held = np.diag([1e-8, 1e-8]), np.array([1.0, 0.0])
    edge = np.array([[0.0, 0.0005]])

    assert multi_period_plan(edge, cov, held, gamma=1.0, cost=0.001).weights[0, 1] == pytest.approx(0.0, abs=1e-6)
    plan = multi_period_plan(np.tile(edge, (5, 1)), cov, held, gamma=1.0, cost=0.001)

    assert plan.weights[0, 1] == pytest.approx(1.0, abs=1e-6)


def test_unusable_inputs_are_refused_and_conflicts_named() -> None:
    means, cov, held = _problem(2)

    with pytest.raises(SampleError, match="no equity"):
        drifted_weights(np.array([2.0]), np.array([-0.6]))
    with pytest.raises(ParameterError, match="band"):
        banded_weights(held, held, -0.1)
    with pytest.raises(ParameterError, match="expected 'target' or 'edge'"):
        banded_weights(held, held, 0.1, to="middle")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ShapeError):
        banded_weights(held, held[:3], 0.1)
    with pytest.raises(ParameterError, match="cost"):
        multi_period_plan(means, cov, held, gamma=5.0, cost=-0.1)
    with pytest.raises(ShapeError):
        multi_period_plan(means, cov, held[:3], gamma=5.0, cost=0.1)
    with pytest.raises(ShapeError, match="cost"):
        multi_period_plan(means, cov, held, gamma=5.0, cost=np.zeros((3, 4)))
    with pytest.raises(SolverError, match=r"total of 1 \(period 2\); group a at most 0\.2 \(period 2\); group b"):
        groups = GroupLimits.of_labels("aabb", {"a": 0.2, "b": 0.3})
        multi_period_plan(means, cov, held, gamma=5.0, cost=1e-4, groups=groups)
