"""Black-Litterman: equilibrium returns, views from signals and confidences, and the posterior of both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray, checked_above, checked_matrix, checked_vector
from .definite import ProvenCovariance, checked_covariance
from .errors import ParameterError, SampleError, ShapeError


@dataclass(frozen=True, slots=True)
class Posterior:
    """Expected returns after the views, and the covariance that goes with them in an optimizer."""

    mean: FloatArray
    """(n_names,) expected excess returns, same period and unit as the prior's."""
    cov: FloatArray
    """(n_names, n_names) Sigma + M: the covariance of returns plus the uncertainty left in their mean."""


@dataclass(frozen=True, slots=True)
class Views:
    """What ``posterior`` takes: portfolios, their expected returns, and how unsure each expectation is."""

    P: FloatArray
    """(n_views, n_names)"""
    q: FloatArray
    """(n_views,) expected excess returns per period."""
    omega: FloatArray
    """(n_views,) variances."""


def equilibrium(cov: FloatArray | ProvenCovariance, weights: FloatArray, gamma: float) -> FloatArray:
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
    return gamma * (sigma @ checked_vector(weights, name="weights", length=len(sigma)))


def posterior(
    prior_mean: FloatArray,
    cov: FloatArray | ProvenCovariance,
    tau: float,
    P: FloatArray,
    q: FloatArray,
    omega: FloatArray | None = None,
) -> Posterior:
    """Blend the prior with ``P @ mean = q + noise``, noise independent with variances ``omega``.

    Parameters
    ----------
    prior_mean : (n_names,) Pi, expected excess returns per period
    cov : (n_names, n_names) Sigma, covariance of returns per period; one from ``sample_moments`` is not checked again
    tau : uncertainty of the prior mean as a share of Sigma, above 0
    P : (n_views, n_names) one row per view: the portfolio it speaks about
    q : (n_views,) the return each view expects from its portfolio, same period as the prior
    omega : (n_views,) variance of each view, above 0; None takes diag(P tau Sigma P'), a view as
        uncertain as the prior is about the same portfolio

    Raises
    ------
    ShapeError : arrays that do not fit together
    SampleError : a NaN or an infinity, a covariance not PSD, a view without variance, or views that repeat each
        other with almost none

    Source: He and Litterman (1999), "The intuition behind Black-Litterman model portfolios", eq. 8-11,
    written with the n_views x n_views inverse so that Sigma itself is never inverted.
    """
    sigma = checked_covariance(cov)
    checked_above(tau, 0.0, name="tau")
    return _blended(checked_vector(prior_mean, name="prior_mean", length=len(sigma)), sigma, tau, P, q, omega)


def market_posterior(
    cov: FloatArray | ProvenCovariance,
    market_weights: FloatArray,
    gamma: float,
    tau: float,
    P: FloatArray,
    q: FloatArray,
    omega: FloatArray | None = None,
) -> Posterior:
    """The posterior around the market's equilibrium: ``equilibrium`` and ``posterior`` in one, checked once.

    Parameters, errors and source as theirs; ``q`` are excess returns per period.
    """
    sigma = checked_covariance(cov)
    checked_above(gamma, 0.0, name="gamma")
    checked_above(tau, 0.0, name="tau")
    prior = gamma * (sigma @ checked_vector(market_weights, name="market_weights", length=len(sigma)))
    return _blended(prior, sigma, tau, P, q, omega)


def omega_from_confidence(
    P: FloatArray, cov: FloatArray | ProvenCovariance, tau: float, confidence: FloatArray
) -> FloatArray:
    """The variance (n_views,) with which each view, alone, moves the weights by that share of a certain view's.

    Idzorek searches for it by least squares; for one view at a time the tilt is in proportion to 1 / (p tau Sigma
    p' + omega), so the search has the closed form omega = p tau Sigma p' (1 - c) / c.

    Parameters
    ----------
    P : (n_views, n_names) one row per view
    cov : (n_names, n_names) Sigma, covariance of returns per period
    tau : as in ``posterior``
    confidence : (n_views,) c, strictly between 0 (no view) and 1 (a constraint)

    Raises
    ------
    ShapeError, SampleError : arrays that do not fit, a NaN, or a covariance not PSD
    ParameterError : a confidence of 0 or less, or 1 or more

    Source: Idzorek (2005), "A step-by-step guide to the Black-Litterman model", section 3.2; the closed form is
    Walters (2014), "The Black-Litterman model in detail", section on Idzorek's extension.
    """
    sigma = checked_covariance(cov)
    views = _checked_views(P, len(sigma))
    return _omega(views, sigma, tau, checked_vector(confidence, name="confidence", length=len(views)))


def views_from_signals(
    expected_returns: FloatArray, confidence: FloatArray, horizon_days: FloatArray, cov: FloatArray, tau: float
) -> Views:
    """One absolute view per name that has an opinion, in daily units; a confidence of 0 is no opinion.

    Parameters
    ----------
    expected_returns : (n_names,) signed excess return over each signal's horizon, as a fraction
    confidence : (n_names,) from 0 (no view) to below 1
    horizon_days : (n_names,) trading days until each expectation is due, above 0; returns are spread evenly
    cov : (n_names, n_names) daily covariance
    tau : as in ``posterior``

    Raises
    ------
    ShapeError, SampleError, ParameterError : as ``omega_from_confidence``; a horizon that is not positive
    SampleError : no name with a confidence above 0

    Source: views as rows of the identity, He and Litterman (1999); confidences as Idzorek (2005).
    """
    sigma = checked_covariance(cov)
    n_names = len(sigma)
    expected = checked_vector(expected_returns, name="expected_returns", length=n_names)
    certainty = checked_vector(confidence, name="confidence", length=n_names)
    days = checked_vector(horizon_days, name="horizon_days", length=n_names)
    if certainty.min() < 0.0:
        raise ParameterError(f"confidence: found {certainty.min()}, expected fractions from 0 to below 1")
    if days.min() <= 0.0:
        raise ParameterError(f"horizon_days: found {days.min()}, expected days above 0")
    held = np.flatnonzero(certainty)
    if not len(held):
        raise SampleError(
            "confidence: found no name above 0, expected at least one view",
            remedy="Without views the posterior is the equilibrium: use that.",
        )
    P = np.eye(n_names)[held]
    return Views(P, expected[held] / days[held], _omega(P, sigma, tau, certainty[held]))


def _omega(views: FloatArray, sigma: FloatArray, tau: float, certainty: FloatArray) -> FloatArray:
    """Variances of checked views of a checked covariance, each at its confidence."""
    checked_above(tau, 0.0, name="tau")
    if certainty.min() <= 0.0 or certainty.max() >= 1.0:
        worst = certainty.min() if certainty.min() <= 0.0 else certainty.max()
        raise ParameterError(
            f"confidence: found {worst}, expected fractions strictly between 0 and 1",
            remedy="Leave out a view without confidence; give a certain one to the optimizer as a limit.",
        )
    return tau * ((views @ sigma) * views).sum(axis=1) * (1.0 - certainty) / certainty


def _blended(
    prior: FloatArray, sigma: FloatArray, tau: float, P: FloatArray, q: FloatArray, omega: FloatArray | None
) -> Posterior:
    """The posterior of inputs that are checked, but for the views."""
    views = _checked_views(P, len(sigma))
    expected = checked_vector(q, name="q", length=len(views))

    with_views = tau * (sigma @ views.T)
    spread = views @ with_views
    noise = np.diag(spread) if omega is None else checked_vector(omega, name="omega", length=len(views))
    if noise.min() <= 0.0:
        raise SampleError(
            f"omega: the lowest variance of a view is {noise.min():.3e}, expected above zero",
            remedy="A certain view is a constraint: give it to the optimizer instead.",
        )
    try:
        root = np.linalg.cholesky(spread + np.diag(noise))
    except np.linalg.LinAlgError as error:
        raise SampleError(
            "P: found views that repeat each other with almost no variance, expected independent or less certain ones",
            remedy="Merge views on the same portfolio, or give them a larger omega.",
        ) from error
    # What the views explain is a matrix times its own transpose, so that the posterior is symmetric to the bit.
    half = np.linalg.solve(root, with_views.T)
    mean = prior + np.linalg.solve(root, expected - views @ prior) @ half
    total = (1.0 + tau) * sigma
    total -= half.T @ half
    return Posterior(mean, total)


def _checked_views(P: FloatArray, n_names: int) -> FloatArray:
    views = checked_matrix(P, name="P", min_rows=1)
    if views.shape[1] != n_names:
        raise ShapeError(f"P: found {views.shape[1]} columns, expected {n_names}, one per name")
    return views
