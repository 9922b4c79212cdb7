"""Commands that look at the market itself."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from .options import BookOption, ConfigOption, DataOption, JsonOption, group

markets = group()


@markets.command()
def market(
    symbols: Annotated[
        list[str] | None, typer.Argument(metavar="SYMBOL", help="Names to look at closely beside the market.")
    ] = None,
    data: DataOption = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="The close to look from; default the last.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="HTML file to write.")] = None,
    book: BookOption = Path("book"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """The state of the market: indicators in words, candles, chart patterns with their record, regimes and breaks."""
    from ..market_state import MarketRequest, perform_market

    asked = tuple(symbol.upper() for symbol in symbols or ())
    perform_market(MarketRequest(asked, data, as_of, out, book, config), Console(as_json))
