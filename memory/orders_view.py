"""Read model of parent orders, their children and their fills."""

from dataclasses import dataclass
from decimal import Decimal

from ..domain.approval_events import ApprovalAnswered
from ..domain.events import (
    CancelRefused,
    CancelRequested,
    ChildAccepted,
    ChildClosed,
    ChildDenied,
    ChildSubmitted,
    ChildUnresolved,
    Event,
    FillBusted,
    OrderClosed,
    OrderFilled,
    OrderOpened,
    PlanApproved,
)
from ..domain.orders import Fill, ParentOrder
from ..domain.overnight import OrderAdjusted
from ..storage.sql import Database, Row
from .event_table import utc_text
from .order_children import (
    CHILDREN,
    ChildRecord,
    accept_child,
    adjust_child,
    bust_child,
    close_child,
    deny_child,
    fill_child,
    lose_child,
    read_children,
    refuse_cancel,
    request_cancel,
    submit_child,
)
from .projection import Table, View


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """A parent order as it stands. `state`: approved, working, then filled, partial or unfilled;
    not_sent where a person was asked and did not say yes.

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
class OrderHistory:
    """A parent order with all that was sent and done for it."""

    order: OrderRecord
    children: tuple[ChildRecord, ...]
    fills: tuple[Fill, ...]


ORDER_COLUMNS = (
    "order_id, decision_id, symbol, side, quantity, algorithm, reason, state, filled, notional, fees, "
    "reference_price, arrival_price, shortfall_bps, opened_at, closed_at, seq"
)
_FILL = (
    "execution_id, client_order_id, order_id, symbol, side, quantity, price, fee, mid_price, touch_price, venue, "
    "ts_event, synthetic, tier"
)


def read_orders(database: Database, decision_id: str | None = None) -> tuple[OrderRecord, ...]:
    """Parent orders in the order they were approved, of one decision or of all."""
    where, values = ("", ()) if decision_id is None else ("WHERE decision_id = ?", (decision_id,))
    query = f"SELECT {ORDER_COLUMNS} FROM view_orders {where} ORDER BY seq, order_id"
    return tuple(map(order_of_row, database.rows(query, values)))


def read_order(database: Database, order_id: str) -> OrderHistory | None:
    """One parent order with its children and fills; None when no such order was ever approved."""
    found = database.rows(f"SELECT {ORDER_COLUMNS} FROM view_orders WHERE order_id = ?", (order_id,))
    if not found:
        return None
    fills = database.rows(f"SELECT {_FILL} FROM view_fills WHERE order_id = ? AND busted = 0 ORDER BY seq", (order_id,))
    return OrderHistory(order_of_row(found[0]), read_children(database, order_id), tuple(map(_fill, fills)))


def order_of_row(row: Row) -> OrderRecord:
    """The record of a row with these columns."""
    fields = dict(zip(ORDER_COLUMNS.split(", "), row, strict=True))
    filled, notional = fields["filled"], Decimal(fields.pop("notional"))
    fields["average_price"] = notional / filled if filled else None
    for money in ("fees", "reference_price", "arrival_price"):
        fields[money] = _decimal(fields[money])
    return OrderRecord(**fields)


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


def _fill_order(database: Database, event: Event, payload: OrderFilled) -> None:
    fill = payload.fill
    is_new = database.execute(
        f"INSERT INTO view_fills ({_FILL}, seq, busted) VALUES ({', '.join('?' * 15)}, 0) "
        "ON CONFLICT (execution_id) DO NOTHING",
        (
            fill.execution_id, fill.client_order_id, fill.order_id, fill.symbol, fill.side.value, fill.quantity,
            str(fill.price), str(fill.fee), str(fill.mid_price), str(fill.touch_price), fill.venue,
            utc_text(fill.ts_event), int(fill.synthetic), fill.tier, event.seq,
        ),
    )  # fmt: skip
    if not is_new:
        return
    _count_fill(database, fill, 1)
    fill_child(database, fill)


def _bust(database: Database, event: Event, payload: FillBusted) -> None:
    fill = payload.fill
    if database.execute(
        "UPDATE view_fills SET busted = 1 WHERE execution_id = ? AND busted = 0", (payload.execution_id,)
    ):
        _count_fill(database, fill, -1)
        bust_child(database, fill)


def _count_fill(database: Database, fill: Fill, sign: int) -> None:
    """Into its parent's sums, or out of them again."""
    for notional, fees in database.rows("SELECT notional, fees FROM view_orders WHERE order_id = ?", (fill.order_id,)):
        database.execute(
            "UPDATE view_orders SET filled = filled + ?, notional = ?, fees = ? WHERE order_id = ?",
            (
                sign * fill.quantity,
                str(Decimal(notional) + sign * fill.notional),
                str(Decimal(fees) + sign * fill.fee),
                fill.order_id,
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


def _withhold(database: Database, event: Event, payload: ApprovalAnswered) -> None:
    """A plan without a yes is not worked: none of its orders is ever sent."""
    if payload.answer != "approved":
        database.execute(
            "UPDATE view_orders SET state = 'not_sent', closed_at = ? WHERE decision_id = ? AND state = 'approved'",
            (utc_text(event.event_time), payload.decision_id),
        )


ORDERS = View(
    name="orders",
    version=2,
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
        CHILDREN,
        Table(
            "view_fills",
            "execution_id TEXT PRIMARY KEY, client_order_id TEXT NOT NULL, order_id TEXT NOT NULL, "
            "symbol TEXT NOT NULL, side TEXT NOT NULL, quantity BIGINT NOT NULL, price TEXT NOT NULL, "
            "fee TEXT NOT NULL, mid_price TEXT NOT NULL, touch_price TEXT NOT NULL, venue TEXT NOT NULL, "
            "ts_event TEXT NOT NULL, synthetic INTEGER NOT NULL, tier TEXT NOT NULL, seq INTEGER NOT NULL, "
            "busted INTEGER NOT NULL",
            "execution_id",
            indexed="order_id",
        ),
    ),
    handlers={
        PlanApproved: _approve,
        ApprovalAnswered: _withhold,
        OrderOpened: _open,
        ChildSubmitted: submit_child,
        ChildDenied: deny_child,
        ChildAccepted: accept_child,
        CancelRequested: request_cancel,
        CancelRefused: refuse_cancel,
        ChildUnresolved: lose_child,
        ChildClosed: close_child,
        OrderAdjusted: adjust_child,
        OrderFilled: _fill_order,
        FillBusted: _bust,
        OrderClosed: _close,
    },
)
