"""The child checks of the market it is sent into: quote, price, depth, hours, halts and clocks."""

from decimal import Decimal

from .child_view import BROKEN, FINE, ZERO, ChildView, Measure, told, untold

ONE = Decimal(1)
LOSING_EXIT_MULTIPLE = Decimal("1.9")
"""How many times the usual move an exit may run after, in the direction that loses: with 25 % that is 47.5 %, short of
the half that a split of two for one leaves."""


def quote_age(v: ChildView) -> Measure:
    """The quote is of this instrument, fresh, and not from the future."""
    age_s = (v.now - v.quote.ts_event).total_seconds()
    is_usable = age_s >= 0 and v.quote.symbol == v.leg.symbol
    return (age_s if is_usable else None), v.bounds.max_quote_age_s


def not_crossed(v: ChildView) -> Measure:
    """A bid above the ask is two venues' clocks or an error, not a price."""
    gap = v.quote.bid - v.quote.ask
    return (gap if gap > ZERO else ZERO), ZERO


def spread(v: ChildView) -> Measure:
    return (v.quote.ask - v.quote.bid) / v.mid, v.bounds.max_spread_frac


def displayed_depth(v: ChildView) -> Measure:
    """The child against the shares shown at the touch; sizes of synthetic quotes were never shown."""
    shown = v.quote.ask_size if v.buys else v.quote.bid_size
    bound = None if v.quote.synthetic or v.reduces else v.bounds.max_depth_multiple
    return (v.quantity / shown if shown > 0 else None), bound


def price_collar(v: ChildView) -> Measure:
    """Without a limit nothing bounds the price: only an order that takes risk off may go like that.

    The limit of an order that waits for a stop price is one about that price.
    """
    if v.limit_price is None:
        return None, None if v.reduces else 0
    return abs(v.limit_price / (v.child.stop_price or v.mid) - ONE), v.bounds.price_collar_frac


def price_move(v: ChildView) -> Measure:
    """A position that loses must be able to leave after a gap: at a limit, and short of what looks like a split."""
    move, bound = v.mid / v.leg.mark - ONE, v.bounds.max_price_move_frac
    loses = move > ZERO if v.buys else move < ZERO
    return abs(move), bound * LOSING_EXIT_MULTIPLE if loses and v.reduces and v.limit_price is not None else bound


def participation(v: ChildView) -> Measure:
    """The share of the usual daily volume; not bound where none is recorded, unless it is a required figure."""
    volume = v.leg.daily_volume
    if volume is None:
        return untold(v, "volume", v.bounds.max_participation_frac)
    if not volume > 0:
        return None, 0
    return (v.context.traded + v.quantity) / volume, v.bounds.max_participation_frac


def session_hours(v: ChildView) -> Measure:
    """The venue is open for this order: no closed market, no auction past its cut-off."""
    if v.context.in_session is None:
        return untold(v, "session_hours")
    return FINE if v.context.in_session is True else BROKEN


def not_halted(v: ChildView) -> Measure:
    if v.context.is_halted is None:
        return untold(v, "halted")
    return FINE if v.context.is_halted is False else BROKEN


def price_band(v: ChildView) -> Measure:
    """How far the price is beyond what the venue lets trade now; without a limit, the touch is meant."""
    band = v.context.price_band
    if band is None:
        return untold(v, "price_band")
    low, high = band
    if not ZERO < low <= high:
        return None, 0
    price = v.limit_price or (v.quote.ask if v.buys else v.quote.bid)
    beyond = low - price if price < low else price - high
    return (beyond if beyond > ZERO else ZERO), ZERO


def clock_skew(v: ChildView) -> Measure:
    skew_s = v.context.clock_skew_s
    size_s = None if skew_s is None else abs(skew_s)
    return told(v, "clock_skew", size_s, v.bounds.max_clock_skew_s)
