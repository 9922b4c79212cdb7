"""Orders as an audit follows them: what was approved, sent, executed, taken back and reported."""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from ..domain.events import OrderClosed
from ..domain.orders import ChildOrder, Fill, OrderState, ParentOrder, Plan
from ..domain.trading import TradingStates
from .sent_orders import rests

ENDED = (OrderState.FILLED, OrderState.CANCELED, OrderState.REJECTED, OrderState.EXPIRED)


@dataclass(slots=True)
class AuditedChild:
    """A submitted child as the log tells it. `states` is what the desk might do when it was sent."""

    order: ChildOrder
    states: TradingStates
    state: OrderState = OrderState.SUBMITTED
    executed: int = 0
    busted: int = 0

    @property
    def committed(self) -> int:
        """What it has of its parent: all of it while it may still fill, then what it filled."""
        return (self.executed if self.state in ENDED else max(self.order.quantity, self.executed)) - self.busted

    @property
    def open_quantity(self) -> int:
        return 0 if self.state in ENDED else max(self.order.quantity - self.executed, 0)


@dataclass(slots=True)
class AuditedParent:
    """A leg of an approved plan, what was sent for it and what came of it."""

    leg: ParentOrder
    plan: Plan
    opened: bool = False
    closed: bool = False
    arrival_price: Decimal | None = None
    sequences: int = 0
    children: list[AuditedChild] = field(default_factory=list[AuditedChild])
    fills: dict[str, Fill] = field(default_factory=dict[str, Fill])

    @property
    def stands(self) -> bool:
        """Whether a protective order of it is open, which goes on from session to session."""
        return any(rests(child.order) and child.open_quantity for child in self.children)


def result_differences(parent: AuditedParent, closed: OrderClosed) -> list[tuple[str, object, object]]:
    """The fields of a parent's result that are not what its fills come to."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for fill in parent.fills.values():
        sums["filled"] += fill.quantity
        sums["paid"] += fill.notional
        sums["fees"] += fill.fee
    filled, ordered = int(sums["filled"]), parent.leg.quantity
    expected: dict[str, object] = {
        "filled": filled,
        "unfilled": max(ordered - filled, 0),
        "average_price": sums["paid"] / filled if filled else None,
        "fees": sums["fees"],
        "arrival_price": parent.arrival_price,
        "decision_id": parent.leg.decision_id,
        "status": "filled" if filled >= ordered else "partial" if filled else "unfilled",
    }
    return [(name, getattr(closed, name), value) for name, value in expected.items() if getattr(closed, name) != value]
