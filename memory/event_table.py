"""The table of events: its schema, and the one way between an event, its row and its hash."""

import hashlib
import json
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring as _quoted
from typing import NamedTuple

from pydantic import JsonValue

from ..domain import model_text
from ..domain.canonical import canonical_text
from ..domain.errors import UnknownEvent
from ..domain.events import PAYLOADS, Actor, Event, NewEvent, Payload
from ..storage.sql import Database, Row

TABLE = "events"
COLUMNS = (
    "seq, id, stream, version, type, schema_version, event_time, run_id, decision_id, order_id, cause_id, "
    "actor, payload, prev_hash, hash"
)
INSERT = f"INSERT INTO {TABLE} ({COLUMNS}, recorded_at) VALUES ({', '.join('?' * 16)})"
_SCHEMA = (
    f"""CREATE TABLE IF NOT EXISTS {TABLE} (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL,
        stream TEXT NOT NULL,
        version INTEGER NOT NULL,
        type TEXT NOT NULL,
        schema_version INTEGER NOT NULL,
        event_time TEXT NOT NULL,
        run_id TEXT NOT NULL,
        decision_id TEXT,
        order_id TEXT,
        cause_id TEXT,
        actor TEXT NOT NULL,
        payload TEXT NOT NULL,
        prev_hash TEXT NOT NULL,
        hash TEXT NOT NULL,
        recorded_at TEXT NOT NULL
    )""",
    f"CREATE UNIQUE INDEX IF NOT EXISTS {TABLE}_by_stream ON {TABLE} (stream, version)",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_by_type ON {TABLE} (type, seq)",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_by_decision ON {TABLE} (decision_id, seq) WHERE decision_id IS NOT NULL",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_by_order ON {TABLE} (order_id, seq) WHERE order_id IS NOT NULL",
)


def create_event_table(database: Database) -> None:
    """Make the table when it is missing, append-only from its first row, in one transaction."""
    database.begin()
    try:
        for statement in _SCHEMA:
            database.execute(statement)
        database.forbid_changes(TABLE)
        database.commit()
    except BaseException:
        database.rollback()
        raise


def utc_text(moment: datetime) -> str:
    """One text for one instant, whatever zone it came in: 2024-01-02T21:00:00Z, microseconds when there are any."""
    return model_text.utc_text(moment if moment.tzinfo is UTC else moment.astimezone(UTC))


Sealed = tuple[Row, bytes]
"""A fact at its place: the row it becomes, and the canonical body that its hash is over."""


def seal(new: NewEvent, event_id: str, cause_id: str | None, seq: int, version: int, prev_hash: str) -> Sealed:
    """What this fact becomes at this place; the payload is serialized once.

    The hash is `domain.events.chain_hash`, computed over spliced bytes: the canonical payload is by far
    the longest part, and building it again inside a larger JSON document would double the cost.
    `verify_log` recomputes every hash from the definition instead.
    """
    # Read from the dictionary: a model's own attribute access costs twice that.
    f = new.__dict__
    payload, stream, run_id, decision_id, order_id = (
        f["payload"], f["stream"], f["run_id"], f["decision_id"], f["order_id"],
    )  # fmt: skip
    actor = f["actor"].__dict__
    frame = _frame(type(payload), stream, run_id, decision_id, order_id, actor["kind"], actor["name"], actor["detail"])
    text, time_text = canonical_text(payload), utc_text(f["event_time"])
    own = (_json(cause_id), time_text, event_id, text, prev_hash, seq, version)
    body = (frame.body % own).encode()
    event_hash = hashlib.sha256(body).hexdigest()
    row = (
        seq, event_id, stream, version, frame.kind, frame.schema_version, time_text, run_id, decision_id,
        order_id, cause_id, frame.actor, text, prev_hash, event_hash,
    )  # fmt: skip
    return row, body


class _Frame(NamedTuple):
    """What the facts of one kind, stream and actor have in common; `body` has places for what is each one's own."""

    kind: str
    schema_version: int
    actor: str
    body: str


@lru_cache(maxsize=1024)
def _frame(
    kind: type[Payload],
    stream: str,
    run_id: str,
    decision_id: str | None,
    order_id: str | None,
    actor_kind: str,
    actor_name: str,
    actor_detail: str,
) -> _Frame:
    name, schema_version = _name_of(kind), kind.schema_version
    actor = canonical_text({"kind": actor_kind, "name": actor_name, "detail": actor_detail})
    fixed = [
        f'{{"actor":{actor},"cause_id":', f',"decision_id":{_json(decision_id)},"event_time":"', '","id":"',
        f'","order_id":{_json(order_id)},"payload":', ',"prev_hash":"',
        f'","run_id":{_quoted(run_id)},"schema_version":{schema_version},"seq":',
        f',"stream":{_quoted(stream)},"type":"{name}","version":', "}",
    ]  # fmt: skip
    return _Frame(name, schema_version, actor, "%s".join([part.replace("%", "%%") for part in fixed]))


def row_of(body: bytes, event_hash: str) -> Row:
    """The row of a sealed body that was kept elsewhere for a while; the hash is the caller's to check."""
    kept: dict[str, JsonValue] = json.loads(body)
    texts = {"actor": canonical_text(kept["actor"]), "payload": canonical_text(kept["payload"])}
    return tuple([texts.get(name, kept.get(name)) for name in COLUMNS.split(", ")[:-1]] + [event_hash])


def event_of(row: Row) -> Event:
    """The event of a row that this log wrote; `verify_log` is where rows are distrusted."""
    return Event.model_construct(
        seq=row[0],
        id=row[1],
        stream=row[2],
        version=row[3],
        type=row[4],
        schema_version=row[5],
        event_time=datetime.fromisoformat(row[6]),
        run_id=row[7],
        decision_id=row[8],
        order_id=row[9],
        cause_id=row[10],
        actor=_actor_of(row[11]),
        payload=json.loads(row[12]),
        prev_hash=row[13],
        hash=row[14],
    )


def body_of(row: Row) -> dict[str, JsonValue]:
    """What a row's hash is over: every column of the event but the hash itself."""
    names = COLUMNS.split(", ")
    body: dict[str, JsonValue] = dict(zip(names[:-1], row, strict=False))
    body["actor"] = json.loads(row[11])
    body["payload"] = json.loads(row[12])
    return body


def _name_of(kind: type[Payload]) -> str:
    name = kind.__name__
    if PAYLOADS.get(name) is not kind:
        raise UnknownEvent(
            f"{name} is not a known event, so nobody could read it back",
            remedy="Add the payload to PAYLOADS in domain/events.py.",
        )
    return name


def _json(text: str | None) -> str:
    return "null" if text is None else _quoted(text)


@lru_cache(maxsize=256)
def _actor_of(text: str) -> Actor:
    return Actor.model_validate_json(text)
