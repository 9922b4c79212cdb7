"""Minimum variance, maximum Sharpe and the frontier: textbook examples, closed forms, skfolio, and optimality."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant import frontier
from parley.quant.covariance import sample_moments
from parley.quant.errors import ParameterError, SampleError, ShapeError, SolverError
from parley.quant.frontier import efficient_frontier, max_sharpe, min_variance
from parley.quant.weight_limits import FactorLimits, GroupLimits

LABELS = ["a", "a", "b", "b", "c", "c"]


def _problem(seed: int, n_names: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    driven = rng.normal(0.0, 0.01, (80, 1)) + rng.normal(0.0, 0.01, (80, n_names))
    return rng.normal(0.0004, 0.0006, n_names), np.cov(driven, rowvar=False)


def test_frontier_of_three_uncorrelated_names_is_luenbergers_example() -> None:
    # Luenberger (1998), Investment Science, example 6.9: variances 1, means 1, 2, 3. Re-derived from the Lagrangian:
    # w = (4/3 - r/2, 1/3, r/2 - 2/3), variance 7/3 - 2r + r^2/2, shorting allowed.
    found = efficient_frontier(np.array([1.0, 2.0, 3.0]), np.eye(3), 5, lower=-1.0, upper=2.0)

    r = found.mean
    np.testing.assert_allclose(found.weights[0], [1 / 3, 1 / 3, 1 / 3], atol=1e-7)
    inner = r < 14 / 3 - 1e-3  # the first name's bound of -1 binds from there on
    np.testing.assert_allclose(found.vol[inner] ** 2, (7 / 3 - 2 * r + r**2 / 2)[inner], rtol=1e-6)
    np.testing.assert_allclose(np.diff(r), np.full(4, (r[-1] - r[0]) / 4), rtol=1e-6)


def test_without_binding_bounds_both_portfolios_are_the_closed_forms() -> None:
    mean, cov = _problem(1)
    inverse = np.linalg.inv(cov)

    least = min_variance(cov, lower=-20.0, upper=20.0)
    best = max_sharpe(np.abs(mean), cov, lower=-20.0, upper=20.0)

    np.testing.assert_allclose(least, inverse.sum(axis=1) / inverse.sum(), atol=1e-6)
    np.testing.assert_allclose(best, inverse @ np.abs(mean) / (inverse @ np.abs(mean)).sum(), atol=1e-5)


def test_long_only_portfolios_are_not_worse_than_skfolios() -> None:
    from skfolio.optimization import MeanRisk, ObjectiveFunction

    rng = np.random.default_rng(2)
    returns = rng.normal(0.0, 0.01, (200, 1)) + rng.normal(0.0005, 0.01, (200, 10))
    mean, cov = returns.mean(axis=0), np.cov(returns, rowvar=False)
    least = np.asarray(MeanRisk().fit(returns).weights_, dtype=float)
    peer = MeanRisk(objective_function=ObjectiveFunction.MAXIMIZE_RATIO).fit(returns)
    best = np.asarray(peer.weights_, dtype=float)

    ours_least, ours_best = min_variance(cov), max_sharpe(mean, cov)

    np.testing.assert_allclose(ours_least, least, atol=2e-3)
    np.testing.assert_allclose(ours_best, best, atol=5e-3)
    assert ours_least @ cov @ ours_least <= least @ cov @ least * (1 + 1e-9)
    assert _ratio(ours_best, mean, cov) >= _ratio(best, mean, cov) * (1 - 1e-9)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(2, 30))
def test_pivoting_and_the_interior_point_agree(seed: int, n_names: int) -> None:
    mean, cov = _problem(seed, n_names)
    mean[0] = 0.001

    for pivoted, general in (
        (min_variance(cov), min_variance(cov, lower=np.zeros(n_names))),
        (max_sharpe(mean, cov), max_sharpe(mean, cov, lower=np.zeros(n_names))),
    ):
        assert pivoted.sum() == pytest.approx(1.0, abs=1e-12)
        assert pivoted.min() >= 0.0
        np.testing.assert_allclose(pivoted, general, atol=1e-4)
    least = min_variance(cov)
    # Every held name has the portfolio's variance as its covariance with it, every other at least that much.
    marginal = cov @ least / (least @ cov @ least)
    assert (marginal >= 1.0 - 1e-9).all()
    np.testing.assert_allclose(marginal[least > 0.0], 1.0, rtol=1e-9)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_no_feasible_neighbor_has_a_higher_ratio(seed: int, with_shorts: bool) -> None:
    mean, cov = _problem(seed)
    mean[:2] = 0.001
    low = -0.2 if with_shorts else 0.0
    groups = GroupLimits.of_labels(LABELS, {"a": 0.6, "b": 0.5})
    factors = FactorLimits(np.linspace(0.5, 1.5, 6)[None, :], np.array([0.8]), np.array([1.1]), ("beta",))

    found = max_sharpe(mean, cov, lower=low, upper=0.4, groups=groups, factors=factors)

    def keeps(weights: np.ndarray, slack: float) -> bool:
        return bool(
            abs(weights.sum() - 1.0) < 1e-6
            and (weights >= low - slack).all()
            and (weights <= 0.4 + slack).all()
            and (groups.matrix @ weights <= groups.upper + slack).all()
            and 0.8 - slack <= (factors.loadings @ weights)[0] <= 1.1 + slack
        )

    assert keeps(found, 1e-6)
    rng = np.random.default_rng(seed)
    for _ in range(100):
        step = rng.normal(0.0, 0.03, 6)
        other = found + step - step.mean()
        if keeps(other, 0.0):
            assert _ratio(other, mean, cov) <= _ratio(found, mean, cov) * (1 + 1e-5)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_the_frontier_rises_in_mean_and_in_risk_from_least_variance_to_highest_mean(seed: int) -> None:
    mean, cov = _problem(seed)

    found = efficient_frontier(mean, cov, 8, upper=0.5)

    least = min_variance(cov, upper=0.5)
    assert found.vol[0] ** 2 == pytest.approx(least @ cov @ least, rel=1e-6)
    np.testing.assert_allclose(found.weights[0], least, atol=1e-3)
    assert found.mean[-1] == pytest.approx(np.sort(mean)[-2:].mean(), abs=1e-9)
    assert (np.diff(found.mean) >= -1e-10).all()
    assert (np.diff(found.vol) >= -1e-8).all()


def test_proven_moments_give_the_weights_of_the_same_mean_and_matrix() -> None:
    rng = np.random.default_rng(8)
    mean, proven = sample_moments(rng.normal(0.0, 0.01, (200, 1)) + rng.normal(0.0005, 0.01, (200, 10)))

    assert min_variance(proven).tobytes() == min_variance(proven.matrix).tobytes()
    for upper in (1.0, 0.2):
        best = max_sharpe(mean, proven, upper=upper)
        assert best.tobytes() == max_sharpe(mean, proven.matrix, upper=upper).tobytes()
    frontier_of = efficient_frontier(mean, proven, 3)
    assert frontier_of.weights.tobytes() == efficient_frontier(mean, proven.matrix, 3).weights.tobytes()
    with pytest.raises(ShapeError, match=r"\(9, 9\)"):
        max_sharpe(mean[:9], proven)


@pytest.mark.parametrize("n_copies", [2, 5])
def test_copies_of_a_name_share_its_weight_and_leave_the_risk_as_it_was(n_copies: int) -> None:
    mean, cov = np.array([0.001, 0.0005]), np.array([[4.0, 1.0], [1.0, 2.0]]) * 1e-4
    which = [0, *[1] * n_copies]

    for single, copied in (
        (min_variance(cov), min_variance(cov[np.ix_(which, which)])),
        (max_sharpe(mean, cov), max_sharpe(mean[which], cov[np.ix_(which, which)])),
    ):
        np.testing.assert_allclose([copied[0], copied[1:].sum()], single, atol=1e-6)
        assert copied.min() >= 0.0


def test_scale_and_order_of_the_names_do_not_matter() -> None:
    mean, cov = _problem(3)
    order = [3, 1, 5, 0, 2, 4]

    for upper in (1.0, 0.3):
        best = max_sharpe(np.abs(mean), cov, upper=upper)
        np.testing.assert_allclose(max_sharpe(1e3 * np.abs(mean), 1e6 * cov, upper=upper), best, atol=1e-6)
        moved = max_sharpe(np.abs(mean)[order], cov[np.ix_(order, order)], upper=upper)
        np.testing.assert_allclose(moved, best[order], atol=1e-6)
        np.testing.assert_allclose(max_sharpe(np.abs(mean), cov, upper=upper * 0.5, total=0.5), best / 2, atol=1e-6)


def test_without_any_gain_to_be_had_there_is_no_best_ratio() -> None:
    _, cov = _problem(4)

    with pytest.raises(SampleError, match=r"highest excess return is -0\.001") as caught:
        max_sharpe(np.full(6, -0.001), cov)
    assert caught.value.remedy
    # With shorts allowed a falling name is a gain, as long as the limits leave room for it.
    falling = np.array([-0.01, -0.001, -0.001, -0.001, -0.001, -0.001])
    assert max_sharpe(falling, cov, lower=-1.0)[0] < 0.0
    with pytest.raises(SolverError, match="an excess return above zero"):
        max_sharpe(np.array([0.001, -0.01, -0.01, -0.01, -0.01, -0.01]), cov, upper=0.2)


def test_a_riskless_duplicate_hedge_is_refused_instead_of_an_infinite_ratio() -> None:
    with pytest.raises(SampleError, match="no variance"):
        max_sharpe(np.array([0.001, 0.001]), np.array([[1.0, -1.0], [-1.0, 1.0]]))


def test_one_name_takes_the_whole_total() -> None:
    assert min_variance(np.array([[0.04]])).tolist() == pytest.approx([1.0])
    assert max_sharpe(np.array([0.1]), np.array([[0.04]])).tolist() == pytest.approx([1.0])


def test_infeasible_limits_are_named() -> None:
    _, cov = _problem(5)

    with pytest.raises(SolverError, match=r"total of 1; group a at most 0\.2; group b at most 0\.3; group c"):
        min_variance(cov, groups=GroupLimits.of_labels(LABELS, {"a": 0.2, "b": 0.3, "c": 0.3}))


def test_unusable_inputs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frontier, "solve", None)
    mean, cov = _problem(6)

    with pytest.raises(SampleError, match="eigenvalue"):
        min_variance(-cov)
    with pytest.raises(SampleError, match="NaN"):
        max_sharpe(np.full(6, np.nan), cov)
    with pytest.raises(ShapeError):
        max_sharpe(mean[:5], cov)
    with pytest.raises(ParameterError, match="n_points"):
        efficient_frontier(mean, cov, 1)
    with pytest.raises(ParameterError, match="total"):
        max_sharpe(mean, cov, total=0.0)
    with pytest.raises(SampleError):
        min_variance(cov, upper=np.nan)
    with pytest.raises(SolverError, match="bounds let the weights sum"):
        min_variance(cov, upper=0.1)


def _ratio(weights: np.ndarray, mean: np.ndarray, cov: np.ndarray) -> float:
    return float(mean @ weights / np.sqrt(weights @ cov @ weights))
