"""Tightens the limits in a bad regime, a drawdown or a volatile market, within bounds that the limits file sets."""

import math
from decimal import ROUND_FLOOR, Decimal

from ..domain.instruments import AssetClass
from ..domain.views import Regime
from .limits import Dynamics, Limits

STEPS = Decimal(100)
"""Factors move in hundredths, so that a quiet day has the same limits, and the same hash, as the one before."""

SCALED = ("max_gross", "max_net", "max_order_notional", "max_cluster_weight", "max_beta")
SCALED_TABLES = ("max_instrument_weight", "max_sector_weight")


def dynamic_limits(limits: Limits, regime: Regime, drawdown_frac: float, volatility_ratio: float | None) -> Limits:
    """The limits for one decision: as they are, or tighter; a figure that is not known tightens all the way.

    `drawdown_frac` is the fall of equity from its peak, `volatility_ratio` recent volatility over usual.
    """
    factor = tightening_factor(limits.dynamic, regime, drawdown_frac, volatility_ratio)
    if factor == 1:
        return limits
    changes: dict[str, object] = {name: _times(getattr(limits, name), factor) for name in SCALED}
    for name in SCALED_TABLES:
        table = getattr(limits, name)
        changes[name] = {item.value: _times(table.of(item), factor) for item in AssetClass}
    return limits.tighten(**changes)


def tightening_factor(
    bounds: Dynamics, regime: Regime, drawdown_frac: float, volatility_ratio: float | None
) -> Decimal:
    """The strictest of the three factors, in hundredths rounded down, never below the smallest allowed."""
    factors = (bounds.of(regime), _drawdown_factor(bounds, drawdown_frac), _volatility_factor(bounds, volatility_ratio))
    smallest = Decimal(repr(bounds.smallest_factor))
    strictest = Decimal(repr(min(factors)))
    return max((strictest * STEPS).to_integral_value(ROUND_FLOOR) / STEPS, smallest)


def _drawdown_factor(bounds: Dynamics, drawdown_frac: float) -> float:
    start, full = bounds.drawdown_start_frac, bounds.drawdown_full_frac
    if not drawdown_frac < full:
        return bounds.smallest_factor  # Not `>=`: a NaN belongs here.
    if drawdown_frac <= start:
        return 1.0
    fallen = (drawdown_frac - start) / (full - start)
    return 1.0 - fallen * (1.0 - bounds.smallest_factor)


def _volatility_factor(bounds: Dynamics, ratio: float | None) -> float:
    if ratio is None or not math.isfinite(ratio) or ratio < 0:
        return bounds.smallest_factor
    return 1.0 if ratio <= bounds.volatility_start_ratio else bounds.volatility_start_ratio / ratio


def _times(bound: float, factor: Decimal) -> float:
    """A product in decimals, so that half of 0.1 is 0.05; never above the bound itself."""
    return min(float(Decimal(repr(bound)) * factor), bound)
