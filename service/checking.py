"""The `verify` and `replay` commands: is the log what was written, and does it decide the same again."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..desk.book import Book, RunFolder
from ..domain.events import GENESIS_HASH
from ..evals.replay import replay_run
from ..memory.findings import Auditor
from ..memory.gate_record import GateRecord
from ..memory.heads import HEADS, KEYS, HeadAudit, SignedHead, read_heads
from ..memory.lesson_audit import LessonAudit
from ..memory.verify import VerifyReport, verify_log
from ..storage.errors import StoreCorrupt
from ..storage.signing import PublicKey, own_public_key, read_public_key
from .console import Console
from .limit_rules import reachable_limits
from .remembering import IndexState, index_state

MOST_SHOWN = 20
SQLITE_MAGIC = b"SQLite format 3\x00"


def perform_verify(run_name: str | None, public_key_path: Path | None, book_path: Path, console: Console) -> bool:
    """Chain, read models, the gate's record and the signed heads of a run; `public_key_path` makes heads a must."""
    folder = Book(book_path).find(run_name)
    heads, unreadable = read_heads(folder.path / HEADS)
    keys = _keys(folder, public_key_path)
    lessons = LessonAudit()
    audits = (
        lessons,
        GateRecord(reachable_limits),
        HeadAudit(heads, unreadable, keys, every_close=public_key_path is not None),
    )
    with console.progress("verify") as bar:
        report = _verified(folder.log_path, bar, audits)
    index = index_state(folder) if report.first_bad is None and not report.damage else None
    ok = report.ok and index != "differs"
    console.result(_document(folder.run_id, report, heads) | {"ok": ok, "lessons": lessons.lessons, "index": index})
    _say(console, report, heads)
    _say_lessons(console, lessons.lessons, index)
    return ok


def _say_lessons(console: Console, lessons: int, index: IndexState | None) -> None:
    """Nothing where nothing was ever remembered."""
    if index == "differs":
        console.say("bad: the index of lessons is not a fold of the log; `parley memory rebuild` makes it again")
    elif lessons:
        how = "its index equals a fold of the log" if index == "equal" else "it has no index"
        console.say(f"  {lessons:,} lessons, each as its decision and order have it; {how}")


def _document(run_id: str, report: VerifyReport, heads: Sequence[SignedHead]) -> dict[str, Any]:
    return {
        "ok": report.ok,
        "run": run_id,
        "events": report.events,
        "head_hash": report.head_hash,
        "first_bad": None if report.first_bad is None else asdict(report.first_bad),
        "views": report.views,
        "damage": report.damage,
        "findings": [asdict(finding) for finding in report.findings],
        "signed_heads": len(heads),
        "signed_until": max((head.seq for head in heads), default=0),
        "keys": sorted({head.key_id for head in heads}),
    }


def _say(console: Console, report: VerifyReport, heads: Sequence[SignedHead]) -> None:
    bad = report.first_bad
    if bad:
        console.say(f"bad: event {bad.seq} ({bad.id}): {bad.reason}; the {report.events} events before it are sound")
    for name, is_equal in report.views.items():
        if not is_equal:
            console.say(f"bad: read model {name} differs from the log")
    if report.damage:
        console.say(f"bad: {report.damage}")
    for finding in report.findings[:MOST_SHOWN]:
        console.say(f"bad: event {finding.seq}: {finding.code}: {finding.text}")
    if len(report.findings) > MOST_SHOWN:
        console.say(f"and {len(report.findings) - MOST_SHOWN} findings more; --json gives all")
    if report.ok:
        console.say(f"ok: {report.events} events, head {report.head_hash}; read models equal a fold of the log")
        console.say("  every order has its gate record, and the book its fills")
        console.say(f"  {_heads_text(heads)}")


def _heads_text(heads: Sequence[SignedHead]) -> str:
    if not heads:
        return "no close was signed: a log rewritten as a whole would not be found"
    last = max(heads, key=lambda head: head.seq)
    return f"{len(heads)} closes signed by key {last.key_id}, the last at event {last.seq} ({last.session})"


def _keys(folder: RunFolder, public_key_path: Path | None) -> dict[str, PublicKey]:
    """The key to check with: the one given, or the book's own, which proves less since it lies beside the log."""
    key = read_public_key(public_key_path) if public_key_path else own_public_key(folder.book.path / KEYS)
    return {key.key_id: key} if key else {}


def perform_replay(run_name: str | None, book_path: Path, console: Console) -> bool:
    folder = Book(book_path).find(run_name)
    with console.progress("replay") as bar:
        result = replay_run(folder, bar)
    console.result(
        {
            "run": folder.run_id,
            "decisions": result.decisions,
            "events": result.events,
            "identical": result.identical,
            "first_difference": result.first_difference,
            "model_calls": result.model_calls,
            "is_finished": result.is_finished,
        }
    )
    if result.identical:
        console.say(
            f"identical: {result.decisions} decisions and all {result.events} events, byte for byte, "
            f"{result.model_calls} model calls"
        )
        if not result.is_finished:
            console.say("the run has not ended there: `parley run --resume`, or its `parley trade`, goes on with it")
    else:
        console.say(f"differs after {result.decisions} decisions: {result.first_difference}")
    return result.identical


def _verified(path: Path, on_progress: Callable[[int, int], None], audits: Sequence[Auditor]) -> VerifyReport:
    """The report; a log too damaged to be opened is a bad log, and any other file is not a log at all."""
    try:
        return verify_log(path, on_progress, audits)
    except StoreCorrupt as error:
        with path.open("rb") as file:
            header = file.read(len(SQLITE_MAGIC))
        # Damage to the first bytes still leaves most of them; another kind of file shares next to none.
        if sum(found == meant for found, meant in zip(header, SQLITE_MAGIC, strict=False)) * 2 < len(SQLITE_MAGIC):
            raise
        return VerifyReport(False, 0, GENESIS_HASH, None, {}, error.message)
