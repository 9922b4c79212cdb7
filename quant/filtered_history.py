"""History at today's volatility: past returns rescaled name by name, so that a calm year does not hide a wild week."""

from __future__ import annotations

import numpy as np

from .arrays import FloatArray, checked_returns, checked_vector
from .errors import ParameterError, SampleError
from .var import historical_var
from .volatility import RISKMETRICS_DECAY, ewma_path

WARMUP_DAYS = 21
"""First days that only feed the volatility forecast: what rests on fewer is noise."""


def rescaled_returns(
    returns: FloatArray, decay: float = RISKMETRICS_DECAY, warmup_days: int = WARMUP_DAYS
) -> FloatArray:
    """Each return over the EWMA volatility foreseen for its day, times that foreseen for tomorrow.

    Name by name, and so free of any weights: the loss of a book over these rows is linear in its weights, and a
    bigger position can never lower a VaR that counts losses only. The correlation of the past is kept. Days before a
    name's first move, and that move, are taken as they were.

    Parameters
    ----------
    returns : (n_days, n_names) simple daily returns, as fractions, oldest first
    decay : of the EWMA, in (0, 1)
    warmup_days : rows used up by the first forecasts, from 1 to n_days - 1

    Returns
    -------
    (n_days - warmup_days, n_names) returns as they would be tomorrow, oldest first

    Raises
    ------
    ShapeError, SampleError : not a matrix of returns, a NaN or an infinity, or a name that never moved
    ParameterError : a decay or a warm-up out of range

    Source: Hull and White (1998), J. of Risk 1, with RiskMetrics' volatility for every name.
    """
    matrix = checked_returns(returns, 2)
    if not 1 <= warmup_days < len(matrix):
        raise ParameterError(f"warmup_days: found {warmup_days}, expected 1 to {len(matrix) - 1}")
    vols = ewma_path(matrix, decay)
    past = vols[warmup_days - 1 : -1]
    still = np.flatnonzero(vols[-1] <= 0.0)
    if len(still):
        raise SampleError(
            f"returns: columns {still.tolist()} stood still on all {len(matrix)} days, so they have no scale",
            remedy="Leave out names without a price, or use historical_var of the returns as they were.",
        )
    # Until a name has moved nothing is known of its scale: its first move counts as it was.
    scale = np.divide(vols[-1], past, out=np.ones_like(past), where=past > 0.0)
    return matrix[warmup_days:] * scale


def filtered_var(weights: FloatArray, returns: FloatArray, level: float = 0.99) -> float:
    """Historical VaR of fixed weights over ``rescaled_returns``, positive when money is lost.

    Parameters
    ----------
    weights : (n_names,) signed fractions of equity
    returns : (n_days, n_names) simple daily returns; 21 more than ``1 / (1 - level)``

    Errors as ``rescaled_returns`` and ``historical_var``. Source: as ``rescaled_returns``.
    """
    rows = rescaled_returns(returns)
    return historical_var(rows @ checked_vector(weights, name="weights", length=rows.shape[1]), level)


def filtered_loss_var(weights: FloatArray, returns: FloatArray, level: float = 0.99) -> float:
    """As ``filtered_var``, with each day's losses added up without that day's gains: no hedge is believed in.

    It never falls when a weight grows in size, and is never below ``filtered_var``.
    """
    rows = rescaled_returns(returns)
    held = checked_vector(weights, name="weights", length=rows.shape[1])
    return historical_var(np.minimum(rows * held, 0.0).sum(axis=1), level)
