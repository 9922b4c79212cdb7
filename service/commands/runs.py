"""Commands that make runs and decisions, explain them, and check them."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from .options import (
    FAILED,
    BeforeOption,
    BookOption,
    ConfigOption,
    DataOption,
    EndOption,
    EveryOption,
    JsonOption,
    ModelOption,
    SeedOption,
    StartOption,
    TextOption,
    VenueOption,
    group,
)

runs = group()


@runs.command()
def run(
    data: DataOption = None,
    start: StartOption = None,
    end: EndOption = None,
    model: ModelOption = None,
    seed: SeedOption = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was cut off.")] = False,
    reports: Annotated[str, typer.Option(help="Pages to write: traded, all, or none.")] = "traded",
    every: EveryOption = None,
    venue: VenueOption = None,
    as_live: Annotated[
        bool, typer.Option("--as-live", help="A restart in mid-session is HALTED, and nothing arms itself again.")
    ] = False,
    text: TextOption = None,
    before: BeforeOption = None,
    book: BookOption = Path("book"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replay recorded sessions through the whole desk: day by day, or within the day where it was recorded."""
    from ..preparing import RunRequest
    from ..running import perform_run

    request = RunRequest(
        data, start, end, model, seed, resume, reports, book, config, every, venue, as_live, text, before
    )
    if not perform_run(request, Console(as_json)):
        raise typer.Exit(FAILED)


@runs.command()
def decide(
    as_of: Annotated[
        str,
        typer.Option(
            "--as-of",
            help="The close to decide at: YYYY-MM-DD, or a time: in UTC, within recorded days on the exchange's clock.",
        ),
    ],
    data: DataOption = None,
    model: ModelOption = None,
    every: EveryOption = None,
    text: TextOption = None,
    before: BeforeOption = None,
    costs: Annotated[bool, typer.Option("--costs", help="Show calls, tokens, seconds and price per node.")] = False,
    book: BookOption = Path("book"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make one decision with an empty book, at a close or within a recorded day, and print it with its reasons."""
    from ..deciding import perform_decide
    from ..preparing import RunRequest

    request = RunRequest(data, model=model, book=book, config=config, every=every, text=text, before=before)
    if not perform_decide(as_of, request, Console(as_json), with_costs=costs):
        raise typer.Exit(FAILED)


@runs.command()
def explain(
    ident: Annotated[str, typer.Argument(metavar="ID", help="A decision or order id, or `run`.")],
    out: Annotated[Path | None, typer.Option("--out", help="HTML file to write; the JSON twin goes beside it.")] = None,
    run_name: Annotated[str | None, typer.Option("--run", help="Run to look in; default the latest.")] = None,
    as_pdf: Annotated[bool, typer.Option("--pdf", help="Print it too, to one sheet of A4.")] = False,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Write the report of a trade, a decision or a no-trade decision."""
    from ..explaining import perform_explain

    perform_explain(ident, out, run_name, book, Console(as_json), as_pdf)


@runs.command()
def replay(
    run_name: Annotated[str | None, typer.Argument(metavar="RUN", help="Run id; default the latest.")] = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Make every decision of a run again from its log, with no model call, and compare bytes."""
    from ..checking import perform_replay

    if not perform_replay(run_name, book, Console(as_json)):
        raise typer.Exit(FAILED)


@runs.command()
def verify(
    run_name: Annotated[str | None, typer.Argument(metavar="RUN", help="Run id; default the latest.")] = None,
    public_key: Annotated[
        Path | None, typer.Option("--public-key", help="PEM file to check signed heads with; every close needs one.")
    ] = None,
    export: Annotated[Path | None, typer.Option("--export", help="Check an exported order instead, offline.")] = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Walk a run's hash chain, rebuild its read models, audit its gate records, check its signed heads."""
    if export is not None:
        from ..export_checking import perform_verify_export

        is_sound = perform_verify_export(export, public_key, Console(as_json))
    else:
        from ..checking import perform_verify

        is_sound = perform_verify(run_name, public_key, book, Console(as_json))
    if not is_sound:
        raise typer.Exit(FAILED)
