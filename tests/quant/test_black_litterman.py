"""Black-Litterman against the tables of He and Litterman (1999)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.quant.black_litterman import equilibrium, market_posterior, posterior
from parley.quant.definite import ProvenCovariance
from parley.quant.errors import ParameterError, SampleError, ShapeError

# He and Litterman (1999), tables 1 and 2: Australia, Canada, France, Germany, Japan, UK, USA.
CORRELATION = np.array(
    [
        [1.000, 0.488, 0.478, 0.515, 0.439, 0.512, 0.491],
        [0.488, 1.000, 0.664, 0.655, 0.310, 0.608, 0.779],
        [0.478, 0.664, 1.000, 0.861, 0.355, 0.783, 0.668],
        [0.515, 0.655, 0.861, 1.000, 0.354, 0.777, 0.653],
        [0.439, 0.310, 0.355, 0.354, 1.000, 0.405, 0.306],
        [0.512, 0.608, 0.783, 0.777, 0.405, 1.000, 0.652],
        [0.491, 0.779, 0.668, 0.653, 0.306, 0.652, 1.000],
    ]
)
VOL = np.array([0.160, 0.203, 0.248, 0.271, 0.210, 0.200, 0.187])
WEIGHTS = np.array([0.016, 0.022, 0.052, 0.055, 0.116, 0.124, 0.615])
SIGMA = CORRELATION * np.outer(VOL, VOL)
GAMMA, TAU = 2.5, 0.05
GERMANY = np.array([[0.0, 0.0, -0.295, 1.0, 0.0, -0.705, 0.0]])


def test_equilibrium_returns_are_those_of_he_and_littermans_table_2() -> None:
    pi = equilibrium(SIGMA, WEIGHTS, GAMMA)

    np.testing.assert_allclose(pi * 100.0, [3.9, 6.9, 8.4, 9.0, 4.3, 6.8, 7.6], atol=0.06)


def test_the_view_that_germany_leads_europe_gives_he_and_littermans_table_4() -> None:
    found = posterior(equilibrium(SIGMA, WEIGHTS, GAMMA), SIGMA, TAU, GERMANY, np.array([0.05]))

    np.testing.assert_allclose(found.mean * 100.0, [4.3, 7.6, 9.3, 11.0, 4.5, 7.0, 8.1], atol=0.06)
    weights = np.linalg.solve(GAMMA * found.cov, found.mean) * 100.0
    np.testing.assert_allclose(weights, [1.5, 2.1, -4.0, 35.4, 11.0, -9.5, 58.6], atol=0.15)


def test_a_view_equal_to_the_prior_moves_no_mean() -> None:
    pi = equilibrium(SIGMA, WEIGHTS, GAMMA)

    found = posterior(pi, SIGMA, TAU, GERMANY, GERMANY @ pi)

    np.testing.assert_allclose(found.mean, pi, atol=1e-14)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_the_posterior_is_the_precision_weighted_mean_of_prior_and_views(seed: int, n_views: int) -> None:
    rng = np.random.default_rng(seed)
    pi = rng.normal(0.0, 0.05, 7)
    views, q, omega = rng.normal(size=(n_views, 7)), rng.normal(0.0, 0.05, n_views), rng.uniform(1e-4, 1e-2, n_views)

    found = posterior(pi, SIGMA, TAU, views, q, omega)

    # Equation 8 of the paper as printed, with every inverse written out.
    prior_precision, precision = np.linalg.inv(TAU * SIGMA), np.diag(1.0 / omega)
    uncertainty = np.linalg.inv(prior_precision + views.T @ precision @ views)
    mean = uncertainty @ (prior_precision @ pi + views.T @ precision @ q)
    np.testing.assert_allclose(found.mean, mean, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.cov, SIGMA + uncertainty, rtol=1e-6, atol=1e-9)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 20))
def test_the_posterior_covariance_is_symmetric_to_the_bit_and_between_the_priors_own_and_its_widest(
    seed: int, n_views: int
) -> None:
    rng = np.random.default_rng(seed)
    views, q = rng.normal(size=(n_views, 7)) * rng.choice([1e-3, 1.0, 1e3], (n_views, 1)), rng.normal(size=n_views)

    found = market_posterior(ProvenCovariance(SIGMA), WEIGHTS, GAMMA, TAU, views, q)

    assert found.cov.tobytes() == found.cov.T.copy().tobytes()
    # Views take uncertainty away from the mean, never more than the prior had of it.
    assert np.linalg.eigvalsh(found.cov - SIGMA)[0] >= -1e-15
    assert np.linalg.eigvalsh((1.0 + TAU) * SIGMA - found.cov)[0] >= -1e-15
    plain = market_posterior(SIGMA, WEIGHTS, GAMMA, TAU, views, q)
    assert found.mean.tobytes() == plain.mean.tobytes()


def test_a_view_said_twice_counts_twice_and_is_refused_when_both_are_all_but_certain() -> None:
    pi = equilibrium(SIGMA, WEIGHTS, GAMMA)
    twice, q = np.vstack([GERMANY, GERMANY]), np.array([0.05, 0.05])
    omega = np.array([0.001, 0.001])

    both = posterior(pi, SIGMA, TAU, twice, q, omega)

    # Two independent looks at one return are one look with half the variance.
    np.testing.assert_allclose(both.mean, posterior(pi, SIGMA, TAU, GERMANY, q[:1], omega[:1] / 2).mean, rtol=1e-10)
    with pytest.raises(SampleError, match="repeat each other"):
        posterior(pi, SIGMA, TAU, twice, q, np.full(2, 1e-30))


def test_an_ever_surer_view_is_met_and_an_ever_vaguer_one_is_ignored() -> None:
    pi = equilibrium(SIGMA, WEIGHTS, GAMMA)
    q = np.array([0.05])

    sure = posterior(pi, SIGMA, TAU, GERMANY, q, np.array([1e-12]))
    vague = posterior(pi, SIGMA, TAU, GERMANY, q, np.array([1e6]))

    assert (GERMANY @ sure.mean)[0] == pytest.approx(0.05, abs=1e-9)
    np.testing.assert_allclose(vague.mean, pi, atol=1e-9)


def test_bad_views_and_covariances_are_refused() -> None:
    pi = equilibrium(SIGMA, WEIGHTS, GAMMA)
    q = np.array([0.05])

    with pytest.raises(SampleError, match="variance of a view"):
        posterior(pi, SIGMA, TAU, GERMANY, q, np.array([0.0]))
    with pytest.raises(SampleError, match="NaN"):
        posterior(pi, SIGMA, TAU, GERMANY, np.array([np.nan]))
    with pytest.raises(ShapeError):
        posterior(pi, SIGMA, TAU, GERMANY[:, :6], q)
    with pytest.raises(ParameterError):
        posterior(pi, SIGMA, 0.0, GERMANY, q)
    with pytest.raises(SampleError, match="eigenvalue"):
        equilibrium(-SIGMA, WEIGHTS, GAMMA)
