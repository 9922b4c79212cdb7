"""What trading costs: square-root impact before the trade, implementation shortfall after it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray, checked_above, checked_at_least, checked_vector
from .errors import ParameterError, SampleError

_BPS = 1e4


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Implementation shortfall of one parent order in basis points of its decision value; cost is positive.

    ``delay_bps + trading_bps + opportunity_bps + fee_bps == total_bps``.
    """

    delay_bps: float
    """Drift from the decision to the arrival of the order, on what was filled."""
    trading_bps: float
    """Fills against the arrival price: spread, impact and timing."""
    opportunity_bps: float
    """Drift from the decision to the closing mark, on what was never filled."""
    fee_bps: float
    total_bps: float
    filled_frac: float


@dataclass(frozen=True, slots=True)
class ImpactFit:
    """The square-root law as measured on our own orders."""

    y: float
    """The prefactor for ``impact_frac``; may come out negative when the sample says nothing."""
    y_std_error: float
    """Robust to unequal noise (HC1)."""
    fixed_cost_vols: float
    """Cost that does not depend on size, in daily standard deviations: spread and slippage."""
    r_squared: float
    n_orders: int


def impact_frac(participation: float, daily_vol_frac: float, y: float = 1.0) -> float:
    """Price impact of an order as a fraction of price, never negative: y * sigma * sqrt(Q / V).

    Parameters
    ----------
    participation : order quantity over average daily volume, Q / V, at least 0
    daily_vol_frac : sigma, daily volatility as a fraction
    y : the prefactor, of order one; a calibration, not a constant of nature

    Raises
    ------
    ParameterError : a negative, NaN or infinite argument

    Source: Grinold and Kahn (1999), Active Portfolio Management, ch. 16; Tóth et al. (2011), Phys. Rev. X 1.
    """
    checked_at_least(participation, 0.0, name="participation")
    checked_at_least(daily_vol_frac, 0.0, name="daily_vol_frac")
    return checked_at_least(y, 0.0, name="y") * daily_vol_frac * math.sqrt(participation)


def expected_cost_frac(
    half_spread_frac: float, fee_frac: float, daily_vol_frac: float, participation: float, y: float = 1.0
) -> float:
    """Expected one-way cost of an order as a fraction of its value: half spread + fee + impact.

    A fee may be negative (a maker rebate); everything else must be at least 0.

    Raises
    ------
    ParameterError : a negative spread, volatility or participation, or a NaN
    """
    if not math.isfinite(fee_frac):
        raise ParameterError(f"fee_frac: found {fee_frac}, expected a finite fraction")
    checked_at_least(half_spread_frac, 0.0, name="half_spread_frac")
    return half_spread_frac + fee_frac + impact_frac(participation, daily_vol_frac, y)


def calibrate_impact(
    cost_frac: FloatArray, participation: FloatArray, daily_vol_frac: FloatArray, exponent: float = 0.5
) -> ImpactFit:
    """The prefactor y of the impact law, by regression over executed parent orders.

    cost / sigma = fixed + y (Q / V)^exponent + noise: dividing by sigma makes the noise of calm and stormy
    days alike.

    Parameters
    ----------
    cost_frac : (n_orders >= 10,) trading cost against arrival as a fraction of price, positive when paid
    participation : (n_orders,) order quantity over average daily volume, above 0, not all alike
    daily_vol_frac : (n_orders,) daily volatility known before the order, as a fraction, above 0
    exponent : 0.5 for the square-root law; in (0, 1]

    Raises
    ------
    SampleError : fewer than 10 orders, a NaN, or participations that do not differ
    ShapeError : lengths that differ
    ParameterError : an exponent outside (0, 1], a participation or volatility not above 0

    Source: Almgren, Thum, Hauptmann and Li (2005), "Direct estimation of equity market impact", Risk 18, for
    the scaled regression; White (1980), Econometrica 48, for the standard error.
    """
    if not 0.0 < exponent <= 1.0:
        raise ParameterError(f"exponent: found {exponent}, expected a number in (0, 1]")
    costs = checked_vector(cost_frac, name="cost_frac", min_rows=10)
    sizes = checked_vector(participation, name="participation", length=len(costs))
    vols = checked_vector(daily_vol_frac, name="daily_vol_frac", length=len(costs))
    checked_above(float(sizes.min()), 0.0, name="lowest participation")
    checked_above(float(vols.min()), 0.0, name="lowest daily_vol_frac")
    x, target = sizes**exponent, costs / vols
    spread = x - x.mean()
    power = float(spread @ spread)
    if power <= 1e-12 * len(x) * float(x.mean()) ** 2:
        raise SampleError(
            f"participation: all {len(x)} orders have a size of about {sizes.mean():.3g} of daily volume",
            remedy="The law needs small and large orders; calibrate over more of them.",
        )
    y = float(spread @ target) / power
    fixed = float(target.mean() - y * x.mean())
    noise = target - fixed - y * x
    error = math.sqrt(float(np.square(spread * noise).sum()) * len(x) / (len(x) - 2)) / power
    total = float(np.square(target - target.mean()).sum())
    explained = 1.0 - float(noise @ noise) / total if total > 0.0 else 0.0
    return ImpactFit(y, error, fixed, explained, len(x))


def implementation_shortfall(
    *,
    side: int,
    quantity: float,
    decision_price: float,
    arrival_price: float,
    fill_prices: FloatArray,
    fill_quantities: FloatArray,
    closing_price: float,
    fees: float = 0.0,
) -> Shortfall:
    """The paper portfolio minus the real one, split into delay, trading, missed opportunity and fees.

    Parameters
    ----------
    side : +1 to buy, -1 to sell
    quantity : what was decided, in shares, above 0
    decision_price, arrival_price, closing_price : the mid when it was decided, when the order arrived,
        and when the remainder was given up
    fill_prices, fill_quantities : (n_fills,) executed, quantities positive; empty when nothing was filled
    fees : cash paid on all fills

    Raises
    ------
    ParameterError : a side other than +1 or -1, a price not above 0, or more filled than decided
    ShapeError, SampleError : fills of different lengths, or with a NaN

    Source: Perold (1988), "The implementation shortfall: paper versus reality", J. Portfolio Management 14.
    """
    if side not in (1, -1):
        raise ParameterError(f"side: found {side}, expected +1 (buy) or -1 (sell)")
    checked_above(quantity, 0.0, name="quantity")
    for name, price in (("decision", decision_price), ("arrival", arrival_price), ("closing", closing_price)):
        checked_above(price, 0.0, name=f"{name}_price")
    sizes = checked_vector(fill_quantities, name="fill_quantities", min_rows=0)
    prices = checked_vector(fill_prices, name="fill_prices", length=len(sizes), min_rows=0)
    filled = float(sizes.sum())
    if (len(sizes) and sizes.min() <= 0.0) or filled > quantity * (1.0 + 1e-9):
        raise ParameterError(
            f"fill_quantities: found {sizes.tolist()}, expected positive sizes of at most {quantity} in all",
            remedy="Drop duplicate execution reports before measuring the cost.",
        )
    bps = _BPS / (quantity * decision_price)
    delay = side * (arrival_price - decision_price) * filled * bps
    trading = side * float((prices - arrival_price) @ sizes) * bps
    missed = side * (closing_price - decision_price) * max(quantity - filled, 0.0) * bps
    fee = fees * bps
    return Shortfall(delay, trading, missed, fee, delay + trading + missed + fee, filled / quantity)
