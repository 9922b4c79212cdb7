"""The command that runs desks by themselves, on the exchange's clock."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from .options import (
    FAILED,
    ConfigOption,
    DataOption,
    EndOption,
    JsonOption,
    ModelOption,
    SeedOption,
    StartOption,
    group,
)

unattended = group()


@unattended.command()
def trade(
    data: DataOption = None,
    start: StartOption = None,
    end: EndOption = None,
    model: ModelOption = None,
    seed: SeedOption = None,
    accelerate: Annotated[
        str | None,
        typer.Option("--accelerate", help="How many times the wall's pace: 1, 10000; `max` waits for nothing."),
    ] = None,
    jobs: Annotated[
        str | None, typer.Option("--jobs", help="Other times: decide=close+15m,health=every 1m in session.")
    ] = None,
    faults: Annotated[
        str | None, typer.Option("--faults", help="A drill: a TOML file of faults, or `default`, drawn from the seed.")
    ] = None,
    desks: Annotated[
        Path | None, typer.Option("--desks", help="TOML file with a [[desk]] table for each of several desks.")
    ] = None,
    growing: Annotated[
        bool, typer.Option("--growing", help="The file gains sessions meanwhile, at this pace; live, it always does.")
    ] = False,
    book: Annotated[
        list[Path] | None, typer.Option("--book", envvar="PARLEY_BOOK", help="Where runs are kept; once for each desk.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Trade unattended: jobs at their times, checks before each open, restarts, and uptime.

    Live on a file of daily bars that gains each session's rows, or on recorded sessions with --accelerate.
    """
    from ..preparing import RunRequest
    from ..trading.desks import TradeRequest
    from ..trading.performing import perform_trade

    request = RunRequest(data, start, end, model, seed, config=config)
    books = tuple(book or [Path("book")])
    if not perform_trade(TradeRequest(books, request, accelerate, jobs, faults, desks, growing), Console(as_json)):
        raise typer.Exit(FAILED)
