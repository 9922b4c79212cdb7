"""Risk shares and risk budgets: closed forms, skfolio, and the defining property on random covariances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.errors import ParameterError, SampleError, ShapeError, SolverError
from parley.quant.risk_parity import risk_budget_weights, risk_shares


def _cov(seed: int, n_names: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    returns = rng.normal(0.0, 0.01, (3 * n_names + 5, n_names)) * rng.uniform(0.1, 5.0, n_names)
    return np.cov(returns, rowvar=False) + np.zeros((n_names, n_names))


def test_two_names_or_one_common_correlation_give_weights_inverse_to_volatility() -> None:
    # Maillard, Roncalli and Teiletche (2010), section 2.2: whatever the common correlation.
    vol = np.array([0.1, 0.2, 0.4])
    for correlation in (-0.4, 0.0, 0.6):
        cov = (correlation * np.ones((3, 3)) + (1 - correlation) * np.eye(3)) * np.outer(vol, vol)

        np.testing.assert_allclose(risk_budget_weights(cov), np.array([4.0, 2.0, 1.0]) / 7.0, rtol=1e-10)


def test_uncorrelated_budgets_give_their_roots_over_the_volatilities() -> None:
    # Roncalli (2013), section 2.2.2.1: with no correlation w is proportional to sqrt(b) / sigma.
    budgets, vol = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.2, 0.3])

    found = risk_budget_weights(np.diag(vol**2), budgets)

    np.testing.assert_allclose(found, np.sqrt(budgets) / vol / (np.sqrt(budgets) / vol).sum(), rtol=1e-10)


def test_equal_risk_weights_are_skfolios() -> None:
    from skfolio.measures import RiskMeasure
    from skfolio.optimization import RiskBudgeting

    rng = np.random.default_rng(1)
    returns = rng.normal(0.0, 0.01, (200, 1)) + rng.normal(0.0, 0.01, (200, 8)) * np.linspace(0.5, 2.0, 8)

    theirs = RiskBudgeting(risk_measure=RiskMeasure.VARIANCE).fit(returns).weights_

    found = risk_budget_weights(np.cov(returns, rowvar=False))
    np.testing.assert_allclose(found, np.asarray(theirs), atol=1e-4)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 25), st.floats(0.01, 1.0))
def test_every_name_carries_its_budget_of_the_risk(seed: int, n_names: int, least: float) -> None:
    cov = np.atleast_2d(_cov(seed, n_names))
    budgets = np.random.default_rng(seed + 1).uniform(least, 1.0, n_names)

    found = risk_budget_weights(cov, budgets, total=0.8)

    assert found.min() > 0.0
    assert found.sum() == pytest.approx(0.8)
    np.testing.assert_allclose(risk_shares(found, cov), budgets / budgets.sum(), atol=1e-8)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 1e6))
def test_shares_sum_to_one_and_ignore_the_size_of_the_book(seed: int, size: float) -> None:
    cov = _cov(seed, 5)
    weights = np.random.default_rng(seed).normal(size=5)

    shares = risk_shares(weights, cov)

    assert shares.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(risk_shares(size * weights, cov), shares, rtol=1e-8, atol=1e-10)


def test_a_hedge_has_a_negative_share() -> None:
    cov = np.array([[0.04, 0.03], [0.03, 0.04]])

    shares = risk_shares(np.array([1.0, -0.2]), cov)

    # By hand: 1 * (0.04 - 0.006) = 0.034, -0.2 * (0.03 - 0.008) = -0.0044.
    np.testing.assert_allclose(shares, np.array([0.034, -0.0044]) / 0.0296, rtol=1e-12)


def test_unusable_budgets_and_covariances_are_refused() -> None:
    cov = _cov(2, 3)

    with pytest.raises(SampleError, match="budgets"):
        risk_budget_weights(cov, np.array([0.5, 0.5, 0.0]))
    with pytest.raises(ShapeError):
        risk_budget_weights(cov, np.ones(2))
    with pytest.raises(SampleError, match="name 1 has variance"):
        risk_budget_weights(np.diag([1.0, 0.0]))
    with pytest.raises(ParameterError):
        risk_budget_weights(cov, total=0.0)
    with pytest.raises(SampleError, match="eigenvalue"):
        risk_budget_weights(-cov)
    with pytest.raises(SolverError, match="risk budgets were met") as caught:
        risk_budget_weights(np.array([[1.0, -1.0], [-1.0, 1.0]]))
    assert caught.value.remedy
    with pytest.raises(SampleError, match="variance"):
        risk_shares(np.zeros(3), cov)
