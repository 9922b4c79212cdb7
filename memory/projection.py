"""What a read model is made of: tables, and a handler for each kind of event it listens to; and what feeds it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ..domain.events import Event, Payload
from ..storage.sql import Database

if TYPE_CHECKING:
    from .log import EventLog

Handler = Callable[[Database, Event, Any], None]
"""Books one event; the last argument is of the payload class the handler is listed under."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its columns as SQL, its key, and a second column to look rows up by.

    Money is kept as decimal text: a float would round it, and a sum in SQL would be a float.
    """

    name: str
    columns: str
    key: str
    indexed: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """A read model: a fold of events into tables. A new `version` makes every book rebuild it at the next open."""

    name: str
    version: int
    tables: tuple[Table, ...]
    handlers: Mapping[type[Payload], Handler]

    def create(self, database: Database) -> None:
        for table in self.tables:
            database.execute(f"CREATE TABLE IF NOT EXISTS {table.name} ({table.columns})")
            if table.indexed:
                database.execute(
                    f"CREATE INDEX IF NOT EXISTS {table.name}_by_{table.indexed} ON {table.name} ({table.indexed})"
                )

    def drop(self, database: Database) -> None:
        for table in self.tables:
            database.execute(f"DROP TABLE IF EXISTS {table.name}")


class Projection(Protocol):
    """What the log feeds in the transaction of the events themselves; `memory.views.ReadModels` is one."""

    def prepare(self, log: "EventLog") -> None:
        """Make the tables and bring them to the log's head."""
        ...

    def apply(self, event: Event, payload: Payload) -> None: ...

    def settle(self, seq: int) -> None:
        """Note how far the tables are, just before a commit."""
        ...
