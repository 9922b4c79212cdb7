"""What a protective order came to, measured against the stop price it was to be executed at."""

from collections.abc import Iterable
from decimal import Decimal

from ..domain.events import OrderClosed
from ..domain.orders import ChildOrder, Fill

BPS = Decimal(10_000)


def result_of(child: ChildOrder, fills: Iterable[Fill], reason: str = "") -> OrderClosed:
    """The result of an order's only child. What it traded past its stop price is its shortfall."""
    assert child.stop_price is not None, "of a stop order"
    done = tuple(fills)
    filled = sum(fill.quantity for fill in done)
    paid, base = sum((fill.notional for fill in done), Decimal(0)), child.stop_price * filled
    unfilled = max(child.quantity - filled, 0)
    return OrderClosed(
        order_id=child.order_id,
        decision_id=child.decision_id,
        filled=filled,
        unfilled=unfilled,
        average_price=paid / filled if filled else None,
        arrival_price=child.stop_price,
        fees=sum((fill.fee for fill in done), Decimal(0)),
        shortfall_bps=float(child.side.sign * (paid - base) / base * BPS) if filled else 0.0,
        status="filled" if not unfilled else "partial" if filled else "unfilled",
        reason=reason,
    )
