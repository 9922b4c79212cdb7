"""The command that looks for spreads that revert."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from .options import BookOption, ConfigOption, DataOption, JsonOption, group

spreads = group()


@spreads.command()
def pairs(
    data: DataOption = None,
    top: Annotated[int, typer.Option("--top", help="How many spreads to show, and to trade in the record.")] = 10,
    as_of: Annotated[str | None, typer.Option("--as-of", help="The close to look from; default the last.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="HTML file to write.")] = None,
    book: BookOption = Path("book"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pairs and residuals that revert: half-life, score and best band now, and what trading them earned."""
    from ..pairing import PairsRequest, perform_pairs

    perform_pairs(PairsRequest(data, as_of, top, out, book, config), Console(as_json))
