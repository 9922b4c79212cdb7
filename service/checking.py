"""The `verify` and `replay` commands: is the log what was written, and does it decide the same again."""

from collections.abc import Callable
from pathlib import Path

from ..desk.book import Book
from ..domain.events import GENESIS_HASH
from ..evals.replay import replay_run
from ..memory.verify import VerifyReport, verify_log
from ..storage.errors import StoreCorrupt
from .console import Console

SQLITE_MAGIC = b"SQLite format 3\x00"


def perform_verify(run_name: str | None, book_path: Path, console: Console) -> bool:
    folder = Book(book_path).find(run_name)
    with console.progress("verify") as bar:
        report = _verified(folder.log_path, bar)
    bad = report.first_bad
    first_bad = None if bad is None else {"seq": bad.seq, "id": bad.id, "reason": bad.reason}
    console.result(
        {
            "ok": report.ok,
            "run": folder.run_id,
            "events": report.events,
            "head_hash": report.head_hash,
            "first_bad": first_bad,
            "views": report.views,
            "damage": report.damage,
        }
    )
    if report.ok:
        console.say(f"ok: {report.events} events, head {report.head_hash}; read models equal a fold of the log")
        return True
    if bad:
        console.say(f"bad: event {bad.seq} ({bad.id}): {bad.reason}; the {report.events} events before it are sound")
    for name, is_equal in report.views.items():
        if not is_equal:
            console.say(f"bad: read model {name} differs from the log")
    if report.damage:
        console.say(f"bad: {report.damage}")
    return False


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
            console.say("the run itself was cut off there; finish it with `parley run --resume`")
    else:
        console.say(f"differs after {result.decisions} decisions: {result.first_difference}")
    return result.identical


def _verified(path: Path, on_progress: Callable[[int, int], None]) -> VerifyReport:
    """The report; a log too damaged to be opened is a bad log, and any other file is not a log at all."""
    try:
        return verify_log(path, on_progress)
    except StoreCorrupt as error:
        with path.open("rb") as file:
            header = file.read(len(SQLITE_MAGIC))
        # Damage to the first bytes still leaves most of them; another kind of file shares next to none.
        if sum(found == meant for found, meant in zip(header, SQLITE_MAGIC, strict=False)) * 2 < len(SQLITE_MAGIC):
            raise
        return VerifyReport(False, 0, GENESIS_HASH, None, {}, error.message)
