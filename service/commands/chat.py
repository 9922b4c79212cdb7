"""The operator's chat."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from .options import MISUSED, BookOption, ConfigOption, JsonOption, ModelOption, group

chats = group()


@chats.command()
def chat(
    ask: Annotated[str | None, typer.Option("--ask", help="One question; without it a conversation.")] = None,
    yes_token: Annotated[str | None, typer.Option("--yes-token", help="Do what this token stands for.")] = None,
    user: Annotated[
        str | None,
        typer.Option("--user", help="Who asks; default your login name. One of the book's users, where it has any."),
    ] = None,
    role: Annotated[
        str | None, typer.Option("--role", help="viewer, operator, risk_officer or admin: at most the user's own.")
    ] = None,
    run: Annotated[str | None, typer.Option("--run", help="A run's id; default the latest.")] = None,
    model: ModelOption = None,
    export: Annotated[bool, typer.Option("--export", help="Print all that was said with this user.")] = False,
    book: BookOption = Path("book"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the desk anything about its record, or for a halt, a cancel, a reduction: shown first, done by its token.

    Where the book has users (`parley user`), who asks is one of them and in their role. No password is asked for here:
    whoever sits at this machine has the book's files anyway, and `parley halt` asks nobody.
    """
    from ..chatting import ChatRequest, perform_chat, perform_export

    if export:
        perform_export(book, user, Console(as_json))
        return
    if ask is not None and yes_token is not None:
        typer.echo("error: give --ask or --yes-token, not both", err=True)
        raise typer.Exit(MISUSED)
    perform_chat(ChatRequest(book, run, ask, yes_token, user, role, model, config), Console(as_json))
