"""Pages of the read models, the newest first: a long record is read by the piece that is looked at, never whole."""

from dataclasses import dataclass

from ..storage.sql import Database, SqlValue
from .decisions_view import DECISION_COLUMNS, DecisionRecord, decision_of_row
from .orders_view import ORDER_COLUMNS, OrderRecord, order_of_row


@dataclass(frozen=True, slots=True)
class DecisionsWanted:
    """Which decisions: of one kind, that concern one name, in which somebody had nothing to say."""

    kind: str | None = None
    symbol: str | None = None
    abstained: bool = False


@dataclass(frozen=True, slots=True)
class OrdersWanted:
    """Which parent orders: of one state, of one name, of one decision's side."""

    state: str | None = None
    symbol: str | None = None


@dataclass(frozen=True, slots=True)
class OrderPlace:
    """Where a page of orders ended: an approval's event, and the order within its plan."""

    seq: int
    order_id: str


@dataclass(frozen=True, slots=True)
class VenueFills:
    """What one venue filled, by what its prices rest on; what it took back is not counted."""

    venue: str
    tier: str
    synthetic: bool
    fills: int
    shares: int
    orders: int


class RecordPages:
    """Pieces of the tables of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def decisions(self, wanted: DecisionsWanted, before: int | None, limit: int) -> tuple[DecisionRecord, ...]:
        """Decisions before an event, the newest first. A name is concerned where it was voted on or traded."""
        conditions, values = list[str](), list[SqlValue]()
        if wanted.kind is not None:
            conditions.append("kind = ?")
            values.append(wanted.kind)
        if wanted.abstained:
            conditions.append("abstentions > 0")
        if wanted.symbol is not None:
            conditions.append(
                "(decision_id IN (SELECT decision_id FROM view_orders WHERE symbol = ?) OR EXISTS "
                "(SELECT 1 FROM view_votes v WHERE v.decision_id = view_decisions.decision_id AND v.symbol = ?))"
            )
            values += [wanted.symbol, wanted.symbol]
        if before is not None:
            conditions.append("seq < ?")
            values.append(before)
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        query = f"SELECT {DECISION_COLUMNS} FROM view_decisions {where} ORDER BY seq DESC LIMIT ?"
        return tuple(map(decision_of_row, self._database.rows(query, (*values, limit))))

    def decision_kinds(self) -> dict[str, int]:
        """How many decisions came out how."""
        return dict(self._database.rows("SELECT kind, count(*) FROM view_decisions GROUP BY kind ORDER BY kind"))

    def orders(self, wanted: OrdersWanted, before: OrderPlace | None, limit: int) -> tuple[OrderRecord, ...]:
        """Parent orders behind a place, those approved last first."""
        conditions, values = list[str](), list[SqlValue]()
        for column, value in (("state", wanted.state), ("symbol", wanted.symbol)):
            if value is not None:
                conditions.append(f"{column} = ?")
                values.append(value)
        if before is not None:
            conditions.append("(seq < ? OR (seq = ? AND order_id > ?))")
            values += [before.seq, before.seq, before.order_id]
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        query = f"SELECT {ORDER_COLUMNS} FROM view_orders {where} ORDER BY seq DESC, order_id LIMIT ?"
        return tuple(map(order_of_row, self._database.rows(query, (*values, limit))))

    def order_states(self) -> dict[str, int]:
        """How many parent orders stand how."""
        return dict(self._database.rows("SELECT state, count(*) FROM view_orders GROUP BY state ORDER BY state"))

    def shortfalls(self) -> tuple[tuple[str, str, str, float], ...]:
        """Order, algorithm, side and shortfall in bps of every closed order that was filled at all."""
        return tuple(
            self._database.rows(
                "SELECT order_id, algorithm, side, shortfall_bps FROM view_orders "
                "WHERE shortfall_bps IS NOT NULL AND filled > 0 ORDER BY seq, order_id"
            )
        )

    def child_states(self) -> dict[str, int]:
        """How many child orders stand how."""
        return dict(self._database.rows("SELECT state, count(*) FROM view_children GROUP BY state ORDER BY state"))

    def venues(self) -> tuple[VenueFills, ...]:
        """Fills by venue and by what they rest on."""
        rows = self._database.rows(
            "SELECT venue, tier, synthetic, count(*), sum(quantity), count(DISTINCT order_id) FROM view_fills "
            "WHERE busted = 0 GROUP BY venue, tier, synthetic ORDER BY venue, tier, synthetic"
        )
        return tuple(VenueFills(venue, tier, bool(is_made), *counts) for venue, tier, is_made, *counts in rows)
