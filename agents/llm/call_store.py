"""The kept model calls of one run: append-only rows by request hash, prompt version and occurrence."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from ...domain.decisions import ModelCall
from ...storage.sql import Database, Row, SqlValue
from .port import ChatRequest
from .spending import Spent

TABLE = "model_calls"

GIVEN_UP = "the run was ended before a reply came"
"""What is kept of a call that nobody waited for: it was paid for, and answers nothing."""

_SCHEMA = f"""CREATE TABLE IF NOT EXISTS {TABLE} (
    seq INTEGER PRIMARY KEY, request_hash TEXT NOT NULL, prompt_version INTEGER NOT NULL, occurrence INTEGER NOT NULL,
    model TEXT NOT NULL, decision_id TEXT NOT NULL, depth INTEGER NOT NULL, seconds REAL NOT NULL, cost TEXT,
    tokens INTEGER NOT NULL, recorded_at TEXT NOT NULL, call TEXT NOT NULL, asked TEXT NOT NULL,
    UNIQUE (request_hash, prompt_version, occurrence))"""

_COLUMNS = "call, occurrence, decision_id, depth, seconds, cost, recorded_at, asked"


@dataclass(frozen=True, slots=True)
class KeptCall:
    """A call as the log knows it, and beside it what a log can't hold: seconds, money, the hour and the full question.

    `depth` counts the calls of its decision that had to end before it could begin, and itself.
    """

    call: ModelCall
    occurrence: int
    decision_id: str
    depth: int
    seconds: float
    cost: Decimal | None
    recorded_at: str
    asked: str


@dataclass(frozen=True, slots=True)
class CallTook:
    """What one call took; `cost` is None where its price is not known."""

    node: str
    model: str
    seconds: float
    cost: Decimal | None
    failed: bool


class CallStore:
    """Reads and writes one run's calls; a book has one of these per run."""

    def __init__(self, database: Database) -> None:
        self._database = database
        if not database.is_readonly:
            database.execute(_SCHEMA)
            database.forbid_changes(TABLE)

    def keep(self, kept: KeptCall) -> None:
        call = kept.call
        values: dict[str, SqlValue] = {
            "request_hash": call.request_hash,
            "prompt_version": call.prompt_version,
            "occurrence": kept.occurrence,
            "model": call.model,
            "decision_id": kept.decision_id,
            "depth": kept.depth,
            "seconds": kept.seconds,
            "cost": None if kept.cost is None else str(kept.cost),
            "tokens": call.prompt_tokens + call.completion_tokens,
            "recorded_at": kept.recorded_at,
            "call": call.model_dump_json(),
            "asked": kept.asked,
        }
        marks = ", ".join("?" * len(values))
        self._database.execute(f"INSERT INTO {TABLE} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))

    def next_occurrence(self, call: ModelCall) -> int:
        """How often the same was asked before. Calls that were given up are counted apart, below zero:

        whoever asks again after that asks for the first time.
        """
        is_given_up = call.error == GIVEN_UP
        where = f"request_hash = ? AND prompt_version = ? AND occurrence {'<' if is_given_up else '>='} 0"
        values = (call.request_hash, call.prompt_version)
        times = int(self._rows(f"SELECT count(*) FROM {TABLE} WHERE {where}", values)[0][0])
        return -1 - times if is_given_up else times

    def calls(self, decision_id: str | None = None) -> tuple[KeptCall, ...]:
        """The calls of a decision, or all, in the order in which they ended."""
        where, values = ("WHERE decision_id = ?", (decision_id,)) if decision_id is not None else ("", ())
        return tuple(_kept(row) for row in self._rows(f"SELECT {_COLUMNS} FROM {TABLE} {where} ORDER BY seq", values))

    def took(self) -> tuple[CallTook, ...]:
        """What each call took, in the order in which they ended, without what was asked and said."""
        columns = "json_extract(call, '$.node'), model, seconds, cost, json_extract(call, '$.error') IS NOT NULL"
        return tuple(
            CallTook(node, model, float(seconds), None if cost is None else Decimal(cost), bool(failed))
            for node, model, seconds, cost, failed in self._rows(f"SELECT {columns} FROM {TABLE} ORDER BY seq", ())
        )

    def find(self, request: ChatRequest, occurrence: int, model: str) -> KeptCall | None:
        """What this model made of this question when it was put for the n-th time."""
        where = "request_hash = ? AND prompt_version = ? AND occurrence = ? AND model = ?"
        values = (request.hash, request.prompt.version, occurrence, model)
        rows = self._rows(f"SELECT {_COLUMNS} FROM {TABLE} WHERE {where}", values)
        return _kept(rows[0]) if rows else None

    def spent_on(self, day: str) -> Spent:
        """What the calls recorded on a day came to; those of unknown price count no money."""
        rows = self._rows(
            f"SELECT tokens, seconds, cost FROM {TABLE} WHERE recorded_at LIKE ? AND tokens > 0", (f"{day}%",)
        )
        total = Spent()
        for tokens, seconds, cost in rows:
            total += Spent(1, int(tokens), float(seconds), Decimal(cost or 0))
        return total

    def _rows(self, sql: str, values: tuple[SqlValue, ...]) -> list[Row]:
        # A store opened for reading may stem from a run that died before its table was made.
        return self._database.rows(sql, values) if TABLE in self._database.tables() else []


class BookCalls:
    """The calls of many runs as one source of replies; of the same question, the one kept last."""

    def __init__(self, stores: Iterable[CallStore], name: str, names: Mapping[str, str]) -> None:
        self._stores = tuple(stores)
        self._name = name
        self._names = names

    def find(self, request: ChatRequest, occurrence: int) -> ModelCall | None:
        model = self._names.get(request.node, self._name)
        found = [kept for store in self._stores if (kept := store.find(request, occurrence, model)) is not None]
        return max(found, key=lambda kept: kept.recorded_at).call if found else None


def _kept(row: Row) -> KeptCall:
    call, occurrence, decision_id, depth, seconds, cost, recorded_at, asked = row
    return KeptCall(
        call=ModelCall.model_validate_json(call),
        occurrence=occurrence,
        decision_id=decision_id,
        depth=depth,
        seconds=seconds,
        cost=None if cost is None else Decimal(cost),
        recorded_at=recorded_at,
        asked=asked,
    )
