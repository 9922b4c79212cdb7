"""How names fall together: Gaussian and t copulas, fitted by Kendall's tau, simulated, and their tail dependence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .arrays import FloatArray, checked_above, checked_matrix, checked_vector
from .definite import nearest_psd
from .errors import ParameterError, SampleError, ShapeError
from .var import expected_shortfall, historical_var
from .var_models import TailRisk

MIN_ROWS = 60
MIN_DOF = 1.0
MAX_DOF = 200.0
"""Bounds of the search; at the upper one the t copula is a Gaussian copula for every practical end."""

_LOWEST_ROOT = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Copula:
    """A Gaussian copula, or a t copula when ``dof`` is a number."""

    correlation: FloatArray
    """(n_names, n_names), positive definite."""
    dof: float | None
    log_likelihood: float
    """Of the pseudo-observations."""


def pseudo_observations(returns: FloatArray) -> FloatArray:
    """Ranks over n_days + 1, (n_days, n_names) in (0, 1); ties share their mean rank.

    Raises
    ------
    SampleError : fewer than 60 rows, a NaN or an infinity, or a name that never moves
    """
    from scipy.stats import rankdata

    matrix = checked_matrix(returns, name="returns", min_rows=MIN_ROWS)
    still = np.flatnonzero(np.ptp(matrix, axis=0) <= 0.0)
    if len(still):
        raise SampleError(
            f"returns: columns {still.tolist()} never move, so they have no rank",
            remedy="Leave cash-like instruments out of the copula.",
        )
    return np.asarray(rankdata(matrix, axis=0), dtype=np.float64) / (len(matrix) + 1.0)


def kendall_correlation(returns: FloatArray) -> FloatArray:
    """The correlation of any elliptical copula, sin(pi tau / 2) of each pair, (n_names, n_names).

    Pairwise estimates need not fit together; eigenvalues below zero are raised (``nearest_psd``).

    Raises
    ------
    ShapeError : fewer than two names
    SampleError : as ``pseudo_observations``, or two names in the same or the opposite order on every day

    Source: Lindskog, McNeil and Schmock (2003), "Kendall's tau for elliptical distributions", theorem 2 (tau-b here).
    """
    ranks = pseudo_observations(returns)
    n_names = ranks.shape[1]
    if n_names < 2:
        raise ShapeError(f"returns: found {n_names} name, expected two or more")
    tau = _kendall(ranks)
    linked = np.argwhere(np.abs(np.tril(tau, -1)) > 1.0 - 1e-9)
    if len(linked):
        i, j = linked[0].tolist()
        raise SampleError(
            f"returns: columns {j} and {i} move in lockstep (tau {tau[i, j]:.3f}), so they are one name",
            remedy="Drop one of the two.",
        )
    correlation = np.sin(0.5 * np.pi * tau)
    np.fill_diagonal(correlation, 1.0)
    if np.linalg.eigvalsh(correlation)[0] < _LOWEST_ROOT:
        correlation = nearest_psd(correlation, _LOWEST_ROOT)
    return correlation


def fit_gaussian_copula(returns: FloatArray) -> Copula:
    """Gaussian copula with the correlation of Kendall's tau; arguments and errors as ``kendall_correlation``.

    Source: McNeil, Frey and Embrechts (2015), section 7.5.1 (method of moments by rank correlation).
    """
    correlation = kendall_correlation(returns)
    value = copula_log_likelihood(pseudo_observations(returns), correlation, None)
    return Copula(correlation, None, value)


def fit_t_copula(returns: FloatArray) -> Copula:
    """t copula: correlation by Kendall's tau, then degrees of freedom in [1, 200] by maximum likelihood.

    Parameters
    ----------
    returns : (n_days, n_names) daily returns or surprises; only their ranks matter

    Errors as ``kendall_correlation``. Source: Demarta and McNeil (2005), International Statistical Review 73, 4.2.
    """
    from scipy.optimize import minimize_scalar

    correlation = kendall_correlation(returns)
    ranks = pseudo_observations(returns)
    best: Any = minimize_scalar(
        lambda log_dof: -copula_log_likelihood(ranks, correlation, math.exp(log_dof)),
        bounds=(math.log(MIN_DOF), math.log(MAX_DOF)),
        method="bounded",
        options={"xatol": 1e-5},
    )
    return Copula(correlation, math.exp(float(best.x)), -float(best.fun))


def copula_log_likelihood(uniforms: FloatArray, correlation: FloatArray, dof: float | None) -> float:
    """Log density of a Gaussian (``dof`` None) or t copula, summed over the rows of ``uniforms``.

    Parameters
    ----------
    uniforms : (n_days, n_names) strictly between 0 and 1
    correlation : (n_names, n_names), positive definite
    dof : above 0, or None

    Raises
    ------
    ParameterError : uniforms outside (0, 1), or degrees of freedom of 0 or less
    SampleError : a correlation that is not positive definite

    Source: Demarta and McNeil (2005), equations 4 and 5.
    """
    from scipy.special import gammaln, ndtri, stdtrit

    u = checked_matrix(uniforms, name="uniforms")
    if u.min() <= 0.0 or u.max() >= 1.0:
        raise ParameterError(f"uniforms: found {u.min():g} to {u.max():g}, expected strictly between 0 and 1")
    n_days, n_names = u.shape
    factor = _factor(correlation, n_names)
    log_det = 2.0 * float(np.log(np.diag(factor)).sum())
    x = ndtri(u) if dof is None else stdtrit(checked_above(dof, 0.0, name="dof"), u)
    white = np.linalg.solve(factor, x.T)
    joint, single = np.square(white).sum(axis=0), np.square(x)
    if dof is None:
        return float(-0.5 * (joint.sum() - single.sum()) - 0.5 * n_days * log_det)
    log_constant = float(
        gammaln(0.5 * (dof + n_names)) + (n_names - 1) * gammaln(0.5 * dof) - n_names * gammaln(0.5 * (dof + 1.0))
    )
    kernel = -0.5 * (dof + n_names) * np.log1p(joint / dof).sum() + 0.5 * (dof + 1.0) * np.log1p(single / dof).sum()
    return float(kernel + n_days * (log_constant - 0.5 * log_det))


def simulate_copula(copula: Copula, n_paths: int, rng: np.random.Generator) -> FloatArray:
    """Uniforms (n_paths, n_names) with the copula's dependence.

    Raises
    ------
    ParameterError : no paths
    SampleError : a correlation that is not positive definite

    Source: McNeil, Frey and Embrechts (2015), algorithms 7.10 and 7.11.
    """
    from scipy.special import ndtr, stdtr

    if n_paths < 1:
        raise ParameterError(f"n_paths: found {n_paths}, expected 1 or more")
    n_names = len(copula.correlation)
    x = rng.standard_normal((n_paths, n_names)) @ _factor(copula.correlation, n_names).T
    if copula.dof is None:
        return np.asarray(ndtr(x))
    x *= np.sqrt(copula.dof / rng.chisquare(copula.dof, n_paths))[:, None]
    return np.asarray(stdtr(copula.dof, x))


def copula_tail(
    copula: Copula,
    weights: FloatArray,
    returns: FloatArray,
    rng: np.random.Generator,
    *,
    level: float = 0.975,
    n_paths: int = 100_000,
) -> TailRisk:
    """Simulated tail of a portfolio whose names keep their own histories and fall together as the copula says.

    Parameters
    ----------
    weights : (n_names,) signed fractions of equity
    returns : (n_days, n_names) simple daily returns: each column is that name's law (inverted_cdf quantiles)

    Raises
    ------
    ShapeError : names that do not fit the copula's
    SampleError : a NaN or an infinity, or fewer paths than ``1 / (1 - level)``
    """
    matrix = checked_matrix(returns, name="returns", min_rows=MIN_ROWS)
    n_days, n_names = matrix.shape
    if n_names != len(copula.correlation):
        raise ShapeError(f"returns: found {n_names} names, expected the copula's {len(copula.correlation)}")
    held = checked_vector(weights, name="weights", length=n_names)
    uniforms = simulate_copula(copula, n_paths, rng)
    places = np.clip(np.ceil(uniforms * n_days).astype(np.int64) - 1, 0, n_days - 1)
    outcome = np.take_along_axis(np.sort(matrix, axis=0), places, axis=0) @ held
    return TailRisk(level, historical_var(outcome, level), expected_shortfall(outcome, level))


def tail_dependence(correlation: float, dof: float | None) -> float:
    """Chance that one name is beyond its far quantile given that the other is, in the limit; the same in both tails.

    Parameters
    ----------
    correlation : in [-1, 1]
    dof : of the t copula, above 0; None for the Gaussian, which has none below correlation 1

    Raises
    ------
    ParameterError : a value out of range

    Source: Demarta and McNeil (2005), equation 6.
    """
    from scipy.special import stdtr

    if not -1.0 <= correlation <= 1.0:
        raise ParameterError(f"correlation: found {correlation}, expected -1 to 1")
    if correlation == 1.0 or correlation == -1.0:
        return float(correlation == 1.0)
    if dof is None:
        return 0.0
    checked_above(dof, 0.0, name="dof")
    at = -math.sqrt((dof + 1.0) * (1.0 - correlation) / (1.0 + correlation))
    return 2.0 * float(stdtr(dof + 1.0, at))


def _kendall(ranks: FloatArray) -> FloatArray:
    """Kendall's tau-b of every pair of columns: concordant less discordant pairs of days, over the untied ones.

    All columns at once: the signs against the days before, multiplied, count every pair of days once.
    """
    counts = np.zeros((ranks.shape[1], ranks.shape[1]))
    for day in range(1, len(ranks)):
        signs = np.sign(ranks[day] - ranks[:day])
        counts += signs.T @ signs
    untied = np.sqrt(np.diag(counts))
    return counts / np.outer(untied, untied)


def _factor(correlation: FloatArray, n_names: int) -> FloatArray:
    matrix = checked_matrix(correlation, name="correlation")
    if matrix.shape != (n_names, n_names):
        raise ShapeError(f"correlation: found shape {matrix.shape}, expected ({n_names}, {n_names})")
    try:
        return np.asarray(np.linalg.cholesky(matrix), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise SampleError(
            f"correlation: found the eigenvalue {np.linalg.eigvalsh(matrix)[0]:.3e}, expected all above 0",
            remedy="Repair it with parley.quant.definite.nearest_psd first.",
        ) from None
