"""Trading frictions of many names at once, from daily bars alone: Amihud's illiquidity and Roll's spread."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, checked_matrix
from .errors import SampleError, ShapeError

LEAST_DAYS = 4


def amihud_by_name(close: npt.ArrayLike, volume: npt.ArrayLike) -> FloatArray:
    """(n_names,) mean of ``|return| / traded value`` over the days with volume, 1 per unit of cash.

    The same as `tape.amihud_illiquidity` per name. NaN, the one answer for many names at once, where a name has no
    day with both a return and a volume.

    Parameters
    ----------
    close : (n_days >= 4, n_names) prices above 0, without gaps, oldest first
    volume : (n_days, n_names) traded size, at least 0; NaN or 0 for a day that is left out

    Raises
    ------
    SampleError : too few days, a NaN or a price not above 0 among closes, or a negative volume
    ShapeError : inputs that differ in shape

    Source: Amihud (2002), J. Financial Markets 5(1), equation 1.
    """
    prices = _checked_prices(close)
    sizes = np.asarray(volume, dtype=np.float64)
    if sizes.shape != prices.shape:
        raise ShapeError(f"volume: found shape {sizes.shape}, expected {prices.shape} as close")
    traded = prices[1:] * np.nan_to_num(sizes[1:], nan=0.0)
    if traded.min() < 0.0:
        raise SampleError("volume: found a negative one, expected at least 0", remedy="Check the feed.")
    counted = traded > 0.0
    moves = np.abs(prices[1:] / prices[:-1] - 1.0)
    total = np.divide(moves, traded, out=np.zeros_like(moves), where=counted).sum(axis=0)
    n_days = counted.sum(axis=0)
    return np.where(n_days > 0, total / np.maximum(n_days, 1), np.nan)


def roll_by_name(close: npt.ArrayLike) -> FloatArray:
    """(n_names,) Roll's spread as a fraction: ``2 * sqrt(-cov(return_t, return_(t-1)))``, ddof 1.

    From returns, as the paper does, so that names compare; `tape.roll_spread` is in price. NaN where the covariance is
    not negative: a trend outweighs the bounce, and the model has no answer for the name.

    Parameters
    ----------
    close : (n_days >= 4, n_names) prices above 0, without gaps, oldest first

    Raises
    ------
    SampleError : too few days, a NaN, or a price not above 0

    Source: Roll (1984), J. Finance 39(4), equation 6 and section II.
    """
    prices = _checked_prices(close)
    returns = prices[1:] / prices[:-1] - 1.0
    late, early = returns[1:], returns[:-1]
    covariance = ((late - late.mean(axis=0)) * (early - early.mean(axis=0))).sum(axis=0) / (len(late) - 1)
    return np.where(covariance < 0.0, 2.0 * np.sqrt(np.maximum(-covariance, 0.0)), np.nan)


def _checked_prices(close: npt.ArrayLike) -> FloatArray:
    prices = checked_matrix(close, name="close", min_rows=LEAST_DAYS)
    if prices.min() <= 0.0:
        raise SampleError(f"close: found {prices.min()}, expected prices above 0", remedy="Check the feed.")
    return prices
