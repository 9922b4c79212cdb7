"""Black-Litterman: equilibrium returns, and the posterior once views are blended in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray, checked_above, checked_matrix, checked_vector
from .covariance import checked_covariance
from .errors import SampleError, ShapeError

DEFAULT_TAU = 0.05


@dataclass(frozen=True, slots=True)
class Posterior:
    """Expected returns after the views, and the covariance that goes with them in an optimizer."""

    mean: FloatArray
    """(n_names,) expected excess returns, same period and unit as the prior's."""
    cov: FloatArray
    """(n_names, n_names) Sigma + M: the covariance of returns plus the uncertainty left in their mean."""


def equilibrium(cov: FloatArray, weights: FloatArray, gamma: float) -> FloatArray:
    """The excess returns (n_names,) for which ``weights`` are optimal: Pi = gamma * Sigma * w.

    Parameters
    ----------
    cov : (n_names, n_names) covariance of returns per period
    weights : (n_names,) reference weights, fractions of equity
    gamma : risk aversion, above 0

    Raises
    ------
    ShapeError, SampleError : weights and covariance that do not fit, a NaN, or a covariance not PSD

    Source: He and Litterman (1999), equation 4 (their delta is gamma here).
    """
    sigma = checked_covariance(cov)
    checked_above(gamma, 0.0, name="gamma")
    return gamma * sigma @ checked_vector(weights, name="weights", length=len(sigma))


def posterior(
    prior_mean: FloatArray,
    cov: FloatArray,
    tau: float,
    P: FloatArray,
    q: FloatArray,
    omega: FloatArray | None = None,
) -> Posterior:
    """Blend the prior with ``P @ mean = q + noise``, noise independent with variances ``omega``.

    Parameters
    ----------
    prior_mean : (n_names,) Pi, expected excess returns per period
    cov : (n_names, n_names) Sigma, covariance of returns per period
    tau : uncertainty of the prior mean as a share of Sigma, above 0
    P : (n_views, n_names) one row per view: the portfolio it speaks about
    q : (n_views,) the return each view expects from its portfolio, same period as the prior
    omega : (n_views,) variance of each view, above 0; None takes diag(P tau Sigma P'), a view as
        uncertain as the prior is about the same portfolio

    Raises
    ------
    ShapeError : arrays that do not fit together
    SampleError : a NaN or an infinity, a covariance not PSD, or a view without variance

    Source: He and Litterman (1999), "The intuition behind Black-Litterman model portfolios", eq. 8-11,
    written with the n_views x n_views inverse so that Sigma itself is never inverted.
    """
    sigma = checked_covariance(cov)
    checked_above(tau, 0.0, name="tau")
    prior = checked_vector(prior_mean, name="prior_mean", length=len(sigma))
    views = checked_matrix(P, name="P")
    if views.shape[1] != len(sigma):
        raise ShapeError(f"P: found {views.shape[1]} columns, expected {len(sigma)}, one per name")
    expected = checked_vector(q, name="q", length=len(views))

    with_views = tau * sigma @ views.T
    spread = views @ with_views
    noise = np.diag(spread) if omega is None else checked_vector(omega, name="omega", length=len(views))
    if noise.min() <= 0.0:
        raise SampleError(
            f"omega: the lowest variance of a view is {noise.min():.3e}, expected above zero",
            remedy="A certain view is a constraint: give it to the optimizer instead.",
        )
    gain = np.linalg.solve(spread + np.diag(noise), with_views.T).T
    uncertainty = tau * sigma - gain @ with_views.T
    total = sigma + uncertainty
    return Posterior(mean=prior + gain @ (expected - views @ prior), cov=(total + total.T) / 2.0)
