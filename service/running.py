"""The `run` command: checks everything first, then replays the days, then writes the reports."""

import asyncio
from pathlib import Path

from ..desk.book import Book, RunFolder, is_finished, open_log
from ..desk.clock import cpu_s, elapsed_s
from ..desk.desk import build_desk, build_model, run_started
from ..desk.errors import SettingsInvalid
from ..desk.remembering import RememberingModel, recorded_calls
from ..evals.days import RecordedDays
from ..evals.summary import RunSummary, summarize_run
from ..market.cards import DataSet
from ..memory.history import last_session_boundary
from .console import Console
from .preparing import Prepared, RunRequest, prepare
from .printing import print_summary, summary_document
from .resuming import begun_last, refuse_changed, request_as_begun

REPORT_CHOICES = ("traded", "all", "none")


def perform_run(request: RunRequest, console: Console) -> None:
    if request.reports not in REPORT_CHOICES:
        raise SettingsInvalid(
            f"--reports {request.reports!r} is not known", remedy=f"Use one of: {', '.join(REPORT_CHOICES)}."
        )
    prepared, folder = _resumed(request, console) if request.resume else _fresh(request)
    began = elapsed_s(), cpu_s()
    play(prepared, folder, console)
    summary = summary_of(folder, prepared.data)
    took = elapsed_s() - began[0], cpu_s() - began[1]
    report = _write_reports(request.reports, folder, summary, prepared.data, console)
    console.result(summary_document(summary, request.book, report))
    print_summary(console, summary, prepared.data, report, took)


def play(prepared: Prepared, folder: RunFolder, console: Console) -> None:
    """The days, from wherever the folder's log stands; of a finished run there are none left."""
    if is_finished(folder):
        return
    plan = prepared.plan
    with open_log(folder) as (log, _):
        model = build_model(plan.model, prepared.settings.llm)
        if not model.is_deterministic:
            model = RememberingModel(recorded_calls(log, last_session_boundary(log)), model)
        checkpoints = str(folder.checkpoint_path)
        desk = build_desk(prepared.settings, prepared.limits, prepared.data, plan, log, model, checkpoints)
        first = run_started(prepared.settings, prepared.limits, prepared.data, plan)
        days = RecordedDays(desk, plan.sessions, plan.seed, first)
        with console.progress(f"{plan.data} {plan.sessions[0]} to {plan.sessions[-1]}") as bar:
            asyncio.run(days.run(bar))


def summary_of(folder: RunFolder, data: DataSet) -> RunSummary:
    """The figures of a finished run; its log is only read."""
    with open_log(folder, readonly=True) as (log, views):
        return summarize_run(log, views, data.history())


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
        return prepared, folder
    console.say(f"Nothing to go on with: {request.book} holds no run {prepared.run_id}. It starts now.")
    return prepared, book.create(prepared.run_id)


def _write_reports(choice: str, folder: RunFolder, summary: RunSummary, data: DataSet, console: Console) -> Path | None:
    from .reporting import write_run_reports

    if choice == "none":
        return None
    return write_run_reports(folder, summary, data, console, every=choice == "all")
