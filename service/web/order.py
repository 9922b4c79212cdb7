"""One order on the page: its schedule against what was done, what it cost and why, its children and their fills."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import JsonValue

from ...domain.orders import Fill, ParentOrder
from ...execution.shortfall import execution_quality
from ...memory.order_children import ChildRecord
from ...memory.orders_view import OrderHistory
from ...tools.attributed import counted, made_by
from ..answers.draft import Draft
from ..answers.order_facts import advice_of, approved_leg, order_row
from ..answers.reader import Reading
from ..api.errors import NotFound
from ..pages.charts import fills_chart, fills_data, span_bar
from ..pages.number_axis import Points, curve_chart, curve_data
from ..pages.twin import Fact, Twin

CAUSES = {
    "delay_bps": "Delay to arrival",
    "spread_bps": "Half spread",
    "impact_bps": "Past the touch",
    "timing_bps": "Market's move",
    "opportunity_bps": "Never filled",
    "fee_bps": "Fees",
}
"""Parts of the cost against the decision price, in the order of their coming about."""
MOST_CHILDREN = 200


@dataclass(frozen=True, slots=True)
class OrderView:
    """What the template lays out."""

    twin: Twin
    order: Fact
    advice: Fact | None
    children: list[dict[str, Any]]
    more_children: bool
    schedule: dict[str, Any] | None
    fills: dict[str, Any] | None
    costs: list[dict[str, Any]]
    total: Fact | None
    rests_on: Fact
    """How many fills rest on bars, on quotes or on depth, recorded or drawn."""
    is_synthetic: bool
    has_page: bool


def order_view(reading: Reading, order_id: str) -> OrderView:
    """Raises NotFound."""
    history = reading.views.order(order_id)
    if history is None:
        raise NotFound(f"this run has no order {order_id!r}", remedy="The list of orders has all there are.")
    draft = reading.draft("order", {"order": order_id})
    leg = approved_leg(reading, history.order)
    costs, total = _costs(draft, leg, history)
    children = _children(draft, history)
    return OrderView(
        twin=draft.twin,
        order=draft.derive("order", order_row(history.order)),
        advice=advice_of(draft, leg) if leg else None,
        children=children[:MOST_CHILDREN],
        more_children=len(children) > MOST_CHILDREN,
        schedule=_schedule(draft, history),
        fills=_fills(draft, history),
        costs=costs,
        total=total,
        rests_on=draft.derive("fills_rest_on", _rests_on(history.fills), order=history.order.order_id),
        is_synthetic=any(fill.synthetic for fill in history.fills),
        has_page=(reading.folder.reports_path / f"{order_id}.html").is_file(),
    )


def _rests_on(fills: Sequence[Fill]) -> dict[str, JsonValue]:
    return {**counted(made_by(fill.tier, fill.synthetic) for fill in fills)}


def _children(draft: Draft, history: OrderHistory) -> list[dict[str, Any]]:
    """Each child with its fills."""
    fills: dict[str, list[Fill]] = {}
    for fill in history.fills:
        fills.setdefault(fill.client_order_id, []).append(fill)
    rows: list[JsonValue] = [_child_row(child, fills.get(child.client_order_id, [])) for child in history.children]
    found = draft.derive("children", rows, order=history.order.order_id).rows()
    return [{"child": row, "fills": row["fills"].rows()} for row in found]


def _child_row(child: ChildRecord, fills: Sequence[Fill]) -> dict[str, JsonValue]:
    return {
        "id": child.client_order_id,
        "slice": child.sequence + 1,
        "created_at": child.created_at,
        "quantity": child.quantity,
        "limit": None if child.limit_price is None else str(child.limit_price),
        "state": child.state,
        "filled": child.filled,
        "reason": child.reason,
        "fills": [
            {
                "at": fill.ts_event.isoformat(),
                "quantity": fill.quantity,
                "price": str(fill.price),
                "fee": str(fill.fee),
                "venue": fill.venue,
                "tier": fill.tier,
                "made_by": made_by(fill.tier, fill.synthetic),
            }
            for fill in fills
        ],
    }


def _schedule(draft: Draft, history: OrderHistory) -> dict[str, Any] | None:
    """The share of the order that was sent, and that was filled, by minutes since it was opened."""
    order = history.order
    if order.opened_at is None or not history.children:
        return None
    opened = datetime.fromisoformat(order.opened_at)
    sent = [(datetime.fromisoformat(child.created_at), child.quantity) for child in history.children]
    filled = [(fill.ts_event, fill.quantity) for fill in history.fills]
    last = max(at for at, _ in [*sent, *filled])
    end = max((last - opened).total_seconds() / 60.0, 1.0)
    curves: dict[str, Points] = {
        "filled": _steps(opened, filled, order.quantity, end),
        "sent": _steps(opened, sent, order.quantity, end),
    }
    data = curve_data("Share of the order sent and filled, by minutes", ("num", "frac"), curves, floor=0.0)
    fact = draft.derive("schedule_chart", data, order=order.order_id)
    return {"svg": curve_chart(fact, height_px=200), "names": list(curves)}


def _steps(opened: datetime, moves: Sequence[tuple[datetime, int]], whole: int, end: float) -> Points:
    """A stair: it rises at each move and stays until the next."""
    points, done = [(0.0, 0.0)], 0
    for at, quantity in sorted(moves):
        minutes = round(max((at - opened).total_seconds() / 60.0, 0.0), 4)
        points.append((minutes, done / whole))
        done += quantity
        points.append((minutes, done / whole))
    points.append((round(end, 4), done / whole))
    return points


def _fills(draft: Draft, history: OrderHistory) -> dict[str, Any] | None:
    """Each fill at its price over the time, beside the arrival price."""
    order = history.order
    if not history.fills or order.arrival_price is None:
        return None
    fills = sorted(history.fills, key=lambda fill: (fill.ts_event, fill.execution_id))
    data = fills_data(
        f"Fills of {order.symbol}",
        [fill.ts_event.isoformat() for fill in fills],
        [float(fill.price) for fill in fills],
        [fill.quantity for fill in fills],
        float(order.arrival_price),
    )
    fact = draft.derive("fills_chart", data, order=order.order_id)
    return {"svg": fills_chart(fact, height_px=200), "arrival": fact["arrival"]}


def _costs(draft: Draft, leg: ParentOrder | None, history: OrderHistory) -> tuple[list[dict[str, Any]], Fact | None]:
    """From the decision price to the fills, cause by cause; what was never filled is priced at the last mid seen."""
    order = history.order
    if leg is None or order.arrival_price is None or order.closed_at is None:
        return [], None
    fills = sorted(history.fills, key=lambda fill: (fill.ts_event, fill.execution_id))
    last = fills[-1].mid_price if fills else order.arrival_price
    quality = execution_quality(leg, order.arrival_price, fills, last)
    # The parts within the trading are of what was filled at arrival, the whole is of what was decided on.
    share = float(order.arrival_price * quality.filled / (leg.reference_price * leg.quantity))
    whole = quality.against_decision
    parts = {
        "delay_bps": whole.delay_bps,
        "spread_bps": quality.spread_bps * share,
        "impact_bps": quality.impact_bps * share,
        "timing_bps": quality.timing_bps * share,
        "opportunity_bps": whole.opportunity_bps,
        "fee_bps": whole.fee_bps,
    }
    cash = {name: value * float(leg.notional) / 1e4 for name, value in parts.items()}
    found = draft.derive(
        "order_costs",
        {"bps": {**parts}, "cash": {**cash}, "total_bps": whole.total_bps, "fees": str(sum_of_fees(fills))},
        order=order.order_id,
    )
    ends, at = [0.0], 0.0
    for value in parts.values():
        at += value
        ends.append(at)
    low, high = min(ends), max(ends)
    rows = [
        {
            "label": CAUSES[name],
            "bps": found["bps"][name],
            "cash": found["cash"][name],
            "bar": _floating(ends[place], ends[place + 1], low, high),
        }
        for place, name in enumerate(CAUSES)
    ]
    return rows, found


def sum_of_fees(fills: Sequence[Fill]) -> Decimal:
    return sum((fill.fee for fill in fills), Decimal(0))


def _floating(start: float, end: float, low: float, high: float) -> object:
    """A bar from one level to the next on an axis that holds them all; a cost goes to the right."""
    width = high - low
    if width <= 0:
        return ""
    tone = "more" if end > start else "good"
    return span_bar((start - low) / width, (end - low) / width, -low / width, tone)
