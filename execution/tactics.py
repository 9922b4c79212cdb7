"""How a slice is placed: at once by a marketable limit, or first at rest on its own side, and across when time is up.

A pegged child waits at the touch of its own side for a part of its slice, moves when the touch leaves it behind, and
what it did not get crosses the spread: then, and at once where the schedule is behind. All of it is worked out from
the moment, the quote and the children in the log, so that a restart goes on with it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from ..domain.market import Quote
from ..domain.orders import ChildOrder, Pace, Side, Urgency
from .working import WorkingParent, marketable_limit

PATIENCE_FRAC: Mapping[Urgency, float] = {Urgency.LOW: 0.9, Urgency.MEDIUM: 0.5, Urgency.HIGH: 0.0}
"""The part of a slice that a pegged child waits for, by the urgency that was advised: choices, not measurements."""
PLACES_A_SLICE = 8
"""How often a pegged child may be placed anew within its slice: queues are lost and messages counted each time."""
LEAST_REST = timedelta(seconds=5)


def limit_of(side: Side, quote: Quote, tick: Decimal, *, crosses: bool) -> Decimal:
    """The limit price of a child: past the other side's touch when it crosses, else the touch of its own."""
    return marketable_limit(side, quote, tick) if crosses else own_touch(side, quote, tick)


def own_touch(side: Side, quote: Quote, tick: Decimal) -> Decimal:
    """The best price of its own side, on the tick, rounded away from the market."""
    if side is Side.BUY:
        return (quote.bid / tick).to_integral_value(ROUND_FLOOR) * tick
    return (quote.ask / tick).to_integral_value(ROUND_CEILING) * tick


def crosses_from(parent: WorkingParent, now: datetime) -> datetime:
    """When the slice of a moment stops waiting. A slower parent waits for all of it, but not at the end of its day."""
    begins, ends = parent.slice_span(now)
    patience = PATIENCE_FRAC[parent.order.advice.urgency]
    if parent.pace is Pace.FASTER:
        patience = 0.0
    elif parent.pace is Pace.SLOWER and ends < parent.closes_at:
        patience = 1.0
    return begins + (ends - begins) * patience


def may_place(parent: WorkingParent, now: datetime, crosses_at: datetime) -> bool:
    """Whether a child may follow the last one: at once in a new slice and when waiting is over, else after a rest."""
    last = parent.attempted_at
    begins, ends = parent.slice_span(now)
    if last is None or last < begins or last < crosses_at <= now:
        return True
    return now - last >= max(LEAST_REST, (ends - begins) / PLACES_A_SLICE)


def stands_well(child: ChildOrder, quote: Quote, *, crosses: bool) -> bool:
    """Whether an open child is where it belongs: none on its own side is better, or it meets the other side."""
    limit, sign = child.limit_price, child.side.sign
    assert limit is not None, "the desk sends no order without a limit"
    buys = child.side is Side.BUY
    reference = (quote.ask if buys else quote.bid) if crosses else (quote.bid if buys else quote.ask)
    return sign * (limit - reference) >= 0


def within_depth(quantity: int, side: Side, quote: Quote, max_multiple: float, lot: int) -> int:
    """As much of a child as the limits let go against the size shown; a synthetic quote's was never shown."""
    if quote.synthetic:
        return quantity
    shown = int(max_multiple * (quote.ask_size if side is Side.BUY else quote.bid_size))
    return quantity if quantity <= shown else shown // lot * lot
