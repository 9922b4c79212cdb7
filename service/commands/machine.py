"""Commands about this machine: what is configured, and how fast it is."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from .options import FAILED, BookOption, ConfigOption, JsonOption, group

machine = group()


@machine.command()
def doctor(book: BookOption = Path("book"), config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """What is configured, what can be reached, what is missing."""
    from ..doctor import perform_doctor

    if not perform_doctor(book, config, Console(as_json)):
        raise typer.Exit(FAILED)


@machine.command()
def bench(
    what: Annotated[str | None, typer.Argument(help="Which one; default all but `replay`.")] = None,
    feed: Annotated[Path | None, typer.Option(help="The raw feed that `replay` replays.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Time the desk on this machine and print the figures beside their goals."""
    from ..benching import perform_bench

    if not perform_bench(what, Console(as_json), feed):
        raise typer.Exit(FAILED)
