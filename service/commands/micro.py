"""Commands on recorded order books, trades and ticks."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from .options import BookOption, JsonOption, group

micro = group()


@micro.command()
def microstructure(
    data: Annotated[
        Path,
        typer.Option("--data", help="A file of books, trades, ticks or short bars; or a folder of books and trades."),
    ],
    symbol: Annotated[str | None, typer.Option("--symbol", help="Which one, where several were recorded.")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Day or time to stand at; default the last row.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="HTML file to write.")] = None,
    book: BookOption = Path("book"),
    as_json: JsonOption = False,
) -> None:
    """Order book pressure, trading costs, trade signs, toxicity and volume of a recording, with a page."""
    from ..microstructure import MicroRequest, perform_microstructure

    perform_microstructure(MicroRequest(data, symbol, as_of, out, book), Console(as_json))
