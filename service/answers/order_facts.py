"""One order as facts: its row, its advice when it was approved, and the picture of its fills."""

from typing import Any

from ...domain.events import OrderOpened, PlanApproved
from ...domain.orders import ParentOrder
from ...memory.orders_view import OrderHistory, OrderRecord
from ..pages.charts import fills_data
from ..pages.twin import Fact
from .draft import Draft
from .reader import Reading


def order_row(item: OrderRecord) -> dict[str, Any]:
    """How it stands, from the read model."""
    return {
        "order_id": item.order_id,
        "decision_id": item.decision_id,
        "symbol": item.symbol,
        "side": item.side,
        "quantity": item.quantity,
        "filled": item.filled,
        "left": item.quantity - item.filled,
        "state": item.state,
        "algorithm": item.algorithm,
        "reason": item.reason,
        "price": None if item.average_price is None else float(item.average_price),
        "reference_price": float(item.reference_price),
        "arrival_price": None if item.arrival_price is None else float(item.arrival_price),
        "fees": float(item.fees),
        "shortfall_bps": item.shortfall_bps,
        "opened_at": item.opened_at,
        "closed_at": item.closed_at,
    }


def approved_leg(reading: Reading, record: OrderRecord) -> ParentOrder | None:
    """The order as it was approved, with its advice."""
    opened = next(reading.read(OrderOpened, order_id=record.order_id), None)
    payload = opened.decoded() if opened else None
    if isinstance(payload, OrderOpened):
        return payload.order
    for event in reading.read(PlanApproved, decision_id=record.decision_id):
        approved = event.decoded()
        if isinstance(approved, PlanApproved):
            return next((leg for leg in approved.plan.legs if leg.order_id == record.order_id), None)
    return None


def advice_of(draft: Draft, leg: ParentOrder) -> Fact:
    """What the execution agent advised for it."""
    return draft.derive("advice", leg.advice.model_dump(mode="json"), order=leg.order_id)


def fills_chart(draft: Draft, record: OrderRecord, history: OrderHistory | None) -> Fact | None:
    """Each fill at its price over the time, and the share that was done by then."""
    if history is None or not history.fills or record.arrival_price is None:
        return None
    fills = sorted(history.fills, key=lambda fill: (fill.ts_event, fill.execution_id))
    data = fills_data(
        f"Fills of {record.symbol}",
        [fill.ts_event.isoformat() for fill in fills],
        [float(fill.price) for fill in fills],
        [fill.quantity for fill in fills],
        float(record.arrival_price),
    )
    return draft.derive("fills_chart", data, fills=[fill.execution_id for fill in fills])
