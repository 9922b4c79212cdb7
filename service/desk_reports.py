"""The `report` commands: a day or a month of a run, and what its orders got against what was expected."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..desk.book import Book, RunFolder, open_log
from ..domain.events import Event, PortfolioMarked, QuotesDropped
from ..memory.log import EventLog
from ..memory.views import ReadModels
from .console import Console
from .pages.case import Case
from .pages.errors import UnknownRecord
from .pages.execution import execution_page
from .pages.period import Period, PeriodKind, period_page
from .pages.record import RunRecord
from .pages.twin import Twin
from .pdf import print_pdf
from .reports import Report, write_report

DAY, MONTH = len("YYYY-MM-DD"), len("YYYY-MM")


@dataclass(frozen=True, slots=True)
class PeriodRequest:
    """Which run, and which day or month of it; the last where none is named."""

    kind: PeriodKind
    name: str | None
    run: str | None
    book: Path
    as_pdf: bool = False


def perform_period(request: PeriodRequest, console: Console) -> None:
    folder = Book(request.book).find(request.run)
    with open_log(folder, readonly=True) as (log, views):
        report = period_report(log, views, request.kind, request.name, _beside(folder))
    tell_report(report, folder, request.as_pdf, console)


def period_report(
    log: EventLog, views: ReadModels, kind: PeriodKind, name: str | None, links: frozenset[str] = frozenset()
) -> Report:
    """The page of a day (YYYY-MM-DD) or a month (YYYY-MM); the last of the run where none is named."""
    length = DAY if kind == "daily" else MONTH
    marks = list(log.read(types=(PortfolioMarked,)))
    days = [_session(event)[:length] for event in marks]
    chosen = name or (days[-1] if days else "")
    if chosen not in days:
        raise UnknownRecord(
            f"{chosen or 'the run'!r}: no session of this run was closed then",
            remedy=f"It has {days[0]} to {days[-1]}." if days else "Run some sessions first.",
        )
    first = days.index(chosen)
    within = tuple(event for event, day in zip(marks, days, strict=True) if day == chosen)
    record = RunRecord.from_source(log)
    period = Period(
        kind=kind,
        name=chosen,
        marks=within,
        before=marks[first - 1] if first else None,
        decisions=tuple(item for item in views.decisions() if item.as_of[:length] == chosen),
        trades=tuple(row for row in record.trades if str(row["closed_at"])[:length] == chosen),
        people=tuple(_on(record.people, chosen, length)),
        dropped=tuple(_on(log.read(types=(QuotesDropped,)), chosen, length)),
    )
    if not period.decisions:
        raise UnknownRecord(
            f"{chosen}: nothing was decided then",
            remedy="Name a day on which the desk decided; see `parley explain run`.",
        )
    ident = f"{kind}-{chosen}"
    twin = Twin(kind, ident)
    case = Case.of(twin, record.started, record.case_events(period.decisions[-1].decision_id))
    return Report(ident, kind, period_page(twin, case, period, links), twin.data())


def perform_execution(run: str | None, as_pdf: bool, book: Path, console: Console) -> None:
    folder = Book(book).find(run)
    tell_report(execution_report(folder), folder, as_pdf, console)


def execution_report(folder: RunFolder) -> Report:
    """Measured as `parley costs` measures it, shown as a compliance officer asks."""
    from .costing import measured_costs

    entries = [
        entry for entry in measured_costs(folder)[0].entries if entry.tool in ("post_trade", "venue_performance")
    ]
    ident = "execution"
    twin = Twin("execution", ident)
    facts = twin.evidence([entry.model_dump(mode="json") for entry in entries])
    by_tool = {entry.tool: fact for entry, fact in zip(entries, facts, strict=True)}
    return Report(ident, "execution", execution_page(twin, by_tool, folder.run_id), twin.data())


def tell_report(report: Report, folder: RunFolder, as_pdf: bool, console: Console) -> None:
    """Writes a report among the run's own, and says where."""
    html, twin = write_report(report, folder.reports_path)
    printed = {"pdf": str(print_pdf(html))} if as_pdf else {}
    console.result({"id": report.id, "kind": report.kind, "html": str(html), "json": str(twin), **printed})
    console.say("\n  ".join((f"{report.kind} {report.id}", str(html), str(twin), *printed.values())))


def _on(events: Sequence[Event] | Iterator[Event], chosen: str, length: int) -> Iterator[Event]:
    return (event for event in events if event.event_time.isoformat()[:length] == chosen)


def _session(event: Event) -> str:
    return str(event.payload["session"]) if isinstance(event.payload, dict) else ""


def _beside(folder: RunFolder) -> frozenset[str]:
    """Pages that lie in the run's folder already, by their ids."""
    return frozenset(path.stem for path in folder.reports_path.glob("*.html"))
