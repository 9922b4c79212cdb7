"""How to take risk off with options: a floor bought, and perhaps a ceiling sold, with their cost."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import DAYS_PER_YEAR, checked_above
from .black_scholes import greeks, price
from .errors import ParameterError


@dataclass(frozen=True, slots=True)
class OptionHedge:
    """Shares with a put bought, and perhaps a call sold, held to expiry."""

    premium: float
    """Net cash paid for the options; negative when the call brings more than the put costs."""
    premium_frac: float
    """Of the value of the shares."""
    worst_return_frac: float
    """At expiry if the shares go to zero, premium included (without interest), a fraction of their value."""
    best_return_frac: float
    """At expiry if the shares go to infinity; ``inf`` without a call."""
    delta_quantity: float
    """Shares that the hedged position behaves like today."""
    daily_vol_frac: float
    """Of the hedged position today, to first order, a fraction of the value of the shares."""


def protective_put(
    quantity: float, spot: float, strike: float, years: float, rate: float, vol: float, dividend_yield: float = 0.0
) -> OptionHedge:
    """One put bought per share: the loss is known, the gain is whole but for the premium.

    Parameters
    ----------
    quantity : shares held long, above 0
    strike : price units; years to expiry; rate and dividend_yield continuous, vol annual, all fractions

    Raises
    ------
    ParameterError : a quantity not above 0, an expired option, a price or volatility not above 0, or a NaN

    Source: priced by ``parley.quant.black_scholes`` (European); Hull (2018), ch. 12 for the combination.
    """
    held = checked_above(quantity, 0.0, name="quantity")
    per_share = float(price("put", spot, strike, years, rate, vol, dividend_yield))
    delta = 1.0 + float(greeks("put", spot, strike, years, rate, vol, dividend_yield).delta)
    return _option_hedge(held, spot, per_share, strike, math.inf, delta, vol)


def collar(
    quantity: float,
    spot: float,
    put_strike: float,
    call_strike: float,
    years: float,
    rate: float,
    put_vol: float,
    call_vol: float,
    dividend_yield: float = 0.0,
) -> OptionHedge:
    """One put bought and one call sold per share: the gain above the call's strike pays for the floor.

    Parameters and errors as ``protective_put``, with a volatility for each strike; also ParameterError when
    the put's strike is not below the call's.
    """
    held = checked_above(quantity, 0.0, name="quantity")
    if not put_strike < call_strike:
        raise ParameterError(f"put_strike {put_strike}: expected below call_strike {call_strike}")
    strikes, vols = np.array([put_strike, call_strike]), np.array([put_vol, call_vol])
    premiums = price(["put", "call"], spot, strikes, years, rate, vols, dividend_yield)
    deltas = greeks(["put", "call"], spot, strikes, years, rate, vols, dividend_yield).delta
    per_share, delta = float(premiums[0] - premiums[1]), 1.0 + float(deltas[0] - deltas[1])
    return _option_hedge(held, spot, per_share, put_strike, call_strike, delta, call_vol)


def zero_cost_call_strike(
    spot: float,
    put_strike: float,
    years: float,
    rate: float,
    put_vol: float,
    call_vol: float,
    dividend_yield: float = 0.0,
) -> float:
    """The call strike above the put's at which a collar costs nothing, in price units.

    Raises
    ------
    ParameterError : no such strike (the put costs more than any call above it, or next to nothing), or as
        ``collar``
    """
    from scipy.optimize import root_scalar

    paid = float(price("put", spot, put_strike, years, rate, put_vol, dividend_yield))

    def surplus(strike: float) -> float:
        return float(price("call", spot, strike, years, rate, call_vol, dividend_yield)) - paid

    # Beyond ten deviations a call is worth less than any put that a market would quote.
    far = max(spot, put_strike) * math.exp(abs(rate - dividend_yield) * years + 10.0 * call_vol * math.sqrt(years))
    if surplus(put_strike) <= 0.0 or surplus(far) >= 0.0:
        raise ParameterError(
            f"put_strike: found {put_strike} with the put at {paid:.6g}; no call strike from there to "
            f"{far:.6g} brings the same",
            remedy="Choose a put strike closer to the spot, and below its forward.",
        )
    return float(root_scalar(surplus, bracket=(put_strike, far), xtol=1e-12 * spot, rtol=1e-14).root)


def _option_hedge(
    held: float, spot: float, per_share: float, floor: float, ceiling: float, delta: float, vol: float
) -> OptionHedge:
    return OptionHedge(
        premium=held * per_share,
        premium_frac=per_share / spot,
        worst_return_frac=(floor - per_share) / spot - 1.0,
        best_return_frac=(ceiling - per_share) / spot - 1.0,
        delta_quantity=held * delta,
        daily_vol_frac=abs(delta) * vol / math.sqrt(DAYS_PER_YEAR),
    )
