"""What somebody who can write to a log's file may do to its rows, up to making a chain over his own forgery."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from ...domain.canonical import canonical_text
from ...domain.events import GENESIS_HASH, chain_hash
from ...memory.event_table import COLUMNS, TABLE, body_of
from ...memory.log import EventLog
from ...memory.views import ReadModels
from ...storage.sql import Database, Row

Change = Callable[[dict[str, Any]], None]
PAYLOAD, HASH = 12, 14
NAMES = COLUMNS.split(", ")


def _open(database: Database) -> None:
    """Take away what keeps rows from being changed: a file's owner can."""
    for (name,) in database.rows("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        database.execute(f"DROP TRIGGER {name}")


def _of_type(kind: str, change: Change) -> Callable[[Database], None]:
    """Rewrite the first event of a kind, its hash left as it was."""

    def tamper(database: Database) -> None:
        _open(database)
        seq, text = database.rows(f"SELECT seq, payload FROM {TABLE} WHERE type = ? ORDER BY seq", (kind,))[0]
        payload = json.loads(text)
        change(payload)
        database.execute(f"UPDATE {TABLE} SET payload = ? WHERE seq = ?", (canonical_text(payload), seq))

    return tamper


def _approve(payload: dict[str, Any]) -> None:
    payload["decision"]["verdicts"] = [
        {**verdict, "approved": not verdict["approved"]} for verdict in payload["decision"]["verdicts"]
    ]


def _enlarge(payload: dict[str, Any]) -> None:
    payload["plan"]["legs"][0]["quantity"] *= 100


def _drop_check(payload: dict[str, Any]) -> None:
    payload["verdict"]["checks"].pop()


def _insert(database: Database) -> None:
    """The approval once more, at the end."""
    _open(database)
    row = list(database.rows(f"SELECT {COLUMNS} FROM {TABLE} WHERE type = 'PlanApproved'")[0])
    row[0] = database.rows(f"SELECT max(seq) FROM {TABLE}")[0][0] + 1
    row[3] += 1
    marks = ", ".join("?" * (len(row) + 1))
    database.execute(f"INSERT INTO {TABLE} ({COLUMNS}, recorded_at) VALUES ({marks})", (*row, row[6]))


def _delete(where: str) -> Callable[[Database], None]:
    def tamper(database: Database) -> None:
        _open(database)
        database.execute(f"DELETE FROM {TABLE} WHERE {where}")

    return tamper


def _swap(database: Database) -> None:
    _open(database)
    for old, new in ((3, -1), (4, 3), (-1, 4)):
        database.execute(f"UPDATE {TABLE} SET seq = ? WHERE seq = ?", (new, old))


def _actor(database: Database) -> None:
    _open(database)
    actor = canonical_text({"kind": "user", "name": "mallory", "detail": ""})
    database.execute(f"UPDATE {TABLE} SET actor = ? WHERE type = 'PlanApproved'", (actor,))


def _rechain(database: Database) -> None:
    """A larger leg, every later hash made anew, and the read models folded over it: the file alone shows nothing."""
    _of_type("PlanApproved", _enlarge)(database)
    previous = GENESIS_HASH
    for row in database.rows(f"SELECT {COLUMNS} FROM {TABLE} ORDER BY seq"):
        sealed = _sealed(row, previous)
        database.execute(f"UPDATE {TABLE} SET prev_hash = ?, hash = ? WHERE seq = ?", (previous, sealed, row[0]))
        previous = sealed
    ReadModels(database).rebuild(EventLog(database))


def _sealed(row: Row, previous: str) -> str:
    changed = tuple(previous if name == "prev_hash" else value for name, value in zip(NAMES, row, strict=True))
    body = body_of(changed)
    return chain_hash(previous, {name: value for name, value in body.items() if name != "hash"})


TAMPERINGS: Mapping[str, Callable[[Database], None]] = {
    "verdict": _of_type("DecisionMade", _approve),
    "quantity": _of_type("PlanApproved", _enlarge),
    "check": _of_type("PlanApproved", _drop_check),
    "evidence": _of_type("EvidenceRecorded", lambda payload: payload["entries"].pop()),
    "inserted": _insert,
    "deleted": _delete("type = 'PlanApproved'"),
    "cut": _delete("seq > 20"),
    "swapped": _swap,
    "actor": _actor,
    "rechained": _rechain,
}
