"""The command that asks the desk's record one question."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from .options import BookOption, JsonOption, group

asking = group()


@asking.command()
def ask(
    name: Annotated[str | None, typer.Argument(help="What to ask; without it all that can be asked is listed.")] = None,
    arg: Annotated[
        list[str] | None, typer.Option("--arg", help="KEY=VALUE of the question; may be given more than once.")
    ] = None,
    table: Annotated[bool, typer.Option("--table", help="Print the first rows of the answer's table too.")] = False,
    run_name: Annotated[str | None, typer.Option("--run", help="Run that is meant; default the latest.")] = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Answer one question from the record, every figure with its source; without a name list the questions."""
    from ..asking import AskRequest, perform_ask

    perform_ask(AskRequest(name, tuple(arg or ()), run_name, book, table), Console(as_json))
