"""What it costs, and how long it takes, to get out: spreads, liquidation time, impact and liquidity VaR."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from .arrays import FloatArray, checked_above, checked_at_least, checked_fraction, checked_vector
from .errors import ParameterError, SampleError
from .impact import impact_frac


@dataclass(frozen=True, slots=True)
class LiquidityShock:
    """A market in which nobody wants the other side; the defaults triple spreads and cut volume to a third."""

    spread_multiple: float = 3.0
    volume_divisor: float = 3.0
    vol_multiple: float = 1.0

    def __post_init__(self) -> None:
        checked_at_least(self.spread_multiple, 1.0, name="spread_multiple")
        checked_at_least(self.volume_divisor, 1.0, name="volume_divisor")
        checked_at_least(self.vol_multiple, 1.0, name="vol_multiple")


@dataclass(frozen=True, slots=True)
class Liquidation:
    """Selling a whole book at a share of volume: time, and expected cost in cash, positive; one entry per name."""

    days: FloatArray
    """Trading days until each position is gone, with fractions."""
    spread_cost: FloatArray
    impact_cost: FloatArray
    timing_risk: FloatArray
    """One standard deviation of what prices do to each position while it is sold, cash."""

    @property
    def total_cost(self) -> float:
        """Expected cash cost of the whole book; timing risk has no expectation."""
        return float(self.spread_cost.sum() + self.impact_cost.sum())

    @property
    def last_day(self) -> float:
        """Trading days until everything is gone."""
        return float(self.days.max())


@dataclass(frozen=True, slots=True)
class LiquidityVar:
    """Value at risk of a position that has to pay the spread on its way out; cash, positive for a loss."""

    price_var: float
    spread_cost: float
    total: float


def spread_cost(values: FloatArray, spreads_frac: FloatArray) -> float:
    """Cash cost of crossing half the spread on every position: sum of |value| spread / 2.

    Parameters
    ----------
    values : (n_names,) signed cash values
    spreads_frac : (n_names,) (ask - bid) / mid, at least 0

    Raises
    ------
    ShapeError, SampleError : lengths that differ, a NaN, or a negative spread

    Source: Hull (2018), Risk Management and Financial Institutions, 5th ed., section 24.1.1.
    """
    cash = checked_vector(values, name="values")
    return float(np.abs(cash) @ _checked_nonnegative(spreads_frac, "spreads_frac", len(cash))) / 2.0


def stressed_spread_cost(
    values: FloatArray, spreads_frac: FloatArray, spread_stds_frac: FloatArray, deviations: float
) -> float:
    """Cash cost of crossing spreads that widened by ``deviations`` standard deviations: |value| (m + k s) / 2.

    Parameters
    ----------
    values, spreads_frac : as in ``spread_cost``; the spreads are means
    spread_stds_frac : (n_names,) standard deviation of each spread, same unit, at least 0
    deviations : k, at least 0; 2.326 is the worst day in a hundred if spreads were normal

    Raises
    ------
    ShapeError, SampleError, ParameterError : as ``spread_cost``; a negative k

    Source: Hull (2018), Risk Management and Financial Institutions, 5th ed., section 24.1.1.
    """
    checked_at_least(deviations, 0.0, name="deviations")
    mean = checked_vector(spreads_frac, name="spreads_frac")
    std = _checked_nonnegative(spread_stds_frac, "spread_stds_frac", len(mean))
    return spread_cost(values, mean + deviations * std)


def days_to_liquidate(quantities: FloatArray, volumes: FloatArray, participation_frac: float = 0.1) -> FloatArray:
    """Trading days to sell each position at a share of its daily volume, (n_names,), with fractions.

    Parameters
    ----------
    quantities : (n_names,) signed shares
    volumes : (n_names,) average daily shares, at least 0
    participation_frac : above 0 and at most 1

    Raises
    ------
    ShapeError, ParameterError : lengths that differ, a participation out of range
    SampleError : a NaN, a negative volume, or a held name that does not trade
    """
    held = np.abs(checked_vector(quantities, name="quantities"))
    traded = _checked_nonnegative(volumes, "volumes", len(held))
    if not 0.0 < participation_frac <= 1.0:
        raise ParameterError(f"participation_frac: found {participation_frac}, expected above 0 and at most 1")
    stuck = (traded <= 0.0) & (held > 0.0)
    if stuck.any():
        raise SampleError(
            f"volumes: positions {np.flatnonzero(stuck).tolist()} do not trade, so they cannot be liquidated",
            remedy="Give a longer average of volume, or treat them as held to the end.",
        )
    return held / (participation_frac * np.where(traded > 0.0, traded, 1.0))


def liquidated_frac(values: FloatArray, days: FloatArray, horizon_days: float) -> float:
    """Share of the gross value that is sold after ``horizon_days``, from 0 to 1, selling evenly.

    Parameters
    ----------
    values : (n_names,) signed cash values
    days : (n_names,) from ``days_to_liquidate``

    Raises
    ------
    ShapeError, SampleError, ParameterError : lengths that differ, an empty book, or a negative horizon
    """
    cash = np.abs(checked_vector(values, name="values"))
    needed = _checked_nonnegative(days, "days", len(cash))
    checked_at_least(horizon_days, 0.0, name="horizon_days")
    if cash.sum() <= 0.0:
        raise SampleError("values: found an empty book, expected at least one position")
    done = np.where(needed > 0.0, np.minimum(horizon_days / np.where(needed > 0.0, needed, 1.0), 1.0), 1.0)
    return float(cash @ done / cash.sum())


def liquidation(
    quantities: FloatArray,
    prices: FloatArray,
    spreads_frac: FloatArray,
    daily_vols_frac: FloatArray,
    volumes: FloatArray,
    *,
    participation_frac: float = 0.1,
    y: float = 1.0,
    shock: LiquidityShock | None = None,
) -> Liquidation:
    """Time and cost of selling everything at a share of volume, with square-root impact.

    Impact per share is y sigma sqrt(share of a day's volume taken that day), from ``impact_frac``: at most
    the participation, less for what is gone within a day. Timing risk is value * sigma * sqrt(days / 3),
    the standard deviation of an even sale.

    Parameters
    ----------
    quantities : (n_names,) signed shares
    prices : (n_names,) above 0
    spreads_frac, daily_vols_frac : (n_names,) fractions of price, at least 0
    volumes : (n_names,) average daily shares
    shock : a worse market; none when not given

    Raises
    ------
    ShapeError, SampleError, ParameterError : as ``days_to_liquidate``; a price not above 0

    Source: impact as ``parley.quant.impact.impact_frac``; variance of an even sale: Almgren and Chriss
    (2001), J. of Risk 3, section 2.3, in continuous time.
    """
    worse = shock or LiquidityShock(1.0, 1.0, 1.0)
    held = np.abs(checked_vector(quantities, name="quantities"))
    price = _checked_nonnegative(prices, "prices", len(held))
    if price.min() <= 0.0:
        raise SampleError(f"prices: the lowest is {price.min()}, expected above 0")
    spread = _checked_nonnegative(spreads_frac, "spreads_frac", len(held)) * worse.spread_multiple
    vol = _checked_nonnegative(daily_vols_frac, "daily_vols_frac", len(held)) * worse.vol_multiple
    traded = _checked_nonnegative(volumes, "volumes", len(held)) / worse.volume_divisor
    days = days_to_liquidate(held, traded, participation_frac)
    cash = held * price
    share = participation_frac * np.minimum(days, 1.0)
    impact = [impact_frac(taken, sigma, y) for taken, sigma in zip(share.tolist(), vol.tolist(), strict=True)]
    return Liquidation(days, cash * spread / 2.0, cash * np.array(impact), cash * vol * np.sqrt(days / 3.0))


def liquidity_var(
    value: float,
    daily_mean: float,
    daily_vol: float,
    spread_mean_frac: float,
    spread_std_frac: float,
    *,
    level: float = 0.99,
    spread_deviations: float = 3.0,
    kurtosis: float = 3.0,
) -> LiquidityVar:
    """One-day VaR plus the cost of an unusually wide spread: P (1 - e^(m - z theta s)) + P (S + a s_S) / 2.

    Both terms are taken at their own worst, as spreads widen when prices fall. The fat-tail correction
    is theta = 1 + 0.4 ln(kurtosis / 3).

    Parameters
    ----------
    value : P, cash value of the position, above 0
    daily_mean, daily_vol : m and s of daily log returns, fractions
    spread_mean_frac, spread_std_frac : S and s_S of the relative spread (ask - bid) / mid
    level : confidence, in (0, 1)
    spread_deviations : a; the paper finds 2.0 to 4.5 by market, as spreads are far from normal
    kurtosis : not excess; 3 (normal) makes theta 1

    Raises
    ------
    ParameterError : a value not above 0, a NaN, a negative volatility or spread, or a kurtosis below 3

    Source: Bangia, Diebold, Schuermann and Stroughair (1999), "Modeling liquidity risk", Risk 12.
    """
    checked_above(value, 0.0, name="value")
    checked_at_least(kurtosis, 3.0, name="kurtosis")
    if not math.isfinite(daily_mean):
        raise ParameterError(f"daily_mean: found {daily_mean}, expected a finite fraction")
    named = {"daily_vol": daily_vol, "spread_mean_frac": spread_mean_frac, "spread_std_frac": spread_std_frac}
    for name, number in (named | {"spread_deviations": spread_deviations}).items():
        checked_at_least(number, 0.0, name=name)
    z = NormalDist().inv_cdf(checked_fraction(level, name="level"))
    theta = 1.0 + 0.4 * math.log(kurtosis / 3.0)
    price_var = -value * math.expm1(daily_mean - z * theta * daily_vol)
    cost = value * (spread_mean_frac + spread_deviations * spread_std_frac) / 2.0
    return LiquidityVar(price_var, cost, price_var + cost)


def _checked_nonnegative(values: FloatArray, name: str, length: int) -> FloatArray:
    vector = checked_vector(values, name=name, length=length)
    if len(vector) and vector.min() < 0.0:
        raise SampleError(f"{name}: the lowest is {vector.min()}, expected none below 0")
    return vector
