"""How a slice is placed: at once by a marketable limit, or first at rest on its own side, and across when time is up.

A pegged child waits at the touch of its own side for a part of its slice, moves when the touch leaves it behind, and
what it did not get crosses the spread: then, and at once where the schedule is behind. All of it is worked out from
the moment, the quote and the children in the log, so that a restart goes on with it.

A leaning child is pegged only while that looks worth it: it is laid down where the book leans its way and the spread is
wider than usual, and goes across as soon as the book leans away. After a restart it first learns what is usual again,
and meanwhile rests nothing new.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from ..domain.market import Quote
from ..domain.orders import ChildOrder, Pace, Side, Urgency
from ..quant.streaming import StreamingTop
from .board import FLOW_QUOTES
from .working import WorkingParent, marketable_limit

PATIENCE_FRAC: Mapping[Urgency, float] = {Urgency.LOW: 0.9, Urgency.MEDIUM: 0.5, Urgency.HIGH: 0.0}
"""The part of a slice that a pegged child waits for, by the urgency that was advised: choices, not measurements."""
PLACES_A_SLICE = 8
"""How often a pegged child may be placed anew within its slice: queues are lost and messages counted each time."""
LEAST_REST = timedelta(seconds=5)
LEAST_SEEN = 16
"""Quotes of a name before anything is called usual of it."""
LEANS_FROM, WIDE_FROM = 0.5, 1.2
"""The book leans when it speaks for a move of half the usual one, and a spread is wide a fifth past the usual: choices,
made before they were tried on any recording."""


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


def may_rest(side: Side, quote: Quote, tick: Decimal, top: StreamingTop, *, is_at_rest: bool) -> bool:
    """Whether a leaning child may wait on its own side: a new one if it pays, one at rest until the book leans away."""
    if top.n_quotes < LEAST_SEEN:
        return is_at_rest
    away, leans_from = side.sign * expected_move(quote, tick, top), LEANS_FROM * top.usual_move
    if is_at_rest:
        return away <= leans_from
    return away < -leans_from and float(quote.ask - quote.bid) > WIDE_FROM * top.usual_spread


def expected_move(quote: Quote, tick: Decimal, top: StreamingTop) -> float:
    """Where the book says that the mid goes, in price: to the mid weighted by the sizes, and on with the flow of late.

    Source: Stoikov (2018), Quantitative Finance 18(12), equation 2; Cont, Kukanov and Stoikov (2014), J. Financial
    Econometrics 12(1), section 2: a flow of twice the depth moves the price by a tick.
    """
    weighted = 0.5 * float(quote.ask - quote.bid) * top.imbalance
    return weighted + float(tick) * FLOW_QUOTES * top.usual_flow / (2.0 * top.usual_depth)


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
