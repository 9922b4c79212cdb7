"""The `explain` command: the page of one trade, decision or run, with its JSON twin."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

from ..desk.book import Book, open_log
from ..desk.errors import RunUnknown
from ..evals.summary import summarize_run
from ..market.datasets import load_data
from ..memory.history import run_started
from .console import Console
from .reporting import known_ids, report_of, write_run_reports
from .reports import Report, write_report


def perform_explain(ident: str, out: Path | None, run_name: str | None, book_path: Path, console: Console) -> None:
    folder = Book(book_path).find(run_name)
    with open_log(folder, readonly=True) as (log, views):
        data = load_data(run_started(log).data)
        if ident in ("run", folder.run_id):
            summary = summarize_run(log, views, data.history(), 0.0)
            html = write_run_reports(folder, summary, data, console, every=False)
            _tell(console, folder.run_id, "run", html)
            return
        report = report_of(log, views, ident, data)
        if report is None:
            some = ", ".join(islice(known_ids(views), 3)) or "none yet"
            raise RunUnknown(f"{ident!r} is no decision or order of run {folder.run_id}", remedy=f"Try one of: {some}.")
    if out is None:
        html, _ = write_report(report, folder.reports_path)
    else:
        html, _ = write_report(_named(report, out), out.parent)
    _tell(console, ident, report.kind, html)


def _named(report: Report, out: Path) -> Report:
    return replace(report, id=out.stem)


def _tell(console: Console, ident: str, kind: str, html: Path) -> None:
    twin = html.with_suffix(".json")
    console.result({"id": ident, "kind": kind, "html": str(html), "json": str(twin)})
    console.say(f"{kind} {ident}\n  {html}\n  {twin}")
