"""One executed order with its shortfall by cause, taken apart by the venue that filled it; the parts add up exactly."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ..domain.orders import Fill
from ..quant.cost_attribution import CostAttribution, ExecutedFill, attribute_cost
from .executed import ExecutedOrder

PARTS = ("delay", "spread", "impact", "timing", "fees", "opportunity")
NOT_FILLED = "not filled"
"""In the place of a venue: what was given up, which no venue can answer for."""
TIERS = {"T0": "bars", "T1": "quotes and trades", "T2": "depth"}
"""What data a fill of each tier rests on."""
LIKELY_ERRORS = 1.96
"""Standard errors on each side of a 95 % interval."""


@dataclass(frozen=True, slots=True)
class Attributed:
    """An order, its cost, and the same cost by venue; every cost is the sum of its pieces to the last digit."""

    item: ExecutedOrder
    cost: CostAttribution
    by_venue: Mapping[str, CostAttribution]


def attributed(item: ExecutedOrder) -> Attributed:
    """No model moves the mid here: what our own trading did to it can't be told from the market and is timing."""
    pieces = {venue: _piece(item, fills) for venue, fills in fills_by_venue(item).items()}
    if item.filled < item.order.quantity:
        pieces[NOT_FILLED] = _piece(item, (), item.order.quantity - item.filled)
    return Attributed(item, summed(list(pieces.values())), pieces)


def fills_by_venue(item: ExecutedOrder) -> dict[str, list[Fill]]:
    """An order's fills by where they were made, in the order of the venues' names."""
    names = sorted({fill.venue for fill in item.fills})
    return {name: [fill for fill in item.fills if fill.venue == name] for name in names}


def summed(costs: Sequence[CostAttribution]) -> CostAttribution:
    """Some costs as one; nothing costs nothing."""
    names = (*PARTS, "total", "decided_value")
    return CostAttribution(**{name: sum((getattr(cost, name) for cost in costs), Decimal(0)) for name in names})


def fidelity_of(fills: Sequence[Fill]) -> str:
    """What fills rest on, such as `T1 recorded`; each kind once where there are several."""
    return ", ".join(sorted({made_by(fill.tier, fill.synthetic) for fill in fills})) or NOT_FILLED


def made_by(tier: str, is_synthetic: bool) -> str:
    """The fidelity of one fill in words: its tier, and whether its quotes were recorded or drawn."""
    return f"{tier} {'synthetic' if is_synthetic else 'recorded'}"


def counted(names: Iterable[str]) -> dict[str, int]:
    """How often each name is there, by name."""
    return dict(sorted(Counter(names).items()))


def _piece(item: ExecutedOrder, fills: Sequence[Fill], rest: int = 0) -> CostAttribution:
    return attribute_cost(
        side=item.order.side.sign,
        quantity=sum(fill.quantity for fill in fills) + rest,
        decision_price=item.order.reference_price,
        arrival_price=item.arrival_price,
        fills=[ExecutedFill(fill.quantity, fill.price, fill.mid_price, fill.touch_price) for fill in fills],
        closing_price=item.closing_price,
        fees=sum((fill.fee for fill in fills), Decimal(0)),
    )
