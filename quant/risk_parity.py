"""Risk parity: how much of the risk each name carries, and the weights for which that is as budgeted."""

from __future__ import annotations

import numpy as np

from .arrays import FloatArray, checked_above, checked_vector
from .definite import checked_covariance
from .errors import SampleError, SolverError

_MOST_STEPS = 100
_TOLERANCE = 1e-12
_ENOUGH_DECREASE = 0.1


def risk_shares(weights: FloatArray, cov: FloatArray) -> FloatArray:
    """The share of the portfolio's variance (and volatility) that each position carries, (n_names,), summing to 1.

    Parameters
    ----------
    weights : (n_names,) signed fractions of equity; a hedge has a negative share
    cov : (n_names, n_names) covariance per period

    Raises
    ------
    ShapeError, SampleError : input that does not fit, a NaN, or a portfolio without variance

    Source: Maillard, Roncalli and Teiletche (2010), J. of Portfolio Management 36(4), equation 2: w_i (Sigma w)_i
    over w'Sigma w.
    """
    sigma = checked_covariance(cov)
    held = checked_vector(weights, name="weights", length=len(sigma))
    parts = held * (sigma @ held)
    variance = float(parts.sum())
    if variance <= 0.0:
        raise SampleError(
            f"weights: found a portfolio of variance {variance:.3e}, expected above zero",
            remedy="Shares of no risk have no meaning; ask for a portfolio that holds something risky.",
        )
    return parts / variance


def risk_budget_weights(cov: FloatArray, budgets: FloatArray | None = None, *, total: float = 1.0) -> FloatArray:
    """The long-only weights (n_names,) whose risk shares are the budgets; equal shares by default (ERC).

    They are the unique minimum of y'Cy/2 - budgets'log(y) over y > 0, C being the correlation and y the weights
    times their volatilities, scaled to the total. Newton steps are damped until the decrement is small.

    Parameters
    ----------
    cov : (n_names, n_names) covariance per period, every variance above 0
    budgets : (n_names,) wanted shares of risk, above 0; scaled to sum to 1
    total : what the weights sum to, above 0

    Raises
    ------
    ShapeError, ParameterError : budgets that do not fit, or a total that is not positive
    SampleError : a NaN, a covariance that is not positive semidefinite, a name without variance, or a budget
        that is not positive
    SolverError : no long-only weights carry risk in these shares (a perfect long-only hedge)

    Source: Spinu (2013), "An algorithm for computing risk parity weights" (SSRN 2297383); Roncalli (2013),
    Introduction to Risk Parity and Budgeting, section 2.2.
    """
    sigma = checked_covariance(cov)
    checked_above(total, 0.0, name="total")
    shares = _checked_budgets(budgets, len(sigma))
    variance = np.diag(sigma)
    if variance.min() <= 0.0:
        raise SampleError(
            f"cov: name {int(variance.argmin())} has variance {variance.min():.3e}, expected above zero",
            remedy="Leave cash-like instruments out: no weight gives them a share of the risk.",
        )
    vol = np.sqrt(variance)
    weights = _balanced(sigma / np.outer(vol, vol), shares) / vol
    return weights * (total / weights.sum())


def _balanced(correlation: FloatArray, shares: FloatArray) -> FloatArray:
    """Newton on the logarithmic barrier; the gradient times y is each name's risk less its share."""
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    y = np.sqrt(shares)
    # At the solution y'Cy is exactly one: the start is put on that surface when the direction has any risk.
    y /= np.sqrt(max(float(y @ correlation @ y), 1e-6))
    diagonal = np.arange(len(y))
    risk = correlation @ y
    for _ in range(_MOST_STEPS):
        gradient = risk - shares / y
        if np.abs(gradient * y).max() <= _TOLERANCE:
            return y
        hessian = correlation.copy()
        hessian[diagonal, diagonal] += shares / np.square(y)
        try:
            factor = cho_factor(hessian, lower=True, overwrite_a=True, check_finite=False)
        except LinAlgError:
            break
        step = cho_solve(factor, gradient, check_finite=False)
        length = _length(y, step, risk, correlation @ step, shares, float(gradient @ step))
        if length == 0.0:
            break
        y = y - length * step
        risk = correlation @ y
    gap = float(np.abs(y * risk - shares).max())
    if gap <= 1e3 * _TOLERANCE:
        return y
    raise SolverError(
        f"the risk budgets were met to {gap:.3e} of the total risk only, expected {_TOLERANCE:.0e}",
        remedy="Some long-only mix has almost no risk: drop the name that hedges it, or shrink the covariance.",
    )


def _length(
    y: FloatArray, step: FloatArray, risk: FloatArray, bent: FloatArray, shares: FloatArray, slope: float
) -> float:
    """The share of the Newton step to take: all of it when it stays inside and lowers the barrier function."""
    length = min(1.0, 0.95 / max(float((step / y).max()), 1e-300))
    while length > 1e-10:
        # The change of the function itself, not the difference of two values, so that rounding never stalls it.
        linear = -length * float(risk @ step) + length**2 / 2.0 * float(step @ bent)
        change = linear - float(shares @ np.log1p(-length * step / y))
        if change <= -_ENOUGH_DECREASE * length * slope + 1e-16:
            return length
        length /= 2.0
    return 0.0


def _checked_budgets(budgets: FloatArray | None, n_names: int) -> FloatArray:
    if budgets is None:
        return np.full(n_names, 1.0 / n_names)
    shares = checked_vector(budgets, name="budgets", length=n_names)
    if shares.min() <= 0.0:
        raise SampleError(
            f"budgets: the lowest is {shares.min()}, expected every share of risk above zero",
            remedy="A name that may carry no risk is left out of the covariance instead.",
        )
    return shares / shares.sum()
