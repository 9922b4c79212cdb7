"""The best-execution fields of one order, from its own events; what no event records is named, not guessed."""

from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from ..domain.decisions import Verdict
from ..domain.events import ChildSubmitted, OrderClosed, OrderOpened
from ..domain.orders import Fill, ParentOrder
from ..execution.shortfall import BPS, execution_quality
from ..memory.event_table import utc_text
from .told import Told

NOT_RECORDED = {
    "market_vwap": "the log keeps quotes and prints only where a fill happened; `parley costs` reads the data set",
    "market_twap": "as market_vwap",
    "peers": "no orders of other desks are known",
}


def best_execution(
    leg: ParentOrder, verdict: Verdict, mine: Sequence[Told], fills: Sequence[Fill], close: str | None
) -> dict[str, Any]:
    """Who, what, when, at which price against which benchmark, and what it cost; costs are positive, in bps.

    `close` is the session's last price where it is in the log; without it the last mid at a fill prices what was
    never filled.
    """
    opened = next((item for item in mine if isinstance(item.payload, OrderOpened)), None)
    closed = next((item for item in mine if isinstance(item.payload, OrderClosed)), None)
    limits = [item.payload.child.limit_price for item in mine if isinstance(item.payload, ChildSubmitted)]
    prices = [price for price in limits if price is not None]
    arrival = opened.payload.arrival_price if opened and isinstance(opened.payload, OrderOpened) else None
    return {
        "instrument": leg.symbol,
        "side": leg.side.value,
        "quantity": leg.quantity,
        "filled": sum(fill.quantity for fill in fills),
        "order_type": "limit" if prices else None,
        "limit_price_lowest": _text(min(prices, default=None)),
        "limit_price_highest": _text(max(prices, default=None)),
        "venues": sorted({fill.venue for fill in fills}),
        "algorithm": leg.advice.algorithm.value,
        "why": leg.reason,
        "urgency": leg.advice.urgency.value,
        "decided_at": utc_text(verdict.as_of),
        "arrived_at": utc_text(opened.event.event_time) if opened else None,
        "first_fill_at": utc_text(min(fill.ts_event for fill in fills)) if fills else None,
        "last_fill_at": utc_text(max(fill.ts_event for fill in fills)) if fills else None,
        "closed_at": utc_text(closed.event.event_time) if closed else None,
        "decision_price": str(leg.reference_price),
        "arrival_mid": _text(arrival),
        "session_close": close,
        "expected_cost_bps": leg.advice.expected_cost_bps,
        "participation": _participation(verdict, leg),
        "synthetic": any(fill.synthetic for fill in fills),
        "data_tiers": sorted({fill.tier for fill in fills}),
        **_costs(leg, arrival, fills, close),
        "not_recorded": NOT_RECORDED,
    }


def _costs(leg: ParentOrder, arrival: Decimal | None, fills: Sequence[Fill], close: str | None) -> dict[str, Any]:
    """Average price, fees and the shortfall taken apart; empty fields where nothing was filled."""
    if arrival is None:
        return {"average_price": None, "fees": None, "spread_at_fills_bps": None, "shortfall": None}
    last = Decimal(close) if close is not None else fills[-1].mid_price if fills else arrival
    quality = execution_quality(leg, arrival, fills, last)
    crossed = sum((abs(fill.touch_price - fill.mid_price) * fill.quantity for fill in fills), Decimal(0))
    at_mid = sum((fill.mid_price * fill.quantity for fill in fills), Decimal(0))
    return {
        "average_price": _text(quality.average_price),
        "fees": str(quality.fees),
        "spread_at_fills_bps": float(2 * crossed / at_mid * BPS) if fills else None,
        "shortfall": {
            "against_arrival_bps": quality.shortfall_bps,
            "spread_bps": quality.spread_bps,
            "impact_bps": quality.impact_bps,
            "timing_bps": quality.timing_bps,
            "fee_bps": quality.fee_bps,
            "against_decision": asdict(quality.against_decision),
            "realized_less_expected_bps": quality.shortfall_bps + quality.fee_bps - leg.advice.expected_cost_bps
            if fills
            else None,
        },
    }


def _participation(verdict: Verdict, leg: ParentOrder) -> float | None:
    """Share of the usual daily volume, as the gate measured it; None where the data set has no volume."""
    return next(
        (check.value for check in verdict.checks if check.check == "participation" and check.symbol == leg.symbol), None
    )


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
