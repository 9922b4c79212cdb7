"""The children in the read model of orders: how each one stands, and what moves it there."""

from dataclasses import dataclass
from decimal import Decimal

from ..domain.events import (
    CancelRefused,
    CancelRequested,
    ChildAccepted,
    ChildClosed,
    ChildDenied,
    ChildSubmitted,
    ChildUnresolved,
    Event,
)
from ..domain.orders import ChildOrder, Fill, OrderState
from ..domain.overnight import OrderAdjusted
from ..storage.sql import Database, Row
from .event_table import utc_text
from .projection import Table


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


_CHILD = "client_order_id, order_id, sequence, quantity, limit_price, state, filled, reason, created_at"

SENT = (OrderState.SUBMITTED, OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED)
OPEN = (*SENT, OrderState.PENDING_CANCEL, OrderState.UNKNOWN)

CHILDREN = Table(
    "view_children",
    "client_order_id TEXT PRIMARY KEY, order_id TEXT NOT NULL, sequence INTEGER NOT NULL, "
    "quantity BIGINT NOT NULL, limit_price TEXT, state TEXT NOT NULL, filled BIGINT NOT NULL, "
    "reason TEXT NOT NULL, created_at TEXT NOT NULL, executed BIGINT NOT NULL",
    "client_order_id",
    indexed="order_id",
)


def read_children(database: Database, order_id: str) -> tuple[ChildRecord, ...]:
    """All children of one parent, in the order they were made."""
    query = f"SELECT {_CHILD} FROM view_children WHERE order_id = ? ORDER BY sequence"
    return tuple(map(_child, database.rows(query, (order_id,))))


def _child(row: Row) -> ChildRecord:
    fields = dict(zip(_CHILD.split(", "), row, strict=True))
    limit = fields["limit_price"]
    return ChildRecord(**{**fields, "limit_price": None if limit is None else Decimal(limit)})


def submit_child(database: Database, event: Event, payload: ChildSubmitted) -> None:
    _add_child(database, payload.child, OrderState.SUBMITTED, "")


def deny_child(database: Database, event: Event, payload: ChildDenied) -> None:
    reasons = "; ".join(check.text for check in payload.verdict.reasons)
    _add_child(database, payload.child, OrderState.DENIED, reasons)


def _add_child(database: Database, child: ChildOrder, state: OrderState, reason: str) -> None:
    database.execute(
        f"INSERT INTO view_children ({_CHILD}, executed) VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, 0) "
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


def close_child(database: Database, event: Event, payload: ChildClosed) -> None:
    # A filled child stays filled: the cancel lost the race.
    _move(database, payload.client_order_id, payload.state, OPEN, payload.reason)


def accept_child(database: Database, event: Event, payload: ChildAccepted) -> None:
    _move(database, payload.client_order_id, OrderState.ACCEPTED, (OrderState.SUBMITTED, OrderState.UNKNOWN))


def request_cancel(database: Database, event: Event, payload: CancelRequested) -> None:
    _move(database, payload.client_order_id, OrderState.PENDING_CANCEL, SENT)


def adjust_child(database: Database, event: Event, payload: OrderAdjusted) -> None:
    """A corporate action moved it: as many shares as before, in today's ones."""
    limit = None if payload.limit_price is None else str(payload.limit_price)
    database.execute(
        "UPDATE view_children SET quantity = ?, limit_price = ? WHERE client_order_id = ?",
        (payload.quantity, limit, payload.client_order_id),
    )


def refuse_cancel(database: Database, event: Event, payload: CancelRefused) -> None:
    _move(database, payload.client_order_id, OrderState.ACCEPTED, (OrderState.PENDING_CANCEL,))


def lose_child(database: Database, event: Event, payload: ChildUnresolved) -> None:
    _move(database, payload.client_order_id, OrderState.UNKNOWN, (*SENT, OrderState.PENDING_CANCEL), payload.reason)


def _move(
    database: Database, client_order_id: str, after: OrderState, before: tuple[OrderState, ...], reason: str = ""
) -> None:
    """Into a state, from one of those that lead there; the table of moves is that of the fast loop."""
    database.execute(
        "UPDATE view_children SET state = ?, reason = ? "
        f"WHERE client_order_id = ? AND state IN ({', '.join('?' * len(before))})",
        (after.value, reason, client_order_id, *(state.value for state in before)),
    )


def fill_child(database: Database, fill: Fill) -> None:
    """Shares for a child. What was taken back counts as executed too: the venue does not work it again."""
    # A late fill counts, but no child leaves a terminal state for it.
    open_states = [state.value for state in OPEN]
    database.execute(
        "UPDATE view_children SET filled = filled + ?, executed = executed + ?, state = CASE "
        f"WHEN state NOT IN ({', '.join('?' * len(open_states))}) THEN state WHEN executed + ? >= quantity THEN ? "
        "WHEN state = ? THEN state ELSE ? END WHERE client_order_id = ?",
        (
            fill.quantity,
            fill.quantity,
            *open_states,
            fill.quantity,
            OrderState.FILLED.value,
            OrderState.PENDING_CANCEL.value,
            OrderState.PARTIALLY_FILLED.value,
            fill.client_order_id,
        ),
    )


def bust_child(database: Database, fill: Fill) -> None:
    database.execute(
        "UPDATE view_children SET filled = filled - ? WHERE client_order_id = ?",
        (fill.quantity, fill.client_order_id),
    )
