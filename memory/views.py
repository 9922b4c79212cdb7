"""The read models of a book: tables rebuilt from events, updated in the events' own transaction."""

import hashlib
from collections.abc import Iterable

from ..domain.canonical import canonical_bytes
from ..domain.events import Event, Payload
from ..domain.portfolio import Portfolio
from ..storage.sql import Database
from .agent_scores import AGENT_SCORES, CastVote, NodeCost, read_costs, read_votes
from .decisions_view import DECISIONS, DecisionRecord, read_decisions
from .log import EventLog
from .orders_view import ORDERS, OrderHistory, OrderRecord, read_order, read_orders
from .performance_view import PERFORMANCE, SessionRecord, read_performance
from .portfolio_view import PORTFOLIO, read_portfolio
from .projection import Handler, View
from .record_pages import RecordPages

VIEWS: tuple[View, ...] = (PORTFOLIO, ORDERS, DECISIONS, PERFORMANCE, AGENT_SCORES)

_CURSORS = "view_cursors"


class ReadModels:
    """Answers for reports, chat and command line. On a read-only database it only answers."""

    def __init__(self, database: Database, views: Iterable[View] = VIEWS) -> None:
        self._database = database
        self._views = tuple(views)
        self._handlers: dict[type[Payload], list[Handler]] = {}
        for view in self._views:
            for kind, handler in view.handlers.items():
                self._handlers.setdefault(kind, []).append(handler)

    def portfolio(self) -> Portfolio:
        """Cash and positions after the last booked fill; EmptyLog before the book is funded."""
        return read_portfolio(self._database)

    def orders(self, decision_id: str | None = None) -> tuple[OrderRecord, ...]:
        """Parent orders in the order they were approved, of one decision or of all."""
        return read_orders(self._database, decision_id)

    def order(self, order_id: str) -> OrderHistory | None:
        """One parent order with its children and fills; None when it is unknown."""
        return read_order(self._database, order_id)

    def decisions(self) -> tuple[DecisionRecord, ...]:
        """All decisions, in the order they were made."""
        return read_decisions(self._database)

    def performance(self) -> tuple[SessionRecord, ...]:
        """All closed sessions, oldest first."""
        return read_performance(self._database)

    def votes(self) -> tuple[CastVote, ...]:
        """Every agent's vote on every leg, in the order of the decisions."""
        return read_votes(self._database)

    def node_costs(self) -> tuple[NodeCost, ...]:
        """Model calls and tokens of each node of the graph."""
        return read_costs(self._database)

    @property
    def pages(self) -> RecordPages:
        """The same by the piece, for who shows a long record."""
        return RecordPages(self._database)

    def cursors(self) -> dict[str, int]:
        """The last event each read model has seen, by its name."""
        return dict(self._database.rows(f"SELECT name, seq FROM {_CURSORS} ORDER BY name"))

    def digest(self) -> dict[str, str]:
        """A hash of each read model's rows: equal content gives equal hashes, whatever the order of writing."""
        return {view.name: self._digest_of(view) for view in self._views}

    def prepare(self, log: EventLog) -> None:
        """Make what is missing and catch up with the log; called by the log inside a transaction.

        A read model of another version, or one ahead of the log (its tail was cut off), starts over.
        """
        self._database.execute(
            f"CREATE TABLE IF NOT EXISTS {_CURSORS} (name TEXT PRIMARY KEY, version INTEGER NOT NULL, "
            "seq INTEGER NOT NULL)"
        )
        head, _ = log.head()
        stored = {
            name: seq
            for name, version, seq in self._database.rows(f"SELECT name, version, seq FROM {_CURSORS}")
            if seq <= head and any(view.name == name and view.version == version for view in self._views)
        }
        for view in self._views:
            if view.name not in stored:
                view.drop(self._database)
                stored[view.name] = 0
            view.create(self._database)
        for event in log.read(min(stored.values(), default=head)):
            payload = event.decoded()
            for view in self._views:
                handler = view.handlers.get(type(payload))
                if handler is not None and event.seq > stored[view.name]:
                    handler(self._database, event, payload)
        self.settle(head)

    def rebuild(self, log: EventLog) -> None:
        """Throw all read models away and fold the log again, in one transaction."""
        self._database.begin()
        try:
            self._database.execute(f"DROP TABLE IF EXISTS {_CURSORS}")
            self.prepare(log)
            self._database.commit()
        except BaseException:
            self._database.rollback()
            raise

    def create(self) -> None:
        """Empty tables, for a fold that has no log beside it."""
        for view in self._views:
            view.create(self._database)

    def apply(self, event: Event, payload: Payload) -> None:
        """Book one event in every read model that listens to its kind."""
        for handler in self._handlers.get(type(payload), ()):
            handler(self._database, event, payload)

    def settle(self, seq: int) -> None:
        """Note how far the tables are; once a commit is enough, since both are in one transaction."""
        self._database.execute_many(
            f"INSERT INTO {_CURSORS} (name, version, seq) VALUES (?, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET version = excluded.version, seq = excluded.seq",
            [(view.name, view.version, seq) for view in self._views],
        )

    def _digest_of(self, view: View) -> str:
        digest = hashlib.sha256()
        for table in view.tables:
            digest.update(canonical_bytes([table.name]))
            for row in self._database.rows(f"SELECT * FROM {table.name} ORDER BY {table.key}"):
                digest.update(canonical_bytes(row))
        return digest.hexdigest()
