"""Commands about where orders are filled: the simulated exchange, and what corporate actions make of a position."""

from pathlib import Path
from typing import Annotated

import typer

from ..console import Console
from .options import BookOption, ConfigOption, DataOption, EndOption, JsonOption, SeedOption, StartOption, group

venues = group()


@venues.command()
def exchange(
    data: DataOption = None,
    start: StartOption = None,
    end: EndOption = None,
    seed: SeedOption = None,
    book: BookOption = Path("book"),
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """The same days at the paper venue, the exchange and a router: fills, costs and fees beside each other."""
    from ..exchanging import perform_exchange
    from ..preparing import RunRequest

    request = RunRequest(data, start or "2020-01-02", end or "2020-03-31", "rules", seed, book=book, config=config)
    perform_exchange(request, Console(as_json))


@venues.command()
def actions(
    file: Annotated[Path, typer.Argument(help="Corporate actions: symbol, kind, ex_date, cash, split_from, split_to.")],
    symbol: Annotated[str, typer.Argument(help="Whose.")],
    since: Annotated[str, typer.Option("--since", help="The last day before, YYYY-MM-DD.")],
    until: Annotated[str, typer.Option("--until", help="The last ex-date, YYYY-MM-DD.")],
    shares: Annotated[int, typer.Option("--shares", help="Held at first; below zero for a short position.")] = 100,
    cost: Annotated[str, typer.Option("--cost", help="What each cost, in raw prices.")] = "100",
    price: Annotated[
        str | None, typer.Option("--price", help="Of one share after a split, for fractions of one.")
    ] = None,
    limit: Annotated[
        str | None, typer.Option("--limit", help="A standing buy order for as many, at this limit.")
    ] = None,
    prices: Annotated[
        Path | None,
        typer.Option("--prices", help="Daily prices as they were traded: play every session at the exchange."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """What splits, dividends, delistings and renames make of a position, its cost and a standing order."""
    from ..acting import ActionsRequest, perform_actions

    request = ActionsRequest(file, symbol.upper(), since, until, shares, cost, price, limit, prices)
    perform_actions(request, Console(as_json))
