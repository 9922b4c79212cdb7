"""Options that several commands share, and the exit codes of all."""

from pathlib import Path
from typing import Annotated

import typer

FAILED, MISUSED, INTERRUPTED = 1, 2, 130

BookOption = Annotated[Path, typer.Option("--book", envvar="PARLEY_BOOK", help="Where runs are kept.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else.")]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="Settings file; default parley.toml here.")]
DataOption = Annotated[str | None, typer.Option("--data", help="A data set's name, or a Parquet or CSV file.")]
ModelOption = Annotated[
    str | None, typer.Option("--model", help="`rules`, local:FILE.gguf, or a model of the configured endpoint.")
]
SeedOption = Annotated[int | None, typer.Option("--seed", min=0, help="Seed of the synthetic intraday paths.")]
StartOption = Annotated[str | None, typer.Option("--start", help="First session, YYYY-MM-DD[THH:MM].")]
EndOption = Annotated[str | None, typer.Option("--end", help="Last session, YYYY-MM-DD[THH:MM].")]
EveryOption = Annotated[
    str | None,
    typer.Option(
        "--every", help="How often to decide on what was recorded within the day: 30m, 15s; `day`: at closes."
    ),
]

VenueOption = Annotated[
    str | None,
    typer.Option("--venue", help="Where orders go: paper, exchange, or routed[:equal|ucb|thompson|censored]."),
]

TextOption = Annotated[
    str | None,
    typer.Option("--text", help="Parquet file of dated texts, or none; default those in text/ beside the prices."),
]

BeforeOption = Annotated[
    str | None,
    typer.Option("--before", help="A data set with earlier prices of the same names, to look back at; none is traded."),
]


def group(name: str | None = None, text: str | None = None) -> typer.Typer:
    """A group of commands; without a name its commands stand at the top level."""
    # rich costs a quarter of a second, which `--help` does not have
    return typer.Typer(name=name, help=text, no_args_is_help=True, rich_markup_mode=None)
