"""What single trades cost and reveal: their signs, effective and realized spreads, and price impact."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray, checked_vector
from .errors import SampleError, ShapeError
from .order_book import FlowFit, fit_flow, quoted_spread


def tick_rule_signs(price: npt.ArrayLike) -> FloatArray:
    """1 for a buyer's trade, -1 for a seller's, (n_trades,), by the last change of the trade price.

    An uptick is a buy and a downtick a sell; a trade at the same price inherits the sign before it. The trades
    before the first change are 0: unknown, not guessed.

    Parameters
    ----------
    price : (n_trades,) trade prices above 0, oldest first

    Raises
    ------
    SampleError : no trades, a NaN, or a price not above 0

    Source: Lee and Ready (1991), J. Finance 46(2), section I ("tick test").
    """
    return _carried_forward(np.sign(np.diff(_checked_prices(price, "price"), prepend=np.asarray(price)[0])))


def lee_ready_signs(price: npt.ArrayLike, bid: npt.ArrayLike, ask: npt.ArrayLike) -> FloatArray:
    """1 for a buyer's trade, -1 for a seller's, (n_trades,): by the side of the mid, at the mid by the tick rule.

    Parameters
    ----------
    price : (n_trades,) trade prices above 0, oldest first
    bid, ask : (n_trades,) the quote in force when each trade was made, not crossed. Their lag is the caller's:
        the paper's five seconds suit 1991; use the quote just before the trade on synchronized clocks.

    Raises
    ------
    SampleError : no trades, a NaN, a price not above 0, or a crossed quote
    ShapeError : inputs that differ in length

    Source: Lee and Ready (1991), J. Finance 46(2), section IV.
    """
    prices = _checked_prices(price, "price")
    mid = _checked_mid(bid, ask, len(prices))
    side = np.sign(prices - mid)
    # Trade and mid are sums of decimals: a hundredth of a millionth of the price is rounding, not a side.
    side[np.abs(prices - mid) <= 1e-8 * mid] = 0.0
    return np.where(side != 0.0, side, tick_rule_signs(prices))


def effective_spread(price: npt.ArrayLike, mid: npt.ArrayLike, sign: npt.ArrayLike) -> FloatArray:
    """``2 * sign * (price - mid) / mid``, (n_trades,), fraction: what a round trip at such prices would cost.

    Positive for the one who pays. `realized_spread` and `trade_impact` split it in two.

    Parameters
    ----------
    price, mid : (n_trades,) trade price and the mid just before it, above 0
    sign : (n_trades,) 1 buyer's, -1 seller's, 0 unknown (such a trade has a spread of 0: leave it out of means)

    Raises
    ------
    SampleError : a NaN, a price not above 0, or a sign other than -1, 0, 1
    ShapeError : inputs that differ in length

    Source: Huang and Stoll (1996), J. Financial Economics 41, section 3.
    """
    prices, mids, signs = _checked_trades(price, mid, sign)
    return 2.0 * signs * (prices - mids) / mids


def realized_spread(
    price: npt.ArrayLike, mid: npt.ArrayLike, mid_later: npt.ArrayLike, sign: npt.ArrayLike
) -> FloatArray:
    """``2 * sign * (price - mid_later) / mid``, (n_trades,), fraction: what the market maker keeps after the move.

    Parameters
    ----------
    price, mid, sign : as `effective_spread`
    mid_later : (n_trades,) the mid one horizon after each trade (seconds to five minutes; the caller's choice)

    Raises
    ------
    SampleError, ShapeError : as `effective_spread`

    Source: Huang and Stoll (1996), J. Financial Economics 41, section 3.
    """
    prices, mids, signs = _checked_trades(price, mid, sign)
    return 2.0 * signs * (prices - _checked_prices(mid_later, "mid_later", len(prices))) / mids


def trade_impact(mid: npt.ArrayLike, mid_later: npt.ArrayLike, sign: npt.ArrayLike) -> FloatArray:
    """``2 * sign * (mid_later - mid) / mid``, (n_trades,), fraction: twice the move of the mid in the trade's way.

    Effective spread = realized spread + impact, to the last bit that rounding leaves.

    Parameters
    ----------
    mid, mid_later, sign : as `realized_spread`

    Raises
    ------
    SampleError, ShapeError : as `effective_spread`

    Source: Huang and Stoll (1996), J. Financial Economics 41, section 3.
    """
    later, mids, signs = _checked_trades(mid_later, mid, sign)
    return 2.0 * signs * (later - mids) / mids


def kyle_lambda(price_change: npt.ArrayLike, signed_volume: npt.ArrayLike) -> FlowFit:
    """Kyle's lambda, the slope of `fit_flow`: interval price changes on net buying, with an intercept.

    Parameters
    ----------
    price_change : (n_intervals >= 3,) change of the mid over each interval, in price
    signed_volume : (n_intervals,) buys less sells over the same interval, in size units

    Raises
    ------
    SampleError, ShapeError : as `fit_flow`

    Source: Kyle (1985), Econometrica 53(6), as estimated by Hasbrouck (2009), J. Finance 64(3), equation 5.
    """
    return fit_flow(price_change, signed_volume)


def _carried_forward(signs: FloatArray) -> FloatArray:
    """Each zero replaced by the last sign before it; leading zeros stay."""
    last = np.maximum.accumulate(np.where(signs != 0.0, np.arange(len(signs)), 0))
    return signs[last]


def _checked_prices(values: npt.ArrayLike, name: str, length: int | None = None) -> FloatArray:
    prices = checked_vector(values, name=name, length=length, min_rows=1)
    if prices.min() <= 0.0:
        raise SampleError(f"{name}: found {prices.min()}, expected prices above 0", remedy="Check the feed.")
    return prices


def _checked_mid(bid: npt.ArrayLike, ask: npt.ArrayLike, length: int) -> FloatArray:
    spread = quoted_spread(bid, ask)
    if len(spread) != length:
        raise ShapeError(f"quotes: found {len(spread)}, expected {length}, one for each trade")
    return (np.asarray(bid, dtype=np.float64) + np.asarray(ask, dtype=np.float64)) / 2.0


def _checked_trades(
    price: npt.ArrayLike, mid: npt.ArrayLike, sign: npt.ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    prices = _checked_prices(price, "price")
    mids = _checked_prices(mid, "mid", len(prices))
    signs = checked_vector(sign, name="sign", length=len(prices))
    if not np.isin(signs, (-1.0, 0.0, 1.0)).all():
        raise SampleError("sign: found a value other than -1, 0 and 1", remedy="Give sides, not signed sizes.")
    return prices, mids, signs
