"""How the machine does: the log and its seals, model calls and their budget, errors, jobs, the disk, and versions."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pydantic import JsonValue, ValidationError

from ... import __version__
from ...desk.clock import wall_time
from ...desk.llm_settings import SpendingSettings
from ...desk.models import read_calls
from ...domain.control_events import NotificationRaised
from ...domain.events import Event, RunFinished
from ...domain.orders import OrderState
from ...evals.harness.manifest import package_versions
from ...memory.heads import HEADS, KEYS, SignedHead
from ...storage.errors import StoreError
from ...storage.signing import own_public_key
from ..answers.draft import Draft
from ..answers.reader import Reading
from ..attesting import HOSTS
from ..pages.twin import Fact, Twin
from .agents import calls_took, taken
from .parts import Asked

TAIL_BYTES = 16_384
FAILED_CHILDREN = (OrderState.REJECTED, OrderState.DENIED, OrderState.UNKNOWN)
Counts = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class LogView:
    """The log's end and what vouches for it."""

    twin: Twin
    log: Fact
    seal: Fact | None
    """The last signed close; None where none was signed."""
    genuine: str
    """`yes`, `no`, or why it can't be told."""


@dataclass(frozen=True, slots=True)
class CallsView:
    """Model calls by node, and what they may use up."""

    twin: Twin
    nodes: list[Fact]
    bounds: list[Fact]
    """What a decision and a day may use up, and what today has."""
    model: Fact
    is_kept: bool


@dataclass(frozen=True, slots=True)
class TroubleView:
    """What went wrong in the run, counted."""

    twin: Twin
    rows: list[Fact]
    notices: list[Fact]


@dataclass(frozen=True, slots=True)
class MachineView:
    """Where it runs."""

    twin: Twin
    disk: Fact
    versions: list[tuple[str, Fact]]
    host: Fact | None
    heartbeat: Fact


def log_view(asked: Asked) -> LogView:
    """The head, the last signed close, and whether it is genuine and on this chain."""
    reading = asked.reading
    draft = reading.draft("log", {})
    last, finished = next(reading.read(after=reading.seq - 1), None), reading.last(RunFinished)
    about: dict[str, JsonValue] = {
        "run": reading.run_id,
        "seq": reading.seq,
        "head": reading.head,
        "at": last.event_time.isoformat() if last else None,
        "type": last.type if last else None,
        "finished": finished is not None,
        "bytes": _size(reading.folder.log_path),
    }
    seal = _last_seal(reading.folder.path / HEADS)
    log = draft.derive("log", about)
    if seal is None:
        return LogView(draft.twin, log, None, "no close of this run was signed")
    told = seal.model_dump(mode="json", include={"session", "kind", "seq", "head_hash", "signed_at", "key_id"})
    told["after"] = reading.seq - seal.seq
    return LogView(draft.twin, log, draft.derive("seal", told), _genuine(reading, seal))


def _last_seal(path: Path) -> SignedHead | None:
    """The last whole line; a file of many years is not read whole for it."""
    for line in reversed(_tail(path)):
        try:
            return SignedHead.model_validate_json(line)
        except ValidationError:
            continue
    return None


def _tail(path: Path) -> list[bytes]:
    """The last whole lines of a file; none of one that is not there."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            lines = file.read().split(b"\n")[:-1]
    except OSError:
        return []
    return lines if size <= TAIL_BYTES else lines[1:]


def _genuine(reading: Reading, seal: SignedHead) -> str:
    try:
        key = own_public_key(reading.book.path / KEYS)
    except StoreError:
        key = None
    if key is None:
        return "the book has no public key to check it with"
    if not seal.is_signed_by(key):
        return "no"
    found = next(reading.read(after=seal.seq - 1, limit=1), None)
    return "yes" if found is not None and found.hash == seal.head_hash else "no"


def calls_view(asked: Asked) -> CallsView:
    """By node: calls and tokens from the log, seconds and failures where calls were kept beside it."""
    reading = asked.reading
    draft = reading.draft("calls", {})
    settings, took = reading.settings.llm, calls_took(reading)
    with read_calls(reading.folder) as store:
        today = store.spent_on(wall_time()[:10]) if store is not None else None
    rows: list[JsonValue] = [
        {"node": cost.node, "calls": cost.calls, **taken([item for item in took if item.node == cost.node])}
        for cost in reading.views.node_costs()
    ]
    spent: dict[str, JsonValue] = {
        "calls": today.calls if today else 0,
        "tokens": today.tokens if today else 0,
        "seconds": round(today.seconds, 3) if today else 0.0,
        "cost": str(today.cost) if today else "0",
    }
    bounds: list[JsonValue] = [
        {
            "what": what,
            "decision": _bound(settings.decision, what),
            "day": _bound(settings.day, what),
            "today": spent[what],
        }
        for what in spent
    ]
    found = draft.derive("node_calls", {"rows": rows, "bounds": bounds, "model": reading.started.model})
    return CallsView(draft.twin, found["rows"].rows(), found["bounds"].rows(), found["model"], bool(took))


def _bound(settings: SpendingSettings, what: str) -> JsonValue:
    bound = getattr(settings, what)
    return None if bound is None else str(bound)


def trouble_view(asked: Asked) -> TroubleView:
    """Orders that were refused or lost, decisions that were refused, and notifications by what they are about."""
    reading = asked.reading
    draft = reading.draft("trouble", {})
    states, kinds = reading.views.pages.child_states(), reading.views.pages.decision_kinds()
    counted = [(f"child orders {state.value.lower()}", states.get(state.value, 0)) for state in FAILED_CHILDREN]
    counted += [(f"decisions {kind}", kinds.get(kind, 0)) for kind in ("refused", "vetoed")]
    notices = reading.grown("notices", (NotificationRaised,), cast("Counts", ()), _add_notice)
    found = draft.derive(
        "trouble",
        {
            "rows": [{"what": what, "times": times} for what, times in counted],
            "notices": [
                {"severity": name.partition(" ")[0], "code": name.partition(" ")[2], "times": times}
                for name, times in sorted(notices, key=lambda item: -item[1])
            ],
        },
    )
    return TroubleView(draft.twin, found["rows"].rows(), found["notices"].rows())


def _add_notice(counts: Counts, event: Event) -> Counts:
    payload = Fact(event.payload, event.id)
    name = f"{payload['severity'].string()} {payload['code'].string()}"
    known = dict(counts)
    return tuple((known | {name: known.get(name, 0) + 1}).items())


def machine_view(asked: Asked) -> MachineView:
    """Disk, program, packages, who wrote the log last, and whether a desk runs."""
    reading = asked.reading
    draft = reading.draft("machine", {})
    disk = shutil.disk_usage(reading.book.path)
    used: dict[str, JsonValue] = {"total": disk.total, "free": disk.free, "free_frac": disk.free / disk.total}
    versions: dict[str, JsonValue] = {"parley": __version__, **package_versions()}
    age = reading.post.heartbeat.age_s()
    flag = reading.post.flag.read()
    beat: dict[str, JsonValue] = {
        "age_s": None if age is None else round(age, 1),
        "flag_by": flag.by if flag else None,
        "flag_reason": flag.reason if flag else None,
        "now": wall_time(),
    }
    return MachineView(
        draft.twin,
        draft.derive("disk", used),
        list(draft.derive("versions", versions).items()),
        _host(reading, draft),
        draft.derive("heartbeat", beat),
    )


def _host(reading: Reading, draft: Draft) -> Fact | None:
    """The process that opened the log last to write."""
    for line in reversed(_tail(reading.folder.path / HOSTS)):
        try:
            found: Any = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            row = cast("dict[str, JsonValue]", found)
            keys = ("opened_at", "parley_version", "commit", "code_hash", "python", "platform", "after_seq")
            return draft.derive("host", {key: row.get(key) for key in keys})
    return None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
