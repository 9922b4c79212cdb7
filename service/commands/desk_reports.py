"""Commands that write the desk's regular reports."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from .options import BookOption, JsonOption, group

desk_reports = group("report", "Regular reports of a run: a day, a month, and how well its orders were executed.")

RunOption = Annotated[str | None, typer.Option("--run", help="Run to look at; default the latest.")]
PdfOption = Annotated[bool, typer.Option("--pdf", help="Print it too, to A4.")]


@desk_reports.command()
def daily(
    day: Annotated[str | None, typer.Option("--date", help="Session, YYYY-MM-DD; default the last.")] = None,
    run_name: RunOption = None,
    as_pdf: PdfOption = False,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """One session: profit, trades, vetoes, alerts, risk against limits, exposures, costs, people, open questions."""
    from ..desk_reports import PeriodRequest, perform_period

    perform_period(PeriodRequest("daily", day, run_name, book, as_pdf), Console(as_json))


@desk_reports.command()
def monthly(
    month: Annotated[str | None, typer.Option("--month", help="Month, YYYY-MM; default the last.")] = None,
    run_name: RunOption = None,
    as_pdf: PdfOption = False,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """The same over a month."""
    from ..desk_reports import PeriodRequest, perform_period

    perform_period(PeriodRequest("monthly", month, run_name, book, as_pdf), Console(as_json))


@desk_reports.command()
def execution(
    run_name: RunOption = None,
    as_pdf: PdfOption = False,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Best execution over a run: expected against realized by algorithm, venue, size and kind of order."""
    from ..desk_reports import perform_execution

    perform_execution(run_name, as_pdf, book, Console(as_json))
