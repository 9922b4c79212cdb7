"""Read model of parent orders, their children and their fills."""

from dataclasses import dataclass
from decimal import Decimal

from ..domain.events import (
    ChildClosed,
    ChildDenied,
    ChildSubmitted,
    Event,
    OrderClosed,
    OrderFilled,
    OrderOpened,
    PlanApproved,
)
from ..domain.orders import ChildOrder, Fill, OrderState, ParentOrder
from ..storage.sql import Database, Row
from .event_table import utc_text
from .projection import Table, View


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """A parent order as it stands. `state`: approved, working, then filled, partial or unfilled.

    `average_price` and `fees` are folds of its fills; `shortfall_bps` (a cost is positive) is known once it is closed.
    """

    order_id: str
    decision_id: str
    symbol: str
    side: str
    quantity: int
    algorithm: str
    reason: str
    state: str
    filled: int
    average_price: Decimal | None
    fees: Decimal
    reference_price: Decimal
    arrival_price: Decimal | None
    shortfall_bps: float | None
    opened_at: str | None
    closed_at: str | None
    seq: int


@dataclass(frozen=True, slots=True)
class ChildRecord:
    """A child order as it stands; `state` is an OrderState."""

    client_order_id: str
    order_id: str
    sequence: int
    quantity: int
    limit_price: Decimal | None
    state: str
    filled: int
    reason: str
    created_at: str


@dataclass(frozen=True, slots=True)
class OrderHistory:
    """A parent order with all that was sent and done for it."""

    order: OrderRecord
    children: tuple[ChildRecord, ...]
    fills: tuple[Fill, ...]


_ORDER = (
    "order_id, decision_id, symbol, side, quantity, algorithm, reason, state, filled, notional, fees, "
    "reference_price, arrival_price, shortfall_bps, opened_at, closed_at, seq"
)
_CHILD = "client_order_id, order_id, sequence, quantity, limit_price, state, filled, reason, created_at"
_FILL = (
    "execution_id, client_order_id, order_id, symbol, side, quantity, price, fee, mid_price, venue, ts_event, "
    "synthetic, tier"
)


def read_orders(database: Database, decision_id: str | None = None) -> tuple[OrderRecord, ...]:
    """Parent orders in the order they were approved, of one decision or of all."""
    where, values = ("", ()) if decision_id is None else ("WHERE decision_id = ?", (decision_id,))
    query = f"SELECT {_ORDER} FROM view_orders {where} ORDER BY seq, order_id"
    return tuple(map(_order, database.rows(query, values)))


def read_order(database: Database, order_id: str) -> OrderHistory | None:
    """One parent order with its children and fills; None when no such order was ever approved."""
    found = database.rows(f"SELECT {_ORDER} FROM view_orders WHERE order_id = ?", (order_id,))
    if not found:
        return None
    children = database.rows(f"SELECT {_CHILD} FROM view_children WHERE order_id = ? ORDER BY sequence", (order_id,))
    fills = database.rows(f"SELECT {_FILL} FROM view_fills WHERE order_id = ? ORDER BY seq", (order_id,))
    return OrderHistory(_order(found[0]), tuple(map(_child, children)), tuple(map(_fill, fills)))


def _order(row: Row) -> OrderRecord:
    fields = dict(zip(_ORDER.split(", "), row, strict=True))
    filled, notional = fields["filled"], Decimal(fields.pop("notional"))
    fields["average_price"] = notional / filled if filled else None
    for money in ("fees", "reference_price", "arrival_price"):
        fields[money] = _decimal(fields[money])
    return OrderRecord(**fields)


def _child(row: Row) -> ChildRecord:
    fields = dict(zip(_CHILD.split(", "), row, strict=True))
    fields["limit_price"] = _decimal(fields["limit_price"])
    return ChildRecord(**fields)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _fill(row: Row) -> Fill:
    return Fill.model_validate(dict(zip(_FILL.split(", "), row, strict=True)))


def _approve(database: Database, event: Event, payload: PlanApproved) -> None:
    for leg in payload.plan.legs:
        _add_order(database, event.seq, leg)


def _open(database: Database, event: Event, payload: OrderOpened) -> None:
    _add_order(database, event.seq, payload.order)
    database.execute(
        "UPDATE view_orders SET state = 'working', arrival_price = ?, opened_at = ? WHERE order_id = ?",
        (str(payload.arrival_price), utc_text(event.event_time), payload.order.order_id),
    )


def _add_order(database: Database, seq: int, order: ParentOrder) -> None:
    database.execute(
        "INSERT INTO view_orders (order_id, decision_id, symbol, side, quantity, algorithm, reason, state, filled, "
        "notional, fees, reference_price, seq) VALUES (?, ?, ?, ?, ?, ?, ?, 'approved', 0, '0', '0', ?, ?) "
        "ON CONFLICT (order_id) DO NOTHING",
        (
            order.order_id,
            order.decision_id,
            order.symbol,
            order.side.value,
            order.quantity,
            order.advice.algorithm.value,
            order.reason,
            str(order.reference_price),
            seq,
        ),
    )


def _submit(database: Database, event: Event, payload: ChildSubmitted) -> None:
    _add_child(database, payload.child, OrderState.SUBMITTED, "")


def _deny(database: Database, event: Event, payload: ChildDenied) -> None:
    reasons = "; ".join(check.text for check in payload.verdict.reasons)
    _add_child(database, payload.child, OrderState.DENIED, reasons)


def _add_child(database: Database, child: ChildOrder, state: OrderState, reason: str) -> None:
    database.execute(
        f"INSERT INTO view_children ({_CHILD}) VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?) "
        "ON CONFLICT (client_order_id) DO NOTHING",
        (
            child.client_order_id,
            child.order_id,
            child.sequence,
            child.quantity,
            None if child.limit_price is None else str(child.limit_price),
            state.value,
            reason,
            utc_text(child.created_at),
        ),
    )


def _close_child(database: Database, event: Event, payload: ChildClosed) -> None:
    # A filled child stays filled: the cancel lost the race.
    database.execute(
        "UPDATE view_children SET state = ?, reason = ? WHERE client_order_id = ? AND state <> ?",
        (payload.state.value, payload.reason, payload.client_order_id, OrderState.FILLED.value),
    )


def _fill_order(database: Database, event: Event, payload: OrderFilled) -> None:
    fill = payload.fill
    is_new = database.execute(
        f"INSERT INTO view_fills ({_FILL}, seq) VALUES ({', '.join('?' * 14)}) "
        "ON CONFLICT (execution_id) DO NOTHING",
        (
            fill.execution_id, fill.client_order_id, fill.order_id, fill.symbol, fill.side.value, fill.quantity,
            str(fill.price), str(fill.fee), str(fill.mid_price), fill.venue, utc_text(fill.ts_event),
            int(fill.synthetic), fill.tier, event.seq,
        ),
    )  # fmt: skip
    if not is_new:
        return
    for notional, fees in database.rows("SELECT notional, fees FROM view_orders WHERE order_id = ?", (fill.order_id,)):
        database.execute(
            "UPDATE view_orders SET filled = filled + ?, notional = ?, fees = ? WHERE order_id = ?",
            (
                fill.quantity,
                str(Decimal(notional) + fill.notional),
                str(Decimal(fees) + fill.fee),
                fill.order_id,
            ),
        )
    # A late fill counts, but no child leaves a terminal state for it.
    database.execute(
        "UPDATE view_children SET filled = filled + ?, state = CASE WHEN state NOT IN (?, ?) THEN state "
        "WHEN filled + ? >= quantity THEN ? ELSE ? END WHERE client_order_id = ?",
        (
            fill.quantity,
            OrderState.SUBMITTED.value,
            OrderState.PARTIALLY_FILLED.value,
            fill.quantity,
            OrderState.FILLED.value,
            OrderState.PARTIALLY_FILLED.value,
            fill.client_order_id,
        ),
    )


def _close(database: Database, event: Event, payload: OrderClosed) -> None:
    database.execute(
        "UPDATE view_orders SET state = ?, arrival_price = ?, shortfall_bps = ?, closed_at = ? WHERE order_id = ?",
        (
            payload.status,
            str(payload.arrival_price),
            payload.shortfall_bps,
            utc_text(event.event_time),
            payload.order_id,
        ),
    )


ORDERS = View(
    name="orders",
    version=1,
    tables=(
        Table(
            "view_orders",
            "order_id TEXT PRIMARY KEY, decision_id TEXT NOT NULL, symbol TEXT NOT NULL, side TEXT NOT NULL, "
            "quantity BIGINT NOT NULL, algorithm TEXT NOT NULL, reason TEXT NOT NULL, state TEXT NOT NULL, "
            "filled BIGINT NOT NULL, notional TEXT NOT NULL, fees TEXT NOT NULL, reference_price TEXT NOT NULL, "
            "arrival_price TEXT, shortfall_bps DOUBLE PRECISION, opened_at TEXT, closed_at TEXT, "
            "seq INTEGER NOT NULL",
            "order_id",
            indexed="decision_id",
        ),
        Table(
            "view_children",
            "client_order_id TEXT PRIMARY KEY, order_id TEXT NOT NULL, sequence INTEGER NOT NULL, "
            "quantity BIGINT NOT NULL, limit_price TEXT, state TEXT NOT NULL, filled BIGINT NOT NULL, "
            "reason TEXT NOT NULL, created_at TEXT NOT NULL",
            "client_order_id",
            indexed="order_id",
        ),
        Table(
            "view_fills",
            "execution_id TEXT PRIMARY KEY, client_order_id TEXT NOT NULL, order_id TEXT NOT NULL, "
            "symbol TEXT NOT NULL, side TEXT NOT NULL, quantity BIGINT NOT NULL, price TEXT NOT NULL, "
            "fee TEXT NOT NULL, mid_price TEXT NOT NULL, venue TEXT NOT NULL, ts_event TEXT NOT NULL, "
            "synthetic INTEGER NOT NULL, tier TEXT NOT NULL, seq INTEGER NOT NULL",
            "execution_id",
            indexed="order_id",
        ),
    ),
    handlers={
        PlanApproved: _approve,
        OrderOpened: _open,
        ChildSubmitted: _submit,
        ChildDenied: _deny,
        ChildClosed: _close_child,
        OrderFilled: _fill_order,
        OrderClosed: _close,
    },
)
