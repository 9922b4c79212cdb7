"""Questions about orders and fills: trades, one order's story, what is left of it, and its schedule."""

from typing import Any

from pydantic import Field, JsonValue

from ...domain.events import OrderClosed
from ...memory.orders_view import ORDERS as ORDER_EVENTS
from ...memory.orders_view import OrderRecord
from .answer import Answer, Kind
from .arguments import AskedSymbol, Limit, OfOrder, RecordId
from .askable import Askable
from .draft import Draft, num, quote, when
from .finding import find_order, unknown_order, unknown_symbol
from .order_facts import advice_of, approved_leg, fills_chart, order_row
from .reader import Reading
from .spans import OfPeriod, Span, span_of

LINES_SHOWN = 8
RUNNING = "running"


class OfTrades(OfPeriod):
    """Trades of a period, of one name, above a notional in the book's currency."""

    symbol: AskedSymbol | None = None
    min_notional: float = Field(default=0.0, ge=0.0, le=1e12)
    limit: Limit = 50


class OfSchedule(OfOrder):
    order: RecordId = Field(default=RUNNING, description="An order's id, `last`, or `running` for what is worked now.")


def trades(reading: Reading, draft: Draft, asked: OfTrades) -> Answer:
    """Orders that were filled, the newest first."""
    if asked.symbol is not None and asked.symbol not in reading.symbols:
        return unknown_symbol(reading, draft)
    span = span_of(reading, asked)
    if span is None:
        return draft.no_data("no session of this run has closed yet, so nothing was traded.")
    rows = [
        row
        for row in reading.once("trades", lambda: _trade_rows(reading.orders), of=ORDER_EVENTS.handlers)
        if _is_meant(row, asked, span)
    ]
    total = sum(row["notional"] for row in rows)
    found = draft.derive(
        "trades",
        {"rows": [*rows[: asked.limit]], "count": len(rows), "notional": total}
        | {"first": span.first.isoformat(), "last": span.last.isoformat(), "above": asked.min_notional},
    )
    above = "" if not asked.min_notional else " of at least {}"
    pieces = [] if not above else [num(found["above"], "usd", 0)]
    draft.say(
        "{} trades" + above + " from {} to {}, {} in all.",
        *(
            num(found["count"], "count"),
            *pieces,
            when(found["first"]),
            when(found["last"]),
            num(found["notional"], "usd"),
        ),
    )
    table = found["rows"].rows()
    for row in table[:LINES_SHOWN]:
        draft.say(
            "{}: {} {} {} at {} ({}), {}",
            *(when(row["closed_at"] if row.maybe("closed_at") else row["opened_at"]), quote(row["side"])),
            *(num(row["filled"], "count"), quote(row["symbol"]), num(row["price"], "price")),
            *(num(row["notional"], "usd"), quote(row["order_id"])),
        )
    if len(rows) > LINES_SHOWN:
        draft.say("The table has more of them, the newest first.")
    draft.table(TRADE_COLUMNS, table)
    return draft.answer(Kind.TABLE, more="trades with a higher limit, or order")


TRADE_COLUMNS = {
    "order": ("text", "order_id"),
    "symbol": ("text", "symbol"),
    "side": ("text", "side"),
    "filled": ("count", "filled"),
    "price": ("price", "price"),
    "notional": ("usd", "notional"),
    "fees": ("usd", "fees"),
    "shortfall": ("bps", "shortfall_bps"),
    "opened": ("text", "opened_at"),
    "closed": ("text", "closed_at"),
    "decision": ("text", "decision_id"),
}


def remaining(reading: Reading, draft: Draft, asked: OfOrder) -> Answer:
    """How much of an order is still to be filled."""
    order = find_order(reading, asked.order)
    if order is None:
        return unknown_order(reading, draft)
    found = draft.derive("order", order_row(order))
    draft.say(
        "{} of {} shares are left to fill in {} ({} {}, {} filled).",
        *(num(found["left"], "count"), num(found["quantity"], "count"), quote(found["order_id"])),
        *(quote(found["side"]), quote(found["symbol"]), num(found["filled"], "count")),
    )
    draft.say("Its state is {}.", quote(found["state"]))
    return draft.answer(Kind.NUMBER, more=f"order order={order.order_id}")


def order(reading: Reading, draft: Draft, asked: OfOrder) -> Answer:
    """What became of one order, from its decision to its last fill."""
    record = find_order(reading, asked.order)
    if record is None:
        return unknown_order(reading, draft)
    found = draft.derive("order", order_row(record))
    history = reading.views.order(record.order_id)
    draft.say(
        "{} {} {} shares, {}: {}, {} filled, {} left.",
        *(quote(found["side"]), quote(found["symbol"]), num(found["quantity"], "count"), quote(found["order_id"])),
        *(quote(found["state"]), num(found["filled"], "count"), num(found["left"], "count")),
    )
    draft.say(
        "From decision {}: {}, by {} at a decision price of {}.",
        *(quote(found["decision_id"]), quote(found["reason"]), quote(found["algorithm"])),
        num(found["reference_price"], "price"),
    )
    closed = next(reading.read(OrderClosed, order_id=record.order_id), None)
    if record.arrival_price is not None:
        draft.say("Opened {} with the mid at {}.", when(found["opened_at"]), num(found["arrival_price"], "price"))
    if record.average_price is not None:
        draft.say("Average price {}, fees {}.", num(found["price"], "price"), num(found["fees"], "usd"))
    if closed is not None:
        payload = draft.event(closed)["payload"]
        draft.say("Shortfall against arrival {}; costs are positive.", num(payload["shortfall_bps"], "bps", sign=True))
    leg = approved_leg(reading, record)
    if leg is not None:
        draft.say("Expected when it was decided: {}.", num(advice_of(draft, leg)["expected_cost_bps"], "bps"))
    chart = fills_chart(draft, record, history)
    return draft.answer(
        Kind.EXPLANATION, chart=chart, more=f"report id={record.order_id}, or decision decision={record.decision_id}"
    )


def schedule(reading: Reading, draft: Draft, asked: OfSchedule) -> Answer:
    """The slices of an order, what was sent and what came of each."""
    if asked.order == RUNNING:
        working = [item for item in reading.orders if item.state == "working"]
        record = working[-1] if working else None
        if record is None:
            return draft.no_data("no parent order is being worked now.", more="schedule order=last")
    else:
        record = find_order(reading, asked.order)
    if record is None:
        return unknown_order(reading, draft)
    found, leg = draft.derive("order", order_row(record)), approved_leg(reading, record)
    history = reading.views.order(record.order_id)
    draft.say(
        "{}: {} {} {} by {}, {}; {} filled and {} left.",
        *(quote(found["order_id"]), quote(found["side"]), num(found["quantity"], "count"), quote(found["symbol"])),
        *(quote(found["algorithm"]), quote(found["state"]), num(found["filled"], "count"), num(found["left"], "count")),
    )
    if leg is not None:
        advice = advice_of(draft, leg)
        draft.say(
            "Planned slices {}, urgency {}, at most {} of the volume.",
            *(
                num(advice["slices"], "count"),
                quote(advice["urgency"]),
                num(advice["max_participation_frac"], "frac", 0),
            ),
        )
    rows: list[JsonValue] = [
        {
            "slice": child.sequence + 1,
            "created_at": child.created_at,
            "quantity": child.quantity,
            "filled": child.filled,
            "state": child.state,
            "id": child.client_order_id,
            "limit": None if child.limit_price is None else float(child.limit_price),
        }
        for child in (history.children if history else ())
    ]
    table = draft.derive("slices", rows, order=record.order_id).rows()
    for row in table[: draft.room - 1]:
        draft.say(
            "Slice {}, {}: {} shares, {} filled, {}",
            *(num(row["slice"], "count"), when(row["created_at"]), num(row["quantity"], "count")),
            *(num(row["filled"], "count"), quote(row["state"])),
        )
    if not rows:
        draft.say("Nothing was sent for it yet.")
    draft.table(
        {
            "slice": ("count", "slice"),
            "created": ("text", "created_at"),
            "quantity": ("count", "quantity"),
            "limit": ("price", "limit"),
            "filled": ("count", "filled"),
            "state": ("text", "state"),
        },
        table,
    )
    return draft.answer(
        Kind.TABLE_CHART, chart=fills_chart(draft, record, history), more=f"order order={record.order_id}"
    )


def _trade_rows(orders: tuple[OrderRecord, ...]) -> list[dict[str, Any]]:
    return [
        row | {"notional": row["filled"] * (row["price"] or 0.0)}
        for item in reversed(orders)
        if item.filled and (row := order_row(item))
    ]


def _is_meant(row: dict[str, Any], asked: OfTrades, span: Span) -> bool:
    is_named = asked.symbol is None or row["symbol"] == asked.symbol
    return is_named and row["notional"] >= asked.min_notional and span.holds_text(row["closed_at"] or row["opened_at"])


ORDERS = (
    Askable(
        name="trades",
        says="What was traded in a period, above a notional or of one name.",
        parameters=OfTrades,
        answer=trades,
        kind=Kind.TABLE,
        examples=("List all trades today above 10,000 USD notional.",),
    ),
    Askable(
        name="order",
        says="What became of one order.",
        parameters=OfOrder,
        answer=order,
        kind=Kind.EXPLANATION,
        examples=("What happened to order o-77?",),
    ),
    Askable(
        name="remaining",
        says="How much of an order is still to be filled.",
        parameters=OfOrder,
        answer=remaining,
        kind=Kind.NUMBER,
        examples=("How much is left to fill in o-77?",),
    ),
    Askable(
        name="schedule",
        says="The slices of an order that is worked, or of a named one.",
        parameters=OfSchedule,
        answer=schedule,
        kind=Kind.TABLE_CHART,
        examples=("What is the execution schedule of the running parent order?",),
    ),
)
