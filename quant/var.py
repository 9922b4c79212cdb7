"""Value at risk, expected shortfall, their split by name, beta and volatility; losses are positive."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from .arrays import (
    DAYS_PER_YEAR,
    FloatArray,
    checked_at_least,
    checked_fraction,
    checked_returns,
    checked_vector,
)
from .errors import SampleError

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class PortfolioVar:
    """One-day tail risk of a portfolio, in fractions of equity, positive when money is lost."""

    level: float
    historical_var: float
    historical_es: float
    normal_var: float
    normal_es: float
    component_var: FloatArray
    """(n_names,) Euler split of ``normal_var``: sums to it exactly; negative for a name that hedges."""


def historical_var(returns: FloatArray, level: float = 0.975) -> float:
    """The loss that ``level`` of the days did not exceed, positive when money is lost.

    Convention: with losses sorted upward, the one at place ceil(n_days * level), no interpolation
    (the lower quantile of Rockafellar and Uryasev; ``inverted_cdf`` in numpy's words). A sample whose
    tail still gains gives a negative number.

    Parameters
    ----------
    returns : (n_days,) simple daily returns of the portfolio, as fractions
    level : confidence, in (0, 1)

    Raises
    ------
    SampleError : a NaN or an infinity, or fewer days than ``1 / (1 - level)``
    """
    losses, k, _ = _sorted_losses(returns, level)
    return float(losses[k - 1])


def expected_shortfall(returns: FloatArray, level: float = 0.975) -> float:
    """Mean loss in the worst ``1 - level`` of days, positive when money is lost.

    A tail of a fractional number of days takes that fraction of the day at the VaR itself, so the
    measure is continuous in ``level`` and never below ``historical_var``.

    Parameters
    ----------
    returns : (n_days,) simple daily returns, as fractions
    level : confidence, in (0, 1)

    Raises
    ------
    SampleError : a NaN or an infinity, or fewer days than ``1 / (1 - level)``

    Source: Rockafellar and Uryasev (2002), J. Banking & Finance 26, proposition 8 (discrete form).
    """
    losses, k, tail_days = _sorted_losses(returns, level)
    at_var = losses[k - 1]
    # Excess over the VaR, not the plain mean: a constant sample then gives ES == VaR to the last bit.
    return float(at_var + (losses[k:] - at_var).sum() / tail_days)


def normal_var(mean: float, vol: float, level: float = 0.975) -> float:
    """VaR of a normal return with this mean and volatility (both for the same period), as a fraction.

    Raises
    ------
    ParameterError : a negative or infinite volatility, or a level outside (0, 1)

    Source: Jorion (2007), Value at Risk, 3rd ed., section 5.2.
    """
    z = _NORMAL.inv_cdf(checked_fraction(level, name="level"))
    return z * checked_at_least(vol, 0.0, name="vol") - mean


def normal_es(mean: float, vol: float, level: float = 0.975) -> float:
    """Expected shortfall of a normal return; same units, sign and errors as ``normal_var``.

    Source: McNeil, Frey and Embrechts (2015), Quantitative Risk Management, example 2.14.
    """
    z = _NORMAL.inv_cdf(checked_fraction(level, name="level"))
    return checked_at_least(vol, 0.0, name="vol") * _NORMAL.pdf(z) / (1.0 - level) - mean


def portfolio_var(weights: FloatArray, returns: FloatArray, level: float = 0.975) -> PortfolioVar:
    """Historical and normal one-day tail risk of fixed weights over the given history.

    Parameters
    ----------
    weights : (n_names,) signed fractions of equity; what they leave to 1 is cash
    returns : (n_days, n_names) simple daily returns, as fractions
    level : confidence, in (0, 1)

    Raises
    ------
    ShapeError : weights and returns of different widths
    SampleError : a NaN or an infinity, or fewer days than ``1 / (1 - level)``
    """
    matrix = checked_returns(returns, 2)
    held = checked_vector(weights, name="weights", length=matrix.shape[1])
    history = matrix @ held
    mean, vol = float(history.mean()), float(history.std(ddof=1))
    return PortfolioVar(
        level=level,
        historical_var=historical_var(history, level),
        historical_es=expected_shortfall(history, level),
        normal_var=normal_var(mean, vol, level),
        normal_es=normal_es(mean, vol, level),
        component_var=component_var(held, matrix, level),
    )


def component_var(weights: FloatArray, returns: FloatArray, level: float = 0.975) -> FloatArray:
    """How much of the portfolio's normal VaR each position contributes, (n_names,), summing to it.

    Parameters and errors as ``portfolio_var``; a portfolio without any risk contributes its means only.

    Source: Tasche (1999), "Risk contributions and performance measurement" (Euler's theorem).
    """
    matrix = checked_returns(returns, 2)
    held = checked_vector(weights, name="weights", length=matrix.shape[1])
    centered = matrix - matrix.mean(axis=0)
    with_portfolio = centered.T @ (centered @ held) / (len(matrix) - 1)
    vol = math.sqrt(max(float(held @ with_portfolio), 0.0))
    z = _NORMAL.inv_cdf(checked_fraction(level, name="level"))
    risk = z * with_portfolio / vol if vol > 0.0 else np.zeros_like(held)
    return held * (risk - matrix.mean(axis=0))


def component_es(weights: FloatArray, returns: FloatArray, level: float = 0.975) -> FloatArray:
    """How much of the portfolio's historical ES each position contributes, (n_names,), summing to it.

    The mean loss of each position over the portfolio's own tail days, the day at the VaR by its fraction.

    Parameters and errors as ``portfolio_var``.

    Source: Tasche (1999), "Risk contributions and performance measurement", section 5.
    """
    matrix = checked_returns(returns, 2)
    held = checked_vector(weights, name="weights", length=matrix.shape[1])
    history = matrix @ held
    _, k, tail_days = _sorted_losses(history, level)
    # Stable, so that tied days are taken oldest first and the split is the same on every machine.
    order = np.argsort(-history, kind="stable")
    beyond = order[k:]
    at_var = matrix[order[k - 1]]
    return -held * (at_var + (matrix[beyond] - at_var).sum(axis=0) / tail_days)


def marginal_var(weights: FloatArray, returns: FloatArray, level: float = 0.975) -> FloatArray:
    """Change of the portfolio's normal VaR per unit of weight added from cash, (n_names,).

    Parameters and errors as ``portfolio_var``, and SampleError for a portfolio without risk, where VaR has a kink.

    Source: Jorion (2007), Value at Risk, 3rd ed., section 7.2.1 (with the mean kept).
    """
    matrix = checked_returns(returns, 2)
    held = checked_vector(weights, name="weights", length=matrix.shape[1])
    centered = matrix - matrix.mean(axis=0)
    history = centered @ held
    vol = math.sqrt(float(history @ history) / (len(matrix) - 1))
    if vol <= 1e-13 * float(np.abs(matrix).max()):
        raise SampleError(
            "weights: the portfolio never moved, so its VaR has no slope",
            remedy="Use normal_var of each name: from cash, the first position's VaR is its own.",
        )
    z = _NORMAL.inv_cdf(checked_fraction(level, name="level"))
    return z * (centered.T @ history) / ((len(matrix) - 1) * vol) - matrix.mean(axis=0)


def incremental_var(weights: FloatArray, trade: FloatArray, returns: FloatArray, level: float = 0.975) -> float:
    """Normal VaR after adding the ``trade`` less the VaR before, exactly (not by the slope); negative for a hedge.

    Parameters
    ----------
    weights, trade : (n_names,) signed fractions of equity, both paid for with cash
    returns, level : as ``portfolio_var``, errors too

    Source: Jorion (2007), Value at Risk, 3rd ed., section 7.2.2.
    """
    matrix = checked_returns(returns, 2)
    held = checked_vector(weights, name="weights", length=matrix.shape[1])
    after = held + checked_vector(trade, name="trade", length=matrix.shape[1])
    return _sample_normal_var(matrix @ after, level) - _sample_normal_var(matrix @ held, level)


def beta(returns: FloatArray, market: FloatArray) -> FloatArray:
    """Least-squares slope of each name on the market, (n_names,), with the same ddof on both sides.

    Parameters
    ----------
    returns : (n_days, n_names) simple daily returns, as fractions
    market : (n_days,) simple daily returns of the market

    Raises
    ------
    ShapeError : histories of different lengths
    SampleError : fewer than 2 rows, a NaN or an infinity, or a market that never moved
    """
    matrix = checked_returns(returns, 2)
    factor = checked_vector(market, name="market", length=len(matrix))
    centered = factor - factor.mean()
    variance = float(centered @ centered)
    if variance <= 1e-26 * len(factor) * float(np.square(factor).max()):
        raise SampleError("market: never moves, so no beta exists", remedy="Check the market series.")
    return (centered @ matrix) / variance


def annual_volatility(returns: FloatArray) -> float:
    """Sample volatility (ddof 1) of (n_days,) daily returns times sqrt(252), as a fraction a year.

    The square root of time holds only without serial correlation (Lo 2002).

    Raises
    ------
    SampleError : fewer than 2 rows, a NaN or an infinity
    """
    series = checked_vector(returns, name="returns", min_rows=2)
    return float(series.std(ddof=1)) * math.sqrt(DAYS_PER_YEAR)


def _sample_normal_var(history: FloatArray, level: float) -> float:
    return normal_var(float(history.mean()), float(history.std(ddof=1)), level)


def _sorted_losses(returns: FloatArray, level: float) -> tuple[FloatArray, int, float]:
    """Losses upward, the 1-based place of the VaR, and the (fractional) number of days in the tail."""
    checked_fraction(level, name="level")
    # The small slack keeps 1 / (1 - 0.99) = 100.00000000000009 from asking for 101 days.
    series = checked_vector(returns, name="returns", min_rows=math.ceil(1.0 / (1.0 - level) - 1e-6))
    n_days = len(series)
    k = min(max(math.ceil(n_days * level - 1e-9), 1), n_days)
    return np.sort(-series), k, n_days * (1.0 - level)
