"""What the orders of a run cost, kept by order: after another session only its own orders are worked out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

import numpy as np
from pydantic import JsonValue

from ...domain.events import Event, FillBusted, OrderClosed, OrderFilled, OrderOpened, RunStarted
from ...quant.cost_attribution import CostAttribution
from ...tools.attributed import PARTS, attributed, summed
from ...tools.cost_forecasts import charged
from ...tools.executed import ExecutedOrder, executed_of
from ...tools.ledger import figure
from .growing import Gathered
from .reader import Reading

TOUCHES = (OrderClosed, OrderFilled, FillBusted)
"""After any of these an order that is over costs something else: a fill may come late, and be taken back."""
OF_ORDER = frozenset(kind.__name__ for kind in (OrderOpened, *TOUCHES))


class _Touch(NamedTuple):
    """An event that moved an order's cost, by its hash, which stands for all that was before it."""

    order_id: str
    hash: str
    is_closing: bool


@dataclass(frozen=True, slots=True)
class OrderCost:
    """One closed order; the forecast and what it was of are in bps of what was filled, None where nothing was."""

    cost: CostAttribution
    filled_value: Decimal
    predicted_bps: float | None
    charged_bps: float | None


def traded_costs(reading: Reading) -> dict[str, JsonValue] | None:
    """The whole run's orders as `tools/costs.py` sums them, without its groups; None before one has closed."""
    return reading.once("traded costs", lambda: _document(list(_order_costs(reading))), of=TOUCHES)


def _order_costs(reading: Reading) -> Iterator[OrderCost]:
    """Of every order that is over, in the order they closed."""
    kept = reading.once("order costs", dict[str, OrderCost | None], of=(RunStarted,))
    history, assumed_volume = reading.history, reading.settings.costs.assumed_daily_volume
    for order_id, touch in _closed(reading.grown("cost touches", TOUCHES, Gathered[_Touch](), _with_touch)).items():
        if touch not in kept:
            events = (event for event in reading.read(order_id=order_id) if event.type in OF_ORDER)
            kept[touch] = _order_cost(executed_of(events, history, assumed_volume)[0])
        found = kept[touch]
        if found is not None:
            yield found


def _with_touch(touches: Gathered[_Touch], event: Event) -> Gathered[_Touch]:
    return touches.with_item(_Touch(event.order_id or "", event.hash, event.type == OrderClosed.__name__))


def _closed(touches: Gathered[_Touch]) -> dict[str, str]:
    """The last touch of each order that is over, by its id."""
    last: dict[str, str] = {}
    closed: dict[str, str] = {}
    for order_id, at, is_closing in touches:
        last[order_id] = at
        if is_closing:
            closed.setdefault(order_id, "")
    return {order_id: last[order_id] for order_id in closed}


def _order_cost(orders: Sequence[ExecutedOrder]) -> OrderCost | None:
    """None of an order that was closed and never opened: it is no parent of this run."""
    if not orders:
        return None
    one = attributed(orders[0])
    item = one.item
    return OrderCost(
        cost=one.cost,
        filled_value=item.order.reference_price * item.filled,
        predicted_bps=item.order.advice.expected_cost_bps if item.fills else None,
        charged_bps=charged(one) if item.fills else None,
    )


def _document(costs: list[OrderCost]) -> dict[str, JsonValue] | None:
    if not costs:
        return None
    whole = summed([item.cost for item in costs])
    cash = {part: getattr(whole, part) for part in (*PARTS, "total")}
    predicted = np.array([item.predicted_bps for item in costs if item.predicted_bps is not None])
    realized = np.array([item.charged_bps for item in costs if item.charged_bps is not None])
    forecast: dict[str, JsonValue] = {"orders": len(predicted)}
    if len(predicted):
        forecast["mean_predicted_bps"] = figure(float(predicted.mean()))
        forecast["mean_realized_bps"] = figure(float(realized.mean()))
    filled = float(sum((item.filled_value for item in costs), Decimal(0)))
    return {
        "total": {
            "orders": len(costs),
            "value": f"{whole.decided_value:f}",
            "cash": {part: f"{amount:f}" for part, amount in cash.items()},
            "bps": {part: figure(whole.bps(amount)) for part, amount in cash.items()},
        },
        "filled_frac": figure(filled / float(whole.decided_value)),
        "charged": forecast,
    }
