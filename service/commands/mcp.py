"""The command that serves the desk to language models over the Model Context Protocol."""

from pathlib import Path
from typing import Annotated

import typer

from ..access.roles import Role
from ..console import Console
from .options import BookOption, JsonOption, group

mcp = group()


@mcp.command("mcp")
def serve_mcp(
    http: Annotated[
        bool, typer.Option("--http", help="Over HTTP on this machine, with a token for each call.")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="With --http; 0 takes any that is free.")] = 8643,
    user: Annotated[
        str | None,
        typer.Option(
            help="Who asks over standard input; default your login name. One of the book's users, where it has any."
        ),
    ] = None,
    role: Annotated[
        Role | None, typer.Option(help="What they may do: at most the user's own.", show_default="viewer")
    ] = None,
    token: Annotated[
        str | None, typer.Option(envvar="PARLEY_TOKEN", help="A token of `parley user token`, in place of both.")
    ] = None,
    run: Annotated[str | None, typer.Option(help="The run to show; default the latest.")] = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Serve the desk's questions, what-ifs, reports and two-step requests over MCP, on standard input and output.

    Where the book has users (`parley user`), who asks is one of them and in at most their role. No password is asked
    for here: whoever sits at this machine has the book's files anyway. With --http each call brings a token.
    """
    from ..mcp.serving import McpSettings, perform_mcp

    settings = McpSettings(book=book, run=run, port=port if http else None, user=user, role=role, token=token)
    perform_mcp(settings, Console(as_json))
