"""Factors made from the names themselves: momentum, volatility and beta, the high bought against the low."""

from __future__ import annotations

import numpy as np

from .arrays import FloatArray, checked_returns, checked_vector
from .errors import SampleError
from .factor_models import characteristic_factor
from .scores import MIN_BETA_DAYS, rolling_beta

CHARACTERISTICS = ("momentum", "volatility", "beta")
"""Each is high minus low: past winners, restless names, and names that follow the market closely."""

MOMENTUM_DAYS = 252
SKIP_DAYS = 21
VOLATILITY_DAYS = 63


def characteristic_factors(returns: FloatArray, market: FloatArray) -> FloatArray:
    """Daily returns of three long-short factors, (n_days - 252, 3), in the order of ``CHARACTERISTICS``.

    Row i is day 252 + i of the sample; what it holds was chosen at the close before, so nothing is known early.
    Momentum is the return from 252 to 21 days before, volatility the deviation of the last 63 days, beta the slope
    on the market over up to 252 days.

    Parameters
    ----------
    returns : (n_days > 253, n_names >= 2) simple daily returns, as fractions
    market : (n_days,) simple daily returns of the market

    Raises
    ------
    ShapeError : one name, or histories of different lengths
    SampleError : a NaN or an infinity, too few days, or a market that never moved

    Source: Jegadeesh and Titman (1993); Ang, Hodrick, Xing and Zhang (2006); Frazzini and Pedersen (2014), their
    sorts, over names of equal weight and with the sign of the characteristic.
    """
    matrix = checked_returns(returns, 2)
    if len(matrix) < MOMENTUM_DAYS + 2:
        raise SampleError(
            f"returns: found {len(matrix)} days, expected at least {MOMENTUM_DAYS + 2}: a year before the first day",
            remedy="Use a later day, give the data set a longer history, or give factors in a file.",
        )
    factor = checked_vector(market, name="market", length=len(matrix))
    first = MOMENTUM_DAYS - 1
    scores = (_momentum(matrix), _volatility(matrix), rolling_beta(matrix, factor)[first - (MIN_BETA_DAYS - 1) :])
    held = matrix[first:]
    return np.column_stack([characteristic_factor(held, score) for score in scores])


def _momentum(matrix: FloatArray) -> FloatArray:
    """Log return from 252 to 21 days before each day from the 252nd on."""
    running = np.vstack([np.zeros(matrix.shape[1]), np.cumsum(np.log1p(matrix), axis=0)])
    last = np.arange(MOMENTUM_DAYS, len(matrix) + 1)
    return running[last - SKIP_DAYS] - running[last - MOMENTUM_DAYS]


def _volatility(matrix: FloatArray) -> FloatArray:
    """Deviation of the last 63 days at each day from the 252nd on."""
    windows = np.lib.stride_tricks.sliding_window_view(matrix, VOLATILITY_DAYS, axis=0)
    return windows.std(axis=2, ddof=1)[MOMENTUM_DAYS - VOLATILITY_DAYS :]
