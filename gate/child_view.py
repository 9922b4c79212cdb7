"""What all child checks share: the child beside its leg, the instant it is sent in, and the bounds of now."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ..domain.market import Quote
from ..domain.orders import BUY, ChildOrder
from .approval import LegTerms, PlanTerms
from .bounds import ChildBounds
from .limits import Figure
from .results import Number
from .state import OrderContext

Measure = tuple[Number | None, Number | None]
"""What was measured and its bound, as in `results.result`."""

ZERO, TWO = Decimal(0), Decimal(2)
FINE: Measure = (0, 0)
BROKEN: Measure = (1, 0)
NO_BOUND: Measure = (None, None)


@dataclass(slots=True, eq=False)
class ChildView:
    """Built once per review and never changed; not frozen, which would cost a twentieth of the review.

    `reduces`: goes against the position and, with open orders on its side, not through zero. `opened` are the
    open shares on the child's side, `value` its worth at the plan's mark, `worst_value` at the limit or the
    mid, whichever is higher.
    """

    child: ChildOrder
    leg: LegTerms
    terms: PlanTerms
    context: OrderContext
    quote: Quote
    bounds: ChildBounds
    now: datetime
    quantity: int
    limit_price: Decimal | None
    mid: Decimal
    buys: bool
    opened: int
    reduces: bool
    completes: bool
    value: Decimal
    worst_value: Decimal


def child_view(
    child: ChildOrder,
    leg: LegTerms,
    terms: PlanTerms,
    context: OrderContext,
    quote: Quote,
    bounds: ChildBounds,
    now: datetime,
) -> ChildView:
    quantity, limit = child.quantity, child.limit_price
    mid = (quote.bid + quote.ask) / TWO
    buys = child.side is BUY
    opened = context.open_buys if buys else context.open_sells
    held = context.held
    against = held < 0 if buys else held > 0
    return ChildView(
        child,
        leg,
        terms,
        context,
        quote,
        bounds,
        now,
        quantity,
        limit,
        mid,
        buys,
        opened,
        against and quantity + opened <= abs(held),
        quantity == leg.quantity - context.committed,
        leg.mark * quantity,
        (limit if limit is not None and limit > mid else mid) * quantity,
    )


def told(v: ChildView, figure: Figure, value: Number | None, bound: Number | None) -> Measure:
    """A figure the caller may not have: missing, it fails where it is required; below zero, it is no figure."""
    if value is None:
        return untold(v, figure, bound)
    return (value if value >= 0 else None), bound


def untold(v: ChildView, figure: Figure, bound: Number | None = 0) -> Measure:
    """A figure the caller does not have."""
    return None, bound if figure in v.bounds.required_figures else None
