"""What holding a government bond earned, from nothing but the curve of par yields: bought at par, repriced, rolled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, checked_above, checked_matrix, checked_vector
from .errors import ParameterError, SampleError, ShapeError

COUPONS_A_YEAR = 2
DAYS_A_YEAR = 365.25


def bond_price(coupon: npt.ArrayLike, par_yield: npt.ArrayLike, years: npt.ArrayLike) -> FloatArray:
    """Price with accrued interest of a bond of face 1, discounted at one yield with half-yearly compounding.

    Parameters
    ----------
    coupon : yearly coupon rate, a fraction
    par_yield : yearly yield, a fraction above -1
    years : time to maturity, above 0; part of a coupon period is discounted for that part

    Raises
    ------
    SampleError : a yield at or below -1, a maturity that is over, a NaN

    Source: Fabozzi (2012), Bond Markets, Analysis and Strategies, ch. 2: the street convention.
    """
    rate, yields, left = (np.asarray(item, dtype=np.float64) for item in (coupon, par_yield, years))
    if not (np.isfinite(rate).all() and (yields > -1.0).all() and (left > 0.0).all()):
        raise SampleError("coupon, par_yield, years: expected finite rates, yields above -1 and maturities above 0")
    periods = left * COUPONS_A_YEAR
    # Whole periods after the next coupon; a maturity of whole periods has its next coupon a whole period away.
    after = np.ceil(np.round(periods, 9)) - 1.0
    discount = 1.0 / (1.0 + yields / COUPONS_A_YEAR)
    flat = np.abs(yields) < 1e-12
    shrink = np.where(flat, 1.0, 1.0 - discount)
    annuity = np.where(flat, after + 1.0, (1.0 - discount ** (after + 1.0)) / shrink)
    return discount ** (periods - after) * (rate / COUPONS_A_YEAR * annuity + discount**after)


def par_bond_returns(
    days: npt.NDArray[np.datetime64], yields: npt.ArrayLike, tenors: npt.ArrayLike, maturity: float
) -> FloatArray:
    """Daily returns (n_days - 1,) of a bond bought at par each day, sold the next at that day's curve, and rolled.

    The coupon is the par yield of the day it is bought; the next day it is a little shorter, and is priced at the par
    yield of that maturity, straight between the two tenors around it: coupon, change of yield and roll-down are in it.

    Parameters
    ----------
    days : (n_days >= 2,) datetime64[D], increasing
    yields : (n_days, n_tenors) par yields, as fractions a year
    tenors : (n_tenors >= 2,) in years, increasing, the shortest well below ``maturity``
    maturity : years of the bond that is bought, within the tenors

    Raises
    ------
    ShapeError, SampleError : arrays that do not fit, a NaN, days or tenors that do not increase
    ParameterError : a maturity outside the tenors

    Source: Swinkels (2019), "Treasury bond return data starting in 1962", Data 4(3), 91, repriced instead of by
    duration and convexity.
    """
    curve = checked_matrix(yields, name="yields", min_rows=2)
    grid = checked_vector(tenors, name="tenors", length=curve.shape[1], min_rows=2)
    if len(days) != len(curve):
        raise ShapeError(f"days: found {len(days)}, expected {len(curve)}, one a row of yields")
    gaps = np.diff(days).astype("timedelta64[D]").astype(np.float64) / DAYS_A_YEAR
    if (gaps <= 0.0).any() or (np.diff(grid) <= 0.0).any():
        raise SampleError("days, tenors: expected both to increase", remedy="Sort them and drop repeats.")
    checked_above(maturity, float(grid[0]), name="maturity")
    if maturity > grid[-1] or maturity - gaps.max() < grid[0]:
        raise ParameterError(f"maturity: found {maturity} years, expected it inside the tenors {grid.tolist()}")
    coupon = _at(curve[:-1], grid, np.full(len(gaps), maturity))
    left = maturity - gaps
    return bond_price(coupon, _at(curve[1:], grid, left), left) - 1.0


def _at(curve: FloatArray, tenors: FloatArray, years: FloatArray) -> FloatArray:
    """Each row's yield (n_rows,) at its own maturity, straight between the tenors around it."""
    upper = np.clip(np.searchsorted(tenors, years, side="left"), 1, len(tenors) - 1)
    rows = np.arange(len(curve))
    share = (years - tenors[upper - 1]) / (tenors[upper] - tenors[upper - 1])
    return curve[rows, upper - 1] * (1.0 - share) + curve[rows, upper] * share
