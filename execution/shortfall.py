"""How well a parent order was executed: its cost against arrival, and what that cost was made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from ..domain.orders import Fill, ParentOrder, Side
from ..quant.impact import Shortfall, implementation_shortfall

BPS = 10_000


@dataclass(frozen=True, slots=True)
class ExecutionQuality:
    """One parent order's execution; costs are positive, in basis points of what was filled at arrival.

    `shortfall_bps` is price alone and equals spread + impact + timing: half the spread at the fills, what
    was paid past the touch, and how far the mid had moved since arrival. Fees stand beside it.
    `against_decision` is Perold's measure from the decision price, over all that was ordered: it also
    charges the drift on what was never filled.
    """

    order_id: str
    symbol: str
    side: Side
    quantity: int
    filled: int
    arrival_price: Decimal
    average_price: Decimal | None
    fees: Decimal
    shortfall_bps: float
    spread_bps: float
    impact_bps: float
    timing_bps: float
    fee_bps: float
    against_decision: Shortfall

    @property
    def fill_frac(self) -> float:
        return self.filled / self.quantity


def execution_quality(
    order: ParentOrder, arrival_price: Decimal, fills: Sequence[Fill], last_mid: Decimal
) -> ExecutionQuality:
    """The costs of one parent from its executions; `last_mid` prices what was given up."""
    sign = order.side.sign
    filled = sum(item.quantity for item in fills)
    paid = sum((item.notional for item in fills), Decimal(0))
    fees = sum((item.fee for item in fills), Decimal(0))
    timing = sum(((item.mid_price - arrival_price) * item.quantity for item in fills), Decimal(0))
    spread = sum(((item.touch_price - item.mid_price) * item.quantity for item in fills), Decimal(0))
    impact = sum(((item.price - item.touch_price) * item.quantity for item in fills), Decimal(0))
    base = arrival_price * filled

    def bps(amount: Decimal) -> float:
        return float(amount / base * BPS) if filled else 0.0

    return ExecutionQuality(
        order_id=order.order_id,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        filled=filled,
        arrival_price=arrival_price,
        average_price=paid / filled if filled else None,
        fees=fees,
        shortfall_bps=bps(sign * (paid - base)),
        spread_bps=bps(sign * spread),
        impact_bps=bps(sign * impact),
        timing_bps=bps(sign * timing),
        fee_bps=bps(fees),
        against_decision=_against_decision(order, arrival_price, fills, last_mid, fees),
    )


def _against_decision(
    order: ParentOrder, arrival_price: Decimal, fills: Sequence[Fill], last_mid: Decimal, fees: Decimal
) -> Shortfall:
    return implementation_shortfall(
        side=order.side.sign,
        quantity=order.quantity,
        decision_price=float(order.reference_price),
        arrival_price=float(arrival_price),
        fill_prices=np.array([float(item.price) for item in fills]),
        fill_quantities=np.array([float(item.quantity) for item in fills]),
        closing_price=float(last_mid),
        fees=float(fees),
    )
