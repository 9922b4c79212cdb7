"""Weights that are best against the worst expected returns within what the estimate's error allows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .arrays import FloatArray, checked_above, checked_at_least, checked_fraction, checked_vector
from .definite import checked_covariance
from .optimizer import Solution, maximize_utility
from .programs import ConeRows, solve_conic
from .weight_limits import FactorLimits, GroupLimits, settled_weights, total_span, weights_program


def ellipsoid_radius(n_names: int, n_days: int, confidence: float = 0.95) -> float:
    """How far, in standard errors of daily volatility, all true means lie from the sample's at once.

    With covariance Sigma known, (m - mean)' Sigma^-1 (m - mean) * n_days is chi-squared with n_names degrees, so
    the true mean lies within radius**2 = quantile / n_days of the sample mean in the norm of Sigma.

    Parameters
    ----------
    n_names, n_days : the shape of the sample that the mean came from
    confidence : probability that the ellipsoid holds the true mean, in (0, 1)

    Raises
    ------
    ParameterError : fewer than one name or day, or a confidence outside (0, 1)

    Source: Johnson and Wichern (2007), Applied Multivariate Statistical Analysis, result 4.7.
    """
    from scipy.special import chdtri

    checked_at_least(n_names, 1, name="n_names")
    checked_at_least(n_days, 1, name="n_days")
    checked_fraction(confidence, name="confidence")
    return float(np.sqrt(chdtri(n_names, 1.0 - confidence) / n_days))


def box_robust_weights(
    mean: FloatArray,
    mean_error: FloatArray,
    cov: FloatArray,
    *,
    gamma: float,
    lower: FloatArray,
    upper: FloatArray,
    total: float | tuple[float, float] = 1.0,
    groups: GroupLimits | None = None,
    factors: FactorLimits | None = None,
) -> Solution:
    """The best mean-variance weights when every mean may be off by its error, all against us at once.

    The worst case of m'w over |m - mean| <= mean_error is mean'w - mean_error'|w|, which is a linear cost of
    trading away from an empty book: the same program as ``maximize_utility``, and what its utility reports. For
    long-only weights it is plain mean-variance at ``mean - mean_error``.

    Parameters
    ----------
    mean, mean_error : (n_names,) expected returns per period and their largest errors, at least 0
    cov, gamma, lower, upper, total, groups, factors : as in ``maximize_utility``

    Raises
    ------
    As ``maximize_utility``.

    Source: Fabozzi, Kolm, Pachamanova and Focardi (2007), Robust Portfolio Optimization and Management, ch. 12.
    """
    expected = checked_vector(mean, name="mean")
    error = checked_vector(mean_error, name="mean_error", length=len(expected))
    return maximize_utility(
        expected,
        cov,
        lower=lower,
        upper=upper,
        gamma=gamma,
        previous=np.zeros(len(expected)),
        cost=error,
        total=total,
        groups=groups,
        factors=factors,
    )


def ellipsoid_robust_weights(
    mean: FloatArray,
    cov: FloatArray,
    radius: float,
    *,
    gamma: float,
    mean_cov: FloatArray | None = None,
    lower: FloatArray | float = 0.0,
    upper: FloatArray | float = 1.0,
    total: float | tuple[float, float] = 1.0,
    groups: GroupLimits | None = None,
    factors: FactorLimits | None = None,
) -> Solution:
    """Weights maximizing mean'w - radius * sqrt(w' Omega w) - gamma/2 w'Sigma w within the limits.

    The second term is the worst case of m'w over (m - mean)' Omega^-1 (m - mean) <= radius^2. With Omega = Sigma and no
    binding limits the answer is known: the Markowitz weights Sigma^-1 mean / gamma times max(1 - radius / S, 0),
    where S = sqrt(mean' Sigma^-1 mean) is the best Sharpe ratio: a radius above it leaves nothing worth holding.

    Parameters
    ----------
    mean : (n_names,) expected returns per period, as fractions
    cov : (n_names, n_names) Sigma, covariance per period
    radius : size of the ellipsoid, at least 0; ``ellipsoid_radius`` gives one
    gamma : risk aversion, above 0
    mean_cov : (n_names, n_names) Omega, shape of the error of the means; None takes Sigma
    lower, upper, total, groups, factors : limits as in ``parley.quant.frontier.min_variance``

    Raises
    ------
    ShapeError, SampleError, ParameterError : unusable input
    SolverError : no weights satisfy the limits (those in conflict are named), or Clarabel did not finish

    Source: Goldfarb and Iyengar (2003), Mathematics of Operations Research 28(1); Ceria and Stubbs (2006).
    """
    expected = checked_vector(mean, name="mean")
    n_names = len(expected)
    sigma = checked_covariance(cov, n_names)
    omega = sigma if mean_cov is None else checked_covariance(mean_cov, n_names)
    checked_above(gamma, 0.0, name="gamma")
    checked_at_least(radius, 0.0, name="radius")
    root = radius * _root(omega)
    scale = 1.0 / max(gamma * float(np.diag(sigma).max()), float(np.abs(expected).max()), 1e-12)
    limits = weights_program(gamma * scale * sigma, -scale * expected, lower, upper, total, groups, factors)
    size = max(float(np.abs(root).max()), 1e-300)
    # One more variable t >= |root w| / size, priced at its own size, in one second-order cone.
    P = np.zeros((n_names + 1, n_names + 1))
    P[:n_names, :n_names] = limits.P
    program = replace(
        limits,
        P=P,
        c=np.append(limits.c, scale * size),
        G=np.hstack([limits.G, np.zeros((len(limits.G), 1))]),
        low=np.append(limits.low, 0.0),
        high=np.append(limits.high, np.inf),
    )
    A = np.zeros((n_names + 1, n_names + 1))
    A[0, n_names] = -1.0
    A[1:, :n_names] = -root / size
    raw = solve_conic(program, [ConeRows(A, np.zeros(n_names + 1), "second_order")])
    weights = settled_weights(raw[:n_names], limits.low, limits.high, total_span(total))
    worst = expected @ weights - np.linalg.norm(root @ weights)
    return Solution(weights, "solved", float(worst - gamma / 2.0 * weights @ sigma @ weights))


def _root(omega: FloatArray) -> FloatArray:
    """A square root R with R'R = Omega; by eigenvalues, since a singular Omega has no Cholesky factor."""
    values, vectors = np.linalg.eigh(omega)
    return np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
