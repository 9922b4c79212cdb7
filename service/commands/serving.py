"""The command that serves the desk over the network."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from .options import BookOption, ConfigOption, JsonOption, group

serving = group()


@serving.command()
def serve(
    host: Annotated[str, typer.Option(help="The address; others than this machine's take TLS.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes any that is free.")] = 8642,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key, PEM.")] = None,
    name: Annotated[
        list[str] | None, typer.Option(help="A host name it is called by; several times for several.")
    ] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Others may reach it without TLS: a proxy does that.")] = False,
    run: Annotated[str | None, typer.Option(help="The run to show; default the latest.")] = None,
    book: BookOption = Path("book"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Serve the desk on this machine: pages for a browser, and the API with answers, chat, controls and a stream."""
    from ..api.settings import ServeSettings
    from ..serving import perform_serve

    settings = ServeSettings(
        book=book,
        run=run,
        host=host,
        port=port,
        tls_cert=tls_cert,
        tls_key=tls_key,
        names=tuple(name or ()),
        is_plain_allowed=plain,
    )
    perform_serve(settings, Console(as_json), config)
