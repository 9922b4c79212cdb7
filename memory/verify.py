"""Walks a log and says whether it is what was written: chain, order, content, and the read models over it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from .. import ParleyError
from ..domain.canonical import canonical_bytes
from ..domain.errors import CanonicalError, UnknownEvent
from ..domain.events import GENESIS_HASH, Event, OrderFilled, Payload, chain_hash
from ..storage.errors import StoreCorrupt, StoreError
from ..storage.sql import Database, Row, open_in_memory, open_sqlite
from .errors import EmptyLog
from .event_table import COLUMNS, TABLE, body_of
from .findings import Auditor, Finding
from .views import ReadModels

_ROWS_PER_READ = 200


@dataclass(frozen=True, slots=True)
class BadEvent:
    """The first event that isn't what was written, and what is wrong with it."""

    seq: int
    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What a walk found. `events` and `head_hash` are those of the sound part.

    `views` says of each read model whether it equals a fold of the log; it is empty when an event is bad.
    `damage` is what the database's own check found, or an empty text; `findings` are those of the auditors.
    """

    ok: bool
    events: int
    head_hash: str
    first_bad: BadEvent | None
    views: dict[str, bool]
    damage: str
    findings: tuple[Finding, ...] = ()


def verify_log(
    path: str | Path,
    on_progress: Callable[[int, int], None] | None = None,
    auditors: Sequence[Auditor] = (),
) -> VerifyReport:
    """Check a book's log from its stored columns alone, without writing to it.

    `auditors` are shown every event that the walk accepts, and say what can't be although the chain holds.

    A chain can't show that its newest events were cut off: the read models, which know how far they
    were, can; and whoever noted an earlier head hash elsewhere can compare it.
    """
    database = open_sqlite(path, readonly=True)
    try:
        return _verified(database, on_progress or (lambda done, total: None), auditors)
    finally:
        database.close()


def _verified(database: Database, on_progress: Callable[[int, int], None], auditors: Sequence[Auditor]) -> VerifyReport:
    database.begin()  # one snapshot, even while a writer goes on
    if TABLE not in database.tables():
        raise EmptyLog(f"{database.name}: holds no event log", remedy="Check the path of the book.")
    walk = _Walk(database, auditors)
    bad = walk.run(on_progress)
    views = {} if bad else walk.compare_views()
    damage = database.find_damage()
    findings = tuple(finding for auditor in auditors for finding in auditor.findings())
    return VerifyReport(
        ok=bad is None and all(views.values()) and not damage and not findings,
        events=walk.seq,
        head_hash=walk.hash,
        first_bad=bad,
        views=views,
        damage=damage,
        findings=findings,
    )


class _Bad(Exception):
    """Ends the walk at the event in hand."""


class _Walk:
    """The state of one pass over the events: the place, what is known so far, and the fold."""

    def __init__(self, database: Database, auditors: Sequence[Auditor]) -> None:
        self._database = database
        self._auditors = auditors
        self.seq = 0
        self.hash = GENESIS_HASH
        self._versions: dict[str, int] = {}
        self._execution_ids: dict[str, int] = {}
        self._folded = ReadModels(open_in_memory())
        self._folded.create()

    def run(self, on_progress: Callable[[int, int], None]) -> BadEvent | None:
        """Walk to the end or to the first bad event."""
        event_id = ""
        try:
            total = self._last_seq()
            for row in self._rows():
                event_id = str(row[1])
                self._check(row)
                event_id = ""
                if self.seq % _ROWS_PER_READ == 0 or self.seq == total:
                    on_progress(self.seq, max(total, self.seq))
            if self.seq != total:
                raise _Bad(f"the last event is {total}, but only {self.seq} can be reached from the first")
        except _Bad as found:
            return BadEvent(self.seq + 1, event_id, str(found))
        except StoreError as error:
            return BadEvent(self.seq + 1, event_id, f"can't be read: {error.message}")
        return None

    def compare_views(self) -> dict[str, bool]:
        """Each read model against the fold of the same events, at the same place."""
        stored = ReadModels(self._database)
        folded = self._folded.digest()
        try:
            if not self._database.tables() & {"view_cursors"}:
                return {}
            cursors, digests = stored.cursors(), stored.digest()
        except StoreError:
            return dict.fromkeys(folded, False)
        return {name: digests[name] == digest and cursors.get(name) == self.seq for name, digest in folded.items()}

    def _last_seq(self) -> int:
        try:
            return self._database.rows(f"SELECT max(seq) FROM {TABLE}")[0][0] or 0
        except StoreCorrupt:
            return 0  # the last page is damaged; the walk will come to it and name the place

    def _rows(self) -> Iterator[Row]:
        """Rows in order; a damaged piece is read again one by one, to come as close to the damage as can be."""
        query = f"SELECT {COLUMNS} FROM {TABLE} WHERE seq > ? ORDER BY seq LIMIT ?"
        after = -(2**63)  # a damaged seq may be negative
        while True:
            try:
                rows = self._database.rows(query, (after, _ROWS_PER_READ))
            except StoreCorrupt:
                rows = self._database.rows(query, (after, 1))
            if not rows:
                return
            yield from rows
            after = rows[-1][0]

    def _check(self, row: Row) -> None:
        """Accept the row as the next event, or say why it can't be."""
        _check_column_kinds(row)
        if row[0] != self.seq + 1:
            raise _Bad(f"seq is {row[0]}, expected {self.seq + 1}")
        if row[13] != self.hash:
            raise _Bad("prev_hash is not the hash of the event before")
        event = _sound_event(row)
        known = self._versions.get(event.stream, 0)
        if event.version != known + 1:
            raise _Bad(f"version of stream {event.stream} is {event.version}, expected {known + 1}")
        payload = _decoded(event)
        self._check_fill_is_new(event.seq, payload)
        try:
            self._folded.apply(event, payload)
            for auditor in self._auditors:
                auditor.take(event, payload)
        except ParleyError as error:
            raise _Bad(f"can't be folded into the read models: {error.message}") from error
        except ArithmeticError as error:
            raise _Bad(f"holds a number that nothing can be reckoned with: {type(error).__name__}") from error
        self._versions[event.stream] = event.version
        self.seq, self.hash = event.seq, event.hash

    def _check_fill_is_new(self, seq: int, payload: Payload) -> None:
        if isinstance(payload, OrderFilled):
            execution_id = payload.fill.execution_id
            earlier = self._execution_ids.setdefault(execution_id, seq)
            if earlier != seq:
                raise _Bad(f"fill {execution_id} was already recorded by event {earlier}")


def _check_column_kinds(row: Row) -> None:
    numbers, optional = {0, 3, 5}, {8, 9, 10}
    for index, (name, value) in enumerate(zip(COLUMNS.split(", "), row, strict=True)):
        wanted = int if index in numbers else str
        if not (isinstance(value, wanted) or (value is None and index in optional)):
            raise _Bad(f"column {name} holds {type(value).__name__}, expected {wanted.__name__}")


def _sound_event(row: Row) -> Event:
    """The event of a row whose content is spelled canonically and hashes to what the row says."""
    try:
        body = body_of(row)
        # Another spelling of the same JSON would hash the same after parsing, yet isn't what was written.
        for index, name in ((11, "actor"), (12, "payload")):
            if canonical_bytes(body[name]) != row[index].encode("utf-8"):
                raise _Bad(f"{name} is not in canonical form")
        if chain_hash(row[13], body) != row[14]:
            raise _Bad("content does not hash to the recorded hash")
        return Event.model_validate({**body, "hash": row[14]})
    except ValidationError as error:
        raise _Bad(f"envelope is malformed: {error.error_count()} fields are wrong") from error
    except (ValueError, RecursionError, CanonicalError) as error:
        raise _Bad(f"content is not JSON: {error}") from error


def _decoded(event: Event) -> Payload:
    try:
        return event.decoded()
    except UnknownEvent as error:
        raise _Bad(error.message) from error
    except ValidationError as error:
        raise _Bad(f"payload is not a {event.type}: {error.error_count()} fields are wrong") from error
