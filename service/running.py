"""The `run` command: checks everything first, then replays the days, then writes the reports."""

import asyncio
from pathlib import Path

from ..desk.book import Book, RunFolder, is_finished, open_log
from ..desk.clock import cpu_s, elapsed_s
from ..desk.desk import build_desk, run_started
from ..desk.errors import DeskHalted, SettingsInvalid
from ..desk.models import build_model, kept_model
from ..desk.operator import book_post
from ..desk.reflecting import KeptIndex
from ..desk.remembering import RememberingModel, recorded_calls
from ..desk.watchman import Watchman
from ..domain.sessions import session_text
from ..evals.days import RecordedDays
from ..evals.steering import Stop
from ..evals.summary import RunSummary, summarize_run
from ..market.cards import DataSet
from ..memory.history import last_session_boundary
from .attesting import attested
from .console import Console
from .preparing import Prepared, RunRequest, prepare
from .printing import honest_notes, print_summary, summary_document
from .resuming import begun_last, refuse_changed, request_as_begun

REPORT_CHOICES = ("traded", "all", "none")


def perform_run(request: RunRequest, console: Console) -> bool:
    """False when the run was halted before its end; asked to end by SIGTERM, it ended in good order."""
    if request.reports not in REPORT_CHOICES:
        raise SettingsInvalid(
            f"--reports {request.reports!r} is not known", remedy=f"Use one of: {', '.join(REPORT_CHOICES)}."
        )
    prepared, folder = _resumed(request, console) if request.resume else _fresh(request)
    began = elapsed_s(), cpu_s()
    stop = play(prepared, folder, console)
    if stop is not None:
        _say_stopped(stop, folder, console)
        return stop.kind == "ended"
    summary = summary_of(folder, prepared.data)
    took = elapsed_s() - began[0], cpu_s() - began[1]
    report = _write_reports(request.reports, folder, summary, prepared.data, console)
    console.result(summary_document(summary, request.book, report) | {"notes": honest_notes(summary, prepared.data)})
    print_summary(console, summary, prepared.data, report, took)
    shown = "" if request.book == Path("book") else f" --book {request.book}"
    console.say(f"Look at it in a browser: parley serve{shown}")
    return True


def play(prepared: Prepared, folder: RunFolder, console: Console, *, is_desk: bool = True) -> Stop | None:
    """The days, from wherever the folder's log stands; of a finished run there are none left.

    The desk is reached by the book's flag and inbox meanwhile; what is no desk only ends when the flag goes up, and
    leaves requests and heartbeat to the one that is. Why it stopped early, if it did.
    """
    if is_finished(folder):
        return None
    plan, post = prepared.plan, book_post(folder.book.path)
    llm = prepared.settings.llm
    commit = prepared.settings.log_commit
    with open_log(folder, commit=commit) as (log, _), kept_model(build_model(plan.model, llm), llm, folder) as kept:
        model = kept.model
        if not model.is_deterministic:
            model = RememberingModel(recorded_calls(log, last_session_boundary(log)), model)
        desk = build_desk(
            prepared.settings,
            prepared.limits,
            prepared.data,
            plan,
            log,
            model,
            str(folder.checkpoint_path),
            kept.begin_decision,
        )
        first = run_started(prepared.settings, prepared.limits, prepared.data, plan)
        title = f"{plan.data} {session_text(plan.sessions[0])} to {session_text(plan.sessions[-1])}"
        with (
            console.progress(title) as bar,
            Watchman(post.flag, post.heartbeat if is_desk else None) as watchman,
            attested(folder, log, bar) as told,
        ):
            outside = post if is_desk else None
            keeper = KeptIndex(folder.recall_path, log) if desk.has_memory else None
            days = RecordedDays(desk, plan.sessions, plan.seed, first, post=outside, watchman=watchman, keeper=keeper)
            try:
                return asyncio.run(days.run(told))
            except DeskHalted as error:
                return Stop("halted", error.message)
            finally:
                if keeper is not None:
                    keeper.close()


def summary_of(folder: RunFolder, data: DataSet) -> RunSummary:
    """The figures of a finished run; its log is only read."""
    with open_log(folder, readonly=True) as (log, views):
        return summarize_run(log, views, data.history())


def _say_stopped(stop: Stop, folder: RunFolder, console: Console) -> None:
    """The contract of `run --json` for a run that did not come to its end."""
    document = {"run": folder.run_id, "book": str(folder.book.path), "stopped": stop.kind, "reason": stop.reason}
    console.result(document)
    console.say(f"Run {folder.run_id} stopped, {stop.kind}: {stop.reason}")
    if stop.kind == "halted":
        console.say("  Look at `parley status`; free it with `parley resume --reason ...`.")
    console.say("  Go on with `parley run --resume`.")


def _fresh(request: RunRequest) -> tuple[Prepared, RunFolder]:
    prepared = prepare(request)
    return prepared, Book(request.book).create(prepared.run_id)


def _resumed(request: RunRequest, console: Console) -> tuple[Prepared, RunFolder]:
    """The folder to go on in; a run that never began is begun when its options are given."""
    book = Book(request.book)
    last = begun_last(book)
    prepared = prepare(request_as_begun(request, last))
    folder = book.run_folder(prepared.run_id)
    refuse_changed(last, folder, prepared)
    if folder.exists:
        book.take_up(folder)
        return prepared, folder
    console.say(f"Nothing to go on with: {request.book} holds no run {prepared.run_id}. It starts now.")
    return prepared, book.create(prepared.run_id)


def _write_reports(choice: str, folder: RunFolder, summary: RunSummary, data: DataSet, console: Console) -> Path | None:
    from .reporting import write_run_reports

    if choice == "none":
        return None
    return write_run_reports(folder, summary, data, console, every=choice == "all")
