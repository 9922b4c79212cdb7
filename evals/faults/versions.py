"""What another version of the program leaves behind: events, read models and checkpoints that this one can't know."""

import logging
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from ...domain.events import chain_hash
from ...memory.event_table import COLUMNS, INSERT, body_of
from ...storage.sql import Row, open_sqlite
from .faults import Fault

PROGRAM = "program_other_version"
LOG_KINDS = ("log_newer_event", "log_newer_schema", "views_other_version")
CHECKPOINTS = "checkpoints.db"
_ALL_HASHES = "SELECT seq, hash FROM events ORDER BY seq"


class OtherVersion:
    """Changes the files of a desk that is down; what a person puts back is what stood there before."""

    def __init__(self, folder: Path, log: Path) -> None:
        self._log, self._kept = log, folder / "kept"
        self.checkpoints = folder / CHECKPOINTS
        self.wrong = ""
        """What this version can't know and has to refuse; empty when it can go on."""
        self._left: list[Row] = []

    def visit(self, fault: Fault) -> None:
        """Another version was here while the desk was down."""
        if fault.kind == "checkpoint_other":
            _CHANGES[fault.which % len(_CHANGES)](self.checkpoints)
            return
        if fault.kind == PROGRAM:
            self.wrong = fault.kind
            self._left = self._hashes()
            return
        self._keep()
        database = open_sqlite(self._log)
        try:
            database.begin()
            if fault.kind == "views_other_version":
                database.execute("UPDATE view_cursors SET version = version + 1")
            else:
                last = database.rows(f"SELECT {COLUMNS} FROM events ORDER BY seq DESC LIMIT 1")[0]
                database.execute(INSERT, (*_newer(last, fault.kind), ""))
                self.wrong = fault.kind
            database.commit()
        finally:
            database.close()
        self._left = self._hashes()

    def is_untouched(self) -> bool:
        """Whether the log still holds what the other version left."""
        return self._hashes() == self._left

    def leave(self) -> None:
        """A person has read the refusal: this version goes back to its own log, or the log to its own version.

        A checkpoint is only work done in advance: it may always be deleted.
        """
        _lose(self.checkpoints)
        if self.wrong in LOG_KINDS:
            self._put_back()
        self.wrong = ""

    def _hashes(self) -> list[Row]:
        reader = open_sqlite(self._log, readonly=True)
        try:
            return reader.rows(_ALL_HASHES)
        finally:
            reader.close()

    def _keep(self) -> None:
        self._kept.mkdir(exist_ok=True)
        for part in self._parts():
            shutil.copyfile(part, self._kept / part.name)

    def _put_back(self) -> None:
        for part in self._parts():
            part.unlink()
        for copy in self._kept.iterdir():
            copy.replace(self._log.with_name(copy.name))

    def _parts(self) -> list[Path]:
        names = (self._log, Path(f"{self._log}-wal"), Path(f"{self._log}-shm"))
        return [part for part in names if part.exists()]


def _newer(last: Row, kind: str) -> Row:
    """A sound event after the last one, such as only a later version writes."""
    columns = dict(zip(COLUMNS.split(", "), last, strict=True))
    columns |= {"seq": columns["seq"] + 1, "id": "evt_newer", "stream": "newer", "version": 1}
    columns |= {"prev_hash": columns["hash"], "order_id": None, "decision_id": None, "cause_id": None}
    if kind == "log_newer_event":
        columns |= {"type": "MoonPhaseSeen", "schema_version": 1, "payload": '{"phase":"full"}'}
    else:
        columns |= {"type": "RunFinished", "schema_version": 99, "payload": "{}"}
    row = tuple(columns.values())
    return (*row[:-1], chain_hash(columns["prev_hash"], body_of(row)))


def _rename_types(path: Path) -> None:
    """Every stored value is of types that this version has no more."""
    # The reader warns of each type that it does not bring to life: here all of them are meant.
    logging.getLogger("langgraph.checkpoint.serde.jsonplus").setLevel(logging.ERROR)
    with closing(open_sqlite(path)) as database:
        for table, column in (("checkpoints", "checkpoint"), ("writes", "value")):
            rows = database.rows(f"SELECT rowid, {column} FROM {table}")
            renamed = [(_bytes(blob).replace(b"domain.decisions", b"domain.decizions"), row) for row, blob in rows]
            database.execute_many(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", renamed)


def _lose(path: Path) -> None:
    for part in path.parent.glob(f"{path.name}*"):
        part.unlink()


def _cut(path: Path) -> None:
    """Every checkpoint ends half way."""
    with closing(open_sqlite(path)) as database:
        database.execute("UPDATE checkpoints SET checkpoint = substr(checkpoint, 1, length(checkpoint) / 2)")


def _bytes(blob: object) -> bytes:
    assert isinstance(blob, bytes), "the saver keeps its values as blobs"
    return blob


def _write_garbage(path: Path) -> None:
    # In a file of its own: the process that died may have the old one open still.
    _lose(path)
    path.write_bytes(b"no database of ours" * 300)


_CHANGES: tuple[Callable[[Path], None], ...] = (_rename_types, _lose, _cut, _write_garbage)
