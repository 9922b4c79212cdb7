"""The command that judges a record: what it is worth, and what luck explains of it."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from .options import BookOption, ConfigOption, DataOption, EndOption, JsonOption, StartOption, group

worth = group()


@worth.command()
def performance(
    run_name: Annotated[str | None, typer.Argument(metavar="[RUN]", help="Run id; default the latest.")] = None,
    weights: Annotated[Path | None, typer.Option("--weights", help="CSV of symbol,weight held instead.")] = None,
    data: DataOption = None,
    start: StartOption = None,
    end: EndOption = None,
    factors: Annotated[Path | None, typer.Option("--factors", help="Daily factor returns, Parquet or CSV.")] = None,
    trials: Annotated[int, typer.Option("--trials", min=1, help="Configurations ever tried, dead ends too.")] = 1,
    out: Annotated[Path | None, typer.Option("--out", help="HTML file to write.")] = None,
    book: BookOption = Path("book"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a run, or weights held over a data set, was worth: figures with intervals, luck, factors, selection."""
    from ..performing import PerformanceRequest, perform_performance

    request = PerformanceRequest(run_name, weights, data, start, end, factors, trials, out, book, config)
    perform_performance(request, Console(as_json))


@worth.command()
def attribution(
    run_name: Annotated[str | None, typer.Option("--run", help="Run id; default the latest.")] = None,
    factors: Annotated[Path | None, typer.Option("--factors", help="Daily factor returns, Parquet or CSV.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="HTML file to write.")] = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Where a run's profit came from: by name, sector, effect, factor, decision and agent, each to the cent."""
    from ..attributing import AttributionRequest, perform_attribution

    perform_attribution(AttributionRequest(run_name, factors, out, book), Console(as_json))
