"""The `explain` command: the page of one trade, decision or run, with its JSON twin."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

from ..desk.book import Book, open_log
from ..desk.errors import SettingsInvalid
from ..evals.summary import summarize_run
from ..market.cards import DataSet
from ..memory.history import run_started
from ..memory.log import EventLog
from ..memory.views import ReadModels
from .console import Console
from .pages.errors import UnknownRecord
from .pages.trade import COSTS
from .pdf import print_pdf
from .reporting import known_ids, lone_run_report, report_of, write_run_reports
from .reports import Report, write_report


def perform_explain(
    ident: str, out: Path | None, run_name: str | None, book_path: Path, console: Console, as_pdf: bool = False
) -> None:
    if out is not None and out.suffix != ".html":
        raise SettingsInvalid(f"--out {out} is not an HTML file", remedy="Let the name end in .html.")
    folder = Book(book_path).find(run_name)
    costs = folder.reports_path / f"{COSTS}.html"
    with open_log(folder, readonly=True) as (log, views):
        data = folder.book.load(run_started(log).data)
        if ident in ("run", folder.run_id):
            summary = summarize_run(log, views, data.history())
            if out is None:
                html = write_run_reports(folder, summary, data, console, every=False)
                _tell(console, folder.run_id, "run", html, as_pdf)
                return
            report = lone_run_report(log, views, summary, data)
        else:
            links = frozenset({COSTS}) if out is None and costs.exists() else frozenset[str]()
            report = _found(log, views, ident, folder.run_id, data, links)
    if out is None:
        html, _ = write_report(report, folder.reports_path)
    else:
        html, _ = write_report(replace(report, id=out.stem), out.parent)
    _tell(console, report.id, report.kind, html, as_pdf, costs if report.kind == "trade" else None)
    if report.kind == "trade":
        console.say(f"  beside its benchmarks and the other orders: parley costs {folder.run_id} --by order")


def _found(log: EventLog, views: ReadModels, ident: str, run_id: str, data: DataSet, links: frozenset[str]) -> Report:
    report = report_of(log, views, ident, data, links)
    if report is None:
        some = ", ".join(islice(known_ids(views), 3)) or "none yet"
        raise UnknownRecord(
            f"{ident!r} is no decision or order of run {run_id}",
            remedy=f"Try one of: {some}; or name another run with --run.",
        )
    return report


def _tell(console: Console, ident: str, kind: str, html: Path, as_pdf: bool, costs: Path | None = None) -> None:
    """`costs` is the page of what an order cost beside the others, told where it was made."""
    twin = html.with_suffix(".json")
    printed = {"pdf": str(print_pdf(html))} if as_pdf else {}
    costs_page = {"costs": f"{costs}#{ident}"} if costs is not None and costs.exists() else {}
    console.result({"id": ident, "kind": kind, "html": str(html), "json": str(twin), **printed, **costs_page})
    console.say("\n  ".join((f"{kind} {ident}", str(html), str(twin), *printed.values())))
